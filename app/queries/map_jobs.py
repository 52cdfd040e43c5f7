"""Questions that take long and concern the map: a UMAP fitted anew, and the codes of the training images."""

import functools
from typing import Any

import numpy as np
from jaxtyping import Float

from app.queries.base import Answer, Question
from app.services.jobs import jobs
from app.services.refits import refits
from app.wire.numbers import strict
from app.wire.packing import flags_base64, floats_base64, halves_base64, whole_base64
from vae_core.inference.engine import Engine
from vae_core.inference.loaded import LoadedModel
from vae_core.inference.training_codes import TrainingCodes, start_training_codes
from vae_core.projection.refit import Refit, start_refit
from vae_core.projection.refit_settings import UmapSettings
from vae_core.reference.reference_set import Reference

__all__ = ["QUESTIONS"]


@strict
class RefitQuestion:
    """What would the map be with other settings? See `vae_core.projection.refit_settings.UmapSettings`.

    Attributes:
        neighbors: How many nearest codes each one is tied to.
        minDist: How near to each other places may come, in units of the map.
        metric: How codes are compared.
        deviations: Whether differences are counted in posterior deviations or as they are.
        seed: Of the layout.
    """

    neighbors: int
    minDist: float  # noqa: N815 - the page's name
    metric: str
    deviations: bool
    seed: int


@strict
class TrainingQuestion:
    """Where do the images lie that the model was trained on?"""


def refit(_engine: Engine, loaded: LoadedModel, body: RefitQuestion) -> Answer:
    """A job that fits it, turned towards the stored map."""
    reference = loaded.need_reference()
    settings = UmapSettings(body.neighbors, body.minDist, body.metric, body.deviations, body.seed)

    def start() -> Refit:
        return start_refit(reference.means, reference.scale, settings, onto=reference.umap_places)

    return {"job": jobs().begin("refit", start, functools.partial(_placed, loaded))}


def training(_engine: Engine, loaded: LoadedModel, _body: TrainingQuestion) -> Answer:
    """A job that encodes them and places them on the stored map, or reads what is known of them."""
    present = functools.partial(_encoded, loaded.need_reference())
    return {"job": jobs().begin("training", lambda: start_training_codes(loaded), present)}


def _placed(loaded: LoadedModel, places: Float[np.ndarray, "n 2"]) -> dict[str, Any]:
    """Where the reference codes lie, and the number by which live questions and others name the new map."""
    return {"places": floats_base64(places), "number": refits().keep(loaded, places)}


def _encoded(reference: Reference, training: TrainingCodes) -> dict[str, str]:
    """The codes in half precision, which is all that is kept of them; each image's label as for references."""
    return {
        "umap": floats_base64(training.places),
        "pca": floats_base64(reference.pca_map.place(training.codes)),
        "labels": whole_base64(training.labels),
        "codes": halves_base64(training.codes),
        "trained": flags_base64(training.trained),  # 0: of the validation part
    }


QUESTIONS = {
    "refit": Question(RefitQuestion, refit),
    "training": Question(TrainingQuestion, training),
}
