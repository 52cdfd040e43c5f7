"""The Explore component: map, decoded picture, sliders and the visitor's pictures."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from app.gallery import Examined
from app.live.answers import place_everywhere
from app.state import Code, View, component_value
from app.widgets.component import PLOTLY_VERSION, register
from vae_core.images import error_map, image_to_png
from vae_core.inference import LoadedModel

__all__ = ["Event", "bench", "model_data", "png_base64", "projections"]

_render = register("vae_bench", "bench.js")

THUMB_SCALE = 2  # PNG pixels for each of the model's, in thumbnails and strips


@dataclass(frozen=True)
class Event:
    """What the person did, once it has settled.

    Attributes:
        kind: ``"z"``, ``"view"``, ``"added"``, ``"example"``, ``"chosen"`` or ``"removed"``.
        value: The new code; the new view; files as [{name, content in base64}]; an example's index; a picture's id.
    """

    kind: str
    value: Any


def bench(
    *,
    key: str,
    loaded: LoadedModel,
    z: Code,
    view: View,
    revision: int,
    examined: Sequence[Examined],
    chosen: str | None,
    examples: Sequence[tuple[str, Float[Tensor, "channel height width"]]],
    on_event: Callable[[Event], None],
) -> None:
    """Show the component.

    Args:
        key: Of the component.
        loaded: The model in use; it must have a reference set.
        z: The code that the sliders show, [latent].
        view: How the map is shown.
        revision: Raise it when z or view were changed by Python: only then does the page take them over.
        examined: The visitor's pictures.
        chosen: Id of the one whose strip is shown.
        examples: Names and pictures to try.
        on_event: Called with what the person did, before the rerun.
    """
    data = {
        "model": model_data(loaded),
        "plotlyVersion": PLOTLY_VERSION,
        "z": z.tolist(),
        "view": asdict(view),
        "revision": revision,
        "pictures": [_picture_data(each, loaded) for each in examined],
        "chosen": chosen,
        "strip": next((_strip(each, loaded) for each in examined if each.picture.id == chosen), None),
        "examples": [{"name": name, "image": png_base64(image)} for name, image in examples],
    }
    _render(key=key, data=data, **_callbacks(key, on_event))


def projections(loaded: LoadedModel) -> list[str]:
    """The maps that a model offers, the first one first shown; a plane needs no projection."""
    return ["axes"] if loaded.config.latent_dim <= 2 else ["umap", "pca", "axes"]


def model_data(loaded: LoadedModel) -> dict[str, Any]:
    """What the page has to know of a model; its sliders come most important first."""
    reference = loaded.need_reference()
    importance, ranges = reference.importance, reference.ranges
    sliders = [
        {
            "dimension": int(dimension),
            "importance": float(importance[dimension]),
            "low": float(np.floor(10 * ranges[dimension, 0]) / 10),
            "high": float(np.ceil(10 * ranges[dimension, 1]) / 10),
        }
        for dimension in np.argsort(-importance, kind="stable")
    ]
    return {
        "name": loaded.name,
        "digest": loaded.digest,
        "latentDim": loaded.config.latent_dim,
        "shape": list(loaded.config.image_shape),
        "variational": loaded.config.variational,
        "sliders": sliders,
        "projections": projections(loaded),
    }


def png_base64(image: Float[Tensor, "channel height width"]) -> str:
    """A picture as base64 text of a PNG."""
    return base64.b64encode(image_to_png(image, scale=THUMB_SCALE)).decode()


def _picture_data(each: Examined, loaded: LoadedModel) -> dict[str, Any]:
    return {
        "id": each.picture.id,
        "name": each.picture.name,
        "image": png_base64(each.seen),
        "mean": each.analysis.mean.tolist(),
        "places": place_everywhere(loaded, each.analysis.mean),
    }


def _strip(each: Examined, loaded: LoadedModel) -> dict[str, Any]:
    analysis = each.analysis
    parts = [
        ("input", each.seen),
        ("reconstruction", analysis.reconstruction),
        ("error", error_map(each.seen, analysis.reconstruction)),
    ]
    lines = [f"Reconstruction {analysis.reconstruction_nats:.1f} nats"]
    if loaded.config.variational:
        lines = [f"ELBO {analysis.elbo:.1f} nats".replace("-", "\u2212"), *lines, f"KL {analysis.kl_nats:.1f} nats"]
    return {"parts": [{"caption": name, "image": png_base64(image)} for name, image in parts], "lines": lines}


def _callbacks(key: str, on_event: Callable[[Event], None]) -> dict[str, Callable[[], None]]:
    def callback(kind: str) -> Callable[[], None]:
        return lambda: on_event(Event(kind, component_value(key, kind)))

    kinds = ("z", "view", "added", "example", "chosen", "removed")
    return {f"on_{kind}_change": callback(kind) for kind in kinds}
