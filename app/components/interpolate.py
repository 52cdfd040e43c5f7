"""The Interpolate component: keyframes, the paths through them on the map, and their pictures side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.components.mounting import PLOTLY_VERSION, Event, callbacks, register
from app.components.payloads import model_data, picture_data
from app.session.gallery import Examined
from app.session.state import Code, View
from app.wire.limits import LIMITS
from vae_core.latent.graph import NEIGHBOURS, POWER
from vae_core.store.opening import StoredModel

__all__ = ["interpolate"]

_render = register("vae_interpolate", "interpolate/interpolate.js")

EVENTS = ("studio", "view", "added", "removed")


def interpolate(
    *,
    key: str,
    loaded: StoredModel,
    state: Mapping[str, Any],
    z: Code,
    view: View,
    token: str,
    examined: Sequence[Examined],
    on_event: Callable[[Event], None],
) -> None:
    """Show the component.

    Args:
        key: Of the component.
        loaded: The model in use; it must have a reference set.
        state: Keyframes and settings (see `app.session.interpolate`); the page takes them over when it is mounted or
            the model is switched, and keeps to its own after that.
        z: The code of Explore's sliders, [latent].
        view: How the map is shown.
        token: Of the session; when it changes under a living page, the page reminds Python of what it shows.
        examined: The visitor's pictures.
        on_event: Called with what the person did, before the rerun: ``"studio"`` with the whole state, ``"view"``,
            ``"added"`` with [{name, content in base64}], ``"removed"`` with a picture's id.
    """
    data = {
        "model": model_data(loaded),
        "plotlyVersion": PLOTLY_VERSION,
        "limits": LIMITS,
        "studio": dict(state),
        "graph": {"neighbours": NEIGHBOURS, "power": POWER},  # that paths through the data follow
        "z": z.tolist(),
        "view": asdict(view),
        "session": token,
        "pictures": [picture_data(each, loaded) for each in examined],
    }
    _render(key=key, data=data, **callbacks(key, EVENTS, loaded, on_event))
