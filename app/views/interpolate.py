"""Interpolate: from one code to another, as an animation and as a path on the map."""

from typing import Any

from app.choices import current_code, current_ends, current_view, random_end, take_code, take_path, take_view
from app.frame import current_model, page_header
from app.gallery import Examined, examine
from app.state import Code, End, session
from app.widgets.component import Event
from app.widgets.player import player
from vae_core.inference import LoadedModel, engine
from vae_core.latent import interpolate

HINT = "Choose two ends from your pictures, the map or at random; watch the pictures between them and their path."
FRAMES = 181  # three seconds at 60 a second


def show() -> None:
    """The page."""
    if not page_header("Interpolate between two codes", HINT):
        return
    memory, loaded = session(), current_model()
    ends, examined = current_ends(memory, loaded), examine(memory, engine(), loaded)
    start, end = (end_code(ends[which], examined) for which in ("start", "end"))
    player(
        key="player",
        loaded=loaded,
        codes=interpolate(start, end, frames=FRAMES, kind=memory.path),
        kind=memory.path,
        ends={which: ends[which].name for which in ("start", "end")},
        view=current_view(memory, loaded),
        examined=examined,
        on_event=handle,
    )


def end_code(end: End, examined: list[Examined]) -> Code:
    """The code of an end, [latent]; a picture's is its mean under the model in use."""
    if end.code is not None:
        return end.code
    return next(each.analysis.mean for each in examined if each.picture.id == end.picture)


def handle(event: Event) -> None:
    """Take over what the person did on the page; runs before the page's script."""
    memory, loaded = session(), current_model()
    ends = current_ends(memory, loaded)
    match event.kind, event.value:
        case "end", {"which": "start" | "end" as which}:
            if end := asked_end(loaded, event.value):
                ends[which] = end
        case "path", kind:
            take_path(memory, kind)
        case "swap", _:
            ends["start"], ends["end"] = ends["end"], ends["start"]
        case "view", view:
            take_view(memory, loaded, view)


def asked_end(loaded: LoadedModel, value: Any) -> End | None:
    """The end that the page asks for; None when its picture or code is gone."""
    memory = session()
    match value:
        case {"source": "prior" | "data" as source}:
            return random_end(loaded, source)
        case {"source": "sliders"}:
            return End("the sliders on Explore", current_code(memory, loaded).copy())
        case {"source": "map", "code": values}:
            code = take_code(loaded, values)
            return None if code is None else End("a place on the map", code)
        case {"source": "picture", "id": picture_id}:
            return next((End(each.name, picture=each.id) for each in memory.pictures if each.id == picture_id), None)
    return None


show()
