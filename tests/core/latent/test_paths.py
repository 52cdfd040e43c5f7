"""Moves in latent space, each checked by its geometry."""

import numpy as np
import pytest

from vae_core.errors import InputError
from vae_core.latent.paths import interpolate, linear_path, spherical_path
from vae_core.latent.ranges import slider_ranges

FRAMES = 9
DIMENSIONS = 5


def code(seed: int, norm: float) -> np.ndarray:
    values = np.random.default_rng(seed).standard_normal(DIMENSIONS)
    return (norm * values / np.linalg.norm(values)).astype(np.float32)


def angles_between_frames(path: np.ndarray) -> np.ndarray:
    unit = path.astype(np.float64) / np.linalg.norm(path.astype(np.float64), axis=1, keepdims=True)
    return np.arccos(np.clip((unit[1:] * unit[:-1]).sum(axis=1), -1, 1))


@pytest.mark.parametrize("kind", ["linear", "spherical"])
@pytest.mark.parametrize("frames", [2, 3, FRAMES])
def test_a_path_starts_and_ends_at_its_ends(kind: str, frames: int) -> None:
    start, end = code(0, 2.0), code(1, 5.0)
    path = interpolate(start, end, frames=frames, kind=kind)  # type: ignore[arg-type]
    assert path.shape == (frames, DIMENSIONS)
    assert path.dtype == np.float32
    np.testing.assert_allclose(path[0], start, atol=1e-6)
    np.testing.assert_allclose(path[-1], end, atol=1e-6)


def test_the_linear_path_takes_equal_steps_on_a_straight_line() -> None:
    start, end = np.array([0.0, 1.0], np.float32), np.array([4.0, -1.0], np.float32)
    expected = [[0, 1], [1, 0.5], [2, 0], [3, -0.5], [4, -1]]
    np.testing.assert_allclose(linear_path(start, end, 5), expected, atol=1e-6)


def test_the_spherical_path_between_two_axes_is_a_quarter_of_a_circle() -> None:
    path = spherical_path(np.array([2.0, 0.0], np.float32), np.array([0.0, 2.0], np.float32), 4)
    turn = np.radians([0, 30, 60, 90])
    np.testing.assert_allclose(path, 2 * np.stack([np.cos(turn), np.sin(turn)], axis=1), atol=1e-6)


@pytest.mark.parametrize(("first", "last"), [(3.0, 3.0), (1.0, 4.0), (4.0, 0.1)])
@pytest.mark.parametrize("seeds", [(0, 1), (2, 3), (4, 5)])
def test_the_spherical_path_turns_by_equal_angles(seeds: tuple[int, int], first: float, last: float) -> None:
    angles = angles_between_frames(spherical_path(code(seeds[0], first), code(seeds[1], last), FRAMES))
    np.testing.assert_allclose(angles, angles.mean(), rtol=1e-3)


@pytest.mark.parametrize(("first", "last"), [(3.0, 3.0), (1.0, 4.0), (4.0, 0.1)])
@pytest.mark.parametrize("degrees", [10, 90, 120, 179])
def test_norms_on_the_spherical_path_stay_between_those_of_its_ends(degrees: float, first: float, last: float) -> None:
    turn = np.radians(degrees)
    end = last * np.array([np.cos(turn), np.sin(turn)], np.float32)
    path = spherical_path(np.array([first, 0.0], np.float32), end.astype(np.float32), FRAMES)
    norms = np.linalg.norm(path, axis=1)
    assert norms.min() >= min(first, last) - 1e-5
    assert norms.max() <= max(first, last) + 1e-5
    assert (np.diff(norms) * np.sign(last - first) >= -1e-5).all(), "it never turns back"


def test_the_straight_line_cuts_through_the_middle_where_the_arc_does_not() -> None:
    start, end = np.array([3.0, 0.0], np.float32), np.array([0.0, 3.0], np.float32)
    middle = FRAMES // 2
    assert np.linalg.norm(linear_path(start, end, FRAMES)[middle]) == pytest.approx(3 / 2**0.5)
    assert np.linalg.norm(spherical_path(start, end, FRAMES)[middle]) == pytest.approx(3.0)


START = code(0, 2.0)


@pytest.mark.parametrize(
    "end",
    [START, 2 * START, -START, -3 * START, START * np.float32(1 + 1e-6), np.zeros(DIMENSIONS, np.float32)],
    ids=["the same", "same direction", "opposite", "opposite and longer", "nearly the same", "the origin"],
)
def test_where_the_arc_is_undefined_the_spherical_path_is_the_straight_line(end: np.ndarray) -> None:
    for first, last in ((START, end), (end, START)):
        path = spherical_path(first, last, FRAMES)
        np.testing.assert_allclose(path, linear_path(first, last, FRAMES), atol=1e-5)
    assert np.isfinite(path).all()


def test_a_path_between_two_origins_stays_there() -> None:
    origin = np.zeros(DIMENSIONS, np.float32)
    assert (spherical_path(origin, origin, FRAMES) == 0).all()


def test_a_path_does_not_change_its_ends() -> None:
    start, end = code(0, 2.0), code(1, 5.0)
    copies = start.copy(), end.copy()
    for kind in ("linear", "spherical"):
        interpolate(start, end, frames=3, kind=kind)  # type: ignore[arg-type]
    assert (start == copies[0]).all()
    assert (end == copies[1]).all()


@pytest.mark.parametrize("frames", [1, 0, -3])
def test_a_path_of_fewer_than_two_frames_is_refused(frames: int) -> None:
    with pytest.raises(InputError, match=f"at least 2 frames, got {frames}"):
        interpolate(code(0, 1.0), code(1, 1.0), frames=frames, kind="linear")


def test_ends_of_different_size_are_refused() -> None:
    with pytest.raises(InputError, match=r"got \(5,\) and \(4,\)"):
        interpolate(code(0, 1.0), code(1, 1.0)[:4], frames=3, kind="spherical")


def test_a_slider_covers_the_prior_and_the_data() -> None:
    narrow = np.linspace(-1, 1, 1001)
    wide = np.linspace(-50, 100, 1001)
    right = np.linspace(2, 8, 1001)
    ranges = slider_ranges(np.stack([narrow, wide, right], axis=1).astype(np.float32))
    expected = [[-3, 3], [-50 + 0.15, 100 - 0.15], [-3, 8 - 0.006]]  # a thousandth cut off at each end
    np.testing.assert_allclose(ranges, expected, atol=1e-4)


def test_one_stray_code_does_not_stretch_a_slider() -> None:
    codes = np.zeros((10_000, 1), np.float32)
    codes[0] = 1e6
    assert slider_ranges(codes).tolist() == [[-3.0, 3.0]]
