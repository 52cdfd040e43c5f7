"""Nearest codes: how far a code lies from those of a set."""

import numpy as np
from jaxtyping import Float

__all__ = ["neighbour_distance"]

NEIGHBOURS = 15  # the trust cue's, as many as the map is made of


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
