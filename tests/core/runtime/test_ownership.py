"""The marker that says that a folder is the program's own."""

from pathlib import Path

import pytest

from vae_core.runtime.ownership import MARKER_FILE, is_empty, is_marked, mark


def test_a_marked_folder_is_known_by_its_kind(tmp_path: Path) -> None:
    assert not is_marked(tmp_path, "model")
    mark(tmp_path, "model")
    assert is_marked(tmp_path, "model")
    assert not is_marked(tmp_path, "run")


def test_a_marker_of_a_newer_version_is_one_as_well(tmp_path: Path) -> None:
    (tmp_path / MARKER_FILE).write_text('{"kind": "run", "format": 99, "more": [1]}')
    assert is_marked(tmp_path, "run")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"kind": "run"}', '{"format": 1}', "[" * 2000, "\udcff"])
def test_another_file_of_the_name_is_no_marker(tmp_path: Path, text: str) -> None:
    (tmp_path / MARKER_FILE).write_bytes(text.encode(errors="surrogateescape"))
    assert not is_marked(tmp_path, "run")


def test_a_folder_of_the_marker_s_name_is_none(tmp_path: Path) -> None:
    (tmp_path / MARKER_FILE).mkdir()
    assert not is_marked(tmp_path, "run")


def test_a_folder_with_a_hidden_file_is_not_empty(tmp_path: Path) -> None:
    assert is_empty(tmp_path / "missing")
    assert is_empty(tmp_path)
    (tmp_path / ".hidden").touch()
    assert not is_empty(tmp_path)
    assert not is_empty(tmp_path / ".hidden"), "a file"
