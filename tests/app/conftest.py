"""What the app's tests share: the process's engine, a visit's memory, pictures, and further models on demand."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from app.state import Session
from vae_core import lanes
from vae_core.checkpoint import REFERENCE_FILE, save_model
from vae_core.config import ModelConfig
from vae_core.inference import LoadedModel, engine
from vae_core.model import VAE
from vae_core.projection import fit_pca
from vae_core.reference import Reference

REFERENCES = 40  # images in a stored model's reference set

Store = Callable[..., LoadedModel]


@pytest.fixture(autouse=True)
def one_thread_a_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever test makes the process's engine: for tiny models more threads only wait for each other."""
    monkeypatch.setattr(lanes, "TORCH_THREADS", 1)


@pytest.fixture
def tiny(models_dir: Path) -> LoadedModel:
    """The tiny model, in the process's engine."""
    return engine().load("tiny")


@pytest.fixture
def memory() -> Session:
    """A visit's memory, apart from Streamlit."""
    return Session(model="tiny")


@pytest.fixture
def store(models_dir: Path) -> Store:
    """Store another seeded model, with a reference set of noise unless told otherwise, and load it."""

    def store(name: str, *, with_reference: bool = True, **config: object) -> LoadedModel:
        settings = {"architecture": "mlp", "height": 8, "width": 8, "latent_dim": 3, "widths": (8,), **config}
        model = VAE.build_seeded(ModelConfig(**settings), seed=1).eval()
        save_model(model, models_dir / name)
        if with_reference:
            noise_reference(model).save(models_dir / name / REFERENCE_FILE)
        return engine().load(name)

    return store


def noise_reference(model: VAE) -> Reference:
    """A reference set without umap: codes and places are noise, labels alternate."""
    generator = np.random.default_rng(2)
    shape = (REFERENCES, model.config.latent_dim)
    means = generator.standard_normal(shape, dtype=np.float32)
    pca = fit_pca(means)
    return Reference(
        means=means,
        logvars=np.full(shape, -1.0 if model.config.variational else -np.inf, np.float32),
        labels=np.arange(REFERENCES) % 2,
        label_names=("even", "odd"),
        umap_places=generator.standard_normal((REFERENCES, 2), dtype=np.float32),
        pca_mean=pca.mean,
        pca_components=pca.components,
        reconstruction=generator.uniform(30, 60, REFERENCES).astype(np.float32),
    )


@pytest.fixture
def png() -> Callable[[int], bytes]:
    """A file with a picture of seeded noise."""

    def png(seed: int) -> bytes:
        pixels = torch.randint(0, 256, (9, 9), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
        file = BytesIO()
        Image.fromarray(pixels.numpy()).save(file, "PNG")
        return file.getvalue()

    return png
