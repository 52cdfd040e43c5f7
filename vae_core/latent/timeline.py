"""Animations through any number of keyframes in latent space, what their frames are like, and grids of four corners."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from vae_core.errors import InputError
from vae_core.latent.codes import check_finite
from vae_core.latent.graph import CodeGraph
from vae_core.latent.paths import Path, codes_between

__all__ = [
    "EASINGS",
    "FRAMES_PER_LEG",
    "GRID_SIDE",
    "KEYFRAMES",
    "AnimationPath",
    "Easing",
    "animation_path",
    "bilinear_grid",
    "ease",
]

KEYFRAMES = (2, 64)  # fewest and most
FRAMES_PER_LEG = (2, 240)  # fewest and most: 240 are four seconds at 60 a second
GRID_SIDE = (2, 64)  # codes along a side of a grid, fewest and most

Easing = Literal["linear", "smooth", "cubic"]
Shares = Float[np.ndarray, " n"]

# How much of a leg's way lies behind after a share of its time: from exactly 0 to exactly 1, never back, alike at both
# ends. The curves are easeInOutSine and easeInOutCubic of Penner 2002 (Programming Macromedia Flash MX, chapter 7).
EASINGS: dict[Easing, Callable[[Shares], Shares]] = {
    "linear": lambda t: t,
    "smooth": lambda t: (1 - np.cos(np.pi * t)) / 2,
    "cubic": lambda t: np.where(t < 0.5, 4 * t**3, 1 - 4 * (1 - t) ** 3),
}


@dataclass(frozen=True, eq=False)
class AnimationPath:
    """The frames of an animation through keyframes.

    Attributes:
        codes: Code of each frame, float32 [frame, latent].
        legs: Leg that each frame belongs to, from 0; a keyframe belongs to the leg that it starts, the last one of
            an open trace to the leg that it ends. [frame]
        keyframe_positions: The frame that each keyframe is, [keyframe].
    """

    codes: Float[np.ndarray, "n d"]
    legs: Int[np.ndarray, " n"]
    keyframe_positions: Int[np.ndarray, " k"]


def ease(shares: Float[np.ndarray, " n"], easing: Easing) -> Float[np.ndarray, " n"]:
    """How much of a leg's way lies behind after the given shares of its time, both in [0, 1]."""
    return EASINGS[easing](shares)


def animation_path(
    keyframes: Float[np.ndarray, "k d"],
    *,
    kind: Path,
    frames_per_leg: int,
    easing: Easing = "linear",
    graph: CodeGraph | None = None,
    loop: bool = False,
    scale: Float[np.ndarray, " d"] | None = None,
) -> AnimationPath:
    """The frames from keyframe to keyframe; those of every kind of path are as many and play in step.

    Args:
        keyframes: Codes in order, [keyframe, latent]; every one is hit exactly.
        kind: Kind of path; ``"data"`` goes over reference codes.
        frames_per_leg: Frames from a keyframe to the next, both included.
        easing: How time turns into way within each leg.
        graph: Graph of the reference codes; only a path through the data needs it.
        loop: Whether another leg leads back to the first keyframe, whose frame is not repeated.
        scale: What a step along each dimension counts for where frames of a path through the data are spaced; the
            graph's own unless given.

    Returns:
        legs * (frames_per_leg - 1) frames, and one more for the last keyframe of an open trace.

    Raises:
        InputError: The keyframes are fewer than 2, more than 64, or not finite; a leg has fewer than 2 or more than 240
            frames; or a path through the data lacks its graph or has other dimensions than that.
    """
    _check_within("a timeline", "keyframes", len(keyframes), KEYFRAMES)
    _check_within("a leg", "frames", frames_per_leg, FRAMES_PER_LEG)
    check_finite("keyframes", keyframes, (None, None))
    shares = ease(np.linspace(0, 1, frames_per_leg), easing)[:-1]  # the last is the next leg's first
    stops = np.concatenate([keyframes, keyframes[:1]]) if loop else keyframes
    legs = [codes_between(*ends, shares, kind=kind, graph=graph, scale=scale) for ends in pairwise(stops)]
    codes = np.concatenate(legs if loop else [*legs, keyframes[-1:]]).astype(np.float32)
    positions = np.arange(len(keyframes)) * len(shares)
    return AnimationPath(codes, np.minimum(np.arange(len(codes)) // len(shares), len(legs) - 1), positions)


def bilinear_grid(
    corners: Float[np.ndarray, "4 d"], rows: int, columns: int, *, spherical: bool = False
) -> Float[np.ndarray, "n d"]:
    """Codes between four corners, row by row from the top left, float32 [rows * columns, latent].

    Each row goes from a code on the left edge to the one beside it on the right edge.

    Args:
        corners: Top left, top right, bottom left, bottom right; they are hit exactly.
        rows: Rows of codes from the top edge to the bottom edge, both included.
        columns: Codes in a row from the left edge to the right edge, both included.
        spherical: Whether edges and rows are arcs (see `spherical_path`) instead of straight lines.

    Raises:
        InputError: There are fewer than 2 or more than 64 rows or columns, or a corner is not finite.
    """
    _check_within("a grid", "rows", rows, GRID_SIDE)
    _check_within("a grid", "columns", columns, GRID_SIDE)
    check_finite("corners", corners, (4, None))
    kind: Path = "spherical" if spherical else "linear"
    down, across = np.linspace(0, 1, rows), np.linspace(0, 1, columns)
    top_left, top_right, bottom_left, bottom_right = corners
    left = codes_between(top_left, bottom_left, down, kind=kind)  # [row, latent]
    right = codes_between(top_right, bottom_right, down, kind=kind)
    grid = np.stack([codes_between(*ends, across, kind=kind) for ends in zip(left, right, strict=True)])
    return grid.reshape(rows * columns, -1)


def _check_within(whole: str, parts: str, count: int, limits: tuple[int, int]) -> None:
    fewest, most = limits
    if not fewest <= count <= most:
        raise InputError(f"{whole} has {fewest} to {most} {parts}, got {count}.")
