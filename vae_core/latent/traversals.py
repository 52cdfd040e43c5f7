"""Codes to decode side by side: rows in which one dimension moves, planes in which two directions do."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from vae_core.errors import InputError
from vae_core.latent.codes import check_finite

__all__ = ["axis_vector", "plane_codes", "traversal_codes"]


def traversal_codes(
    z: Float[np.ndarray, " d"], dimensions: Sequence[int], values: Float[np.ndarray, " steps"]
) -> Float[np.ndarray, "rows steps d"]:
    """For each dimension `z` with that dimension set to each value in turn, float32 [dimension, step, latent].

    Args:
        z: The code whose other dimensions stay as they are.
        dimensions: Dimensions that move, from 0; one row each, in this order.
        values: Values that each of the dimensions takes.

    Raises:
        InputError: There is no dimension or no value, a dimension is not one of z's, or a number is not finite.
    """
    check_finite("z", z)
    check_finite("values", values)
    for dimension in dimensions:
        _check_dimension(dimension, len(z))
    if not len(dimensions) or not len(values):
        raise InputError(
            f"a traversal needs at least 1 dimension and 1 value, got {len(dimensions)} and {len(values)}; add one."
        )
    codes = np.tile(z.astype(np.float32), (len(dimensions), len(values), 1))  # [dimension, step, latent]
    for row, dimension in enumerate(dimensions):
        codes[row, :, dimension] = values
    return codes


def plane_codes(
    z: Float[np.ndarray, " d"],
    first: Float[np.ndarray, " d"],
    second: Float[np.ndarray, " d"],
    first_amounts: Float[np.ndarray, " columns"],
    second_amounts: Float[np.ndarray, " rows"],
) -> Float[np.ndarray, "rows columns d"]:
    """`z + a first + b second` for each pair of amounts, laid out as on a map, float32 [row, column, latent].

    Columns go by `a` from left to right, rows by `b` from bottom to top: row 0 has the largest. For two raw
    dimensions to take the amounts as their values, give their `axis_vector`s and a z that is 0 in both.

    Args:
        z: Code where both amounts are 0.
        first: Direction to the right.
        second: Direction upwards.
        first_amounts: Steps along it, ascending.
        second_amounts: Steps along it, ascending.

    Raises:
        InputError: There are no amounts, they do not ascend, or a number is not finite.
    """
    check_finite("z", z)
    for direction in (first, second):
        check_finite("a direction", direction, z.shape)
    for amounts in (first_amounts, second_amounts):
        check_finite("amounts along a direction", amounts)
        if not len(amounts) or (np.diff(amounts) < 0).any():
            raise InputError(f"amounts along a direction must ascend, at least 1, got {amounts.tolist()}; sort them.")
    rightwards = first_amounts[:, None] * first.astype(np.float64)  # [column, latent]
    upwards = second_amounts[::-1, None] * second.astype(np.float64)  # [row, latent]
    codes: np.ndarray = z + upwards[:, None] + rightwards[None]
    return codes.astype(np.float32)


def axis_vector(dimension: int, latent_dim: int) -> Float[np.ndarray, " d"]:
    """The unit vector along a raw dimension, from 0, float32 [latent].

    Raises:
        InputError: The dimension is not one of the latent space's.
    """
    _check_dimension(dimension, latent_dim)
    axis: np.ndarray = np.eye(1, latent_dim, dimension, np.float32)[0]
    return axis


def _check_dimension(dimension: int, latent_dim: int) -> None:
    if not 0 <= dimension < latent_dim:
        raise InputError(f"a dimension must be from 0 to {latent_dim - 1} for this code, got {dimension}.")
