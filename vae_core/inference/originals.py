"""The pictures that a reference set was encoded from, where the model's data set is on this machine.

Nothing is fetched for them. None is shown that the model does not encode to the code it stands for: a folder may have
changed since, and a model from outside may name any.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from vae_core.datasets.archives import find_archive
from vae_core.datasets.idx import IdxSet
from vae_core.datasets.labelled import LabelledImages, Split
from vae_core.datasets.registry import DATASETS, load_dataset
from vae_core.errors import VAEExplorerError
from vae_core.images.preparation_options import Preparation
from vae_core.inference.engine import Engine
from vae_core.models.config import TrainingConfig
from vae_core.models.inputs import model_input
from vae_core.models.spec import ModelSpec
from vae_core.runtime.locations import cache_folder
from vae_core.store.opening import StoredModel

__all__ = ["is_at_hand", "original_of"]

PEOPLE = {"faces"}  # photographs of people: its model's card promises that the map shows none of them
PARTS = 4  # kept in memory, of 16 MB at most where the set is a named one
TOLERANCE = 0.01  # of a code, absolute and relative: twenty times what storing it in half precision moves it


@dataclass(frozen=True, eq=False)
class _Part:
    """The pictures of a part of a data set, in the order of the reference set.

    Attributes:
        images: As the set has them, [image, channel, height, width].
        given: As the model was given them, which differs where it saw binarised ones.
    """

    images: UInt8[Tensor, "n c h w"]
    given: UInt8[Tensor, "n c h w"]


def original_of(engine: Engine, loaded: StoredModel, index: int) -> UInt8[np.ndarray, "height width channel"] | None:
    """The picture that a reference code was encoded from; None where it is not at hand, or not to be shown.

    Args:
        engine: Encodes it, to see whether it is the one.
        loaded: The model.
        index: Of the reference image.

    Raises:
        BusyError: Too many requests wait.
    """
    reference, training = loaded.need_reference(), loaded.training
    if training is None or training.dataset in PEOPLE:
        return None
    held_out = int(reference.held_out.sum())
    try:
        if index < held_out:
            row, part = index, _part_of(loaded.spec, training, "test")
        else:  # a training image that fills the set up
            row, part = index - held_out, _part_of(loaded.spec, training, "train", len(reference) - held_out)
    except (VAEExplorerError, OSError):  # missing, damaged or unreadable: there is nothing to show
        return None
    if part is None or row >= len(part.images) or not _is_code_of(engine, loaded, part.given[row], index):
        return None
    picture: np.ndarray = part.images[row].permute(1, 2, 0).numpy()
    return picture


def is_at_hand(dataset: str, split: Split) -> bool:
    """Whether a part of a data set can be loaded without fetching anything; a set that can only be missing counts.

    Raises:
        DatasetError: The data folder asked for does not exist.
    """
    info = DATASETS.get(dataset)
    source = _published(info.load) if info is not None else None
    if source is None or find_archive(dataset, None) is not None:
        return True
    folder = cache_folder() / source.name
    start = "t10k" if split == "test" else "train"
    return all((folder / f"{file}.gz").is_file() for file in source.md5 if file.startswith(start))


def _published(load: Callable[..., LabelledImages]) -> IdxSet | None:
    """What a set is fetched from that is published as idx files; None for another."""
    given = load.args if isinstance(load, functools.partial) else ()
    return next((each for each in given if isinstance(each, IdxSet)), None)


def _part_of(spec: ModelSpec, training: TrainingConfig, split: Split, limit: int | None = None) -> _Part | None:
    if not is_at_hand(training.dataset, split):
        return None
    binarised = training.binarise == "dynamic"
    return _load(training.dataset, split, spec.image_shape, spec.preparation, limit=limit, binarised=binarised)


@functools.lru_cache(maxsize=PARTS)
def _load(
    dataset: str,
    split: Split,
    image_shape: tuple[int, int, int],
    preparation: Preparation,
    *,
    limit: int | None,
    binarised: bool,
) -> _Part:
    part = load_dataset(dataset, split, image_shape=image_shape, preparation=preparation)
    if limit is not None:
        from vae_core.datasets.parts import chosen_images
        from vae_core.evaluation import report  # takes a second to import, and few sets are filled up

        part = chosen_images(part, limit, seed=report.SEED)
    if not binarised:
        return _Part(part.images, part.images)
    drawn = model_input(part.images, TrainingConfig(dataset, binarise="dynamic"))
    return _Part(part.images, drawn.mul(255).to(torch.uint8))


def _is_code_of(engine: Engine, loaded: StoredModel, given: UInt8[Tensor, "c h w"], index: int) -> bool:
    mean = engine.encode(loaded, given[None].float() / 255).mean[0].numpy()
    return np.allclose(mean, loaded.need_reference().means[index], rtol=TOLERANCE, atol=TOLERANCE)
