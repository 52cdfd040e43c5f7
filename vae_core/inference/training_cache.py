"""A model's training codes on disk, in the cache folder: one file for each state of a model."""

import re
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from vae_core.datasets.archives import ARCHIVE_DAMAGE
from vae_core.errors import ConfigError
from vae_core.reference.reference_set import Reference
from vae_core.runtime.locations import CACHE_VARIABLE, cache_folder
from vae_core.runtime.whole_files import written_whole
from vae_core.store.opening import StoredModel

__all__ = ["TrainingCodes", "cached_training", "store_training"]

CACHE_FOLDER = "training-codes"
STATES = 4  # of models of one name whose codes are kept: a model before it was trained anew, one of another folder

# What a file raises that is missing, cut off or of another kind; a ConfigError is that no folder is known.
NOT_READABLE = (*ARCHIVE_DAMAGE, ConfigError, KeyError)


@dataclass(frozen=True, eq=False)
class TrainingCodes:
    """The codes of the images that a model was made from.

    Attributes:
        codes: mu, rounded to half precision as a reference set's, float32 [image, latent].
        places: On the reference set's UMAP, float32 [image, 2].
        labels: Index into the reference set's `label_names`, [image].
        trained: False for an image of the validation part, by which weights were chosen, not fitted, [image].
    """

    codes: Float[np.ndarray, "n d"]
    places: Float[np.ndarray, "n 2"]
    labels: Int[np.ndarray, " n"]
    trained: Bool[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.codes)


def cached_training(loaded: StoredModel) -> TrainingCodes | None:
    """The stored codes of this state of the model; None where there are none, or none that can be read."""
    reference = loaded.need_reference()
    try:
        with _cache_file(loaded).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {field.name: stored[field.name] for field in fields(TrainingCodes)}
        _check(arrays, reference)
    except NOT_READABLE:
        return None
    return TrainingCodes(
        codes=arrays["codes"].astype(np.float32),
        places=arrays["places"],
        labels=arrays["labels"].astype(np.int64),
        trained=arrays["trained"],
    )


def _check(arrays: dict[str, np.ndarray], reference: Reference) -> None:
    """Let arrays pass that are whole and belong to a model with this reference set; a ValueError else."""
    count = len(arrays["codes"])
    wanted = {
        "codes": (np.float16, (count, reference.latent_dim)),
        "places": (np.float32, (count, 2)),
        "labels": (np.uint32, (count,)),
        "trained": (np.bool_, (count,)),
    }
    for name, (kind, shape) in wanted.items():
        if arrays[name].dtype != kind or arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} must be {kind.__name__} {list(shape)} and finite")
    if count == 0 or arrays["labels"].max() >= len(reference.label_names):
        raise ValueError("there must be codes, with labels that have names")


def store_training(loaded: StoredModel, codes: TrainingCodes) -> None:
    """Keep the codes in the cache folder; of models of its name only the last used stay.

    Raises:
        ConfigError: The folder cannot be written.
    """
    path = _cache_file(loaded)
    arrays = {field.name: getattr(codes, field.name) for field in fields(codes)}
    arrays |= {"codes": codes.codes.astype(np.float16), "labels": codes.labels.astype(np.uint32)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        for old in _by_age(path.parent, loaded.name)[STATES:]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{path.parent} cannot be written ({error.strerror}); set {CACHE_VARIABLE} to another folder."
        ) from error


def _cache_file(loaded: StoredModel) -> Path:
    return cache_folder() / CACHE_FOLDER / f"{loaded.name}-{loaded.digest}-{loaded.reference_digest}.npz"


def _by_age(folder: Path, name: str) -> list[Path]:
    """The files of models of that name, the newest first."""
    # The shorter names are those of version 0.1, which knew a model by its files' times.
    rule = re.compile(re.escape(name) + r"-([0-9a-f]{12}|[0-9a-f]{32}-[0-9a-f]{32})\.npz")
    own = [path for path in folder.iterdir() if rule.fullmatch(path.name)]
    return sorted(own, key=lambda path: path.stat().st_mtime_ns, reverse=True)
