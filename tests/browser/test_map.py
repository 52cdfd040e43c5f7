"""The map as an instrument in a real browser: training images on it, and other UMAPs in its place."""

import json
import re

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.touch import (
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

# How many points each kind of layer draws: those under the map's own ones have a uid that says so.
COUNTS = """(plot) => plot.data.reduce((sum, { x, uid, visible }) => {
  const kind = uid.startsWith("training") ? "training" : "own";
  if (visible !== "legendonly") sum[kind] += x.length;
  return sum;
}, { training: 0, own: 0 })"""

# A training image's point that lies alone, in the plot's pixels.
LONELY = """(plot) => {
  const { xaxis, yaxis, margin } = plot._fullLayout;
  const place = ({ y, uid }) => (value, i) => [xaxis.c2p(value), yaxis.c2p(y[i]), uid];
  const all = plot.data.flatMap((trace) => Array.from(trace.x, place(trace)));
  const inside = ([x, y]) => x > 60 && x < xaxis._length - 60 && y > 60 && y < yaxis._length - 60;
  const near = (a) => all.filter((b) => Math.hypot(a[0] - b[0], a[1] - b[1]) < 9).length;
  const found = all.find((each) => each[2].startsWith("training") && inside(each) && near(each) === 1);
  return { x: found[0] + margin.l, y: found[1] + margin.t };
}"""


def plot(page: Page) -> Locator:
    return latent_map(page).locator(".plot")


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
    page.wait_for_function(
        "([plot, count]) => plot.data.some(({ uid }) => uid.startsWith('training'))",
        arg=[plot(page).element_handle(), 0],
    )


def point_at(page: Page, where: dict[str, float]) -> None:
    box = latent_map(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + where["x"] - 30, box["y"] + where["y"])
    page.mouse.move(box["x"] + where["x"], box["y"] + where["y"])


# -- UMAPs fitted anew -----------------------------------------------------------------------------------------------


def test_a_new_umap_takes_the_old_ones_place_when_it_is_there_and_leaves_again(page: Page, server: str):
    open_page(page, server, SMALL)
    stored = painted(page)
    fit(page, Neighbours="5")
    progress = page.get_by_role("progressbar", name="UMAP is fitted")
    expect(progress).to_be_visible()
    page.mouse.move(*map_point(page, 0.5, 0.5))
    expect(page.get_by_test_id("peek")).to_be_visible()  # the old map stays in use
    assert painted(page) == stored
    wait_until_painted_anew(page, stored)
    expect(progress).to_be_hidden()
    expect(marker(page)).to_be_visible()
    before = pixels(decoded(page))
    page.mouse.click(*map_point(page, 0.45, 0.6))  # the server decodes places of the new map
    wait_until_changed(page, decoded(page), before)
    page.get_by_text("UMAP settings").click()
    page.get_by_role("button", name="Stored map").click()
    expect(latent_map(page)).to_have_attribute("data-painted", stored)


def test_points_are_on_their_way_before_they_arrive(page: Page, server: str):
    open_page(page, server, SMALL)
    plot(page).evaluate("""(plot) => {
      plot.stops = new Set();
      const look = () => { plot.stops.add(plot.data[0].x[0]); requestAnimationFrame(look); };
      look();
    }""")
    stored = painted(page)
    fit(page, Neighbours="5")
    wait_until_painted_anew(page, stored)
    assert plot(page).evaluate("(plot) => plot.stops.size") > 3


def test_a_fit_can_be_stopped(page: Page, server: str):
    open_page(page, server, SMALL)
    stored = painted(page)
    fit(page, Neighbours="150")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("progressbar", name="UMAP is fitted")).to_be_hidden()
    expect(page.get_by_role("button", name="Fit again")).to_be_enabled()
    assert painted(page) == stored


def test_settings_that_make_no_map_get_a_sentence(page: Page, server: str):
    open_page(page, server, SMALL)
    fit(page, Neighbours="1")
    expect(page.get_by_text("n_neighbors must be 2 to 200, got 1")).to_be_visible()
    fit_again = page.get_by_role("button", name="Fit again")
    expect(fit_again).to_be_enabled()


def test_a_new_umap_is_there_after_a_look_at_another_page(page: Page, server: str):
    open_page(page, server, SMALL)
    stored = painted(page)
    fit(page, Seed="1")
    wait_until_painted_anew(page, stored)
    new = painted(page)
    page.get_by_role("link", name="Models").click()
    page.get_by_role("heading", name="Models").first.wait_for()
    page.get_by_role("link", name="Explore").click()
    wait_for_map(page)
    expect(latent_map(page)).to_have_attribute("data-painted", new)


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


# -- training images -------------------------------------------------------------------------------------------------


def test_training_images_lie_under_the_others_and_share_their_legend(page: Page, server: str, training_digits: None):
    open_page(page, server, DIGITS)
    assert plot(page).evaluate(COUNTS) == {"training": 0, "own": TEST}
    show_training(page)
    assert plot(page).evaluate(COUNTS) == {"training": TRAINING, "own": TEST}
    page.locator(".legendtoggle").first.click()
    page.wait_for_function(f"(plot) => ({COUNTS})(plot).own < {TEST}", arg=plot(page).element_handle())
    counts = plot(page).evaluate(COUNTS)
    assert 5_000 < TRAINING - counts["training"] < 7_000, "the training images of a class hide with it"
    page.get_by_role("checkbox", name="60,000 training images").uncheck()
    page.wait_for_function(f"(plot) => ({COUNTS})(plot).training === 0", arg=plot(page).element_handle())


def test_a_training_image_is_looked_at_and_loaded_by_its_own_code(page: Page, server: str, training_digits: None):
    open_page(page, server, DIGITS)
    show_training(page)
    where = plot(page).evaluate(LONELY)
    point_at(page, where)
    expect(page.locator(".peek-text")).to_contain_text(re.compile("seen in training|seen when weights were chosen"))
    shown, before = pixels(page.get_by_test_id("peek")), pixels(decoded(page))
    page.mouse.down()
    page.mouse.up()
    wait_until_changed(page, decoded(page), before)
    assert pixels(decoded(page)) == shown


def test_training_images_are_coloured_by_what_is_known_of_them(page: Page, server: str, training_digits: None):
    open_page(page, server, DIGITS)
    show_training(page)
    of_training = "(plot) => plot.data.find(({ uid }) => uid === 'training')?.marker.color"
    colour = page.get_by_label("Colour", exact=True)
    colour.select_option("0")
    page.wait_for_function(f"(plot) => ({of_training})(plot)?.length === {TRAINING}", arg=plot(page).element_handle())
    colour.select_option("reconstruction")  # known of reference images alone
    page.wait_for_function(f"(plot) => typeof ({of_training})(plot) === 'string'", arg=plot(page).element_handle())
    assert plot(page).evaluate(COUNTS) == {"training": TRAINING, "own": TEST}
