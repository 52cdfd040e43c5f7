"""The Models page: a tile a model, cards, figures, and rate against distortion."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.services.catalogue import collection, families
from app.services.examples import decoded_strip
from tests.app.conftest import Store
from tests.app.pages import check, memory_of, open_page, sent
from vae_core.inference.engine import engine
from vae_core.models.config import TrainingConfig
from vae_core.models.vae import CARD_FILE, CONFIG_FILE
from vae_core.store.metrics_file import METRICS_FILE
from vae_core.store.opening import StoredModel
from vae_core.store.presets import PRESETS
from vae_core.store.stored_models import REFERENCE_FILE, WEIGHTS_FILE

MEASURED = {"test": {"negative_elbo": 91.5, "reconstruction": 68.5, "kl": 23, "active_units": 3}}
FAMILY = {"mnist-10d-beta-1": 1.0, "mnist-10d-beta-20": 20.0}


pytestmark = pytest.mark.usefixtures("nothing_shipped")


@pytest.fixture
def models(store: Store, models_dir: Path) -> list[str]:
    """A small collection: two of a family, a plain autoencoder of it, one without figures, and one of nobody's."""
    for name, beta in FAMILY.items():
        store(name, training=TrainingConfig("mnist", beta=beta))
        (models_dir / name / METRICS_FILE).write_text(json.dumps(MEASURED))
    store("mnist-10d-autoencoder", variational=False, training=TrainingConfig("mnist"))
    (models_dir / "mnist-10d-autoencoder" / METRICS_FILE).write_text(json.dumps(MEASURED))
    store("faces", channels=3, height=64, width=64, latent_dim=128)
    return [*FAMILY, "mnist-10d-autoencoder", "faces", "tiny"]


def tiles(page: AppTest) -> dict[str, str]:
    """The HTML of each tile, by the model's name."""
    found = [html.proto.body for html in page.get("html")]
    named = {re.search(r'vae-tile-name">([^<]+)<', body): body for body in found}
    return {name[1]: body for name, body in named.items() if name}


def text_of(html: str) -> str:
    return re.sub(r"<[^>]*>", "\n", html)


def click(page: AppTest, key: str) -> AppTest:
    [button] = [button for button in page.button if button.key == key]
    return button.click().run()


def table(page: AppTest, place: int = 0) -> Any:
    return page.dataframe[place].value


# -- gallery -------------------------------------------------------------------------------------------------------


def test_every_model_has_a_tile_with_strip_dimensions_data_and_summary(models: list[str]):
    page = open_page("models", model="tiny")
    check(page, "models")
    assert list(tiles(page)) == [entry.name for members in families(collection()).values() for entry in members]
    assert set(tiles(page)) == set(models)
    for name, html in tiles(page).items():
        strip = base64.b64encode(decoded_strip(engine().load(name))).decode()
        assert f'src="data:image/png;base64,{strip}"' in html
        assert f"{engine().load(name).spec.latent_dim} dimensions" in html
        if name in PRESETS:
            assert PRESETS[name].summary in text_of(html).replace("&#x27;", "'")
    assert "MNIST handwritten digits" in tiles(page)["mnist-10d-beta-1"]
    assert "\u2212ELBO 91.50 nats" in tiles(page)["mnist-10d-beta-1"]
    assert [name for name, html in tiles(page).items() if "in use" in html] == ["tiny"]


def test_families_are_headings(models: list[str]):
    page = open_page("models", model="tiny")
    headings = [heading.value for heading in page.header]
    assert headings[:3] == ["Rate and distortion", "On their own", "Your own models"]


def test_a_model_is_opened_on_explore(models: list[str]):
    page = click(open_page("models", model="tiny"), "explore_mnist-10d-beta-20")
    check(page, "explore")
    assert sent(page)["model"]["name"] == memory_of(page).model == "mnist-10d-beta-20"


def test_models_with_something_missing_or_damaged_say_so_on_their_own_tile(models: list[str], store: Store):
    folder = store("bare", with_reference=False).folder.parent
    for name, file in (("weights", WEIGHTS_FILE), ("config", CONFIG_FILE), ("map", REFERENCE_FILE)):
        store(name)
        (folder / name / file).write_bytes(b"damaged")
    store("figures")
    (folder / "figures" / METRICS_FILE).write_bytes(b"damaged")
    page = open_page("models", model="tiny")
    check(page, "models")
    problems = {name: re.findall(r'vae-problem">⚠ ([^<]+)<', html) for name, html in tiles(page).items()}
    assert {name for name, found in problems.items() if found} == {"bare", "weights", "config", "map", "figures"}
    for name, text in (
        ("bare", "evaluate bare"),
        ("weights", WEIGHTS_FILE),
        ("config", CONFIG_FILE),
        ("map", REFERENCE_FILE),
        ("figures", METRICS_FILE),
    ):
        [problem] = problems[name]
        assert text in problem
    disabled = {button.key for button in page.button if button.disabled}
    assert disabled == {"explore_bare", "explore_weights", "explore_config", "explore_map"}


def test_the_page_is_there_when_the_model_in_use_is_not(models: list[str], store: Store):
    store("bare", with_reference=False)
    page = open_page("models", model="bare")
    assert not page.exception
    [error] = page.error
    assert "evaluate bare" in error.value
    assert len(tiles(page)) == len(models) + 1
    check(click(page, "explore_tiny"), "explore")


def test_without_any_model_the_page_says_how_to_train_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VAE_MODELS_DIR", str(tmp_path))
    page = open_page("models")
    assert not page.exception
    [error] = page.error
    assert "python -m vae_core train" in error.value
    assert not page.tabs


def test_names_and_texts_of_models_are_shown_as_they_are(tiny: StoredModel):
    (tiny.folder / METRICS_FILE).write_text("<script>alert(1)</script>")
    html = tiles(open_page("models", model="tiny"))["tiny"]
    assert "<script" not in html


# -- cards ---------------------------------------------------------------------------------------------------------


def test_a_card_is_shown_without_pictures_comments_and_its_first_heading(tiny: StoredModel):
    card = "# tiny\n\n<!-- figures -->What it saw: <b>x</b> ![a](http://other.example/a.png)\n"
    (tiny.folder / CARD_FILE).write_text(card)
    page = click(open_page("models", model="tiny"), "card_tiny")
    assert not page.exception
    [shown] = [markdown for markdown in page.markdown if "What it saw" in markdown.value]
    assert not shown.allow_html
    assert "![" not in shown.value
    assert "# tiny" not in shown.value
    assert "<!--" not in shown.value


def test_a_model_without_a_card_says_how_to_write_one(tiny: StoredModel):
    (tiny.folder / CARD_FILE).unlink(missing_ok=True)
    page = click(open_page("models", model="tiny"), "card_tiny")
    [info] = [info.value for info in page.info if "card" in info.value]
    assert "`python -m vae_core evaluate tiny`" in info


def test_a_model_can_be_downloaded(models: list[str]):
    page = click(open_page("models", model="tiny"), "card_mnist-10d-beta-1")
    [download] = page.get("download_button")
    [entry] = [entry for entry in collection() if entry.name == "mnist-10d-beta-1"]
    assert download.proto.label == f"Download, {entry.size / 1e6:.1f} MB"


# -- figures -------------------------------------------------------------------------------------------------------


def test_the_table_has_a_row_a_model_and_blanks_where_nothing_was_measured(models: list[str]):
    rows = table(open_page("models", model="tiny")).set_index("Model")
    assert set(rows.index) == set(models)
    elbo = rows["\u2212ELBO, nats"]
    assert elbo[list(FAMILY)].tolist() == [91.5, 91.5]
    assert np.isnan(elbo[["mnist-10d-autoencoder", "faces", "tiny"]].to_numpy(float)).all()
    assert "MIG" not in rows.columns, "nobody has it"
    assert rows["Dimensions"]["faces"] == 128
    assert (rows["Size, MB"] > 0).all()


def test_every_heading_of_the_table_is_explained(models: list[str]):
    frame = open_page("models", model="tiny").dataframe[0]
    config = json.loads(frame.proto.columns)
    for title in frame.value.columns:
        assert title == "Model" or config[title]["help"].endswith("."), title


def test_published_figures_stand_beside_ours(store: Store, models_dir: Path):
    store("mnist-2d")
    (models_dir / "mnist-2d" / METRICS_FILE).write_text(json.dumps(MEASURED))
    rows = table(open_page("models", model="tiny"), 1)
    assert len(rows) == len(PRESETS["mnist-2d"].published)
    assert rows["Model"].tolist() == ["mnist-2d"] * len(rows)
    assert rows["This model"][0] == "91.50"
    assert rows["Source"].tolist() == [published.source for published in PRESETS["mnist-2d"].published]


def test_without_presets_there_is_no_table_of_published_figures(tiny: StoredModel):
    assert len(open_page("models", model="tiny").dataframe) == 1


# -- rate and distortion -------------------------------------------------------------------------------------------


def test_the_family_is_drawn_and_who_is_missing_is_named(models: list[str], store: Store):
    store("mnist-10d-beta-5", training=TrainingConfig("mnist", beta=5))  # which has no figures
    page = open_page("models", model="tiny")
    [chart] = page.get("plotly_chart")
    assert json.loads(chart.proto.spec)["data"][-1]["text"] == ["β = 1", "β = 20"]
    assert any("mnist-10d-beta-5" in caption.value for caption in page.caption)


def test_without_the_family_a_sentence_says_how_to_get_it(tiny: StoredModel):
    page = open_page("models", model="tiny")
    assert not page.get("plotly_chart")
    assert any("train-all" in info.value for info in page.info)
