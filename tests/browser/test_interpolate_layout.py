"""How Interpolate uses its room, what its strip follows, and what it says when the server has no time."""

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.interpolate import add, index, open_interpolate, pause, position, screen, thumbs, wait_for_frames
from tests.browser.touch import centre

SIZES = [(1440, 900), (1024, 768)]
PATH = 3  # a question of the live channel
TRY_LATER = 1013


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_is_cut_off(page: Page, server: str, width: int, height: int):
    page.set_viewport_size({"width": width, "height": height})
    open_interpolate(page, server)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for tab in ("Path", "Export", "Grid"):
        page.get_by_role("tab", name=tab).click()
        for locator in page.locator(".interpolate :is(button, select, input):visible").all():
            box = locator.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width + 1
            assert box["y"] + box["height"] <= height, locator


def test_every_control_has_a_name(page: Page, server: str):
    open_interpolate(page, server)
    nameless = page.locator(".interpolate").evaluate(
        """(studio) => [...studio.querySelectorAll("button, select, input, canvas[role], progress, svg[role]")]
          .filter((node) => !(node.ariaLabel || node.labels?.length || node.textContent.trim()))
          .map((node) => node.outerHTML)"""
    )
    assert nameless == []


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_pictures_that_remain_share_the_width_and_leave_the_panels_some_room(
    page: Page, server: str, width: int, height: int
):
    page.set_viewport_size({"width": width, "height": height})
    open_interpolate(page, server)
    group = page.get_by_role("group", name="Kinds of path")
    room = group.bounding_box()
    assert position(page).bounding_box()["width"] > 280
    for gone, left in (("Spherical", ["linear", "data"]), ("Linear", ["data"])):
        group.get_by_role("checkbox", name=gone).uncheck()
        expect(screen(page, gone.lower())).to_be_hidden()
        for place, kind in enumerate(left):
            middle, _ = centre(screen(page, kind))
            assert middle == pytest.approx(room["x"] + room["width"] * (place + 0.5) / len(left), abs=10)
            box = screen(page, kind).bounding_box()
            assert box["width"] >= 150
            assert centre(group.get_by_role("checkbox", name=gone))[1] > box["y"] + box["height"]
        assert page.get_by_role("tabpanel").bounding_box()["height"] > 60
        assert page.get_by_label("Frames per leg").bounding_box()["y"] + 30 < height


def test_the_strip_follows_what_plays_but_for_who_is_busy_with_it(page: Page, server: str):
    page.set_viewport_size({"width": 1024, "height": 768})
    open_interpolate(page, server, "?model=mnist-2d")
    pause(page)
    page.get_by_label("Frames per leg").fill("5")
    page.keyboard.press("Enter")
    add(page, *["Random (prior)"] * 10)
    wait_for_frames(page, 12 * 4)
    strip = page.locator(".keyframes")

    def shows(place: int) -> bool:
        box, room = page.locator(".keyframe").nth(place).bounding_box(), strip.bounding_box()
        return room["x"] - 1 <= box["x"] and box["x"] + box["width"] <= room["x"] + room["width"] + 1

    assert shows(11)
    position(page).focus()
    for frame, place in ((30, 7), (0, 0), (45, 11), (20, 5)):
        position(page).fill(str(frame))
        assert index(page) == frame
        assert shows(place)
    focused = page.evaluate("document.activeElement.shadowRoot.activeElement.ariaLabel")
    assert focused == "Position"
    thumbs(page).nth(5).hover()
    position(page).fill("0")
    assert not shows(0)


def test_it_says_when_the_server_has_no_time_for_pictures_of_paths_and_goes_on_by_itself(page: Page, server: str):
    refusals = 2

    def route(socket: WebSocketRoute) -> None:
        beyond = socket.connect_to_server()

        def ask(message: str | bytes) -> None:
            nonlocal refusals
            if message[0] == PATH and len(message) > 1000 and refusals:
                refusals -= 1
                socket.close(
                    code=TRY_LATER, reason="busy the server is busy: 256 requests wait already; try again shortly."
                )
            else:
                beyond.send(message)

        socket.on_message(ask)

    page.route_web_socket("**/live/models/*/socket*", route)
    page.goto(f"{server}/interpolate?model=mnist-16d")
    expect(page.get_by_text("The server is busy: 256 requests wait")).to_contain_text("This page goes on by itself.")
    expect(page.get_by_label("Decoded pictures")).to_be_hidden()
    expect(page.get_by_text("The server is busy")).to_have_count(0)
    assert refusals == 0
