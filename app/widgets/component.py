"""How our browser modules are mounted: one entry for all, which finds the server under any prefix."""

from collections.abc import Callable
from typing import Any

import plotly
import streamlit as st

from app.live.files import ASSETS_VERSION

__all__ = ["PLOTLY_VERSION", "Renderer", "register"]

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
      component.parentElement.textContent =
        "The live part of this app is not running. Stop the server and start it with: streamlit run app/server.py";
    },
  );
}
"""


def register(name: str, module: str) -> Renderer:
    """Register a browser module of app/live/assets as a component; call once, at import."""
    return st.components.v2.component(
        name, html="<div></div>\n", js=ENTRY % {"version": ASSETS_VERSION, "module": module}
    )
