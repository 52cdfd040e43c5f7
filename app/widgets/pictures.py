"""The visitor's pictures for a page to show, as many as there are at present."""

import streamlit as st

from app.session.gallery import Examined, examine, examined_already
from app.session.state import Session
from vae_core.errors import VAEExplorerError
from vae_core.inference.engine import engine
from vae_core.store.opening import StoredModel

__all__ = ["shown_pictures"]


def shown_pictures(memory: Session, loaded: StoredModel) -> list[Examined]:
    """The visitor's pictures in the eyes of the model; when that fails those that are done, and a sentence why."""
    try:
        return examine(memory, engine(), loaded)
    except VAEExplorerError as error:
        done = examined_already(memory, loaded)
        st.warning(f"{error} Not shown yet: {len(memory.pictures) - len(done):,} of your pictures.")
        return done
