"""What the app's tests share: the process's engine, a visit's memory, pictures, and further models on demand."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from app.session import state
from app.session.state import Session
from tests.conftest import REFERENCES, reference_of
from vae_core.inference.engine import LoadedModel, engine
from vae_core.models.config import ModelConfig
from vae_core.models.vae import VAE
from vae_core.reference.reference_set import Reference
from vae_core.runtime import lanes
from vae_core.store.presets import PRESETS
from vae_core.store.stored_models import REFERENCE_FILE, save_model

Store = Callable[..., LoadedModel]


@pytest.fixture(autouse=True)
def one_thread_a_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever test makes the process's engine: for tiny models more threads only wait for each other."""
    monkeypatch.setattr(lanes, "TORCH_THREADS", 1)


@pytest.fixture(autouse=True)
def notices_at_once_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests read a notice in the run that shows it."""
    monkeypatch.setattr(state, "READING_SECONDS", 0.0)


@pytest.fixture
def tiny(models_dir: Path) -> LoadedModel:
    """The tiny model, in the process's engine."""
    return engine().load("tiny")


@pytest.fixture
def memory() -> Session:
    """A visit's memory, apart from Streamlit."""
    return Session(model="tiny")


@pytest.fixture
def store(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Store another seeded model, with a reference set of noise unless told otherwise, and load it.

    `names` are those of its dimensions. Under a preset's name it is made by that preset unless told otherwise.
    """

    def store(
        name: str,
        *,
        with_reference: bool = True,
        names: tuple[str, ...] | None = None,
        by_preset: bool = True,
        **config: object,
    ) -> LoadedModel:
        settings = {"architecture": "mlp", "height": 8, "width": 8, "latent_dim": 3, "widths": (8,), **config}
        model = VAE.build_seeded(ModelConfig(**settings), seed=1).eval()
        if by_preset and name in PRESETS:
            monkeypatch.setitem(PRESETS, name, replace(PRESETS[name], config=model.config))
        save_model(model, models_dir / name)
        if with_reference:
            noise_reference(model, names).save(models_dir / name / REFERENCE_FILE)
        return engine().load(name)

    return store


def noise_reference(model: VAE, names: tuple[str, ...] | None = None) -> Reference:
    """A reference set without umap: codes and places are noise, labels alternate."""
    shape = (REFERENCES, model.config.latent_dim)
    means = np.random.default_rng(2).standard_normal(shape, dtype=np.float32)
    logvars = np.full(shape, -1.0 if model.config.variational else -np.inf, np.float32)
    return reference_of(means, logvars, seed=2, names=names)


@pytest.fixture
def png() -> Callable[[int], bytes]:
    """A file with a picture of seeded noise."""

    def png(seed: int) -> bytes:
        pixels = torch.randint(0, 256, (9, 9), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
        file = BytesIO()
        Image.fromarray(pixels.numpy()).save(file, "PNG")
        return file.getvalue()

    return png
