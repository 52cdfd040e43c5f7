"""How well single latent dimensions match known factors of variation: MIG, DCI, SAP and the FactorVAE score.

Every score needs the factors that an image was made from, so they are for made data such as dSprites. The settings
are those of disentanglement_lib (Locatello et al. 2019, arXiv:1811.12359), so that figures stand beside published
ones; where one differs, its function says so. Print the scores of `perfect_code` and `rotated_code` beside a
model's, on the same images: not every score gives a perfect code 1 or an entangled one 0.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import entropy

from vae_core.errors import InputError
from vae_core.evaluation.factor_scores import dci_scores, factor_vae_score, mutual_information_gaps, sap_score
from vae_core.latent.codes import check_finite

__all__ = [
    "Disentanglement",
    "factor_entropies",
    "mutual_information",
    "name_dimensions",
    "perfect_code",
    "rotated_code",
    "score_disentanglement",
    "score_rotated",
]

MINIMUM_IMAGES = 100
MAXIMUM_VALUES = 200  # of a factor: each is a class of its own for DCI and SAP
IDLE_DEVIATION = 0.01  # of the dimensions that a perfect code does not need; too little for a vote
TURNS = 10  # of a perfect code, over which scores are averaged


@dataclass(frozen=True)
class Disentanglement:
    """Scores of a set of codes against the factors behind them; 1 is best for each.

    Attributes:
        images: Number of images that were scored.
        dci_training_images: Number of those that DCI's trees were grown from; the others tested it.
        mig: Mutual information gap, mean over the factors.
        mig_per_factor: In the order of the factors.
        dci_disentanglement: Does a dimension tell of one factor only?
        dci_completeness: Is a factor told of by one dimension only?
        dci_informativeness: Share of test images whose factor value is predicted right, mean over the factors.
        sap: Separated attribute predictability.
        factor_vae: Share of right votes. Chance is one over the number of factors.
    """

    images: int
    dci_training_images: int
    mig: float
    mig_per_factor: tuple[float, ...]
    dci_disentanglement: float
    dci_completeness: float
    dci_informativeness: float
    sap: float
    factor_vae: float

    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds, unrounded."""
        return {**asdict(self), "mig_per_factor": list(self.mig_per_factor)}


def score_disentanglement(
    codes: Float[np.ndarray, "n d"],
    factors: Int[np.ndarray, "m f"],  # m, not n: that they are equal is told in a sentence, not a shape error
    *,
    seed: int = 0,
    images: int = 10_000,
) -> Disentanglement:
    """All scores of the codes, on a seeded subset where there are more than `images`.

    Nearly all the time goes to DCI: 10,000 codes of 10 dimensions took 40 to 80 s on one core for dSprites' grid and
    80 to 180 s for all its 40 orientations and 32 positions. It grows with the images, dimensions and values.

    Args:
        codes: Posterior means, [image, latent].
        factors: The factors' values as whole numbers, [image, factor]; which numbers does not matter.
        seed: Seed of the subset, the training parts, DCI's trees and the votes.
        images: At most so many are scored.

    Raises:
        InputError: The two are not of the same images, there are fewer than 100, a code is not finite, or among the
            images scored a factor has one value only or too many.
    """
    _check_codes(codes, factors)
    codes, factors = _scored(codes, factors, seed, images)
    _check_factors(factors)
    gaps, sap, votes = _quick_scores(codes, factors, seed)
    dci = dci_scores(codes, factors, seed=seed)
    return Disentanglement(
        images=len(codes),
        dci_training_images=dci.training_images,
        mig=float(gaps.mean()),
        mig_per_factor=tuple(gaps.tolist()),
        dci_disentanglement=dci.disentanglement,
        dci_completeness=dci.completeness,
        dci_informativeness=dci.informativeness,
        sap=sap,
        factor_vae=votes,
    )


def score_rotated(
    factors: Int[np.ndarray, "n f"], latent_dim: int, *, seed: int = 0, images: int = 10_000
) -> Disentanglement:
    """Scores of a perfect code turned at random: what a model gets that knows all factors and keeps none apart.

    Turns differ much (see `rotated_code`), so MIG, SAP and the FactorVAE score are means over ten of them. DCI is of
    the first alone: its trees take minutes for each.

    Args:
        factors: Values as for `score_disentanglement`.
        latent_dim: At least as many as there are factors.
        seed: Seed of the first turn and of the scores; the other turns have the seeds after it.
        images: At most so many are scored.

    Raises:
        InputError: As for `score_disentanglement` and `rotated_code`.
    """
    turned = [rotated_code(factors, latent_dim, seed=seed + turn) for turn in range(TURNS)]
    first = score_disentanglement(turned[0], factors, seed=seed, images=images)
    quick = [_quick_scores(*_scored(codes, factors, seed, images), seed) for codes in turned]
    gaps, saps, votes = (np.mean(each, axis=0) for each in zip(*quick, strict=True))
    return replace(
        first, mig=float(gaps.mean()), mig_per_factor=tuple(gaps.tolist()), sap=float(saps), factor_vae=float(votes)
    )


def _scored(
    codes: Float[np.ndarray, "n d"], factors: Int[np.ndarray, "n f"], seed: int, images: int
) -> tuple[Float[np.ndarray, "m d"], Int[np.ndarray, "m f"]]:
    """The seeded choice of images that is scored."""
    chosen = np.random.default_rng(seed).permutation(len(codes))[:images]
    return codes[chosen].astype(np.float64), factors[chosen]


def _quick_scores(
    codes: Float[np.ndarray, "n d"], factors: Int[np.ndarray, "n f"], seed: int
) -> tuple[Float[np.ndarray, " f"], float, float]:
    """What takes seconds: the gap of each factor, SAP, the FactorVAE score."""
    gaps = mutual_information_gaps(mutual_information(codes, factors), factor_entropies(factors))
    return gaps, sap_score(codes, factors, seed=seed), factor_vae_score(codes, factors, seed=seed)


def _check_codes(codes: Float[np.ndarray, "n d"], factors: Int[np.ndarray, "m f"]) -> None:
    if len(codes) != len(factors):
        raise InputError(f"codes and factors must have a row for each image, got {len(codes)} and {len(factors)} rows.")
    if not (codes.shape[1] and factors.shape[1]):
        raise InputError(
            f"at least one dimension and one factor are needed, got {codes.shape[1]} and {factors.shape[1]}."
        )
    check_finite("codes", codes, remedy="use a model whose training did not diverge")


def _check_factors(factors: Int[np.ndarray, "n f"]) -> None:
    count = len(factors)
    if count < MINIMUM_IMAGES:
        raise InputError(f"the scores need at least {MINIMUM_IMAGES} images, got {count}; score more.")
    most = min(MAXIMUM_VALUES, count // 2)  # so that some value has two images, as a FactorVAE vote needs
    for index, column in enumerate(factors.T):
        values = len(np.unique(column))
        if values < 2:
            raise InputError(
                f"a factor must have at least 2 values among the images, got only {column[0]} for factor {index}; "
                "leave constant factors out."
            )
        if values > most:
            raise InputError(
                f"a factor of {count} images may have at most {most} values, got {values} for factor {index}; "
                "put its values into fewer bins, or score more images."
            )


# --- information: MIG and names ------------------------------------------------------------------------------


def mutual_information(
    codes: Float[np.ndarray, "n d"], factors: Int[np.ndarray, "n f"], bins: int = 20
) -> Float[np.ndarray, "f d"]:
    """I(factor; dimension) in nats, [factor, latent], from the joint histogram of each pair.

    Each dimension is cut into `bins` of equal width between its extremes. A constant dimension has no information.

    Args:
        codes: [image, latent].
        factors: Whole numbers, [image, factor].
        bins: 20, as in disentanglement_lib.
    """
    binned = _binned(codes.astype(np.float64), bins)
    values = [np.unique(column, return_inverse=True)[1] for column in factors.T]
    return np.array([[_information(value, dimension, bins) for dimension in binned.T] for value in values])


def _binned(codes: Float[np.ndarray, "n d"], bins: int) -> Int[np.ndarray, "n d"]:
    span = np.ptp(codes, axis=0)
    places = (codes - codes.min(axis=0)) / np.where(span > 0, span, 1)  # [0, 1]
    binned: np.ndarray = np.minimum((places * bins).astype(np.int64), bins - 1)  # the largest is in the last bin
    return binned


def _information(value: Int[np.ndarray, " n"], binned: Int[np.ndarray, " n"], bins: int) -> float:
    counts = np.bincount(value * bins + binned, minlength=(value.max() + 1) * bins)
    joint = counts.reshape(-1, bins) / len(value)  # [value, bin]
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    seen = joint > 0
    return max(float((joint[seen] * np.log(joint[seen] / independent[seen])).sum()), 0.0)


def factor_entropies(factors: Int[np.ndarray, "n f"]) -> Float[np.ndarray, " f"]:
    """H(factor) in nats, [factor], from how often each value occurs."""
    return np.array([entropy(np.unique(column, return_counts=True)[1]) for column in factors.T])


def name_dimensions(
    information: Float[np.ndarray, "f d"],
    entropies: Float[np.ndarray, " f"],
    names: tuple[str, ...],
    threshold: float = 0.1,
) -> tuple[str, ...]:
    """A name for each dimension: the factor it tells most of, or "" where it tells little of any.

    Several dimensions of one factor are numbered in order of information: "scale", "scale 2", "scale 3".

    Args:
        information: Mutual information from `mutual_information`, in nats, [factor, latent].
        entropies: Entropies from `factor_entropies`, in nats.
        names: The factors', in order.
        threshold: Share of the factor's entropy, [0,1], that a dimension must tell to be named.

    Raises:
        InputError: There is not one name for each factor.
    """
    if len(names) != len(entropies):
        raise InputError(f"each factor needs one name, got {len(names)} names for {len(entropies)} factors.")
    shares = information / entropies[:, None]  # [factor, latent]
    best = shares.argmax(axis=0)  # by share: many-valued factors would win in nats
    labels = [""] * information.shape[1]
    used = [0] * len(names)
    for dimension in np.argsort(-shares.max(axis=0), kind="stable"):
        factor = best[dimension]
        if shares[factor, dimension] >= threshold:
            used[factor] += 1
            labels[dimension] = names[factor] if used[factor] == 1 else f"{names[factor]} {used[factor]}"
    return tuple(labels)


# --- ceilings ------------------------------------------------------------------------------------------------


def perfect_code(factors: Int[np.ndarray, "n f"], latent_dim: int, *, seed: int = 0) -> Float[np.ndarray, "n d"]:
    """The code that every score is meant to reward, float32 [image, latent].

    The first dimensions are the factors, each brought to mean 0 and standard deviation 1; the others are Gaussian
    noise of standard deviation 0.01, as near dead as a model's unused ones.

    Args:
        factors: Whole numbers in a sensible order, [image, factor].
        latent_dim: At least as many as there are factors.
        seed: Seed of the noise.

    Raises:
        InputError: There are fewer dimensions than factors, or the factors cannot be scored.
    """
    _check_factors(factors)
    count, needed = factors.shape
    if latent_dim < needed:
        raise InputError(
            f"a perfect code needs a dimension for each of the {needed} factors, got {latent_dim}; leave factors out."
        )
    codes = np.random.default_rng(seed).normal(scale=IDLE_DEVIATION, size=(count, latent_dim))
    codes[:, :needed] = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    return codes.astype(np.float32)


def rotated_code(factors: Int[np.ndarray, "n f"], latent_dim: int, *, seed: int = 0) -> Float[np.ndarray, "n d"]:
    """The perfect code with its first dimensions turned at random, float32 [image, latent].

    It holds the same information, entangled: each of the first dimensions is a mixture of all factors. Turns differ
    much: over 40 seeds the MIG of dSprites was 0.13 on average with a standard deviation of 0.07, the FactorVAE score
    0.83 with 0.11. Give the mean of several.

    Args:
        factors: Values as for `perfect_code`.
        latent_dim: Dimensions as for `perfect_code`.
        seed: Seed of the noise and of the turn, which is uniform over all turns and reflections.

    Raises:
        InputError: As for `perfect_code`.
    """
    codes, mixed = perfect_code(factors, latent_dim, seed=seed), factors.shape[1]
    gaussian = np.random.default_rng(seed).standard_normal((mixed, mixed))
    basis, triangle = np.linalg.qr(gaussian)
    turn = basis * np.sign(np.diag(triangle))  # else not uniform (Mezzadri 2007, arXiv:math-ph/0609050)
    codes[:, :mixed] = codes[:, :mixed] @ turn.astype(np.float32)
    return codes
