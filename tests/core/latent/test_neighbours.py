"""Nearest codes: always those of all distances sorted, however they are looked for, the lower index among equals."""

import threading

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from vae_core.latent.neighbours import CUE_NEIGHBOURS, FEW, NeighbourIndex, distances_between, smallest

MANY = FEW + 1  # codes that are looked for by scikit-learn's search


def cloud(count: int, latent: int = 6, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, latent)).astype(np.float32)


def sorted_distances(index: NeighbourIndex, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All of the set by distance, then by index."""
    distances = cdist(codes.astype(np.float64) * index.scale, index.codes.astype(np.float64) * index.scale)
    order = np.argsort(distances, axis=1, kind="stable")
    return order, np.take_along_axis(distances, order, axis=1)


@pytest.mark.parametrize("count", [1, 3, MANY, 250])
@pytest.mark.parametrize("latent", [1, 2, 6, 40])
def test_the_nearest_are_the_first_of_all_distances_sorted(count: int, latent: int):
    index = NeighbourIndex(cloud(300, latent), np.linspace(0.1, 5, latent, dtype=np.float32))
    codes = cloud(count, latent, seed=1)
    indices, distances = index.nearest(codes, 7)
    expected, lengths = sorted_distances(index, codes)
    np.testing.assert_array_equal(indices, expected[:, :7])
    np.testing.assert_allclose(distances, lengths[:, :7], rtol=1e-12)


@pytest.mark.parametrize("count", [1, MANY])
@pytest.mark.parametrize("latent", [2, 40])
def test_among_equals_the_lower_index_is_nearer(count: int, latent: int):
    codes = np.tile(cloud(10, latent), (30, 1))  # each of ten at 30 indices
    indices, distances = NeighbourIndex(codes).nearest(np.tile(codes[3], (count, 1)), 7)
    np.testing.assert_array_equal(indices, np.tile(3 + 10 * np.arange(7), (count, 1)))
    assert not distances.any()


def test_neighbours_that_lie_nearer_to_each_other_than_products_can_tell_are_told_apart():
    offsets = np.array([5, 1, 3, 2, 4]) * 1e-9
    index = NeighbourIndex(np.array([1e3, 0.0]) + offsets[:, None] * np.array([0.0, 1.0]))
    indices, _ = index.nearest(np.tile([[1e3, 0.0]], (MANY, 1)), 3)
    np.testing.assert_array_equal(indices, np.tile([1, 3, 2], (MANY, 1)))


@pytest.mark.parametrize("latent", [2, 40])
def test_a_code_of_the_set_is_at_distance_0_whatever_the_scale(latent: int):
    index = NeighbourIndex(cloud(200, latent), np.linspace(1e-3, 30, latent, dtype=np.float32))
    for codes in (index.codes[:3], index.codes):
        indices, distances = index.nearest(codes, 1)
        assert indices[:, 0].tolist() == list(range(len(codes)))
        assert not distances.any()


@pytest.mark.parametrize("count", [1, MANY])
def test_a_small_set_gives_all_that_it_has(count: int):
    indices, distances = NeighbourIndex(cloud(4)).nearest(cloud(count, seed=1), 15)
    assert indices.shape == distances.shape == (count, 4)
    assert (np.diff(distances) >= 0).all()


def test_no_codes_have_no_neighbours():
    indices, distances = NeighbourIndex(cloud(4)).nearest(cloud(0), 2)
    assert indices.shape == distances.shape == (0, 2)


def test_threads_that_come_first_together_are_all_answered_right():
    index, codes = NeighbourIndex(cloud(500)), cloud(MANY, seed=1)
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(index.nearest(codes, 5)[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = sorted_distances(index, codes)[0][:, :5]
    assert len(found) == 8
    assert all(np.array_equal(each, expected) for each in found)


def test_the_trust_cue_is_the_mean_distance_to_the_nearest_others():
    line = np.arange(17, dtype=np.float32)[:, None]  # the first one's neighbours lie at distances 1 to 15
    index = NeighbourIndex(line)
    assert CUE_NEIGHBOURS == 15
    assert index.mean_distance(line, exclude=1)[0] == pytest.approx(8)
    assert index.mean_distance(np.array([[-1.0]], np.float32))[0] == pytest.approx(8)  # 1 to 15 as well


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine", "correlation"])
def test_distances_are_scipys(metric: str):
    codes, others = cloud(3), cloud(5, seed=1)
    expected = cdist(codes.astype(np.float64), others.astype(np.float64), metric.replace("manhattan", "cityblock"))
    np.testing.assert_allclose(distances_between(codes, others, metric), expected, rtol=1e-12)


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_a_code_without_a_direction_is_half_way_from_all(metric: str):
    codes = np.concatenate([cloud(2), np.zeros((1, 6), np.float32)])
    distances = distances_between(codes, codes, metric)
    assert distances[2].tolist() == [1, 1, 1]
    assert distances.min() >= 0


def test_the_smallest_values_come_ascending_and_equals_by_their_column():
    values = np.array([[3.0, 1, 2, 1, 1], [0, 5, 0, 0, 0]])
    columns, found = smallest(values, 2)
    assert columns.tolist() == [[1, 3], [0, 2]]
    assert found.tolist() == [[1, 1], [0, 0]]
    assert smallest(values, 5)[0].tolist() == [[1, 3, 4, 2, 0], [0, 2, 3, 4, 1]]
