"""A stored model's metrics.json: read, merged, written whole."""

import json
import re
import reprlib
from pathlib import Path
from typing import Any

from vae_core.errors import ConfigError, ModelError
from vae_core.runtime.formats import FORMAT, check_format
from vae_core.runtime.whole_files import write_text_whole

__all__ = ["METRICS_FILE", "METRICS_FORMAT", "metrics_text", "read_metrics", "write_metrics"]

METRICS_FILE = "metrics.json"
METRICS_FORMAT = 1
MAX_BYTES = 2**20  # of a file; those of the collection have 5,000


def read_metrics(folder: Path) -> dict[str, Any]:
    """The sections of a model's metrics.json; empty when it has none.

    Raises:
        ModelError: The file is damaged, of a newer format, or cannot be read.
    """
    path = folder / METRICS_FILE
    try:
        figures = json.loads(_content(path)) if path.is_file() else {}
    except (ValueError, RecursionError) as error:  # the latter is a file of nothing but brackets
        raise ModelError(f"{path} is not JSON ({error}); delete it and run evaluate.") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); delete it and run evaluate.") from error
    if not isinstance(figures, dict):
        received = reprlib.repr(figures)
        raise ModelError(f"{path} must hold one JSON object, got {received}; delete it and run evaluate.")
    try:
        number = check_format(figures.pop(FORMAT, None), newest=METRICS_FORMAT, where=path)
    except ConfigError as error:
        raise ModelError(str(error)) from error
    return figures if number else _without_paths(figures)


def _without_paths(figures: dict[str, Any]) -> dict[str, Any]:
    """Sections as version 0.1 wrote them, less a command that may name a folder of somebody's machine."""
    training = figures.get("training")
    if not isinstance(training, dict) or not re.search(r"[/\\~]", str(training.get("command", ""))):
        return figures
    return {**figures, "training": {name: value for name, value in training.items() if name != "command"}}


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has at most {MAX_BYTES:,} bytes, got more")
    return content


def write_metrics(folder: Path, figures: dict[str, Any]) -> None:
    """Merge sections into a model's metrics.json; other sections there stay.

    Raises:
        ModelError: The file there is damaged, or a figure is no finite number; it stays as it is.
        OSError: The file cannot be written; it stays as it is.
    """
    write_text_whole(folder / METRICS_FILE, metrics_text(folder, {**read_metrics(folder), **figures}))


def metrics_text(folder: Path, figures: dict[str, Any]) -> str:
    """All sections as the text of a model's metrics.json.

    Args:
        folder: where the model is stored, for the message.
        figures: sections by name, which may hold whatever JSON can.

    Raises:
        ModelError: A figure is no finite number.
    """
    try:
        return json.dumps({FORMAT: METRICS_FORMAT, **figures}, indent=2, allow_nan=False) + "\n"
    except ValueError as error:  # a figure that was measured, or one of a section that is kept
        path = folder / METRICS_FILE
        raise ModelError(f"{path} can hold finite numbers only ({error}); delete it and run evaluate.") from error
