"""The three parts of a data set together, and a seeded choice of images of a part."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from vae_core.datasets.labelled import SPLITS, LabelledImages
from vae_core.datasets.registry import load_splits
from vae_core.images.preparation_options import Preparation

__all__ = ["Parts", "chosen_images", "chosen_rows", "load_parts"]


@dataclass(frozen=True, eq=False)
class Parts:
    """The three parts of a data set.

    Attributes:
        train: images that weights are fitted to.
        validation: images that weights are chosen by.
        test: images that weights are only measured on.
    """

    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages


def load_parts(
    dataset: str | Path, *, image_shape: tuple[int, int, int], preparation: Preparation, data_dir: Path | None = None
) -> Parts:
    """All three parts of a data set; arguments and errors are those of `load_dataset`."""
    parts = load_splits(dataset, SPLITS, data_dir=data_dir, image_shape=image_shape, preparation=preparation)
    return Parts(**parts)


def chosen_rows(count: int, limit: int, *, seed: int) -> Int[np.ndarray, " n"]:
    """A seeded choice of `limit` of `count` rows, ascending; all of them where there are no more."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:limit])


def chosen_images(part: LabelledImages, limit: int, *, seed: int) -> LabelledImages:
    """A seeded choice of `limit` images of a part, in the part's order; the part itself where there are no more."""
    return part if limit >= len(part) else part.chosen(chosen_rows(len(part), limit, seed=seed))
