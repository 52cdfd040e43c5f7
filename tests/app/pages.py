"""How the tests open pages, read what is on them, and report what a browser would."""

import json
import re
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from app.session.state import KEY, Session

MAIN = Path(__file__).resolve().parents[2] / "app" / "main.py"
TITLES = {
    "explore": "Explore the latent space",
    "reconstruct": "Reconstruct your pictures",
    "interpolate": "Interpolate between keyframes",
    "models": "Models",
}
PICKER = "vae_model_picker"


def open_page(name: str, *, model: str | None = None, memory: Session | None = None) -> AppTest:
    """Open the app and go to one of its pages."""
    page = AppTest.from_file(str(MAIN), default_timeout=30)
    if model is not None:
        page.query_params["model"] = model
    if memory is not None:
        page.session_state[KEY] = memory
    page.run()
    if name != "explore":  # which comes first
        page.switch_page(f"views/{name}.py").run()
    return page


def check(page: AppTest, name: str) -> None:
    """The page of that name is shown, whole and without complaint."""
    assert [error.message for error in page.exception] == []
    assert [error.value for error in page.error] == []
    assert [title.value for title in page.title] == [TITLES[name]]
    assert name == "models" or sent(page)["model"]


def memory_of(page: AppTest) -> Session:
    """What the visit remembers."""
    memory: Session = page.session_state[KEY]
    return memory


def components(page: AppTest) -> dict[str, Any]:
    """The components that the page mounted, by their names; AppTest draws none."""
    return {component.proto.component_name: component.proto for component in page.get("bidi_component")}


def sent(page: AppTest) -> dict[str, Any]:
    """What the page's own component was given."""
    [own] = [proto for name, proto in components(page).items() if name != PICKER]
    data: dict[str, Any] = json.loads(own.json)
    return data


def picker(page: AppTest) -> dict[str, Any]:
    """What the model picker was given."""
    data: dict[str, Any] = json.loads(components(page)[PICKER].json)
    return data


def notices(page: AppTest) -> list[str]:
    """The notices as a person reads them: Markdown's escapes are taken off."""
    return [re.sub(r"\\(.)", r"\1", warning.value) for warning in page.warning]


def report(page: AppTest, kind: str, value: object, *, shown: dict[str, Any] | None = None) -> None:
    """Run the page as after a report of its own component, which shows the model `shown`, or what it was given last."""
    [name] = components(page).keys() - {PICKER}
    _report(page, name, kind, {**_identity(shown or sent(page)["model"]), "value": value})


def pick(page: AppTest, model: object) -> None:
    """Run the page as after a choice in the model picker."""
    _report(page, PICKER, "picked", {"model": None, "reference": None, "value": model})


def _identity(model: dict[str, Any]) -> dict[str, str]:
    return {"model": model["digest"], "reference": model["referenceDigest"]}


def _report(page: AppTest, component: str, kind: str, value: object) -> None:
    """Send what a browser would send; AppTest has no way in for components, so this goes through its own inside."""
    states = page._tree.get_widget_states()
    widget = f"$$STREAMLIT_INTERNAL_KEY_{components(page)[component].id}__events"
    states.widgets.add(id=widget, json_trigger_value=json.dumps([{"event": kind, "value": value}]))
    page._run(states)
