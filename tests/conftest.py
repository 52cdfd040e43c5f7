"""What all tests share: shapes checked while they run, and a tiny seeded model with its reference set."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jaxtyping import install_import_hook

# Every function and dataclass of the core checks its types and shapes while tests run; must come before the core's
# first import. The tower: an int may stand for a float, as for mypy.
install_import_hook("vae_core", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

# Read when umap first computes. Two threads on a busy machine take twice the time of one.
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

# No test looks into the person's own folders, not even while tests are collected; what `own_places` names is each
# test's own. VAE_DATA_DIR stays: it names the data sets that are tested with.
NOBODYS = Path(tempfile.mkdtemp(prefix="vae-tests-"))
atexit.register(shutil.rmtree, NOBODYS, ignore_errors=True)
PLACES = ("VAE_MODELS_DIR", "VAE_RUNS_DIR", "VAE_CACHE_DIR", "VAE_EXPLORER_HOME")
os.environ.update({variable: str(NOBODYS / variable.lower()) for variable in PLACES})

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from vae_core.models.config import ModelConfig
    from vae_core.models.vae import VAE
    from vae_core.reference.reference_set import Reference
    from vae_core.store.opening import StoredModel

THREADS = 1  # for tiny models more only wait for each other: 50 times slower on a busy machine
REFERENCES = 40  # images in the tiny reference set


@pytest.fixture(autouse=True)
def torch_threads() -> None:
    """The same number of threads for every test: some tests, and the command line, set it."""
    import torch

    torch.get_num_threads()  # else this thread's first computation would take the number set last anywhere
    torch.set_num_threads(THREADS)


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, not there yet, in which the test has places of its own for models, runs, caches and the rest."""
    folder = tmp_path / "places"
    for variable in PLACES:
        monkeypatch.setenv(variable, str(folder / variable.lower()))
    return folder


@pytest.fixture
def nothing_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No model comes with the program."""
    from vae_core.runtime import locations

    monkeypatch.setattr(locations, "SHIPPED", tmp_path / "nothing shipped")


@pytest.fixture(scope="session")
def tiny_config() -> ModelConfig:
    """An mlp for grey images of 8 x 8 pixels with three latent dimensions."""
    from vae_core.models.config import ModelConfig

    return ModelConfig(architecture="mlp", height=8, width=8, latent_dim=3, widths=(8,))


@pytest.fixture
def tiny_model(tiny_config: ModelConfig) -> VAE:
    """The tiny model with seeded weights, in evaluation mode."""
    from vae_core.models.vae import VAE

    return VAE.build_seeded(tiny_config, seed=0).eval()


@pytest.fixture
def tiny_reference(tiny_model: VAE) -> Reference:
    """The tiny model's encodings of seeded noise, laid out without umap, which takes ten seconds to compile."""
    import torch

    with torch.inference_mode():
        posterior = tiny_model.encode(torch.rand(REFERENCES, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    return reference_of(posterior.mean.numpy(), posterior.logvar.numpy(), seed=0)


def reference_of(
    means: np.ndarray, logvars: np.ndarray, *, seed: int, names: tuple[str, ...] | None = None
) -> Reference:
    """A reference set of codes whose places and scores are seeded noise and whose labels alternate.

    Its mixture has two components, one around -1 and one, three times as heavy, around 1.
    """
    import numpy as np

    from vae_core.projection.projections import fit_pca
    from vae_core.reference.reference_set import Reference
    from vae_core.reference.scores import SCORES

    means, logvars = (codes.astype(np.float16).astype(np.float32) for codes in (means, logvars))  # as they are stored
    generator, (count, latent) = np.random.default_rng(seed), means.shape
    pca, reconstruction = fit_pca(means), generator.uniform(30, 60, count).astype(np.float32)
    return Reference(
        means=means,
        logvars=logvars,
        labels=np.arange(count) % 2,
        label_names=("even", "odd"),
        umap_places=generator.standard_normal((count, 2), dtype=np.float32),
        pca_mean=pca.mean,
        pca_components=pca.components,
        reconstruction=reconstruction,
        held_out=np.ones(count, bool),
        score_percentiles=np.tile(np.percentile(reconstruction, np.arange(101)), (len(SCORES), 1)).astype(np.float32),
        mixture_weights=np.array([0.25, 0.75], np.float32),
        mixture_means=np.stack([np.full(latent, -1, np.float32), np.full(latent, 1, np.float32)]),
        mixture_factors=np.stack([np.eye(latent, dtype=np.float32) / 4] * 2),
        dimension_names=names or ("",) * latent,
    )


@pytest.fixture
def models_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: VAE, tiny_reference: Reference) -> Path:
    """A folder, named by VAE_MODELS_DIR, that holds the tiny model under the name "tiny"."""
    from vae_core.store.stored_models import REFERENCE_FILE, save_model

    folder = tmp_path / "models"
    save_model(tiny_model, folder / "tiny")
    tiny_reference.save(folder / "tiny" / REFERENCE_FILE)
    monkeypatch.setenv("VAE_MODELS_DIR", str(folder))
    return folder


@pytest.fixture
def tiny(models_dir: Path) -> StoredModel:
    """The tiny model, in the process's engine."""
    from vae_core.inference.engine import engine

    return engine().load("tiny")


@pytest.fixture
def store(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., StoredModel]:
    """Store another seeded model, with a reference set of noise unless told otherwise, and load it.

    `names` are those of its dimensions. Under a preset's name it is made by that preset unless told otherwise.
    """
    from vae_core.inference.engine import engine
    from vae_core.models.config import ModelConfig
    from vae_core.models.vae import VAE
    from vae_core.store.presets import PRESETS
    from vae_core.store.stored_models import REFERENCE_FILE, save_model

    def store(
        name: str,
        *,
        with_reference: bool = True,
        names: tuple[str, ...] | None = None,
        by_preset: bool = True,
        **config: object,
    ) -> StoredModel:
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
    import numpy as np

    shape = (REFERENCES, model.config.latent_dim)
    means = np.random.default_rng(2).standard_normal(shape, dtype=np.float32)
    logvars = np.full(shape, -1.0 if model.config.variational else -np.inf, np.float32)
    return reference_of(means, logvars, seed=2, names=names)
