"""A stored model's config.json: one `ModelConfig`, under the number of its format.

1. The data set is named by an id. Version 0.1, whose files have no number, could name the path of a folder: no path in
   a file that somebody else may have written is followed, so such a model's data set is not known.
"""

import codecs
import json
from pathlib import Path
from typing import Any

from vae_core.errors import ConfigError
from vae_core.models.config import ModelConfig
from vae_core.runtime.formats import FORMAT, check_format
from vae_core.runtime.names import is_name
from vae_core.runtime.strict_json import config_from_json, config_to_json

__all__ = ["CONFIG_FORMAT", "MAX_CONFIG_BYTES", "config_text", "read_config"]

CONFIG_FORMAT = 1
MAX_CONFIG_BYTES = 2**16  # of a config.json; those of the collection have 1,500
UNKNOWN = ""  # id of a data set that is not known


def config_text(config: ModelConfig) -> str:
    """The text of a config.json."""
    return json.dumps({FORMAT: CONFIG_FORMAT, **json.loads(config_to_json(config))}, indent=2) + "\n"


def read_config(path: Path) -> ModelConfig:
    """Read a model's config.json, of this format or an older one.

    Raises:
        ConfigError: The file cannot be read, breaks a rule or is of a newer format; the message names the file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from error
    if len(content) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path}: a configuration has at most {MAX_CONFIG_BYTES:,} bytes, this file has more.")
    text = _present(content.removeprefix(codecs.BOM_UTF8), path)  # as Windows' editors begin a file
    try:
        return config_from_json(ModelConfig, text)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _present(content: bytes, path: Path) -> str | bytes:
    """The content as the present format has it, less its number; what is no JSON object is left to the reader."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return content
    if not isinstance(found, dict):
        return content
    check_format(found.pop(FORMAT, None), newest=CONFIG_FORMAT, where=path)
    _forget_path(found.get("training"))
    return json.dumps(found)


def _forget_path(training: Any) -> None:
    if isinstance(training, dict) and isinstance(training.get("dataset"), str) and not is_name(training["dataset"]):
        training["dataset"] = UNKNOWN
