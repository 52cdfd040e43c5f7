"""Directions: what a step means and where it leads."""

import math
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

from tests.contracts import contract
from vae_core.errors import InputError
from vae_core.latent.codes import FLOAT32_MAX
from vae_core.latent.directions import (
    Direction,
    arithmetic,
    axis_direction,
    difference,
    orthogonalise,
    principal_directions,
)
from vae_core.projection.projections import fit_pca


def direction(*values: float, name: str = "d") -> Direction:
    return Direction(name, np.array(values, np.float32), "groups")


def random_codes(count: int, latent: int = 7, *, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    """Draws from N(0, I), moved by `shift` along the first dimension."""
    codes = np.random.default_rng(seed).standard_normal((count, latent), dtype=np.float32)
    codes[:, 0] += shift
    return codes


def random_direction(latent: int = 7, *, seed: int = 0) -> Direction:
    return direction(*random_codes(1, latent, seed=seed)[0])


# --- a direction ---------------------------------------------------------------------------------------------


def test_a_code_moves_by_as_many_steps_as_it_is_told() -> None:
    moved = direction(1, 0, -2).apply(np.array([10, 20, 30], np.float32), 1.5)
    assert moved.tolist() == [11.5, 20, 27]
    assert moved.dtype == np.float32


def test_many_codes_move_as_each_does_alone() -> None:
    codes, along = random_codes(20), random_direction(seed=1)
    together = along.apply(codes, -0.7)
    assert np.array_equal(together, np.stack([along.apply(code, -0.7) for code in codes]))


def test_no_step_moves_nothing_and_a_move_leaves_its_argument_alone() -> None:
    codes = random_codes(5)
    before = codes.copy()
    still = random_direction(seed=1).apply(codes, 0)
    assert np.array_equal(still, before)
    still[:] = 99
    assert np.array_equal(codes, before)


@pytest.mark.parametrize("amount", [-3.0, -0.25, 0.5, 2.0])
def test_the_place_along_a_direction_changes_by_the_steps_made(amount: float) -> None:
    codes, along = random_codes(20), random_direction(seed=1)
    np.testing.assert_allclose(along.project(along.apply(codes, amount)), along.project(codes) + amount, atol=1e-5)


def test_the_place_along_a_direction_is_that_of_least_squares() -> None:
    assert direction(3, 4).project(np.array([[3, 4], [-6, -8], [-4, 3], [1, 0]], np.float32)).tolist() == pytest.approx(
        [1, -2, 0, 3 / 25]
    )
    codes, along = random_codes(20), random_direction(seed=1)
    expected = np.linalg.lstsq(along.vector[:, None], codes.T, rcond=None)[0][0]
    np.testing.assert_allclose(along.project(codes), expected, atol=1e-5)


def test_overlaps_are_signed_cosines_with_the_axes() -> None:
    assert direction(3, 0, -4).overlaps().tolist() == pytest.approx([0.6, 0, -0.8])


@pytest.mark.parametrize("scale", [1e-40, 1e-20, 1, 1e20, 1e38])  # squares of the outer ones leave single precision
def test_squared_overlaps_sum_to_one(scale: float) -> None:
    overlaps = direction(*(np.arange(-2, 4) * scale)).overlaps()
    assert np.square(overlaps).sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(overlaps, np.arange(-2, 4) / math.sqrt(19), atol=1e-4)


def test_codes_of_other_dimensions_are_refused() -> None:
    with pytest.raises(InputError, match="'d' need the same number of dimensions, got 2 and 3"):
        direction(1, 0, 0).apply(np.zeros(2, np.float32), 1)
    with pytest.raises(InputError, match="got 4 and 3"):
        direction(1, 0, 0).project(np.zeros((5, 4), np.float32))


@pytest.mark.parametrize("amount", [math.nan, math.inf, 1e39])
def test_a_move_out_of_the_numbers_is_refused(amount: float) -> None:
    with pytest.raises(InputError, match="must be finite"):
        direction(1, 0).apply(np.zeros(2, np.float32), amount)


def test_a_place_out_of_the_numbers_is_refused() -> None:
    with pytest.raises(InputError, match="must be finite"):
        direction(1e-30, 0).project(np.full((1, 2), FLOAT32_MAX, np.float32))


@pytest.mark.parametrize("values", [(0, 0), (math.nan, 1), (math.inf, 1), ()])
def test_a_vector_that_leads_nowhere_is_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match=r"must be finite|must not be zero"):
        direction(*values)


@pytest.mark.parametrize("name", ["", "a\u200bb"])
def test_names_that_cannot_be_seen_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="a direction's name has"):
        direction(1, name=name)


def test_a_direction_stays_as_it_is_made() -> None:
    with pytest.raises(FrozenInstanceError):
        direction(1).name = "other"  # type: ignore[misc]


# --- what the page has formulas of its own for -----------------------------------------------------------------

FORMULAS = contract("directions")


@pytest.mark.parametrize("case", FORMULAS["apply"], ids=str)
def test_codes_move_as_on_the_page(case: dict[str, Any]) -> None:
    moved = direction(*case["vector"]).apply(np.array(case["z"], np.float32), case["steps"])
    np.testing.assert_allclose(moved, case["moved"], atol=1e-6)


@pytest.mark.parametrize("case", FORMULAS["project"], ids=str)
def test_steps_are_counted_as_on_the_page(case: dict[str, Any]) -> None:
    steps = direction(*case["vector"]).project(np.array([case["z"]], np.float32))
    np.testing.assert_allclose(steps, [case["steps"]], atol=1e-6)


@pytest.mark.parametrize("case", FORMULAS["overlaps"], ids=str)
def test_overlaps_are_those_of_the_page(case: dict[str, Any]) -> None:
    np.testing.assert_allclose(direction(*case["vector"]).overlaps(), case["cosines"], atol=1e-6)


@pytest.mark.parametrize("case", FORMULAS["arithmetic"], ids=str)
def test_arithmetic_is_that_of_the_page(case: dict[str, Any]) -> None:
    terms = (np.array(case[name], np.float32) for name in ("a", "b", "c"))
    np.testing.assert_allclose(arithmetic(*terms), case["result"], atol=1e-6)


# --- two groups ----------------------------------------------------------------------------------------------


def test_a_difference_leads_from_the_mean_of_a_to_that_of_b() -> None:
    a, b = np.array([[0, 0], [2, 4]], np.float32), np.array([[5, 1], [5, 3], [5, 5]], np.float32)
    made = difference("right", a, b)
    assert made.vector.tolist() == [4, 1]
    assert made.vector.dtype == np.float32
    assert (made.name, made.kind, made.separation) == ("right", "groups", None)
    assert made.apply(a.mean(axis=0), 1).tolist() == b.mean(axis=0).tolist()


def test_single_codes_may_stand_for_groups() -> None:
    assert difference("x", np.zeros((1, 2), np.float32), np.ones((1, 2), np.float32)).vector.tolist() == [1, 1]


def test_groups_that_give_no_direction_are_refused() -> None:
    codes = random_codes(6)
    with pytest.raises(InputError, match=r"group A must be \[at least 1, any\]"):
        difference("x", codes[:0], codes)
    with pytest.raises(InputError, match=r"group B must be \[at least 1, any\]"):
        difference("x", codes, codes[:0])
    with pytest.raises(InputError, match="both groups need the same number of dimensions, got 7 and 6"):
        difference("x", codes, codes[:, :6])
    with pytest.raises(InputError, match="group B must be finite, got nan"):
        difference("x", codes, np.full((2, 7), math.nan, np.float32))


@pytest.mark.parametrize("offset", [0, 1, 1e6])
def test_groups_whose_means_coincide_are_refused(offset: float) -> None:
    codes = np.random.default_rng(0).standard_normal((50, 7)) + offset
    assert (codes.mean(axis=0) != codes[::-1].mean(axis=0)).any(), "but for rounding"
    with pytest.raises(InputError, match="means that coincide"):
        difference("x", codes, codes[::-1])
    with pytest.raises(InputError, match="means that coincide"):
        difference("x", np.zeros((3, 2), np.float32), np.zeros((4, 2), np.float32))


def test_groups_at_the_ends_of_the_numbers_are_refused() -> None:
    ends = np.full((1, 2), FLOAT32_MAX, np.float32)
    with pytest.raises(InputError, match="must be finite"):
        difference("x", -ends, ends)


# --- principal components ------------------------------------------------------------------------------------

SPREAD = random_codes(300) * np.linspace(3, 0.5, 7, dtype=np.float32) + np.float32(2)


def test_principal_directions_agree_with_scikit_learn() -> None:
    expected = PCA(svd_solver="full").fit(SPREAD.astype(np.float64))
    components = principal_directions(SPREAD, 7)
    overlaps = np.stack([component.overlaps() for component in components])
    np.testing.assert_allclose(np.abs((overlaps * expected.components_).sum(axis=1)), 1, atol=1e-5)
    shares = [component.variance_share for component in components]
    np.testing.assert_allclose(shares, expected.explained_variance_ratio_, rtol=1e-5)
    assert sum(shares) == pytest.approx(1)
    assert [component.name for component in components[:2]] == ["component 1", "component 2"]
    assert {component.kind for component in components} == {"component"}


def test_a_step_along_a_principal_direction_is_one_standard_deviation_of_the_codes() -> None:
    for component in principal_directions(SPREAD, 7):
        assert component.project(SPREAD).std() == pytest.approx(1, rel=1e-4)


def test_components_of_counted_codes_lead_where_a_step_counts_most() -> None:
    counted = np.array([1, 1, 1, 1, 1, 1, 50], np.float32)  # the codes vary least along the last
    first, second = principal_directions(SPREAD, 2, scale=counted)
    assert np.abs(principal_directions(SPREAD, 1)[0].overlaps()).argmax() == 0
    assert np.abs(first.overlaps()).argmax() == 6
    assert first.project(SPREAD).std() == pytest.approx(1, rel=1e-4), "a step is a deviation of the codes themselves"
    upright = [each.vector * counted / np.linalg.norm(each.vector * counted) for each in (first, second)]
    assert upright[0] @ upright[1] == pytest.approx(0, abs=1e-5)
    expected = PCA(svd_solver="full").fit(SPREAD.astype(np.float64) * counted)
    assert first.variance_share == pytest.approx(expected.explained_variance_ratio_[0])


def test_a_step_by_hand() -> None:
    codes = np.array([[-2, 0], [2, 0], [0, 1], [0, -1]], np.float32)  # variances 8 / 4 and 2 / 4
    first, second = principal_directions(codes, 2)
    np.testing.assert_allclose(first.vector, [math.sqrt(2), 0], atol=1e-6)
    np.testing.assert_allclose(second.vector, [0, math.sqrt(0.5)], atol=1e-6)
    assert (first.variance_share, second.variance_share) == (pytest.approx(0.8), pytest.approx(0.2))


def test_principal_directions_have_the_map_s_signs() -> None:
    overlaps = [component.overlaps() for component in principal_directions(SPREAD, 2)]
    np.testing.assert_allclose(overlaps, fit_pca(SPREAD).components, atol=1e-5)
    for one, other in zip(principal_directions(SPREAD, 7), principal_directions(-SPREAD, 7), strict=True):
        np.testing.assert_allclose(one.vector, other.vector, atol=1e-4)
        assert one.vector[np.abs(one.vector).argmax()] > 0


@pytest.mark.parametrize("count", [0, -1, 3, 8])
def test_more_components_than_codes_vary_along_are_refused(count: int) -> None:
    plane = SPREAD.copy()
    plane[:, 2:] = 1000.1
    with pytest.raises(InputError, match=f"vary along 2 directions.*got {count}"):
        principal_directions(plane, count)
    assert len(principal_directions(plane, 2)) == 2


def test_codes_that_have_no_components_are_refused() -> None:
    with pytest.raises(InputError, match="vary along 0 directions"):
        principal_directions(np.full((5, 3), 0.1, np.float32), 1)
    with pytest.raises(InputError, match="at least 1, any"):
        principal_directions(np.empty((0, 3), np.float32), 1)
    with pytest.raises(InputError, match="must be finite, got inf"):
        principal_directions(np.full((5, 3), math.inf, np.float32), 1)


# --- axes ----------------------------------------------------------------------------------------------------


def test_an_axis_changes_its_dimension_alone() -> None:
    axis = axis_direction(1, 3)
    assert (axis.name, axis.kind, axis.separation) == ("z2", "axis", None)
    assert axis.apply(np.array([1, 2, 3], np.float32), -2.5).tolist() == [1, -0.5, 3]
    assert axis.overlaps().tolist() == [0, 1, 0]
    assert axis_direction(0, 3, "size").name == "size"


@pytest.mark.parametrize(("index", "latent_dim"), [(3, 3), (-1, 3), (0, 0)])
def test_an_axis_that_does_not_exist_is_refused(index: int, latent_dim: int) -> None:
    with pytest.raises(InputError, match=f"go from 0 to {latent_dim - 1}, got {index}"):
        axis_direction(index, latent_dim)


# --- arithmetic ----------------------------------------------------------------------------------------------


def test_arithmetic_by_hand() -> None:
    a, b, c = (np.array(code, np.float32) for code in ([1, 2], [10, 20], [100, 200]))
    assert arithmetic(a, b, c).tolist() == [91, 182]
    group = np.array([[0, 0], [2, 4]], np.float32)
    assert arithmetic(group, b, c).tolist() == [91, 182], "of a group the mean counts"
    assert arithmetic(a, b, c).dtype == np.float32


def test_arithmetic_of_a_group_with_itself_gives_the_third_mean() -> None:
    a, c = random_codes(5), random_codes(8, seed=1)
    np.testing.assert_allclose(arithmetic(a, a, c), c.mean(axis=0), atol=1e-6)


def test_arithmetic_is_a_step_from_c_along_the_difference_of_b_and_a() -> None:
    a, b, c = random_codes(5), random_codes(6, seed=1), random_codes(1, seed=2)[0]
    np.testing.assert_allclose(arithmetic(a, b, c), difference("b to a", b, a).apply(c, 1), atol=1e-6)


def test_terms_that_do_not_add_are_refused() -> None:
    code = np.ones(3, np.float32)
    with pytest.raises(InputError, match="A and B need the same number of dimensions, got 3 and 2"):
        arithmetic(code, code[:2], code)
    with pytest.raises(InputError, match="A and C need the same number of dimensions, got 3 and 2"):
        arithmetic(code, code, code[:2])
    with pytest.raises(InputError, match="needs a code for each"):
        arithmetic(code, np.empty((0, 3), np.float32), code)
    with pytest.raises(InputError, match="must be finite"):
        arithmetic(code, code * np.float32(math.nan), code)


# --- without the part along others ---------------------------------------------------------------------------


def test_what_is_left_by_hand() -> None:
    rest = orthogonalise(direction(3, 4, 5), [direction(0, 2, 0)])
    assert rest.vector.tolist() == pytest.approx([3, 0, 5])
    rest = orthogonalise(direction(1, 0), [direction(1, 1)])
    assert rest.vector.tolist() == pytest.approx([0.5, -0.5])


def test_moving_along_what_is_left_changes_no_place_along_the_others() -> None:
    others = [random_direction(seed=seed) for seed in (1, 2, 3)]  # not at right angles to each other
    smile, codes = random_direction(seed=4), random_codes(10)
    rest = orthogonalise(smile, others, name="smile alone")
    assert (rest.name, rest.kind) == ("smile alone", "groups")
    for other in others:
        assert np.abs(other.project(smile.apply(codes, 3)) - other.project(codes)).min() > 1e-3
        np.testing.assert_allclose(other.project(rest.apply(codes, 3)), other.project(codes), atol=1e-5)
    np.testing.assert_allclose(orthogonalise(rest, others).vector, rest.vector, atol=1e-6)
    removed = smile.vector - rest.vector
    assert removed @ rest.vector == pytest.approx(0, abs=1e-5)


def test_the_same_direction_twice_counts_once() -> None:
    age, smile = random_direction(seed=1), random_direction(seed=2)
    twice = orthogonalise(smile, [age, direction(*(age.vector * np.float32(-1.7)))])
    np.testing.assert_allclose(twice.vector, orthogonalise(smile, [age]).vector, atol=1e-5)


def test_what_is_left_has_no_separation_and_no_share_of_its_own() -> None:
    smile = difference("smile", random_codes(20), random_codes(20, seed=1, shift=2))
    assert smile.separation is not None
    rest = orthogonalise(smile, [axis_direction(1, 7)])
    assert (rest.name, rest.separation) == ("smile", None)
    component = principal_directions(SPREAD, 1)[0]
    assert orthogonalise(component, [axis_direction(1, 7)]).variance_share is None
    assert orthogonalise(smile, [], name="kept").separation == smile.separation


def test_nothing_left_is_refused() -> None:
    smile = random_direction(seed=1)
    with pytest.raises(InputError, match="nothing is left of 'd' without the part along 'copy'"):
        orthogonalise(smile, [direction(*(smile.vector * np.float32(-0.3)), name="copy")])
    axes = [axis_direction(index, 7) for index in range(7)]
    with pytest.raises(InputError, match="nothing is left of 'd' without the part along 'z1', 'z2'"):
        orthogonalise(smile, axes)
    assert orthogonalise(smile, axes[:6]).overlaps()[6] == pytest.approx(math.copysign(1, smile.vector[6]))


def test_directions_of_other_dimensions_are_refused() -> None:
    with pytest.raises(InputError, match="'d' and 'z1' need the same number of dimensions, got 7 and 3"):
        orthogonalise(random_direction(), [axis_direction(0, 3)])
