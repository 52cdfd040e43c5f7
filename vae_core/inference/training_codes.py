"""The images that a model was trained on, as codes with their places on its map: 60,000 digits beside its references.

They are encoded in the background where the data set is on the machine, and kept in the cache folder, so that
it is done once for each state of a model.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool

from vae_core.datasets.availability import is_at_hand
from vae_core.datasets.fingerprint import Fingerprint, pixels_digest
from vae_core.datasets.labelled import LabelledImages, Split
from vae_core.datasets.registry import DATASETS, load_splits
from vae_core.errors import ConfigError, DatasetError, InputError, ModelError
from vae_core.inference.training_cache import TrainingCodes, cached_training, store_training
from vae_core.models.config import TrainingConfig
from vae_core.models.inputs import model_input
from vae_core.models.spec import ModelSpec
from vae_core.runtime.jobs import BackgroundJob
from vae_core.store.opening import StoredModel
from vae_core.store.training_record import seen_pictures

__all__ = [
    "TRAINING_LIMIT",
    "TrainingCodes",
    "TrainingCodesJob",
    "TrainingImages",
    "cached_training",
    "encode_training",
    "load_training_images",
    "prepare_training_codes",
    "store_training",
]

logger = logging.getLogger(__name__)

TRAINING_LIMIT = 60_000  # images: as many as MNIST's training file has; of more a seeded choice is taken
BATCH = 250  # images: 75 ms for mnist-16d, the most that a stop has to wait
CHOICE_SEED = 0
TRAINED_ON: tuple[Split, Split] = ("train", "validation")


@dataclass(frozen=True, eq=False)
class TrainingImages:
    """The images that a model was made from.

    Attributes:
        images: Those of the training part, then those of the validation part.
        trained: False for an image of the validation part, by which weights were chosen, not fitted, [image].
    """

    images: LabelledImages
    trained: Bool[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.trained)


def load_training_images(
    spec: ModelSpec, *, seen: Fingerprint | None = None, data_dir: Path | None = None
) -> TrainingImages:
    """The images of a model's training and validation parts, at most `TRAINING_LIMIT`, in the same order every time.

    Args:
        spec: The model's.
        seen: what the model says of the pictures that it was made from. Those of a folder are given only for a model
            that has seen these very ones: a model from elsewhere may name any.
        data_dir: Folder that may hold ``NAME.npz``; by default that in ``VAE_DATA_DIR``.

    Raises:
        DatasetError: The data set is not on this machine, is damaged, or is a folder with other pictures.
    """
    dataset = spec.dataset or ""
    if not is_at_hand(dataset, TRAINED_ON, data_dir=data_dir):
        name = "a model that does not say what it was trained on" if spec.dataset is None else repr(dataset)
        raise DatasetError(f"training images must be on this machine, got {name}; set VAE_DATA_DIR to their folder.")
    loaded = load_splits(
        dataset, TRAINED_ON, data_dir=data_dir, image_shape=spec.image_shape, preparation=spec.preparation
    )
    parts = [loaded[split] for split in TRAINED_ON]
    digests = [seen.digests.get(split) for split in TRAINED_ON] if seen is not None else []
    if dataset not in DATASETS and digests != [pixels_digest(part.images) for part in parts]:
        raise DatasetError(
            f"the pictures of {dataset!r} on this machine must be those that the model was trained on, got others; "
            "train it anew to see them."
        )
    first = len(parts[0])  # of the validation part
    rows = np.sort(np.random.default_rng(CHOICE_SEED).permutation(first + len(parts[1]))[:TRAINING_LIMIT])
    chosen = [torch.from_numpy(own) for own in (rows[rows < first], rows[rows >= first] - first)]
    images = torch.cat([part.images[own] for part, own in zip(parts, chosen, strict=True)])
    labels = torch.cat([part.labels[own] for part, own in zip(parts, chosen, strict=True)])
    return TrainingImages(LabelledImages(images, labels, parts[0].label_names), rows < first)


def encode_training(
    loaded: StoredModel,
    training: TrainingImages,
    *,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> TrainingCodes | None:
    """Encode images and place them on the model's map by the rule for uploads, `Reference.umap_map.project`.

    60,000 digits take about 20 s of one core with mnist-16d: 13 s for their codes, 6 s for their places.

    Args:
        loaded: The model, with a reference set.
        training: Its images.
        progress: Told after each batch how many images of how many are done.
        stop: Asked before each batch.

    Returns:
        The codes; None where `stop` said so.

    Raises:
        ModelError: The model has no reference set, or its configuration no training part.
        InputError: There are no images, or they have another shape than the model's.
    """
    reference, settings = loaded.need_reference(), _need_training(loaded)
    if len(training) == 0:
        raise InputError("at least 1 training image is encoded, got none; choose a data set that has some.")
    codes = np.empty((len(training), reference.latent_dim), np.float32)
    places = np.empty((len(training), 2), np.float32)
    for start in range(0, len(training), BATCH):
        if stop():
            return None
        rows = slice(start, min(start + BATCH, len(training)))
        images = model_input(training.images.images[rows], settings, seed=start)
        with torch.inference_mode():
            codes[rows] = loaded.network.encode(images).mean.half().float().numpy()
        places[rows] = reference.umap_map.project(codes[rows])
        if progress:
            progress(rows.stop, len(training))
    return TrainingCodes(codes, places, training.images.labels.numpy(), training.trained)


def _need_training(loaded: StoredModel) -> TrainingConfig:
    if loaded.training is None:
        raise ModelError(f"{loaded.name} does not say what it was trained on: its config.json has no training part.")
    return loaded.training


class TrainingCodesJob(BackgroundJob[TrainingCodes]):
    """Reads the stored codes, or else makes and stores them; see `prepare_training_codes`."""

    def __init__(self, loaded: StoredModel, data_dir: Path | None) -> None:
        super().__init__("training-codes")
        self._loaded = loaded
        self._data_dir = data_dir

    def _work(self) -> TrainingCodes | None:
        torch.get_num_threads()  # both as in `vae_core.runtime.lanes`: with one thread the other core stays free
        torch.set_num_threads(1)
        known = cached_training(self._loaded)
        if known is not None:
            return known
        self._say("starting", 0.0, "reading the training images")
        training = load_training_images(
            self._loaded.spec, seen=seen_pictures(self._loaded.folder), data_dir=self._data_dir
        )
        codes = encode_training(self._loaded, training, progress=self._pass_on, stop=self._stopping.is_set)
        if codes is not None:
            self._keep(codes)
        return codes

    def _pass_on(self, done: int, count: int) -> None:
        self._say("encoding", done / count, f"encoding training images: {done:,} of {count:,}")

    def _keep(self, codes: TrainingCodes) -> None:
        try:
            store_training(self._loaded, codes)
        except ConfigError as error:  # they are there all the same, and next time they are made again
            logger.warning("the training codes of %s are not kept: %s", self._loaded.name, error)


def prepare_training_codes(loaded: StoredModel, *, data_dir: Path | None = None) -> TrainingCodesJob:
    """A job, not started yet, that gets a model's training codes: from the cache folder or from its images.

    Args:
        loaded: The model.
        data_dir: As for `load_training_images`.

    Raises:
        ModelError: The model has no reference set, so no map.
    """
    loaded.need_reference()
    return TrainingCodesJob(loaded, data_dir)
