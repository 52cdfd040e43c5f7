"""Groups and directions on the Explore page in a real browser."""

import csv
import io
import re
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, Route, expect

from tests.browser.instrument import SETTLED_MS, lasso, selected, summary, tab
from tests.browser.touch import (
    decoded,
    map_point,
    open_page,
    pixels,
    values,
    wait_for_map,
    wait_until_changed,
)

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
    page.get_by_role("link", name="Models").click()
    page.get_by_role("tab", name="Collection").wait_for()
    page.get_by_role("link", name="Explore").click()
    wait_for_map(page)
    assert selected(page) == count
    expect(page.get_by_role("textbox", name="Name of group 1")).to_have_value("middle")


def test_names_and_groups_outlast_a_reload(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    name = page.get_by_role("textbox", name="Name of Dimension 1")
    name.fill("slant")
    name.press("Enter")
    expect(page.get_by_role("combobox", name="Colour").get_by_role("option", name="Dimension 1 · slant")).to_have_count(
        1
    )
    tab(page, "Groups")
    page.get_by_role("combobox", name="Digit").select_option("7")
    members = selected(page)
    page.get_by_role("button", name="Keep as group").click()
    page.wait_for_function("() => Object.values(localStorage).some((kept) => kept.includes('Digit 7'))")
    page.reload()
    wait_for_map(page)
    expect(name).to_have_value("slant")
    tab(page, "Groups")
    expect(page.get_by_role("textbox", name="Name of group 1")).to_have_value("Digit 7")
    page.get_by_role("button", name="Show", exact=True).click()
    assert selected(page) == members


def test_what_was_done_just_before_leaving_is_kept(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    lasso(page)
    count = selected(page)
    page.get_by_role("button", name="Keep as group").click()
    page.get_by_role("link", name="Models").click()  # at once, before anything is reported by itself
    page.get_by_role("tab", name="Collection").wait_for()
    page.get_by_role("link", name="Explore").click()
    wait_for_map(page)
    assert selected(page) == count
    expect(page.get_by_role("textbox", name="Name of group 1")).to_be_visible()


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
    page.get_by_role("button", name="Keep as group").click()
    expect(page.get_by_role("textbox", name="Name of group 1")).to_have_value("Digit 7")
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


def test_a_range_that_was_typed_outlasts_the_proposal_that_comes_late(page: Page, server: str):
    held: list[Route] = []
    open_page(page, server, "?model=mnist-16d")
    page.route("**/ask/values?*", lambda route: held.append(route))
    tab(page, "Groups")
    low, high = (page.get_by_role("textbox", name=f"{end} value") for end in ("Lowest", "Highest"))
    page.get_by_role("combobox", name="Range of").select_option("0")
    page.get_by_role("button", name="Select range").click()
    expect(page.get_by_text("A range needs two numbers.")).to_be_visible()  # those of another value are gone
    low.fill("−1,5")
    for route in held:
        route.continue_()
    expect(high).to_have_value(re.compile(r"^[\d.]+$"))  # where nothing was typed the proposal is taken
    expect(low).to_have_value("−1,5")


def test_what_was_drawn_outlasts_an_answer_that_comes_late(page: Page, server: str):
    held: list[Route] = []
    open_page(page, server, "?model=mnist-2d")
    page.route("**/ask/select?*", lambda route: held.append(route))
    tab(page, "Groups")
    page.get_by_role("combobox", name="Digit").select_option("7")
    lasso(page)
    drawn = selected(page)
    with page.expect_response("**/ask/select?*"):
        held[0].continue_()
    page.wait_for_timeout(SETTLED_MS)
    assert selected(page) == drawn


def test_a_range_without_images_leaves_the_selection(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    tab(page, "Groups")
    page.get_by_role("combobox", name="Digit").select_option("7")
    sevens = selected(page)
    page.get_by_role("textbox", name="Lowest value").fill("1e6")
    page.get_by_role("textbox", name="Highest value").fill("1e9")
    page.get_by_role("button", name="Select range").click()
    expect(page.get_by_text("No image lies in that range.")).to_be_visible()
    assert selected(page) == sevens


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
    expect(told).to_contain_text("Tells held-out members apart: AUROC 1.00")
    expect(told).to_contain_text("Overlaps with z")
    expect(told).not_to_contain_text("chosen by where its codes lie")
    tab(page, "Sliders")
    slider = page.get_by_role("slider", name="0 → 1")
    before, dimension = pixels(decoded(page)), values(page)
    slider.focus()
    page.keyboard.press("ArrowRight")
    wait_until_changed(page, decoded(page), before)
    assert values(page)[1:] != dimension[1:], "the dimensions' sliders follow"


def test_a_direction_of_a_group_from_the_map_says_so_and_survives_leaving_the_page(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    lasso(page)
    selected(page)
    page.get_by_role("button", name="Keep as group").click()
    tab(page, "Directions")
    page.get_by_role("combobox", name="From", exact=True).select_option("Group 1")
    page.get_by_role("combobox", name="To", exact=True).select_option("label 1")
    page.get_by_role("button", name="Add direction").click()
    told = page.locator(".direction-card .note")
    expect(told).to_contain_text("One group was chosen by where its codes lie")
    page.get_by_role("textbox", name="Name of direction 1").fill('👩‍🦰 "quoted" & <b>')
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Models").click()
    page.get_by_role("tab", name="Collection").wait_for()
    page.get_by_role("link", name="Explore").click()
    wait_for_map(page)
    expect(told).to_contain_text("One group was chosen by where its codes lie")
    expect(page.get_by_role("textbox", name="Name of direction 1")).to_have_value('👩‍🦰 "quoted" & <b>')
    frame = page.locator(".direction-card canvas").first
    page.wait_for_function("(canvas) => canvas.width === 28", arg=frame.element_handle())


def test_directions_are_saved_beside_others_and_the_page_says_where(page: Page, server: str):
    where = page.locator(".stored .note")
    for step, name in enumerate(("component 1", "along z1")):
        open_page(page, server, "?model=mnist-2d")
        tab(page, "Directions")
        expect(where).to_contain_text(("None are saved yet", "1 is saved")[step])
        page.get_by_role("button", name="Add", exact=True).nth(step).click()
        expect(page.get_by_role("textbox", name="Name of direction 1")).to_have_value(name)
        page.get_by_role("button", name="Save directions").click()
        expect(page.get_by_text("1 direction is saved.")).to_be_visible()
    expect(where).to_contain_text(re.compile(r"2 are saved, kept in .*/directions/mnist-2d\.json on the computer"))
    page.get_by_role("button", name="Load saved ones").click()
    expect(page.get_by_role("textbox", name=re.compile("Name of direction"))).to_have_count(2)


def test_pictures_that_are_added_and_removed_come_and_go_as_terms(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    tab(page, "Directions")
    term = page.get_by_role("combobox", name="A", exact=True)
    page.get_by_role("button", name="Try a real handwritten 2").click()
    picture = term.locator('option[value^="picture"]')
    expect(picture).to_have_count(1)
    term.select_option(picture.get_attribute("value"))
    page.locator(".chip .remove").click()
    expect(picture).to_have_count(0)
    before = pixels(decoded(page))
    page.get_by_role("combobox", name="C", exact=True).select_option("label 7")
    page.get_by_role("button", name="Load A").click()
    wait_until_changed(page, decoded(page), before)


def test_arithmetic_loads_a_minus_b_plus_c(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    tab(page, "Directions")
    for letter, choice in (("A", "label 0"), ("B", "label 4"), ("C", "label 4")):
        page.get_by_role("combobox", name=letter, exact=True).select_option(choice)
    shown = pixels(decoded(page))
    page.get_by_role("button", name="Load A").click()
    wait_until_changed(page, decoded(page), shown)
    before = pixels(decoded(page))
    page.get_by_role("combobox", name="A", exact=True).select_option("now")
    page.get_by_role("button", name="Load A").click()
    page.wait_for_timeout(SETTLED_MS)
    assert pixels(decoded(page)) == before, "A - B + B is A"
    page.get_by_role("combobox", name="C", exact=True).select_option("label 7")
    page.get_by_role("button", name="Load A").click()
    wait_until_changed(page, decoded(page), before)
