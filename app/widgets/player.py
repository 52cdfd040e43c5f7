"""The Interpolate component: two ends, the path between them on the map, and its pictures as an animation."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import numpy as np
from jaxtyping import Float

from app.gallery import Examined
from app.state import View
from app.widgets.component import PLOTLY_VERSION, Event, callbacks, register
from app.widgets.model_data import model_data, picture_data
from vae_core.inference import LoadedModel
from vae_core.latent import Path

__all__ = ["player"]

_render = register("vae_player", "player.js")


def player(
    *,
    key: str,
    loaded: LoadedModel,
    codes: Float[np.ndarray, "n d"],
    kind: Path,
    ends: Mapping[str, str],
    view: View,
    examined: Sequence[Examined],
    on_event: Callable[[Event], None],
) -> None:
    """Show the component.

    Args:
        key: Of the component.
        loaded: The model in use; it must have a reference set.
        codes: Of the path, [frame, latent].
        kind: Of the path.
        ends: What to call "start" and "end".
        view: How the map is shown.
        examined: The visitor's pictures.
        on_event: Called with what the person did, before the rerun: ``"end"`` with {which, source, ...},
            ``"path"`` with a kind, ``"swap"``, or ``"view"``.
    """
    data = {
        "model": model_data(loaded),
        "plotlyVersion": PLOTLY_VERSION,
        "path": base64.b64encode(codes.astype("<f4").tobytes()).decode(),
        "kind": kind,
        "ends": dict(ends),
        "view": asdict(view),
        "pictures": [picture_data(each, loaded) for each in examined],
    }
    _render(key=key, data=data, **callbacks(key, ("end", "path", "swap", "view"), loaded.digest, on_event))
