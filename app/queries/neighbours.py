"""The question which reference images' codes lie nearest to a code."""

from typing import Annotated, Any, Literal

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field
from pydantic.dataclasses import dataclass

from app.queries.base import Question, as_code, decode_pixels
from app.wire.limits import MAX_NEAREST
from app.wire.numbers import WIRE, Numbers
from app.wire.packing import picture_base64
from vae_core.errors import InputError
from vae_core.inference.engine import Engine
from vae_core.latent.neighbours import distances_between
from vae_core.reference.reference_set import Reference
from vae_core.store.opening import StoredModel

__all__ = ["QUESTIONS"]

Metric = Literal["euclidean", "cosine", "deviations"]


@dataclass(frozen=True, config=WIRE)
class NeighboursQuestion:
    """Which reference codes lie nearest to this one?"""

    z: Numbers
    k: Annotated[int, Field(ge=1, le=MAX_NEAREST)]
    metric: Metric


def neighbours(engine: Engine, loaded: StoredModel, body: NeighboursQuestion) -> dict[str, Any]:
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
        if not z.any():
            raise InputError("the cosine needs a code other than the origin; move a slider or choose another distance.")
        distances: np.ndarray = distances_between(z[None], reference.means, "cosine")[0]
        distances[_is_same(reference, z)] = 0  # which rounding may miss
        return distances
    scale = reference.scale if metric == "deviations" else np.ones(len(z))
    scaled: np.ndarray = distances_between(z[None] * scale, reference.means * scale)[0]
    return scaled


def _is_same(reference: Reference, z: Float[np.ndarray, " d"]) -> Bool[np.ndarray, " n"]:
    same: np.ndarray = (reference.means == z).all(axis=1)
    return same


QUESTIONS = {"neighbours": Question(NeighboursQuestion, neighbours)}
