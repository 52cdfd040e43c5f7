"""Explore: map, live picture, sliders and the visitor's own pictures on one screen."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

from app.choices import current_code, current_view, take_code, take_view
from app.frame import current_model, page_header
from app.gallery import add_example, add_pictures, choose_picture, examine, examples
from app.state import session
from app.widgets.bench import bench
from app.widgets.component import Event
from vae_core.inference import engine

HINT = "Move over the map to see what lies there, click to load it, drag a slider to change the picture; add your own."


def explore() -> None:
    """The page."""
    if not page_header("Explore the latent space", HINT):
        return
    memory, loaded = session(), current_model()
    bench(
        key="bench",
        loaded=loaded,
        z=current_code(memory, loaded),
        view=current_view(memory, loaded),
        revision=memory.revision,
        token=memory.token,
        examined=examine(memory, engine(), loaded),
        chosen=memory.chosen,
        examples=examples(loaded),
        on_event=handle,
    )


def handle(event: Event) -> None:
    """Take over what the person did on the page; runs before the page's script."""
    memory, loaded = session(), current_model()
    match event.kind, event.value:
        case "z", values:
            if (code := take_code(loaded, values)) is not None:
                memory.codes[loaded.name] = code
        case "view", view:
            take_view(memory, loaded, view)
        case "added", [*files]:
            add_pictures(memory, engine(), loaded, list(sent_files(files)))
        case "example", int(index) if index in range(len(examples(loaded))):
            add_example(memory, engine(), loaded, index)
        case "chosen", picture_id:
            choose_picture(memory, engine(), loaded, str(picture_id))
        case "removed", picture_id:
            memory.remove_picture(str(picture_id))


def sent_files(files: list[Any]) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The name of each file from the page and how to read it; what is no file is left out."""
    for file in files:
        match file:
            case {"name": str(name), "content": str(content)}:
                yield name, decoder(content)


def decoder(content: str) -> Callable[[], bytes]:
    """A function that turns base64 from the page into bytes; what is no base64 becomes no picture."""

    def decode() -> bytes:
        try:
            return base64.b64decode(content, validate=True)
        except ValueError:
            return b""

    return decode


explore()
