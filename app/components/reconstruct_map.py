"""The latent map with the visitor's pictures as stars."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

from app.components.mounting import PLOTLY_VERSION, Event, callbacks, register
from app.components.payloads import model_data, picture_data
from app.session.gallery import Examined
from app.session.state import View
from app.wire.limits import LIMITS
from vae_core.store.opening import StoredModel

__all__ = ["CARD", "reconstruct_map"]

_render = register("vae_reconstruct_map", "reconstruct/reconstruct_map.js")

CARD = "card_"  # a container with this key and a picture's id is what its star points to


def reconstruct_map(
    *,
    key: str,
    loaded: StoredModel,
    view: View,
    examined: Sequence[Examined],
    chosen: str | None,
    on_event: Callable[[Event], None],
) -> None:
    """Show the component.

    Args:
        key: Of the component.
        loaded: The model in use; it must have a reference set.
        view: How the map is shown.
        examined: The visitor's pictures.
        chosen: Id of the one whose star stands out.
        on_event: Called with what the person did, before the rerun: ``"picked"`` with a picture's id, or ``"view"``.
    """
    data = {
        "model": model_data(loaded),
        "plotlyVersion": PLOTLY_VERSION,
        "limits": LIMITS,
        "view": asdict(view),
        "pictures": [picture_data(each, loaded) for each in examined],
        "chosen": chosen,
        "card": CARD,
    }
    _render(key=key, data=data, **callbacks(key, ("picked", "view"), loaded, on_event))
