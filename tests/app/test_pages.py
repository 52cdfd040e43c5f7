"""Every page with every kind of model, and what pages do with what a browser reports."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.state import KEY, Session, View
from tests.app.conftest import Store
from vae_core import checkpoint
from vae_core.checkpoint import REFERENCE_FILE, WEIGHTS_FILE, list_models
from vae_core.inference import LoadedModel

MAIN = Path(__file__).resolve().parents[2] / "app" / "main.py"
TITLES = {
    "explore": "Explore the latent space",
    "reconstruct": "Reconstruct your pictures",
    "interpolate": "Interpolate between two codes",
}
PAGES = list(TITLES)
KINDS: dict[str, dict[str, object]] = {
    "plain autoencoder": {"variational": False},
    "gaussian colour conv": {"architecture": "conv", "channels": 3, "likelihood": "gaussian", "dense_units": 8},
    "one dimension": {"latent_dim": 1},
    "two dimensions": {"latent_dim": 2},
    "many dimensions": {"latent_dim": 40},
}
NAN = float("nan")

Png = Callable[[int], bytes]


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
    assert sent(page)["model"]


def memory_of(page: AppTest) -> Session:
    """What the visit remembers."""
    memory: Session = page.session_state[KEY]
    return memory


def sent(page: AppTest) -> dict[str, Any]:
    """What the page's component was given; AppTest draws none."""
    [component] = page.get("bidi_component")
    data: dict[str, Any] = json.loads(component.proto.json)
    return data


def notices(page: AppTest) -> list[str]:
    """The notices as a person reads them: Markdown's escapes are taken off."""
    return [re.sub(r"\\(.)", r"\1", warning.value) for warning in page.warning]


def report(page: AppTest, kind: str, value: object) -> None:
    """Run the page as after a report of its component, in the form in which a browser sends it.

    AppTest has no way in for components, so this goes through its own inside.
    """
    [component] = page.get("bidi_component")
    states = page._tree.get_widget_states()
    reported = {"model": sent(page)["model"]["digest"], "value": value}
    widget = f"$$STREAMLIT_INTERNAL_KEY_{component.proto.id}__events"
    states.widgets.add(id=widget, json_trigger_value=json.dumps([{"event": kind, "value": reported}]))
    page._run(states)


# -- every model on every page ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("model", list_models())
def test_every_page_shows_every_stored_model(model: str, name: str):
    page = open_page(name, model=model)
    check(page, name)
    assert sent(page)["model"]["name"] == model
    assert page.query_params["model"] == model


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("kind", list(KINDS))
def test_every_page_shows_every_kind_of_model_without_and_with_pictures(store: Store, png: Png, kind: str, name: str):
    loaded = store("other", **KINDS[kind])
    page = open_page(name, model="other")
    check(page, name)
    assert sent(page)["model"]["latentDim"] == loaded.config.latent_dim
    for seed in (1, 2):
        memory_of(page).add_picture(f"{seed}.png", png(seed))
    page.run()
    check(page, name)
    pictures = sent(page)["pictures"]
    assert [picture["name"] for picture in pictures] == ["1.png", "2.png"]
    assert all(np.isfinite([*picture["mean"], *picture["places"]["pca"]]).all() for picture in pictures)


def test_sliders_come_most_important_first_and_cover_the_data(tiny: LoadedModel):
    sliders = sent(open_page("explore", model="tiny"))["model"]["sliders"]
    importance = [slider["importance"] for slider in sliders]
    assert importance == sorted(importance, reverse=True)
    assert sorted(slider["dimension"] for slider in sliders) == [0, 1, 2]
    means = tiny.need_reference().means
    for slider in sliders:
        assert slider["low"] <= min(-3, np.quantile(means[:, slider["dimension"]], 0.01))
        assert slider["high"] >= max(3, np.quantile(means[:, slider["dimension"]], 0.99))


def test_a_chosen_pictures_strip_has_its_figures_and_a_plain_autoencoders_no_elbo(store: Store, png: Png):
    for name, variational in (("variational", True), ("plain", False)):
        store(name, variational=variational)
        memory = Session(model=name)
        memory.add_picture("1.png", png(1))
        strip = sent(open_page("explore", memory=memory))["strip"]
        assert [part["caption"] for part in strip["parts"]] == ["input", "reconstruction", "error"]
        assert any("ELBO" in line for line in strip["lines"]) == variational
        assert any(line.startswith("Reconstruction") for line in strip["lines"])


def test_interpolate_sends_a_path_from_one_end_to_the_other(tiny: LoadedModel):
    page = open_page("interpolate", model="tiny")
    codes = np.frombuffer(base64.b64decode(sent(page)["path"]), "<f4").reshape(-1, 3)
    ends = memory_of(page).ends["tiny"]
    np.testing.assert_allclose(codes[[0, -1]], [ends["start"].code, ends["end"].code], rtol=1e-6)
    assert len(codes) <= 256, "the live channel takes no more in one question"


# -- which model -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unknown", ["nobody", "../tiny", "", "Tiny", "\x00"])
def test_an_unknown_model_in_the_address_gets_a_sentence_and_the_default(tiny: LoadedModel, unknown: str):
    page = open_page("explore", model=unknown)
    check(page, "explore")
    [notice] = notices(page)
    assert f"no model named {unknown!r}" in notice
    default = "mnist-16d" if "mnist-16d" in list_models() else list_models()[0]
    assert default in notice
    assert sent(page)["model"]["name"] == default
    page.run()
    assert not page.warning, "a notice is shown once"


@pytest.mark.parametrize("name", PAGES)
def test_without_any_model_the_page_says_how_to_train_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv("VAE_MODELS_DIR", str(tmp_path))
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path / "nowhere")
    page = open_page(name)
    assert not page.exception
    assert [title.value for title in page.title] == [TITLES[name]]
    [error] = page.error
    assert "`python -m vae_core train --dataset mnist --name mnist-16d`" in error.value
    assert not page.get("bidi_component")


@pytest.mark.parametrize("name", PAGES)
def test_a_model_that_cannot_be_used_gets_a_sentence_and_the_picker_stays(store: Store, models_dir: Path, name: str):
    store("bare", with_reference=False)
    store("broken")
    (models_dir / "broken" / WEIGHTS_FILE).write_bytes(b"no weights")
    store("mapless")
    (models_dir / "mapless" / REFERENCE_FILE).write_bytes(b"no map")
    for model, text in (("bare", "evaluate bare"), ("broken", WEIGHTS_FILE), ("mapless", REFERENCE_FILE)):
        page = open_page(name, model=model)
        assert not page.exception
        assert [title.value for title in page.title] == [TITLES[name]]
        [error] = page.error
        assert text in error.value
        page.selectbox[0].select("tiny").run()
        check(page, name)


@pytest.mark.parametrize("name", PAGES)
def test_choosing_another_model_keeps_pictures_and_says_what_became_of_them(store: Store, png: Png, name: str):
    store("other", latent_dim=2)
    memory = Session(model="tiny")
    memory.add_picture("1.png", png(1))
    page = open_page(name, memory=memory)
    page.selectbox[0].select("other").run()
    check(page, name)
    assert sent(page)["model"]["name"] == "other"
    assert [picture["name"] for picture in sent(page)["pictures"]] == ["1.png"]
    assert len(sent(page)["pictures"][0]["mean"]) == 2
    assert any("encoded by other" in notice for notice in notices(page))
    assert page.query_params["model"] == "other"


def test_a_models_code_waits_for_its_return(tiny: LoadedModel, store: Store):
    store("other", latent_dim=2)
    page = open_page("explore", model="tiny")
    report(page, "z", [0.5, -0.5, 1.5])
    revision = sent(page)["revision"]
    page.selectbox[0].select("other").run()
    assert len(sent(page)["z"]) == 2
    assert sent(page)["revision"] > revision, "else the page would not take the code over"
    page.selectbox[0].select("tiny").run()
    assert sent(page)["z"] == [0.5, -0.5, 1.5]


# -- what the browser reports ----------------------------------------------------------------------------------------


def file(name: object, content: bytes) -> dict[str, object]:
    return {"name": name, "content": base64.b64encode(content).decode()}


def test_a_released_slider_is_kept_and_not_sent_back_as_new(tiny: LoadedModel):
    page = open_page("explore", model="tiny")
    before = sent(page)["revision"]
    report(page, "z", [0.5, -0.5, 1.5])
    check(page, "explore")
    assert memory_of(page).codes["tiny"].tolist() == [0.5, -0.5, 1.5]
    assert sent(page)["revision"] == before, "a page that moved on meanwhile would be taken back"


def test_a_code_outlives_a_visit_to_another_page(tiny: LoadedModel):
    page = open_page("explore", model="tiny")
    report(page, "z", [0.5, -0.5, 1.5])
    page.switch_page("views/interpolate.py").run()
    page.switch_page("views/explore.py").run()
    assert sent(page)["z"] == [0.5, -0.5, 1.5]


@pytest.mark.parametrize("name", PAGES)
def test_a_view_is_kept_for_all_pages(tiny: LoadedModel, name: str):
    page = open_page(name, model="tiny")
    report(page, "view", {"projection": "axes", "x": 2, "y": 0, "colour": "1"})
    check(page, name)
    assert memory_of(page).views["tiny"] == View("axes", 2, 0, "1")
    for other in PAGES:
        page.switch_page(f"views/{other}.py").run()
        assert sent(page)["view"] == {"projection": "axes", "x": 2, "y": 0, "colour": "1"}


def test_pictures_are_added_chosen_and_removed_on_explore(tiny: LoadedModel, png: Png):
    page = open_page("explore", model="tiny")
    report(page, "added", [file("1.png", png(1)), file("bad.png", b"no picture"), file("2.png", png(2))])
    check(page, "explore")
    assert [picture["name"] for picture in sent(page)["pictures"]] == ["1.png", "2.png"]
    assert ["bad.png" in notice for notice in notices(page)] == [True]
    first, second = sent(page)["pictures"]
    assert (sent(page)["chosen"], sent(page)["z"]) == (second["id"], second["mean"])
    report(page, "chosen", first["id"])
    assert (sent(page)["chosen"], sent(page)["z"]) == (first["id"], first["mean"])
    report(page, "removed", first["id"])
    check(page, "explore")
    assert [picture["name"] for picture in sent(page)["pictures"]] == ["2.png"]
    assert (sent(page)["chosen"], sent(page)["strip"]) == (None, None)


def test_a_files_name_is_shown_as_it_is_and_loads_nothing(tiny: LoadedModel):
    name = "![a](http://other.example/a.png) *b* <i>c</i> $d$ :red[e] `f`.png"
    page = open_page("explore", model="tiny")
    report(page, "added", [file(name, b"no picture")])
    [notice] = notices(page)
    assert name in notice
    [warning] = page.warning
    assert not re.search(r"(?<!\\)[\[*<$:`]", warning.value), "Markdown would read this"


def test_examples_can_be_added(tiny: LoadedModel):
    page = open_page("explore", model="tiny")
    names = [example["name"] for example in sent(page)["examples"]]
    report(page, "example", len(names) - 1)
    check(page, "explore")
    assert [picture["name"] for picture in sent(page)["pictures"]] == [f"digit {names[-1]}"]


def test_ends_are_chosen_and_swapped_on_interpolate(tiny: LoadedModel, png: Png):
    memory = Session(model="tiny")
    picture = memory.add_picture("mine.png", png(1))
    page = open_page("interpolate", memory=memory)
    report(page, "end", {"which": "start", "source": "picture", "id": picture.id})
    report(page, "end", {"which": "end", "source": "map", "code": [1, 2, 3]})
    check(page, "interpolate")
    assert sent(page)["ends"] == {"start": "mine.png", "end": "a place on the map"}
    codes = np.frombuffer(base64.b64decode(sent(page)["path"]), "<f4").reshape(-1, 3)
    np.testing.assert_allclose(codes[0], sent(page)["pictures"][0]["mean"], rtol=1e-6)
    assert codes[-1].tolist() == [1, 2, 3]
    report(page, "swap", True)
    assert sent(page)["ends"] == {"start": "a place on the map", "end": "mine.png"}
    report(page, "end", {"which": "start", "source": "random"})
    report(page, "end", {"which": "end", "source": "sliders"})
    check(page, "interpolate")
    assert sent(page)["ends"] == {"start": "random draw", "end": "the sliders on Explore"}
    report(page, "path", "spherical")
    assert sent(page)["kind"] == "spherical"


def test_an_end_whose_picture_is_removed_becomes_a_typical_member_again(tiny: LoadedModel, png: Png):
    memory = Session(model="tiny")
    picture = memory.add_picture("mine.png", png(1))
    page = open_page("interpolate", memory=memory)
    report(page, "end", {"which": "start", "source": "picture", "id": picture.id})
    page.switch_page("views/explore.py").run()
    report(page, "removed", picture.id)
    page.switch_page("views/interpolate.py").run()
    check(page, "interpolate")
    assert sent(page)["ends"]["start"].startswith("a typical")


ODD: list[object] = [None, True, -1, 1e300, NAN, "", "x", [], [None], ["x"], [[]], [{}], {}, {"x": 1}, 10**400]
ODD_FILES: list[object] = [
    [{"name": "a"}],
    [{"content": "AAAA"}],
    [{"name": 1, "content": 2}],
    [{"name": "a", "content": "no base64"}],
    [{"name": "a", "content": "\u00e9"}],
    [file("a", b"")],
]
ODD_ENDS: list[object] = [
    {"which": "start"},
    {"which": "middle", "source": "random"},
    {"which": ["start"], "source": "random"},
    {"which": "start", "source": "elsewhere"},
    {"which": "start", "source": "map"},
    {"which": "start", "source": "map", "code": [1, 2]},
    {"which": "start", "source": "map", "code": "x"},
    {"which": "start", "source": "picture"},
    {"which": "start", "source": "picture", "id": "gone"},
    {"which": "start", "source": "picture", "id": {}},
]
ODD_REPORTS = [
    ("explore", "z", ODD),
    ("explore", "view", ODD),
    ("explore", "added", ODD + ODD_FILES),
    ("explore", "example", [value for value in ODD if value is not True] + [99]),
    ("explore", "chosen", ODD),
    ("explore", "removed", ODD),
    ("interpolate", "end", ODD + ODD_ENDS),
    ("interpolate", "path", ODD),
    ("interpolate", "view", ODD),
    ("reconstruct", "view", ODD),
]


@pytest.mark.parametrize(
    ("name", "kind", "values"), ODD_REPORTS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_page_leaves_what_it_cannot_use_as_it_is(
    tiny: LoadedModel, png: Png, name: str, kind: str, values: list[object]
):
    memory = Session(model="tiny")
    memory.add_picture("1.png", png(1))
    page = open_page(name, memory=memory)
    before = {part: value for part, value in sent(page).items() if part != "revision"}
    for value in values:
        report(page, kind, value)
        check(page, name)
        assert {part: now for part, now in sent(page).items() if part != "revision"} == before, value
