"""How fast the picture follows the mouse: frames a second and input-to-paint in a real Chromium.

A mouse drags the most important slider of each model from end to end, then sweeps over the map in a zigzag, each
in 1.5 s with a move every 16 ms. Counted are pictures that differ from the one painted before, in the animation
frame that shows them; two drawn in one frame are one. Input-to-paint runs from the mouse's move, by the time stamp
that the browser gave it before it waited for any handler, to the frame that shows the first picture *asked for after
it*: a picture that was on its way already does not count as the answer. On a slider only moves that change its value
count. The first drag of each kind is discarded.

Beside it, on the same machine in the same run, the same drag on Streamlit's own slider and picture.
"""

import argparse
import statistics
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FloatRect, Locator, Page

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
    wanted_models,
)

NATIVE = Path(__file__).parent / "native_slider.py"
MOVE_SECONDS = 0.016  # a little faster than 60 Hz, so that no frame waits for a move
SETTLE_SECONDS = 0.6  # after a drag: its last pictures and the rerun of its release
NATIVE_SETTLE_SECONDS = 1.5  # the same for Streamlit's own slider, which answers with that rerun
STROKES = 6  # of the zigzag
SWEPT = 0.8  # of the map's shorter side
END_PX = 10  # from a slider's ends: half a thumb
DRAG, SWEEP = ("slider", "decoded"), ("move", "peek")  # the event and the canvas that answers it

DRAG_FRAMES, SWEEP_FRAMES = 55, 50  # frames a second, at least
P95_MS = 35  # of a drag, at most

Place = tuple[float, float]
Route = Callable[[float], Place]  # from the share of time gone, 0 to 1, to pixels
Kept = dict[str, Any]  # what watch.js kept: events and paints


@dataclass(frozen=True)
class Figures:
    """What one or more drags gave.

    Attributes:
        moves: Events a second that the page saw.
        frames: Distinct pictures painted a second.
        latencies: Input to paint, ms.
    """

    moves: float
    frames: float
    latencies: list[float]

    @property
    def p95(self) -> float:
        """Below it lie 95% of the latencies, ms."""
        return percentile(self.latencies, 95)


def main() -> None:
    options = parse_options()
    models = wanted_models(options.model)
    print_head("Drag: pictures a second while a slider or the map follows the mouse")
    with running_browser() as browser:
        with running_server() as server:
            live = {name: measure_live(browser, server, name, options) for name in models}
        with running_server(NATIVE) as server:
            native = {name: measure_native(browser, server, name, options) for name in models}
    report(live, native)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Frames a second and input-to-paint of a slider drag and a map sweep.")
    parser.add_argument("--model", help="one stored model; default: three of them")
    parser.add_argument("--seconds", type=float, default=1.5, help="of one drag (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="drags of each kind that count (default: %(default)s)")
    return parser.parse_args()


def measure_live(browser: Browser, server: Server, model: str, options: argparse.Namespace) -> tuple[Figures, Figures]:
    """The slider drag and the map sweep on Explore."""
    with fresh_page(browser) as page:
        open_page(page, f"{server.url}/?model={model}", "watch.mapPainted()")
        time.sleep(SETTLE_SECONDS)
        slider = along(page.locator('input[type="range"]').first)  # Playwright's selectors see into shadow roots
        zigzag = over(page.get_by_test_id("latent-map"))
        drag = repeated(partial(one_drag, page, slider, options.seconds, pressed=True), options.repeats, *DRAG)
        sweep = repeated(partial(one_drag, page, zigzag, options.seconds, pressed=False), options.repeats, *SWEEP)
    return drag, sweep


def along(track: Locator) -> Route:
    """From the left end of a slider's track to the right one."""
    box = box_of(track)
    return lambda share: (box["x"] + END_PX + share * (box["width"] - 2 * END_PX), box["y"] + box["height"] / 2)


def over(area: Locator) -> Route:
    """A zigzag over the middle of the map: once across, up and down on the way."""
    box = box_of(area)
    side = SWEPT * min(box["width"], box["height"])
    left, top = box["x"] + (box["width"] - side) / 2, box["y"] + (box["height"] - side) / 2

    def place(share: float) -> Place:
        stroke = share * STROKES
        up = stroke % 1 if int(stroke) % 2 == 0 else 1 - stroke % 1
        return left + side * share, top + side * up

    return place


def box_of(element: Locator) -> FloatRect:
    """Where an element lies, in pixels."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    if box is None:
        raise RuntimeError(f"the page does not show {element}.")
    return box


def one_drag(page: Page, path: Route, seconds: float, *, pressed: bool, settle: float = SETTLE_SECONDS) -> Kept:
    """Move along the path at an even pace; returns what the page kept."""
    page.mouse.move(*path(0))
    if pressed:
        page.mouse.down()
    time.sleep(0.2)  # the press paints a picture of its own
    page.evaluate("watch.take()")
    move_along(page, path, seconds)
    if pressed:
        page.mouse.up()
    time.sleep(settle)
    kept: Kept = page.evaluate("watch.take()")
    return kept


def move_along(page: Page, path: Route, seconds: float) -> None:
    """Moves are timed, not counted: a browser that answers late gets fewer of them, never a longer drag."""
    start = due = time.perf_counter()
    while (gone := time.perf_counter() - start) < seconds:
        page.mouse.move(*path(gone / seconds))
        due = max(due + MOVE_SECONDS, time.perf_counter() - MOVE_SECONDS)
        time.sleep(max(0.0, due - time.perf_counter()))


def repeated(drag: Callable[[], Kept], count: int, kind: str, canvas: str) -> Figures:
    """Several drags as one; the first is discarded."""
    drag()
    return joined([live_figures(drag(), kind, canvas) for _ in range(count)])


def joined(parts: list[Figures]) -> Figures:
    """Medians of the rates, all latencies together."""
    return Figures(
        moves=statistics.median(part.moves for part in parts),
        frames=statistics.median(part.frames for part in parts),
        latencies=[latency for part in parts for latency in part.latencies],
    )


def live_figures(kept: Kept, kind: str, canvas: str) -> Figures:
    """Figures of one drag, from its first event to the frame of its last picture."""
    events = times(kept, kind)
    paints = [paint for paint in kept["paints"] if paint["canvas"] == canvas and paint["askedAt"] is not None]
    if len(events) < 2 or len(paints) < 2:
        raise RuntimeError(f"the page saw {len(events)} {kind} events and painted {len(paints)} pictures.")
    seconds = (max(events[-1], paints[-1]["at"]) - events[0]) / 1000
    asked = [paint["askedAt"] for paint in paints]
    answers = [(at, bisect_left(asked, at)) for at in events]
    return Figures(
        moves=len(events) / seconds,
        frames=count_changes([paint["picture"] for paint in paints]) / seconds,
        latencies=[paints[index]["at"] - at for at, index in answers if index < len(paints)],
    )


def times(kept: Kept, kind: str) -> list[float]:
    """When events of a kind happened, ms."""
    return [event["at"] for event in kept["events"] if event["kind"] == kind]


def count_changes(pictures: list[Any]) -> int:
    """How many differ from the one before; the first one counts."""
    return sum(index == 0 or picture != pictures[index - 1] for index, picture in enumerate(pictures))


def measure_native(browser: Browser, server: Server, model: str, options: argparse.Namespace) -> Figures:
    """The same drag on st.slider: pictures while it lasts, and the time from release to the new one."""
    with fresh_page(browser) as page:
        open_page(page, f"{server.url}/?model={model}", "watch.nativePicture()?.complete")
        page.evaluate("watch.followNative()")
        time.sleep(SETTLE_SECONDS)
        path = along(page.get_by_test_id("stSlider").locator('[data-orientation="horizontal"]').last)
        # There and back: a drag that ends where the last one did would bring no new picture.
        paths = [path, lambda share: path(1 - share)] * (options.repeats // 2 + 1)
        settle = NATIVE_SETTLE_SECONDS
        drags = [one_drag(page, each, options.seconds, pressed=True, settle=settle) for each in paths]
    return joined([native_figures(drag) for drag in drags[1 : options.repeats + 1]])


def native_figures(kept: Kept) -> Figures:
    """Figures of one drag on the native page; its latency is that of the release."""
    moves = times(kept, "move")
    released = times(kept, "release")[-1]
    before = [paint for paint in kept["paints"] if paint["at"] < released]
    after = [paint["at"] - released for paint in kept["paints"] if paint["at"] >= released]
    if len(moves) < 2 or not after:
        raise RuntimeError(f"the page saw {len(moves)} moves and painted {len(after)} pictures after the release.")
    seconds = (released - moves[0]) / 1000
    return Figures(moves=len(moves) / seconds, frames=len(before) / seconds, latencies=after[:1])


def report(live: dict[str, tuple[Figures, Figures]], native: dict[str, Figures]) -> None:
    """The table, and what was asked for beside what was got."""
    rows = []
    for name, (drag, sweep) in live.items():
        rows.append([f"{name}: slider", *cells(drag)])
        rows.append([f"{name}: map", *cells(sweep)])
        rows.append([f"{name}: st.slider + st.image", *cells(native[name])])
    print_table(["what is dragged", "moves/s", "pictures/s", "median ms", "p95 ms"], rows)
    print("\nms: input to paint; for st.slider + st.image from the release to the new picture.")
    drags, sweeps = zip(*live.values(), strict=True)
    met = all(drag.frames >= DRAG_FRAMES and drag.p95 <= P95_MS for drag in drags)
    print_verdict(f"slider, every model: at least {DRAG_FRAMES} pictures/s, p95 at most {P95_MS} ms", met=met)
    met = all(sweep.frames >= SWEEP_FRAMES for sweep in sweeps)
    print_verdict(f"map, every model: at least {SWEEP_FRAMES} pictures/s", met=met)


def cells(figures: Figures) -> list[str]:
    """A row's figures as text."""
    median = percentile(figures.latencies, 50)
    return [f"{figures.moves:.0f}", f"{figures.frames:.1f}", f"{median:.1f}", f"{figures.p95:.1f}"]


if __name__ == "__main__":
    main()
