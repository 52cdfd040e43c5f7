"""A map turned, mirrored, shifted and scaled so that it resembles another of the same points."""

import numpy as np
from jaxtyping import Float
from scipy.linalg import orthogonal_procrustes

from vae_core.latent.codes import check_finite

__all__ = ["align"]


def align(places: Float[np.ndarray, "n 2"], onto: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, "n 2"]:
    """Turn, mirror, shift and scale a map so that it resembles another one of the same points most.

    A UMAP's turn and side are arbitrary. Orthogonal Procrustes: Schönemann 1966, doi:10.1007/BF02289451. The scale is
    the one that gives both the same spread around their centres: that of the least squares would shrink a map the
    less it resembles the other.

    Args:
        places: Places on the new map, [point, 2].
        onto: Places on the old map, [point, 2].

    Returns:
        float32 [point, 2].

    Raises:
        InputError: The maps are not of equally many points, or a place is not finite.
    """
    check_finite("the old places", onto, (len(places), 2))
    check_finite("the new places", places, (None, 2))
    centre, target = places.mean(axis=0, dtype=np.float64), onto.mean(axis=0, dtype=np.float64)
    moved, fixed = places - centre, onto - target
    turn, _ = orthogonal_procrustes(moved, fixed)  # [2, 2]
    spread, wanted = np.linalg.norm(moved), np.linalg.norm(fixed)
    scale = wanted / spread if spread > 0 and wanted > 0 else 1.0
    aligned: np.ndarray = (scale * moved @ turn + target).astype(np.float32)
    return aligned
