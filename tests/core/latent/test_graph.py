"""Paths through the data: the graph of codes, the ways through it, and even steps along them."""

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components, floyd_warshall
from scipy.spatial.distance import cdist

import vae_core
from vae_core.errors import InputError
from vae_core.latent.graph import CodeGraph, along, build_graph, locate
from vae_core.latent.paths import interpolate
from vae_core.reference.reference_set import Reference

SHIPPED = Path(vae_core.__file__).parents[1] / "pretrained"
RADIUS = 5.0
ON_RING = 120  # codes


def points(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32)


def line(*places: float) -> np.ndarray:
    return np.array(places, np.float32)[:, None]


def on_ring(degrees: np.ndarray | float) -> np.ndarray:
    turn = np.radians(degrees)
    return (RADIUS * np.stack([np.cos(turn), np.sin(turn)], axis=-1)).astype(np.float32)


def cloud(count: int, latent: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, latent)).astype(np.float32)


def graph_of(codes: np.ndarray, neighbours: int = 10, power: float = 2.0) -> CodeGraph:
    return build_graph(codes, np.ones(codes.shape[1], np.float32), neighbours, power=power)


def cost_of(waypoints: np.ndarray, power: float = 2.0) -> float:
    return float((np.linalg.norm(np.diff(waypoints.astype(np.float64), axis=0), axis=1) ** power).sum())


RING = graph_of(on_ring(np.arange(ON_RING) * 360 / ON_RING), 4)

# --- the graph -----------------------------------------------------------------------------------------------


def test_codes_are_joined_to_their_nearest_either_way_by_squared_distances() -> None:
    graph = graph_of(line(0, 1, 3, 7), neighbours=1)
    # 0 and 1 choose each other, 3 chooses 1, 7 chooses 3
    expected = [[0, 1, 0, 0], [1, 0, 4, 0], [0, 4, 0, 16], [0, 0, 16, 0]]
    assert graph.edges.toarray() == pytest.approx(np.array(expected, float))
    assert graph.bridges == 0


def test_codes_are_compared_by_their_scale() -> None:
    square = points((0, 0), (1, 0), (0, 1), (1, 1))
    wide = build_graph(square, np.array([3, 1], np.float32), 1)
    weights = wide.edges.toarray()
    assert weights[0, 2] == weights[1, 3] == 1, "the neighbour above is nearer than the one beside"
    assert weights.sum() == 2 * (1 + 1 + 9), "and the columns are joined by one bridge"
    assert wide.bridges == 1
    assert wide.distance_to_data(points((2, 0.5))) == pytest.approx([np.hypot(3 * 1, 0.5)])


def test_a_code_that_occurs_often_is_one_node_and_leaves_no_gap() -> None:
    graph = graph_of(np.concatenate([np.repeat(line(2), 30, axis=0), line(0, 1, 3)]), neighbours=2)
    assert graph.codes[:, 0].tolist() == [2, 0, 1, 3], "in the order in which they came"
    assert graph.bridges == 0
    assert graph.path(line(0)[0], line(3)[0])[:, 0].tolist() == [0, 1, 2, 3]


def test_codes_too_near_to_tell_apart_are_joined_all_the_same() -> None:
    codes = np.full((5, 20), 1000, np.float32)  # so far out that the search rounds the distances between them to 0
    codes[:, 0] = [1e-7, 2e-7, 3e-7, 4e-7, 1]
    graph = graph_of(codes, neighbours=2)
    assert len(graph.codes) == 5
    assert connected_components(graph.edges)[0] == 1
    assert np.array_equal(graph.path(codes[0], codes[4])[[0, -1]], codes[[0, 4]])


def test_two_clusters_are_joined_by_the_shortest_bridge() -> None:
    left, right = cloud(40, 3), cloud(50, 3, seed=1) + np.array([100, 0, 0], np.float32)
    graph = graph_of(np.concatenate([left, right]), neighbours=5)
    assert graph.bridges == 1
    across = graph.edges.toarray()[:40, 40:]
    distances = cdist(left, right)
    assert np.argwhere(across).tolist() == [list(np.unravel_index(distances.argmin(), distances.shape))]
    assert across.max() == pytest.approx(distances.min() ** 2)
    path = graph.path(left[0], right[0])
    hops = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert hops.max() == pytest.approx(distances.min())
    assert (hops > 50).sum() == 1


def test_pieces_in_a_row_are_bridged_one_to_the_next() -> None:
    graph = graph_of(line(0, 1, 10, 11, 30, 31, 60, 61), neighbours=1)
    assert graph.bridges == 3
    assert graph.path(line(0)[0], line(61)[0])[:, 0].tolist() == [0, 1, 10, 11, 30, 31, 60, 61]
    assert graph.edges.nnz == 2 * (4 + 3)


# --- ways through it -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("power", "over"), [(1.0, 2), (2.0, 3)])
def test_many_short_hops_are_cheaper_than_a_long_one(power: float, over: int) -> None:
    # straight on: 2, or squared 4; over the corner: 2 * sqrt(1.36) = 2.33, or squared 2.72
    graph = graph_of(points((0, 0), (1, 0.6), (2, 0)), neighbours=2, power=power)
    assert len(graph.path(graph.codes[0], graph.codes[2])) == over


@pytest.mark.parametrize("seed", range(5))
def test_a_path_is_the_cheapest_there_is(seed: int) -> None:
    codes, ends = cloud(30, 4, seed=seed), cloud(2, 4, seed=seed + 100)
    graph = graph_of(codes, neighbours=30)  # each to each
    for start, end in (codes[:2], ends, (codes[0], ends[0])):
        everything = np.concatenate([[start, end], codes]).astype(np.float64)
        cheapest = floyd_warshall(cdist(everything, everything, "sqeuclidean"))[0, 1]
        assert cost_of(graph.path(start, end)) == pytest.approx(cheapest, rel=1e-5)


def test_a_path_through_a_ring_stays_on_it_where_the_straight_one_crosses_the_middle() -> None:
    start, end = on_ring(0.0), on_ring(150.0)
    straight = RING.distance_to_data(interpolate(start, end, frames=61, kind="linear"))
    through = interpolate(start, end, frames=61, kind="data", graph=RING)
    spacing = 2 * RADIUS * np.sin(np.pi / ON_RING)  # 0.26
    assert straight.max() > RADIUS * (1 - np.cos(np.radians(75))) - spacing  # 3.4
    assert RING.distance_to_data(through).max() < spacing
    assert (through[:, 1] > -1e-5).all(), "the shorter way round"
    steps = np.linalg.norm(np.diff(through, axis=0), axis=1)
    assert steps == pytest.approx(np.full(60, RADIUS * np.radians(150) / 60), rel=0.01)


def test_a_path_starts_and_ends_exactly_at_its_ends() -> None:
    ends = on_ring(7.0), on_ring(100.0) * np.float32(1.2)  # neither is a node
    path = RING.path(*ends)
    assert path.dtype == np.float32
    assert np.array_equal(path[[0, -1]], ends)
    nodes = {tuple(code) for code in RING.codes.tolist()}
    assert {tuple(code) for code in path[1:-1].tolist()} < nodes
    assert not {tuple(end.tolist()) for end in ends} & nodes


def test_an_end_that_is_a_node_counts_once() -> None:
    graph = graph_of(line(0, 1, 2, 3), neighbours=1)
    assert graph.path(line(0)[0], line(3)[0])[:, 0].tolist() == [0, 1, 2, 3]
    assert graph.path(line(-1)[0], line(2)[0])[:, 0].tolist() == [-1, 0, 1, 2]


def test_a_path_to_itself_is_one_waypoint() -> None:
    for code in (on_ring(0.0), on_ring(1.0)):
        assert np.array_equal(RING.path(code, code), code[None])


def test_ends_nearer_to_each_other_than_to_the_data_make_no_detour() -> None:
    graph = graph_of(line(0, 1, 2, 3), neighbours=2)
    assert graph.path(line(1.25)[0], line(1.75)[0])[:, 0].tolist() == [1.25, 1.75]
    assert graph.path(line(1.25)[0], line(2.75)[0])[:, 0].tolist() == [1.25, 2, 2.75]


def test_the_way_back_is_the_same_way() -> None:
    start, end = on_ring(3.0), on_ring(111.0)
    np.testing.assert_allclose(RING.path(end, start), RING.path(start, end)[::-1])


def test_distance_to_data_is_that_to_the_nearest_code_and_nothing_on_it() -> None:
    graph = graph_of(cloud(50, 20))
    codes = np.concatenate([cloud(9, 20, seed=1), graph.codes[3:5]])
    distances = graph.distance_to_data(codes)
    assert distances == pytest.approx(cdist(codes, graph.codes).min(axis=1), abs=1e-6)
    assert distances[-2:].tolist() == [0, 0]


def test_on_a_shipped_model_paths_through_the_data_keep_nearer_to_it() -> None:
    reference = Reference.load(SHIPPED / "mnist-16d" / "reference.npz")
    graph = build_graph(reference.means[:3000], reference.scale)
    pairs = np.random.default_rng(0).choice(graph.codes, (20, 2), replace=False)  # [pair, end, latent]

    def farthest(kind: str) -> float:
        paths = [interpolate(*ends, frames=41, kind=kind, graph=graph) for ends in pairs]  # type: ignore[arg-type]
        return float(np.mean([graph.distance_to_data(path).max() for path in paths]))

    assert farthest("data") < 0.75 * min(farthest("linear"), farthest("spherical"))


# --- even steps ----------------------------------------------------------------------------------------------


def test_steps_are_even_along_the_lines_between_waypoints() -> None:
    waypoints, ones = points((0, 0), (3, 0), (3, 1)), np.ones(2, np.float32)
    assert along(waypoints, 5, ones).tolist() == [[0, 0], [1, 0], [2, 0], [3, 0], [3, 1]]
    assert along(waypoints, 3, ones).tolist() == [[0, 0], [2, 0], [3, 1]]


def test_steps_are_even_in_the_scaled_distance() -> None:
    waypoints = points((0, 0), (3, 0), (3, 1))
    doubled = along(waypoints, 6, np.array([1, 2], np.float32))  # 3 and 2 long
    np.testing.assert_allclose(doubled, [[0, 0], [1, 0], [2, 0], [3, 0], [3, 0.5], [3, 1]], atol=1e-6)


@pytest.mark.parametrize("frames", [2, 3, 100])
def test_the_first_and_last_waypoint_are_hit_exactly(frames: int) -> None:
    waypoints = cloud(7, 5)
    path = along(waypoints, frames, np.linspace(0.1, 20, 5, dtype=np.float32))
    assert path.shape == (frames, 5)
    assert path.dtype == np.float32
    assert np.array_equal(path[[0, -1]], waypoints[[0, -1]])


def test_waypoints_that_repeat_take_no_time() -> None:
    repeated = line(0, 0, 1, 1, 1, 2, 2)
    ones = np.ones(1, np.float32)
    np.testing.assert_allclose(along(repeated, 5, ones), line(0, 0.5, 1, 1.5, 2))
    assert along(line(4), 3, ones).tolist() == [[4], [4], [4]], "where there is no way, one stays"
    assert along(line(4, 4), 3, ones).tolist() == [[4], [4], [4]]


def test_a_place_is_found_by_its_share_of_the_way() -> None:
    places = locate(line(0, 1, 4), np.array([1.0, 0.5, 0.0, 0.125]), np.ones(1, np.float32))
    assert places[:, 0].tolist() == [4, 2, 0, 0.5]


def test_interpolation_through_the_data_is_the_graph_s_path_in_even_steps() -> None:
    start, end = on_ring(2.0), on_ring(95.0)
    expected = along(RING.path(start, end), 31, RING.scale)
    assert np.array_equal(interpolate(start, end, frames=31, kind="data", graph=RING), expected)


# --- what is refused -----------------------------------------------------------------------------------------


def test_a_path_through_the_data_without_a_graph_is_refused() -> None:
    with pytest.raises(InputError, match="needs a graph of reference codes, got none"):
        interpolate(on_ring(0.0), on_ring(9.0), frames=3, kind="data")


@pytest.mark.parametrize(
    ("codes", "scale", "neighbours", "power", "message"),
    [
        (line(1, 1, 1), [1], 3, 2.0, "at least 2 different codes, got 1"),
        (np.zeros((0, 1), np.float32), [1], 3, 2.0, "at least 2 different codes, got 0"),
        (line(1, np.nan), [1], 3, 2.0, "finite"),
        (line(1, 2), [np.inf], 3, 2.0, "finite"),
        (line(1, 2), [1, 1], 3, 2.0, r"the scale must be \[1\], got \[2\]"),
        (line(1, 2), [1], 0, 2.0, "neighbours must be at least 1, got 0"),
        (line(1, 2), [1], 3, 0.5, "power must be at least 1, got 0.5"),
    ],
)
def test_what_makes_no_graph_is_refused(
    codes: np.ndarray, scale: list[float], neighbours: int, power: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        build_graph(codes, np.array(scale, np.float32), neighbours, power=power)


def test_ends_that_do_not_fit_the_graph_are_refused() -> None:
    with pytest.raises(InputError, match=r"an end of a path must be \[2\], got \[3\]"):
        RING.path(np.zeros(3, np.float32), np.zeros(3, np.float32))
    for bad in (np.nan, np.inf):
        with pytest.raises(InputError, match="finite"):
            RING.path(on_ring(0.0), np.array([bad, 0], np.float32))


@pytest.mark.parametrize("frames", [1, 0, -3])
def test_fewer_than_two_frames_are_refused(frames: int) -> None:
    with pytest.raises(InputError, match=f"at least 2 frames, got {frames}"):
        along(line(0, 1), frames, np.ones(1, np.float32))
