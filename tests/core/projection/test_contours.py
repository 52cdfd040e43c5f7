"""Densities on a map: against sums of kernels and closed forms, and contours against counted points."""

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from vae_core.errors import InputError
from vae_core.projection.contours import REACH, SHARES, DensityGrid, density_grid, point_levels

SIGMA = np.array([2.0, 5.0])
CENTRE = np.array([30.0, -7.0])


def gaussian_points(count: int, *, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((count, 2)) * SIGMA + CENTRE).astype(np.float32)


def clumps(count: int) -> np.ndarray:
    """A wide clump with half of the points, and two narrow ones."""
    generator = np.random.default_rng(0)
    centres, widths = np.array([[0, 0], [8, 1], [3, 9]]), np.array([2.0, 0.5, 0.8])
    of = generator.choice(3, count, p=[0.5, 0.3, 0.2])
    return (centres[of] + widths[of, None] * generator.standard_normal((count, 2))).astype(np.float32)


def gaussian(x: np.ndarray, y: np.ndarray, centre: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """The density of an axis-parallel Gaussian at the nodes, [y, x]."""
    along_x = np.exp(-0.5 * np.square((x - centre[0]) / deviations[0]))
    along_y = np.exp(-0.5 * np.square((y - centre[1]) / deviations[1]))
    density: np.ndarray = along_y[:, None] * along_x / (2 * np.pi * deviations.prod())
    return density


def cell(grid: DensityGrid) -> float:
    return float((grid.x[1] - grid.x[0]) * (grid.y[1] - grid.y[0]))


# --- the density ---------------------------------------------------------------------------------------------


def test_a_single_point_s_density_is_the_kernel() -> None:
    point = np.array([[3, -2]], np.float32)
    x, y, density = density_grid(point, size=129, bandwidth=0.5)
    assert x[[0, 64, 128]] == pytest.approx([3 - REACH * 0.5, 3, 3 + REACH * 0.5])
    expected = gaussian(x, y, point[0], np.array([0.5, 0.5]))
    np.testing.assert_allclose(density, expected, atol=2e-4 * expected.max())


def test_a_density_is_the_sum_of_its_points_kernels() -> None:
    points = clumps(40)
    x, y, density = density_grid(points, size=256, bandwidth=0.9)
    kernels = [gaussian(x, y, point, np.array([0.9, 0.9])) for point in points]
    expected = np.mean(kernels, axis=0)
    np.testing.assert_allclose(density, expected, atol=3e-3 * expected.max())


def test_the_density_of_gaussian_points_is_the_gaussian_widened_by_the_kernel() -> None:
    points = gaussian_points(70_000)
    x, y, density = density_grid(points, bandwidth=0.8)
    expected = gaussian(x, y, CENTRE, np.sqrt(np.square(SIGMA) + 0.8**2))
    assert np.abs(density - expected).max() < 0.03 * expected.max()


@pytest.mark.parametrize("size", [2, 3, 17, 128])
@pytest.mark.parametrize("bandwidth", [None, 1e-6, 0.3, 50.0])
@pytest.mark.parametrize("count", [1, 2, 500])
def test_it_integrates_to_1_is_nowhere_negative_and_holds_all_points(
    size: int, bandwidth: float | None, count: int
) -> None:
    points = clumps(500)[:count]
    grid = density_grid(points, size=size, bandwidth=bandwidth)
    assert (len(grid.x), len(grid.y), grid.density.shape) == (size, size, (size, size))
    assert grid.density.sum() * cell(grid) == pytest.approx(1)
    assert grid.density.min() >= 0
    assert (grid.x[0] < points[:, 0]).all()
    assert (points[:, 1] < grid.y[-1]).all()


def test_sharing_points_out_keeps_their_mean() -> None:
    points = clumps(1_000)
    grid = density_grid(points, size=20)
    mean = [(grid.density.sum(axis=0) * grid.x).sum(), (grid.density.sum(axis=1) * grid.y).sum()]
    assert np.array(mean) * cell(grid) == pytest.approx(points.mean(axis=0, dtype=np.float64), abs=1e-3)


def test_rows_are_y_and_columns_are_x() -> None:
    three = np.array([[0, 0], [0, 0], [10, 1]], np.float32)
    x, y, density = density_grid(three, size=201, bandwidth=0.05)
    peak = np.unravel_index(density.argmax(), density.shape)
    assert (x[peak[1]], y[peak[0]]) == pytest.approx((0, 0), abs=0.06)
    side = density[:, x > 5]
    assert side.sum() / density.sum() == pytest.approx(1 / 3)
    assert y[side.sum(axis=1).argmax()] == pytest.approx(1, abs=0.01)


def test_the_bandwidth_is_half_of_scott_s_rule_along_each_axis() -> None:
    corners = np.array([[-1, -10], [1, -10], [-1, 10], [1, 10]], np.float32)
    points = np.tile(corners, (16, 1))  # 64 points of standard deviation 1 and 10; 64^(-1/6) is 1/2
    x, y, density = density_grid(points)
    assert x[[0, -1]] == pytest.approx([-1 - REACH / 4, 1 + REACH / 4])
    assert y[[0, -1]] == pytest.approx([-10 - 10 * REACH / 4, 10 + 10 * REACH / 4])
    kernels = [gaussian(x, y, corner, np.array([0.25, 2.5])) for corner in corners]
    np.testing.assert_allclose(density, np.mean(kernels, axis=0), atol=0.01 * density.max())


def test_points_on_a_line_or_all_in_one_place_have_a_density_too() -> None:
    line = np.stack([np.linspace(-1, 1, 64), np.zeros(64)], axis=1).astype(np.float32)
    width = line[:, 0].std() / 4
    assert density_grid(line).y[[0, -1]] == pytest.approx([-REACH * width, REACH * width], rel=1e-5)
    assert density_grid(np.full((64, 2), 7, np.float32)).x[[0, -1]] == pytest.approx([7 - REACH / 2, 7 + REACH / 2])


def test_the_places_stay_as_they_are() -> None:
    points = clumps(50)
    before = points.copy()
    density_grid(points)
    assert np.array_equal(points, before)


@pytest.mark.parametrize(
    ("count", "options", "message"),
    [
        (0, {}, r"at least 1, 2\], got \[0, 2\]"),
        (5, {"size": 1}, "2 to 2048, got 1"),
        (5, {"size": 2049}, "2 to 2048, got 2049"),
        (5, {"bandwidth": 0.0}, "above 0 and finite, got 0.0"),
        (5, {"bandwidth": -1.0}, "got -1.0"),
        (5, {"bandwidth": np.inf}, "got inf"),
        (5, {"bandwidth": np.nan}, "got nan"),
    ],
)
def test_what_gives_no_density_is_refused(count: int, options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        density_grid(clumps(5)[:count], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_places_must_be_finite(value: float) -> None:
    points = clumps(5)
    points[2, 1] = value
    with pytest.raises(InputError, match="places must be finite"):
        density_grid(points)


# --- contours ------------------------------------------------------------------------------------------------


def test_levels_at_the_points_are_those_of_the_densest_points() -> None:
    grid = DensityGrid(np.arange(4.0), np.arange(2.0), np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]]))
    places = np.array([[2, 0], [0.5, 0], [3, 0.5], [0, 1]], np.float32)  # of densities 3, 1.5, 6 and 5
    assert point_levels(grid, places, (0.2, 0.25, 0.5, 0.6, 1.0)).tolist() == [6, 6, 5, 3, 1.5]


def test_levels_of_a_gaussian_have_their_closed_form() -> None:
    points = (np.random.default_rng(0).standard_normal((200_000, 2)) * SIGMA).astype(np.float32)
    peak = 1 / (2 * np.pi * SIGMA.prod())
    # Outside the ellipse at r standard deviations lies exp(-r^2 / 2), and on it the density is that times its peak.
    expected = [(1 - share) * peak for share in SHARES]
    assert point_levels(density_grid(points), points) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("bandwidth", [None, 0.1, 3.0])
def test_a_contour_by_points_holds_its_share_of_them_whatever_the_kernel(bandwidth: float | None) -> None:
    points = clumps(2_000)
    grid = density_grid(points, bandwidth=bandwidth)
    at_points = RegularGridInterpolator((grid.y, grid.x), grid.density)(points[:, ::-1])
    for share, level in zip(SHARES, point_levels(grid, points), strict=True):
        assert (at_points >= level).mean() == pytest.approx(share, abs=0.001)


@pytest.mark.parametrize("places", [clumps(0), np.array([[100, 0]], np.float32), np.full((1, 2), np.nan, np.float32)])
def test_points_outside_the_grid_have_no_levels(places: np.ndarray) -> None:
    with pytest.raises(InputError, match="all on the grid"):
        point_levels(density_grid(clumps(50)), places)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, np.nan])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(InputError, match="above 0 and at most 1"):
        point_levels(density_grid(clumps(50)), clumps(50), (share,))
