"""The question which reference images' codes lie nearest to a code."""

from typing import Annotated, Any, Literal

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field
from scipy.spatial.distance import cdist

from app.queries.base import Question, as_code, decode_pixels
from app.wire.numbers import Numbers, strict
from app.wire.packing import picture_base64
from vae_core.errors import InputError
from vae_core.inference.engine import Engine
from vae_core.inference.loaded import LoadedModel
from vae_core.reference.reference_set import Reference

__all__ = ["QUESTIONS"]

NEIGHBOUR_LIMIT = 60

Metric = Literal["euclidean", "cosine", "deviations"]


@strict
class NeighboursQuestion:
    """Which reference codes lie nearest to this one?"""

    z: Numbers
    k: Annotated[int, Field(ge=1, le=NEIGHBOUR_LIMIT)]
    metric: Metric


def neighbours(engine: Engine, loaded: LoadedModel, body: NeighboursQuestion) -> dict[str, Any]:
    """The nearest reference images with their decoded pictures, nearest first."""
    reference = loaded.need_reference()
    z = as_code(loaded, body.z)
    distances = distances_to(reference, z, body.metric)
    nearest = np.lexsort((~_is_same(reference, z), distances))[: body.k]  # by distance, itself before its equals
    pixels = decode_pixels(engine, loaded, reference.means[nearest])
    return {
        "neighbours": [
            {
                "index": int(index),
                "label": reference.label_names[reference.labels[index]],
                "distance": float(distances[index]),
                "seen": not reference.held_out[index],
                "image": picture_base64(picture),
            }
            for index, picture in zip(nearest, pixels, strict=True)
        ]
    }


def distances_to(reference: Reference, z: Float[np.ndarray, " d"], metric: Metric) -> Float[np.ndarray, " n"]:
    """The distance of each reference code from `z`, [image]; 0 where it is the same code.

    Args:
        reference: The reference set.
        z: The code.
        metric: ``"euclidean"``; ``"cosine"``, 1 - the cosine of the angle at the origin; ``"deviations"``, Euclidean
            with each step counted in the dimension's mean posterior deviations, as maps and the trust cue count it.

    Raises:
        InputError: The metric is the cosine and `z` is zero, which has no direction.
    """
    if metric == "cosine":
        return _cosine_distances(reference, z)
    scale = reference.scale if metric == "deviations" else np.ones(len(z))
    # From the differences themselves: products would round, and not say 0 of the code itself.
    distances: np.ndarray = cdist((z * scale)[None], reference.means * scale)[0]
    return distances


def _cosine_distances(reference: Reference, z: Float[np.ndarray, " d"]) -> Float[np.ndarray, " n"]:
    if not z.any():
        raise InputError("the cosine needs a code other than the origin; move a slider or choose another distance.")
    exact, codes = z.astype(np.float64), reference.means.astype(np.float64)
    lengths = np.linalg.norm(codes, axis=1) * np.linalg.norm(exact)
    cosines = np.divide(codes @ exact, lengths, out=np.zeros(len(codes)), where=lengths > 0)
    distances: np.ndarray = (1 - cosines).clip(min=0)
    distances[_is_same(reference, z)] = 0  # which rounding may miss
    return distances


def _is_same(reference: Reference, z: Float[np.ndarray, " d"]) -> Bool[np.ndarray, " n"]:
    same: np.ndarray = (reference.means == z).all(axis=1)
    return same


QUESTIONS = {"neighbours": Question(NeighboursQuestion, neighbours)}
