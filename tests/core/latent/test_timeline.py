"""Timelines: frames between keyframes, what they are like, and grids between four codes."""

import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from tests.conftest import reference_of
from vae_core.errors import InputError
from vae_core.latent.graph import CodeGraph, build_graph
from vae_core.latent.neighbours import NeighbourIndex
from vae_core.latent.paths import Path, interpolate, spherical_path
from vae_core.latent.timeline import Easing, bilinear_grid, ease, trace
from vae_core.models.posterior import Posterior
from vae_core.reference.path_statistics import measure_along
from vae_core.reference.reference_set import Reference
from vae_core.reference.scores import score_percentiles

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
    timeline = trace(line(0, 2, 1), kind="linear", frames_per_leg=3)
    assert timeline.codes[:, 0].tolist() == [0, 1, 2, 1.5, 1]
    assert timeline.legs.tolist() == [0, 0, 1, 1, 1]
    assert timeline.keyframe_positions.tolist() == [0, 2, 4]


def test_a_loop_leads_back_without_repeating_a_frame() -> None:
    timeline = trace(line(0, 2, 1), kind="linear", frames_per_leg=3, loop=True)
    assert timeline.codes[:, 0].tolist() == [0, 1, 2, 1.5, 1, 0.5]
    assert timeline.legs.tolist() == [0, 0, 1, 1, 2, 2]
    assert timeline.keyframe_positions.tolist() == [0, 2, 4]


def test_with_two_frames_a_leg_there_are_only_keyframes() -> None:
    for loop in (False, True):
        timeline = trace(line(0, 2, 1), kind="linear", frames_per_leg=2, loop=loop)
        assert timeline.codes[:, 0].tolist() == [0, 2, 1]
    assert timeline.legs.tolist() == [0, 1, 2]


def test_easing_acts_within_each_leg() -> None:
    timeline = trace(line(0, 16, 32), kind="linear", frames_per_leg=5, easing="cubic")
    assert timeline.codes[:, 0].tolist() == [0, 1, 8, 15, 16, 17, 24, 31, 32]


@every_kind
@every_easing
@pytest.mark.parametrize("loop", [False, True])
def test_every_keyframe_is_hit_exactly_and_at_the_same_frame(
    kind: Path, easing: Easing, loop: bool, graph: CodeGraph
) -> None:
    keyframes = np.concatenate([cloud(3, seed=1), graph.codes[:2], graph.codes[1:2]])  # the last stays where it is
    timeline = trace(keyframes, kind=kind, frames_per_leg=13, easing=easing, graph=graph, loop=loop)
    assert timeline.codes.shape == ((72 if loop else 61), LATENT)
    assert timeline.codes.dtype == np.float32
    assert timeline.keyframe_positions.tolist() == [0, 12, 24, 36, 48, 60]
    assert np.array_equal(timeline.codes[timeline.keyframe_positions], keyframes)
    assert np.bincount(timeline.legs).tolist() == ([12] * 6 if loop else [12, 12, 12, 12, 13])


@every_kind
def test_two_keyframes_give_the_frames_of_one_path(kind: Path, graph: CodeGraph) -> None:
    ends = cloud(2, seed=1)
    timeline = trace(ends, kind=kind, frames_per_leg=31, graph=graph)
    np.testing.assert_allclose(timeline.codes, interpolate(*ends, frames=31, kind=kind, graph=graph), atol=1e-6)


def test_through_the_data_steps_are_even_by_the_graph_s_scale_unless_another_is_given(graph: CodeGraph) -> None:
    ends = graph.codes[:2]
    corners = graph.path(*ends)
    assert len(corners) > 3
    for scale in (None, np.array([9, 1, 1], np.float32)):
        codes = trace(ends, kind="data", frames_per_leg=200, graph=graph, scale=scale).codes
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
        trace(keyframes, kind=kind, frames_per_leg=5, graph=graph, loop=True).codes[:] = 0
    assert np.array_equal(keyframes, before)


@pytest.mark.parametrize("count", [0, 1, 65])
def test_too_few_and_too_many_keyframes_are_refused(count: int) -> None:
    with pytest.raises(InputError, match=f"2 to 64 keyframes, got {count}"):
        trace(cloud(count), kind="linear", frames_per_leg=5)


@pytest.mark.parametrize("frames", [-1, 0, 1, 241])
def test_too_few_and_too_many_frames_are_refused(frames: int) -> None:
    with pytest.raises(InputError, match=f"2 to 240 frames, got {frames}"):
        trace(cloud(2), kind="linear", frames_per_leg=frames)


@every_kind
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_keyframes_that_are_not_finite_are_refused(kind: Path, bad: float, graph: CodeGraph) -> None:
    keyframes = cloud(3)
    keyframes[1, 2] = bad
    with pytest.raises(InputError, match="finite"):
        trace(keyframes, kind=kind, frames_per_leg=5, graph=graph)


def test_a_path_through_the_data_needs_a_graph_that_fits(graph: CodeGraph) -> None:
    with pytest.raises(InputError, match="needs a graph"):
        trace(cloud(3), kind="data", frames_per_leg=5)
    with pytest.raises(InputError, match=r"an end of a path must be \[3\], got \[2\]"):
        trace(cloud(3, 2), kind="data", frames_per_leg=5, graph=graph)


# --- what the frames are like --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference() -> Reference:
    """101 held-out codes, so that each one's score is a percentile; deviations 0.5, 1 and 0.1."""
    means, logvars = cloud(101, seed=3), np.tile(2 * np.log(np.array([0.5, 1, 0.1], np.float32)), (101, 1))
    stored = reference_of(means, logvars, seed=0)
    posterior = Posterior(torch.from_numpy(stored.means), torch.from_numpy(stored.logvars))
    percentiles = score_percentiles(posterior, stored.reconstruction, stored.held_out)
    return replace(stored, score_percentiles=percentiles)


def test_norms_are_measured_and_said_what_they_should_be(reference: Reference) -> None:
    measured = measure_along(np.array([[0, 0, 0], [2, -1, 2]], np.float32), reference)
    assert measured.norm.tolist() == [0, 3]
    assert measured.expected_norm == pytest.approx(2 * math.sqrt(2 / math.pi))  # the Maxwell distribution's mean


@pytest.mark.parametrize(("latent", "expected"), [(1, math.sqrt(2 / math.pi)), (2, math.sqrt(math.pi / 2))])
def test_the_expected_norm_is_the_mean_of_the_chi_distribution(latent: int, expected: float) -> None:
    codes = cloud(20, latent)
    assert measure_along(codes, reference_of(codes, np.zeros_like(codes), seed=0)).expected_norm == pytest.approx(
        expected
    )


def test_in_many_dimensions_the_expected_norm_is_nearly_the_root_of_their_number() -> None:
    codes = cloud(20, 400)
    measured = measure_along(codes, reference_of(codes, np.zeros_like(codes), seed=0))
    assert measured.expected_norm == pytest.approx(20 * (1 - 1 / 1600), rel=1e-6)  # sqrt(d) (1 - 1 / 4d + ...)


def test_the_density_is_the_mixture_s_in_nats(reference: Reference) -> None:
    codes = cloud(7)
    components = [
        multivariate_normal(np.full(LATENT, mean), np.eye(LATENT) / 16).logpdf(codes) + math.log(weight)
        for mean, weight in ((-1, 0.25), (1, 0.75))
    ]
    assert measure_along(codes, reference).log_density == pytest.approx(logsumexp(components, axis=0), rel=1e-5)


def test_speed_and_distances_count_posterior_deviations(reference: Reference) -> None:
    start = reference.means[0]
    codes = start + np.array([[0, 0, 0], [0.001, 0, 0], [0.001, 0.001, 0], [0.001, 0.001, 0.001]], np.float32)
    measured = measure_along(codes, reference)
    assert measured.speed == pytest.approx([0.002, 0.001, 0.01], rel=1e-3)
    expected = [0, 0.002, math.hypot(0.002, 0.001), math.hypot(0.002, 0.001, 0.01)]
    assert measured.nearest == pytest.approx(expected, rel=1e-3)
    assert measured.nearest[0] == 0


def test_held_out_codes_have_the_percentiles_that_they_were_measured_with(reference: Reference) -> None:
    measured = measure_along(reference.means, reference)
    assert (measured.nearest == 0).all()
    assert np.sort(measured.percentile) == pytest.approx(np.arange(101), abs=0.01)
    order = measured.neighbour_distance.argsort()
    assert (np.diff(measured.percentile[order]) > 0).all(), "the farther, the more are nearer"


def test_an_unseen_code_s_percentile_is_that_of_its_trust_cue(reference: Reference) -> None:
    codes = np.concatenate([cloud(9, seed=8), np.full((1, LATENT), 50, np.float32)])
    measured = measure_along(codes, reference)
    expected = NeighbourIndex(reference.means, reference.scale).mean_distance(codes)
    assert measured.neighbour_distance == pytest.approx(expected, rel=1e-4)
    percentiles = [reference.percentile("neighbour_distance", float(each)) for each in expected]
    assert measured.percentile == pytest.approx(percentiles, abs=0.1)
    assert measured.percentile[-1] == 100
    assert (measured.neighbour_distance > measured.nearest).all()


def test_one_code_has_no_speed(reference: Reference) -> None:
    measured = measure_along(cloud(1), reference)
    assert measured.speed.shape == (0,)
    assert measured.percentile.shape == (1,)


def test_codes_that_do_not_fit_the_reference_are_refused(reference: Reference) -> None:
    with pytest.raises(InputError, match=r"\[at least 1, 3\], got \[5, 2\]"):
        measure_along(cloud(5, 2), reference)
    with pytest.raises(InputError, match=r"got \[0, 3\]"):
        measure_along(cloud(0), reference)
    with pytest.raises(InputError, match="finite"):
        measure_along(np.full((2, LATENT), np.nan, np.float32), reference)


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
