"""The server's entry: Streamlit's app with our routes beside it, warmed up in the background."""

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from app import server
from tests.app.conftest import Store
from vae_core.inference import engine as engine_module
from vae_core.inference.engine import Engine
from vae_core.models.vae import CONFIG_FILE
from vae_core.store.stored_models import REFERENCE_FILE, WEIGHTS_FILE


@pytest.fixture
def own_engine(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine that the server warms up: one that has loaded nothing yet; other models than ours are out of reach."""
    own = Engine()
    monkeypatch.setattr(server, "engine", lambda: own)
    monkeypatch.setattr(server, "list_models", lambda: sorted(path.name for path in models_dir.iterdir()))
    return own


def forbid_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a model that is not in memory cannot be had."""

    def load_model(name: str) -> None:
        raise AssertionError(f"{name} was not loaded yet")

    monkeypatch.setattr(engine_module, "load_model", load_model)


def test_the_entry_is_a_streamlit_app_of_our_page():
    assert isinstance(server.app, st.App)
    assert server.app.script_path == Path(server.__file__).parent / "main.py"


def test_warming_up_loads_every_model(own_engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch):
    store("other", latent_dim=2)
    server._load_all()
    forbid_loading(monkeypatch)
    for name, latent_dim in (("tiny", 3), ("other", 2)):
        assert own_engine.decode(own_engine.load(name), np.zeros((1, latent_dim), np.float32)).shape == (1, 1, 8, 8)


def test_damaged_models_do_not_keep_the_others_from_being_loaded(
    own_engine: Engine, store: Store, models_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, file in (("a", WEIGHTS_FILE), ("b", CONFIG_FILE), ("c", REFERENCE_FILE)):  # all of them before "tiny"
        store(name)
        (models_dir / name / file).write_bytes(b"damaged")
    server._load_all()
    forbid_loading(monkeypatch)
    assert own_engine.load("tiny").config.latent_dim == 3


def test_the_server_starts_without_waiting_for_the_models(monkeypatch: pytest.MonkeyPatch):
    started, gate, done = threading.Event(), threading.Event(), threading.Event()

    def load_all() -> None:
        started.set()
        assert gate.wait(30)
        done.set()

    monkeypatch.setattr(server, "_load_all", load_all)

    async def start() -> None:
        async with server.warm_up(None):
            assert await asyncio.to_thread(started.wait, 30)
            assert not done.is_set()

    asyncio.run(start())
    gate.set()
    assert done.wait(30)
