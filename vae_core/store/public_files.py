"""A stored model's files as others may have them: version 0.1 wrote paths of its machine into three of them."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from vae_core.errors import VAEExplorerError
from vae_core.models.config_file import config_text, read_config
from vae_core.models.vae import CARD_FILE, CONFIG_FILE
from vae_core.runtime.formats import number_in
from vae_core.store.metrics_file import METRICS_FILE, metrics_text, read_metrics

__all__ = ["public_content"]

LEFT_OUT = "(a command with folders of another machine)"


def public_content(folder: Path, name: str) -> bytes:
    """The content of one of a stored model's files, without any path of the machine that it was made on.

    Args:
        folder: folder of the stored model.
        name: one of `vae_core.store.stored_models.MODEL_FILES`, which is there.

    Raises:
        OSError: The file cannot be read.
    """
    content = (folder / name).read_bytes()
    without_paths: dict[str, Callable[[], str]] = {
        CONFIG_FILE: lambda: config_text(read_config(folder / CONFIG_FILE)),
        METRICS_FILE: lambda: metrics_text(folder, read_metrics(folder)),
    }
    if name == CARD_FILE:
        return _card(content, folder)
    if name not in without_paths or number_in(content) is not None:
        return content
    try:
        return without_paths[name]().encode()
    except VAEExplorerError:  # damaged: nobody can read it, and nothing can be left out of it
        return content


def _card(content: bytes, folder: Path) -> bytes:
    """The card less the command of version 0.1, where that names a folder."""
    try:
        command = json.loads((folder / METRICS_FILE).read_bytes())["training"]["command"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return content
    if not isinstance(command, str) or not re.search(r"[/\\~]", command):
        return content
    return content.replace(command.encode(), LEFT_OUT.encode())
