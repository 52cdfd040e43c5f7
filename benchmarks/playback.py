"""How fast Interpolate plays: pictures a second in a real Chromium, with all three kinds of path side by side.

Each model's page is opened as it starts, with two keyframes, and all its pictures are waited for. It plays at speed 1,
60 frames a second; then a mouse drags the position from end to end with a move every 16 ms, in half the time that
playing takes, so that each move is to another frame. Counted are pictures that differ from the one painted before, in
the animation frame that shows them, of the kind of path that shows fewest. The first run of each is discarded.

Beside it, on the same page in the same run, a loop of animation frames that does nothing: the display's own rate.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
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
    wanted_models,
)
from benchmarks.drag import along, one_drag

MODELS = ("mnist-16d", "faces")  # what a first visit shows; the most dimensions and the largest pictures
KINDS = ("linear", "spherical", "data")
SHARES = {"playing": 0.95, "scrubbing": 0.9}  # of the empty loop's frames in which new pictures are painted, at least
DECODED_MS = 120_000  # until a page that has not decoded its pictures counts as broken

# Keeps the last picture that each canvas got in each animation frame: `painted.take()` gives {canvas, picture, at}.
# What plays is painted inside animation frames, where watch.js, which looks from frame to frame, sees every second one.
FRAMES = """(() => {
  let paints = new Map();
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (image, ...where) {
    put.call(this, image, ...where);
    const canvas = this.canvas.dataset.testid;
    const at = document.timeline.currentTime; // the same as long as a frame lasts
    const picture = new Uint32Array(image.data.buffer).reduce((hash, pixel) => Math.imul(hash ^ pixel, 0x01000193), 7);
    if (canvas) paints.set(`${canvas} ${at}`, { canvas, picture, at });
  };
  window.painted = { take: () => { const kept = [...paints.values()]; paints = new Map(); return kept; } };
})()"""

# When each of the animation frames of `ms` milliseconds began, ms; nothing else happens in them.
EMPTY_LOOP = """(ms) => new Promise((resolve) => {
  const frames = [];
  const look = (now) => {
    frames.push(now);
    if (now - frames[0] < ms) requestAnimationFrame(look);
    else resolve(frames);
  };
  requestAnimationFrame(look);
})"""


@dataclass(frozen=True)
class Figures:
    """What one or more runs gave.

    Attributes:
        rate: Pictures a second; of the empty loop, frames.
        gaps: From each to the next, ms.
    """

    rate: float
    gaps: list[float]


def main() -> None:
    options = parse_options()
    models = [model for name in ([options.model] if options.model else MODELS) for model in wanted_models(name)]
    print_head("Playback: pictures a second while an animation plays and while it is scrubbed")
    with running_browser() as browser, running_server() as server:
        report({name: measure(browser, server, name, options) for name in models})


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Pictures a second of Interpolate, beside an empty animation loop.")
    parser.add_argument("--model", help="one stored model; default: two of them")
    parser.add_argument("--seconds", type=float, default=3.0, help="of one run (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each kind that count (default: %(default)s)")
    return parser.parse_args()


def measure(browser: Browser, server: Server, model: str, options: argparse.Namespace) -> dict[str, Figures]:
    """Playing, scrubbing, and the empty loop beside them."""
    with fresh_page(browser) as page:
        page.add_init_script(FRAMES)
        open_page(page, f"{server.url}/interpolate?model={model}", "watch.mapPainted()")
        page.get_by_label("Decoded pictures").wait_for(state="hidden", timeout=DECODED_MS)
        page.get_by_role("button", name="Pause").click()
        scrub = along(page.get_by_role("slider", name="Position"))
        runs: dict[str, Callable[[], Figures]] = {
            "empty loop": lambda: figures(page.evaluate(EMPTY_LOOP, 1000 * options.seconds)),
            "playing": lambda: playing(page, options.seconds),
            "scrubbing": lambda: painted(one_drag(page, scrub, options.seconds / 2, pressed=True)["paints"]),
        }
        return {what: joined([run() for _ in range(options.repeats + 1)][1:]) for what, run in runs.items()}


def playing(page: Page, seconds: float) -> Figures:
    """Play from where it is."""
    page.get_by_role("button", name="Play").click()
    page.evaluate("painted.take()")
    time.sleep(seconds)
    paints = page.evaluate("painted.take()")
    page.get_by_role("button", name="Pause").click()
    return painted(paints)


def painted(paints: list[dict[str, Any]]) -> Figures:
    """Pictures of the kind of path that showed fewest."""
    kinds = [[paint for paint in paints if paint["canvas"] == f"screen-{kind}"] for kind in KINDS]
    return min((figures(changes(kind)) for kind in kinds), key=lambda each: each.rate)


def changes(paints: list[dict[str, Any]]) -> list[float]:
    """When a canvas showed another picture than before, ms."""
    return [after["at"] for before, after in pairwise(paints) if before["picture"] != after["picture"]]


def figures(times: list[float]) -> Figures:
    """Rate and gaps of what happened at these times, ms."""
    if len(times) < 2:
        raise RuntimeError(f"the page painted {len(times)} pictures.")
    gaps = [after - before for before, after in pairwise(times)]
    return Figures(1000 * len(gaps) / (times[-1] - times[0]), gaps)


def joined(parts: list[Figures]) -> Figures:
    """The median of the rates, all gaps together."""
    return Figures(statistics.median(part.rate for part in parts), [gap for part in parts for gap in part.gaps])


def report(models: dict[str, dict[str, Figures]]) -> None:
    """The table, and what was asked for beside what was got."""
    rows = [
        [f"{name}: {what}", f"{got.rate:.1f}", f"{percentile(got.gaps, 50):.1f}", f"{percentile(got.gaps, 95):.1f}"]
        for name, measured in models.items()
        for what, got in measured.items()
    ]
    print_table(["what moves", "pictures/s", "median ms", "p95 ms"], rows)
    print("\nms: from a picture to the next; of the empty loop from a frame to the next.")
    for what, share in SHARES.items():
        met = all(measured[what].rate >= share * measured["empty loop"].rate for measured in models.values())
        print_verdict(f"{what}, every model: pictures in at least {share:.0%} of the empty loop's frames", met=met)


if __name__ == "__main__":
    main()
