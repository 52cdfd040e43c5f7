"""The Explore component: map, decoded picture, sliders and the visitor's pictures."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from jaxtyping import Float
from torch import Tensor

from app.components.mounting import PLOTLY_VERSION, Event, callbacks, register
from app.components.payloads import model_data, picture_data
from app.session.desk import Desk, desk_data
from app.session.gallery import Examined
from app.session.state import Code, View
from app.wire.limits import LIMITS
from app.wire.packing import picture_base64
from vae_core.images.pixels import pixels_of
from vae_core.images.preparation import error_map
from vae_core.reconstruction.analysis import ELBO_SAMPLES
from vae_core.store.opening import StoredModel

__all__ = ["explore"]

_render = register("vae_explore", "explore/explore.js")

EVENTS = ("z", "view", "desk", "added", "example", "chosen", "removed")


def explore(
    *,
    key: str,
    loaded: StoredModel,
    z: Code,
    view: View,
    desk: Desk,
    revision: int,
    token: str,
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
        desk: What the visitor laid out; the page takes it over when it is mounted or the model is switched.
        revision: Raise it when z or view were changed by Python: only then does the page take them over.
        token: Of the session; when it changes under a living page, the page reminds Python of what it shows.
        examined: The visitor's pictures.
        chosen: Id of the one whose strip is shown.
        examples: Names and pictures to try.
        on_event: Called with what the person did, before the rerun: ``"z"`` with the code, ``"view"``, ``"desk"``,
            ``"added"`` with [{name, content in base64}], ``"example"`` with an index, ``"chosen"`` or ``"removed"``
            with an id.
    """
    data = {
        "model": model_data(loaded),
        "plotlyVersion": PLOTLY_VERSION,
        "limits": LIMITS,
        "z": z.tolist(),
        "view": asdict(view),
        "desk": desk_data(desk),
        "revision": revision,
        "session": token,
        "pictures": [picture_data(each, loaded) for each in examined],
        "chosen": chosen,
        "strip": next((_strip(each, loaded) for each in examined if each.picture.id == chosen), None),
        "examples": [{"name": name, "image": picture_base64(pixels_of(image))} for name, image in examples],
    }
    _render(key=key, data=data, **callbacks(key, EVENTS, loaded, on_event))


def _strip(each: Examined, loaded: StoredModel) -> dict[str, Any]:
    analysis = each.analysis
    parts = [
        ("input", each.seen),
        ("reconstruction", analysis.reconstruction),
        ("error", error_map(each.seen, analysis.reconstruction)),
    ]
    lines = [f"Reconstruction {analysis.reconstruction_nats:.1f} nats"]
    if loaded.spec.variational:
        lines = [f"ELBO {analysis.elbo:.1f} nats", *lines, f"KL {analysis.kl_nats:.1f} nats"]
    lines = [line.replace("-", "\u2212") for line in lines]
    about = (
        f"Pictures are decoded from the mean; figures average {ELBO_SAMPLES} posterior samples. "
        f"The reconstruction term is {loaded.spec.pixels}."
    )
    shown = [{"caption": name, "image": picture_base64(pixels_of(image))} for name, image in parts]
    return {"parts": shown, "lines": lines, "about": about}
