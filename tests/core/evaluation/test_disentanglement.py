"""Scores of single dimensions against known factors: by hand where that is possible, else codes with a known answer."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest

from vae_core.errors import InputError
from vae_core.evaluation import factor_scores
from vae_core.evaluation.disentanglement import (
    Disentanglement,
    factor_entropies,
    mutual_information,
    name_dimensions,
    perfect_code,
    rotated_code,
    score_disentanglement,
    score_rotated,
)
from vae_core.evaluation.factor_scores import dci_scores, factor_vae_score, mutual_information_gaps, sap_score

SIZES = (3, 4, 6)  # few values: DCI grows a hundred trees for each
LATENT_DIM = 5
TURN = 2  # the seed of a turn that mixes all three factors well


def drawn_factors(count: int, sizes: tuple[int, ...] = SIZES) -> np.ndarray:
    generator = np.random.default_rng(1)
    return np.stack([generator.integers(size, size=count) for size in sizes], axis=1)


FACTORS = drawn_factors(300)


def noise_code(count: int = len(FACTORS)) -> np.ndarray:
    return np.random.default_rng(2).standard_normal((count, LATENT_DIM))


@pytest.fixture(scope="module")
def perfect() -> Disentanglement:
    return score_disentanglement(perfect_code(FACTORS, LATENT_DIM), FACTORS)


@pytest.fixture(scope="module")
def rotated() -> Disentanglement:
    return score_disentanglement(rotated_code(FACTORS, LATENT_DIM, seed=TURN), FACTORS)


# --- by hand -------------------------------------------------------------------------------------------------


def test_information_has_the_values_worked_out_by_hand() -> None:
    factors = np.array([[0, 7], [0, 7], [1, 7], [1, 8]])
    codes = np.array([[-3.0, 5.0, 0.0, 1.0], [-3.0, 5.0, 9.0, 1.0], [2.0, 5.0, 0.0, 1.0], [2.0, 5.0, 9.0, 4.0]])
    # H of (1/4, 3/4); a dimension that splits 2:2 across it shares ln 2 + H - 3/2 ln 2
    quarter = math.log(4) / 4 + 3 * math.log(4 / 3) / 4
    across = quarter - math.log(2) / 2
    expected = [[math.log(2), 0, 0, across], [across, 0, across, quarter]]
    assert mutual_information(codes, factors) == pytest.approx(np.array(expected), abs=1e-12)
    assert factor_entropies(factors) == pytest.approx([math.log(2), quarter])


def test_bins_have_equal_width_and_the_largest_code_is_in_the_last() -> None:
    codes, factors = np.arange(40.0)[:, None], np.arange(40)[:, None]
    assert mutual_information(codes, factors)[0, 0] == pytest.approx(math.log(20))
    assert mutual_information(codes, factors, bins=5)[0, 0] == pytest.approx(math.log(5))
    lone = np.array([[0.0], [0.01], [0.02], [1.0]])  # three codes in the first bin though they differ
    quarter = math.log(4) / 4 + 3 * math.log(4 / 3) / 4
    assert mutual_information(lone, np.arange(4)[:, None])[0, 0] == pytest.approx(quarter)


def test_gaps_are_between_the_two_best_dimensions_as_a_share_of_the_entropy() -> None:
    information = np.array([[0.1, 0.6, 0.2], [0.3, 0.3, 0.0]])
    assert mutual_information_gaps(information, np.array([0.8, 0.6])) == pytest.approx([0.5, 0.0])
    assert mutual_information_gaps(information[:, 1:2], np.array([0.8, 0.6])) == pytest.approx([0.75, 0.5])


def test_concentration_is_one_less_entropy_weighted_by_the_rows() -> None:
    importances = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 0.0]])
    quarter = (math.log(4) / 4 + 3 * math.log(4 / 3) / 4) / math.log(2)  # in bits
    assert factor_scores._concentration(importances) == pytest.approx((1 * 1 + 1 * 0) / 2)
    assert factor_scores._concentration(np.array([[3.0, 0.0], [0.25, 0.75]])) == pytest.approx((4 - quarter) / 4)
    assert factor_scores._concentration(importances[:, :1]) == 1, "one column holds all there is"
    assert factor_scores._concentration(np.zeros((3, 2))) == 0


def test_dimensions_are_named_after_the_factor_they_tell_most_of() -> None:
    #              scale twice, the second more; posX; below the threshold; nothing
    information = np.array([[0.30, 0.50, 0.02, 0.09, 0.0], [0.01, 0.02, 1.00, 0.08, 0.0]])
    names = name_dimensions(information, np.array([1.0, 2.0]), ("scale", "posX"))
    assert names == ("scale 2", "scale", "posX", "", "")
    assert name_dimensions(information, np.array([1.0, 2.0]), ("scale", "posX"), threshold=0.05)[3] == "scale 3"


def test_the_most_is_meant_as_a_share_of_the_factor() -> None:
    information = np.array([[0.6], [0.7]])  # of a factor of 2 values and of one of 40
    assert name_dimensions(information, np.log([2.0, 40.0]), ("shape", "orientation")) == ("shape",)


# --- codes with a known answer -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "mig"), [((3, 6, 40, 32, 32), 0.896), ((3, 6, 10, 16, 16), 0.996)], ids=["full", "grid"]
)
def test_a_perfect_code_of_dsprites_has_the_known_mig(sizes: tuple[int, ...], mig: float) -> None:
    factors = drawn_factors(10_000, sizes)
    information = mutual_information(perfect_code(factors, 10), factors)
    assert mutual_information_gaps(information, factor_entropies(factors)).mean() == pytest.approx(mig, abs=0.002)


def test_a_perfect_code_is_rewarded_by_every_score(perfect: Disentanglement) -> None:
    assert perfect.mig > 0.9  # few images make idle dimensions look as if they told a little
    assert len(perfect.mig_per_factor) == len(SIZES)
    assert perfect.mig == pytest.approx(np.mean(perfect.mig_per_factor))
    assert perfect.dci_disentanglement > 0.99
    assert perfect.dci_completeness > 0.99
    assert perfect.dci_informativeness == 1
    assert perfect.factor_vae == 1
    assert perfect.sap > 0.3


def test_the_sap_of_a_perfect_code_lacks_what_chance_gives_the_second_dimension() -> None:
    factors = drawn_factors(3000, (2, 2))
    assert sap_score(perfect_code(factors, 4).astype(float), factors) == pytest.approx(0.5, abs=0.05)


def test_noise_is_worth_nothing() -> None:
    scores = score_disentanglement(noise_code(), FACTORS)
    assert 0 <= scores.mig < 0.05
    assert scores.dci_disentanglement < 0.15
    assert scores.dci_completeness < 0.15
    assert scores.dci_informativeness == pytest.approx(np.mean([1 / size for size in SIZES]), abs=0.1)
    assert 0 <= scores.sap < 0.1
    many = drawn_factors(5000)
    assert factor_vae_score(noise_code(len(many)), many) == pytest.approx(1 / len(SIZES), abs=0.05), "chance"


def test_a_turned_code_scores_less_though_it_holds_the_same(perfect: Disentanglement, rotated: Disentanglement) -> None:
    assert rotated.mig < perfect.mig - 0.3
    assert rotated.dci_disentanglement < perfect.dci_disentanglement - 0.3
    assert rotated.dci_completeness < perfect.dci_completeness - 0.3
    assert rotated.dci_informativeness > 0.8


def test_a_turn_keeps_distances_and_the_idle_dimensions() -> None:
    straight, turned = perfect_code(FACTORS, LATENT_DIM, seed=TURN), rotated_code(FACTORS, LATENT_DIM, seed=TURN)
    factors = len(SIZES)
    assert np.array_equal(turned[:, factors:], straight[:, factors:])
    assert np.linalg.norm(turned, axis=1) == pytest.approx(np.linalg.norm(straight, axis=1), rel=1e-5)
    assert not np.allclose(turned[:, :factors], straight[:, :factors], atol=0.5)
    assert straight.dtype == turned.dtype == np.float32
    assert straight[:, :factors].mean(axis=0) == pytest.approx(np.zeros(factors), abs=1e-6)
    assert straight[:, :factors].std(axis=0) == pytest.approx(np.ones(factors), rel=1e-5)
    assert straight[:, factors:].std(axis=0) == pytest.approx(np.full(LATENT_DIM - factors, 0.01), rel=0.2)


class Rounded:
    """Boosted trees as rounding leaves them: an importance just below zero, whose logarithm there is not."""

    feature_importances_ = np.array([1.0, -4e-18, 0.0])

    def __init__(self, random_state: int) -> None:
        pass

    def fit(self, _codes: np.ndarray, _value: np.ndarray) -> "Rounded":
        return self

    def score(self, _codes: np.ndarray, _value: np.ndarray) -> float:
        return 1.0


def test_importances_that_rounding_takes_below_zero_count_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factor_scores, "GradientBoostingClassifier", Rounded)
    scores = dci_scores(perfect_code(FACTORS, 3).astype(float), FACTORS)
    assert scores.disentanglement == pytest.approx(0, abs=1e-12), "one dimension for all factors"
    assert scores.completeness == 1


def test_completeness_falls_and_disentanglement_stays_when_a_factor_has_two_dimensions() -> None:
    factors = drawn_factors(300, (4, 2))
    low, high = factors[:, 0] % 2, factors[:, 0] // 2
    scores = dci_scores(np.stack([low, high, factors[:, 1]], axis=1).astype(float), factors)
    assert scores.disentanglement > 0.95
    assert scores.completeness < 0.8
    assert scores.informativeness == 1


# --- what must not matter ------------------------------------------------------------------------------------


def test_the_order_of_the_dimensions_changes_nothing(rotated: Disentanglement) -> None:
    codes = rotated_code(FACTORS, LATENT_DIM, seed=TURN)[:, [4, 2, 0, 3, 1]]
    permuted = score_disentanglement(codes, FACTORS)
    assert permuted.mig_per_factor == pytest.approx(rotated.mig_per_factor)
    assert permuted.sap == pytest.approx(rotated.sap)
    assert permuted.factor_vae == pytest.approx(rotated.factor_vae)
    assert permuted.dci_disentanglement == pytest.approx(rotated.dci_disentanglement, abs=0.03)  # trees break ties
    assert permuted.dci_completeness == pytest.approx(rotated.dci_completeness, abs=0.03)


def test_which_numbers_stand_for_a_factor_s_values_does_not_matter() -> None:
    codes, renamed = rotated_code(FACTORS, LATENT_DIM, seed=TURN).astype(float), 4 * FACTORS - 100
    assert np.array_equal(mutual_information(codes, renamed), mutual_information(codes, FACTORS))
    assert factor_vae_score(codes, renamed) == factor_vae_score(codes, FACTORS)


def test_a_dead_dimension_tells_nothing_and_has_no_vote() -> None:
    codes = perfect_code(FACTORS, LATENT_DIM).astype(float)
    codes[:, 3:] = [7.0, -2.0]
    assert np.array_equal(mutual_information(codes, FACTORS)[:, 3:], np.zeros((3, 2)))
    assert factor_vae_score(codes, FACTORS) == 1
    live = factor_vae_score(rotated_code(FACTORS, 3, seed=TURN).astype(float), FACTORS)
    assert factor_vae_score(rotated_code(FACTORS, 5, seed=TURN).astype(float), FACTORS) == live


def test_a_code_that_is_dead_altogether_scores_nothing() -> None:
    scores = score_disentanglement(np.full((len(FACTORS), 4), 0.5), FACTORS % 2)
    assert scores.mig == scores.sap == scores.factor_vae == 0
    assert scores.dci_disentanglement == scores.dci_completeness == 0


def test_one_dimension_and_one_factor_can_be_scored() -> None:
    factors = drawn_factors(300, (3,))
    scores = score_disentanglement(perfect_code(factors, 1), factors)
    assert scores.mig == pytest.approx(1)
    assert scores.dci_disentanglement == scores.dci_completeness == scores.factor_vae == 1


def test_a_value_of_a_single_image_does_no_harm() -> None:
    factors = drawn_factors(150, (2, 2))
    factors[:, 1] = 0
    factors[0, 1] = 9
    for seed in range(3):  # the odd one out is now in the training part, now not
        scores = score_disentanglement(perfect_code(factors, 3), factors, seed=seed)
        assert all(math.isfinite(score) for score in (scores.mig, scores.sap, scores.factor_vae))


# --- repeatable ----------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_scores_and_nothing_is_drawn_from_the_global_generator(
    rotated: Disentanglement,
) -> None:
    codes = rotated_code(FACTORS, LATENT_DIM, seed=TURN)
    before = np.random.get_state()[1].tolist()
    again = score_disentanglement(codes, FACTORS)
    assert again == rotated
    assert np.random.get_state()[1].tolist() == before
    assert not np.array_equal(rotated_code(FACTORS, LATENT_DIM, seed=1), codes)


@pytest.mark.parametrize("score", [dci_scores, factor_vae_score, sap_score])
def test_another_seed_draws_anew(score) -> None:
    codes, factors = noise_code(150), FACTORS[:150] % 2  # of two values: few trees
    assert score(codes, factors) != score(codes, factors, seed=1)


def test_a_subset_is_drawn_where_there_are_more_images() -> None:
    codes = rotated_code(FACTORS, LATENT_DIM, seed=TURN)
    scores = score_disentanglement(codes, FACTORS % 2, images=120)
    assert (scores.images, scores.dci_training_images) == (120, 80)


def test_batches_repeat_an_image_only_where_a_value_has_too_few() -> None:
    generator = np.random.default_rng(0)
    many = factor_scores._batches(np.arange(200) + 1000, 50, generator)
    assert many.shape == (50, 64)
    assert all(len(set(batch)) == 64 for batch in many.tolist())
    assert set(many.ravel().tolist()) == set(range(1000, 1200))
    few = factor_scores._batches(np.arange(5), 50, generator)
    assert few.shape == (50, 64)
    assert set(few.ravel().tolist()) == set(range(5))


def test_every_batch_is_a_vote() -> None:
    codes = rotated_code(FACTORS, 3, seed=TURN).astype(float)
    votes = factor_scores._votes(codes, FACTORS, 900, np.random.default_rng(0))
    assert votes.shape == (3, 3)
    assert votes.sum() == 900
    assert votes.sum(axis=1).min() > 200, "each factor is as likely"


def test_figures_are_what_json_can_hold(perfect: Disentanglement) -> None:
    figures = perfect.metrics()
    assert json.loads(json.dumps(figures)) == figures
    assert {**figures, "mig_per_factor": perfect.mig_per_factor} == asdict(perfect)


# --- bad input -----------------------------------------------------------------------------------------------


def spoilt(codes: np.ndarray, value: float) -> np.ndarray:
    codes = codes.copy()
    codes[17, 2] = value
    return codes


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (noise_code(299), FACTORS, "a row for each image, got 299 and 300 rows"),
        (noise_code()[:99], FACTORS[:99], "at least 100 images, got 99; score more"),
        (spoilt(noise_code(), np.nan), FACTORS, r"finite, got nan at \[17, 2\]; use a model"),
        (spoilt(noise_code(), -np.inf), FACTORS, "finite, got -inf"),
        (noise_code(), FACTORS * [1, 0, 1] + 3, "at least 2 values among the images, got only 3 for factor 1; leave"),
        (noise_code(), np.arange(300)[:, None], "of 300 images may have at most 150 values, got 300 for factor 0; put"),
        (noise_code()[:, :0], FACTORS, "at least one dimension and one factor are needed, got 0 and 3"),
        (noise_code(), FACTORS[:, :0], "at least one dimension and one factor are needed, got 5 and 0"),
    ],
)
def test_bad_input_gets_the_rule_the_value_and_what_to_do(codes: np.ndarray, factors: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        score_disentanglement(codes, factors)


def test_each_factor_needs_one_name() -> None:
    with pytest.raises(InputError, match="got 1 names for 2 factors"):
        name_dimensions(np.ones((2, 3)), np.ones(2), ("shape",))


def test_a_subset_too_small_is_refused() -> None:
    with pytest.raises(InputError, match="at least 100 images, got 99"):
        score_disentanglement(noise_code(), FACTORS, images=99)


@pytest.mark.parametrize("make", [perfect_code, rotated_code])
def test_a_perfect_code_needs_a_dimension_for_each_factor(make) -> None:
    with pytest.raises(InputError, match="each of the 3 factors, got 2; leave factors out"):
        make(FACTORS, 2)
    with pytest.raises(InputError, match="at least 2 values"):
        make(FACTORS * 0, 5)


def test_the_ceiling_of_a_turned_code_is_the_mean_of_ten_turns() -> None:
    ceiling = score_rotated(FACTORS, LATENT_DIM)
    turns = [score_disentanglement(rotated_code(FACTORS, LATENT_DIM, seed=seed), FACTORS) for seed in range(10)]
    assert ceiling.mig == pytest.approx(np.mean([turn.mig for turn in turns]))
    assert ceiling.mig_per_factor == pytest.approx(np.mean([turn.mig_per_factor for turn in turns], axis=0))
    assert ceiling.sap == pytest.approx(np.mean([turn.sap for turn in turns]))
    assert ceiling.factor_vae == pytest.approx(np.mean([turn.factor_vae for turn in turns]))
    assert ceiling.dci_disentanglement == turns[0].dci_disentanglement
    assert min(turn.mig for turn in turns) < ceiling.mig < max(turn.mig for turn in turns)
