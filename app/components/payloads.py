"""What our components are told of models and pictures: small values only, the rest is fetched by address."""

from typing import Any

import numpy as np

from app.live.answers import project_everywhere
from app.live.map_charts import maps_version
from app.session.choices import projections
from app.session.gallery import Examined
from app.wire.packing import picture_base64
from vae_core.datasets.availability import is_at_hand
from vae_core.datasets.registry import DATASETS
from vae_core.images.pixels import pixels_of
from vae_core.inference.memo import once_a_model
from vae_core.store.opening import StoredModel

__all__ = ["model_data", "picture_data"]

TRACK_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)  # of the data, marked on a slider's track


def model_data(loaded: StoredModel) -> dict[str, Any]:
    """What the page has to know of a model; its sliders come most important first."""
    return {
        **_unchanging_data(loaded),
        "trainingAtHand": is_at_hand(loaded.spec.dataset or "", ("train", "validation")),
    }


@once_a_model(1)
def _unchanging_data(loaded: StoredModel) -> dict[str, Any]:
    """All of it but what depends on the machine's files; not to be changed."""
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
        "latentDim": loaded.spec.latent_dim,
        "shape": list(loaded.spec.image_shape),
        "variational": loaded.spec.variational,
        "sliders": sliders,
        "projections": projections(loaded),
        "labelTitle": label_title(loaded),
        "labelNames": list(reference.label_names),
        "references": len(reference),
        "seenInTraining": int((~reference.held_out).sum()),
    }


def label_title(loaded: StoredModel) -> str:
    """What the labels of the model's pictures are of; those of a folder of pictures are its subfolders."""
    info = DATASETS.get(loaded.spec.dataset or "")
    return "Folder" if info is None else info.label_title


def picture_data(each: Examined, loaded: StoredModel) -> dict[str, Any]:
    """What the page has to know of one of the visitor's pictures."""
    return {
        "id": each.picture.id,
        "name": each.picture.name,
        "image": picture_base64(pixels_of(each.seen)),
        "mean": each.analysis.mean.tolist(),
        "places": project_everywhere(loaded, each.analysis.mean),
    }
