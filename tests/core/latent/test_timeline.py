"""Timelines: frames between keyframes, and grids between four codes."""

import math
from typing import get_args

import numpy as np
import pytest

from vae_core.errors import InputError
from vae_core.latent.graph import CodeGraph, build_graph
from vae_core.latent.paths import Path, interpolate, spherical_path
from vae_core.latent.timeline import Easing, animation_path, bilinear_grid, ease

KINDS, EASINGS = get_args(Path), get_args(Easing)
LATENT = 3

every_kind = pytest.mark.parametrize("kind", KINDS)
every_easing = pytest.mark.parametrize("easing", EASINGS)


def cloud(count: int, latent: int = LATENT, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, latent)).astype(np.float32)


def line(*places: float) -> np.ndarray:
    return np.array(places, np.float32)[:, None]


@pytest.fixture(scope="module")
def graph() -> CodeGraph:
    return build_graph(cloud(200, seed=5), np.array([1, 2, 5], np.float32))


# --- easing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("easing", "expected"),
    [
        ("linear", [0, 0.25, 0.5, 0.75, 1]),
        ("smooth", [0, (1 - math.sqrt(0.5)) / 2, 0.5, (1 + math.sqrt(0.5)) / 2, 1]),
        ("cubic", [0, 1 / 16, 0.5, 15 / 16, 1]),
    ],
)
def test_an_easing_has_the_values_worked_out_by_hand(easing: Easing, expected: list[float]) -> None:
    assert ease(np.linspace(0, 1, 5), easing) == pytest.approx(expected)


@every_easing
def test_an_easing_goes_from_0_to_1_never_back_and_alike_at_both_ends(easing: Easing) -> None:
    shares = ease(np.linspace(0, 1, 1001), easing)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert (np.diff(shares) > 0).all()
    assert shares[::-1] == pytest.approx(1 - shares)


# --- frames --------------------------------------------------------------------------------------------------


def test_frames_go_from_keyframe_to_keyframe() -> None:
    timeline = animation_path(line(0, 2, 1), kind="linear", frames_per_leg=3)
    assert timeline.codes[:, 0].tolist() == [0, 1, 2, 1.5, 1]
    assert timeline.legs.tolist() == [0, 0, 1, 1, 1]
    assert timeline.keyframe_positions.tolist() == [0, 2, 4]


def test_a_loop_leads_back_without_repeating_a_frame() -> None:
    timeline = animation_path(line(0, 2, 1), kind="linear", frames_per_leg=3, loop=True)
    assert timeline.codes[:, 0].tolist() == [0, 1, 2, 1.5, 1, 0.5]
    assert timeline.legs.tolist() == [0, 0, 1, 1, 2, 2]
    assert timeline.keyframe_positions.tolist() == [0, 2, 4]


def test_with_two_frames_a_leg_there_are_only_keyframes() -> None:
    for loop in (False, True):
        timeline = animation_path(line(0, 2, 1), kind="linear", frames_per_leg=2, loop=loop)
        assert timeline.codes[:, 0].tolist() == [0, 2, 1]
    assert timeline.legs.tolist() == [0, 1, 2]


def test_easing_acts_within_each_leg() -> None:
    timeline = animation_path(line(0, 16, 32), kind="linear", frames_per_leg=5, easing="cubic")
    assert timeline.codes[:, 0].tolist() == [0, 1, 8, 15, 16, 17, 24, 31, 32]


@every_kind
@every_easing
@pytest.mark.parametrize("loop", [False, True])
def test_every_keyframe_is_hit_exactly_and_at_the_same_frame(
    kind: Path, easing: Easing, loop: bool, graph: CodeGraph
) -> None:
    keyframes = np.concatenate([cloud(3, seed=1), graph.codes[:2], graph.codes[1:2]])  # the last stays where it is
    timeline = animation_path(keyframes, kind=kind, frames_per_leg=13, easing=easing, graph=graph, loop=loop)
    assert timeline.codes.shape == ((72 if loop else 61), LATENT)
    assert timeline.codes.dtype == np.float32
    assert timeline.keyframe_positions.tolist() == [0, 12, 24, 36, 48, 60]
    assert np.array_equal(timeline.codes[timeline.keyframe_positions], keyframes)
    assert np.bincount(timeline.legs).tolist() == ([12] * 6 if loop else [12, 12, 12, 12, 13])


@every_kind
def test_two_keyframes_give_the_frames_of_one_path(kind: Path, graph: CodeGraph) -> None:
    ends = cloud(2, seed=1)
    timeline = animation_path(ends, kind=kind, frames_per_leg=31, graph=graph)
    np.testing.assert_allclose(timeline.codes, interpolate(*ends, frames=31, kind=kind, graph=graph), atol=1e-6)


def test_through_the_data_steps_are_even_by_the_graph_s_scale_unless_another_is_given(graph: CodeGraph) -> None:
    ends = graph.codes[:2]
    corners = graph.path(*ends)
    assert len(corners) > 3
    for scale in (None, np.array([9, 1, 1], np.float32)):
        codes = animation_path(ends, kind="data", frames_per_leg=200, graph=graph, scale=scale).codes
        counts = graph.scale if scale is None else scale
        steps = np.linalg.norm(np.diff(codes * counts, axis=0), axis=1)
        whole = np.linalg.norm(np.diff(corners * counts, axis=0), axis=1).sum()
        is_even = np.isclose(steps, whole / 199, rtol=1e-3)
        assert is_even.sum() >= 199 - (len(corners) - 2), "all but those across a corner"
        assert (steps < whole / 199 * 1.001).all()


def test_keyframes_stay_as_they_are(graph: CodeGraph) -> None:
    keyframes = cloud(3, seed=1)
    before = keyframes.copy()
    for kind in KINDS:
        animation_path(keyframes, kind=kind, frames_per_leg=5, graph=graph, loop=True).codes[:] = 0
    assert np.array_equal(keyframes, before)


@pytest.mark.parametrize("count", [0, 1, 65])
def test_too_few_and_too_many_keyframes_are_refused(count: int) -> None:
    with pytest.raises(InputError, match=f"2 to 64 keyframes, got {count}"):
        animation_path(cloud(count), kind="linear", frames_per_leg=5)


@pytest.mark.parametrize("frames", [-1, 0, 1, 241])
def test_too_few_and_too_many_frames_are_refused(frames: int) -> None:
    with pytest.raises(InputError, match=f"2 to 240 frames, got {frames}"):
        animation_path(cloud(2), kind="linear", frames_per_leg=frames)


@every_kind
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_keyframes_that_are_not_finite_are_refused(kind: Path, bad: float, graph: CodeGraph) -> None:
    keyframes = cloud(3)
    keyframes[1, 2] = bad
    with pytest.raises(InputError, match="finite"):
        animation_path(keyframes, kind=kind, frames_per_leg=5, graph=graph)


def test_a_path_through_the_data_needs_a_graph_that_fits(graph: CodeGraph) -> None:
    with pytest.raises(InputError, match="needs a graph"):
        animation_path(cloud(3), kind="data", frames_per_leg=5)
    with pytest.raises(InputError, match=r"an end of a path must be \[3\], got \[2\]"):
        animation_path(cloud(3, 2), kind="data", frames_per_leg=5, graph=graph)


# --- grids ---------------------------------------------------------------------------------------------------


def test_a_grid_has_the_values_worked_out_by_hand() -> None:
    corners = np.array([[0, 0], [4, 0], [0, 2], [8, 6]], np.float32)
    expected = [[0, 0], [2, 0], [4, 0], [0, 1], [3, 2], [6, 3], [0, 2], [4, 4], [8, 6]]
    assert bilinear_grid(corners, 3, 3).tolist() == expected
    assert bilinear_grid(corners, 2, 3).tolist() == expected[:3] + expected[6:]


@pytest.mark.parametrize("spherical", [False, True])
@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (5, 3), (3, 8)])
def test_a_grid_hits_its_corners_exactly(rows: int, columns: int, spherical: bool) -> None:
    corners = cloud(4, 6)
    grid = bilinear_grid(corners, rows, columns, spherical=spherical)
    assert grid.shape == (rows * columns, 6)
    assert grid.dtype == np.float32
    assert np.array_equal(grid[[0, columns - 1, (rows - 1) * columns, rows * columns - 1]], corners)


def test_a_spherical_grid_is_made_of_arcs_between_arcs() -> None:
    corners = 2 * np.eye(4, dtype=np.float32)
    grid = bilinear_grid(corners, 5, 3, spherical=True).reshape(5, 3, 4)
    np.testing.assert_allclose(np.linalg.norm(grid, axis=2), 2, rtol=1e-5)
    left, right = spherical_path(corners[0], corners[2], 5), spherical_path(corners[1], corners[3], 5)
    np.testing.assert_allclose(grid[:, 0], left, atol=1e-6)
    np.testing.assert_allclose(grid[1], spherical_path(left[1], right[1], 3), atol=1e-6)
    np.testing.assert_allclose(grid[2, 1], [1, 1, 1, 1], atol=1e-6)
    np.testing.assert_allclose(bilinear_grid(corners, 5, 3).reshape(5, 3, 4)[2, 1], [0.5] * 4)


@pytest.mark.parametrize(("rows", "columns", "named"), [(1, 3, "rows, got 1"), (3, 65, "columns, got 65")])
def test_a_grid_of_too_few_or_too_many_codes_is_refused(rows: int, columns: int, named: str) -> None:
    with pytest.raises(InputError, match=f"2 to 64 {named}"):
        bilinear_grid(cloud(4), rows, columns)


def test_corners_that_are_not_finite_are_refused() -> None:
    with pytest.raises(InputError, match="finite"):
        bilinear_grid(np.full((4, 2), np.inf, np.float32), 3, 3)
