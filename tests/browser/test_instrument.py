"""Explore's instruments in a real browser: sliders, neighbours, traversals, layers and links."""

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.instrument import SETTLED_MS, lasso, selected, tab, value_of
from tests.browser.touch import (
    Reruns,
    at_rest,
    decoded,
    latent_map,
    open_page,
    pixels,
    until,
    values,
    wait_for_map,
    wait_until_changed,
)

LEVELS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from(data).filter((_, i) => i % 4 < 3);
}"""


# -- sliders ---------------------------------------------------------------------------------------------------------


def test_values_are_typed_and_a_double_click_zeroes(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    field = page.get_by_role("textbox", name="Value of Dimension 1")
    field.fill("−1,25")
    field.press("Enter")
    expect(page.get_by_role("slider", name="Dimension 1", exact=True)).to_have_value("-1.25")
    for wrong in ("nonsense", "1e9", ""):
        field.fill(wrong)
        field.press("Enter")
        expect(field).to_have_value("−1.25")
        expect(page.get_by_text("Dimension 1 takes a number from −100 to 100.")).to_be_visible()
    page.get_by_role("slider", name="Dimension 1", exact=True).dblclick()
    expect(field).to_have_value("0.00")
    field.fill("-0.004")  # shown rounded, and a zero has no sign
    field.press("Enter")
    expect(field).to_have_value("0.00")


def test_a_track_is_long_enough_for_its_value_and_short_again_after_a_drag(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    slider = page.get_by_role("slider", name="Dimension 1", exact=True)
    longest = slider.get_attribute("max")
    page.get_by_role("textbox", name="Value of Dimension 1").fill("9.5")
    page.keyboard.press("Enter")
    expect(slider).to_have_attribute("max", "10")
    slider.fill("1")
    expect(slider).to_have_attribute("max", longest)
    expect(slider).to_have_value("1")


def test_locked_dimensions_stay_where_they_are(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    kept = value_of(page, "Dimension 1")
    page.get_by_role("button", name="Lock Dimension 1").click()
    before = pixels(decoded(page))
    page.get_by_role("button", name="Random (prior)").click()
    wait_until_changed(page, decoded(page), before)
    assert value_of(page, "Dimension 1") == pytest.approx(kept, abs=0.006)
    page.get_by_role("button", name="Zero").click()
    expect(page.get_by_role("slider", name="Dimension 2", exact=True)).to_have_value("0")
    assert value_of(page, "Dimension 1") == pytest.approx(kept, abs=0.006)


def test_undo_and_redo_go_back_and_forth(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    start = values(page)
    latent_map(page).focus()
    page.keyboard.press("Control+z")
    page.wait_for_timeout(300)
    assert values(page) == start, "there is nothing before the beginning"
    page.get_by_role("button", name="Zero").click()
    until(page, lambda: set(values(page)) == {0}, "all sliders at zero")
    latent_map(page).focus()
    page.keyboard.press("Control+z")
    until(page, lambda: values(page) == pytest.approx(start, abs=0.006), "the code at the start")
    page.keyboard.press("Control+y")
    until(page, lambda: set(values(page)) == {0}, "all sliders at zero")
    expect(page.get_by_role("button", name="Redo")).to_be_disabled()


def test_a_dimension_keeps_the_name_that_it_was_given(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    name = page.get_by_role("textbox", name="Name of Dimension 2")
    name.fill("slant")
    name.press("Enter")
    page.get_by_role("link", name="Models").click()
    page.get_by_role("tab", name="Collection").wait_for()
    page.get_by_role("link", name="Explore").click()
    wait_for_map(page)
    expect(page.get_by_role("textbox", name="Name of Dimension 2")).to_have_value("slant")
    tab(page, "Groups")
    page.get_by_role("combobox", name="Range of").select_option("z2 · slant")


def test_filmstrips_show_what_sliders_do_and_follow_the_code(page: Page, server: str):
    reruns = Reruns(page)
    open_page(page, server, "?model=mnist-2d")
    strip = page.locator('.row[data-dimension="0"] canvas.track-strip')
    page.wait_for_function("(canvas) => canvas.width === 28 * 13", arg=strip.element_handle())
    page.wait_for_timeout(SETTLED_MS)
    before, runs = pixels(strip), reruns.count
    other = page.get_by_role("slider", name="Dimension 2", exact=True)
    other.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    wait_until_changed(page, strip, before)
    page.wait_for_timeout(SETTLED_MS)
    assert reruns.count == runs + 1, "one change of the code, one rerun; strips ask for none"


def test_many_dimensions_come_in_groups_under_a_search_and_components(page: Page, server: str):
    open_page(page, server, "?model=faces")
    component = page.get_by_role("slider", name="PC 1", exact=True)
    expect(component).to_be_visible()
    component.focus()
    shown = []
    for key in ("Home", "End"):
        before = pixels(decoded(page))
        page.keyboard.press(key)
        wait_until_changed(page, decoded(page), before)
        shown.append(np.array(at_rest(page, lambda: decoded(page).evaluate(LEVELS))))
    assert np.abs(shown[0] - shown[1]).mean() > 50, "levels of 255: a full track changes what is seen"
    assert page.locator(".sliders details").count() >= 4
    page.get_by_role("searchbox", name="Find a dimension").fill("z77")
    expect(page.locator(".sliders .row:visible")).to_have_count(1)


# -- neighbours, traversals, layers, links ----------------------------------------------------------------------------


def test_neighbours_are_counted_measured_and_loaded(page: Page, server: str):
    open_page(page, server, "?model=mnist-16d")
    tab(page, "Neighbours")
    cards = page.locator(".neighbours .card")
    expect(cards).to_have_count(12)
    page.get_by_role("spinbutton", name="How many neighbours").fill("5")
    page.keyboard.press("Enter")
    expect(cards).to_have_count(5)
    page.get_by_role("combobox", name="Distance").select_option("cosine")
    before = pixels(decoded(page))
    cards.last.click()
    wait_until_changed(page, decoded(page), before)


def test_a_sheet_and_a_plane_are_shown_and_saved(page: Page, server: str):
    open_page(page, server, "?model=mnist-16d")
    tab(page, "Traversals")
    page.get_by_role("spinbutton", name="Dimensions").fill("99")
    page.get_by_role("button", name="Show", exact=True).first.click()
    expect(page.get_by_role("spinbutton", name="Dimensions")).to_have_value("16")
    shown = page.get_by_test_id("sheet")
    expect(shown).to_be_visible()
    first = shown.get_attribute("src")
    page.get_by_role("spinbutton", name="Pictures a side").fill("6")
    page.get_by_role("button", name="Show", exact=True).last.click()
    expect(shown).not_to_have_attribute("src", first)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    with Image.open(download.value.path()) as plane:
        assert plane.size == (6 * 28, 6 * 28)


# The place of a reference image near the middle of its class, in the map's pixels.
A_POINT = """(plot) => {
  const { xaxis, yaxis, margin } = plot._fullLayout;
  const { x, y } = plot.data[0];
  const middle = (values) => Array.from(values).sort((a, b) => a - b)[values.length >> 1];
  const [across, up] = [middle(x), middle(y)];
  const distance = (i) => (x[i] - across) ** 2 + (y[i] - up) ** 2;
  const nearest = Array.from(x.keys()).reduce((best, i) => (distance(i) < distance(best) ? i : best));
  return [xaxis.c2p(x[nearest]) + margin.l, yaxis.c2p(y[nearest]) + margin.t];
}"""


def test_resting_on_a_point_tells_of_it(page: Page, server: str):
    open_page(page, server, "?model=mnist-16d")
    box, told = latent_map(page).bounding_box(), page.locator(".peek-text")
    across, down = latent_map(page).locator(".plot").evaluate(A_POINT)
    for shift in (0, 1):  # on the same point still
        page.mouse.move(box["x"] + across + shift, box["y"] + down)
    expect(told).to_contain_text("reconstruction")
    expect(told).to_contain_text("nats")
    expect(latent_map(page).locator(".halo")).to_be_visible()


def test_density_contours_come_and_go(page: Page, server: str):
    open_page(page, server, "?model=mnist-16d")
    lines = latent_map(page).locator(".contourlayer path")
    box = page.get_by_role("checkbox", name="Density")
    box.check()
    expect(lines.first).to_be_attached()
    box.uncheck()
    expect(lines).to_have_count(0)


def lasso_a_few(page: Page) -> None:
    """Draw around a point near the map's middle and its nearest neighbours."""
    box = latent_map(page).bounding_box()
    across, down = latent_map(page).locator(".plot").evaluate(A_POINT)
    x, y = across / box["width"], down / box["height"]
    lasso(page, left=x - 0.02, top=y - 0.02, right=x + 0.02, bottom=y + 0.02)


def test_a_link_restores_the_view(page: Page, server: str):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_page(page, server, "?model=mnist-16d")
    page.get_by_role("combobox", name="Colour").select_option("kl")
    lasso_a_few(page)
    count = selected(page)
    assert 0 < count <= 300, "what a link holds"
    tab(page, "Sliders")
    before = values(page)
    page.get_by_role("button", name="Random (data)").click()
    until(page, lambda: values(page) != before, "another code")
    shown = at_rest(page, lambda: values(page))
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("The link is in the clipboard.")).to_be_visible()
    link = page.evaluate("() => navigator.clipboard.readText()")
    page.goto(link)
    wait_for_map(page)
    assert values(page) == pytest.approx(shown, abs=0.011)
    expect(page.get_by_role("combobox", name="Colour")).to_have_value("kl")
    tab(page, "Groups")
    assert selected(page) == count


def test_a_stale_link_gives_a_sentence_and_the_default_view(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d&view=YWJj")
    expect(page.get_by_text("the link is damaged or from another version")).to_be_visible()
