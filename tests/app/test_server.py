"""The server's entry: Streamlit's app with our routes beside it, warmed up in the background."""

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from app import server
from app.services.catalogue import FIRST_MODEL
from tests.app.conftest import Store
from vae_core.inference.engine import MODEL_ROOM, Engine
from vae_core.models.vae import CONFIG_FILE
from vae_core.store.opening import StoredModel, open_stored_model
from vae_core.store.stored_models import REFERENCE_FILE, WEIGHTS_FILE


class Openings:
    """Opens models and notes their names; those in `failing` raise what nobody foresaw."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.names: list[str] = []

    def __call__(self, folder: Path, name: str) -> StoredModel:
        self.names.append(name)
        if name in self.failing:
            raise MemoryError
        return open_stored_model(folder, name)


def test_the_entry_is_a_streamlit_app_of_our_page():
    assert isinstance(server.app, st.App)
    assert server.app.script_path == Path(server.__file__).parent / "main.py"


def test_warming_up_loads_every_model(store: Store):
    store("other", latent_dim=2)
    openings = Openings()
    engine = Engine(open_model=openings)
    server.load_models(engine, ["other", "tiny"])
    assert openings.names == ["other", "tiny"]
    for name, latent_dim in (("tiny", 3), ("other", 2)):
        assert engine.decode(engine.load(name), np.zeros((1, latent_dim), np.float32)).shape == (1, 1, 8, 8)
    assert len(openings.names) == 2


def test_what_a_first_visit_shows_is_loaded_first(store: Store):
    store(FIRST_MODEL, by_preset=False)
    openings = Openings()
    server.load_models(Engine(open_model=openings), ["tiny", FIRST_MODEL])
    assert openings.names == [FIRST_MODEL, "tiny"]


def test_damaged_models_do_not_keep_the_others_from_being_loaded(
    store: Store, models_dir: Path, caplog: pytest.LogCaptureFixture
):
    for name, file in (("a", WEIGHTS_FILE), ("b", CONFIG_FILE), ("c", REFERENCE_FILE)):  # all of them before "tiny"
        store(name)
        (models_dir / name / file).write_bytes(b"damaged")
    store("d")
    openings = Openings("d")
    engine = Engine(open_model=openings)
    server.load_models(engine, ["a", "b", "c", "d", "tiny"])
    assert openings.names == ["a", "b", "c", "d", "tiny"]
    assert engine.room_left < MODEL_ROOM
    logged = [record for record in caplog.records if "could not be loaded beforehand" in record.getMessage()]
    assert [record.getMessage().split()[0] for record in logged] == ["a", "b", "c", "d"]
    assert all(record.exc_info for record in logged)
    assert "MemoryError" in caplog.text


def test_models_are_loaded_while_there_is_room(store: Store, tiny: StoredModel):
    store("other")
    openings = Openings()
    server.load_models(Engine(open_model=openings, room=tiny.size), ["tiny", "other"])
    assert openings.names == ["tiny"]


@pytest.mark.parametrize("failing", ["list_models", "load_models"])
def test_whatever_keeps_models_from_being_loaded_the_rest_is_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failing: str
):
    def fail(*_arguments: object) -> None:
        raise PermissionError("no business of yours")

    done: list[str] = []
    monkeypatch.setattr(server, "list_models", list)
    monkeypatch.setattr(server, failing, fail)
    monkeypatch.setattr(server, "import_measuring", lambda: done.append("measuring"))
    monkeypatch.setattr(server.gc, "freeze", lambda: done.append("freeze"))
    server._load_all()
    assert done == ["measuring", "freeze"]
    assert "no business of yours" in caplog.text


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
