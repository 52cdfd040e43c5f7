"""Interpolate: an animation through any number of keyframes, along several kinds of path side by side."""

from app.components.interpolate import interpolate
from app.components.mounting import Event
from app.session.choices import current_code, current_view, take_view
from app.session.gallery import add_sent_pictures
from app.session.interpolate import studio_data, take_studio
from app.session.state import session
from app.widgets.boundary import run_page
from app.widgets.frame import current_model, page_header
from app.widgets.pictures import shown_pictures
from vae_core.inference.engine import engine

HINT = "Choose keyframes from your pictures, the map or at random; watch three kinds of path side by side."


def show() -> None:
    """The page."""
    if not page_header("Interpolate between keyframes", HINT):
        return
    memory, loaded = session(), current_model()
    interpolate(
        key="interpolate",
        loaded=loaded,
        state=studio_data(memory, loaded),
        z=current_code(memory, loaded),
        view=current_view(memory, loaded),
        token=memory.token,
        examined=shown_pictures(memory, loaded),
        on_event=handle,
    )


def handle(event: Event) -> None:
    """Take over what the person did on the page; runs before the page's script."""
    memory, loaded = session(), current_model()
    match event.kind, event.value:
        case "studio", state:
            take_studio(memory, loaded, state)
        case "view", view:
            take_view(memory, loaded, view)
        case "added", [*files]:
            add_sent_pictures(memory, engine(), loaded, files, load=False)  # the sliders are Explore's
        case "removed", picture_id:
            memory.remove_picture(str(picture_id))


run_page(show)
