"""Groups of reference images: members and figures worked out by hand."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import reference_of
from vae_core.errors import InputError
from vae_core.reference.groups import (
    VALUES,
    checked_group,
    describe,
    members_by_label,
    members_by_range,
    representatives,
    values_of,
)
from vae_core.reference.reference_set import Reference

MEANS = np.array([[3, 4], [0, 0], [1, 0], [0, -2]], np.float32)


@pytest.fixture
def four() -> Reference:
    """Four images whose figures can be worked out: sigma is 1, labels are even, odd, even, odd."""
    reference = reference_of(MEANS, np.zeros_like(MEANS), seed=0)
    nats = np.array([10, 20, 30, 60], np.float32)
    return replace(reference, reconstruction=nats, held_out=np.array([True, True, False, False]))


@pytest.fixture
def autoencoder() -> Reference:
    """The same codes without variance."""
    return reference_of(MEANS, np.full_like(MEANS, -np.inf), seed=0)


def two_classes(sizes: tuple[int, int]) -> Reference:
    """A class around (-5, 0), whose members lie on a ray, and one around (5, 0)."""
    first = np.stack([-5 - np.arange(sizes[0]) / 100, np.zeros(sizes[0])], axis=1)
    second = np.stack([5 + np.arange(sizes[1]) / 100, np.zeros(sizes[1])], axis=1)
    means = np.concatenate([first, second]).astype(np.float32)
    return replace(reference_of(means, np.zeros_like(means), seed=0), labels=np.repeat([0, 1], sizes))


# --- values --------------------------------------------------------------------------------------------------


def test_values_are_those_worked_out_by_hand(four: Reference) -> None:
    # KL from N(0, I) with sigma 1 is half the squared norm.
    assert values_of(four, "kl") == pytest.approx([12.5, 0, 0.5, 2])
    assert values_of(four, "norm") == pytest.approx([5, 0, 1, 2])
    assert values_of(four, "reconstruction").tolist() == [10, 20, 30, 60]
    assert values_of(four, 1).tolist() == [4, 0, 0, -2]
    # Three neighbours each; (0, 0) has them at 5, 1 and 2.
    assert values_of(four, "distance")[1] == pytest.approx(8 / 3)
    # A quarter of the mixture around -1, three quarters around 1, deviation a quarter: at (0, 0) both are at 16 var.
    assert values_of(four, "density")[1] == pytest.approx(-16 - np.log(2 * np.pi / 16), rel=1e-5)


@pytest.mark.parametrize("what", [*VALUES, 0])
def test_each_value_is_one_number_an_image(four: Reference, what: str | int) -> None:
    values = values_of(four, what)
    assert values.shape == (4,)
    assert values.dtype == np.float64
    assert np.isfinite(values).all()


def test_a_plain_autoencoder_has_every_value_but_the_kl(autoencoder: Reference) -> None:
    with pytest.raises(InputError, match="a plain autoencoder has no KL; choose another"):
        values_of(autoencoder, "kl")
    for what in [each for each in VALUES if each != "kl"]:
        assert np.isfinite(values_of(autoencoder, what)).all()


@pytest.mark.parametrize("what", ["entropy", "", -1, 2])
def test_other_values_are_refused(four: Reference, what: str | int) -> None:
    with pytest.raises(InputError, match=f"(or a dimension's number|from 0 to 1 for this model), got {what!r}"):
        values_of(four, what)


# --- choosing ------------------------------------------------------------------------------------------------


def test_a_class_and_a_range_have_the_members_they_should(four: Reference) -> None:
    assert members_by_label(four, 0).tolist() == [0, 2]
    assert members_by_label(four, 1).tolist() == [1, 3]
    norms = values_of(four, "norm")
    assert members_by_range(norms, 1, 2).tolist() == [2, 3], "both ends belong to the range"
    assert members_by_range(norms, 2.001, np.inf).tolist() == [0]
    assert members_by_range(norms, 3, 4).tolist() == []


def test_ranges_and_classes_that_are_none_are_refused(four: Reference) -> None:
    for low, high in ((2.0, 1.0), (np.nan, 1.0), (0.0, np.nan)):
        with pytest.raises(InputError, match="from its lower end to its upper"):
            members_by_range(np.zeros(3), low, high)
    for label in (-1, 2):
        with pytest.raises(InputError, match=f"from 0 to 1 for this model, got {label}"):
            members_by_label(four, label)


@pytest.mark.parametrize("indices", [[3, 1, 3, 0], (3.0, 1.0, 0.0), np.array([0, 1, 3], np.uint8)])
def test_a_group_has_its_members_sorted_and_once(four: Reference, indices: object) -> None:
    group = checked_group(four, "  round ones ", indices)  # type: ignore[arg-type]
    assert group.name == "round ones"
    assert group.indices.tolist() == [0, 1, 3]
    assert group.indices.dtype == np.int64
    with pytest.raises(ValueError, match="read-only"):
        group.indices[0] = 2


@pytest.mark.parametrize(
    "indices",
    [[], [1.5], [np.nan], [np.inf], ["1"], [True, False], [None], [[0, 1]], [[0], [1, 2]], [2**70], "12", [-1e300]],
)
def test_members_that_are_no_whole_numbers_are_refused(four: Reference, indices: object) -> None:
    with pytest.raises(InputError, match="a list of whole numbers, at least 1"):
        checked_group(four, "name", indices)  # type: ignore[arg-type]


@pytest.mark.parametrize("indices", [[0, 4], [-1, 2], [2**63], [0, 1e15]])
def test_members_of_another_reference_set_are_refused(four: Reference, indices: list[int]) -> None:
    with pytest.raises(InputError, match="from 0 to 3, got"):
        checked_group(four, "name", indices)


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "a\u200bb"])
def test_names_that_cannot_be_seen_are_refused(four: Reference, name: str) -> None:
    with pytest.raises(InputError, match="a group's name has"):
        checked_group(four, name, [0])


def test_spaces_around_a_name_are_left_out(four: Reference) -> None:
    assert checked_group(four, " Größe 5 – schräg ", [0]).name == "Größe 5 – schräg"


# --- what a group has in common ------------------------------------------------------------------------------


def test_a_summary_has_the_figures_worked_out_by_hand(four: Reference) -> None:
    summary = describe(four, np.array([1, 2, 3]))
    assert summary.count == 3
    assert list(summary.labels.items()) == [("odd", 2), ("even", 1)]
    assert summary.mean == pytest.approx([1 / 3, -2 / 3])
    assert summary.kl == pytest.approx((0 + 0.5 + 2) / 3)
    assert summary.reconstruction == pytest.approx(110 / 3)
    assert summary.fill_ins == 2
    # Squared distances to (1/3, -2/3): 5/9, 8/9 and 17/9.
    assert summary.spread == pytest.approx((30 / 27) ** 0.5)


def test_a_summary_of_one_or_of_a_plain_autoencoder(four: Reference, autoencoder: Reference) -> None:
    alone = describe(four, np.array([0]))
    assert (alone.count, alone.labels, alone.spread, alone.fill_ins) == (1, {"even": 1}, 0, 0)
    assert describe(autoencoder, np.array([0, 1])).kl is None
    with pytest.raises(InputError, match="from 0 to 3, got 4 to 4"):
        describe(four, np.array([4]))


def test_classes_of_equal_size_stand_in_alphabetical_order(four: Reference) -> None:
    renamed = replace(four, label_names=("b", "a"))
    assert list(describe(renamed, np.arange(4)).labels.items()) == [("a", 2), ("b", 2)]


# --- representatives -----------------------------------------------------------------------------------------


def test_a_small_group_is_shown_whole_by_class_and_outwards() -> None:
    reference = two_classes((3, 3))
    shown = representatives(reference, np.array([5, 4, 3, 0, 1, 2]), 6)
    assert shown[[0, 3]].tolist() == [1, 4], "the middle of each class comes first"
    assert sorted(shown.tolist()) == list(range(6))
    assert representatives(reference, np.array([2, 2, 0]), 9).tolist() in ([0, 2], [2, 0])


def test_representatives_keep_the_shares_of_classes_and_reach_from_the_middle_to_the_rim() -> None:
    reference = two_classes((900, 100))
    shown = representatives(reference, np.arange(1000), 20, seed=3)
    assert len(set(shown.tolist())) == 20
    assert Counter(reference.labels[shown].tolist()) == {0: 18, 1: 2}
    distances = np.abs(reference.means[shown[:18], 0] - reference.means[:900, 0].mean())
    assert (np.diff(distances) >= 0).all()
    assert distances[0] < 4.5 / 18 + 0.01, "of the nearest eighteenth of a ray of 9"
    assert distances[-1] > 4.5 * 17 / 18 - 0.01


def test_representatives_depend_on_the_seed_alone() -> None:
    reference = two_classes((300, 300))
    shown = representatives(reference, np.arange(600), 8, seed=1)
    assert np.array_equal(representatives(reference, np.arange(599, -1, -1), 8, seed=1), shown)
    assert not np.array_equal(representatives(reference, np.arange(600), 8, seed=2), shown)
    assert set(shown.tolist()) <= set(range(600))


@pytest.mark.parametrize("count", range(1, 13))
def test_any_number_of_representatives_is_of_different_members(count: int) -> None:
    members = np.arange(2, 14)
    shown = representatives(two_classes((9, 7)), members, count, seed=count)
    assert len(set(shown.tolist()) & set(members.tolist())) == count


def test_no_representatives_are_refused(four: Reference) -> None:
    with pytest.raises(InputError, match="at least 1 member of a group is shown, got a count of 0"):
        representatives(four, np.array([0]), 0)
