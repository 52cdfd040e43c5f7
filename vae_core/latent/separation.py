"""How well two groups of codes separate along the difference of their means, measured on held-out codes."""

import math
from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import Field
from pydantic.dataclasses import dataclass

from vae_core.latent.codes import check_finite, check_same_dimensions
from vae_core.runtime.strict_json import CAMEL

__all__ = [
    "SMALLEST_GROUP",
    "Separation",
    "Share",
    "check_groups",
    "mean_code",
    "measure_separation",
    "why_no_separation",
]

Fold = tuple[Int[np.ndarray, " r"], Int[np.ndarray, " h"]]  # rows to fit to, rows held out

Share = Annotated[float, Field(ge=0, le=1)]

FOLDS = 5  # the usual choice: Hastie et al., The Elements of Statistical Learning, section 7.10
SMALLEST_GROUP = 10  # codes: two of each group in every held-out fold


@dataclass(frozen=True, config=CAMEL)
class Separation:
    """How well a difference of means tells the two groups apart, measured on codes that it was not fitted to.

    It judges groups that were chosen by what their pictures show. Groups that were drawn around places of the map, or
    taken from a range of values, are apart because they were chosen so: there it says nothing of the pictures.

    Attributes:
        auroc: The chance that a code of B lies farther along the direction than one of A: 0.5 is chance, 1 perfect.
            The mean over folds.
        auroc_error: Standard error of `auroc`. That of one fold by Hanley & McNeil 1982 (Radiology 143:29), times
            sqrt(1/k + 1/(k - 1)) for the mean of k folds that share training codes (Nadeau & Bengio 2003, Machine
            Learning 52:239); with sqrt(1/k) it came out a fifth to a third too small on codes drawn for the purpose.
        count_a: Codes in A.
        count_b: Codes in B.
        by_place: Whether one of the groups was chosen by where its codes lie.
    """

    auroc: Share
    auroc_error: Annotated[float, Field(ge=0, alias="error")]
    count_a: Annotated[int, Field(ge=1)]
    count_b: Annotated[int, Field(ge=1)]
    by_place: bool = False  # files of before it was known lack it


def why_no_separation(count_a: int, count_b: int) -> str | None:
    """Why groups of so many codes get no held-out separation; None where they get one."""
    if min(count_a, count_b) >= SMALLEST_GROUP:
        return None
    return (
        f"how well two groups separate is measured on held-out codes, which takes at least {SMALLEST_GROUP} in each "
        f"group, got {count_a} and {count_b}; add more."
    )


def measure_separation(
    codes_a: Float[np.ndarray, "n d"], codes_b: Float[np.ndarray, "m e"], *, seed: int = 0
) -> Separation | None:
    """How well the difference of means tells held-out codes apart; None for groups below `SMALLEST_GROUP`.

    The codes are dealt into `FOLDS` stratified folds. The difference of the means of all but one fold ranks that
    fold's codes by their projection on it. AUROC is the mean over folds, not that of all projections pooled: those
    of different folds are on different scales, which biases the pooled one (Forman & Scholz 2010, SIGKDD
    Explorations 12:49).

    Args:
        codes_a: [code, latent].
        codes_b: [code, latent].
        seed: Seed of the folds, from 0 to 2^32 - 1.

    Raises:
        InputError: A group is empty or not finite, or their dimensions differ.
    """
    check_groups(codes_a, codes_b)
    count_a, count_b = len(codes_a), len(codes_b)
    if why_no_separation(count_a, count_b):
        return None
    from sklearn.model_selection import StratifiedKFold  # takes a second to import

    codes = np.concatenate([codes_a, codes_b]).astype(np.float64)
    in_b = np.arange(len(codes)) >= count_a  # [code]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(codes, in_b)
    auroc = float(np.mean([_fold_auroc(codes, in_b, fold) for fold in folds]))
    return Separation(auroc, _auroc_error(auroc, count_a, count_b), count_a, count_b)


def mean_code(codes: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " d"]:
    """The mean of codes, in double precision, [latent]."""
    mean: np.ndarray = codes.mean(axis=0, dtype=np.float64)
    return mean


def check_groups(codes_a: Float[np.ndarray, "n d"], codes_b: Float[np.ndarray, "m e"]) -> None:
    """Let two groups of codes pass that can be compared.

    Raises:
        InputError: A group is empty or not finite, or their dimensions differ.
    """
    for which, codes in (("group A", codes_a), ("group B", codes_b)):
        check_finite(which, codes, (None, None), fewest=1)
    check_same_dimensions("both groups", codes_a, codes_b)


def _fold_auroc(codes: Float[np.ndarray, "n d"], in_b: Bool[np.ndarray, " n"], fold: Fold) -> float:
    """AUROC on the fold's held-out codes of the difference that its other codes give."""
    from sklearn.metrics import roc_auc_score

    train, held_out = fold
    step = mean_code(codes[train][in_b[train]]) - mean_code(codes[train][~in_b[train]])
    return float(roc_auc_score(in_b[held_out], codes[held_out] @ step))


def _auroc_error(auroc: float, count_a: int, count_b: int) -> float:
    """The standard error of the mean over folds; see `Separation`."""
    pairs = count_a * count_b
    chance = min(max(auroc, 0.5 / pairs), 1 - 0.5 / pairs)  # half a pair short: the formula gives 0 for all or none
    both_b, both_a = chance / (2 - chance), 2 * chance**2 / (1 + chance)  # Hanley and McNeil's Q1 and Q2
    fold_a, fold_b = count_a / FOLDS, count_b / FOLDS
    spread = (fold_b - 1) * (both_b - chance**2) + (fold_a - 1) * (both_a - chance**2)
    variance = (chance * (1 - chance) + spread) / (fold_a * fold_b)
    return math.sqrt(variance * (1 / FOLDS + 1 / (FOLDS - 1)))
