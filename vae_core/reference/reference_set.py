"""The reference set: a model's held-out images as encodings, with their places on the maps.

No pictures are stored: they are decoded from the means when shown. Beside the encodings stand what belongs to the
model's latent space as a whole: the Gaussian mixture fitted to its codes, and its dimensions' names.
"""

import functools
import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from vae_core.errors import InputError, ModelError
from vae_core.latent.mixture import Mixture
from vae_core.latent.paths import slider_ranges
from vae_core.models.posterior import Posterior
from vae_core.projection.projections import NeighbourMap, PCAMap, fit_pca, fit_umap
from vae_core.reference.checks import NUMBER_PARTS, check_parts

__all__ = [
    "REFERENCE_LIMIT",
    "REFERENCE_MINIMUM",
    "SCORES",
    "Encoded",
    "Reference",
    "build_reference",
    "check_enough",
    "comparison_scale",
    "neighbour_distance",
]

REFERENCE_LIMIT = 10_000  # images
REFERENCE_MINIMUM = 16  # images: each one and the 15 neighbours that the map is made of
NEIGHBOURS = 15  # the trust cue's, as many as the map is made of

# An EOFError is an empty file, a TypeError a single array saved under this name, a ValueError a pickle or a part that
# breaks a rule, a RuntimeError an archive that says it is encrypted or packed in a way of its own.
UNREADABLE = (OSError, EOFError, KeyError, RuntimeError, TypeError, ValueError, zipfile.BadZipFile, zlib.error)
HALVED = ("means", "logvars")  # stored in half precision

# What a score's percentiles are of; all but the last in nats.
SCORES = ("reconstruction", "kl", "negative_elbo", "neighbour_distance")


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
        held_out: False for a training image that fills up a small set, [image].
        score_percentiles: The 0th to 100th percentile over the held-out images of each of `SCORES`, [score, 101].
        mixture_weights: Of the Gaussian mixture fitted to sampled codes of training images, [component].
        mixture_means: [component, latent].
        mixture_factors: Lower Cholesky factors of its covariances, [component, latent, latent].
        dimension_names: What is known to be each dimension's meaning; empty where nothing is, [latent].
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
    def umap_map(self) -> NeighbourMap:
        """The UMAP of the means."""
        return NeighbourMap(self.means, self.umap_places, self.scale)

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
        np.savez_compressed(path, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Reference":
        """Read reference.npz.

        Raises:
            ModelError: The file is missing or damaged, lacks a part, its parts do not fit each other, or one holds
                what cannot be shown or drawn from.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {field.name: stored[field.name] for field in fields(cls)}
            check_parts(arrays, scores=len(SCORES))
        except UNREADABLE as error:
            raise ModelError(f"{path} is no reference set ({error}); run evaluate to build it again.") from error
        for name in ("label_names", "dimension_names"):
            arrays[name] = tuple(arrays[name].tolist())
        for name in NUMBER_PARTS:
            arrays[name] = arrays[name].astype(np.float32, copy=False)
        arrays["labels"] = arrays["labels"].astype(np.int64)
        return cls(**arrays)


@dataclass(frozen=True)
class Encoded:
    """Encodings of labelled images with their reconstruction term: what a reference set is built from.

    Attributes:
        posterior: Of each image.
        reconstruction: -log p(x|z) in nats of one posterior sample, [image].
        labels: Index into the label names, [image].
        held_out: False for a training image, [image].
    """

    posterior: Posterior
    reconstruction: Float[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"]
    held_out: Bool[np.ndarray, " n"]


def check_enough(held_out: int) -> None:
    """Let a number of held-out images pass that a reference set can be built from.

    Raises:
        InputError: There are fewer than `REFERENCE_MINIMUM`.
    """
    if held_out < REFERENCE_MINIMUM:
        raise InputError(f"a reference set needs at least {REFERENCE_MINIMUM} held-out images, got {held_out}.")


def build_reference(
    encoded: Encoded, label_names: tuple[str, ...], mixture: Mixture, dimension_names: tuple[str, ...], *, seed: int
) -> tuple[Reference, object]:
    """Fit the maps to the posterior means and keep everything together.

    Means and log-variances are rounded to half precision before anything is computed from them: a mean moves by
    less than 0.05%, a sigma by less than 0.4%, and the file takes half the room.

    Args:
        encoded: The images' encodings.
        label_names: One for each class.
        mixture: Fitted to sampled codes of training images.
        dimension_names: One for each dimension, empty where it has none.
        seed: Of the UMAP.

    Returns:
        The reference set, and the fitted umap reducer for measuring how placements agree with it.

    Raises:
        InputError: There are fewer than `REFERENCE_MINIMUM` held-out images.
    """
    check_enough(int(encoded.held_out.sum()))
    posterior = Posterior(encoded.posterior.mean.half().float(), encoded.posterior.logvar.half().float())
    means, logvars = posterior.mean.numpy(), posterior.logvar.numpy()
    places, reducer = fit_umap(means * comparison_scale(logvars), seed=seed)
    pca = fit_pca(means)
    reference = Reference(
        means=means,
        logvars=logvars,
        labels=encoded.labels,
        label_names=label_names,
        umap_places=places,
        pca_mean=pca.mean,
        pca_components=pca.components,
        reconstruction=encoded.reconstruction.astype(np.float32),
        held_out=encoded.held_out,
        score_percentiles=score_percentiles(posterior, encoded.reconstruction, encoded.held_out),
        mixture_weights=mixture.weights,
        mixture_means=mixture.means,
        mixture_factors=mixture.factors,
        dimension_names=dimension_names,
    )
    return reference, reducer


def score_percentiles(
    posterior: Posterior, reconstruction: Float[np.ndarray, " n"], held_out: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, "s 101"]:
    """The 0th to 100th percentile of each of `SCORES` over the held-out images."""
    kl = np.zeros(len(held_out)) if posterior.logvar.isneginf().any() else posterior.kl().sum(dim=1).numpy()
    compared = posterior.mean.numpy() * comparison_scale(posterior.logvar.numpy())
    distance = neighbour_distance(compared, compared, own=1)
    scores = np.stack([reconstruction, kl, reconstruction + kl, distance])[:, held_out]  # [score, image]
    percentiles: np.ndarray = np.percentile(scores, np.arange(101), axis=1).T.astype(np.float32)
    return percentiles


def comparison_scale(logvars: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " d"]:
    """One over each dimension's mean posterior deviation, [latent]; ones for a plain autoencoder.

    A VAE spends its precision where the picture depends on it: distances counted in posterior deviations follow
    what can be seen. Counted plainly, a hundred dimensions that hardly matter drown the few that do.

    Args:
        logvars: Of the reference set.
    """
    if not np.isfinite(logvars).all():
        return np.ones(logvars.shape[1], np.float32)
    scale: np.ndarray = 1 / np.exp(0.5 * logvars).mean(axis=0)
    return scale.astype(np.float32)


def neighbour_distance(
    references: Float[np.ndarray, "n d"], codes: Float[np.ndarray, "m d"], *, own: int = 0
) -> Float[np.ndarray, " m"]:
    """Mean distance of each code to its nearest references in latent space: the trust cue's raw value, [code].

    Args:
        references: Means of the reference set, scaled.
        codes: Means of other images, scaled alike.
        own: How many of a code's nearest references are the code itself.
    """
    from sklearn.neighbors import NearestNeighbors  # takes a second, and only a measurement needs it

    nearest = NearestNeighbors(n_neighbors=min(NEIGHBOURS + own, len(references))).fit(references)
    distances, _ = nearest.kneighbors(codes)
    mean: np.ndarray = distances[:, own:].mean(axis=1).astype(np.float32)
    return mean
