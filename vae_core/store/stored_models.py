"""Stored models by name: save, load, list.

A stored model is a folder NAME/ with config.json, model.safetensors and, for those that ship,
reference.npz, metrics.json and README.md (the model card).
"""

import copy
import re
from pathlib import Path

from safetensors import SafetensorError

from vae_core.errors import ModelError
from vae_core.models.vae import CARD_FILE, CONFIG_FILE, VAE, WEIGHTS_FILE
from vae_core.runtime.locations import own_models, shipped_models
from vae_core.store.metrics_file import METRICS_FILE

__all__ = [
    "REFERENCE_FILE",
    "check_name",
    "check_not_shipped",
    "clear_results",
    "list_models",
    "load_model",
    "model_folder",
    "models_dirs",
    "save_model",
]

REFERENCE_FILE = "reference.npz"

NAME_RULE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def models_dirs() -> list[Path]:
    """Folders in which models are looked for, in this order: the person's own, then that of the shipped models."""
    return [*own_models(), shipped_models()]


def check_name(name: str) -> str:
    """Return `name` when it can safely name a model and its folder.

    Raises:
        ModelError: It has other characters than a-z, 0-9, dot, dash and underscore, or more than 64.
    """
    if not NAME_RULE.fullmatch(name):
        raise ModelError(
            f"a model's name has 1 to 64 of a-z, 0-9, '.', '-' and '_' and starts with a letter or digit, got {name!r}."
        )
    return name


def check_not_shipped(name: str, models_dir: Path) -> None:
    """Let a name pass that a model of somebody's own can have.

    Args:
        name: of a model that is to be stored.
        models_dir: where it is to be stored; the folder of the shipped models takes their names.

    Raises:
        ModelError: A model that comes with the program has the name.
    """
    shipped = shipped_models()
    if _is_model(shipped / name) and models_dir.resolve() != shipped.resolve():
        raise ModelError(
            f"{name} is the name of a model that comes with the program; choose another --name, or give "
            f"--models-dir {shipped} to replace the one that comes with it."
        )


def list_models(models_dir: Path | None = None) -> list[str]:
    """Names of the stored models, sorted; a folder counts when it holds config and weights.

    Args:
        models_dir: Where to look; where models are looked for when not given.
    """
    roots = models_dirs() if models_dir is None else [models_dir]
    folders = [folder for root in roots if root.is_dir() for folder in root.iterdir()]
    return sorted({folder.name for folder in folders if _is_model(folder)})


def model_folder(name: str) -> Path:
    """The folder of a stored model.

    Raises:
        ModelError: The name breaks the rule or no model has it; the message lists those there are.
    """
    check_name(name)
    for root in models_dirs():
        if _is_model(root / name):
            return root / name
    known = ", ".join(list_models()) or "none yet"
    raise ModelError(f"there is no model named {name!r}; the stored models are: {known}.")


def load_model(name: str) -> VAE:
    """Load a stored model by name, in evaluation mode, float32.

    Raises:
        ModelError: It is missing or damaged.
        ConfigError: Its config.json breaks a rule.
    """
    return VAE.from_pretrained(model_folder(name))


def save_model(model: VAE, folder: Path, *, half: bool = True) -> None:
    """Store the weights and the configuration in `folder`.

    Args:
        model: What to store; it is left as it is.
        folder: Made when missing; files of the same names are replaced.
        half: Store float16, half the size. Evaluate the stored model, not the one in memory.

    Raises:
        ModelError: The folder cannot be written.
    """
    stored = copy.deepcopy(model).half() if half else model
    try:
        stored.save_pretrained(folder)
    except (OSError, SafetensorError) as error:  # the latter is what a full disk gives
        raise ModelError(f"{folder} cannot be written ({error}); choose another folder.") from error


def clear_results(folder: Path) -> None:
    """Remove reference set, figures and card, which say nothing of the weights that are stored next."""
    for name in (REFERENCE_FILE, METRICS_FILE, CARD_FILE):
        (folder / name).unlink(missing_ok=True)


def _is_model(folder: Path) -> bool:
    named = NAME_RULE.fullmatch(folder.name) is not None
    return named and (folder / CONFIG_FILE).is_file() and (folder / WEIGHTS_FILE).is_file()
