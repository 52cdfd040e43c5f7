"""Explore: map, live picture, sliders and the visitor's own pictures on one screen."""

import base64
import binascii
from typing import Any

import numpy as np

from app.cache import example_digits
from app.frame import current_model, page_header
from app.gallery import add_pictures, choose_picture, examine
from app.state import Code, View, session
from app.widgets.bench import Event, bench, projections
from vae_core.images import image_to_png
from vae_core.inference import LoadedModel, engine

HINT = "Move over the map to see what lies there, click to load it, drag a slider to change the picture; add your own."


def explore() -> None:
    """The page."""
    if not page_header("Explore the latent space", HINT):
        return
    memory, loaded = session(), current_model()
    bench(
        key="bench",
        loaded=loaded,
        z=memory.codes.setdefault(loaded.name, typical_code(loaded)),
        view=memory.views.setdefault(loaded.name, View(projections(loaded)[0])),
        revision=memory.revision,
        examined=examine(memory, engine(), loaded),
        chosen=memory.chosen,
        examples=example_digits(),
        on_event=handle,
    )


def typical_code(loaded: LoadedModel) -> Code:
    """Where a first visit starts: the held-out image that is reconstructed neither well nor badly, but typically."""
    reference = loaded.need_reference()
    middle = np.median(reference.reconstruction)
    code: Code = reference.means[np.abs(reference.reconstruction - middle).argmin()].copy()
    return code


def handle(event: Event) -> None:
    """Take over what the person did on the page; runs before the page's script."""
    memory, loaded = session(), current_model()
    match event.kind:
        case "z":
            take_code(loaded, event.value)
        case "view":
            take_view(loaded, event.value)
        case "added":
            files = [(str(file["name"]), decoder(file["content"])) for file in event.value or []]
            add_pictures(memory, engine(), loaded, files)
        case "example":
            if event.value is not None:
                name, image = example_digits()[int(event.value)]
                add_pictures(memory, engine(), loaded, [(f"digit {name}", lambda: image_to_png(image))])
        case "chosen":
            choose_picture(memory, engine(), loaded, str(event.value))
        case "removed":
            memory.remove_picture(str(event.value))


def take_code(loaded: LoadedModel, values: Any) -> None:
    """Keep the page's code; one that is not for this model (it was switched meanwhile) is dropped."""
    code = np.asarray(values or [], np.float32)
    if code.shape == (loaded.config.latent_dim,) and np.isfinite(code).all():
        session().codes[loaded.name] = code


def take_view(loaded: LoadedModel, value: Any) -> None:
    """Keep the page's view of the map, likewise."""
    if value and value["projection"] in projections(loaded) and max(value["x"], value["y"]) < loaded.config.latent_dim:
        session().views[loaded.name] = View(**value)


def decoder(content: str) -> Any:
    """A function that turns base64 from the page into bytes; what is no base64 becomes no picture."""

    def decode() -> bytes:
        try:
            return base64.b64decode(content, validate=True)
        except binascii.Error:
            return b""

    return decode


explore()
