"""Interpolate and Reconstruct in a real browser, with the shipped models."""

from playwright.sync_api import Page, expect

from tests.browser.touch import (
    WATCH,
    Reruns,
    decoded,
    latent_map,
    map_point,
    open_page,
    pixels,
    seen,
    wait_for_map,
    wait_until_changed,
)

PATH = "interpolate"


def position(page: Page) -> int:
    return int(page.get_by_role("slider", name="Position").input_value())


def test_a_path_plays_without_reruns_and_stops_on_pause(page: Page, server: str):
    reruns = Reruns(page)
    open_page(page, server, PATH)
    page.wait_for_timeout(1500)
    before = reruns.count
    decoded(page).evaluate(WATCH)
    page.wait_for_timeout(1000)
    assert seen(decoded(page)) > 15
    assert reruns.count == before
    page.get_by_role("button", name="Pause").click()
    still = position(page)
    page.wait_for_timeout(300)
    assert position(page) == still


def test_without_loop_it_stops_at_the_end(page: Page, server: str):
    open_page(page, server, PATH)
    page.get_by_label("Loop").uncheck()
    expect(page.get_by_role("button", name="Play")).to_be_visible(timeout=10_000)
    assert position(page) == 180


def test_scrubbing_shows_the_strips_pictures(page: Page, server: str):
    open_page(page, server, PATH)
    scrub, strip = page.get_by_role("slider", name="Position"), page.get_by_test_id("frame")
    for place, frame in (("0", 0), ("180", 8), ("90", 4)):
        scrub.fill(place)
        assert pixels(decoded(page)) == pixels(strip.nth(frame))
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_the_path_is_drawn_and_changes_with_its_kind(page: Page, server: str):
    open_page(page, server, f"{PATH}?model=mnist-2d")
    line = latent_map(page).locator("polyline")
    straight = line.get_attribute("points").split()
    assert len(straight) == 181
    page.get_by_role("button", name="Spherical").click()
    latent_map(page).locator('polyline[data-kind="spherical"]').wait_for()
    bent = line.get_attribute("points").split()
    assert bent[0] == straight[0]
    assert bent[-1] == straight[-1]
    assert bent[90] != straight[90]


def test_ends_come_from_the_map_at_random_from_the_sliders_and_from_pictures(page: Page, server: str):
    open_page(page, server)
    page.get_by_role("button", name="Try a real handwritten 8").click()
    expect(page.locator(".chip")).to_have_count(1)
    page.get_by_role("link", name="Interpolate").click()
    page.get_by_text("Interpolate between two codes").wait_for()
    wait_for_map(page)
    first, last = page.locator(".end").nth(0), page.locator(".end").nth(1)
    page.mouse.click(*map_point(page, 0.5, 0.5))
    expect(first.locator(".end-name")).to_have_text("a place on the map")
    expect(last.locator(".end-pick")).to_have_attribute("aria-pressed", "true")
    last.get_by_role("button", name="digit 8 as end").click()
    expect(last.locator(".end-name")).to_have_text("digit 8")
    before = pixels(first.locator("canvas"))
    for button, name in (("Random (prior)", "a draw from N(0, I)"), ("Random (data)", "a draw like the data")):
        first.get_by_role("button", name=button).click()
        expect(first.locator(".end-name")).to_have_text(name)
        wait_until_changed(page, first.locator("canvas"), before)
        before = pixels(first.locator("canvas"))
    first.get_by_role("button", name="Sliders").click()
    expect(first.locator(".end-name")).to_have_text("the sliders on Explore")
    page.get_by_role("button", name="Swap ends").click()
    expect(first.locator(".end-name")).to_have_text("digit 8")


def test_a_picture_goes_from_reconstruct_to_explore_and_interpolate(page: Page, server: str):
    page.goto(f"{server}/reconstruct")
    page.get_by_role("button", name="3", exact=True).click()
    expect(latent_map(page).locator(".star")).to_have_count(1)
    page.get_by_role("button", name="Interpolate", exact=True).click()
    page.get_by_text("Interpolate between two codes").wait_for()
    expect(page.locator(".end-name").filter(has_text="digit 3")).to_have_count(1)
    page.get_by_role("link", name="Reconstruct").click()
    page.get_by_role("button", name="Explore", exact=True).click()
    page.get_by_text("Explore the latent space").wait_for()
    wait_for_map(page)
    expect(page.locator(".strip figcaption")).to_have_count(3)
