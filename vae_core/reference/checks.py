"""What the parts of a stored reference set must be: a damaged or hand-edited file says so when it is read.

Each rule that is broken is a ValueError with the rule and the value received.
"""

from collections.abc import Mapping

import numpy as np

from vae_core.latent.codes import FLOAT32_MAX
from vae_core.models.config import MAX_LATENT_DIM
from vae_core.models.vae import MAX_LOGVAR
from vae_core.reference.stored_arrays import DeclaredArray

__all__ = ["NUMBER_PARTS", "PARTS", "check_declared", "check_values"]

PERCENTILES = 101  # from the 0th to the 100th
LARGEST_SUM_ERROR = 1e-3  # of weights that sum to 1 up to rounding
ROUNDING = 1e-5  # of a percentile, by which the next may be below it

# numpy's letters of the kinds of numbers that will do, and what they are called.
NUMBERS, WHOLE = ("f", "floating-point numbers"), ("iu", "whole numbers")
FLAGS, TEXTS = ("b", "booleans"), ("U", "text")
# What each part holds, and its sizes: a name stands for the same size everywhere.
PARTS: dict[str, tuple[tuple[str, str], tuple[str | int, ...]]] = {
    "means": (NUMBERS, ("image", "latent")),
    "label_names": (TEXTS, ("class",)),
    "mixture_weights": (NUMBERS, ("component",)),
    "logvars": (NUMBERS, ("image", "latent")),
    "labels": (WHOLE, ("image",)),
    "umap_places": (NUMBERS, ("image", 2)),
    "pca_mean": (NUMBERS, ("latent",)),
    "pca_components": (NUMBERS, (2, "latent")),
    "reconstruction": (NUMBERS, ("image",)),
    "held_out": (FLAGS, ("image",)),
    "score_percentiles": (NUMBERS, ("score", PERCENTILES)),
    "mixture_means": (NUMBERS, ("component", "latent")),
    "mixture_factors": (NUMBERS, ("component", "latent", "latent")),
    "dimension_names": (TEXTS, ("latent",)),
}
# The most that each size may be: ten times what `evaluate` makes, and what a page can show.
LARGEST_SIZES = {"image": 100_000, "latent": MAX_LATENT_DIM, "class": 100_000, "component": 1_000}
LAST_CHARACTER, HALVES = 0x10FFFF, (0xD800, 0xDFFF)  # of Unicode; the halves stand for nothing alone
LONGEST_TEXT = 200  # characters of a name
NUMBER_PARTS = [name for name, (kind, _) in PARTS.items() if kind is NUMBERS]


def check_declared(parts: Mapping[str, DeclaredArray], *, scores: int) -> None:
    """Let the parts of a reference set pass whose kinds and shapes fit each other.

    Args:
        parts: What is declared of each part, by name.
        scores: How many scores the percentiles are of.

    Raises:
        ValueError: A part breaks a rule.
    """
    sizes = {"score": scores}
    for name, (kind, shape) in PARTS.items():
        _check_kind(name, parts[name], *kind)
        _check_shape(name, parts[name], shape, sizes)
    for name, most in LARGEST_SIZES.items():
        if sizes[name] > most:
            raise ValueError(f"a reference set has at most {most:,} of what it calls {name!r}, got {sizes[name]:,}")


def check_values(parts: Mapping[str, np.ndarray]) -> None:
    """Let the parts of a reference set pass that hold what can be shown and drawn from.

    Args:
        parts: By name, as they are stored; their kinds and shapes are known to fit.

    Raises:
        ValueError: A part breaks a rule.
    """
    _check_logvars(parts["logvars"])
    for name in NUMBER_PARTS:
        if name != "logvars":
            _check_finite(name, parts[name])
    for name, (kind, _) in PARTS.items():
        if kind is TEXTS:
            _check_texts(name, parts[name])
    _check_labels(parts["labels"], len(parts["label_names"]))
    if not parts["held_out"].any():
        raise ValueError("held_out must be true of at least one image, got none")
    _check_percentiles(parts["score_percentiles"])
    _check_weights(parts["mixture_weights"])
    _check_factors(parts["mixture_factors"])


def _check_kind(name: str, part: DeclaredArray, kinds: str, words: str) -> None:
    if part.dtype.kind not in kinds:
        raise ValueError(f"{name} must hold {words}, got {part.dtype}")
    if part.dtype.kind == "U" and part.dtype.itemsize > np.dtype(f"U{LONGEST_TEXT}").itemsize:
        raise ValueError(f"{name} must be texts of at most {LONGEST_TEXT} characters, got {part.dtype}")


def _check_shape(name: str, part: DeclaredArray, shape: tuple[str | int, ...], sizes: dict[str, int]) -> None:
    """Compare with the sizes that are known; the first part that has one sets it."""
    if part.ndim != len(shape) or 0 in part.shape:
        raise ValueError(f"{name} must be [{', '.join(map(str, shape))}], none of them 0, got {list(part.shape)}")
    named = zip(shape, part.shape, strict=True)
    expected = [sizes.setdefault(size, given) if isinstance(size, str) else size for size, given in named]
    if list(part.shape) != expected:
        raise ValueError(f"{name} must be {expected}, got {list(part.shape)}")


def _check_finite(name: str, part: np.ndarray) -> None:
    finite = np.abs(part) <= np.float32(FLOAT32_MAX)  # false for NaN as well
    if not finite.all():
        raise ValueError(f"{name} must hold finite float32 numbers, got {part[~finite][0]}")


def _check_logvars(logvars: np.ndarray) -> None:
    """A plain autoencoder's are minus infinity throughout; beyond an encoder's bounds their exponentials overflow."""
    if np.isneginf(logvars).all():
        return
    within = np.abs(logvars) <= MAX_LOGVAR  # false for NaN as well
    if not within.all():
        raise ValueError(
            f"logvars must lie within {MAX_LOGVAR:g} of 0, or all be minus infinity, got {logvars[~within][0]}"
        )


def _check_texts(name: str, part: np.ndarray) -> None:
    """By their numbers: as a text of Python's, a number that stands for no character is an error of the interpreter."""
    numbers = np.ascontiguousarray(part.astype(part.dtype.newbyteorder("="))).view(np.uint32)
    if ((numbers > LAST_CHARACTER) | ((numbers >= HALVES[0]) & (numbers <= HALVES[1]))).any():
        raise ValueError(f"{name} must be texts of whole characters")


def _check_labels(labels: np.ndarray, classes: int) -> None:
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        raise ValueError(f"labels must be from 0 to {classes - 1}, one for each name, got {labels[wrong][0]}")


def _check_percentiles(percentiles: np.ndarray) -> None:
    falls = np.diff(percentiles, axis=1) < -ROUNDING * np.abs(percentiles[:, 1:])
    if falls.any():
        score, place = np.argwhere(falls)[0]
        low, high = percentiles[score, place : place + 2]
        raise ValueError(f"score_percentiles must rise from the 0th to the 100th, got {high:g} after {low:g}")


def _check_weights(weights: np.ndarray) -> None:
    total = weights.sum(dtype=np.float64)
    if weights.min() < 0 or abs(total - 1) > LARGEST_SUM_ERROR:
        raise ValueError(
            f"mixture_weights must be at least 0 and sum to 1, got a sum of {total:g} and a least of {weights.min():g}"
        )


def _check_factors(factors: np.ndarray) -> None:
    """Cholesky factors: what lies above the diagonal would be drawn with, and a diagonal of 0 has no density."""
    if np.triu(factors, 1).any() or factors.diagonal(axis1=1, axis2=2).min() <= 0:
        raise ValueError("mixture_factors must be lower triangular with a diagonal above 0, got others")
