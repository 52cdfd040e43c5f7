"""The pictures that a reference set was encoded from, where the model's data set is on this machine.

Nothing is fetched for them. A folder's are shown only beside a model that has seen these very pictures: the folder may
have changed since, and a model from outside may name any. None is shown that the model does not encode to the code it
stands for.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from vae_core.datasets.availability import is_at_hand
from vae_core.datasets.fingerprint import pixels_digest
from vae_core.datasets.labelled import Split
from vae_core.datasets.own_sets import OwnSet, find_own_set
from vae_core.datasets.registry import DATASETS, load_dataset
from vae_core.errors import VAEExplorerError
from vae_core.images.preparation_options import Preparation
from vae_core.inference.engine import Engine
from vae_core.models.config import TrainingConfig
from vae_core.models.inputs import model_input
from vae_core.runtime.memo import Memo
from vae_core.store.opening import StoredModel
from vae_core.store.training_record import seen_pictures

__all__ = ["original_of"]

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


@dataclass(frozen=True)
class _Wanted:
    """Which pictures are wanted: the key under which they are kept.

    Attributes:
        dataset: Id of the data set.
        split: Part of it.
        image_shape: (channel, height, width) of one image.
        preparation: How pictures of a folder are prepared.
        limit: How many of them are chosen; None for all.
        binarised: Whether the model saw them binarised.
        own: Folder of the owner's; None for a named set.
        digest: Digest of a folder's pictures as the model saw them.
    """

    dataset: str
    split: Split
    image_shape: tuple[int, int, int]
    preparation: Preparation
    limit: int | None
    binarised: bool
    own: OwnSet | None
    digest: str


_parts: Memo[_Part | None] = Memo(PARTS)


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
    info = DATASETS.get(training.dataset) if training is not None else None
    if training is None or (info is not None and info.shows_people):  # as its model's card promises
        return None
    held_out = int(reference.held_out.sum())
    try:
        if index < held_out:
            row, part = index, _part_of(loaded, training, "test")
        else:  # a training image that fills the set up
            row, part = index - held_out, _part_of(loaded, training, "train", len(reference) - held_out)
    except (VAEExplorerError, OSError):  # missing, damaged or unreadable: there is nothing to show
        return None
    if part is None or row >= len(part.images) or not _is_code_of(engine, loaded, part.given[row], index):
        return None
    picture: np.ndarray = part.images[row].permute(1, 2, 0).numpy()
    return picture


def _part_of(loaded: StoredModel, training: TrainingConfig, split: Split, limit: int | None = None) -> _Part | None:
    if not is_at_hand(training.dataset, [split]):
        return None
    wanted = _Wanted(
        training.dataset,
        split,
        loaded.spec.image_shape,
        loaded.spec.preparation,
        limit=limit,
        binarised=training.binarise == "dynamic",
        own=find_own_set(training.dataset),
        digest=_digest_of(loaded, split),
    )
    return _parts.get(wanted, lambda: _load(wanted))


def _digest_of(loaded: StoredModel, split: Split) -> str:
    """What the model says of the pictures that it has seen of a split; empty where it says nothing."""
    seen = seen_pictures(loaded.folder)
    return seen.digests.get(split, "") if seen is not None else ""


def _load(wanted: _Wanted) -> _Part | None:
    """The pictures of a part; None of a folder of the owner's whose pictures are not those of the digest."""
    part = load_dataset(wanted.dataset, wanted.split, image_shape=wanted.image_shape, preparation=wanted.preparation)
    if wanted.own is not None and pixels_digest(part.images) != wanted.digest:
        return None
    if wanted.limit is not None:
        from vae_core.datasets.parts import chosen_images
        from vae_core.evaluation import report  # takes a second to import, and few sets are filled up

        part = chosen_images(part, wanted.limit, seed=report.SEED)
    if not wanted.binarised:
        return _Part(part.images, part.images)
    drawn = model_input(part.images, TrainingConfig(wanted.dataset, binarise="dynamic"))
    return _Part(part.images, drawn.mul(255).to(torch.uint8))


def _is_code_of(engine: Engine, loaded: StoredModel, given: UInt8[Tensor, "c h w"], index: int) -> bool:
    mean = engine.encode(loaded, given[None].float() / 255).mean[0].numpy()
    return np.allclose(mean, loaded.need_reference().means[index], rtol=TOLERANCE, atol=TOLERANCE)
