"""Files are there as they were or as they were meant to be, whatever happens while they are written."""

import errno
import os
import stat
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from vae_core.runtime.whole_files import remove_unfinished, write_text_whole, written_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_new_content_takes_the_old_one_s_place(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("old")
    with written_whole(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old", "until all of it is written"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["notes.txt"]


def test_a_text_is_written_in_utf_8(tmp_path: Path) -> None:
    write_text_whole(tmp_path / "notes.txt", "µ ± σ\n")
    assert (tmp_path / "notes.txt").read_bytes() == "µ ± σ\n".encode()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_an_error_leaves_the_file_as_it_was_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("old")

    def write() -> None:
        with written_whole(path) as temporary:
            temporary.write_text("ne")
            raise error

    with pytest.raises(type(error)):
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["notes.txt"]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), written_whole(tmp_path / "no" / "notes.txt"):
        pytest.fail("there is nothing to write to")


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_weights_may_be_read_by_whoever_may_read_their_neighbours(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        with written_whole(tmp_path / "weights") as temporary:
            save_file({"a": torch.zeros(1)}, temporary)  # by itself safetensors writes for the owner alone
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "weights").stat().st_mode) == mode


def test_only_what_a_killed_writer_of_the_file_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".notes.txt.123-0a1b2c3d.part"
    others = [".notes.txt", "notes.txt.part", ".other.txt.123-0a1b2c3d.part", ".notes.txt.mine.part", "notes.txt"]
    for name in [left.name, *others]:
        (tmp_path / name).touch()
    remove_unfinished(tmp_path / "notes.txt")
    assert names(tmp_path) == sorted(others)
