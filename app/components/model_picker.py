"""The model picker: each model with a strip of what it decodes, its name and its dimensions."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from app.components.mounting import Event, callbacks, register
from app.live.asset_files import strip_version
from app.services.catalogue import Entry, families

__all__ = ["model_picker"]

_render = register("vae_model_picker", "host/model_picker.js")


def model_picker(*, key: str, entries: Sequence[Entry], current: str, on_event: Callable[[Event], None]) -> None:
    """Show the component.

    Args:
        key: Of the component.
        entries: The stored models.
        current: Name of the one in use.
        on_event: Called with what the person did, before the rerun: ``"picked"`` with a model's name.
    """
    groups = [
        {"title": title, "models": [_model_data(entry) for entry in members]}
        for title, members in families(entries).items()
    ]
    _render(key=key, data={"current": current, "groups": groups}, **callbacks(key, ["picked"], None, on_event))


def _model_data(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "dimensions": entry.dimensions,
        "data": entry.data,
        "strip": f"live/models/{quote(entry.name)}/{strip_version(entry)}/strip.png",
    }
