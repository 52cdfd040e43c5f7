"""Every page with every kind of model, and what pages do with what a browser reports."""

import base64
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.services.catalogue import collection, families, find_entry
from app.session.state import Keyframe, Session, View
from app.wire.packing import members_base64
from tests.app.conftest import Store, keep_picture
from tests.app.pages import (
    TITLES,
    check,
    components,
    memory_of,
    notices,
    open_page,
    pick,
    picker,
    report,
    sent,
)
from vae_core.inference.engine import Engine
from vae_core.inference.memo import data_graph
from vae_core.models.config import TrainingConfig
from vae_core.reference.reference_set import Reference
from vae_core.store.opening import StoredModel
from vae_core.store.stored_models import REFERENCE_FILE, WEIGHTS_FILE, list_models

PAGES = [name for name in TITLES if name != "models"]  # which has a suite of its own
KINDS: dict[str, dict[str, object]] = {
    "plain autoencoder": {"variational": False},
    "gaussian colour conv": {"architecture": "conv", "channels": 3, "likelihood": "gaussian", "dense_units": 8},
    "one dimension": {"latent_dim": 1},
    "two dimensions": {"latent_dim": 2},
    "128 dimensions": {"latent_dim": 128},
    "large colour pictures": {"channels": 3, "height": 64, "width": 64, "likelihood": "gaussian"},
}
NAN = float("nan")

Png = Callable[[int], bytes]


# -- every model on every page ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("model", list_models())
def test_every_page_shows_every_stored_model(model: str, name: str):
    page = open_page(name, model=model)
    check(page, name)
    assert sent(page)["model"]["name"] == model
    assert picker(page)["current"] == model


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("kind", list(KINDS))
def test_every_page_shows_every_kind_of_model_without_and_with_pictures(store: Store, png: Png, kind: str, name: str):
    loaded = store("other", **KINDS[kind])
    page = open_page(name, model="other")
    check(page, name)
    assert sent(page)["model"]["latentDim"] == loaded.spec.latent_dim
    for seed in (1, 2):
        keep_picture(memory_of(page), f"{seed}.png", png(seed))
    page.run()
    check(page, name)
    pictures = sent(page)["pictures"]
    assert [picture["name"] for picture in pictures] == ["1.png", "2.png"]
    assert all(np.isfinite([*picture["mean"], *picture["places"]["pca"]]).all() for picture in pictures)


def test_sliders_come_most_important_first_and_cover_the_data(tiny: StoredModel):
    sliders = sent(open_page("explore", model="tiny"))["model"]["sliders"]
    importance = [slider["importance"] for slider in sliders]
    assert importance == sorted(importance, reverse=True)
    assert sorted(slider["dimension"] for slider in sliders) == [0, 1, 2]
    means = tiny.need_reference().means
    for slider in sliders:
        assert slider["low"] <= min(-3, np.quantile(means[:, slider["dimension"]], 0.01))
        assert slider["high"] >= max(3, np.quantile(means[:, slider["dimension"]], 0.99))


def test_dimensions_that_have_a_name_say_it(store: Store):
    store("named", names=("scale", "", "<b>x</b>"))
    sliders = sent(open_page("explore", model="named"))["model"]["sliders"]
    assert {slider["dimension"]: slider["name"] for slider in sliders} == {0: "scale", 1: "", 2: "<b>x</b>"}


def test_a_chosen_pictures_strip_has_its_figures_and_a_plain_autoencoders_no_elbo(store: Store, png: Png):
    for name, variational in (("variational", True), ("plain", False)):
        store(name, variational=variational)
        memory = Session(model=name)
        keep_picture(memory, "1.png", png(1))
        strip = sent(open_page("explore", memory=memory))["strip"]
        assert [part["caption"] for part in strip["parts"]] == ["input", "reconstruction", "error"]
        assert any("ELBO" in line for line in strip["lines"]) == variational
        assert any(line.startswith("Reconstruction") for line in strip["lines"])


# -- which model -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unknown", ["nobody", "../tiny", "", "Tiny", "\x00"])
def test_an_unknown_model_in_the_address_gets_a_sentence_and_the_default(tiny: StoredModel, unknown: str):
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
@pytest.mark.usefixtures("nothing_shipped")
def test_without_any_model_the_page_says_how_to_train_one(name: str):
    page = open_page(name)
    assert not page.exception
    assert [title.value for title in page.title] == [TITLES[name]]
    [error] = page.error
    assert "`python -m vae_core train --dataset mnist --name mnist-16d`" in error.value
    assert not components(page)


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
        pick(page, "tiny")
        check(page, name)


@pytest.mark.parametrize("name", PAGES)
def test_choosing_another_model_keeps_pictures_and_says_what_became_of_them(store: Store, png: Png, name: str):
    store("other", latent_dim=2)
    memory = Session(model="tiny")
    keep_picture(memory, "1.png", png(1))
    page = open_page(name, memory=memory)
    pick(page, "other")
    check(page, name)
    assert sent(page)["model"]["name"] == "other"
    assert [picture["name"] for picture in sent(page)["pictures"]] == ["1.png"]
    assert len(sent(page)["pictures"][0]["mean"]) == 2
    assert any("encoded by other" in notice for notice in notices(page))
    assert picker(page)["current"] == "other"


@pytest.mark.parametrize("name", PAGES)
def test_a_choice_that_cannot_be_used_is_one_notice_and_the_model_stays(store: Store, models_dir: Path, name: str):
    store("bare", with_reference=False)
    store("broken")
    (models_dir / "broken" / WEIGHTS_FILE).write_bytes(b"no weights")
    page = open_page(name, model="tiny")
    for model, text in (("bare", "evaluate bare"), ("broken", WEIGHTS_FILE), ("gone", "no model named 'gone'")):
        pick(page, model)
        check(page, name)
        [notice] = notices(page)
        assert text in notice
        assert notice.endswith("The model in use stays.")
        assert sent(page)["model"]["name"] == picker(page)["current"] == "tiny"


@pytest.mark.parametrize("odd", [None, 1, [], {}, ["tiny"]])
def test_a_choice_that_is_no_name_changes_nothing(tiny: StoredModel, odd: object):
    page = open_page("explore", model="tiny")
    pick(page, odd)
    check(page, "explore")
    assert not page.warning


@pytest.mark.parametrize("name", TITLES)
def test_the_picker_names_every_model_with_dimensions_data_and_where_its_strip_is(store: Store, name: str):
    store("other", latent_dim=1, training=TrainingConfig("mnist"))
    page = open_page(name, model="tiny")
    assert picker(page)["current"] == "tiny"
    models = {model["name"]: model for group in picker(page)["groups"] for model in group["models"]}
    assert list(models) == [entry.name for members in families(collection()).values() for entry in members]
    assert (models["tiny"]["dimensions"], models["tiny"]["data"]) == ("3 dimensions", "")
    assert (models["other"]["dimensions"], models["other"]["data"]) == ("1 dimension", "MNIST handwritten digits")
    digests = f"{find_entry('other').digest}-{find_entry('other').reference_digest}"
    address = rf"live/models/other/{digests}-[0-9a-f]{{12}}/strip\.png"
    assert re.fullmatch(address, models["other"]["strip"])


def test_opening_a_page_loads_only_the_model_in_use(store: Store, monkeypatch: pytest.MonkeyPatch):
    store("other")
    asked: list[str] = []
    load = Engine.load
    monkeypatch.setattr(Engine, "load", lambda self, name: (asked.append(name), load(self, name))[1])
    open_page("explore", model="tiny")
    assert set(asked) == {"tiny"}


def test_a_models_code_waits_for_its_return(tiny: StoredModel, store: Store):
    store("other", latent_dim=2)
    page = open_page("explore", model="tiny")
    report(page, "z", [0.5, -0.5, 1.5])
    revision = sent(page)["revision"]
    pick(page, "other")
    assert len(sent(page)["z"]) == 2
    assert sent(page)["revision"] > revision, "else the page would not take the code over"
    pick(page, "tiny")
    assert sent(page)["z"] == [0.5, -0.5, 1.5]


# -- what the browser reports ----------------------------------------------------------------------------------------


def file(name: object, content: bytes) -> dict[str, object]:
    return {"name": name, "content": base64.b64encode(content).decode()}


@pytest.mark.parametrize("latent_dim", [3, 5])
@pytest.mark.parametrize("name", ["explore", "interpolate"])
def test_a_model_trained_anew_under_the_page_starts_afresh_and_the_page_says_so(
    tiny: StoredModel, store: Store, name: str, latent_dim: int
):
    page = open_page("explore", model="tiny")
    report(page, "z", [0.5, -1.5, 2.0])
    report(page, "view", {"projection": "axes", "x": 2, "y": 1, "colour": "label"})
    page.switch_page(f"views/{name}.py").run()
    assert sent(page)["view"]["x"] == 2
    anew = store("tiny", latent_dim=latent_dim)
    page.run()
    check(page, name)
    assert notices(page) == ["tiny was trained anew: its code, map, groups and keyframes start afresh."]
    assert len(sent(page)["z"]) == anew.spec.latent_dim
    assert sent(page)["z"] != [0.5, -1.5, 2.0]
    assert sent(page)["view"]["projection"] == "umap"
    page.run()
    assert notices(page) == []


def laid_out(*images: int) -> dict[str, object]:
    """A desk with a group and a selection of these images, and a name."""
    members = members_base64(images)
    return {
        "selection": members,
        "origin": "map",
        "groups": [{"name": "mine", "indices": members, "origin": "map"}],
        "directions": [],
        "names": {"0": "width"},
        "locked": [1],
        "tab": "groups",
    }


def test_a_model_that_was_only_touched_keeps_everything(tiny: StoredModel):
    page = open_page("explore", model="tiny")
    report(page, "z", [0.5, -1.5, 2.0])
    report(page, "desk", laid_out(3, 4))
    before = sent(page)
    for path in tiny.folder.iterdir():
        os.utime(path, ns=(1, 1))
    page.run()
    assert sent(page) == before
    assert notices(page) == []


def test_of_a_model_that_was_evaluated_anew_only_what_names_images_starts_afresh(
    tiny: StoredModel, tiny_reference: Reference
):
    page = open_page("explore", model="tiny")
    report(page, "z", [0.5, -1.5, 2.0])
    report(page, "view", {"projection": "axes", "x": 2, "y": 1, "colour": "label"})
    report(page, "desk", laid_out(3, 4))
    keyframes = tuple(Keyframe(name, "map", (0.5, 0.5, 0.5)) for name in ("one", "two"))
    memory_of(page).keyframes["tiny"] = keyframes
    before = sent(page)
    replace(tiny_reference, umap_places=tiny_reference.umap_places + 1).save(tiny.folder / REFERENCE_FILE)
    page.run()
    check(page, "explore")
    assert notices(page) == ["tiny was evaluated anew: groups and selection, which name its images, start afresh."]
    after = sent(page)
    assert (after["z"], after["view"], after["model"]["digest"]) == (
        before["z"],
        before["view"],
        before["model"]["digest"],
    )
    assert after["model"]["referenceDigest"] != before["model"]["referenceDigest"]
    assert after["model"]["maps"] != before["model"]["maps"]
    assert after["desk"]["groups"] == []
    assert (after["desk"]["names"], after["desk"]["locked"]) == ({"0": "width"}, [1])
    assert memory_of(page).keyframes == {"tiny": keyframes}
    page.run()
    assert notices(page) == []


def test_what_a_page_reports_of_the_reference_set_before_loses_its_images_alone(
    tiny: StoredModel, tiny_reference: Reference
):
    page = open_page("explore", model="tiny")
    stale = sent(page)["model"]
    replace(tiny_reference, umap_places=tiny_reference.umap_places + 1).save(tiny.folder / REFERENCE_FILE)
    page.run()
    report(page, "desk", laid_out(3, 4), shown=stale)
    report(page, "z", [0.5, -1.5, 2.0], shown=stale)
    assert sent(page)["desk"]["groups"] == []
    assert sent(page)["desk"]["names"] == {"0": "width"}
    assert memory_of(page).codes["tiny"].tolist() == [0.5, -1.5, 2.0], "its weights are the same"


def test_a_released_slider_is_kept_and_not_sent_back_as_new(tiny: StoredModel):
    page = open_page("explore", model="tiny")
    before = sent(page)["revision"]
    report(page, "z", [0.5, -0.5, 1.5])
    check(page, "explore")
    assert memory_of(page).codes["tiny"].tolist() == [0.5, -0.5, 1.5]
    assert sent(page)["revision"] == before, "a page that moved on meanwhile would be taken back"


def test_a_code_outlives_a_visit_to_another_page(tiny: StoredModel):
    page = open_page("explore", model="tiny")
    report(page, "z", [0.5, -0.5, 1.5])
    page.switch_page("views/interpolate.py").run()
    page.switch_page("views/explore.py").run()
    assert sent(page)["z"] == [0.5, -0.5, 1.5]


@pytest.mark.parametrize("name", PAGES)
def test_a_view_is_kept_for_all_pages(tiny: StoredModel, name: str):
    page = open_page(name, model="tiny")
    report(page, "view", {"projection": "axes", "x": 2, "y": 0, "colour": "1"})
    check(page, name)
    assert memory_of(page).views["tiny"] == View("axes", 2, 0, "1")
    for other in PAGES:
        page.switch_page(f"views/{other}.py").run()
        assert sent(page)["view"] == {"projection": "axes", "x": 2, "y": 0, "colour": "1"}


def test_locked_dimensions_keep_their_values_when_a_picture_is_loaded(tiny: StoredModel, png: Png):
    page = open_page("explore", model="tiny")
    report(page, "z", [0.5, -0.5, 1.5])
    report(page, "desk", {**sent(page)["desk"], "locked": [1]})
    report(page, "added", [file("1.png", png(1))])
    [picture] = sent(page)["pictures"]
    assert sent(page)["z"] == [picture["mean"][0], -0.5, picture["mean"][2]]


def test_pictures_are_added_chosen_and_removed_on_explore(tiny: StoredModel, png: Png):
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


def test_a_files_name_is_shown_as_it_is_and_loads_nothing(tiny: StoredModel):
    name = "![a](http://other.example/a.png) *b* <i>c</i> $d$ :red[e] `f`.png"
    page = open_page("explore", model="tiny")
    report(page, "added", [file(name, b"no picture")])
    [notice] = notices(page)
    assert name in notice
    [warning] = page.warning
    assert not re.search(r"(?<!\\)[\[*<$:`]", warning.value), "Markdown would read this"


@pytest.mark.parametrize("dataset", ["mnist", "digits"])
def test_examples_can_be_added_for_models_of_digits(store: Store, dataset: str):
    store("digits", training=TrainingConfig(dataset))
    page = open_page("explore", model="digits")
    names = [example["name"] for example in sent(page)["examples"]]
    report(page, "example", len(names) - 1)
    check(page, "explore")
    assert [picture["name"] for picture in sent(page)["pictures"]] == [f"digit {names[-1]}"]


@pytest.mark.parametrize("training", [None, TrainingConfig("faces"), TrainingConfig("/a/folder/of/mnist")])
def test_other_models_offer_no_examples_and_take_none(store: Store, training: TrainingConfig | None):
    store("other", training=training)
    page = open_page("explore", model="other")
    assert sent(page)["examples"] == []
    report(page, "example", 0)
    check(page, "explore")
    assert sent(page)["pictures"] == []
    page.switch_page("views/reconstruct.py").run()
    check(page, "reconstruct")
    assert not [button for button in page.button if button.key.startswith("example_")]


def studio_of(page: AppTest) -> dict[str, Any]:
    """What the page was given of keyframes and settings."""
    studio: dict[str, Any] = sent(page)["studio"]
    return studio


def test_keyframes_and_settings_are_kept_for_their_model_and_not_sent_back_changed(
    tiny: StoredModel, store: Store, png: Png
):
    store("other", latent_dim=2)
    memory = Session(model="tiny")
    picture = keep_picture(memory, "mine.png", png(1))
    page = open_page("interpolate", memory=memory)
    studio = studio_of(page)
    assert [keyframe["name"] for keyframe in studio["keyframes"]] == ["even, typical", "odd, typical"]
    mine = {"name": "mine.png", "source": "picture", "code": None, "picture": picture.id}
    studio["keyframes"] = [mine, *studio["keyframes"][::-1]]
    studio["animation"] |= {"kinds": ["data"], "easing": "cubic", "speed": 0.5, "loop": False}
    report(page, "studio", studio)
    check(page, "interpolate")
    assert studio_of(page) == studio
    page.switch_page("views/explore.py").run()
    page.switch_page("views/interpolate.py").run()
    assert studio_of(page) == studio
    pick(page, "other")
    check(page, "interpolate")
    assert studio_of(page)["animation"] == studio["animation"], "settings belong to the visitor"
    assert [keyframe["source"] for keyframe in studio_of(page)["keyframes"]] == ["typical", "typical"]
    assert {len(keyframe["code"]) for keyframe in studio_of(page)["keyframes"]} == {2}
    pick(page, "tiny")
    assert studio_of(page) == studio


def test_the_keyframes_of_a_picture_go_with_it(tiny: StoredModel, png: Png):
    memory = Session(model="tiny")
    picture = keep_picture(memory, "mine.png", png(1))
    page = open_page("interpolate", memory=memory)
    studio = studio_of(page)
    mine = {"name": "mine.png", "source": "picture", "code": None, "picture": picture.id}
    studio["keyframes"] = [mine, studio["keyframes"][1]]
    report(page, "studio", studio)
    report(page, "removed", picture.id)
    check(page, "interpolate")
    assert sent(page)["pictures"] == []
    assert [keyframe["name"] for keyframe in studio_of(page)["keyframes"]] == ["odd, typical", "even, typical"]


def test_pictures_are_added_on_interpolate(tiny: StoredModel, png: Png):
    page = open_page("interpolate", model="tiny")
    sliders = sent(page)["z"]
    report(page, "added", [file("1.png", png(1)), file("bad.png", b"no picture")])
    check(page, "interpolate")
    assert sent(page)["z"] == sliders, "the sliders are another page's"
    assert [picture["name"] for picture in sent(page)["pictures"]] == ["1.png"]
    assert ["bad.png" in notice for notice in notices(page)] == [True]


def test_the_page_says_what_the_graph_of_the_data_is_made_of(tiny: StoredModel):
    page = open_page("interpolate", model="tiny")
    graph = data_graph(tiny)
    assert sent(page)["graph"] == {"neighbours": graph.neighbours, "power": graph.power}


ODD: list[object] = [None, True, -1, 1e300, NAN, "", "x", [], [None], ["x"], [[]], [{}], {}, {"x": 1}, 10**400]
ODD_FILES: list[object] = [
    [{"name": "a"}],
    [{"content": "AAAA"}],
    [{"name": 1, "content": 2}],
    [{"name": "a", "content": "no base64"}],
    [{"name": "a", "content": "\u00e9"}],
    [file("a", b"")],
]
ODD_REPORTS = [
    ("explore", "z", ODD),
    ("explore", "view", ODD),
    ("explore", "added", ODD + ODD_FILES),
    ("explore", "example", [value for value in ODD if value is not True] + [99]),
    ("explore", "chosen", ODD),
    ("explore", "removed", ODD),
    ("interpolate", "studio", ODD),
    ("interpolate", "view", ODD),
    ("interpolate", "added", ODD + ODD_FILES),
    ("interpolate", "removed", ODD),
    ("reconstruct", "view", ODD),
]


@pytest.mark.parametrize(
    ("name", "kind", "values"), ODD_REPORTS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_page_leaves_what_it_cannot_use_as_it_is(
    tiny: StoredModel, png: Png, name: str, kind: str, values: list[object]
):
    memory = Session(model="tiny")
    keep_picture(memory, "1.png", png(1))
    page = open_page(name, memory=memory)
    before = {part: value for part, value in sent(page).items() if part != "revision"}
    for value in values:
        report(page, kind, value)
        check(page, name)
        assert {part: now for part, now in sent(page).items() if part != "revision"} == before, value
