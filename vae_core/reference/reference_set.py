"""The reference set: a model's held-out images as encodings, with their places on the maps.

No pictures are stored: they are decoded from the means when shown. Beside the encodings stand what belongs to the
model's latent space as a whole: the Gaussian mixture fitted to its codes, and its dimensions' names.
"""

import functools
import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from vae_core.errors import ConfigError, ModelError
from vae_core.latent.mixture import Mixture
from vae_core.latent.neighbours import NeighbourIndex
from vae_core.latent.ranges import slider_ranges
from vae_core.models.posterior import Posterior
from vae_core.projection.projections import NeighbourMap, PCAMap
from vae_core.reference.checks import NUMBER_PARTS, check_declared, check_values
from vae_core.reference.scores import SCORES, comparison_scale
from vae_core.reference.stored_arrays import DeclaredArray, read_arrays
from vae_core.runtime.formats import FORMAT, check_format
from vae_core.runtime.whole_files import written_whole

__all__ = ["Reference"]

# An EOFError is a cut-off file, a ValueError a pickle or a part that breaks a rule, a MemoryError a part without room,
# a RuntimeError an encrypted archive.
UNREADABLE = (OSError, EOFError, KeyError, MemoryError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error)
REFERENCE_FORMAT = 1
HALVED = ("means", "logvars")  # stored in half precision


@dataclass(frozen=True, eq=False)
class Reference:
    """Encodings of held-out images.

    Attributes:
        means: mu, float32 [image, latent].
        logvars: log sigma^2, float32 [image, latent]; minus infinity for a plain autoencoder.
        labels: Index into `label_names`, [image].
        label_names: Name of each class.
        umap_places: float32 [image, 2].
        pca_mean: [latent].
        pca_components: [2, latent].
        reconstruction: -log p(x|z) in nats of one posterior sample, [image].
        held_out: False for a training image that fills up a small set, [image].
        score_percentiles: The 0th to 100th percentile over the held-out images of each of `SCORES`, [score, 101].
        mixture_weights: Weights of the Gaussian mixture fitted to sampled codes of training images, [component].
        mixture_means: [component, latent].
        mixture_factors: Lower Cholesky factors of its covariances, [component, latent, latent].
        dimension_names: Known meaning of each dimension, [latent]; empty where none is known.
    """

    means: Float[np.ndarray, "n d"]
    logvars: Float[np.ndarray, "n d"]
    labels: Int[np.ndarray, " n"]
    label_names: tuple[str, ...]
    umap_places: Float[np.ndarray, "n 2"]
    pca_mean: Float[np.ndarray, " d"]
    pca_components: Float[np.ndarray, "2 d"]
    reconstruction: Float[np.ndarray, " n"]
    held_out: Bool[np.ndarray, " n"]
    score_percentiles: Float[np.ndarray, "s 101"]
    mixture_weights: Float[np.ndarray, " k"]
    mixture_means: Float[np.ndarray, "k d"]
    mixture_factors: Float[np.ndarray, "k d d"]
    dimension_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.means)

    @property
    def latent_dim(self) -> int:
        """Dimensions of the codes."""
        return int(self.means.shape[1])

    @property
    def is_variational(self) -> bool:
        """False for a plain autoencoder, whose posteriors are points."""
        return bool(np.isfinite(self.logvars).all())

    @functools.cached_property
    def neighbours(self) -> NeighbourIndex:
        """The means as a set in which nearest codes are looked for, in posterior deviations."""
        return NeighbourIndex(self.means, self.scale)

    @property
    def size(self) -> int:
        """Bytes of memory that the parts take."""
        return sum(np.asarray(getattr(self, field.name)).nbytes for field in fields(self))

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of all parts by name, with their shapes: the same for the same content, however it is stored."""
        digest = hashlib.sha256()
        for name in sorted(field.name for field in fields(self)):
            part = getattr(self, name)
            if isinstance(part, tuple):
                digest.update(json.dumps([name, part]).encode() + b"\n")
            else:
                plain = part.astype(part.dtype.newbyteorder("<"))  # the same on every machine
                digest.update(json.dumps([name, plain.dtype.str, plain.shape]).encode() + b"\n")
                digest.update(plain.tobytes())
        return digest.hexdigest()

    @functools.cached_property
    def umap_map(self) -> NeighbourMap:
        """The UMAP of the means."""
        return NeighbourMap(self.neighbours, self.umap_places)

    @functools.cached_property
    def scale(self) -> Float[np.ndarray, " d"]:
        """What a step along each dimension counts for where codes are compared; see `comparison_scale`."""
        return comparison_scale(self.logvars)

    @functools.cached_property
    def pca_map(self) -> PCAMap:
        """The plane of the two leading principal components of the means."""
        return PCAMap(self.pca_mean, self.pca_components)

    @functools.cached_property
    def importance(self) -> Float[np.ndarray, " d"]:
        """How much each dimension matters, [latent]: its mean KL in nats, or a plain autoencoder's variance."""
        posterior = Posterior(torch.from_numpy(self.means), torch.from_numpy(self.logvars))
        importance = posterior.kl().mean(dim=0) if self.is_variational else posterior.mean.var(dim=0, correction=0)
        return importance.numpy()

    @functools.cached_property
    def ranges(self) -> Float[np.ndarray, "d 2"]:
        """Lowest and highest slider value of each dimension, [latent, 2]."""
        return slider_ranges(self.means)

    @functools.cached_property
    def mixture(self) -> Mixture:
        """The density fitted to sampled codes."""
        return Mixture(self.mixture_weights, self.mixture_means, self.mixture_factors)

    def percentile(self, score: str, value: float) -> float:
        """The share of held-out images, in percent, whose score is at most `value`: 97 is worse than 97% of them.

        Args:
            score: One of `SCORES`.
            value: In its unit.
        """
        bounds = self.score_percentiles[SCORES.index(score)]
        return float(np.interp(value, bounds, np.arange(101)))

    def save(self, path: Path) -> None:
        """Write reference.npz; codes in half precision (see `build_reference`)."""
        arrays = {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}
        for name in HALVED:
            arrays[name] = arrays[name].astype(np.float16)
        arrays["labels"] = arrays["labels"].astype(np.uint8 if len(self.label_names) <= 256 else np.uint32)
        arrays[FORMAT] = np.array(REFERENCE_FORMAT)
        with written_whole(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Reference":
        """Read reference.npz.

        Raises:
            ModelError: The file is missing or damaged, lacks a part, its parts do not fit each other, one holds
                what cannot be shown or drawn from, or a newer version wrote it.
        """
        try:
            _check_format(path)
            names = [field.name for field in fields(cls)]
            arrays = read_arrays(path, names, lambda declared: check_declared(declared, scores=len(SCORES)))
            check_values(arrays)
        except UNREADABLE as error:
            raise ModelError(f"{path} is no reference set ({error}); run evaluate to build it again.") from error
        except ConfigError as error:
            raise ModelError(str(error)) from error
        numbers = {name: arrays[name].astype(np.float32, copy=False) for name in NUMBER_PARTS}
        texts = {name: tuple(arrays[name].tolist()) for name in ("label_names", "dimension_names")}
        parts: dict[str, Any] = {**arrays, **numbers, **texts, "labels": arrays["labels"].astype(np.int64)}
        return cls(**parts)


def _check_format(path: Path) -> None:
    """Let a file pass of this format, or of before there were numbers, which is the same."""
    found = read_arrays(path, (), _check_number, where_there=(FORMAT,)).get(FORMAT)
    check_format(None if found is None else found.item(), newest=REFERENCE_FORMAT, where=path)


def _check_number(declared: Mapping[str, DeclaredArray]) -> None:
    for array in declared.values():
        if array.shape or array.dtype.kind not in "iu":
            raise ValueError(f"{FORMAT} must be one whole number, got {array.dtype} {list(array.shape)}")
