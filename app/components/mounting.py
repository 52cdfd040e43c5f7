"""How our browser modules are mounted, and how what they report comes back."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import plotly
import streamlit as st

from app.live.asset_files import ASSETS_VERSION
from app.session.state import component_value, session
from vae_core.errors import VAEExplorerError
from vae_core.store.opening import StoredModel

__all__ = ["PLOTLY_VERSION", "Event", "Renderer", "callbacks", "register"]

PLOTLY_VERSION: str = plotly.__version__

Renderer = Callable[..., Any]

# The module is imported by address because only addresses built in the page are right under every prefix.
ENTRY = """
export default function (component) {
  const script = document.querySelector('script[src*="static/js/"]');
  const root = new URL("../../", script.src);
  const assets = new URL("live/assets/%(version)s/", root);
  import(new URL("%(module)s", assets)).then(
    (module) => module.mount(component, { root, assets }),
    () => {
      const text = document.createElement("p");
      text.textContent =
        "The live part of this app is not running. Stop the server and start it with: streamlit run app/server.py";
      component.parentElement.replaceChildren(text);
    },
  );
}
"""


def register(name: str, module: str) -> Renderer:
    """Register a browser module of app/live/assets as a component; call once, at import."""
    return st.components.v2.component(
        name, html="<div></div>\n", js=ENTRY % {"version": ASSETS_VERSION, "module": module}
    )


@dataclass(frozen=True)
class Event:
    """What the person did in a component, once it has settled.

    Attributes:
        kind: The name under which the component reported it.
        value: What was reported.
        same_images: Whether it was done to the model's present reference set; indices of images are of that alone.
    """

    kind: str
    value: Any
    same_images: bool = True


def callbacks(
    key: str, kinds: Iterable[str], loaded: StoredModel | None, on_event: Callable[[Event], None]
) -> dict[str, Callable[[], None]]:
    """The callback that Streamlit wants for each kind of event, all leading to `on_event`.

    Args:
        key: Of the component.
        kinds: What it may report.
        loaded: The model that the component shows; what was done to another, before a switch, is dropped. None for a
            component that belongs to no model.
        on_event: Takes over what was done; an error that it raises on purpose becomes a notice.
    """
    digest, reference = (None, None) if loaded is None else (loaded.digest, loaded.reference_digest)

    def take(kind: str) -> None:
        match component_value(key, kind):
            case {"model": model, "reference": images, "value": value} if model == digest:
                try:
                    on_event(Event(kind, value, images == reference))
                except VAEExplorerError as error:
                    session().notices.append(str(error))

    return {f"on_{kind}_change": functools.partial(take, kind) for kind in kinds}
