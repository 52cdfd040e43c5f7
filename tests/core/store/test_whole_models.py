"""A stored model is the old one or the new one, whole: while it is written, after a full disk and after a kill."""

import errno
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError

from vae_core.errors import ModelError
from vae_core.inference.engine import Engine
from vae_core.models import vae
from vae_core.models.config import ModelConfig
from vae_core.models.spec import spec_of
from vae_core.models.vae import VAE
from vae_core.reference.reference_set import Reference
from vae_core.runtime.ownership import MARKER_FILE
from vae_core.runtime.whole_folders import OLD
from vae_core.store.opening import load_model
from vae_core.store.stored_models import (
    MODEL_FILES,
    REFERENCE_FILE,
    list_models,
    model_folder,
    replaced_model,
    save_model,
)

FULL = (OSError(errno.ENOSPC, "No space left on device"), SafetensorError("No space left on device"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def set_aside(folder: Path) -> None:
    """As after a kill between the two renames."""
    folder.rename(folder.with_name(f".{folder.name}.{OLD}"))


# --- after a kill between the two renames --------------------------------------------------------------------


def test_a_model_that_was_set_aside_is_listed(models_dir: Path) -> None:
    set_aside(models_dir / "tiny")
    assert "tiny" in list_models()
    assert list_models(models_dir) == ["tiny"]


def test_a_model_that_was_set_aside_is_found_by_name(models_dir: Path) -> None:
    set_aside(models_dir / "tiny")
    assert model_folder("tiny") == models_dir / "tiny"
    assert (models_dir / "tiny").is_dir()


def test_a_model_that_was_set_aside_is_loaded(models_dir: Path, tiny_config: ModelConfig) -> None:
    by_name, by_path = (lambda: load_model("tiny").network), (lambda: load_model(models_dir / "tiny").network)
    for load in (by_name, by_path, lambda: VAE.from_pretrained(models_dir / "tiny")):
        set_aside(models_dir / "tiny")
        assert load().spec == spec_of(tiny_config)


def test_a_model_that_was_set_aside_is_loaded_by_the_engine(models_dir: Path) -> None:
    set_aside(models_dir / "tiny")
    engine = Engine()
    try:
        assert engine.load("tiny").reference is not None
    finally:
        engine.close()


# --- an error while it is written ----------------------------------------------------------------------------


@pytest.mark.parametrize("error", FULL, ids=lambda error: type(error).__name__)
def test_a_disk_that_is_full_leaves_the_old_model(
    models_dir: Path, tiny_config: ModelConfig, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(weights: object, path: Path, **_: object) -> None:
        path.write_bytes(b"half")
        raise error

    before = contents(models_dir / "tiny")
    monkeypatch.setattr(vae, "save_file", full)
    with pytest.raises(ModelError, match=r"tiny cannot be written \(.*No space left"):
        save_model(VAE(replace(tiny_config, latent_dim=2)), models_dir / "tiny")
    assert contents(models_dir / "tiny") == before
    assert load_model("tiny").spec == spec_of(tiny_config)
    assert [path.name for path in models_dir.iterdir() if path.is_dir()] == ["tiny"]


def test_a_disk_that_is_full_leaves_the_old_map(
    models_dir: Path, tiny_reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object, **_: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise FULL[0]

    before = contents(models_dir / "tiny")
    monkeypatch.setattr(np, "savez_compressed", full)
    with (
        pytest.raises(ModelError, match="the model there is as it was"),
        replaced_model(models_dir / "tiny", keep=MODEL_FILES) as new,
    ):
        tiny_reference.save(new / REFERENCE_FILE)
    with pytest.raises(OSError, match="No space left"):
        tiny_reference.save(models_dir / "tiny" / REFERENCE_FILE)
    assert contents(models_dir / "tiny") == before


def test_what_somebody_put_beside_a_model_stays_there(models_dir: Path, tiny_config: ModelConfig) -> None:
    (models_dir / "tiny" / "notes.txt").write_text("mine")
    (models_dir / "tiny" / "pictures").mkdir()
    with replaced_model(models_dir / "tiny") as new:
        VAE(replace(tiny_config, latent_dim=2)).write(new)
    names = {path.name for path in (models_dir / "tiny").iterdir()}
    assert names == {MARKER_FILE, "config.json", "model.safetensors", "notes.txt", "pictures"}
    assert (models_dir / "tiny" / "notes.txt").read_text() == "mine"


# --- while others read ---------------------------------------------------------------------------------------


def test_a_model_that_is_trained_anew_while_it_is_opened_is_opened_whole(
    models_dir: Path, tiny_config: ModelConfig
) -> None:
    """Weights that do not fit their configuration are an error: of two trainings none is ever mixed."""
    (models_dir / "tiny" / REFERENCE_FILE).unlink()  # it is of one of them
    over = threading.Event()

    def train() -> None:
        for number in range(25):
            save_model(VAE.build_seeded(replace(tiny_config, latent_dim=2 + number % 2), seed=0), models_dir / "tiny")
        over.set()

    writer = threading.Thread(target=train)
    writer.start()
    seen = set()
    while not over.is_set():
        assert "tiny" in list_models()
        seen.add(load_model("tiny").spec.latent_dim)
    writer.join()
    assert seen <= {2, 3}
