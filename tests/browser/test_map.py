"""The map as an instrument in a real browser: training images on it, and other UMAPs in its place."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.touch import (
    choose_model,
    decoded,
    latent_map,
    map_point,
    marker,
    open_page,
    pixels,
    wait_for_map,
    wait_until_changed,
)

FIT_MS = 90_000  # a UMAP of 2,000 codes takes 10 s on a quiet machine
ENCODE_MS = 120_000  # 60,000 digits take 10 s on a quiet machine
TRAINING, TEST = 60_000, 10_000
DIGITS = "?model=mnist-10d-beta-1"
SMALL = "?model=emoji"  # its reference set has 2,000 images

OWN = """(plot) => plot.data.reduce((sum, { x, visible }) => sum + (visible === "legendonly" ? 0 : x.length), 0)"""

# The place of a reference image amid many, in the map's pixels.
AMID = """(plot) => {
  const { xaxis, yaxis, margin } = plot._fullLayout;
  const { x, y } = plot.data[0];
  const middle = (values) => Array.from(values).sort((a, b) => a - b)[values.length >> 1];
  return { x: xaxis.c2p(middle(x)) + margin.l, y: yaxis.c2p(middle(y)) + margin.t };
}"""

# Keeps the places at which a point is seen, frame by frame.
COUNT_STOPS = """(plot) => {
  plot.stops = new Set();
  const look = () => {
    plot.stops.add(plot.data[0].x[0]);
    requestAnimationFrame(look);
  };
  look();
}"""


def plot(page: Page) -> Locator:
    return latent_map(page).locator(".plot")


def backdrop(page: Page) -> Locator:
    return page.get_by_test_id("backdrop")


def painted(page: Page) -> str:
    return latent_map(page).get_attribute("data-painted")


def wait_until_painted_anew(page: Page, before: str) -> None:
    expect(latent_map(page)).not_to_have_attribute("data-painted", before, timeout=FIT_MS)


def fit(page: Page, **settings: str) -> None:
    """Ask for a UMAP with some settings changed."""
    page.get_by_text("UMAP settings").click()
    for name, value in settings.items():
        page.get_by_role("spinbutton", name=name).fill(value)
    page.get_by_role("button", name="Fit again").click()


def show_training(page: Page) -> None:
    page.get_by_role("checkbox", name="Training images").check()
    expect(page.get_by_role("checkbox", name="60,000 training images")).to_be_visible(timeout=ENCODE_MS)
    expect(backdrop(page)).to_have_attribute("data-points", str(TRAINING))


def inked(page: Page) -> int:
    """How many pixels of the backdrop are painted."""
    return backdrop(page).evaluate("""(canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.reduce((sum, value, i) => sum + (i % 4 === 3 && value > 0), 0);
    }""")


def look_for(page: Page, text: re.Pattern[str]) -> None:
    """Move over the map, amid its points, until the card says it."""
    box, where = latent_map(page).bounding_box(), plot(page).evaluate(AMID)
    assert box is not None
    for step in range(20):
        page.mouse.move(box["x"] + where["x"] + 4 * step, box["y"] + where["y"] + 2 * step)
        expect(page.locator(".peek-text")).not_to_be_empty()
        if text.search(page.locator(".peek-text").inner_text()):
            return
    pytest.fail(f"nothing on the map says {text.pattern}")


# -- UMAPs fitted anew -----------------------------------------------------------------------------------------------


def test_a_new_umap_takes_the_old_ones_place_when_it_is_there_and_leaves_again(page: Page, server: str):
    open_page(page, server, SMALL)
    stored = painted(page)
    plot(page).evaluate(COUNT_STOPS)
    fit(page, Neighbours="5")
    progress = page.get_by_role("progressbar", name="UMAP is fitted")
    expect(progress).to_be_visible()
    page.mouse.move(*map_point(page, 0.5, 0.5))
    expect(page.get_by_test_id("peek")).to_be_visible()  # the old map stays in use
    assert painted(page) == stored
    wait_until_painted_anew(page, stored)
    new = painted(page)
    assert plot(page).evaluate("(plot) => plot.stops.size") > 3, "points are on their way before they arrive"
    expect(progress).to_be_hidden()
    expect(marker(page)).to_be_visible()
    before = pixels(decoded(page))
    page.mouse.click(*map_point(page, 0.45, 0.6))  # the server decodes places of the new map
    wait_until_changed(page, decoded(page), before)
    page.get_by_role("link", name="Models").click()
    page.get_by_role("tab", name="Collection").wait_for()
    page.get_by_role("link", name="Explore").click()
    wait_for_map(page)
    expect(latent_map(page)).to_have_attribute("data-painted", new)
    page.get_by_text("UMAP settings").click()
    page.get_by_role("button", name="Stored map").click()
    expect(latent_map(page)).to_have_attribute("data-painted", stored)


def test_a_fit_can_be_stopped(page: Page, server: str):
    open_page(page, server, SMALL)
    stored, picture = painted(page), pixels(decoded(page))
    fit(page, Neighbours="150")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("progressbar", name="UMAP is fitted")).to_be_hidden()
    expect(page.get_by_text("The fit was stopped")).to_be_visible()
    page.get_by_text("UMAP settings").click()
    expect(page.get_by_role("button", name="Fit again")).to_be_enabled()
    assert painted(page) == stored
    assert pixels(decoded(page)) == picture, "what lies on the map under the button is not loaded"


def test_a_fit_goes_on_while_another_model_or_page_is_shown(page: Page, server: str):
    open_page(page, server, SMALL)
    stored, before = painted(page), latent_map(page).bounding_box()
    fit(page, Neighbours="150")
    progress = page.get_by_role("progressbar", name="UMAP is fitted")
    expect(progress).to_be_visible()
    assert latent_map(page).bounding_box() == before, "progress moves nothing"
    choose_model(page, "mnist-2d")
    expect(progress).to_be_hidden()
    page.get_by_role("link", name="Models").click()
    page.get_by_role("tab", name="Collection").wait_for()
    page.get_by_role("link", name="Explore").click()
    wait_for_map(page)
    choose_model(page, "emoji")
    page.wait_for_function(
        "([map, stored]) => map.dataset.painted?.startsWith(stored) && map.dataset.painted !== stored",
        arg=[latent_map(page).element_handle(), stored],
        timeout=FIT_MS,
    )
    expect(page.get_by_text("UMAP settings: fitted anew")).to_be_visible()


def test_settings_that_make_no_map_get_a_sentence(page: Page, server: str):
    open_page(page, server, SMALL)
    fit(page, Neighbours="1")
    expect(page.get_by_text("Neighbours takes a whole number from 2 to 200.")).to_be_visible()
    fit_again = page.get_by_role("button", name="Fit again")
    expect(fit_again).to_be_enabled()


def test_a_new_umap_that_the_server_forgot_gives_way_to_the_stored_one(page: Page, server: str):
    def of_another_number(route: Route) -> None:
        made = route.fetch().json()
        route.fulfill(body=json.dumps({**made, "number": made["number"] ^ 1}), content_type="application/json")

    page.route(re.compile("/live/jobs/.*/result"), of_another_number)
    open_page(page, server, SMALL)
    stored = painted(page)
    fit(page, Seed="2")
    expect(page.get_by_text("The server forgot the map")).to_be_visible(timeout=FIT_MS)
    expect(latent_map(page)).to_have_attribute("data-painted", stored)
    expect(marker(page)).to_be_visible()


# The next live question is one that no server takes.
SPOIL = """() => {
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (message) {
    const asksForOneCode = this.url.includes("/live/models/") && new Uint8Array(message)[0] === 1;
    if (!asksForOneCode) return send.call(this, message);
    WebSocket.prototype.send = send;
    return send.call(this, "no question");
  };
}"""


def test_a_refused_question_leaves_a_map_that_was_fitted_anew(page: Page, server: str):
    open_page(page, server, SMALL)
    fit(page, Seed="2")
    fitted_anew = page.get_by_text("UMAP settings: fitted anew")
    expect(fitted_anew).to_be_visible(timeout=FIT_MS)
    page.evaluate(SPOIL)
    page.get_by_role("button", name="Zero").click()
    expect(page.get_by_text("The server refused the last request: a question is a binary message")).to_be_visible()
    expect(fitted_anew).to_be_visible()


# -- training images -------------------------------------------------------------------------------------------------


def test_training_images_lie_under_the_others_and_share_their_legend(page: Page, server: str, training_digits: None):
    open_page(page, server, DIGITS)
    assert plot(page).evaluate(OWN) == TEST
    show_training(page)
    assert inked(page) > 1_000
    page.locator(".legendtoggle").first.click()
    expect(backdrop(page)).not_to_have_attribute("data-points", str(TRAINING))
    hidden = TRAINING - int(backdrop(page).get_attribute("data-points"))
    assert 5_000 < hidden < 7_000, "the training images of a class hide with it"
    assert plot(page).evaluate(OWN) < TEST
    page.get_by_role("checkbox", name="60,000 training images").uncheck()
    expect(backdrop(page)).to_be_hidden()


def test_training_images_are_looked_at_loaded_and_coloured_and_follow_the_map(
    page: Page, server: str, training_digits: None
):
    open_page(page, server, DIGITS)
    show_training(page)
    look_for(page, re.compile("seen in training|seen when weights were chosen"))
    shown, before = pixels(page.get_by_test_id("peek")), pixels(decoded(page))
    page.mouse.down()
    page.mouse.up()
    wait_until_changed(page, decoded(page), before)
    assert pixels(decoded(page)) == shown, "its own code is decoded"
    by_label = pixels(backdrop(page))
    colour = page.get_by_label("Colour", exact=True)
    colour.select_option("0")
    wait_until_changed(page, backdrop(page), by_label)
    by_dimension = pixels(backdrop(page))
    colour.select_option("reconstruction")  # known of reference images alone
    wait_until_changed(page, backdrop(page), by_dimension)
    in_place = pixels(backdrop(page))
    page.mouse.move(*map_point(page, 0.5, 0.5))
    page.mouse.wheel(0, -400)
    wait_until_changed(page, backdrop(page), in_place)  # drawn anew where the map came to rest
    expect(backdrop(page)).to_have_attribute("data-points", str(TRAINING))
