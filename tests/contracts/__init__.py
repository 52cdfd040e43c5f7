"""What Python and the browser's code must agree on: JSON files that the tests of both read.

Both sides are held to a file: Python's tests by `contract`, those of the browser's code by importing it. What Python
alone decides (limits, names of questions, payloads) is written anew by
``WRITE_CONTRACTS=1 python -m pytest -k contract``.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["check_contract", "contract"]

FOLDER = Path(__file__).parent
WRITE = "WRITE_CONTRACTS"


def contract(name: str) -> Any:
    """What both sides agreed on."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def check_contract(name: str, present: Any, *, alike: Callable[[Any], Any] = lambda content: content) -> None:
    """Compare what Python says with the file, or write that where the environment asks for it.

    Args:
        name: Of the file, without its ending.
        present: What Python says.
        alike: What of both is compared; all of it unless given.
    """
    if os.environ.get(WRITE):
        text = json.dumps(present, indent=2, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    assert alike(json.loads(json.dumps(present))) == alike(contract(name)), f"{WRITE}=1 writes it anew"
