"""Moves in latent space: paths between two codes, the range a slider covers."""

from typing import Literal

import numpy as np
from jaxtyping import Float

from vae_core.errors import InputError
from vae_core.latent.graph import CodeGraph, locate

__all__ = ["Path", "codes_between", "interpolate", "linear_path", "spherical_path"]

Path = Literal["linear", "spherical", "data"]

PARALLEL = 1e-4  # radians; nearer to 0 or pi the great circle is not defined well enough


def linear_path(start: Float[np.ndarray, " d"], end: Float[np.ndarray, " d"], frames: int) -> Float[np.ndarray, "n d"]:
    """Codes on the straight line from `start` to `end`, both included, [frames, latent]."""
    return _line(start, end, _steps(frames))


def spherical_path(
    start: Float[np.ndarray, " d"], end: Float[np.ndarray, " d"], frames: int
) -> Float[np.ndarray, "n d"]:
    """Codes on the arc from `start` to `end`, both included, [frames, latent].

    Great-circle interpolation of the directions (White 2016, arXiv:1609.04468): they turn evenly, while the norm
    goes evenly from one end's to the other's. It falls back to the straight line where the arc is undefined: an
    end at the origin, or ends that point the same or opposite ways.
    """
    return _arc(start, end, _steps(frames))


def interpolate(
    start: Float[np.ndarray, " d"],
    end: Float[np.ndarray, " e"],
    *,
    frames: int,
    kind: Path,
    graph: CodeGraph | None = None,
) -> Float[np.ndarray, "n d"]:
    """Codes from `start` to `end` along the given kind of path, [frames, latent]; see `codes_between`.

    Raises:
        InputError: The ends differ in size, there are fewer than two frames, or a path through the data lacks its graph
            or has ends that do not fit it.
    """
    if start.shape != end.shape:
        raise InputError(f"both ends of a path need the same dimensions, got {start.shape} and {end.shape}.")
    if frames < 2:
        raise InputError(f"a path has at least 2 frames, got {frames}.")
    return codes_between(start, end, _steps(frames), kind=kind, graph=graph)


def codes_between(
    start: Float[np.ndarray, " d"],
    end: Float[np.ndarray, " d"],
    shares: Float[np.ndarray, " n"],
    *,
    kind: Path,
    graph: CodeGraph | None = None,
    scale: Float[np.ndarray, " d"] | None = None,
) -> Float[np.ndarray, "n d"]:
    """Codes after the given shares of the way from `start` to `end`, float32 [share, latent].

    Args:
        start: Code at share 0.
        end: Code at share 1.
        shares: Shares of the way, in [0, 1].
        kind: ``"linear"``, ``"spherical"``, or ``"data"`` for the shortest way over reference codes.
        graph: Graph of the reference codes; only a path through the data needs it.
        scale: What a step along each dimension counts for where a share of a path through the data is measured; the
            graph's own unless given.

    Raises:
        InputError: A path through the data lacks its graph, or the ends do not fit that.
    """
    if kind != "data":
        return (_line if kind == "linear" else _arc)(start, end, shares)
    if graph is None:
        raise InputError("a path through the data needs a graph of reference codes, got none; make one by build_graph.")
    return locate(graph.path(start, end), shares, graph.scale if scale is None else scale)


def _line(
    start: Float[np.ndarray, " d"], end: Float[np.ndarray, " d"], shares: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n d"]:
    t = shares[:, None]  # [share, 1]
    path: np.ndarray = ((1 - t) * start + t * end).astype(np.float32)
    return path


def _arc(
    start: Float[np.ndarray, " d"], end: Float[np.ndarray, " d"], shares: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n d"]:
    ends = np.stack([start, end]).astype(np.float64)
    norms = np.linalg.norm(ends, axis=1, keepdims=True)  # [2, 1]
    if norms.min() == 0:
        return _line(start, end, shares)
    first, last = ends / norms
    angle = float(np.arccos(np.clip(first @ last, -1, 1)))
    if angle < PARALLEL or np.pi - angle < PARALLEL:
        return _line(start, end, shares)
    t = shares[:, None]  # [share, 1]
    directions = (np.sin((1 - t) * angle) * first + np.sin(t * angle) * last) / np.sin(angle)  # [share, latent]
    path: np.ndarray = (directions * ((1 - t) * norms[0] + t * norms[1])).astype(np.float32)
    return path


def _steps(frames: int) -> Float[np.ndarray, " n"]:
    return np.linspace(0, 1, frames, dtype=np.float64)
