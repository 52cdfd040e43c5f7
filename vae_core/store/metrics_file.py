"""A stored model's metrics.json: read, merged, replaced."""

import json
import reprlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from vae_core.errors import ModelError

__all__ = ["METRICS_FILE", "read_metrics", "replace_metrics", "write_metrics"]

METRICS_FILE = "metrics.json"


def read_metrics(folder: Path) -> dict[str, Any]:
    """The figures in a model's metrics.json; empty when it has none.

    Raises:
        ModelError: The file is damaged or cannot be read.
    """
    path = folder / METRICS_FILE
    try:
        figures = json.loads(path.read_bytes()) if path.is_file() else {}
    except (ValueError, RecursionError) as error:  # the latter is a file of nothing but brackets
        raise ModelError(f"{path} is not JSON ({error}); delete it and run evaluate.") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); delete it and run evaluate.") from error
    if not isinstance(figures, dict):
        received = reprlib.repr(figures)
        raise ModelError(f"{path} must hold one JSON object, got {received}; delete it and run evaluate.")
    return figures


def write_metrics(folder: Path, figures: dict[str, Any]) -> None:
    """Merge `figures` into a model's metrics.json; other figures there stay.

    Raises:
        ModelError: The file there is damaged, or a figure is no finite number; it stays as it is.
    """
    _write_json(folder, {**read_metrics(folder), **figures})


def replace_metrics(folder: Path, figures: dict[str, Any], *, keep: Collection[str]) -> None:
    """Write `figures` as a model's metrics.json; of the sections there only those in `keep` stay.

    Raises:
        ModelError: The file there is damaged, or a figure is no finite number; it stays as it is.
    """
    kept = {name: section for name, section in read_metrics(folder).items() if name in keep}
    _write_json(folder, {**kept, **figures})


def _write_json(folder: Path, merged: dict[str, Any]) -> None:
    path = folder / METRICS_FILE
    try:
        text = json.dumps(merged, indent=2, allow_nan=False)
    except ValueError as error:  # a figure that was measured, or one of a section that is kept
        raise ModelError(f"{path} can hold finite numbers only ({error}); delete it and run evaluate.") from error
    path.write_text(text + "\n", encoding="utf-8")
