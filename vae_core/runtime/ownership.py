"""The marker in a folder that the program made: what is not marked as ours is not removed or written over."""

import json
from pathlib import Path
from typing import Literal

from vae_core.runtime.whole_files import write_text_whole

__all__ = ["MARKER_FILE", "is_empty", "is_marked", "mark"]

MARKER_FILE = ".vae-explorer.json"
FORMAT = 1
LONGEST_MARKER = 1_000  # bytes; a marker has some fifty

Kind = Literal["model", "run"]


def mark(folder: Path, kind: Kind) -> None:
    """Say in a folder that its files are the program's own.

    Args:
        folder: made by the program, or without anything of somebody else's.
        kind: what the folder is.

    Raises:
        OSError: The folder cannot be written.
    """
    write_text_whole(folder / MARKER_FILE, json.dumps({"kind": kind, "format": FORMAT}) + "\n")


def is_marked(folder: Path, kind: Kind) -> bool:
    """Whether the program made the folder, as one of that kind; of any format, so by a newer version as well."""
    try:
        with (folder / MARKER_FILE).open("rb") as file:
            found = json.loads(file.read(LONGEST_MARKER))
    except (OSError, ValueError, RecursionError):  # the last is a file of nothing but brackets
        return False
    return isinstance(found, dict) and found.get("kind") == kind and isinstance(found.get("format"), int)


def is_empty(folder: Path) -> bool:
    """Whether there is nothing at the path, or a folder without any file.

    Raises:
        OSError: The folder cannot be read.
    """
    if not folder.is_dir():
        return not folder.exists()
    return next(folder.iterdir(), None) is None
