"""The process that `refit` starts: a task on its standard input, news on its standard output, then the places.

The task is an npz of codes, settings and perhaps initial places. News are JSON objects, one a line: {} as the search
for neighbours begins, {"done", "epochs"} after each epoch, and at the end {"places"} or {"failed"}.
"""

import io
import json
import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Float, Int

from vae_core.latent.neighbours import distances_between, smallest
from vae_core.projection.refit_settings import UmapSettings
from vae_core.projection.umap_fit import Nearest, fit_umap
from vae_core.runtime.failures import unforeseen
from vae_core.runtime.strict_json import config_from_json

__all__ = ["find_nearest", "main"]

NICENESS = 5  # of 19: live pictures come first, and beside a training that takes all it can the map is still made
ROWS = 100  # of distances at once: 8 MB of them among 10,000 codes

Tell = Callable[[dict[str, Any]], None]


def main() -> None:
    """Read the task, fit and tell."""
    step_back()
    tell = open_channel()
    task = read_task(sys.stdin.buffer)
    try:
        tell({"places": fit(*task, tell).tolist()})
    except BrokenPipeError:  # nobody listens any more
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, the one who asked must hear that no map comes
        tell({"failed": f"the map cannot be fitted with these settings: {unforeseen(error, 'fitting a map')}"})


def step_back() -> None:
    """Leave the processor to others that want it."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICENESS)


def open_channel() -> Tell:
    """The way out; whatever else is printed goes to standard error."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(news: dict[str, Any]) -> None:
        channel.write(json.dumps(news).encode() + b"\n")
        channel.flush()

    return tell


def read_task(
    source: BinaryIO,
) -> tuple[Float[np.ndarray, "n d"], UmapSettings, Float[np.ndarray, "n 2"] | None]:
    """Codes as they are compared, settings, and the initial places if there are any."""
    with np.load(io.BytesIO(source.read()), allow_pickle=False) as stored:
        settings = config_from_json(UmapSettings, str(stored["settings"]))
        return stored["codes"], settings, stored.get("initial")


def fit(
    codes: Float[np.ndarray, "n d"], settings: UmapSettings, initial: Float[np.ndarray, "n 2"] | None, tell: Tell
) -> Float[np.ndarray, "n 2"]:
    """The places, float32 [code, 2].

    Raises:
        ValueError: Some codes are tied to no other one.
    """
    tell({})
    places, _ = fit_umap(
        codes,
        seed=settings.seed,
        n_neighbors=settings.n_neighbors,
        min_dist=settings.min_dist,
        metric=settings.metric,
        nearest=find_nearest(codes, settings.n_neighbors, settings.metric),
        initial=initial,
        progress=lambda done, epochs: tell({"done": done, "epochs": epochs}),
    )
    lost = int(np.isnan(places).any(axis=1).sum())
    if lost:
        raise ValueError(f"{lost} codes are near to no other")
    return places


def find_nearest(codes: Float[np.ndarray, "n d"], count: int, metric: str) -> Nearest:
    """Each code's nearest codes, nearest first and itself before all; both [code, neighbour].

    Exact, by all distances: at 10,000 codes of 16 dimensions that takes half a second.

    Args:
        codes: [code, latent].
        count: How many, the code itself among them; of fewer codes all but one.
        metric: By umap-learn's name.
    """
    count = min(count, len(codes) - 1)
    exact = codes.astype(np.float64)  # once, not for each part
    parts = [
        _nearest_of(rows, exact, count, metric)
        for rows in np.split(np.arange(len(codes)), range(ROWS, len(codes), ROWS))
    ]
    indices, distances = zip(*parts, strict=True)
    return np.concatenate(indices).astype(np.int32), np.concatenate(distances).astype(np.float32)


def _nearest_of(
    rows: Int[np.ndarray, " m"], codes: Float[np.ndarray, "n d"], count: int, metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of `find_nearest` that belong to these codes."""
    distances = distances_between(codes[rows], codes, metric)  # [row, code]
    distances[np.arange(len(rows)), rows] = -1  # before all, also where others are at distance 0
    nearest, found = smallest(distances, count)
    return nearest, np.maximum(found, 0)


if __name__ == "__main__":
    main()
