"""Principal components: the directions along which rows of numbers vary most."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped
from scipy.sparse.linalg import LinearOperator, svds

__all__ = ["Components", "principal_components", "upright"]

EXACT_COLUMNS = 1_024  # up to which the covariance of all columns is decomposed
BLOCK = 2**18  # numbers of the rows that are floating-point at a time: 1 MB in single precision


class Components(NamedTuple):
    """Principal components of rows.

    Attributes:
        mean: Mean of the rows, float64 [column].
        axes: Unit vectors, that of the largest variance first and each `upright`, float64 [component, column].
        variances: Variance of the rows along each axis, with n in the denominator, float64 [component].
        total_variance: Variance of the rows along all axes together, with n in the denominator.
    """

    mean: Float[np.ndarray, " d"]
    axes: Float[np.ndarray, "k d"]
    variances: Float[np.ndarray, " k"]
    total_variance: float


def principal_components(rows: Shaped[np.ndarray, "n d"], count: int, *, seed: int = 0) -> Components:
    """The leading principal components of rows, of any kind of number.

    Rows of up to `EXACT_COLUMNS` are decomposed by their covariance. Of longer ones the singular vectors are found by
    ARPACK, to single precision, for which only a few rows at a time are floating-point numbers: bytes of pictures
    need no more memory than they have.

    Args:
        rows: At least one row, [row, column].
        count: Number of components; all there are where rows have fewer, long rows one fewer than there are rows.
        seed: Seed of the vector that ARPACK starts from: the same seed gives the same components.
    """
    mean = rows.mean(axis=0, dtype=np.float64)
    total = sum(float(np.square(block - mean).sum()) for block in _blocks(rows)) / len(rows)
    if rows.shape[1] <= EXACT_COLUMNS:
        axes, variances = _by_covariance(rows, mean)
    elif total == 0:
        axes, variances = np.eye(count, rows.shape[1]), np.zeros(count)
    else:
        axes, variances = _by_singular_vectors(rows, mean, min(count, *(side - 1 for side in rows.shape)), seed)
    return Components(mean, upright(axes[:count]), variances[:count], total)


def upright(axes: Float[np.ndarray, "k d"]) -> Float[np.ndarray, "k d"]:
    """Axes turned so that the largest entry of each is positive: a component's own sign is arbitrary."""
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    turned: np.ndarray = axes * np.where(largest < 0, -1, 1).astype(axes.dtype)
    return turned


def _blocks(rows: Shaped[np.ndarray, "n d"], kind: type = np.float64) -> Iterator[Float[np.ndarray, "m d"]]:
    """The rows in parts, as floating-point numbers of that kind."""
    step = max(1, BLOCK // rows.shape[1])
    for start in range(0, len(rows), step):
        yield rows[start : start + step].astype(kind)


def _by_covariance(
    rows: Shaped[np.ndarray, "n d"], mean: Float[np.ndarray, " d"]
) -> tuple[Float[np.ndarray, "d d"], Float[np.ndarray, " d"]]:
    """All axes and the variances along them, the largest first."""
    covariance = np.zeros((len(mean), len(mean)))
    for block in _blocks(rows):
        centred = block - mean
        covariance += centred.T @ centred / len(rows)
    variances, axes = np.linalg.eigh(covariance)
    return axes.T[::-1], variances[::-1].clip(min=0)


def _by_singular_vectors(
    rows: Shaped[np.ndarray, "n d"], mean: Float[np.ndarray, " d"], count: int, seed: int
) -> tuple[Float[np.ndarray, "k d"], Float[np.ndarray, " k"]]:
    """Some axes and the variances along them, the largest first."""
    single = mean.astype(np.float32)[:, None]  # [column, 1]

    def times(right: np.ndarray) -> np.ndarray:
        """The rows without their mean, [row, column], times [column, k]."""
        right = right.reshape(len(mean), -1).astype(np.float32)
        product: np.ndarray = np.concatenate([block @ right for block in _blocks(rows, np.float32)]) - single.T @ right
        return product

    def turned_times(right: np.ndarray) -> np.ndarray:
        """The same turned, [column, row], times [row, k]."""
        right = right.reshape(len(rows), -1).astype(np.float32)
        product: np.ndarray = -single * right.sum(axis=0)
        start = 0
        for block in _blocks(rows, np.float32):
            product += block.T @ right[start : start + len(block)]
            start += len(block)
        return product

    centred = LinearOperator(
        rows.shape, matvec=times, rmatvec=turned_times, matmat=times, rmatmat=turned_times, dtype=np.float32
    )
    start = np.random.default_rng(seed).standard_normal(min(rows.shape)).astype(np.float32)
    _, sizes, axes = svds(centred, count, v0=start, return_singular_vectors="vh")
    order = np.argsort(-sizes, kind="stable")
    return axes[order].astype(np.float64), np.square(sizes[order].astype(np.float64)) / len(rows)
