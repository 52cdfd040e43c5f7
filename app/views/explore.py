"""Explore: map, live picture, sliders and the visitor's own pictures on one screen."""

from app.components.explore import explore
from app.components.mounting import Event
from app.session.choices import current_code, current_view, take_code, take_view
from app.session.desk import current_desk, keep_locked, take_desk
from app.session.gallery import add_example, add_sent_pictures, choose_picture, examples
from app.session.state import session
from app.widgets.boundary import run_page
from app.widgets.frame import current_model, page_header
from app.widgets.pictures import shown_pictures
from vae_core.inference.engine import engine

HINT = "Move over the map to see what lies there, click to load it, drag a slider to change the picture; add your own."


def show() -> None:
    """The page."""
    if not page_header("Explore the latent space", HINT):
        return
    memory, loaded = session(), current_model()
    explore(
        key="explore",
        loaded=loaded,
        z=current_code(memory, loaded),
        view=current_view(memory, loaded),
        desk=current_desk(memory, loaded),
        revision=memory.revision,
        token=memory.token,
        examined=shown_pictures(memory, loaded),
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
        case "desk", desk:
            take_desk(memory, loaded, desk, same_images=event.same_images)
        case "added", [*files]:
            with keep_locked(memory, loaded):
                add_sent_pictures(memory, engine(), loaded, files)
        case "example", int(index) if index in range(len(examples(loaded))):
            with keep_locked(memory, loaded):
                add_example(memory, engine(), loaded, index)
        case "chosen", picture_id:
            with keep_locked(memory, loaded):
                choose_picture(memory, engine(), loaded, str(picture_id))
        case "removed", picture_id:
            memory.remove_picture(str(picture_id))


run_page(show)
