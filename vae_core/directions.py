"""Named directions in latent space: each gets a slider of its own, and can be applied to any code.

A direction comes from two groups of codes, a principal component or an axis. Directions add, as word vectors do
(Mikolov et al. 2013, arXiv:1301.3781), and as codes of pictures do (White 2016, arXiv:1609.04468).
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from scipy.linalg import orth

from vae_core.errors import InputError

__all__ = [
    "NAME_LIMIT",
    "SMALLEST_GROUP",
    "Direction",
    "Kind",
    "Separation",
    "arithmetic",
    "axis_direction",
    "difference",
    "measure_separation",
    "orthogonalise",
    "principal_directions",
    "why_no_separation",
]

Kind = Literal["groups", "component", "axis"]
Fold = tuple[Int[np.ndarray, " r"], Int[np.ndarray, " h"]]  # rows to fit to, rows held out

NAME_LIMIT = 60  # characters
JOINERS = "\u200c\u200d"  # invisible as well, but Persian words and emoji are written with them
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # Unicode's categories of controls, formats, half pairs and line ends
FOLDS = 5  # the usual choice: Hastie et al., The Elements of Statistical Learning, section 7.10
SMALLEST_GROUP = 10  # codes: two of each group in every held-out fold
EPSILON = float(np.finfo(np.float32).eps)  # what a code's values are known to, relative to the largest
NOTHING_LEFT = 1e-4  # of a direction's length; a thousand times what rounding leaves


@dataclass(frozen=True)
class Separation:
    """How well a difference of means tells the two groups apart, measured on codes that it was not fitted to.

    It judges groups that were chosen by what their pictures show. Groups that were drawn around places of the map
    are apart because they were chosen so: there it says nothing of the pictures.

    Attributes:
        auroc: The chance that a code of B lies farther along the direction than one of A: 0.5 is chance, 1 perfect.
            The mean over folds.
        auroc_error: Its standard error. That of one fold by Hanley & McNeil 1982 (Radiology 143:29), times
            sqrt(1/k + 1/(k - 1)) for the mean of k folds that share training codes (Nadeau & Bengio 2003, Machine
            Learning 52:239); with sqrt(1/k) it came out a fifth to a third too small on codes drawn for the purpose.
        count_a: Codes in A.
        count_b: Codes in B.
    """

    auroc: float
    auroc_error: float
    count_a: int
    count_b: int


@dataclass(frozen=True, eq=False)
class Direction:
    """A named vector in latent space.

    Attributes:
        name: 1 to `NAME_LIMIT` characters, none of them invisible.
        vector: One step, float32 [latent]: of groups from A's mean to B's, of a principal component one standard
            deviation of the codes along it, of an axis 1.
        kind: What it comes from.
        separation: Of the two groups; None for other kinds and where `why_no_separation` tells why.
        variance_share: Of a principal component, the share of the codes' variance along it; None for other kinds.

    Raises:
        InputError: The name breaks its rule, or the vector is zero or not finite.
    """

    name: str
    vector: Float32[np.ndarray, " d"]
    kind: Kind
    separation: Separation | None = None
    variance_share: float | None = None

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not np.isfinite(self.vector).all() or not self.vector.any():
            raise InputError(f"the direction {self.name!r} must be finite and not zero; choose other codes.")

    def apply(self, z: Float[np.ndarray, "... e"], amount: float) -> Float32[np.ndarray, "... e"]:
        """Codes moved along the direction, z + amount * vector, [latent] or [code, latent] as z is.

        Args:
            z: Codes, [latent] or [code, latent].
            amount: Steps; negative ones go the other way.

        Raises:
            InputError: z has another number of dimensions than the direction, or the result is not finite.
        """
        self._check_dimensions(z)
        with np.errstate(over="ignore", invalid="ignore"):
            moved = z + np.float64(amount) * self.vector
        return _as_float32(moved, f"a code moved {amount} steps along {self.name!r}")

    def overlaps(self) -> Float32[np.ndarray, " d"]:
        """The cosine of the angle with each axis, [latent], from -1 to 1; their squares sum to 1."""
        cosines: np.ndarray = self._exact / np.linalg.norm(self._exact)
        return cosines.astype(np.float32)

    def project(self, codes: Float[np.ndarray, "n e"]) -> Float32[np.ndarray, " n"]:
        """How many steps along the direction each code lies from the origin, [code]: v.z / |v|^2, by least squares.

        Raises:
            InputError: The codes have another number of dimensions than the direction, or a result is not finite.
        """
        self._check_dimensions(codes)
        steps = codes.astype(np.float64) @ self._exact / np.square(self._exact).sum()
        return _as_float32(steps, f"a place along {self.name!r}")

    @property
    def _exact(self) -> Float[np.ndarray, " d"]:
        return self.vector.astype(np.float64)  # squares of single precision would leave its range

    def _check_dimensions(self, codes: Float[np.ndarray, "... e"]) -> None:
        _check_same_dimensions(f"codes and the direction {self.name!r}", codes, self.vector)


def difference(
    name: str, codes_a: Float[np.ndarray, "n d"], codes_b: Float[np.ndarray, "m e"], *, seed: int = 0
) -> Direction:
    """The direction from the mean of group A to that of group B, with their held-out separation.

    Args:
        name: What the slider is called.
        codes_a: [code, latent].
        codes_b: [code, latent].
        seed: Of the folds.

    Raises:
        InputError: A group is empty or not finite, their dimensions differ, or their means coincide.
    """
    _check_groups(codes_a, codes_b)
    step = _mean(codes_b) - _mean(codes_a)
    if np.abs(step).max() <= EPSILON * max(np.abs(codes_a).max(), np.abs(codes_b).max()):
        raise InputError("a direction needs two groups with different means, got means that coincide; choose others.")
    vector = _as_float32(step, f"the direction {name!r}")
    return Direction(name, vector, "groups", measure_separation(codes_a, codes_b, seed=seed))


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
        seed: Of the folds, from 0 to 2^32 - 1.

    Raises:
        InputError: A group is empty or not finite, or their dimensions differ.
    """
    _check_groups(codes_a, codes_b)
    count_a, count_b = len(codes_a), len(codes_b)
    if why_no_separation(count_a, count_b):
        return None
    from sklearn.model_selection import StratifiedKFold  # takes a second to import

    codes = np.concatenate([codes_a, codes_b]).astype(np.float64)
    in_b = np.arange(len(codes)) >= count_a  # [code]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(codes, in_b)
    auroc = float(np.mean([_fold_auroc(codes, in_b, fold) for fold in folds]))
    return Separation(auroc, _auroc_error(auroc, count_a, count_b), count_a, count_b)


def principal_directions(codes: Float[np.ndarray, "n d"], count: int) -> list[Direction]:
    """The leading principal components of codes, largest variance first.

    A component's sign is arbitrary: its largest entry is made positive, as on the map. Standard deviations and
    shares of the variance are those of these codes themselves, with n in the denominator.

    Args:
        codes: The reference set's means, [code, latent].
        count: How many components, at most one a dimension.

    Raises:
        InputError: There are no codes, they are not finite, or they vary along fewer than `count` directions.
    """
    _check_codes("principal components are", codes)
    exact = codes.astype(np.float64)
    centred = exact - exact.mean(axis=0)
    variances, units = np.linalg.eigh(centred.T @ centred / len(codes))  # far faster than all codes' decomposition
    variances, units = variances[::-1].clip(min=0), units.T[::-1]  # largest first, [component], [component, latent]
    rounding = EPSILON * np.abs(exact).max() * math.sqrt(codes.shape[1])  # what equal codes may differ by
    varied = int((np.sqrt(variances) > rounding).sum())
    if not 1 <= count <= varied:
        raise InputError(
            f"these codes vary along {varied} directions: at least 1 and at most as many principal components can be "
            f"asked for, got {count}."
        )
    shares = variances / variances.sum()
    signs = np.sign(np.take_along_axis(units, np.abs(units).argmax(axis=1)[:, None], axis=1))
    vectors = _as_float32(np.sqrt(variances)[:, None] * signs * units, "a principal component")
    return [
        Direction(f"component {index + 1}", vectors[index], "component", variance_share=float(shares[index]))
        for index in range(count)
    ]


def axis_direction(index: int, latent_dim: int, name: str = "") -> Direction:
    """One dimension of z as a direction, a step of 1.

    Args:
        index: Of the dimension, from 0.
        latent_dim: Dimensions of z.
        name: What the slider is called; "z1" for the first dimension and so on when empty.

    Raises:
        InputError: There is no such dimension.
    """
    if not 0 <= index < latent_dim:
        raise InputError(f"dimensions of z go from 0 to {latent_dim - 1}, got {index}.")
    return Direction(name or f"z{index + 1}", np.eye(latent_dim, dtype=np.float32)[index], "axis")


def arithmetic(
    a: Float[np.ndarray, "... d"], b: Float[np.ndarray, "... e"], c: Float[np.ndarray, "... f"]
) -> Float32[np.ndarray, " d"]:
    """A - B + C, [latent]: "smiling women - women + men"; of a group [code, latent] the mean counts.

    Single pictures carry much else along, means of a few do not: Radford et al. 2016 (arXiv:1511.06434), section 6.3.2.

    Raises:
        InputError: A group is empty, dimensions differ, or the result is not finite.
    """
    if not (a.size and b.size and c.size):
        raise InputError(f"A - B + C needs a code for each, got groups of {[len(term) for term in (a, b, c)]}.")
    _check_same_dimensions("A and B", a, b)
    _check_same_dimensions("A and C", a, c)
    first, second, third = (_mean(np.atleast_2d(term)) for term in (a, b, c))
    return _as_float32(first - second + third, "A - B + C")


def orthogonalise(direction: Direction, against: Sequence[Direction], *, name: str = "") -> Direction:
    """The direction without the part along others: moving along it changes no code's place along those.

    "Smile" no longer changes "age": conditional manipulation in InterFaceGAN (Shen et al. 2020, arXiv:1907.10786).
    A step of what is left is a shorter one, and the groups' separation is no longer its own.

    Args:
        direction: What to keep the rest of.
        against: What must not change.
        name: Of the result; the direction's own when empty.

    Raises:
        InputError: Dimensions differ, or the direction is made of the others, so that nothing is left.
    """
    if not against:
        return replace(direction, name=name or direction.name)
    for other in against:
        _check_same_dimensions(f"{direction.name!r} and {other.name!r}", direction.vector, other.vector)
    vector = direction._exact
    basis = orth(np.stack([other.overlaps() for other in against], axis=1).astype(np.float64), EPSILON)  # [latent, k]
    rest = vector - basis @ (basis.T @ vector)
    if np.linalg.norm(rest) <= NOTHING_LEFT * np.linalg.norm(vector):
        others = ", ".join(repr(other.name) for other in against)
        raise InputError(f"nothing is left of {direction.name!r} without the part along {others}; take away fewer.")
    rest = _as_float32(rest, f"the rest of {direction.name!r}")
    return Direction(name or direction.name, rest, direction.kind)


def _fold_auroc(codes: Float[np.ndarray, "n d"], in_b: Bool[np.ndarray, " n"], fold: Fold) -> float:
    """AUROC on the fold's held-out codes of the difference that its other codes give."""
    from sklearn.metrics import roc_auc_score

    train, held_out = fold
    step = _mean(codes[train][in_b[train]]) - _mean(codes[train][~in_b[train]])
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


def _mean(codes: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " d"]:
    mean: np.ndarray = codes.mean(axis=0, dtype=np.float64)
    return mean


def _as_float32(values: Float[np.ndarray, "... d"], what: str) -> Float32[np.ndarray, "... d"]:
    with np.errstate(over="ignore"):
        single: np.ndarray = values.astype(np.float32)
    if not np.isfinite(single).all():
        raise InputError(f"{what} must be finite, got infinity or not a number; use smaller values.")
    return single


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= NAME_LIMIT or not name.strip(JOINERS).strip():
        shown = name if len(name) <= NAME_LIMIT else name[: NAME_LIMIT - 3] + "..."
        raise InputError(f"a direction's name has 1 to {NAME_LIMIT} characters, got {len(name)}: {shown!r}.")
    if any(unicodedata.category(character) in UNSEEN and character not in JOINERS for character in name):
        raise InputError(f"a direction's name has no control or other unseen characters, got {name!r}; remove them.")


def _check_groups(codes_a: Float[np.ndarray, "n d"], codes_b: Float[np.ndarray, "m e"]) -> None:
    for which, codes in (("group A is", codes_a), ("group B is", codes_b)):
        _check_codes(which, codes)
    _check_same_dimensions("both groups", codes_a, codes_b)


def _check_codes(what: str, codes: Float[np.ndarray, "n d"]) -> None:
    if not codes.size:
        raise InputError(f"{what} made of at least 1 code, got {list(codes.shape)}; choose some.")
    if not np.isfinite(codes).all():
        raise InputError(f"{what} made of finite codes, got some that are infinite or not a number.")


def _check_same_dimensions(what: str, one: Float[np.ndarray, "... d"], other: Float[np.ndarray, "... e"]) -> None:
    if one.shape[-1] != other.shape[-1]:
        raise InputError(f"{what} need the same number of dimensions, got {one.shape[-1]} and {other.shape[-1]}.")
