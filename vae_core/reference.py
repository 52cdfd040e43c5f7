"""The reference set: a model's held-out images as encodings, with their places on the maps.

No pictures are stored: they are decoded from the means when shown.
"""

import functools
import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int

from vae_core.errors import InputError, ModelError
from vae_core.latent import slider_ranges
from vae_core.model import Posterior
from vae_core.projection import NeighbourMap, PCAMap, fit_pca, fit_umap

__all__ = ["REFERENCE_LIMIT", "REFERENCE_MINIMUM", "Reference", "build_reference"]

REFERENCE_LIMIT = 10_000  # images
REFERENCE_MINIMUM = 16  # images: each one and the 15 neighbours that the map is made of


@dataclass(frozen=True)
class Reference:
    """Encodings of held-out images.

    Attributes:
        means: mu, float32 [image, latent].
        logvars: log sigma^2, float32 [image, latent]; minus infinity for a plain autoencoder.
        labels: Index into `label_names`, [image].
        label_names: One for each class.
        umap_places: float32 [image, 2].
        pca_mean: [latent].
        pca_components: [2, latent].
        reconstruction: -log p(x|z) in nats of one posterior sample, [image].
    """

    means: Float[np.ndarray, "n d"]
    logvars: Float[np.ndarray, "n d"]
    labels: Int[np.ndarray, " n"]
    label_names: tuple[str, ...]
    umap_places: Float[np.ndarray, "n 2"]
    pca_mean: Float[np.ndarray, " d"]
    pca_components: Float[np.ndarray, "2 d"]
    reconstruction: Float[np.ndarray, " n"]

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
    def umap_map(self) -> NeighbourMap:
        """The UMAP of the means."""
        return NeighbourMap(self.means, self.umap_places)

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

    def save(self, path: Path) -> None:
        """Write reference.npz; log-variances in half precision, which changes a sigma by less than 0.4%."""
        arrays = {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}
        arrays["logvars"] = arrays["logvars"].astype(np.float16)
        arrays["labels"] = arrays["labels"].astype(np.uint8 if len(self.label_names) <= 256 else np.uint32)
        np.savez_compressed(path, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Reference":
        """Read reference.npz.

        Raises:
            ModelError: The file is missing or damaged, lacks a part, or its parts do not fit each other.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {field.name: stored[field.name] for field in fields(cls)}
            _check_shapes(arrays)
        # An EOFError is an empty file, a TypeError a single array saved under this name, a ValueError a pickle.
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelError(f"{path} is no reference set ({error}); run evaluate to build it again.") from error
        arrays["label_names"] = tuple(arrays["label_names"].tolist())
        arrays["logvars"] = arrays["logvars"].astype(np.float32)
        arrays["labels"] = arrays["labels"].astype(np.int64)
        return cls(**arrays)


def _check_shapes(arrays: dict[str, np.ndarray]) -> None:
    count, latent = arrays["means"].shape
    per_image = {"logvars": (latent,), "labels": (), "umap_places": (2,), "reconstruction": ()}
    shapes = {name: (count, *rest) for name, rest in per_image.items()}
    for name, shape in {**shapes, "pca_mean": (latent,), "pca_components": (2, latent)}.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} must be {list(shape)}, got {list(arrays[name].shape)}")


def build_reference(
    posterior: Posterior,
    reconstruction: Float[np.ndarray, " n"],
    labels: Int[np.ndarray, " n"],
    label_names: tuple[str, ...],
    *,
    seed: int,
) -> tuple[Reference, object]:
    """Fit the maps to the posterior means and keep everything together.

    Args:
        posterior: Of the held-out images.
        reconstruction: Nats, [image].
        labels: Index into `label_names`, [image].
        label_names: One for each class.
        seed: Of the UMAP.

    Returns:
        The reference set, and the fitted umap reducer for measuring how placements agree with it.

    Raises:
        InputError: There are fewer than `REFERENCE_MINIMUM` images.
    """
    if len(labels) < REFERENCE_MINIMUM:
        raise InputError(f"a reference set needs at least {REFERENCE_MINIMUM} held-out images, got {len(labels)}.")
    means = posterior.mean.numpy().astype(np.float32)
    places, reducer = fit_umap(means, seed=seed)
    pca = fit_pca(means)
    reference = Reference(
        means=means,
        logvars=posterior.logvar.numpy().astype(np.float32),
        labels=labels,
        label_names=label_names,
        umap_places=places,
        pca_mean=pca.mean,
        pca_components=pca.components,
        reconstruction=reconstruction.astype(np.float32),
    )
    return reference, reducer
