"""Questions about single places: a reference image's code and card, a code's way from the data, a value's range."""

from typing import Any

import numpy as np
from pydantic.dataclasses import dataclass

from app.queries.base import Question, as_code, check_index, decode_pixels
from app.queries.groups import ValueName
from app.wire.numbers import WIRE, Numbers
from app.wire.packing import picture_base64
from vae_core.inference.engine import Engine
from vae_core.inference.memo import reference_values
from vae_core.inference.originals import original_of
from vae_core.reference.path_statistics import path_statistics
from vae_core.reference.reference_set import Reference
from vae_core.reference.scores import SCORES
from vae_core.store.opening import StoredModel

__all__ = ["QUESTIONS", "ValuesQuestion"]

EDGE = 95  # percent of held-out images that lie nearer to their neighbours than what is at the data's edge
AMONG, AT_EDGE, FAR = "among the data", "at its edge", "far from all data"


@dataclass(frozen=True, config=WIRE)
class CodeQuestion:
    """Which code has this reference image?"""

    index: int


@dataclass(frozen=True, config=WIRE)
class CardQuestion:
    """What is this reference image like?"""

    index: int


@dataclass(frozen=True, config=WIRE)
class PlaceQuestion:
    """How far from the data does this code lie?"""

    z: Numbers


@dataclass(frozen=True, config=WIRE)
class ValuesQuestion:
    """Between what do the reference images' values lie?"""

    what: ValueName


def code(_engine: Engine, loaded: StoredModel, body: CodeQuestion) -> dict[str, Any]:
    """A reference image's code and label, at once: nothing is decoded, and no data set is read."""
    reference, index = loaded.need_reference(), check_index(loaded, body.index)
    return {"code": reference.means[index].tolist(), "label": _label_of(reference, index)}


def card(engine: Engine, loaded: StoredModel, body: CardQuestion) -> dict[str, Any]:
    """A reference image: as it decodes, as it was where that is at hand, and its scores in nats."""
    reference, index = loaded.need_reference(), check_index(loaded, body.index)
    original = original_of(engine, loaded, index)
    reconstruction = float(reference.reconstruction[index])
    return {
        "code": reference.means[index].tolist(),
        "image": picture_base64(decode_pixels(engine, loaded, reference.means[[index]])[0]),
        "original": None if original is None else picture_base64(original),
        "label": _label_of(reference, index),
        "reconstruction": reconstruction,
        "percentile": reference.percentile("reconstruction", reconstruction),
        "kl": float(reference_values(loaded, "kl")[index]) if reference.is_variational else None,
        "seen": not reference.held_out[index],
    }


def _label_of(reference: Reference, index: int) -> str:
    label: str = reference.label_names[reference.labels[index]]
    return label


def place(_engine: Engine, loaded: StoredModel, body: PlaceQuestion) -> dict[str, Any]:
    """A code's mean distance to its nearest reference codes in posterior deviations, and what to think of it."""
    reference = loaded.need_reference()
    along = path_statistics(as_code(loaded, body.z)[None], reference)
    distance, percentile = float(along.neighbour_distance[0]), float(along.percentile[0])
    return {"distance": distance, "percentile": percentile, "hint": hint_of(reference, distance)}


def hint_of(reference: Reference, distance: float) -> str:
    """Where a code lies, in words: far from all data is farther from its neighbours than any held-out image."""
    if reference.percentile("neighbour_distance", distance) < EDGE:
        return AMONG
    farthest = reference.score_percentiles[SCORES.index("neighbour_distance"), -1]
    return AT_EDGE if distance <= farthest else FAR


def values(_engine: Engine, loaded: StoredModel, body: ValuesQuestion) -> dict[str, Any]:
    """The lowest and the highest of the reference images' values, and their 0th to 100th percentile."""
    quantiles = np.percentile(reference_values(loaded, body.what), np.arange(101))
    return {"low": float(quantiles[0]), "high": float(quantiles[-1]), "quantiles": quantiles.tolist()}


QUESTIONS = {
    "code": Question(CodeQuestion, code),
    "card": Question(CardQuestion, card),
    "place": Question(PlaceQuestion, place),
    "values": Question(ValuesQuestion, values),
}
