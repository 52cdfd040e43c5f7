"""What the codes along a path are like, beside a model's reference set."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import poch

from vae_core.latent.codes import check_finite
from vae_core.latent.neighbours import neighbour_distance
from vae_core.reference.reference_set import Reference

__all__ = ["Along", "measure_along"]


@dataclass(frozen=True, eq=False)
class Along:
    """What the codes along a path are like.

    Attributes:
        norm: Euclidean norm of each code, [frame].
        expected_norm: Mean norm of draws from N(0, I): sqrt(2) Gamma((d + 1) / 2) / Gamma(d / 2), the mean of the chi
            distribution with d degrees of freedom (Johnson, Kotz and Balakrishnan 1994, chapter 18); near sqrt(d).
        log_density: Under the mixture fitted to the model's codes, in nats, [frame].
        nearest: Distance to the nearest reference code in posterior deviations, [frame].
        neighbour_distance: Mean distance to the nearest reference codes in posterior deviations, the trust cue's raw
            value. A reference code is not its own neighbour, as it was not where the percentiles were measured, so
            that a frame which is one stands out from the frames beside it. [frame]
        percentile: The share of held-out images, in percent, whose neighbour distance is at most this one's, [frame].
        speed: Distance from each frame to the next in posterior deviations, [frame - 1].
    """

    norm: Float[np.ndarray, " n"]
    expected_norm: float
    log_density: Float[np.ndarray, " n"]
    nearest: Float[np.ndarray, " n"]
    neighbour_distance: Float[np.ndarray, " n"]
    percentile: Float[np.ndarray, " n"]
    speed: Float[np.ndarray, " n-1"]


def measure_along(codes: Float[np.ndarray, "n d"], reference: Reference) -> Along:
    """What a model's reference set says of the codes along a path.

    Raises:
        InputError: There are no codes, or some that are not finite or of other dimensions than the reference set's.
    """
    check_finite("codes", codes, (None, reference.latent_dim), fewest=1)
    scaled, references = (each.astype(np.float64) * reference.scale for each in (codes, reference.means))
    nearest = _nearest_distance(references, scaled)
    distance = neighbour_distance(references, scaled)
    if (own := nearest == 0).any():  # a reference code is measured without itself
        distance[own] = neighbour_distance(references, scaled[own], own=1)
    latent = reference.latent_dim
    return Along(
        norm=np.linalg.norm(codes.astype(np.float64), axis=1),
        expected_norm=float(np.sqrt(2) * poch(latent / 2, 0.5)),  # poch(a, b) = Gamma(a + b) / Gamma(a)
        log_density=reference.mixture.log_prob(codes),
        nearest=nearest,
        neighbour_distance=distance,
        percentile=np.array([reference.percentile("neighbour_distance", float(each)) for each in distance]),
        speed=np.linalg.norm(np.diff(scaled, axis=0), axis=1),
    )


def _nearest_distance(references: Float[np.ndarray, "n d"], codes: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
    from sklearn.metrics import pairwise_distances_argmin  # takes a second, and only a measurement needs it

    nearest = pairwise_distances_argmin(codes, references)
    # From the differences themselves: the search rounds, and would not say 0 of a reference code.
    distances: np.ndarray = np.linalg.norm(codes - references[nearest], axis=1)
    return distances
