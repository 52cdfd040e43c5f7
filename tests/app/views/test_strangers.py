"""Models of strangers beside good ones: what is wrong with one concerns its own tile, and every page works."""

import re
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app import server
from app.live.asset_files import strip_version
from app.live.routes import live_routes
from app.services.catalogue import card_of, collection, find_entry, zip_model
from tests.app.pages import TITLES, check, notices, open_page, pick, picker
from tests.app.views.test_models import click, tiles
from tests.strangers import STRANGERS, UNUSABLE, put_strangers
from vae_core.inference.engine import Engine
from vae_core.store.opening import StoredModel
from vae_core.store.summary import model_lines

pytestmark = pytest.mark.usefixtures("nothing_shipped")


@pytest.fixture(autouse=True)
def strangers(models_dir: Path) -> None:
    put_strangers(models_dir, "tiny")


@pytest.mark.parametrize("name", TITLES)
def test_every_page_works_with_a_good_model_in_use(name: str):
    page = open_page(name, model="tiny")
    check(page, name)
    assert {model["name"] for group in picker(page)["groups"] for model in group["models"]} == {"tiny", *STRANGERS}


@pytest.mark.parametrize("name", [name for name in TITLES if name != "models"])
@pytest.mark.parametrize("model", sorted(STRANGERS.keys() - UNUSABLE.keys()))
def test_a_model_with_a_strange_card_or_figures_can_be_explored(name: str, model: str):
    check(open_page(name, model=model), name)


def test_what_is_wrong_stands_on_the_models_own_tile():
    page = open_page("models", model="tiny")
    shown = tiles(page)
    assert shown.keys() == {"tiny", *STRANGERS}
    problems = {name: re.findall(r'vae-problem">⚠ ([^<]+)<', html) for name, html in shown.items()}
    assert "widths.0 must be a whole number" in problems["impossible-widths"][0]
    assert "no reference set" in problems["lying-header"][0]
    for name in ("figures-nested", "figures-of-gigabytes", "figures-a-list"):
        assert "metrics.json" in problems[name][0]
    for name in ("tiny", "card-of-markup", "card-of-gigabytes", "figures-of-any-shape", "figures-of-many-digits"):
        assert problems[name] == []
    assert {button.key for button in page.button if button.disabled} == {f"explore_{name}" for name in UNUSABLE}


@pytest.mark.parametrize("model", UNUSABLE)
def test_a_model_that_cannot_be_used_is_told_where_it_is_asked_for(model: str):
    page = open_page("models", model=model)
    assert not page.exception
    assert len(page.error) == 1
    assert tiles(page).keys() == {"tiny", *STRANGERS}
    page = open_page("explore", model="tiny")
    pick(page, model)
    check(page, "explore")
    [notice] = notices(page)
    assert notice.endswith("The model in use stays.")


@pytest.mark.parametrize("name", STRANGERS)
def test_each_card_opens(name: str):
    page = click(open_page("models", model="tiny"), f"card_{name}")
    assert not page.exception


@pytest.mark.timeout(60)
def test_what_is_read_of_each_is_bounded():
    for entry in collection():
        assert len(card_of(entry)) <= 100_000
        assert len(model_lines()) == 1 + len(STRANGERS) + 1
    assert zip_model(find_entry("card-of-markup"))


def test_the_routes_answer_for_good_models_and_say_a_sentence_for_the_others():
    client = TestClient(Starlette(routes=live_routes("")))
    for name in ("tiny", *STRANGERS):
        strip = client.get(f"/live/models/{name}/{strip_version(find_entry(name))}/strip.png")
        map_ = client.get(f"/live/models/{name}/0/map?projection=umap&x=0&y=1&colour=label")
        assert strip.status_code == map_.status_code == (400 if name in UNUSABLE else 200)
        assert "\n" not in strip.text or name not in UNUSABLE


def test_warming_up_goes_on(tiny: StoredModel):
    engine = Engine()
    server.load_models(engine, ["tiny", *STRANGERS])
    known = {name for name in ("tiny", *STRANGERS) if name not in UNUSABLE}
    for name in known:
        assert engine.decode(engine.load(name), np.zeros((1, 3), np.float32)).shape == (1, 1, 8, 8)
