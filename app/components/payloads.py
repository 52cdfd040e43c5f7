"""What our components are told of models and pictures: small values only, the rest is fetched by address."""

from typing import Any

import numpy as np

from app.live.answers import place_everywhere
from app.live.map_figures import maps_version
from app.session.choices import projections
from app.session.gallery import Examined
from app.wire.packing import picture_base64
from vae_core.datasets.registry import DATASETS
from vae_core.images.pixels import pixels_of
from vae_core.inference.loaded import LoadedModel
from vae_core.inference.training_codes import has_training_images

__all__ = ["model_data", "picture_data"]

TRACK_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)  # of the data, marked on a slider's track


def model_data(loaded: LoadedModel) -> dict[str, Any]:
    """What the page has to know of a model; its sliders come most important first."""
    reference = loaded.need_reference()
    importance, ranges = reference.importance, reference.ranges.astype(np.float64)  # tenths that JSON keeps short
    quantiles = np.quantile(reference.means, TRACK_QUANTILES, axis=0).round(3)  # [quantile, latent]
    sliders = [
        {
            "dimension": int(dimension),
            "name": reference.dimension_names[dimension],
            "importance": float(importance[dimension]),
            "low": float(np.floor(10 * ranges[dimension, 0]) / 10),
            "high": float(np.ceil(10 * ranges[dimension, 1]) / 10),
            "quantiles": quantiles[:, dimension].tolist(),
        }
        for dimension in np.argsort(-importance, kind="stable")
    ]
    return {
        "name": loaded.name,
        "digest": loaded.digest,
        "referenceDigest": loaded.reference_digest,
        "maps": maps_version(loaded),
        "latentDim": loaded.config.latent_dim,
        "shape": list(loaded.config.image_shape),
        "variational": loaded.config.variational,
        "sliders": sliders,
        "projections": projections(loaded),
        "labelTitle": label_title(loaded),
        "labelNames": list(reference.label_names),
        "references": len(reference),
        "trainingAtHand": has_training_images(loaded.config),
        "seenInTraining": int((~reference.held_out).sum()),
    }


def label_title(loaded: LoadedModel) -> str:
    """What the labels of the model's pictures are of; those of a folder of pictures are its subfolders."""
    training = loaded.config.training
    info = DATASETS.get(training.dataset) if training is not None else None
    return "Folder" if info is None else info.label_title


def picture_data(each: Examined, loaded: LoadedModel) -> dict[str, Any]:
    """What the page has to know of one of the visitor's pictures."""
    return {
        "id": each.picture.id,
        "name": each.picture.name,
        "image": picture_base64(pixels_of(each.seen)),
        "mean": each.analysis.mean.tolist(),
        "places": place_everywhere(loaded, each.analysis.mean),
    }
