"""Scores of reference images, and the scale by which codes are compared."""

import numpy as np
from jaxtyping import Bool, Float

from vae_core.latent.neighbours import NeighbourIndex
from vae_core.models.posterior import Posterior

__all__ = ["SCORES", "comparison_scale", "score_percentiles"]

# What a score's percentiles are of; all but the last in nats.
SCORES = ("reconstruction", "kl", "negative_elbo", "neighbour_distance")


def score_percentiles(
    posterior: Posterior, reconstruction: Float[np.ndarray, " n"], held_out: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, "s 101"]:
    """The 0th to 100th percentile of each of `SCORES` over the held-out images."""
    kl = np.zeros(len(held_out)) if posterior.logvar.isneginf().any() else posterior.kl().sum(dim=1).numpy()
    codes = posterior.mean.numpy()
    distance = NeighbourIndex(codes, comparison_scale(posterior.logvar.numpy())).mean_distance(codes, exclude=1)
    scores = np.stack([reconstruction, kl, reconstruction + kl, distance])[:, held_out]  # [score, image]
    percentiles: np.ndarray = np.percentile(scores, np.arange(101), axis=1).T.astype(np.float32)
    return percentiles


def comparison_scale(logvars: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " d"]:
    """One over each dimension's mean posterior deviation, [latent]; ones for a plain autoencoder.

    A VAE spends its precision where the picture depends on it: distances counted in posterior deviations follow
    what can be seen. Counted plainly, a hundred dimensions that hardly matter drown the few that do.

    Args:
        logvars: Log-variances of the reference set.
    """
    if not np.isfinite(logvars).all():
        return np.ones(logvars.shape[1], np.float32)
    scale: np.ndarray = 1 / np.exp(0.5 * logvars).mean(axis=0)
    return scale.astype(np.float32)
