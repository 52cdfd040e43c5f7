"""Labelled images, and the seeded splits of the sets that come without any."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int, Int64, UInt8
from torch import Tensor

__all__ = ["SPLITS", "Factors", "LabelledImages", "PictureFile", "Split", "official_part", "seeded_random", "share_of"]

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

SPLIT_SEED = 0


@dataclass(frozen=True, eq=False)
class Factors:
    """The known factors of variation from which a set's images were drawn.

    Attributes:
        values: Each factor's value as a number from 0, for each image.
        names: What the factors are called.
    """

    values: Int64[np.ndarray, "image factor"]
    names: tuple[str, ...]


@dataclass(frozen=True)
class PictureFile:
    """The file that a picture was read from.

    Attributes:
        path: where the file lies in the data set's folder, with ``/`` between folders.
        digest: 32 hexadecimal digits of the file's content.
    """

    path: str
    digest: str


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """One split of a data set.

    Attributes:
        images: pixels with values 0 to 255.
        labels: position of each image's label in `label_names`.
        label_names: names of the labels, the same for every split.
        factors: factors of variation of a set that was drawn by a program; None elsewhere.
        files: file of each image of a folder; empty for a named set.
    """

    images: UInt8[Tensor, "image channel height width"]
    labels: Int64[Tensor, " image"]
    label_names: tuple[str, ...]
    factors: Factors | None = None
    files: tuple[PictureFile, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def chosen(self, positions: Int[np.ndarray, " some"]) -> "LabelledImages":
        """Some of the images with all that is known of them, in the order given."""
        rows = torch.from_numpy(positions)
        factors = self.factors and replace(self.factors, values=self.factors.values[positions])
        files = tuple(self.files[position] for position in positions) if self.files else ()
        return LabelledImages(self.images[rows], self.labels[rows], self.label_names, factors, files)


def official_part(split: Split) -> Literal["train", "test"]:
    """The part that a set was published with from which a split is taken: validation is a share of training."""
    return "test" if split == "test" else "train"


def seeded_random() -> np.random.RandomState:
    """What shuffles before a split: NumPy keeps this generator's stream for ever (NEP 19)."""
    return np.random.RandomState(SPLIT_SEED)


def share_of(split: Split, items: list[int], *, one_in: int) -> list[int]:
    """The split's share of shuffled items: one in so many for test, as many for validation, the rest for train."""
    count = len(items) // one_in
    bounds = {"test": (0, count), "validation": (count, 2 * count), "train": (2 * count, len(items))}
    start, stop = bounds[split]
    return items[start:stop]
