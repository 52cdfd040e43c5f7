"""How the tests look at and touch what our components draw."""

import time
from collections.abc import Callable
from typing import TypeVar

from playwright.sync_api import Locator, Page

from tests.browser.conftest import PATIENCE_MS

LOOK_MS = 50  # from one look to the next
REST_MS = 250  # in which what has come to rest stays as it is

Seen = TypeVar("Seen")

# Counts the different pictures painted on a canvas, frame by frame, from the moment it is installed.
WATCH = """(canvas) => {
  canvas.seen = new Set();
  const look = () => {
    canvas.seen.add(canvas.toDataURL());
    requestAnimationFrame(look);
  };
  look();
}"""

IS_PAINTED = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value, i) => i % 4 < 3 && value > 0);
}"""


class Reruns:
    """Counts what the page sends to Streamlit: each message asks for one run of the script."""

    def __init__(self, page: Page) -> None:
        self.count = 0
        page.on("websocket", self._listen)

    def _listen(self, socket: object) -> None:
        if "_stcore/stream" in socket.url:
            socket.on("framesent", lambda _: self._sent())

    def _sent(self) -> None:
        self.count += 1


def open_page(page: Page, address: str, path: str = "") -> None:
    """Open a page that shows a map and wait until it is painted."""
    page.goto(f"{address}/{path}")
    wait_for_map(page)


def wait_for_map(page: Page) -> None:
    """Wait until the map is painted and the marker lies on it, which it does once a picture was decoded."""
    page.locator('[data-testid="latent-map"][data-painted]').wait_for()
    marker(page).wait_for()


def decoded(page: Page) -> Locator:
    """The live picture."""
    return page.get_by_test_id("decoded")


def latent_map(page: Page) -> Locator:
    """The map."""
    return page.get_by_test_id("latent-map")


def marker(page: Page) -> Locator:
    """The ring on the map that says where the code lies."""
    return page.locator('[data-testid="latent-map"] .marker')


def first_slider(page: Page) -> Locator:
    """The slider of the most important dimension."""
    return page.get_by_role("slider").first


def pixels(canvas: Locator) -> str:
    """What a canvas shows, as a value to compare."""
    return canvas.evaluate("(canvas) => canvas.toDataURL()")


def seen(canvas: Locator) -> int:
    """How many different pictures a canvas has shown since WATCH was installed."""
    return canvas.evaluate("(canvas) => canvas.seen.size")


def values(page: Page) -> list[float]:
    """What the sliders show, in their order on the page."""
    return page.get_by_role("slider").evaluate_all("(inputs) => inputs.map((input) => Number(input.value))")


def wait_until_changed(page: Page, canvas: Locator, before: str) -> None:
    """Wait until a canvas shows something else than before."""
    page.wait_for_function("([canvas, before]) => canvas.toDataURL() !== before", arg=[canvas.element_handle(), before])


def until(page: Page, holds: Callable[[], bool], what: str) -> None:
    """Look again and again until something holds that no locator can expect; fail when it takes too long."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not holds():
        assert time.monotonic() < end, f"not seen: {what}"
        page.wait_for_timeout(LOOK_MS)


def at_rest(page: Page, look: Callable[[], Seen]) -> Seen:
    """What is seen once it stays the same for a moment."""
    end = time.monotonic() + PATIENCE_MS / 1000
    before = look()
    page.wait_for_timeout(REST_MS)
    while (now := look()) != before:
        assert time.monotonic() < end, "it does not come to rest"
        before = now
        page.wait_for_timeout(REST_MS)
    return now


def map_point(page: Page, across: float, down: float) -> tuple[float, float]:
    """A place on the map in the page's pixels, given as shares of its width and height."""
    box = latent_map(page).bounding_box()
    assert box is not None
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def centre(locator: Locator) -> tuple[float, float]:
    """The middle of an element in the page's pixels."""
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, slider: Locator, start: float, end: float, moves: int = 60) -> None:
    """Press on a slider, move in small steps and keep the button down; ends are shares of its width."""
    box = slider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    for step in range(1, moves + 1):
        page.mouse.move(box["x"] + (start + (end - start) * step / moves) * box["width"], y)
        page.wait_for_timeout(10)


def choose_model(page: Page, name: str) -> None:
    """Choose a model in the picker with the mouse."""
    page.get_by_role("combobox", name="Model", exact=True).click()
    page.locator(f'[id="model-{name}"]').click()
