"""How smooth the map stays with the training images on it, and how soon a lasso's group is there.

The mouse sweeps over the map in a zigzag, as in benchmarks.drag, and pans it; both with the reference images alone and
with the training images under them (which are encoded first, unless that was done before on this machine). Counted
are pictures painted while sweeping, and frames in which a pan moved the points. Then half of the reference images are
lassoed: from the button's release to the moment when the question reaches the server (it left the page, and half a
round trip), when the answer begins to come, and to the frame that shows the group's panel with its montage. Plotly
tells of a lasso up to a tenth of a second after the release.

The yardstick, in the same run: frames a second of the browser on that page while nothing happens, and for the lasso a
round trip to the server that asks for nothing.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.common import (
    Server,
    fresh_page,
    open_page,
    percentile,
    print_head,
    print_table,
    print_verdict,
    running_browser,
    running_server,
)
from benchmarks.drag import (
    SETTLE_SECONDS,
    SWEEP,
    SWEEP_FRAMES,
    Figures,
    box_of,
    move_along,
    one_drag,
    over,
    repeated,
)

MODELS = ("mnist-2d", "mnist-16d")
SECONDS = 1.5  # of one sweep or pan
IDLE_SECONDS = 1.0
ENCODE_SECONDS = 300.0  # until 60,000 training images that take 20 s count as never coming
LASSO_STEPS = 12  # moves along each side
REACH_MS, PANEL_MS = 100, 500  # after a lasso, at most
PAN_SHARE = 0.15  # of the map's width, to and fro

# Counts the frames in which the plot stood elsewhere than in the frame before.
FOLLOW_PAN = """() => {
  let [low, shown, moved, going] = [null, null, 0, true];
  watch.plot().on("plotly_relayouting", (change) => (low = change["xaxis.range[0]"]));
  const look = () => {
    if (low !== shown) [shown, moved] = [low, moved + 1];
    if (going) requestAnimationFrame(look);
  };
  look();
  window.stopPan = () => ((going = false), moved);
}"""

# A round trip that asks for nothing, ms.
PING = """async () => {
  const start = performance.now();
  await fetch("/_stcore/health");
  return performance.now() - start;
}"""

# The rectangle's left and right end, in pixels of the page, that hold the half of the reference images that lies left.
LEFT_HALF = """() => {
  const plot = watch.plot();
  const own = plot.data.filter(({ type }) => type === "scattergl");
  const x = own.flatMap((trace) => Array.from(trace.x)).sort((a, b) => a - b);
  const { xaxis, margin } = plot._fullLayout;
  const { left } = plot.getBoundingClientRect();
  return { left: left + margin.l + 2, right: left + margin.l + xaxis.c2p(x[x.length >> 1]) };
}"""


@dataclass(frozen=True)
class Lasso:
    """How long a group took, ms from the release; `ping` is a round trip for nothing.

    Attributes:
        count: Images selected.
        reached: Until the server had the question.
        answered: Until the answer began to come.
        panel: Until the panel was painted.
        ping: A round trip that asks for nothing.
    """

    count: int
    reached: float
    answered: float
    panel: float
    ping: float


@dataclass(frozen=True)
class Smoothness:
    """Rates with some number of points.

    Attributes:
        points: On the map.
        idle: Frames a second while nothing happens.
        sweep: Of the pictures under the mouse.
        pan: Frames a second that showed the points at another place.
    """

    points: int
    idle: float
    sweep: Figures
    pan: float


def main() -> None:
    options = parse_options()
    print_head("Map: sweep and pan with 10,000 and 70,000 points, and a lasso")
    smooth: dict[str, list[Smoothness]] = {}
    lassos: dict[str, list[Lasso]] = {}
    with running_browser() as browser, running_server() as server:
        for model in (options.model,) if options.model else MODELS:
            smooth[model], lassos[model] = measure(browser, server, model, options.repeats)
    report(smooth, lassos)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Smoothness of the map with many points, and the time a lasso takes.")
    parser.add_argument("--model", help="one stored model whose data set is on this machine; default: two of them")
    parser.add_argument("--repeats", type=int, default=3, help="of each kind that count (default: %(default)s)")
    return parser.parse_args()


def measure(browser: Browser, server: Server, model: str, repeats: int) -> tuple[list[Smoothness], list[Lasso]]:
    """Everything for one model, on a page of its own."""
    with fresh_page(browser) as page:
        open_page(page, f"{server.url}/?model={model}", "watch.mapPainted()")
        time.sleep(SETTLE_SECONDS)
        lassos = [one_lasso(page) for _ in range(repeats + 1)][1:]
        page.mouse.dblclick(*middle(page))  # nothing is selected any more
        page.locator('.modebar-btn[data-val="pan"]').click()
        rates = [smoothness(page, repeats)]
        if show_training(page):
            rates.append(smoothness(page, repeats))
        return rates, lassos


def smoothness(page: Page, repeats: int) -> Smoothness:
    """Rates on the page as it is."""
    time.sleep(SETTLE_SECONDS)
    zigzag = over(page.get_by_test_id("latent-map"))
    return Smoothness(
        points=page.evaluate("() => watch.points()"),
        idle=idle(page),
        sweep=repeated(partial(one_drag, page, zigzag, SECONDS, pressed=False), repeats, *SWEEP),
        pan=statistics.median(one_pan(page) for _ in range(repeats)),
    )


def idle(page: Page) -> float:
    """Frames a second while nothing happens."""
    page.evaluate("watch.takeFrames()")
    time.sleep(IDLE_SECONDS)
    frames: int = page.evaluate("watch.takeFrames()")
    return frames / IDLE_SECONDS


def one_pan(page: Page) -> float:
    """Drag the map to and fro; frames a second in which it moved."""
    x, y = middle(page)
    reach = PAN_SHARE * box_of(page.get_by_test_id("latent-map"))["width"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(FOLLOW_PAN)
    move_along(page, lambda share: (x + reach * (1 - abs(2 * share - 1)), y), SECONDS)
    moved: int = page.evaluate("stopPan()")
    page.mouse.up()
    time.sleep(SETTLE_SECONDS)
    return moved / SECONDS


def middle(page: Page) -> tuple[float, float]:
    """Of the map, in the page's pixels."""
    box = box_of(page.get_by_test_id("latent-map"))
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def show_training(page: Page) -> bool:
    """Switch the training images on and wait until they are drawn; False where they are not on this machine."""
    switch = page.get_by_role("checkbox", name="Training images")
    if not switch.is_visible():
        return False
    switch.check()
    wait_for(page, "watch.points() > watch.plot().data.reduce((sum, { x }) => sum + x.length, 0)", ENCODE_SECONDS)
    return True


def wait_for(page: Page, condition: str, seconds: float) -> None:
    page.wait_for_function(f"() => {condition}", timeout=1000 * seconds)


def one_lasso(page: Page) -> Lasso:
    """Draw around the left half of the reference images."""
    page.locator('.modebar-btn[data-val="lasso"]').click()
    area, box = page.evaluate(LEFT_HALF), box_of(page.get_by_test_id("latent-map"))
    top, bottom = box["y"] + 50, box["y"] + box["height"] - 12
    corners = [(area["right"], top), (area["right"], bottom), (area["left"], bottom), (area["left"], top)]
    page.mouse.move(area["left"], top)
    page.mouse.down()
    for corner in corners:
        page.mouse.move(*corner, steps=LASSO_STEPS)
    page.evaluate("() => { performance.clearResourceTimings(); watch.take(); }")
    page.mouse.up()
    count = selected(page)
    shown = page.evaluate(f"() => watch.when(() => watch.groupShown({count}), 60000)")
    kept: dict[str, Any] = page.evaluate("() => ({ ...watch.take(), asked: watch.asked('group') })")
    released = next(event["at"] for event in kept["events"] if event["kind"] == "release")
    ping = page.evaluate(PING)
    return Lasso(
        count=count,
        reached=kept["asked"]["sent"] + ping / 2 - released,
        answered=kept["asked"]["answered"] - released,
        panel=shown - kept["origin"] - released,
        ping=ping,
    )


def selected(page: Page) -> int:
    """How many images Plotly has selected, once the lasso has been taken over."""
    sum_up = "watch.plot().data.reduce((sum, { selectedpoints }) => sum + (selectedpoints?.length ?? 0), 0)"
    wait_for(page, f"{sum_up} > 0 && watch.asked('group')", 60)
    count: int = page.evaluate(f"() => {sum_up}")
    return count


def report(smooth: dict[str, list[Smoothness]], lassos: dict[str, list[Lasso]]) -> None:
    """Both tables, and what was asked for beside what was got."""
    rows = [
        [
            name,
            f"{each.points:,}",
            f"{each.sweep.frames:.1f}",
            f"{each.sweep.p95:.1f}",
            f"{each.pan:.1f}",
            f"{each.idle:.1f}",
        ]
        for name, parts in smooth.items()
        for each in parts
    ]
    print_table(["model", "points", "sweep: pictures/s", "p95 ms", "pan: frames/s", "idle: frames/s"], rows)
    met = all(each.sweep.frames >= SWEEP_FRAMES for parts in smooth.values() for each in parts)
    if any(len(parts) < 2 for parts in smooth.values()):
        print("\nWithout training images, which are not on this machine: set VAE_DATA_DIR to the folder of mnist.npz.")
    print_verdict(f"sweep, with few and with many points: at least {SWEEP_FRAMES} pictures/s", met=met)
    print()
    print_table(
        ["lasso", "images", "reached, ms", "answered, ms", "panel, ms", "round trip, ms"],
        [lasso_row(*each) for each in lassos.items()],
    )
    worst = max(median(each, lambda lasso: lasso.reached) for each in lassos.values())
    print_verdict(f"lasso: reaches the server within {REACH_MS} ms (median)", met=worst <= REACH_MS)
    worst = max(median(each, lambda lasso: lasso.panel) for each in lassos.values())
    print_verdict(f"lasso: panel within {PANEL_MS} ms (median)", met=worst <= PANEL_MS)


def lasso_row(name: str, lassos: list[Lasso]) -> list[str]:
    reached, answered, panel, trip = (
        median(lassos, measure)
        for measure in (
            lambda each: each.reached,
            lambda each: each.answered,
            lambda each: each.panel,
            lambda each: each.ping,
        )
    )
    return [name, f"{lassos[0].count:,}", f"{reached:.0f}", f"{answered:.0f}", f"{panel:.0f}", f"{trip:.1f}"]


def median(lassos: list[Lasso], figure: Callable[[Lasso], float]) -> float:
    return percentile([figure(each) for each in lassos], 50)


if __name__ == "__main__":
    main()
