"""How our browser modules are mounted, and how what they report comes back."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import plotly
import streamlit as st

from app.live.asset_files import page_assets
from app.session.state import component_value, session
from vae_core.runtime.failures import for_the_person
from vae_core.store.opening import StoredModel

__all__ = ["MOUNTED", "PLOTLY_VERSION", "Event", "Renderer", "callbacks", "register"]

PLOTLY_VERSION: str = plotly.__version__

Renderer = Callable[..., Any]

MOUNTED: dict[str, str] = {}  # the module of each component that was registered

# The module is imported by address because only addresses built in the page are right under every prefix. Streamlit
# answers an address that it does not know with its own page.
ENTRY = """
export default function (component) {
  const script = document.querySelector('script[src*="static/js/"]');
  const root = new URL("../../", script.src);
  const assets = new URL(`live/assets/${component.data.assets}/`, root);
  const address = new URL("%(module)s", assets);
  import(address).then(
    (module) => module.mount(component, { root, assets }),
    async (error) => {
      console.error(error);
      const shadow = component.parentElement;
      shadow.querySelector(".failure")?.remove();
      const text = document.createElement("p");
      text.className = "failure";
      text.setAttribute("role", "alert");
      text.textContent = await reasonOf(address, error);
      shadow.prepend(text);
    },
  );
}

async function reasonOf(address, error) {
  const answer = await fetch(address, { cache: "no-store" }).catch(() => null);
  if (!answer) return "The server is out of reach; reload this page when it is back.";
  const isThere = answer.ok && answer.headers.get("content-type")?.includes("javascript");
  return isThere
    ? `A part of this page could not be loaded (${error.message}). Reload it; the browser's console says more.`
    : "The live part of this app is not running. Stop the server and start it with: streamlit run app/server.py";
}
"""


def register(name: str, module: str) -> Renderer:
    """Register a browser module of app/live/assets as a component; call once, at import."""
    MOUNTED[name] = module
    render = st.components.v2.component(name, html="<div></div>\n", js=ENTRY % {"module": module})

    def render_present(*, data: dict[str, Any], **options: Any) -> Any:
        """Render with the modules as they are now: who edits one under a running server gets no mixture."""
        return render(data={**data, "assets": page_assets().version()}, **options)

    return render_present


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
        on_event: Takes over what was done; an error becomes a notice.
    """
    digest, reference = (None, None) if loaded is None else (loaded.digest, loaded.reference_digest)

    def take(kind: str) -> None:
        match component_value(key, kind):
            case {"model": model, "reference": images, "value": value} if model == digest:
                try:
                    on_event(Event(kind, value, images == reference))
                except Exception as error:  # noqa: BLE001 - the page stays, and says that nothing came of it
                    session().notices.append(str(for_the_person(error, f"taking over {kind!r} from {key!r}")))

    return {f"on_{kind}_change": functools.partial(take, kind) for kind in kinds}
