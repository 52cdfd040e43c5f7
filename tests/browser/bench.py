"""How the tests look at and touch what our components draw."""

from playwright.sync_api import Locator, Page

# Counts the different pictures painted on a canvas, from the moment it is installed.
WATCH = """(canvas) => {
  canvas.seen = new Set();
  const look = () => {
    canvas.seen.add(canvas.toDataURL());
    canvas.looking = requestAnimationFrame(look);
  };
  look();
}"""


def open_explore(page: Page, address: str, query: str = "") -> None:
    """Open the first page and wait until the map is painted and the picture decoded."""
    page.goto(f"{address}/{query}")
    wait_for_map(page)


def wait_for_map(page: Page) -> None:
    """Wait until the marker lies on a painted map."""
    page.locator('[data-testid="latent-map"] .gl-canvas').first.wait_for()
    page.locator('[data-testid="latent-map"] .marker').wait_for()
    page.wait_for_function(PICTURE_IS_THERE)


PICTURE_IS_THERE = """() => {
  const hosts = [...document.querySelectorAll("*")].filter((node) => node.shadowRoot);
  const canvas = hosts.map((host) => host.shadowRoot.querySelector('[data-testid="decoded"]')).find(Boolean);
  return canvas && canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((v, i) => i % 4 < 3 && v > 0);
}"""


def pixels(canvas: Locator) -> str:
    """What a canvas shows, as a value to compare."""
    return canvas.evaluate("(canvas) => canvas.toDataURL()")


def decoded(page: Page) -> Locator:
    """The live picture."""
    return page.get_by_test_id("decoded")


def latent_map(page: Page) -> Locator:
    """The map."""
    return page.get_by_test_id("latent-map")


def first_slider(page: Page) -> Locator:
    """The slider of the most important dimension."""
    return page.locator('.sliders input[type="range"]').first


def code(page: Page) -> list[float]:
    """The code that the sliders stand for, by dimension."""
    return page.locator(".bench").evaluate("(node) => Array.from(node.getRootNode().bench.z)")


def marker_place(page: Page) -> tuple[float, float]:
    """Where the marker is to be, in the map's pixels."""
    box = page.locator('[data-testid="latent-map"] .marker').evaluate(
        "(node) => node.style.transform.match(/-?[\\\\d.]+(?=px)/g).map(Number)"
    )
    return box[0], box[1]


def map_point(page: Page, across: float, down: float) -> tuple[float, float]:
    """A place on the map in the page's pixels, as shares of its width and height."""
    box = latent_map(page).bounding_box()
    assert box is not None
    return box["x"] + across * box["width"], box["y"] + down * box["height"]
