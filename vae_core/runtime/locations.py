"""The person's own folder: what the program keeps for one person beside the models."""

import os
from pathlib import Path

from vae_core.errors import ConfigError

__all__ = ["HOME_VARIABLE", "home_folder"]

HOME_VARIABLE = "VAE_EXPLORER_HOME"


def home_folder() -> Path:
    """The folder that VAE_EXPLORER_HOME names, else ``.vae-explorer`` in the home folder; it may not exist yet.

    Raises:
        ConfigError: The variable is not set and the operating system knows no home folder.
    """
    asked = os.environ.get(HOME_VARIABLE)
    try:
        return Path(asked).expanduser() if asked else Path.home() / ".vae-explorer"
    except RuntimeError as error:
        raise ConfigError(
            f"the person's own folder must be known ({error}); set {HOME_VARIABLE} to a folder."
        ) from error
