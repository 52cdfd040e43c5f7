"""The table of named data sets, what `load_dataset` refuses, and digits."""

import hashlib

import numpy as np
import pytest
import torch

from vae_core.datasets.registry import DATASET_NAMES, DATASETS, LabelledImages, load_dataset
from vae_core.errors import DatasetError

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


@pytest.mark.parametrize("name", ["emnist", "", "no/such/folder", "x" * 5_000, "nul\0"])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(DatasetError, match=f"must be one of {KNOWN}, or the path of a folder of images"):
        load_dataset(name, "train")


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
