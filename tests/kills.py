"""Processes that are killed in the middle of writing, at a chosen step: nothing clears up after them."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

__all__ = ["die_at_step"]

# What changes a folder, as Python's own audit events name it; `os.replace` is an "os.rename" as well.
STEPS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate", "os.chmod"}


def die_at_step(step: int, folder: Path) -> None:
    """Kill this process before its change of that number, from 1, to anything below `folder`."""
    changes = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal changes
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (event in STEPS or writes) and str(arguments[0]).startswith(str(folder)):
            changes += 1
            if changes == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
