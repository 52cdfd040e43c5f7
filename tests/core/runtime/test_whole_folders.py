"""Folders are there as they were or as they were meant to be, and what is somebody's own in them is kept."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from vae_core.runtime import whole_folders
from vae_core.runtime.locks import locked
from vae_core.runtime.whole_folders import folder_names, put_back, read_whole, replaced_whole, settle

OURS = ("config", "weights", "figures")
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two of our files and three things of somebody's own."""
    folder = tmp_path / "parent" / "thing"
    (folder / "drafts").mkdir(parents=True)
    for name in ("config", "weights", "notes", ".hidden", "drafts/first"):
        (folder / name).write_text(f"old {name}")
    return folder


OWN = {"notes": "old notes", ".hidden": "old .hidden", "drafts/first": "old drafts/first"}
OLD = {"config": "old config", "weights": "old weights", **OWN}
NEW = {"config": "new config", "figures": "new figures", **OWN}


def contents(folder: Path) -> dict[str, str]:
    """The text of every file by its path in the folder."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def replace(folder: Path, keep: tuple[str, ...] = ()) -> None:
    with replaced_whole(folder, ours=OURS, keep=keep) as new:
        for name in ("config", "figures"):
            (new / name).write_text(f"new {name}")


def beside(folder: Path) -> list[str]:
    """What lies beside the folder, but for its lock."""
    names = [path.name for path in folder.parent.iterdir()]
    return sorted(name for name in names if name != folder.name and not name.endswith("-lock"))


# --- what comes out ------------------------------------------------------------------------------------------


def test_our_files_are_replaced_and_all_else_stays(folder: Path) -> None:
    replace(folder)
    assert contents(folder) == NEW
    assert beside(folder) == []


def test_a_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    replace(tmp_path / "a" / "b")
    assert contents(tmp_path / "a" / "b") == {"config": "new config", "figures": "new figures"}


def test_files_that_are_kept_are_there_while_the_others_are_written(folder: Path) -> None:
    with replaced_whole(folder, ours=OURS, keep=("weights", "figures")) as new:
        assert contents(new) == {"weights": "old weights"}
        (new / "config").write_text("new config")
        assert contents(folder) == OLD, "until all of it is written"
    assert contents(folder) == {**OLD, "config": "new config"}


def test_an_error_leaves_everything_as_it_was(folder: Path) -> None:
    def write() -> None:
        with replaced_whole(folder, ours=OURS) as new:
            (new / "config").write_text("new config")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert contents(folder) == OLD
    assert beside(folder) == []


def test_a_second_rename_that_fails_leaves_everything_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def fails(path: Path, target: Path) -> Path:
        if whole_folders.NEW in path.name:
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="Input/output"):
        replace(folder)
    assert contents(folder) == OLD
    assert beside(folder) == []


def test_a_folder_of_somebody_s_in_place_of_a_file_of_ours_is_refused(folder: Path) -> None:
    (folder / "figures").mkdir()
    with pytest.raises(IsADirectoryError, match="figures is a folder"):
        replace(folder)
    assert contents(folder) == OLD


def test_a_link_to_a_folder_stays_one(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    replace(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert contents(folder) == NEW


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_the_folder_s_permissions_stay(folder: Path) -> None:
    folder.chmod(0o750)
    replace(folder)
    assert folder.stat().st_mode & 0o777 == 0o750


def test_two_writers_take_turns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with replaced_whole(folder, ours=OURS) as new:
        (new / "config").write_text("new config")
        monkeypatch.setattr(whole_folders, "PATIENCE_SECONDS", 0.05)
        with pytest.raises(TimeoutError, match="held by another process"):
            replace(folder)
    assert contents(folder) == {"config": "new config", **OWN}


# --- what a killed writer leaves -----------------------------------------------------------------------------

KILLED = """
import sys
from pathlib import Path
from tests.kills import die_at_step
from tests.core.runtime.test_whole_folders import replace
folder, step, keep = Path(sys.argv[1]), int(sys.argv[2]), tuple(sys.argv[3:])
die_at_step(step, folder.parent)
replace(folder, keep)
"""


def is_killed_at(step: int, folder: Path, *keep: str) -> bool:
    """Whether the writer came as far as this step, before which it is killed."""
    command = [sys.executable, "-c", KILLED, str(folder), str(step), *keep]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_after_a_kill_at_any_step_it_is_the_old_one_or_the_new_one(folder: Path) -> None:
    seen: list[str] = []
    step = 1
    while is_killed_at(step, folder):
        put_back(folder)
        found = contents(folder)
        ours = {name: text for name, text in found.items() if name in OURS}
        assert ours in ({"config": "old config", "weights": "old weights"}, {n: NEW[n] for n in ("config", "figures")})
        settle(folder, OURS)
        assert contents(folder) in (OLD, NEW)
        seen.append(ours["config"])
        for name in ("config", "weights"):  # as it was, for the next step
            (folder / name).write_text(f"old {name}")
        (folder / "figures").unlink(missing_ok=True)
        step += 1
    assert contents(folder) == NEW
    assert beside(folder) == [], "the next writer clears up"
    assert seen == sorted(seen, reverse=True), "old ones first"
    assert {"old config", "new config"} == set(seen)
    assert step > 10


def set_aside(folder: Path) -> None:
    """As after a kill between the two renames."""
    folder.rename(folder.with_name(f".{folder.name}.{whole_folders.OLD}"))


def test_a_folder_that_was_set_aside_is_known_by_its_name(folder: Path) -> None:
    assert folder_names(folder.parent) == {"thing"}
    assert folder_names(folder.parent / "nowhere") == set()
    set_aside(folder)
    assert "thing" in folder_names(folder.parent)
    settle(folder, OURS)
    assert contents(folder) == OLD


def test_a_folder_is_known_by_its_name_while_it_is_replaced(folder: Path) -> None:
    with replaced_whole(folder, ours=OURS):
        folder.rename(folder.with_name("elsewhere"))  # neither name is seen by one who lists at the wrong moment
        assert "thing" in folder_names(folder.parent)
        folder.with_name("elsewhere").rename(folder)


def test_what_is_somebody_s_own_comes_after_where_the_kill_was_late(folder: Path) -> None:
    set_aside(folder)
    folder.mkdir()
    (folder / "config").write_text("new config")
    settle(folder, OURS)
    assert contents(folder) == {"config": "new config", **OWN}
    assert beside(folder) == []


def test_a_file_that_is_there_again_is_not_written_over(folder: Path) -> None:
    set_aside(folder)
    folder.mkdir()
    (folder / "notes").write_text("newer notes")
    settle(folder, OURS)
    assert contents(folder)["notes"] == "newer notes"
    assert contents(folder.parent / f".thing.{whole_folders.OLD}") == {"notes": "old notes"}, "nothing is lost"


def test_nothing_is_put_right_while_a_writer_is_at_it(folder: Path) -> None:
    set_aside(folder)
    folder.mkdir()
    with locked(folder.with_name(f".{folder.name}.{whole_folders.LOCK}"), patience=0):
        settle(folder, OURS)
    assert contents(folder) == {}
    settle(folder, OURS)
    assert contents(folder) == OWN


@pytest.mark.parametrize("name", ["\0", "x" * 5000, "no/such/folder", ".", ""])
def test_there_is_nothing_to_put_right_at_what_is_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    put_back(Path(name))
    settle(Path(name), OURS)
    assert list(tmp_path.iterdir()) == []


# --- reading while it is written -----------------------------------------------------------------------------


def test_a_reader_sees_one_state_of_all_files(folder: Path) -> None:
    """Two numbers that are always written together are always read together."""
    over = threading.Event()

    def write() -> None:
        for number in range(40):
            with replaced_whole(folder, ours=OURS) as new:
                for name in ("config", "weights"):
                    (new / name).write_text(str(number))
        over.set()

    def read() -> tuple[str, str]:
        first = (folder / "config").read_text()
        return first, (folder / "weights").read_text()

    (folder / "config").write_text("-1")
    (folder / "weights").write_text("-1")
    writer = threading.Thread(target=write)
    writer.start()
    pairs = []
    while not over.is_set():
        pairs.append(read_whole(folder, read))
    writer.join()
    assert all(first == second for first, second in pairs), pairs
    assert len(set(pairs)) > 1


def test_an_error_of_a_reader_is_its_own(folder: Path) -> None:
    calls: list[int] = []

    def read() -> None:
        calls.append(1)
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        read_whole(folder, read)
    assert len(calls) == 1


def test_a_reader_tries_again_when_the_folder_was_replaced_meanwhile(folder: Path) -> None:
    calls: list[int] = []

    def read() -> str:
        calls.append(1)
        if len(calls) == 1:
            first = (folder / "weights").read_text()
            replace(folder)
            return first + (folder / "figures").read_text()
        return (folder / "config").read_text()

    assert read_whole(folder, read) == "new config"
