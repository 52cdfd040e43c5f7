"""Principal components: numpy's singular vectors, of short rows and long ones, and in little memory."""

import tracemalloc

import numpy as np
import pytest

from vae_core.latent.components import EXACT_COLUMNS, principal_components, upright

SHORT, LONG = 60, EXACT_COLUMNS + 76
PART = 1e-4  # by which an axis of long rows may differ from numpy's, and a variance as a share


def rows_of(count: int, columns: int, *, seed: int = 0) -> np.ndarray:
    """Bytes that vary along five directions, the first most, with a little noise."""
    generator = np.random.default_rng(seed)
    axes = np.linalg.qr(generator.standard_normal((columns, 5)))[0].T
    sizes = np.array([40, 25, 15, 9, 5]) * np.sqrt(columns / 10)
    rows = 128 + (generator.standard_normal((count, 5)) * sizes) @ axes + generator.standard_normal((count, columns))
    return rows.clip(0, 255).astype(np.uint8)


def by_numpy(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Axes and variances by the full decomposition of all rows as numbers."""
    exact = rows.astype(np.float64)
    _, sizes, axes = np.linalg.svd(exact - exact.mean(axis=0), full_matrices=False)
    return upright(axes[:count]), np.square(sizes[:count]) / len(rows)


@pytest.mark.parametrize("count", [300, 40])
@pytest.mark.parametrize(("columns", "part"), [(SHORT, 1e-8), (LONG, PART)])
def test_components_are_numpys_singular_vectors(count: int, columns: int, part: float):
    rows = rows_of(count, columns)
    found = principal_components(rows, 5, seed=3)
    axes, variances = by_numpy(rows, 5)
    np.testing.assert_allclose(found.axes, axes, atol=part)
    np.testing.assert_allclose(found.variances, variances, rtol=part)
    np.testing.assert_allclose(found.mean, rows.mean(axis=0))
    assert found.total_variance == pytest.approx(rows.var(axis=0).sum())


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("columns", [SHORT, LONG])
def test_rows_of_any_kind_of_number_have_the_same_components(columns: int, kind: type):
    rows = rows_of(50, columns)
    expected, found = principal_components(rows, 3), principal_components(rows.astype(kind), 3)
    np.testing.assert_allclose(found.axes, expected.axes, atol=1e-6)
    np.testing.assert_allclose(found.variances, expected.variances, rtol=1e-6)


@pytest.mark.parametrize("columns", [SHORT, LONG])
def test_the_same_seed_gives_the_same_components_and_another_nearly(columns: int):
    rows = rows_of(120, columns)
    first, again, other = (principal_components(rows, 4, seed=seed) for seed in (0, 0, 2**63 - 1))
    np.testing.assert_array_equal(first.axes, again.axes)
    np.testing.assert_allclose(first.axes, other.axes, atol=PART)


@pytest.mark.parametrize("columns", [SHORT, LONG])
def test_axes_are_unit_vectors_at_right_angles_and_upright(columns: int):
    axes = principal_components(rows_of(120, columns), 5).axes
    np.testing.assert_allclose(axes @ axes.T, np.eye(5), atol=1e-5)
    assert (axes.max(axis=1) > -axes.min(axis=1)).all()


def test_an_axis_is_turned_so_that_its_largest_entry_is_positive():
    axes = np.array([[0.6, -0.8], [-0.6, 0.8], [0.0, 0.0]])
    assert upright(axes).tolist() == [[-0.6, 0.8], [-0.6, 0.8], [0, 0]]


@pytest.mark.parametrize(("count", "columns", "found"), [(4, 3, 3), (3, SHORT, 9), (3, LONG, 2), (2, LONG, 1)])
def test_no_more_components_are_given_than_there_can_be(count: int, columns: int, found: int):
    components = principal_components(np.random.default_rng(0).integers(0, 256, (count, columns), np.uint8), 9)
    assert components.axes.shape == (found, columns)
    assert components.variances.shape == (found,)
    assert (np.diff(components.variances) <= 0).all()


@pytest.mark.parametrize("columns", [SHORT, LONG])
@pytest.mark.parametrize("count", [1, 7])
def test_equal_rows_vary_along_no_axis(columns: int, count: int):
    rows = np.tile(rows_of(1, columns), (count, 1))
    components = principal_components(rows, 2)
    assert components.variances.tolist() == [0, 0]
    assert components.total_variance == 0
    np.testing.assert_allclose(components.axes @ components.axes.T, np.eye(2), atol=1e-12)


def test_rows_with_fewer_directions_than_asked_for_have_axes_of_no_variance():
    rows = np.tile(rows_of(3, LONG), (10, 1))
    components = principal_components(rows, 6)
    np.testing.assert_allclose(components.axes @ components.axes.T, np.eye(6), atol=1e-4)
    assert (components.variances[:2] > 1).all()
    assert components.variances[2:].max() < 1e-4 * components.variances[0]


@pytest.mark.parametrize(("count", "columns"), [(20_000, 600), (6_000, 2_000)])
def test_bytes_never_become_numbers_all_at_once(count: int, columns: int):
    rows = np.random.default_rng(0).integers(0, 256, (count, columns), np.uint8)
    tracemalloc.start()
    try:
        principal_components(rows, 2)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < rows.nbytes, "in single precision they would take four times as much as they are"
