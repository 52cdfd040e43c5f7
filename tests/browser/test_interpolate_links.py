"""Links of Interpolate and leaving the page: what is restored elsewhere, and what must not be lost."""

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.interpolate import (
    FIRST,
    add,
    names,
    open_interpolate,
    pause,
    pixels_of,
    thumbs,
    wait_for_frames,
    wait_for_interpolate,
    wait_for_pictures,
)
from tests.browser.touch import wait_for_map

COPIED = "The link is in the clipboard."


def copied_link(page: Page, said: str = COPIED) -> str:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text(said)).to_be_visible()
    link: str = page.evaluate("() => navigator.clipboard.readText()")
    return link


def arrange(page: Page) -> None:
    """Other settings than a first visit has."""
    page.get_by_role("combobox", name="Map").select_option("pca")
    page.get_by_role("combobox", name="Colour").select_option("norm")
    page.get_by_role("combobox", name="Easing").select_option("cubic")
    page.get_by_label("Frames per leg").fill("11")
    page.get_by_label("Loop").uncheck()
    page.get_by_role("group", name="Kinds of path").get_by_role("checkbox", name="Spherical").uncheck()


def test_a_copied_link_shows_the_same_to_another_person(page: Page, browser: Browser, server: str, tmp_path):
    picture = tmp_path / "mine 手.png"
    Image.linear_gradient("L").resize((28, 28)).save(picture)
    open_interpolate(page, server, "?model=mnist-16d")
    pause(page)
    add(page, "Random (prior)")
    page.get_by_label("Add pictures", exact=True).last.set_input_files(picture)
    expect(thumbs(page)).to_have_count(4)
    arrange(page)
    wait_for_frames(page, 31)
    link = copied_link(page)
    assert "/interpolate?" in link

    context = browser.new_context()  # another person
    other = context.new_page()
    other.goto(link)
    wait_for_interpolate(other)
    wait_for_frames(other, 31)
    assert names(other) == names(page) == [*FIRST, "N(0, I) draw", "mine 手.png"]
    for place in range(4):
        difference = np.abs(pixels_of(thumbs(other).nth(place)) - pixels_of(thumbs(page).nth(place)))
        assert difference.max() <= 2, "codes are rounded to thousandths"
    for control, value in (("Map", "pca"), ("Colour", "norm"), ("Easing", "cubic")):
        assert other.get_by_role("combobox", name=control).input_value() == value
    assert not other.get_by_label("Loop").is_checked()
    assert not other.get_by_role("checkbox", name="Spherical").is_checked()
    assert other.get_by_role("button", name="Remove mine").count() == 0, "the picture itself stays with its owner"
    assert other.url.endswith("/interpolate?model=mnist-16d"), "the address would soon be untrue"
    context.close()


def test_keyframes_that_make_a_link_too_long_are_left_out_and_it_says_so(page: Page, server: str):
    open_interpolate(page, server, "?model=faces")
    page.get_by_label("Frames per leg").fill("2")
    page.keyboard.press("Enter")
    add(page, *["Random (image)"] * 18)
    mine = names(page)
    link = copied_link(page, "of 20 keyframes: more would make it too long to send.")
    assert len(link) < 8_200
    page.goto(link)
    wait_for_map(page)
    wait_for_pictures(page)
    assert 10 < len(names(page)) < 20
    assert names(page) == mine[: len(names(page))]


def test_pages_that_may_not_use_the_clipboard_copy_the_old_way(page: Page, server: str):
    open_interpolate(page, server, "?model=mnist-2d")
    page.evaluate("() => void (navigator.clipboard.writeText = () => Promise.reject(new Error('not here')))")
    assert "/interpolate?model=mnist-2d&view=" in copied_link(page)
    focused = page.evaluate("document.activeElement.shadowRoot?.activeElement?.textContent")
    assert focused == "Copy link"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?model=mnist-2d&view=nonsense", "the link is damaged or from another version"),
        ("?model=no-such-model&view=nonsense", "There is no model named 'no-such-model' here"),
    ],
)
def test_a_wrong_link_gives_a_sentence_and_the_first_view(page: Page, server: str, query: str, sentence: str):
    open_interpolate(page, server, query)
    expect(page.get_by_text(sentence)).to_be_visible()
    assert len(names(page)) == 2


def test_a_link_to_a_model_of_that_name_that_was_trained_anew_is_stale(page: Page, server: str):
    open_interpolate(page, server, "?model=mnist-10d-beta-1")
    link = copied_link(page)
    page.goto(link.replace("mnist-10d-beta-1", "mnist-10d-beta-5"))  # of as many dimensions
    expect(page.get_by_text("made with another model, or before mnist-10d-beta-5 was trained anew")).to_be_visible()


@pytest.mark.parametrize("round", range(3))
def test_who_leaves_right_after_a_change_gets_away_and_loses_nothing(page: Page, server: str, round: int):
    open_interpolate(page, server, "?model=mnist-2d")
    add(page, *["Random (prior)"] * (round + 1))
    mine = names(page)
    page.get_by_label("Loop").uncheck()
    page.get_by_role("link", name="Explore").click()
    page.get_by_text("Explore the latent space").wait_for()
    page.wait_for_timeout(500)
    assert page.get_by_text("Explore the latent space").is_visible(), "nothing brings the person back"
    page.get_by_role("link", name="Interpolate").click()
    wait_for_interpolate(page)
    assert names(page) == mine
    assert not page.get_by_label("Loop").is_checked()
