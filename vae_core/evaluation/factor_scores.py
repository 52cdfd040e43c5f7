"""The four scores of how well single latent dimensions match known factors: MIG, DCI, SAP and FactorVAE.

`disentanglement` checks their input and puts them together. Their settings are those of disentanglement_lib
(Locatello et al. 2019, arXiv:1811.12359), so that figures stand beside published ones; where one differs, its
function says so.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.svm import LinearSVC

__all__ = ["DCI", "dci_scores", "factor_vae_score", "mutual_information_gaps", "sap_score"]

TRAINING_SHARE = 2 / 3  # for DCI and SAP; disentanglement_lib takes 10,000 codes to train and 5,000 to test
SAP_DEAD_DEVIATION = 1e-6
VOTING_DEVIATION = 0.05
VOTING_BATCH = 64  # images
TRAINING_VOTES, EVALUATION_VOTES = 10_000, 5_000


class DCI(NamedTuple):
    """The three scores of Eastwood and Williams, each from 0 to 1, and how many images the trees were grown from."""

    disentanglement: float
    completeness: float
    informativeness: float
    training_images: int


def mutual_information_gaps(
    information: Float[np.ndarray, "f d"], entropies: Float[np.ndarray, " f"]
) -> Float[np.ndarray, " f"]:
    """(I1 - I2) / H(v) of each factor, [factor]; MIG is their mean (Chen et al. 2018, arXiv:1802.04942, section 4.1).

    I1 and I2 are what the two dimensions that tell most of the factor tell of it. The paper samples the posterior;
    these are means in bins, as in disentanglement_lib. More values than bins cannot all be told apart: a perfect
    code of dSprites' 40 orientations does not score 1.

    Args:
        information: From `mutual_information`, in nats, [factor, latent].
        entropies: From `factor_entropies`, in nats.
    """
    gaps: np.ndarray = _lead(information) / entropies
    return gaps


def _lead(scores: Float[np.ndarray, "f d"]) -> Float[np.ndarray, " f"]:
    """By how much each factor's best dimension leads the second; where there is none, the second has 0."""
    ranked = np.sort(np.pad(scores, ((0, 0), (1, 0))), axis=1)  # no score is negative
    lead: np.ndarray = ranked[:, -1] - ranked[:, -2]
    return lead


# --- predictors: DCI and SAP ---------------------------------------------------------------------------------


def _split(count: int, seed: int) -> tuple[Int[np.ndarray, " train"], Int[np.ndarray, " test"]]:
    """Positions of the images to train on and of those to test on, shuffled."""
    shuffled = np.random.default_rng(seed).permutation(count)
    training = round(TRAINING_SHARE * count)
    return shuffled[:training], shuffled[training:]


def dci_scores(codes: Float[np.ndarray, "n d"], factors: Int[np.ndarray, "n f"], *, seed: int = 0) -> DCI:
    """Disentanglement, completeness and informativeness (Eastwood and Williams 2018, ICLR, section 2).

    For each factor scikit-learn's default gradient boosting classifier (100 stages of depth 3) learns the value from
    the code. Its importances make a matrix [latent, factor]. Disentanglement is 1 - entropy of each dimension's row,
    as a share of the largest possible, weighted by the row's sum; completeness is the same of the columns;
    informativeness is test accuracy, mean over the factors. Two thirds of the images train and one third tests.

    Compare only scores from as many training images: of a warped and noisy code of dSprites' grid the disentanglement
    was 0.47 from 2,000 of them and 0.57 from 6,667 (and 0.78 from 10 stages instead of 100), while a perfect code
    has 1.00 from 1,000 on. Published scores are from 10,000, which 15,000 images give.

    Args:
        codes: [image, latent].
        factors: Whole numbers, [image, factor].
        seed: Of the split and of the order in which a tree tries dimensions.
    """
    train, test = _split(len(codes), seed)
    importances, accuracies = np.zeros((codes.shape[1], factors.shape[1])), []
    for index, value in enumerate(factors.T):
        if len(np.unique(value[train])) < 2:  # a rare value fell out: there is nothing to learn
            accuracies.append(np.mean(value[test] == value[train[0]]))
            continue
        trees = GradientBoostingClassifier(random_state=seed).fit(codes[train], value[train])
        importances[:, index] = np.maximum(trees.feature_importances_, 0)  # rounding takes some just below
        accuracies.append(trees.score(codes[test], value[test]))
    informativeness = float(np.mean(accuracies))
    return DCI(_concentration(importances), _concentration(importances.T), informativeness, len(train))


def _concentration(importances: Float[np.ndarray, "row column"]) -> float:
    """1 - entropy of each row, from 0 (spread evenly) to 1 (in one column), weighted by the rows' sums."""
    sums = importances.sum(axis=1)
    if sums.sum() == 0:
        return 0.0
    rows, columns = importances[sums > 0], importances.shape[1]
    concentration = 1 - entropy(rows, axis=1) / np.log(max(columns, 2))  # one column holds all there is
    return float(np.average(concentration, weights=sums[sums > 0]))


def sap_score(codes: Float[np.ndarray, "n d"], factors: Int[np.ndarray, "n f"], *, seed: int = 0) -> float:
    """Separated attribute predictability (Kumar et al. 2018, arXiv:1711.00848, section 3).

    How much better the best dimension alone predicts a factor than the second best, mean over the factors. Predicted
    by a linear SVM (C = 0.01, balanced classes), scored by test accuracy on a third of the images; a dimension of
    no variance scores 0. On one line it cannot single out a value in the middle, so that with many values even a
    perfect code scores far below 1.

    Args:
        codes: [image, latent].
        factors: Whole numbers, [image, factor].
        seed: Of the split.
    """
    train, test = _split(len(codes), seed)
    alive = codes.std(axis=0) > SAP_DEAD_DEVIATION
    scores = np.zeros((factors.shape[1], codes.shape[1]))
    for index, value in enumerate(factors.T):
        if len(np.unique(value[train])) < 2:  # every dimension would give the same guess
            continue
        for dimension in np.flatnonzero(alive):
            line = codes[:, [dimension]]  # [image, 1]
            machine = LinearSVC(C=0.01, class_weight="balanced", dual=False, random_state=seed)
            scores[index, dimension] = machine.fit(line[train], value[train]).score(line[test], value[test])
    return float(_lead(scores).mean())


# --- votes: FactorVAE ----------------------------------------------------------------------------------------


def factor_vae_score(codes: Float[np.ndarray, "n d"], factors: Int[np.ndarray, "n f"], *, seed: int = 0) -> float:
    """Share of right guesses which factor a batch shares (Kim and Mnih 2018, arXiv:1802.05983, section 4).

    Of 64 images with the same value of one factor, the dimension with the smallest variance, as a share of its
    variance over all images, votes for the factor. 10,000 votes settle which factor each dimension stands for, 5,000
    more are counted. Dimensions of a standard deviation below 0.05 have no vote; if that is all, the score is 0.

    Batches are drawn from the images given, with replacement where fewer than 64 share a value: the same few come
    again and again, and even noise scores above chance (0.46 instead of 0.33 from 300 images, 3 to 6 values each).

    Args:
        codes: [image, latent].
        factors: Whole numbers, [image, factor]; of each some value must have two images or more.
        seed: Of the batches.
    """
    deviations = codes.std(axis=0, ddof=1)  # [latent]
    alive = deviations >= VOTING_DEVIATION
    if not alive.any():
        return 0.0
    scaled = (codes[:, alive] - codes[:, alive].mean(axis=0)) / deviations[alive]
    generator = np.random.default_rng(seed)
    training = _votes(scaled, factors, TRAINING_VOTES, generator)
    evaluation = _votes(scaled, factors, EVALUATION_VOTES, generator)
    guesses = training.argmax(axis=0)  # [latent]
    return float(evaluation[guesses, np.arange(len(guesses))].sum() / evaluation.sum())


def _votes(
    scaled: Float[np.ndarray, "n d"], factors: Int[np.ndarray, "n f"], count: int, generator: np.random.Generator
) -> Int[np.ndarray, "f d"]:
    """How often each dimension varied least in batches that share each factor, [factor, latent]."""
    latent_dim = scaled.shape[1]
    votes = np.zeros((factors.shape[1], latent_dim), dtype=np.int64)
    shares = np.bincount(generator.integers(len(votes), size=count), minlength=len(votes))  # batches of each factor
    for index, batches in enumerate(shares):
        _, value, images = np.unique(factors[:, index], return_inverse=True, return_counts=True)
        shared = value[images[value] > 1]  # one image alone varies in nothing
        for drawn, number in enumerate(np.bincount(generator.choice(shared, size=batches))):
            rows = _batches(np.flatnonzero(value == drawn), int(number), generator)
            least = scaled[rows].var(axis=1).argmin(axis=1)  # [batch, 64, latent] -> [batch]
            votes[index] += np.bincount(least, minlength=latent_dim)
    return votes


def _batches(
    positions: Int[np.ndarray, " n"], number: int, generator: np.random.Generator
) -> Int[np.ndarray, "batch 64"]:
    """Random batches of the positions, each without repeats where there are enough."""
    whole = len(positions) // VOTING_BATCH  # batches in one shuffle, far fewer draws than a shuffle for each
    if whole == 0:
        return generator.choice(positions, size=(number, VOTING_BATCH))
    shuffles = generator.permuted(np.tile(positions, (-(-number // whole), 1)), axis=1)
    return shuffles[:, : whole * VOTING_BATCH].reshape(-1, VOTING_BATCH)[:number]
