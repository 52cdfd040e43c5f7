"""A map turned, mirrored, shifted and scaled so that it resembles another of the same points."""

import numpy as np
from jaxtyping import Float
from scipy.linalg import orthogonal_procrustes

from vae_core.errors import InputError

__all__ = ["align", "check_places"]


def align(places: Float[np.ndarray, "n 2"], onto: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, "n 2"]:
    """Turn, mirror, shift and scale a map so that it resembles another one of the same points most.

    A UMAP's turn and side are arbitrary. Orthogonal Procrustes: Schönemann 1966, doi:10.1007/BF02289451. The scale is
    the one that gives both the same spread around their centres: that of the least squares would shrink a map the
    less it resembles the other.

    Args:
        places: Of the new map, [point, 2].
        onto: Of the old one, [point, 2].

    Returns:
        float32 [point, 2].

    Raises:
        InputError: The maps are not of equally many points, or a place is not finite.
    """
    check_places("old", onto, len(places))
    check_places("new", places, len(places))
    centre, target = places.mean(axis=0, dtype=np.float64), onto.mean(axis=0, dtype=np.float64)
    moved, fixed = places - centre, onto - target
    turn, _ = orthogonal_procrustes(moved, fixed)  # [2, 2]
    spread, wanted = np.linalg.norm(moved), np.linalg.norm(fixed)
    scale = wanted / spread if spread > 0 and wanted > 0 else 1.0
    aligned: np.ndarray = (scale * moved @ turn + target).astype(np.float32)
    return aligned


def check_places(name: str, places: Float[np.ndarray, "m 2"] | None, count: int) -> None:
    """Let places of `count` points pass, or None; `name` says in the message which places they are.

    Raises:
        InputError: The array has another shape, or a place is not finite.
    """
    if places is None:
        return
    if places.shape != (count, 2):
        raise InputError(f"the {name} places must be [{count}, 2], one a code, got {list(places.shape)}.")
    if not np.isfinite(places).all():
        raise InputError(f"the {name} places must be finite numbers, got NaN or infinity.")
