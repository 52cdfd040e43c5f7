"""The model picker and the Models page in a real browser, with the shipped models."""

import shutil
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.touch import Reruns, at_rest, choose_model, latent_map, open_page, wait_for_map
from tests.server import free_port, running_server
from vae_core.models.vae import CARD_FILE
from vae_core.store.stored_models import list_models, model_folder

HEIGHT = 34  # pixels of a strip in the picker
SETTLED_MS = 1000


def picker(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Model", exact=True)


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Models").get_by_role("option")


def marked(page: Page) -> str:
    """The name of the option that Enter would choose, as a screen reader is told."""
    identity = picker(page).get_attribute("aria-activedescendant")
    assert identity is not None
    return identity.removeprefix("model-")


# -- picker --------------------------------------------------------------------------------------------------------


def test_the_picker_shows_name_dimensions_and_strip_and_opens_without_a_rerun(page: Page, server: str):
    strips: list[str] = []
    page.on("request", lambda request: strips.append(request.url) if "strip.png" in request.url else None)
    reruns = Reruns(page)
    open_page(page, server, "?model=mnist-2d")
    expect(picker(page)).to_contain_text("mnist-2d")
    expect(picker(page)).to_contain_text("2 dimensions")
    page.wait_for_timeout(SETTLED_MS)
    assert len(strips) == 1, "those of other models are not asked for before the list is opened"
    before = reruns.count
    picker(page).click()
    expect(options(page).first).to_be_visible()
    assert sorted(options(page).locator("strong").all_inner_texts()) == list_models()
    for option in options(page).all():
        option.scroll_into_view_if_needed()
        expect(option).to_contain_text("dimension")
        image = option.locator("img")
        page.wait_for_function("(image) => image.naturalWidth > image.naturalHeight", arg=image.element_handle())
        assert image.bounding_box()["height"] == HEIGHT
    assert reruns.count == before
    expect(page.locator('[id="model-mnist-2d"]')).to_have_attribute("aria-selected", "true")


def test_a_model_is_chosen_with_the_keyboard_alone(page: Page, server: str):
    open_page(page, server, "?model=mnist-16d")
    picker(page).focus()
    page.keyboard.press("ArrowDown")
    expect(picker(page)).to_have_attribute("aria-expanded", "true")
    assert marked(page) == "mnist-16d", "the list opens at the model in use"
    order = options(page).locator("strong").all_inner_texts()
    page.keyboard.press("Home")
    assert marked(page) == order[0]
    page.keyboard.press("ArrowDown")
    assert marked(page) == order[1]
    page.keyboard.press("End")
    assert marked(page) == order[-1]
    page.keyboard.type("mnist-2d")
    assert marked(page) == "mnist-2d"
    page.keyboard.press("Enter")
    expect(page.get_by_role("slider")).to_have_count(2)
    expect(picker(page)).to_contain_text("mnist-2d")
    expect(options(page).first).to_be_hidden()
    expect(picker(page)).to_be_focused()
    assert "model=mnist-2d" in page.url
    wait_for_map(page)


def test_the_list_closes_by_escape_by_tab_and_by_a_press_elsewhere_and_changes_nothing(page: Page, server: str):
    reruns = Reruns(page)
    open_page(page, server, "?model=mnist-2d")
    page.wait_for_timeout(SETTLED_MS)
    before = reruns.count
    for leave in (
        lambda: page.keyboard.press("Escape"),
        lambda: page.keyboard.press("Tab"),
        lambda: page.mouse.click(20, 500),
    ):
        picker(page).focus()
        page.keyboard.press("Enter")
        expect(options(page).first).to_be_visible()
        page.keyboard.press("End")
        leave()
        expect(options(page).first).to_be_hidden()
        expect(picker(page)).to_have_attribute("aria-expanded", "false")
    expect(picker(page)).to_contain_text("mnist-2d")
    assert reruns.count <= before + 1, "the press on the map loads what lies there"


@pytest.mark.parametrize("width", [1440, 1024, 420])
def test_the_list_lies_within_the_window(page: Page, server: str, width: int):
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(server)
    picker(page).click()
    box = page.get_by_role("listbox", name="Models").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= 700
    button = picker(page).bounding_box()
    assert button["x"] + button["width"] <= width


def test_the_picker_stays_where_it_was_on_every_page(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    places = []
    for name in ("Reconstruct", "Interpolate", "Models", "Explore"):
        page.get_by_role("link", name=name, exact=True).click()
        page.get_by_role("link", name=name, exact=True).and_(page.locator("[aria-current]")).wait_for()
        expect(picker(page)).to_contain_text("mnist-2d")
        box = at_rest(page, lambda: picker(page).bounding_box())
        places.append((box["x"], box["y"]))
    assert len(set(places)) == 1


# -- Models page ---------------------------------------------------------------------------------------------------


def open_models(page: Page, server: str) -> None:
    page.goto(f"{server}/models?model=mnist-2d")
    expect(page.get_by_role("button", name="Card")).to_have_count(len(list_models()))


def test_a_tile_leads_to_explore(page: Page, server: str):
    open_models(page, server)
    tile = page.locator('[class*="st-key-tile_mnist-16d"]')
    expect(tile.get_by_alt_text("Pictures decoded by mnist-16d")).to_be_visible()
    tile.get_by_role("button", name="Explore").click()
    page.get_by_text("Explore the latent space").wait_for()
    wait_for_map(page)
    expect(picker(page)).to_contain_text("mnist-16d")


def test_a_choice_in_the_picker_marks_its_tile(page: Page, server: str):
    open_models(page, server)
    choose_model(page, "mnist-16d")
    expect(page.locator('[class*="st-key-tile_mnist-16d"]').get_by_text("in use")).to_be_visible()
    expect(page.get_by_text("in use", exact=True)).to_have_count(1)


def test_a_model_is_downloaded_with_its_card_in_sight(page: Page, server: str):
    open_models(page, server)
    page.locator('[class*="st-key-tile_mnist-2d"]').first.get_by_role("button", name="Card").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Training")).to_be_visible()
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "mnist-2d.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        names = {f"mnist-2d/{path.name}" for path in model_folder("mnist-2d").iterdir()}
        assert set(archive.namelist()) == names


def test_a_card_from_outside_brings_in_neither_tags_nor_pictures(page: Page, tmp_path: Path):
    folder = tmp_path / "mine"
    shutil.copytree(model_folder("mnist-2d"), folder)
    (folder / CARD_FILE).write_text(
        "# mine\n\nSeen <b id='bold'>here</b> ![p](http://other.example/1.png) \\![p](http://other.example/2.png)\n\n"
        "<img src='http://other.example/3.png'>\n\n<script>window.ran = 1</script>\n\n![p][r]\n\n"
        "[r]: http://other.example/4.png\n"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with running_server(free_port(), models=str(tmp_path)) as server:
        page.goto(f"{server}/models")
        page.locator('[class*="st-key-tile_mine"]').get_by_role("button", name="Card").click()
        expect(page.get_by_role("dialog")).to_contain_text("Seen")
        page.wait_for_timeout(SETTLED_MS)
        assert page.locator("#bold").count() == 0
        assert page.evaluate("window.ran") is None
    assert [url for url in asked if "other.example" in url] == []


def test_figures_and_rate_distortion_have_a_tab_each(page: Page, server: str):
    open_models(page, server)
    page.get_by_role("tab", name="Figures").click()
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    page.get_by_role("tab", name="Rate and distortion").click()
    expect(page.locator('[data-testid="stPlotlyChart"], [data-testid="stAlert"]').last).to_be_visible()
    page.get_by_role("link", name="Explore", exact=True).click()
    expect(latent_map(page)).to_be_visible()
