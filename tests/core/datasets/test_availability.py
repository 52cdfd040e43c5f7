"""Whether a data set is on this machine: never opened, never fetched, and every place that has it counts."""

from pathlib import Path

import pytest

from vae_core.datasets.availability import is_at_hand
from vae_core.datasets.own_sets import register_folder
from vae_core.datasets.registry import DATASETS
from vae_core.runtime.locations import cache_folder, home_folder

TRAINED_ON = ("train", "validation")


@pytest.fixture(autouse=True)
def no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAE_DATA_DIR", raising=False)


def fetch(name: str, *files: str) -> None:
    (cache_folder() / name).mkdir(parents=True, exist_ok=True)
    for file in files:
        (cache_folder() / name / f"{file}-ubyte.gz").touch()


@pytest.mark.parametrize("name", [name for name in DATASETS if name != "digits"])
def test_an_archive_in_the_data_folder_is_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert not is_at_hand(name)
    (tmp_path / f"{name}.npz").touch()
    assert is_at_hand(name, data_dir=tmp_path)
    assert not is_at_hand(name, data_dir=tmp_path / "missing")
    monkeypatch.setenv("VAE_DATA_DIR", str(tmp_path))
    assert is_at_hand(name)


def test_digits_come_with_the_program() -> None:
    assert is_at_hand("digits")


def test_what_was_fetched_before_is_at_hand_part_by_part() -> None:
    fetch("mnist", "train-images-idx3")
    assert not is_at_hand("mnist", TRAINED_ON), "its labels are missing"
    fetch("mnist", "train-labels-idx1")
    assert is_at_hand("mnist", TRAINED_ON)
    assert not is_at_hand("mnist", ["test"])
    assert not is_at_hand("mnist")
    assert not is_at_hand("fashion_mnist", TRAINED_ON)
    fetch("mnist", "t10k-images-idx3", "t10k-labels-idx1")
    assert is_at_hand("mnist")


def test_a_set_that_is_kept_as_an_archive_alone_is_never_fetched() -> None:
    fetch("faces", "train-images-idx3", "train-labels-idx1")
    assert not is_at_hand("faces", TRAINED_ON)


def test_every_set_that_is_published_as_files_says_so() -> None:
    assert [name for name, info in DATASETS.items() if info.published] == ["mnist", "fashion_mnist"]


def test_a_folder_is_at_hand_by_its_id_alone(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    for text in ("cats", str(tmp_path / "cats"), "", "x" * 5_000, "\0"):
        assert not is_at_hand(text)
    assert is_at_hand(register_folder(tmp_path / "cats", taken=()))
    (tmp_path / "cats").rmdir()
    assert not is_at_hand("cats")


def test_a_damaged_registry_has_nothing_at_hand() -> None:
    home_folder().mkdir(parents=True)
    (home_folder() / "datasets.json").write_text("{")
    assert not is_at_hand("cats")
    assert is_at_hand("digits")
