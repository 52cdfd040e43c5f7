"""A model that is trained or evaluated anew under an open page: the page follows, and keeps what still fits."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page, expect

from tests.browser.instrument import lasso, selected, value_of
from tests.browser.touch import decoded, open_page, pixels, wait_until_changed
from tests.server import free_port, running_server
from vae_core.models.vae import VAE
from vae_core.reference.reference_set import Reference
from vae_core.runtime.locations import shipped_models
from vae_core.store.stored_models import REFERENCE_FILE, save_model


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def own_server(models: Path) -> Iterator[str]:
    with running_server(free_port(), models=str(models)) as address:
        yield address


@pytest.fixture
def mine(models: Path) -> Path:
    """A model of somebody's own."""
    shutil.rmtree(models / "mine", ignore_errors=True)
    return Path(shutil.copytree(shipped_models() / "mnist-2d", models / "mine"))


def evaluate_anew(folder: Path) -> None:
    reference = Reference.load(folder / REFERENCE_FILE)
    replace(reference, reconstruction=reference.reconstruction + 1).save(folder / REFERENCE_FILE)


def train_anew(folder: Path) -> None:
    model = VAE.from_pretrained(folder)
    with torch.no_grad():
        model.encoder.mean.bias += 0.25
    save_model(model, folder)


def lay_out(page: Page, server: str) -> None:
    """Set a slider, name a dimension, keep a group, and wait until Python knows."""
    open_page(page, server, "?model=mine")
    page.get_by_role("textbox", name="Name of Dimension 1").fill("width")
    page.get_by_role("textbox", name="Value of Dimension 1").fill("0.5")
    page.keyboard.press("Enter")
    lasso(page)
    selected(page)
    page.get_by_role("button", name="Keep as group").click()
    expect(page.get_by_role("textbox", name="Name of group 1")).to_be_visible()
    page.get_by_role("link", name="Models").click()  # which reports all that has not settled
    page.get_by_role("heading", name="Your own models").wait_for()
    page.get_by_role("link", name="Explore").click()
    expect(page.get_by_role("textbox", name="Name of group 1")).to_be_visible()


def drag(page: Page) -> None:
    """Ask a live question."""
    page.get_by_role("tab", name="Sliders").click()
    page.get_by_role("slider", name="Dimension 2", exact=True).fill("1")


def test_of_one_that_was_evaluated_anew_only_groups_go(page: Page, own_server: str, mine: Path):
    lay_out(page, own_server)
    evaluate_anew(mine)
    drag(page)
    expect(page.get_by_text("mine was evaluated anew: groups and selection")).to_be_visible()
    page.get_by_role("tab", name="Sliders").click()  # the page begins with the tab that was open before
    expect(page.get_by_role("textbox", name="Name of Dimension 1")).to_have_value("width")
    assert value_of(page, "Dimension 1") == 0.5
    page.get_by_role("tab", name="Groups").click()
    expect(page.get_by_role("textbox", name="Name of group 1")).to_have_count(0)
    page.get_by_role("tab", name="Sliders").click()
    before = pixels(decoded(page))
    page.get_by_role("slider", name="Dimension 2", exact=True).fill("-2")
    wait_until_changed(page, decoded(page), before)  # the page goes on with the new one


def test_of_one_that_was_trained_anew_all_goes_and_the_page_says_so(page: Page, own_server: str, mine: Path):
    lay_out(page, own_server)
    train_anew(mine)
    drag(page)
    expect(page.get_by_text("mine was trained anew")).to_be_visible()
    page.get_by_role("tab", name="Sliders").click()
    expect(page.get_by_role("slider", name="Dimension 1", exact=True)).to_be_visible()
    assert value_of(page, "Dimension 1") != 0.5


def test_who_comes_back_after_an_evaluation_finds_names_and_no_groups(page: Page, own_server: str, mine: Path):
    lay_out(page, own_server)
    evaluate_anew(mine)
    open_page(page, own_server, "?model=mine")
    expect(page.get_by_role("textbox", name="Name of Dimension 1")).to_have_value("width")
    page.get_by_role("tab", name="Groups").click()
    expect(page.get_by_role("textbox", name="Name of group 1")).to_have_count(0)
