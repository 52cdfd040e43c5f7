"""The owner's registry: an id for each folder, which no model can turn into another folder."""

import json
import threading
from pathlib import Path

import pytest

from vae_core.datasets import own_sets as module
from vae_core.datasets.folders import BY_CONTENT, BY_POSITION
from vae_core.datasets.own_sets import OwnSet, find_own_set, own_sets, register_folder
from vae_core.errors import ConfigError, DatasetError
from vae_core.runtime.locations import home_folder

TAKEN = ("mnist", "digits")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "My Cats").mkdir()
    return tmp_path / "My Cats"


def another(tmp_path: Path, name: str = "other/My Cats") -> Path:
    (tmp_path / name).mkdir(parents=True, exist_ok=True)
    return tmp_path / name


def test_there_are_none_at_first(own_places: Path) -> None:
    assert own_sets() == {}
    assert find_own_set("cats") is None
    assert not own_places.exists(), "asking makes nothing"


def test_a_folder_has_an_id_made_of_its_name(folder: Path) -> None:
    assert register_folder(folder, taken=TAKEN) == "my-cats"
    assert own_sets() == {"my-cats": OwnSet(str(folder), BY_CONTENT)}
    assert find_own_set("my-cats") == OwnSet(str(folder), BY_CONTENT)


def test_the_same_folder_has_the_same_id_however_it_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert register_folder(folder, taken=TAKEN) == "my-cats"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(folder)
    for name in ("My Cats", "./My Cats", "My Cats/../My Cats", "link"):
        assert register_folder(Path(name), taken=TAKEN) == "my-cats"
    assert list(own_sets()) == ["my-cats"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Züge", "zuge"),
        ("数字", "pictures"),
        ("..x", "x"),
        ("mnist", "mnist-2"),
        ("a" * 80, "a" * 58),
        ("A & B", "a-b"),
    ],
)
def test_any_name_of_a_folder_gives_an_id(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / name).mkdir()
    assert register_folder(tmp_path / name, taken=TAKEN) == expected


def test_two_folders_of_one_name_have_two_ids(folder: Path, tmp_path: Path) -> None:
    assert register_folder(folder, taken=TAKEN) == "my-cats"
    assert register_folder(another(tmp_path), taken=TAKEN) == "my-cats-2"
    assert register_folder(folder, taken=TAKEN) == "my-cats"


def test_a_folder_divided_by_another_rule_is_another_set(folder: Path) -> None:
    assert register_folder(folder, taken=TAKEN) == "my-cats"
    assert register_folder(folder, taken=TAKEN, rule=BY_POSITION) == "my-cats-2"
    assert own_sets()["my-cats-2"] == OwnSet(str(folder), BY_POSITION)


def test_an_id_may_be_chosen(folder: Path) -> None:
    assert register_folder(folder, taken=TAKEN, wanted="cats") == "cats"
    assert register_folder(folder, taken=TAKEN, wanted="tigers") == "tigers", "a second name of the same folder"


@pytest.mark.parametrize("wanted", ["", "mnist", "../x", "Cats", "a/b", "x" * 65])
def test_an_id_that_none_can_have_is_refused(folder: Path, wanted: str) -> None:
    with pytest.raises(DatasetError, match="a data set's id has 1 to 64 of a-z"):
        register_folder(folder, taken=TAKEN, wanted=wanted)
    assert own_sets() == {}


def test_another_folder_s_id_is_not_taken_from_it(folder: Path, tmp_path: Path) -> None:
    register_folder(folder, taken=TAKEN, wanted="cats")
    with pytest.raises(DatasetError, match=f"the data set 'cats' is {folder} already; choose another --dataset-id"):
        register_folder(another(tmp_path), taken=TAKEN, wanted="cats")
    assert register_folder(another(tmp_path), taken=TAKEN, preferred="cats") == "my-cats"
    assert own_sets()["cats"] == OwnSet(str(folder), BY_CONTENT)


def test_an_id_goes_along_with_a_folder_that_was_moved(folder: Path, tmp_path: Path) -> None:
    register_folder(folder, taken=TAKEN, wanted="cats")
    moved = folder.rename(tmp_path / "moved")
    assert register_folder(moved, taken=TAKEN, preferred="cats") == "cats"
    assert own_sets() == {"cats": OwnSet(str(moved), BY_CONTENT)}


@pytest.mark.parametrize("text", ["/etc", "../x", "", "x" * 5000, "\0", "My Cats"])
def test_what_is_no_id_is_not_even_looked_up(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(module, "own_sets")
    assert find_own_set(text) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 1, "datasets": {"a": {"folder": 3}}}'])
def test_a_damaged_registry_is_named_and_left(folder: Path, text: str) -> None:
    home_folder().mkdir(parents=True)
    path = home_folder() / "datasets.json"
    path.write_text(text)
    for use in (own_sets, lambda: register_folder(folder, taken=TAKEN)):
        with pytest.raises(ConfigError, match=r"datasets\.json: .* Mend the file or delete it"):
            use()
    assert path.read_text() == text


def test_a_registry_of_a_newer_version_says_so_and_stays(folder: Path) -> None:
    home_folder().mkdir(parents=True)
    path = home_folder() / "datasets.json"
    path.write_text('{"format": 2, "sets": []}')
    for use in (own_sets, lambda: register_folder(folder, taken=TAKEN)):
        with pytest.raises(ConfigError, match="was made by a newer version of VAE Explorer") as caught:
            use()
        assert "delete" not in str(caught.value)
    assert path.read_text() == '{"format": 2, "sets": []}'


def test_a_registry_that_cannot_be_written_is_named(folder: Path) -> None:
    home_folder().parent.mkdir(parents=True)
    home_folder().write_text("a file")
    with pytest.raises(ConfigError, match=r"cannot be .* set VAE_EXPLORER_HOME to a folder"):
        register_folder(folder, taken=TAKEN)


def test_who_writes_at_the_same_time_loses_nothing(tmp_path: Path) -> None:
    folders = [another(tmp_path, f"set {number}") for number in range(12)]
    threads = [threading.Thread(target=register_folder, args=(each,), kwargs={"taken": TAKEN}) for each in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.folder for each in own_sets().values()} == set(map(str, folders))
    stored = json.loads((home_folder() / "datasets.json").read_text())
    assert stored["format"] == 1
    assert len(stored["datasets"]) == 12
