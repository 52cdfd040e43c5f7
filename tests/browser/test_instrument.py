"""Explore's instruments in a real browser: groups, directions, sliders, neighbours, traversals, layers and links."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.touch import (
    Reruns,
    decoded,
    latent_map,
    map_point,
    open_page,
    pixels,
    values,
    wait_for_map,
    wait_until_changed,
)

SETTLED_MS = 1500


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def summary(page: Page) -> Locator:
    return page.get_by_test_id("group-summary")


def lasso(page: Page, *, left: float = 0.3, top: float = 0.3, right: float = 0.7, bottom: float = 0.7) -> None:
    """Draw around a part of the map, given in shares of it."""
    page.locator('.modebar-btn[data-attr="dragmode"][data-val="lasso"]').click()
    page.mouse.move(*map_point(page, left, top))
    page.mouse.down()
    for across, down in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(*map_point(page, across, down), steps=6)
    page.mouse.up()


def selected(page: Page) -> int:
    """How many images are selected, once that is known."""
    page.locator('[data-testid="group-summary"][data-count]').wait_for()
    return int(summary(page).get_attribute("data-count"))


def value_of(page: Page, name: str) -> float:
    return float(page.get_by_role("slider", name=name, exact=True).input_value())


# -- groups ----------------------------------------------------------------------------------------------------------


def test_a_lasso_makes_a_group_that_survives_leaving_the_page(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    before = pixels(decoded(page))
    lasso(page)
    count = selected(page)
    assert 100 < count < 9_900
    expect(summary(page).get_by_text(f"{count:,} images")).to_be_visible()
    expect(summary(page).get_by_role("img", name=re.compile("of the group's members"))).to_be_visible()
    assert pixels(decoded(page)) == before, "drawing is not clicking"
    page.get_by_role("button", name="Keep as group").click()
    page.get_by_role("textbox", name="Name of group 1").fill("middle")
    page.keyboard.press("Enter")
    page.wait_for_timeout(SETTLED_MS)
    page.get_by_role("link", name="Models").click()
    page.get_by_role("tab", name="Collection").wait_for()
    page.get_by_role("link", name="Explore").click()
    wait_for_map(page)
    assert selected(page) == count
    expect(page.get_by_role("textbox", name="Name of group 1")).to_have_value("middle")


def test_a_double_click_selects_nothing_again(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    lasso(page)
    selected(page)
    page.mouse.dblclick(*map_point(page, 0.1, 0.9))
    expect(summary(page).get_by_text("Nothing is selected")).to_be_visible()


def test_labels_and_ranges_select_and_files_hold_what_is_selected(page: Page, server: str, tmp_path: Path):
    open_page(page, server, "?model=mnist-16d")
    tab(page, "Groups")
    page.get_by_role("combobox", name="Digit").select_option("7")
    ones = selected(page)
    assert 800 < ones < 1_200
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "group.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "group.csv").read_text(encoding="utf-8-sig"))))
    assert len(rows) == ones
    assert {row["label"] for row in rows} == {"7"}
    page.get_by_role("combobox", name="Range of").select_option("0")
    page.get_by_role("textbox", name="Lowest value").fill("1")
    page.get_by_role("textbox", name="Highest value").fill("1.5")
    page.get_by_role("button", name="Select range").click()
    expect(summary(page)).not_to_have_attribute("data-count", str(ones))
    with page.expect_download() as download:
        page.get_by_role("button", name="NPZ").click()
    download.value.save_as(tmp_path / "group.npz")
    with np.load(tmp_path / "group.npz") as stored:
        codes = stored["codes"]
    assert len(codes) == selected(page)
    assert ((codes[:, 0] >= 1) & (codes[:, 0] <= 1.5)).all()


def test_a_click_into_the_montage_loads_that_member(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    tab(page, "Groups")
    page.get_by_role("combobox", name="Digit").select_option("3")
    selected(page)
    before = pixels(decoded(page))
    summary(page).get_by_role("img", name=re.compile("members")).click(position={"x": 10, "y": 10})
    wait_until_changed(page, decoded(page), before)


# -- directions ------------------------------------------------------------------------------------------------------


def test_two_groups_make_a_direction_with_a_slider_that_moves_the_code(page: Page, server: str):
    open_page(page, server, "?model=mnist-16d")
    tab(page, "Directions")
    page.get_by_role("combobox", name="From", exact=True).select_option("label 0")
    page.get_by_role("combobox", name="To", exact=True).select_option("label 1")
    page.get_by_role("button", name="Add direction").click()
    told = page.locator(".direction-card .note")
    expect(told).to_contain_text("tells held-out members apart: AUROC 1.00")
    expect(told).to_contain_text("overlaps with z")
    tab(page, "Sliders")
    slider = page.get_by_role("slider", name="0 → 1")
    before, dimension = pixels(decoded(page)), values(page)
    slider.focus()
    page.keyboard.press("ArrowRight")
    wait_until_changed(page, decoded(page), before)
    assert values(page)[1:] != dimension[1:], "the dimensions' sliders follow"


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


def test_arithmetic_loads_a_minus_b_plus_c(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    tab(page, "Directions")
    for letter, choice in (("A", "now"), ("B", "label 4"), ("C", "label 4")):
        page.get_by_role("combobox", name=letter, exact=True).select_option(choice)
    before = pixels(decoded(page))
    page.get_by_role("button", name="Load A").click()
    page.wait_for_timeout(SETTLED_MS)
    assert pixels(decoded(page)) == before, "A - B + B is A"
    page.get_by_role("combobox", name="C", exact=True).select_option("label 0")
    page.get_by_role("button", name="Load A").click()
    wait_until_changed(page, decoded(page), before)


# -- sliders ---------------------------------------------------------------------------------------------------------


def test_values_are_typed_and_a_double_click_zeroes(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    field = page.get_by_role("textbox", name="Value of Dimension 1")
    field.fill("−1,25")
    field.press("Enter")
    expect(page.get_by_role("slider", name="Dimension 1", exact=True)).to_have_value("-1.25")
    field.fill("nonsense")
    field.press("Enter")
    expect(field).to_have_value("−1.25")
    page.get_by_role("slider", name="Dimension 1", exact=True).dblclick()
    expect(field).to_have_value("0.00")


def test_undo_and_redo_go_back_and_forth(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    start = values(page)
    page.get_by_role("button", name="Zero").click()
    page.wait_for_timeout(300)
    latent_map(page).focus()
    page.keyboard.press("Control+z")
    page.wait_for_timeout(300)
    assert values(page) == pytest.approx(start, abs=0.006)
    page.keyboard.press("Control+y")
    page.wait_for_timeout(300)
    assert set(values(page)) == {0}
    expect(page.get_by_role("button", name="Redo")).to_be_disabled()


def test_a_dimension_keeps_the_name_that_it_was_given(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    name = page.get_by_role("textbox", name="Name of Dimension 2")
    name.fill("slant")
    name.press("Enter")
    page.wait_for_timeout(SETTLED_MS)
    page.get_by_role("link", name="Models").click()
    page.get_by_role("tab", name="Collection").wait_for()
    page.get_by_role("link", name="Explore").click()
    wait_for_map(page)
    expect(page.get_by_role("textbox", name="Name of Dimension 2")).to_have_value("slant")


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
    expect(page.get_by_role("slider", name="PC 1", exact=True)).to_be_visible()
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
    page.get_by_role("button", name="Show", exact=True).first.click()
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


def test_resting_on_a_point_tells_of_it(page: Page, server: str):
    open_page(page, server, "?model=mnist-16d")
    points = latent_map(page).evaluate("(map) => [map.clientWidth, map.clientHeight]")
    assert min(points) > 200
    told = page.locator(".peek-text")
    for across in (0.62, 0.6, 0.64, 0.58):
        page.mouse.move(*map_point(page, across, 0.45))
        page.wait_for_timeout(1_000)
        if "error" in told.inner_text():
            break
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


def test_a_link_restores_the_view(page: Page, server: str):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_page(page, server, "?model=mnist-16d")
    page.get_by_role("combobox", name="Colour").select_option("kl")
    page.get_by_role("button", name="Random (data)").click()
    page.wait_for_timeout(SETTLED_MS)
    shown = values(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("The link is in the clipboard.")).to_be_visible()
    link = page.evaluate("() => navigator.clipboard.readText()")
    page.goto(link)
    wait_for_map(page)
    assert values(page) == pytest.approx(shown, abs=0.011)
    expect(page.get_by_role("combobox", name="Colour")).to_have_value("kl")


def test_a_stale_link_gives_a_sentence_and_the_default_view(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d&view=YWJj")
    expect(page.get_by_text("the link is damaged or from another version")).to_be_visible()
