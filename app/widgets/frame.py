"""What every page has around it: its style, its thread's setting, the model picker and notices."""

import re

import streamlit as st
import torch

from app.components.model_picker import model_picker
from app.components.mounting import Event
from app.services.catalogue import FIRST_MODEL, collection
from app.session.desk import forget_images
from app.session.gallery import prepare_switch, switch_model
from app.session.links import follow_link
from app.session.state import session
from vae_core.errors import VAEExplorerError
from vae_core.inference.engine import engine
from vae_core.store.opening import StoredModel
from vae_core.store.stored_models import list_models

__all__ = ["choose_model", "current_model", "page_header", "page_style", "start_page"]

PAGE_THREADS = 1  # a page computes little itself: models run in the engine's own threads
PICKER = "model_picker"
MARKDOWN = re.compile(r"[\\`*_\[\]<>#|~$:]")

# Streamlit leaves six lines of air above a page; the map needs them.
STYLE = """
<style>
  .stMainBlockContainer { padding: 4rem 1.5rem 1rem; }
  .stMainBlockContainer h1 { font-size: 1.5rem; padding: 0.3rem 0 0; }
  .stMainBlockContainer [data-testid="stAlertContainer"] { min-height: 0; padding: 0.25rem 0.75rem; }
  .stMainBlockContainer h3 { font-size: 1.2rem; padding: 0.6rem 0 0.3rem; }
</style>
"""


def page_style() -> None:
    """Make room for the map on every page."""
    st.html(STYLE)


def start_page() -> None:
    """Set torch's thread count: it counts for the calling thread alone, and each script run may have a new one."""
    torch.set_num_threads(PAGE_THREADS)


def page_header(title: str, hint: str) -> bool:
    """Title, one line that says what to do, the model picker and pending notices; False when no model can be used."""
    left, right = st.columns([2, 1], vertical_alignment="bottom", gap="medium")
    with left:
        st.title(title, anchor=False)
        line = st.empty()  # the hint, or notices in its place: a short one hardly moves the page
        line.caption(hint)
    names = list_models()
    if not names:
        st.error(
            "There is no stored model yet. Train one: `python -m vae_core train --dataset mnist --name mnist-16d`."
        )
        return False
    with right:
        usable = _pick_model(names)
    if usable:
        follow_link(session(), current_model())
    if notices := session().take_notices():
        line.warning("\n\n".join(MARKDOWN.sub(r"\\\g<0>", notice) for notice in notices))  # names show as they are
    return usable


def current_model() -> StoredModel:
    """The model in use; `page_header` has made sure that it loads."""
    return engine().load(session().model or "")


def choose_model(name: str) -> None:
    """Make a stored model the one in use, whole or not at all.

    Raises:
        BusyError: Too many requests wait; the model in use stays.
        ModelError: It is gone, damaged or has no reference set; the model in use stays.
        ConfigError: Its config.json breaks a rule.
    """
    memory, loaded = session(), engine().load(name)
    loaded.need_reference()
    if memory.model != name:
        prepare_switch(memory, engine(), loaded)
    change = memory.forget_if_retrained(name, loaded.digest, loaded.reference_digest)
    if change == "weights":
        memory.notices.append(f"{name} was trained anew: its code, map, groups and keyframes start afresh.")
    elif change == "reference" and forget_images(memory, name):
        memory.notices.append(f"{name} was evaluated anew: groups and selection, which name its images, start afresh.")
    if memory.model != name:
        switch_model(memory, engine(), loaded)


def _pick_model(names: list[str]) -> bool:
    memory = session()
    if memory.model is not None and memory.model not in names:
        memory.notices.append(f"There is no model named {memory.model!r} here; this is {_first(names)}.")
        memory.model = None
    wanted = memory.model or _first(names)
    model_picker(key=PICKER, entries=collection(), current=wanted, on_event=_take_pick)
    try:
        choose_model(wanted)
    except VAEExplorerError as error:
        st.error(str(error))
        return False
    return True


def _take_pick(event: Event) -> None:
    """Take over a choice; runs before the page's script."""
    match event.value:
        case str(name):
            try:
                choose_model(name)
            except VAEExplorerError as error:
                session().notices.append(f"{error} The model in use stays.")


def _first(names: list[str]) -> str:
    return FIRST_MODEL if FIRST_MODEL in names else names[0]
