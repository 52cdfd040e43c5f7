"""How our browser modules are mounted, and how what they report comes back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import plotly
import streamlit as st

from app.live.files import ASSETS_VERSION
from app.state import component_value

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
        value: What was reported; None when a trigger falls back after its run.
    """

    kind: str
    value: Any


def callbacks(key: str, kinds: Iterable[str], on_event: Callable[[Event], None]) -> dict[str, Callable[[], None]]:
    """The callback that Streamlit wants for each kind of event, all leading to `on_event`."""

    def callback(kind: str) -> Callable[[], None]:
        return lambda: on_event(Event(kind, component_value(key, kind)))

    return {f"on_{kind}_change": callback(kind) for kind in kinds}
