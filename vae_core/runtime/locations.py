"""The places on a machine where the program reads and writes: one table, and the folder of each of its rows.

Every place has an environment variable that names another folder. Nothing is made by asking for a place.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from vae_core.errors import ConfigError

__all__ = [
    "CACHE_VARIABLE",
    "DATA_VARIABLE",
    "HOME_VARIABLE",
    "LOCATIONS",
    "MODELS_VARIABLE",
    "RUNS_VARIABLE",
    "Location",
    "cache_folder",
    "data_folder",
    "home_folder",
    "own_file",
    "own_models",
    "runs_folder",
    "shipped_models",
]

APP = "vae-explorer"
MODELS_VARIABLE = "VAE_MODELS_DIR"
RUNS_VARIABLE = "VAE_RUNS_DIR"
CACHE_VARIABLE = "VAE_CACHE_DIR"
HOME_VARIABLE = "VAE_EXPLORER_HOME"
DATA_VARIABLE = "VAE_DATA_DIR"

FORMER_HOME = ".vae-explorer"  # in the home folder: the owner's folder up to version 0.1
CORE = Path(__file__).resolve().parents[1]
# A wheel has the shipped models inside the core; in a checkout they lie beside it.
SHIPPED = CORE / "pretrained" if (CORE / "pretrained").is_dir() else CORE.parent / "pretrained"


def own_models() -> list[Path]:
    """Folders of the person's own models in the order of search; `train` writes into the first.

    Raises:
        ConfigError: No variable names a folder and the operating system knows no home folder.
    """
    named = [folder for folder in os.environ.get(MODELS_VARIABLE, "").split(os.pathsep) if folder]
    return [_expanded(folder, MODELS_VARIABLE) for folder in named] or [home_folder() / "models"]


def shipped_models() -> Path:
    """Folder of the models that come with the program, which only `train-all` writes to; it may be missing."""
    return SHIPPED


def runs_folder() -> Path:
    """Folder in which each training run has a folder of its own.

    Raises:
        ConfigError: As for `own_models`.
    """
    return _folder(RUNS_VARIABLE, platformdirs.user_state_path(APP) / "runs")


def cache_folder() -> Path:
    """Folder of what can be had again.

    Raises:
        ConfigError: As for `own_models`.
    """
    return _folder(CACHE_VARIABLE, platformdirs.user_cache_path(APP))


def home_folder() -> Path:
    """Folder of what the program keeps for its owner beside the models.

    Raises:
        ConfigError: As for `own_models`.
    """
    return _folder(HOME_VARIABLE, platformdirs.user_data_path(APP))


def data_folder() -> Path | None:
    """Folder of the data sets' archives; None where none is named. It may not exist.

    Raises:
        ConfigError: As for `own_models`.
    """
    named = os.environ.get(DATA_VARIABLE)
    return _expanded(named, DATA_VARIABLE) if named else None


def own_file(name: str) -> Path:
    """Where a file of the owner's folder is read: there, or in the folder of version 0.1 while it is only there.

    Args:
        name: path inside the owner's folder; files are written there, never in the former one.

    Raises:
        ConfigError: As for `own_models`.
    """
    present = home_folder() / name
    if present.exists() or os.environ.get(HOME_VARIABLE):
        return present
    former = Path("~", FORMER_HOME, name).expanduser()
    return former if former.exists() else present


def _folder(variable: str, default: Path) -> Path:
    named = os.environ.get(variable)
    if named:
        return _expanded(named, variable)
    if not default.is_absolute():  # platformdirs leaves the tilde where there is no home folder
        raise _homeless(variable)
    return default


def _expanded(folder: str, variable: str) -> Path:
    try:
        return Path(folder).expanduser()
    except RuntimeError as error:
        raise _homeless(variable) from error


def _homeless(variable: str) -> ConfigError:
    return ConfigError(f"the operating system knows no home folder for this account; set {variable} to a folder.")


@dataclass(frozen=True)
class Location:
    """One place, in the words of README.md and of the `places` command.

    Attributes:
        name: what lies there.
        variable: environment variable that names another folder; empty where none does.
        default: folder while the variable is not set, as it is on Linux.
        purpose: who writes there and what for.
        folders: gives the folders on this machine, in the order of search.
    """

    name: str
    variable: str
    default: str
    purpose: str
    folders: Callable[[], list[Path]] = field(repr=False)


LOCATIONS = (
    Location(
        "own models",
        MODELS_VARIABLE,
        f"~/.local/share/{APP}/models",
        "`train` writes here; searched before the shipped models. Of several folders, joined by `:` (`;` on Windows), "
        "the first is written to",
        own_models,
    ),
    Location(
        "runs",
        RUNS_VARIABLE,
        f"~/.local/state/{APP}/runs",
        "checkpoints, from which a stopped `train` goes on",
        lambda: [runs_folder()],
    ),
    Location(
        "caches",
        CACHE_VARIABLE,
        f"~/.cache/{APP}",
        "what can be had again: downloaded data sets, codes of training images, classifiers",
        lambda: [cache_folder()],
    ),
    Location(
        "the owner's folder",
        HOME_VARIABLE,
        f"~/.local/share/{APP}",
        "saved directions, and which folder of pictures each of the owner's data sets is",
        lambda: [home_folder()],
    ),
    Location(
        "data sets",
        DATA_VARIABLE,
        "none",
        "`mnist.npz`, `faces.npz` and so on, for reading alone",
        lambda: [folder for folder in [data_folder()] if folder],
    ),
    Location(
        "shipped models",
        "",
        "`pretrained/` beside the program",
        "the collection; `train-all` alone writes here, and who gives this folder as `--models-dir`",
        lambda: [shipped_models()],
    ),
)
