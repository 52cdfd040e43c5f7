"""The pictures in README.md, taken of the running app by a real Chromium: `python -m benchmarks.screenshots`."""

import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page

from benchmarks.common import ROOT, fresh_page, open_page, running_browser, running_server
from benchmarks.drag import box_of

DOCS = ROOT / "docs"
SETTLE_SECONDS = 3.0  # strips, montages and the map's card
CLASSES = ("0", "1")  # of the direction that is shown


def main() -> None:
    with running_browser() as browser, running_server() as server:
        for name, address, prepare in SHOTS:
            shoot(browser, f"{server.url}/{address}", prepare, DOCS / f"{name}.png")


def shoot(browser: Browser, url: str, prepare: Callable[[Page], None], path: Path) -> None:
    """One picture of a page that somebody has done something on."""
    with fresh_page(browser) as page:
        open_page(page, url, "watch.mapPainted()")
        time.sleep(SETTLE_SECONDS)
        prepare(page)
        time.sleep(SETTLE_SECONDS)
        page.screenshot(path=path)
        print(path.relative_to(ROOT))


def look_at_the_map(page: Page) -> None:
    """Explore with a picture of one's own, and the card of what lies under the mouse."""
    page.get_by_role("button", name="Try a real handwritten 5").click()
    time.sleep(SETTLE_SECONDS)
    box = box_of(page.get_by_test_id("latent-map"))
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.48 * box["height"], steps=5)


def tell_groups_apart(page: Page) -> None:
    """The direction from one digit to another."""
    page.get_by_role("tab", name="Directions").click()
    for role, label in zip(("From", "To"), CLASSES, strict=True):
        page.get_by_role("combobox", name=role, exact=True).select_option(f"label {label}")
    page.get_by_role("button", name="Add direction").click()


def play(page: Page) -> None:
    """Interpolate, in the middle of a path."""
    page.get_by_role("slider", name="Position").fill("40")  # a frame, about a third of the way


SHOTS: tuple[tuple[str, str, Callable[[Page], None]], ...] = (
    ("explore", "?model=mnist-16d", look_at_the_map),
    ("directions", "?model=mnist-16d", tell_groups_apart),
    ("interpolate", "interpolate?model=mnist-16d", play),
)


if __name__ == "__main__":
    main()
