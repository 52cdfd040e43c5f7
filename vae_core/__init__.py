"""Variational autoencoders: train, store, evaluate and run them; importable and useful without the app.

`import vae_core as vae` offers the names below; each is imported when it is first asked for, so that importing the
package takes no time: torch alone takes 0.7 s.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vae_core.datasets.registry import load_dataset
    from vae_core.errors import VAEExplorerError
    from vae_core.evaluation.runs import evaluate
    from vae_core.images.files import open_picture
    from vae_core.images.preparation import prepare_picture
    from vae_core.images.preparation_options import Preparation
    from vae_core.latent.directions import Direction, difference, principal_directions
    from vae_core.latent.paths import interpolate
    from vae_core.models.config import ModelConfig, TrainingConfig
    from vae_core.models.posterior import Posterior
    from vae_core.models.vae import VAE
    from vae_core.reference.reference_set import Reference
    from vae_core.store.opening import load_model
    from vae_core.store.stored_models import list_models
    from vae_core.training.runs import train

__all__ = [
    "VAE",
    "Direction",
    "ModelConfig",
    "Posterior",
    "Preparation",
    "Reference",
    "TrainingConfig",
    "VAEExplorerError",
    "difference",
    "evaluate",
    "interpolate",
    "list_models",
    "load_dataset",
    "load_model",
    "open_picture",
    "prepare_picture",
    "principal_directions",
    "train",
]

__version__ = "0.1.0"

_HOMES = {
    "vae_core.datasets.registry": ("load_dataset",),
    "vae_core.errors": ("VAEExplorerError",),
    "vae_core.evaluation.runs": ("evaluate",),
    "vae_core.images.files": ("open_picture",),
    "vae_core.images.preparation": ("prepare_picture",),
    "vae_core.images.preparation_options": ("Preparation",),
    "vae_core.latent.directions": ("Direction", "difference", "principal_directions"),
    "vae_core.latent.paths": ("interpolate",),
    "vae_core.models.config": ("ModelConfig", "TrainingConfig"),
    "vae_core.models.posterior": ("Posterior",),
    "vae_core.models.vae": ("VAE",),
    "vae_core.reference.reference_set": ("Reference",),
    "vae_core.store.opening": ("load_model",),
    "vae_core.store.stored_models": ("list_models",),
    "vae_core.training.runs": ("train",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what is asked for from where it stands (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = found  # the next time it is simply there
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
