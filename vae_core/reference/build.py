"""A reference set built from encodings: maps fitted, scores measured."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from vae_core.errors import InputError
from vae_core.latent.mixture import Mixture
from vae_core.models.posterior import Posterior
from vae_core.projection.projections import fit_pca
from vae_core.projection.umap_fit import fit_umap
from vae_core.reference.reference_set import Reference
from vae_core.reference.scores import comparison_scale, score_percentiles

__all__ = ["REFERENCE_LIMIT", "REFERENCE_MINIMUM", "Encoded", "build_reference", "check_enough"]

REFERENCE_LIMIT = 10_000  # images
REFERENCE_MINIMUM = 16  # images: each one and the 15 neighbours that the map is made of


@dataclass(frozen=True, eq=False)
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
