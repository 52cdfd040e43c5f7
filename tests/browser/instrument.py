"""How the tests work Explore's instruments."""

from playwright.sync_api import Locator, Page

from tests.browser.touch import map_point

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
