"""How densely points lie on a map, and the contours that hold given shares of them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter, map_coordinates

from vae_core.errors import InputError
from vae_core.latent.codes import check_finite

__all__ = ["SHARES", "DensityGrid", "density_grid", "point_levels"]

SHARES = (0.25, 0.5, 0.75, 0.9)  # of the points, inside each contour
REACH = 4.0  # bandwidths at which the kernel is cut off, and that the grid goes beyond the outermost points
MIN_SIZE, MAX_SIZE = 2, 2048  # nodes along a side
ROUNDING = 1e-9  # of a number of points that is a share of them

# Of Scott's bandwidth, which is best for one Gaussian and too wide for a map in clumps. At half of it unseen codes'
# places were likelier on every UMAP of the shipped models, by 0.1 to 0.5 nats a code, and on their PCA planes at most
# 0.06 less likely.
SCOTT_SHARE = 0.5


class DensityGrid(NamedTuple):
    """A density at the nodes of a grid.

    Attributes:
        x: Places of the columns, ascending, in the map's units, [size].
        y: Places of the rows, ascending, [size].
        density: Points' share a unit of area, [y, x]; its sum times the area of a cell is 1.
    """

    x: Float[np.ndarray, " w"]
    y: Float[np.ndarray, " h"]
    density: Float[np.ndarray, "h w"]


def density_grid(places: Float[np.ndarray, "n 2"], size: int = 128, bandwidth: float | None = None) -> DensityGrid:
    """The points' kernel density estimate with a Gaussian kernel, at the nodes of a grid that holds all of it.

    Binned, as Wand 1994 (doi:10.1080/10618600.1994.10474656) describes it: each point is shared out linearly among the
    four nodes around it, and the sums are convolved with the kernel. 70,000 points take some milliseconds.

    Args:
        places: On the map, [point, 2].
        size: Nodes along each side, 2 to 2048.
        bandwidth: The kernel's standard deviation in the map's units; below the distance of two nodes the grid is
            what smooths. By default half of Scott's rule (Scott 1992, "Multivariate Density Estimation", equation
            6.42), along each axis its own: standard deviation times n^(-1/6).

    Raises:
        InputError: There are no points, a place is not finite, the size is outside its range, or the bandwidth is not
            above 0 and finite.
    """
    _check(places, size, bandwidth)
    exact = places.astype(np.float64)
    widths = _bandwidths(exact) if bandwidth is None else np.full(2, float(bandwidth))  # [2]
    low, high = exact.min(axis=0) - REACH * widths, exact.max(axis=0) + REACH * widths
    steps = (high - low) / (size - 1)  # [2]
    counts = _shared_out((exact - low) / steps, size)  # [y, x]
    smooth = gaussian_filter(counts, (widths / steps)[::-1], mode="constant", truncate=REACH)
    x, y = (np.linspace(low[axis], high[axis], size) for axis in (0, 1))
    return DensityGrid(x, y, smooth / (smooth.sum() * steps.prod()))


def point_levels(
    grid: DensityGrid, places: Float[np.ndarray, "n 2"], shares: tuple[float, ...] = SHARES
) -> Float[np.ndarray, " k"]:
    """The densities above which given shares of the points lie, in the order of the shares.

    They bound the highest density regions of Hyndman 1996, doi:10.1080/00031305.1996.10473359, by his own estimate:
    quantiles of the density at the points. The region with half of the density's mass would hold more than half of
    them, since a kernel carries mass out of narrow clumps.

    Args:
        grid: Density from `density_grid`.
        places: Points within the grid, [point, 2].
        shares: Shares of the points, each above 0 and at most 1.

    Returns:
        [share]; the points of at least this density, between nodes interpolated, are at least the share.

    Raises:
        InputError: There are no points, one lies outside the grid, or a share is outside its range.
    """
    _check_shares(shares)
    low, high = (np.array([grid.x[end], grid.y[end]]) for end in (0, -1))  # [2]
    if len(places) == 0 or not ((low <= places) & (places <= high)).all():
        raise InputError(
            f"a share is of at least 1 point, all on the grid, got {len(places)} points; fit the grid to them."
        )
    positions = (places - low) / (high - low) * [len(grid.x) - 1, len(grid.y) - 1]  # in nodes, [point, 2]
    rising = np.sort(map_coordinates(grid.density, positions.T[::-1], order=1, mode="nearest"))
    outside = [int((1 - share) * len(places) + ROUNDING) for share in shares]
    levels: np.ndarray = rising[outside]
    return levels


def _check_shares(shares: tuple[float, ...]) -> None:
    if not all(0 < share <= 1 for share in shares):
        raise InputError(f"a share must be above 0 and at most 1, got {shares}; give them as fractions.")


def _check(places: Float[np.ndarray, "n 2"], size: int, bandwidth: float | None) -> None:
    check_finite("the points' places", places, (None, 2), fewest=1, remedy="leave such points out")
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise InputError(f"the grid's size must be {MIN_SIZE} to {MAX_SIZE}, got {size}; try 128.")
    if bandwidth is not None and not 0 < bandwidth < np.inf:
        raise InputError(f"the bandwidth must be above 0 and finite, got {bandwidth}; leave it out for Scott's rule.")


def _bandwidths(places: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " 2"]:
    """Half of Scott's rule along each axis; along one without spread that of the other, of a single point 1."""
    spread = places.std(axis=0)
    spread = np.where(spread > 0, spread, spread.max() if spread.max() > 0 else 1 / SCOTT_SHARE)
    widths: np.ndarray = SCOTT_SHARE * spread * len(places) ** (-1 / 6)
    return widths


def _shared_out(positions: Float[np.ndarray, "n 2"], size: int) -> Float[np.ndarray, "h w"]:
    """Points at these positions, in nodes from the first one, shared out linearly among the nodes around, [y, x]."""
    first = np.clip(positions.astype(np.intp), 0, size - 2)  # [point, 2]
    beyond = positions - first
    counts = np.zeros(size * size)
    for right in (0, 1):
        for above in (0, 1):
            weights = np.abs(1 - right - beyond[:, 0]) * np.abs(1 - above - beyond[:, 1])
            nodes = (first[:, 1] + above) * size + first[:, 0] + right
            counts += np.bincount(nodes, weights, size * size)
    return counts.reshape(size, size)
