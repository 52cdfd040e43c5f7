"""How the tests look at and touch the Interpolate page."""

import numpy as np
from playwright.sync_api import Locator, Page, expect

from tests.browser.touch import wait_for_map

KINDS = ("linear", "spherical", "data")
FIRST = ["1, typical", "5, typical"]  # keyframes with which mnist-16d begins
PATIENCE_MS = 60_000  # with which pictures are waited for: hundreds are decoded before all of them are there

# Counts the animation frames in which pictures were painted anew, and those in which not all of them were.
IN_STEP = """(canvases) => {
  const shown = () => canvases.map((canvas) => canvas.toDataURL());
  const kept = (window.kept = { frames: 0, torn: 0, start: performance.now() });
  let last = shown();
  const look = () => {
    const now = shown();
    const changed = now.filter((picture, i) => picture !== last[i]).length;
    if (changed) kept.frames += 1;
    if (changed && changed < now.length) kept.torn += 1;
    kept.seconds = (performance.now() - kept.start) / 1000;
    last = now;
    requestAnimationFrame(look);
  };
  look();
}"""


def open_interpolate(page: Page, server: str, query: str = "") -> None:
    """Open the page and wait until all of its pictures are there."""
    page.goto(f"{server}/interpolate{query}")
    wait_for_interpolate(page)


def wait_for_interpolate(page: Page) -> None:
    """Wait until the map is painted and every picture of the paths is decoded."""
    page.get_by_text("Interpolate between keyframes").wait_for()
    wait_for_map(page)
    wait_for_pictures(page)


def wait_for_pictures(page: Page) -> None:
    """Wait until every picture of the paths is decoded."""
    expect(page.get_by_label("Decoded pictures")).to_be_hidden(timeout=PATIENCE_MS)


def wait_for_frames(page: Page, count: int) -> None:
    """Wait until the animation has so many frames, and all of their pictures."""
    expect(position(page)).to_have_attribute("max", str(count - 1), timeout=PATIENCE_MS)
    wait_for_pictures(page)


def pause(page: Page) -> None:
    """Stop playing."""
    page.get_by_role("button", name="Pause").click()


def play(page: Page) -> Locator:
    """The button that plays, which is there while nothing does."""
    return page.get_by_role("button", name="Play", exact=True)


def position(page: Page) -> Locator:
    """The slider that scrubs."""
    return page.get_by_label("Position", exact=True)


def index(page: Page) -> int:
    """The frame that is shown, from 0."""
    return int(position(page).input_value())


def screen(page: Page, kind: str) -> Locator:
    """The picture of a kind of path."""
    return page.get_by_test_id(f"screen-{kind}")


def thumbs(page: Page) -> Locator:
    """The pictures of the keyframes."""
    return page.get_by_test_id("keyframe")


def names(page: Page) -> list[str]:
    """What the keyframes are called, in order."""
    return page.locator(".keyframe .end-name").all_inner_texts()


def line(page: Page, kind: str) -> list[list[float]]:
    """The places of a path on the map, in pixels."""
    points = page.locator(f'.trail polyline[data-kind="{kind}"]').get_attribute("points")
    assert points is not None
    return [[float(part) for part in point.split(",")] for point in points.split()]


def add(page: Page, *sources: str) -> None:
    """Add keyframes by the buttons of that name, one after the other."""
    for source in sources:
        before = thumbs(page).count()
        page.get_by_role("button", name=source, exact=True).click()
        expect(thumbs(page)).to_have_count(before + 1)


def turn_to(page: Page, tab: str) -> None:
    """Turn to a panel."""
    page.get_by_role("tab", name=tab).click()


def pixels_of(canvas: Locator) -> np.ndarray:
    """The grey levels of a canvas, [height, width]."""
    levels = canvas.evaluate(
        """(canvas) => {
          const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return [height, width, ...data.filter((_, i) => i % 4 === 0)];
        }"""
    )
    return np.array(levels[2:], int).reshape(levels[:2])
