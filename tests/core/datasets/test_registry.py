"""The table of named data sets, what `load_dataset` refuses, and digits."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vae_core.datasets.folders import BY_POSITION
from vae_core.datasets.own_sets import register_folder
from vae_core.datasets.registry import DATASET_NAMES, DATASETS, LabelledImages, find_dataset, load_dataset
from vae_core.errors import DatasetError
from vae_core.images.preparation_options import Preparation

SPLITS = ("train", "validation", "test")
KNOWN = "mnist, digits, fashion_mnist, quickdraw, emoji_noto, faces, dsprites"


@pytest.mark.parametrize("name", DATASET_NAMES)
def test_the_table_is_whole(name: str) -> None:
    info = DATASETS[name]
    assert info.name == name
    assert info.title
    assert info.licence
    assert info.citation
    assert len(info.image_shape) == 3
    assert (info.preparation.invert == "auto") == (info.image_shape[0] == 1), "white on black, but colour as it is"


UNKNOWN = ["emnist", "", "no/such/folder", "x" * 5_000, "nul\0"]


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(DatasetError, match=f"must be one of {KNOWN}, or a folder of images that --dataset FOLDER"):
        load_dataset(name, "train")
    with pytest.raises(DatasetError, match=f"must be one of {KNOWN}, or a folder of images, got") as caught:
        find_dataset(name)
    assert len(str(caught.value)) < 300


# --- folders -------------------------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder "cats" of ten pictures, below the present folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cats"
    folder.mkdir()
    for level in range(10):
        Image.new("L", (8, 8), level).save(folder / f"{level}.png")
    return folder


PREPARED = {"image_shape": (1, 8, 8), "preparation": Preparation(fit="crop", invert="never")}


def test_text_is_never_taken_for_the_path_of_a_folder(pictures: Path) -> None:
    for text in ("cats", str(pictures), f"./{pictures.name}"):
        with pytest.raises(DatasetError, match="must be one of mnist"):
            load_dataset(text, "train", **PREPARED)
    assert len(load_dataset(pictures, "train", **PREPARED)) > 0


def test_a_folder_in_the_owner_s_registry_is_loaded_by_its_id(pictures: Path) -> None:
    dataset = register_folder(pictures, taken=DATASET_NAMES)
    assert dataset == "cats"
    assert torch.equal(
        load_dataset(dataset, "test", **PREPARED).images, load_dataset(pictures, "test", **PREPARED).images
    )


def test_a_registered_folder_keeps_the_rule_by_which_it_is_divided(tmp_path: Path) -> None:
    for level in range(40):
        (tmp_path / "grey").mkdir(exist_ok=True)
        Image.new("L", (8, 8), level).save(tmp_path / "grey" / f"{level}.png")
    dataset = register_folder(tmp_path / "grey", taken=(), rule=BY_POSITION)
    assert load_dataset(dataset, "test", **PREPARED).images[:, 0, 0, 0].tolist() == [4, 10, 15, 22]


def test_a_registered_folder_that_is_gone_is_named(pictures: Path) -> None:
    dataset = register_folder(pictures, taken=DATASET_NAMES)
    pictures.rename(pictures.with_name("elsewhere"))
    with pytest.raises(DatasetError, match=f"the folder {pictures} of the data set 'cats' must exist; give --dataset"):
        load_dataset(dataset, "train", **PREPARED)


def test_a_person_may_name_a_set_its_id_or_a_folder(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_dataset("mnist") == "mnist"
    assert find_dataset("cats") == Path("cats")
    register_folder(pictures, taken=DATASET_NAMES)
    assert find_dataset("cats") == Path("cats"), "the very folder"
    monkeypatch.chdir("/")
    assert find_dataset("cats") == "cats"
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    assert find_dataset("~/cats") == pictures


def test_a_name_that_is_an_id_and_another_folder_is_refused(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_folder(pictures, taken=DATASET_NAMES)
    (tmp_path / "other" / "cats").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "other")
    with pytest.raises(DatasetError, match=r"'cats' is the id of .* and a folder here as well; for that give \./cats"):
        find_dataset("cats")
    assert find_dataset("./cats") == Path("cats")


# --- named sets ----------------------------------------------------------------------------------------------


def test_a_named_set_keeps_its_shape() -> None:
    assert load_dataset("digits", "test", image_shape=(1, 28, 28)).images.shape[1:] == (1, 28, 28)
    with pytest.raises(
        DatasetError, match=r"digits has pictures of shape \(1, 28, 28\), got image_shape \(3, 64, 64\)"
    ):
        load_dataset("digits", "test", image_shape=(3, 64, 64))


@pytest.fixture(scope="module")
def digits() -> dict[str, LabelledImages]:
    return {split: load_dataset("digits", split) for split in SPLITS}


def test_digits_are_split_60_20_20_within_each_label(digits: dict[str, LabelledImages]) -> None:
    assert sum(len(part) for part in digits.values()) == 1_797
    counts = {split: torch.bincount(part.labels, minlength=10) for split, part in digits.items()}
    total = sum(counts.values())
    for split, share in {"train": 0.6, "validation": 0.2, "test": 0.2}.items():
        np.testing.assert_allclose(counts[split] / total, share, atol=0.02)


def test_digits_are_grey_pictures_of_the_promised_shape(digits: dict[str, LabelledImages]) -> None:
    for part in digits.values():
        assert part.images.shape == (len(part), *DATASETS["digits"].image_shape)
        assert part.images.dtype == torch.uint8
        assert part.images.float().std() > 50
    assert max(int(part.images.max()) for part in digits.values()) == 255


def test_no_digit_is_in_two_splits(digits: dict[str, LabelledImages]) -> None:
    pictures = [{image.numpy().tobytes() for image in part.images} for part in digits.values()]
    assert len(set.union(*pictures)) == sum(len(part) for part in digits.values())


def test_digits_never_change(digits: dict[str, LabelledImages]) -> None:
    """A stored model's held-out images stay held out."""
    labels = hashlib.sha256(b"".join(digits[split].labels.numpy().astype("<i8").tobytes() for split in SPLITS))
    assert labels.hexdigest()[:16] == "1845af41feeaad97"
    assert torch.equal(load_dataset("digits", "validation").images, digits["validation"].images)
