"""Maps: where codes land, the way back, and that company never moves a code."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

import vae_core
from vae_core.latent.neighbours import NeighbourIndex
from vae_core.projection.projections import PROJECTING_NEIGHBOURS, AxesMap, LatentMap, NeighbourMap, fit_pca
from vae_core.projection.umap_fit import fit_umap

REFERENCES = 600
BATCH = 500
LATENT = 7


def random_codes(count: int, latent: int = LATENT, *, seed: int = 0) -> np.ndarray:
    """Codes that spread most along the first dimensions."""
    spread = np.linspace(3, 0.5, latent)
    return (np.random.default_rng(seed).standard_normal((count, latent)) * spread).astype(np.float32)


REFERENCE_CODES = random_codes(REFERENCES)


NEIGHBOUR_MAP = NeighbourMap(NeighbourIndex(REFERENCE_CODES), random_codes(REFERENCES, 2, seed=1))
MAPS: dict[str, LatentMap] = {"axes": AxesMap(4, 2), "pca": fit_pca(REFERENCE_CODES), "neighbours": NEIGHBOUR_MAP}

over_all_maps = pytest.mark.parametrize("latent_map", MAPS.values(), ids=MAPS)


@over_all_maps
@pytest.mark.parametrize("codes", [random_codes(BATCH, seed=2), REFERENCE_CODES[:BATCH]], ids=["unseen", "reference"])
def test_a_code_s_place_is_the_same_alone_in_a_batch_and_in_any_order(latent_map: LatentMap, codes: np.ndarray) -> None:
    together = latent_map.project(codes)
    assert together.shape == (BATCH, 2)
    alone = np.concatenate([latent_map.project(code[None]) for code in codes])
    assert np.array_equal(together, alone)
    order = np.random.default_rng(3).permutation(BATCH)
    assert np.array_equal(latent_map.project(codes[order]), together[order])
    assert np.array_equal(latent_map.project(codes), together), "nor does it remember"


@over_all_maps
def test_placing_and_lifting_change_neither_argument(latent_map: LatentMap) -> None:
    codes, place = random_codes(3, seed=2), np.array([0.5, -0.5])
    before = codes.copy(), place.copy()
    latent_map.project(codes)
    latent_map.unproject(place, codes[0])[:] = 99
    assert np.array_equal(codes, before[0])
    assert np.array_equal(place, before[1])


@over_all_maps
def test_no_codes_have_no_places(latent_map: LatentMap) -> None:
    assert latent_map.project(np.empty((0, LATENT), np.float32)).shape == (0, 2)


# --- two raw dimensions --------------------------------------------------------------------------------------


def test_axes_place_by_the_two_dimensions_in_their_order() -> None:
    codes = np.array([[0, 1, 2, 3], [10, 11, 12, 13]], np.float32)
    assert AxesMap(3, 1).project(codes).tolist() == [[3, 1], [13, 11]]


def test_axes_lift_sets_the_two_dimensions_and_keeps_the_others() -> None:
    z = AxesMap(3, 1).unproject(np.array([30.0, 10.0]), np.array([0, 1, 2, 3], np.float32))
    assert z.tolist() == [0, 10, 2, 30]


def test_axes_are_exact_both_ways() -> None:
    axes, codes = AxesMap(5, 0), random_codes(50, seed=2)
    for code, place in zip(codes, axes.project(codes), strict=True):
        assert np.array_equal(axes.unproject(place, code), code)
        moved = axes.unproject(place + 1, code)
        assert np.array_equal(axes.project(moved[None])[0], place + 1)


def test_one_dimension_given_twice_is_a_line() -> None:
    line, codes = AxesMap(2, 2), np.array([[0, 1, 2, 3], [10, 11, 12, 13]], np.float32)
    assert line.project(codes).tolist() == [[2, 0], [12, 0]]
    assert line.unproject(np.array([20.0, 5.0]), codes[0]).tolist() == [0, 1, 20, 3]
    assert codes[:, 2].tolist() == [2, 12]


def test_a_model_of_one_dimension_is_a_line() -> None:
    code = np.array([0.5], np.float32)
    assert AxesMap(0, 0).project(code[None]).tolist() == [[0.5, 0]]
    assert AxesMap(0, 0).unproject(np.array([-1.0, 7.0]), code).tolist() == [-1]


# --- principal components ------------------------------------------------------------------------------------


def test_pca_agrees_with_scikit_learn() -> None:
    expected = PCA(n_components=2, svd_solver="full").fit(REFERENCE_CODES.astype(np.float64))
    pca = fit_pca(REFERENCE_CODES)
    signs = np.sign((pca.components * expected.components_).sum(axis=1))
    np.testing.assert_allclose(pca.components, expected.components_ * signs[:, None], atol=1e-4)
    codes = random_codes(50, seed=2)
    np.testing.assert_allclose(pca.project(codes), expected.transform(codes) * signs, atol=1e-3)
    for place in pca.project(codes):
        lifted = pca.unproject(place, codes[0])
        np.testing.assert_allclose(lifted, expected.inverse_transform((place * signs)[None])[0], atol=1e-3)


def test_pca_lifts_to_where_a_place_is_placed() -> None:
    pca = fit_pca(REFERENCE_CODES)
    for place in 3 * random_codes(20, 2, seed=4):
        lifted = pca.unproject(place, REFERENCE_CODES[0])
        np.testing.assert_allclose(pca.project(lifted[None])[0], place, atol=1e-4)


def test_what_pca_loses_is_at_right_angles_to_its_plane() -> None:
    pca, codes = fit_pca(REFERENCE_CODES), random_codes(20, seed=2)
    for code, place in zip(codes, pca.project(codes), strict=True):
        np.testing.assert_allclose(pca.components @ (code - pca.unproject(place, code)), 0, atol=1e-4)


def test_pca_components_have_a_sign_of_their_own() -> None:
    pca, flipped = fit_pca(REFERENCE_CODES), fit_pca(-REFERENCE_CODES)
    np.testing.assert_allclose(pca.components, flipped.components, atol=1e-5)
    assert (np.take_along_axis(pca.components, np.abs(pca.components).argmax(axis=1)[:, None], 1) > 0).all()
    assert np.array_equal(fit_pca(REFERENCE_CODES).components, pca.components)


def test_pca_of_one_dimension_has_a_second_axis_of_zeros() -> None:
    codes = random_codes(20, 1)
    pca = fit_pca(codes)
    np.testing.assert_allclose(
        pca.project(codes), np.stack([codes[:, 0] - codes.mean(), np.zeros(20)], axis=1), atol=1e-6
    )
    np.testing.assert_allclose(pca.unproject(pca.project(codes)[0], codes[1]), codes[0], atol=1e-6)


def test_pca_of_equal_codes_places_them_in_the_middle() -> None:
    codes = np.ones((5, 3), np.float32)
    assert fit_pca(codes).project(codes).tolist() == [[0, 0]] * 5


# --- nearest references --------------------------------------------------------------------------------------


def test_a_code_lands_on_the_median_of_its_nearest_references() -> None:
    for code in random_codes(20, seed=5):
        distances = np.linalg.norm(REFERENCE_CODES.astype(np.float64) - code, axis=1)
        nearest = np.argsort(distances)[:PROJECTING_NEIGHBOURS]
        xs, ys = (sorted(NEIGHBOUR_MAP.places[nearest, axis]) for axis in (0, 1))
        middle = PROJECTING_NEIGHBOURS // 2
        np.testing.assert_allclose(NEIGHBOUR_MAP.project(code[None])[0], [xs[middle], ys[middle]], rtol=1e-6)


def test_a_reference_code_lies_at_its_own_place() -> None:
    assert np.array_equal(NEIGHBOUR_MAP.project(REFERENCE_CODES), NEIGHBOUR_MAP.places)


def test_distances_are_told_apart_where_single_precision_cannot() -> None:
    codes = np.array([[1e4, 0.0], *[[0, index / 2**14] for index in range(PROJECTING_NEIGHBOURS + 1)]], np.float32)
    places = np.array([[index, 0] for index in range(len(codes))], np.float32)
    unseen = np.array([[1e4, 2.0]], np.float32)  # nearest: the first, then those of largest index
    assert NeighbourMap(NeighbourIndex(codes), places).project(unseen)[0, 0] == PROJECTING_NEIGHBOURS // 2 + 2


def test_where_the_map_is_the_latent_space_codes_land_near_themselves() -> None:
    side = np.arange(30, dtype=np.float32)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    unseen = np.random.default_rng(0).uniform(4, 25, (50, 2)).astype(np.float32)
    moved = np.abs(NeighbourMap(NeighbourIndex(grid), grid).project(unseen) - unseen)
    assert moved.max() <= 1.0  # the grid's spacing


def test_on_a_reference_point_lies_its_own_code() -> None:
    for index in range(0, REFERENCES, 7):
        lifted = NEIGHBOUR_MAP.unproject(NEIGHBOUR_MAP.places[index], REFERENCE_CODES[0])
        assert np.array_equal(lifted, REFERENCE_CODES[index])


def test_between_two_references_lies_their_blend_by_inverse_squared_distance() -> None:
    pair = NeighbourMap(NeighbourIndex(np.array([[0.0], [10.0]], np.float32)), np.array([[0, 0], [1, 0]], np.float32))
    middle, quarter = (pair.unproject(np.array([x, 0.0]), np.zeros(1, np.float32)) for x in (0.5, 0.25))
    assert middle.item() == pytest.approx(5)
    assert quarter.item() == pytest.approx(1)  # weights 1 / 0.25^2 = 16 and 1 / 0.75^2 = 16 / 9
    assert quarter.dtype == np.float32


def test_a_blend_changes_steadily_towards_a_reference() -> None:
    target = NEIGHBOUR_MAP.places[3].astype(np.float64)
    gaps = [
        np.linalg.norm(NEIGHBOUR_MAP.unproject(target + step, REFERENCE_CODES[0]) - REFERENCE_CODES[3])
        for step in (1e-3, 1e-5, 1e-12, 1e-200)
    ]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 1e-6


def test_a_place_far_outside_the_map_still_has_a_code() -> None:
    lifted = NEIGHBOUR_MAP.unproject(np.array([1e6, -1e6]), REFERENCE_CODES[0])
    assert np.isfinite(lifted).all()
    assert (lifted >= REFERENCE_CODES.min(axis=0)).all()
    assert (lifted <= REFERENCE_CODES.max(axis=0)).all()


@pytest.mark.parametrize("count", [1, 2, 5, 14, 15, 16])
def test_a_map_may_have_few_references(count: int) -> None:
    few = NeighbourMap(NeighbourIndex(REFERENCE_CODES[:count]), NEIGHBOUR_MAP.places[:count])
    assert few.project(REFERENCE_CODES[:3]).shape == (3, 2)
    assert few.unproject(np.array([0.1, 0.2]), REFERENCE_CODES[0]).shape == (LATENT,)


def test_references_on_the_same_place_do_not_break_the_lift() -> None:
    stacked = NeighbourMap(NeighbourIndex(REFERENCE_CODES[:8]), np.zeros((8, 2), np.float32))
    assert stacked.unproject(np.zeros(2), REFERENCE_CODES[0]).tolist() in REFERENCE_CODES[:8].tolist()
    np.testing.assert_allclose(
        stacked.unproject(np.ones(2), REFERENCE_CODES[0]).mean(), REFERENCE_CODES[:8].mean(), atol=2.0
    )


# --- umap ----------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
def test_umap_keeps_groups_apart_and_depends_on_the_seed_alone() -> None:
    codes = random_codes(60)
    codes[30:] += 40
    places, reducer = fit_umap(codes, seed=0)
    assert places.shape == (60, 2)
    assert places.dtype == np.float32
    within = max(np.ptp(group, axis=0).max() for group in (places[:30], places[30:]))
    between = np.linalg.norm(places[:30].mean(axis=0) - places[30:].mean(axis=0))
    assert between > within
    np.random.default_rng().random(5)
    assert np.array_equal(fit_umap(codes, seed=0)[0], places)
    assert not np.array_equal(fit_umap(codes, seed=1)[0], places)
    assert reducer.transform(codes[:1]).shape == (1, 2)  # type: ignore[attr-defined]


def test_nothing_a_page_needs_imports_umap() -> None:
    modules = (
        "inference.engine",
        "reference.path_statistics",
        "images.preparation",
        "datasets.registry",
        "store.stored_models",
        "training.trainer",
        "evaluation.report",
        "cli.main",
    )
    code = "import sys; " + "; ".join(f"import vae_core.{module}" for module in modules)
    code += "; print(sorted({name.partition('.')[0] for name in sys.modules} & {'umap', 'pynndescent', 'numba'}))"
    root = Path(vae_core.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_dimension_that_counts_more_decides_who_is_near() -> None:
    codes = np.array([[0, 0], [1, 0], [0, 0.5]], np.float32)
    unseen = np.array([[0.6, 0.45]], np.float32)
    plain, weighted = (NeighbourIndex(codes, np.array([1, scale], np.float32)) for scale in (1, 10))
    assert [each.nearest(unseen, 1)[0].item() for each in (plain, weighted)] == [1, 2]


def test_a_reference_code_lies_at_its_own_place_whatever_the_scale() -> None:
    scale = np.linspace(0.1, 30, REFERENCE_CODES.shape[1]).astype(np.float32)
    scaled = NeighbourMap(NeighbourIndex(REFERENCE_CODES, scale), NEIGHBOUR_MAP.places)
    assert np.array_equal(scaled.project(REFERENCE_CODES[:5]), scaled.places[:5])
