"""What the codes along a path are like, beside a model's reference set."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import poch

from vae_core.latent.codes import check_finite
from vae_core.latent.neighbours import CUE_NEIGHBOURS
from vae_core.reference.reference_set import Reference

__all__ = ["PathStatistics", "path_statistics"]


@dataclass(frozen=True, eq=False)
class PathStatistics:
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


def path_statistics(codes: Float[np.ndarray, "n d"], reference: Reference) -> PathStatistics:
    """What a model's reference set says of the codes along a path.

    Raises:
        InputError: There are no codes, or some that are not finite or of other dimensions than the reference set's.
    """
    check_finite("codes", codes, (None, reference.latent_dim), fewest=1)
    _, distances = reference.neighbours.nearest(codes, CUE_NEIGHBOURS + 1)  # [frame, neighbour]
    nearest = distances[:, 0]
    without_itself, of_nearest = distances[:, 1:].mean(axis=1), distances[:, :CUE_NEIGHBOURS].mean(axis=1)
    distance = np.where(nearest == 0, without_itself, of_nearest).astype(np.float32)
    steps = np.diff(reference.neighbours.scaled(codes), axis=0)
    latent = reference.latent_dim
    return PathStatistics(
        norm=np.linalg.norm(codes.astype(np.float64), axis=1),
        expected_norm=float(np.sqrt(2) * poch(latent / 2, 0.5)),  # poch(a, b) = Gamma(a + b) / Gamma(a)
        log_density=reference.mixture.log_prob(codes),
        nearest=nearest,
        neighbour_distance=distance,
        percentile=np.array([reference.percentile("neighbour_distance", float(each)) for each in distance]),
        speed=np.linalg.norm(steps, axis=1),
    )
