"""Stored models by name: save, load, list.

A stored model is a folder NAME/ with config.json, model.safetensors and, for those that ship,
reference.npz, metrics.json and README.md (the model card).
"""

import copy
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from vae_core.errors import ConfigError, ModelError
from vae_core.models.config_file import read_config
from vae_core.models.vae import CARD_FILE, CONFIG_FILE, VAE, WEIGHTS_FILE, plain_card
from vae_core.runtime.locations import own_models, shipped_models
from vae_core.runtime.names import NAME_RULE, is_name
from vae_core.runtime.ownership import MARKER_FILE, is_empty, is_marked, mark
from vae_core.runtime.whole_files import write_text_whole
from vae_core.runtime.whole_folders import folder_names, replaced_whole, settle
from vae_core.store.metrics_file import METRICS_FILE

__all__ = [
    "MODEL_FILES",
    "REFERENCE_FILE",
    "check_name",
    "check_not_shipped",
    "check_replaceable",
    "find_model",
    "is_model",
    "list_models",
    "misnamed_models",
    "model_folder",
    "models_dirs",
    "replaced_model",
    "save_model",
]

REFERENCE_FILE = "reference.npz"
MODEL_FILES = (CARD_FILE, CONFIG_FILE, METRICS_FILE, WEIGHTS_FILE, REFERENCE_FILE)  # all that a model consists of


def models_dirs() -> list[Path]:
    """Folders in which models are looked for, in this order: the person's own, then that of the shipped models."""
    return [*own_models(), shipped_models()]


def check_name(name: str) -> str:
    """Return `name` when it can safely name a model and its folder.

    Raises:
        ModelError: It has other characters than a-z, 0-9, dot, dash and underscore, or more than 64.
    """
    if not is_name(name):
        raise ModelError(f"a model's name has {NAME_RULE}, got {name!r}.")
    return name


def check_not_shipped(name: str, models_dir: Path) -> None:
    """Let a name pass that a model of somebody's own can have.

    Args:
        name: of a model that is to be stored.
        models_dir: where it is to be stored; the folder of the shipped models takes their names.

    Raises:
        ModelError: A model that comes with the program has the name, or the name breaks its rule.
    """
    shipped = shipped_models()
    if is_model(shipped / check_name(name)) and models_dir.resolve() != shipped.resolve():
        raise ModelError(
            f"{name} is the name of a model that comes with the program; choose another --name, or give "
            f"--models-dir {shipped} to replace the one that comes with it."
        )


def check_replaceable(folder: Path) -> None:
    """Let a folder pass that a model can be stored in without touching what is somebody else's.

    That is one which is missing or empty, has the program's marker, or, made before there were markers, holds weights
    beside a configuration that reads as a model's.

    Raises:
        ModelError: Something else lies there, or the folder cannot be read.
    """
    try:
        if is_empty(folder) or is_marked(folder, "model"):
            return
        if is_model(folder):
            read_config(folder / CONFIG_FILE)
            return
    except (OSError, ConfigError) as error:
        raise ModelError(f"{_not_ours(folder)} ({error})") from error
    raise ModelError(_not_ours(folder))


def _not_ours(folder: Path) -> str:
    return (
        f"{folder} holds files that are not a model of this program, and they are left as they are; "
        "choose another --name or --models-dir."
    )


def list_models(models_dir: Path | None = None) -> list[str]:
    """Names of the stored models, sorted; a folder counts when it holds config and weights.

    Args:
        models_dir: Where to look; where models are looked for when not given.
    """
    roots = models_dirs() if models_dir is None else [models_dir]
    return sorted({name for root in roots for name in _names(root) if _find_model(root / name)})


def misnamed_models(models_dir: Path | None = None) -> list[str]:
    """Names of folders that hold a model and are passed over, since no model can have such a name; sorted.

    Args:
        models_dir: As for `list_models`.
    """
    roots = models_dirs() if models_dir is None else [models_dir]
    names = {name for root in roots for name in _names(root) if is_model(root / name)}
    return sorted(name for name in names if not is_name(name) and not name.startswith("."))


def model_folder(name: str) -> Path:
    """The folder of a stored model.

    Raises:
        ModelError: The name breaks the rule or no model has it; the message lists those there are.
    """
    folder = find_model(check_name(name))
    if folder is None:
        known = ", ".join(list_models()) or "none yet"
        raise ModelError(f"there is no model named {name!r}; the stored models are: {known}.")
    return folder


def find_model(name: str) -> Path | None:
    """The folder of a stored model; None where no model has that name, or nothing can have it."""
    if not is_name(name):  # it could lead out of the folders
        return None
    return next((root / name for root in models_dirs() if _find_model(root / name)), None)


def save_model(model: VAE, folder: Path, *, half: bool = True) -> None:
    """Store the weights and the configuration in `folder`.

    Args:
        model: What to store; it is left as it is.
        folder: made when missing; files of the same names are replaced, both at once or not at all.
        half: Store float16, half the size. Evaluate the stored model, not the one in memory.

    Raises:
        ModelError: As for `replaced_model`.
    """
    stored = copy.deepcopy(model).half() if half else model
    with replaced_model(folder, keep=MODEL_FILES) as new:
        if not (new / CARD_FILE).exists():
            write_text_whole(new / CARD_FILE, plain_card(folder.resolve().name, model.config))
        stored.write(new)


@contextmanager
def replaced_model(folder: Path, *, keep: Collection[str] = ()) -> Iterator[Path]:
    """Yield a new folder that becomes the stored model, whole, when the block ends without an error.

    Whoever opens the model meanwhile, or after a kill, finds the old one or the new one.

    Args:
        folder: where the model is stored; made when missing. What the program did not write there stays.
        keep: those of `MODEL_FILES` that are in the new folder from the beginning.

    Raises:
        ModelError: What lies there is not a model of the program's, or the folder cannot be written; what is there is
            as it was.
    """
    check_replaceable(folder)
    try:
        with replaced_whole(folder, ours=(*MODEL_FILES, MARKER_FILE), keep=keep) as new:
            mark(new, "model")
            yield new
    except (OSError, SafetensorError) as error:  # the latter is what a full disk gives
        raise ModelError(f"{folder} cannot be written ({error}); the model there is as it was.") from error


def _find_model(folder: Path) -> bool:
    """Whether a model is stored there, or was, until a writer was killed that had set it aside."""
    if not is_name(folder.name):
        return False
    if not is_model(folder):
        settle(folder, (*MODEL_FILES, MARKER_FILE))
    return is_model(folder)


def _names(root: Path) -> set[str]:
    """Names of what lies in a folder; none of one that may not be read."""
    try:
        return folder_names(root)
    except OSError:
        return set()


def is_model(folder: Path) -> bool:
    """Whether a folder holds the two files of a model; not whether they can be read."""
    try:
        return (folder / CONFIG_FILE).is_file() and (folder / WEIGHTS_FILE).is_file()
    except OSError:  # a folder of another account, which nobody here may look into
        return False
