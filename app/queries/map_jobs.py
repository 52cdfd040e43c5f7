"""Questions that take long and concern the map: a UMAP fitted anew, and the codes of the training images."""

import functools
import json
from typing import Any

import numpy as np
from jaxtyping import Float
from pydantic.dataclasses import dataclass

from app.queries.base import Answer, Question
from app.services.refits import refits
from app.services.work import JobRequest, fingerprint
from app.wire.numbers import WIRE
from app.wire.packing import flags_base64, floats_base64, halves_base64, whole_base64
from vae_core.inference.engine import Engine
from vae_core.inference.training_codes import TrainingCodes, prepare_training_codes
from vae_core.projection.refit import prepare_refit
from vae_core.projection.refit_settings import UmapSettings
from vae_core.reference.reference_set import Reference
from vae_core.store.opening import StoredModel

__all__ = ["QUESTIONS"]


@dataclass(frozen=True, config=WIRE)
class TrainingQuestion:
    """Where do the images lie that the model was trained on?"""


def refit(_engine: Engine, loaded: StoredModel, settings: UmapSettings) -> Answer:
    """The places, fitted in the background and turned towards the stored map."""
    reference = loaded.need_reference()
    job = prepare_refit(reference.means, reference.scale, settings, onto=reference.umap_places)
    return JobRequest("refit", fingerprint(loaded.reference_digest, settings), job, functools.partial(_placed, loaded))


def training(_engine: Engine, loaded: StoredModel, _body: TrainingQuestion) -> Answer:
    """Their codes with their places on the stored map, made in the background or read where they are kept."""
    job = prepare_training_codes(loaded).then(functools.partial(_encoded, loaded.need_reference()))
    return JobRequest("training", fingerprint(loaded.digest, loaded.reference_digest), job, lambda packed: packed)


def _placed(loaded: StoredModel, places: Float[np.ndarray, "n 2"]) -> dict[str, Any]:
    """Where the reference codes lie, and the number by which live questions and others name the new map."""
    return {"places": floats_base64(places), "number": refits().keep(loaded, places)}


def _encoded(reference: Reference, training: TrainingCodes) -> bytes:
    """JSON of the codes in half precision, which is all that is kept of them; each image's label as for references."""
    arrays = {
        "umap": floats_base64(training.places),
        "pca": floats_base64(reference.pca_map.project(training.codes)),
        "labels": whole_base64(training.labels),
        "codes": halves_base64(training.codes),
        "trained": flags_base64(training.trained),  # 0: of the validation part
    }
    return json.dumps(arrays).encode()


QUESTIONS = {
    "refit": Question(UmapSettings, refit),
    "training": Question(TrainingQuestion, training),
}
