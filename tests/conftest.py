"""What all tests share: shapes checked while they run, and a tiny seeded model with its reference set."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from jaxtyping import install_import_hook

# Every function and dataclass of the core checks its types and shapes while tests run; must come before the core's
# first import. The tower: an int may stand for a float, as for mypy.
install_import_hook("vae_core", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

# Read when umap first computes. Two threads on a busy machine take twice the time of one.
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

if TYPE_CHECKING:
    from pathlib import Path

    from vae_core.config import ModelConfig
    from vae_core.model import VAE
    from vae_core.reference import Reference

THREADS = 1  # for tiny models more only wait for each other: 50 times slower on a busy machine
REFERENCES = 40  # images in the tiny reference set


@pytest.fixture(autouse=True)
def torch_threads() -> None:
    """The same number of threads for every test: some tests, and the command line, set it."""
    import torch

    torch.get_num_threads()  # else this thread's first computation would take the number set last anywhere
    torch.set_num_threads(THREADS)


@pytest.fixture(scope="session")
def tiny_config() -> ModelConfig:
    """An mlp for grey images of 8 x 8 pixels with three latent dimensions."""
    from vae_core.config import ModelConfig

    return ModelConfig(architecture="mlp", height=8, width=8, latent_dim=3, widths=(8,))


@pytest.fixture
def tiny_model(tiny_config: ModelConfig) -> VAE:
    """The tiny model with seeded weights, in evaluation mode."""
    from vae_core.model import VAE

    return VAE.build_seeded(tiny_config, seed=0).eval()


@pytest.fixture
def tiny_reference(tiny_model: VAE) -> Reference:
    """The tiny model's encodings of seeded noise, laid out without umap, which takes ten seconds to compile."""
    import numpy as np
    import torch

    from vae_core.projection import fit_pca
    from vae_core.reference import Reference

    generator = np.random.default_rng(0)
    with torch.inference_mode():
        posterior = tiny_model.encode(torch.rand(REFERENCES, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    means = posterior.mean.numpy()
    pca = fit_pca(means)
    return Reference(
        means=means,
        logvars=posterior.logvar.numpy(),
        labels=np.arange(REFERENCES) % 2,
        label_names=("even", "odd"),
        umap_places=generator.standard_normal((REFERENCES, 2), dtype=np.float32),
        pca_mean=pca.mean,
        pca_components=pca.components,
        reconstruction=generator.uniform(30, 60, REFERENCES).astype(np.float32),
    )


@pytest.fixture
def models_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: VAE, tiny_reference: Reference) -> Path:
    """A folder, named by VAE_MODELS_DIR, that holds the tiny model under the name "tiny"."""
    from vae_core.checkpoint import REFERENCE_FILE, save_model

    folder = tmp_path / "models"
    save_model(tiny_model, folder / "tiny")
    tiny_reference.save(folder / "tiny" / REFERENCE_FILE)
    monkeypatch.setenv("VAE_MODELS_DIR", str(folder))
    return folder
