"""How long a person waits: for the server, for the map, for an uploaded picture.

*Process start to map* runs from the start of `streamlit run app/server.py` to the frame in which a fresh browser
page, its browser already launched, has its map painted; the first run warms the file cache and is discarded.
*Page open to map* is the same with the server up and the browser's caches empty. The map counts as painted when
pixels can be read back from Plotly's WebGL canvas and the marker stands where the server says the code lies.
*Upload* runs from the file input's event to the frame that shows the picture's strip with its
reconstruction and its star on the map; the picture is one of scikit-learn's digits as a PNG file.

The yardstick is a Streamlit page of one line: what of these times is Streamlit's and the browser's own.
"""

import argparse
import json
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page
from sklearn.datasets import load_digits

from benchmarks.common import (
    APP,
    Server,
    fresh_page,
    open_page,
    print_head,
    print_table,
    print_verdict,
    running_browser,
    running_server,
    wanted_models,
    when,
)

START_SECONDS, OPEN_SECONDS, UPLOAD_SECONDS = 6.0, 3.0, 1.0  # at most
STARTS = 3  # processes that count, beside the discarded first
PICTURE_PIXELS = 280  # a side of the uploaded picture
GREY = 16  # the brightest value in scikit-learn's digits
EMPTY_PAGE = "import streamlit as st\n\nst.write('ready')\n"


@dataclass(frozen=True)
class Target:
    """A page to start and open.

    Attributes:
        page: What `streamlit run` is given.
        path: What the browser opens.
        painted: The condition of watch.js that it waits for.
    """

    page: str | Path
    path: str
    painted: str


def main() -> None:
    options = parse_options()
    wanted_models(options.model)
    print_head("Start: seconds until something is seen")
    with tempfile.TemporaryDirectory() as name, running_browser() as browser:
        folder = Path(name)
        empty = folder / "empty.py"
        empty.write_text(EMPTY_PAGE, encoding="utf-8")
        ours = Target(APP, f"/?model={options.model}" if options.model else "/", "watch.mapPainted()")
        theirs = Target(empty, "/", "document.querySelector('[data-testid=\"stMarkdown\"]')")
        measure(browser, ours, theirs, folder, options.repeats)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Seconds from start, page open and upload until something is seen.")
    parser.add_argument("--model", help="the model to show; default: the one that a first visit shows")
    parser.add_argument("--repeats", type=int, default=5, help="page opens and uploads (default: %(default)s)")
    return parser.parse_args()


def measure(browser: Browser, ours: Target, theirs: Target, folder: Path, repeats: int) -> None:
    """Measure all and print the table."""
    answers, starts = process_starts(browser, ours)
    their_answers, their_starts = process_starts(browser, theirs)
    with running_server(ours.page) as server:
        opens = page_opens(browser, server, ours, repeats)
        uploads = picture_uploads(browser, server, ours, folder, repeats)
    with running_server(theirs.page) as server:
        their_opens = page_opens(browser, server, theirs, repeats)
    rows = [
        row("process start to the first answer", answers, their_answers),
        row("process start to the map painted", starts, their_starts),
        row("page open to the map painted", opens, their_opens),
        row("upload to reconstruction and star", uploads, []),
    ]
    print_table(["seconds", "median", "slowest", "runs", "one-line page"], rows)
    for what, taken, limit in (
        ("process start to the map", starts, START_SECONDS),
        ("page open to the map", opens, OPEN_SECONDS),
        ("upload", uploads, UPLOAD_SECONDS),
    ):
        print_verdict(f"{what}: median at most {limit:g} s", met=statistics.median(taken) <= limit)


def process_starts(browser: Browser, target: Target) -> tuple[list[float], list[float]]:
    """Seconds from process start to the first answer, and to what is to be seen; the first run is discarded."""
    answers, starts = [], []
    for _ in range(STARTS + 1):
        with fresh_page(browser) as page, running_server(target.page) as server:
            painted = open_page(page, server.url + target.path, target.painted)
            answers.append(server.healthy - server.started)
            starts.append(painted - server.started)
    return answers[1:], starts[1:]


def page_opens(browser: Browser, server: Server, target: Target, repeats: int) -> list[float]:
    """Seconds from the navigation's start to what is to be seen, each in a browser without caches."""
    taken = []
    for _ in range(repeats):
        with fresh_page(browser) as page:
            painted = open_page(page, server.url + target.path, target.painted)
            taken.append(painted - page.evaluate("performance.timeOrigin") / 1000)
    return taken


def picture_uploads(browser: Browser, server: Server, target: Target, folder: Path, repeats: int) -> list[float]:
    """Seconds from choosing a file to its strip and star, each picture another one, all in one visit."""
    with fresh_page(browser) as page:
        open_page(page, server.url + target.path, target.painted)
        return [one_upload(page, write_digit(folder, index)) for index in range(repeats)]


def one_upload(page: Page, file: Path) -> float:
    """Seconds from the file input's event."""
    before = json.dumps(page.evaluate("watch.shownPictures()"))
    page.evaluate("watch.take()")
    page.locator('input[type="file"]').first.set_input_files(file)
    shown = when(page, f"watch.uploadShown({before})")
    kept = page.evaluate("watch.take()")
    chosen = next(event["at"] for event in kept["events"] if event["kind"] == "file")
    return shown - float(kept["origin"] + chosen) / 1000


def write_digit(folder: Path, index: int) -> Path:
    """One of scikit-learn's digits, enlarged, as a PNG file."""
    digit = load_digits().images[index]  # [8, 8], 0 to 16
    grey = np.uint8(digit * (255 / GREY))
    path = folder / f"digit-{index}.png"
    Image.fromarray(grey).resize((PICTURE_PIXELS, PICTURE_PIXELS), Image.Resampling.BICUBIC).save(path)
    return path


def row(what: str, ours: list[float], theirs: list[float]) -> list[str]:
    """One line of the table."""
    floor = f"{statistics.median(theirs):.2f}" if theirs else ""
    return [what, f"{statistics.median(ours):.2f}", f"{max(ours):.2f}", str(len(ours)), floor]


if __name__ == "__main__":
    main()
