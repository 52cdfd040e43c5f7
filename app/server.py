"""The server: Streamlit's app with the live routes beside it. Start it with `streamlit run app/server.py`."""

import gc
import logging
import os
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from starlette.middleware import Middleware

from app.live.allowed_hosts import HOSTS_VARIABLE, AllowedHosts, allowed_hosts
from app.live.ask import import_measuring
from app.live.pools import close_pools
from app.live.routes import live_routes
from app.live.server_limits import ServerLimits
from app.services.catalogue import FIRST_MODEL
from app.widgets.boundary import show_failure
from vae_core.images.decoding import decoders
from vae_core.inference.engine import Engine, engine
from vae_core.store.stored_models import list_models

__all__ = ["app", "load_models"]

logger = logging.getLogger(__name__)


@asynccontextmanager
async def warm_up(_app: Any) -> AsyncIterator[None]:
    """Load the models beside the first request instead of in it."""
    threading.Thread(target=_load_all, name="vae-warm-up", daemon=True).start()
    try:
        yield
    finally:
        close_pools()


def _load_all() -> None:
    try:
        load_models(engine(), list_models())
    except Exception:  # whatever keeps models from being found: the pages say so themselves, and the rest is needed
        logger.exception("no models could be loaded beforehand")
    import_measuring()
    decoders().warm_up()
    gc.collect()
    gc.freeze()  # what was loaded stays: later collections need not look through it while pictures are waited for


def load_models(engine: Engine, names: Sequence[str]) -> None:
    """Open and run each model once, that of a first visit before the others, while there is room for more.

    What is wrong with a model is logged, and said by the page when the model is chosen.
    """
    for name in sorted(names, key=lambda name: name != FIRST_MODEL):
        if engine.room_left <= 0:
            logger.info("no more models are loaded beforehand, for want of room: from %s on when asked for", name)
            return
        try:
            loaded = engine.load(name)
            engine.decode(loaded, np.zeros((1, loaded.spec.latent_dim), np.float32), live=True)
        except Exception:  # whatever one model's files make a library raise, the others go on
            logger.exception("%s could not be loaded beforehand", name)


def _middleware() -> list[Middleware]:
    """What every request passes first, Streamlit's own routes included."""
    names = allowed_hosts(
        listens_at=st.get_option("server.address"),
        shown_as=st.get_option("browser.serverAddress"),
        more=os.environ.get(HOSTS_VARIABLE, ""),
    )
    return [Middleware(ServerLimits), Middleware(AllowedHosts, names=names)]


app = st.App(
    Path(__file__).parent / "main.py",
    routes=live_routes(st.get_option("server.baseUrlPath")),
    middleware=_middleware(),
    lifespan=warm_up,
    on_script_error=show_failure,
)
