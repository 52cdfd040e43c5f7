"""Members of a reference set that stand for their class."""

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import reference_of
from vae_core.reference.reference_set import Reference
from vae_core.reference.typical import class_members, distant_classes, spread_codes
from vae_core.store.opening import StoredModel


@pytest.fixture
def reference(tiny: StoredModel) -> Reference:
    """Forty codes in three dimensions, labels alternating."""
    return tiny.need_reference()


def classes_of(reference: Reference, codes: np.ndarray) -> list[int]:
    """The labels of the references that have these codes."""
    return [int(reference.labels[(reference.means == code).all(axis=1)][0]) for code in codes]


# -- members -------------------------------------------------------------------------------------------------------


def test_a_class_comes_whole_from_its_core_outwards(reference: Reference):
    members = class_members(reference, 1)
    assert classes_of(reference, members) == [1] * 20
    assert len(np.unique(members, axis=0)) == 20
    assert (np.diff(np.linalg.norm((members - members[0]) * reference.scale, axis=1)) >= 0).all()


def test_the_core_lies_where_members_are_near_each_other_and_not_at_the_mean(reference: Reference):
    reference.labels[:] = 0
    reference.means[:] = 10 * reference.means / np.linalg.norm(reference.means, axis=1, keepdims=True)  # a sphere
    reference.means[:20] = np.random.default_rng(0).uniform(-0.1, 0.1, (20, 3)) + np.array([0, 0, 10])  # a pole
    reference.means[39] = reference.means[:39].mean(axis=0)  # alone at the mean
    core = class_members(reference, 0)[0]
    assert (reference.means[:20] == core).all(axis=1).any()


def test_a_class_of_one_is_its_own_core(reference: Reference):
    reference.labels[:] = 0
    reference.labels[7] = 1
    np.testing.assert_array_equal(class_members(reference, 1), reference.means[7:8])


def test_a_large_class_is_searched_in_part_and_comes_whole():
    means = np.random.default_rng(0).standard_normal((2 * 5_003, 16), dtype=np.float32)
    assert len(class_members(reference_of(means, np.zeros_like(means), seed=0), 1)) == 5_003


def test_dimensions_count_by_the_references_scale():
    means = np.random.default_rng(0).standard_normal((40, 2), dtype=np.float32)
    logvars = np.stack([np.full(40, -12, np.float32), np.zeros(40, np.float32)], axis=1)  # the first counts 400 times
    members = class_members(reference_of(means, logvars, seed=0), 1)
    assert (np.diff(np.abs(members[:, 0] - members[0, 0])) > -0.02).all()


# -- spread --------------------------------------------------------------------------------------------------------


def test_spread_codes_are_members_of_all_classes_evenly(reference: Reference):
    codes = spread_codes(reference, 8)
    assert classes_of(reference, codes) == [0] * 4 + [1] * 4
    assert len(np.unique(codes, axis=0)) == 8


def test_of_more_classes_than_codes_some_are_left_out_evenly(reference: Reference):
    reference.labels[:] = np.arange(len(reference)) % 16 + 3  # the first classes are empty
    assert classes_of(reference, spread_codes(reference, 8)) == [3, 5, 7, 9, 11, 13, 15, 17]


def test_a_classs_first_is_its_core_and_the_others_lie_farther_out_up_to_the_half_way(reference: Reference):
    reference.labels[:] = 0
    members = class_members(reference, 0)
    codes = spread_codes(reference, 8)
    np.testing.assert_array_equal(codes[0], members[0])
    distances = np.linalg.norm((codes - codes[0]) * reference.scale, axis=1)
    assert (np.diff(distances) > 0).all()
    assert distances[-1] <= np.median(np.linalg.norm((members - members[0]) * reference.scale, axis=1))


def test_a_class_with_few_members_repeats_them(reference: Reference):
    reference.labels[:] = 0
    reference.labels[0] = 1
    assert classes_of(reference, spread_codes(reference, 8)) == [0] * 4 + [1] * 4


def test_the_distant_classes_are_those_whose_cores_lie_farthest_apart():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    means = np.array([[0, 0.5], [3, 0], [0, 1]], np.float32)[labels] + rng.normal(0, 0.1, (60, 2)).astype(np.float32)
    logvars = np.log(np.tile(np.square([10.0, 0.1]), (60, 1))).astype(np.float32)  # a step along the first says little
    reference = replace(reference_of(means, logvars, seed=0), labels=labels, label_names=("a", "b", "c"))
    assert distant_classes(reference) == (1, 2)
    assert distant_classes(replace(reference, labels=np.full(60, 2))) == (2, 2)
