"""What the Interpolate page saves: animations in each format, strips, codes and grids."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from playwright.sync_api import Download, Page, expect

from tests.browser.interpolate import add, open_interpolate, pause, pixels_of, thumbs, turn_to, wait_for_frames
from tests.browser.touch import choose_model, pixels

MODEL = "mnist-2d"
FRAMES = 12  # two keyframes with seven frames a leg, closed
SCALE = 4
SIDE = 28


def open_with_few_frames(page: Page, server: str) -> None:
    open_interpolate(page, server, f"?model={MODEL}")
    pause(page)
    page.get_by_label("Frames per leg").fill("7")
    page.keyboard.press("Enter")
    wait_for_frames(page, FRAMES)
    turn_to(page, "Export")
    page.get_by_role("combobox", name="Size").select_option(str(SCALE))


def export(page: Page, format: str, kind: str = "linear") -> tuple[str, bytes]:
    """Export and take what the browser saves."""
    page.get_by_role("combobox", name="Kind of path").select_option(kind)
    page.get_by_role("combobox", name="Format").select_option(format)
    with page.expect_download(timeout=60_000) as waiting:
        page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_test_id("export-news")).to_contain_text("Saved")
    expect(page.get_by_role("button", name="Export", exact=True)).to_be_enabled()
    return content(waiting.value)


def content(download: Download) -> tuple[str, bytes]:
    return download.suggested_filename, Path(download.path()).read_bytes()


def frames_of(file: bytes) -> np.ndarray:
    """The pictures of an animation, [frame, height, width, 3]."""
    with Image.open(BytesIO(file)) as reel:
        return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(reel)]).astype(int)


def small(frames: np.ndarray) -> np.ndarray:
    """One pixel for each square, [..., height, width]."""
    return frames[..., SCALE // 2 :: SCALE, SCALE // 2 :: SCALE, 0]


def test_each_format_arrives_and_decodes_to_the_keyframes_pictures(page: Page, server: str):
    import av

    open_with_few_frames(page, server)
    first, second = (pixels_of(thumbs(page).nth(i)) for i in range(2))

    name, file = export(page, "gif", "data")
    assert name == f"{MODEL}-data.gif"
    gif = frames_of(file)
    assert gif.shape == (FRAMES, SIDE * SCALE, SIDE * SCALE, 3)
    assert np.abs(small(gif)[[0, 6]] - [first, second]).max() <= 1

    name, file = export(page, "webp", "spherical")
    assert name == f"{MODEL}-spherical.webp"
    assert np.abs(small(frames_of(file))[[0, 6]] - [first, second]).max() <= 1

    name, file = export(page, "mp4")
    assert name == f"{MODEL}-linear.mp4"
    with av.open(BytesIO(file)) as container:
        assert container.streams.video[0].average_rate == 25
        video = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(int)
    assert len(video) == FRAMES
    assert np.abs(small(video)[[0, 6]] - [first, second]).mean() < 12

    page.get_by_role("combobox", name="Format").select_option("strip")
    page.get_by_label("Strip pictures").fill("5")
    page.get_by_label("Strip columns").fill("3")
    page.keyboard.press("Enter")
    name, file = export(page, "strip")
    with Image.open(BytesIO(file)) as strip:
        assert (name, strip.size) == (f"{MODEL}-linear.png", ((3 * SIDE + 2) * SCALE, (2 * SIDE + 1) * SCALE))

    name, file = export(page, "npz")
    with np.load(BytesIO(file), allow_pickle=False) as stored:
        assert stored["codes"].shape == (FRAMES, 2)
        assert (stored["keyframes"].tolist(), stored["fps"]) == ([0, 6], 25)


def test_a_long_export_says_how_far_it_is_and_can_be_cancelled(page: Page, server: str):
    open_interpolate(page, server, f"?model={MODEL}")
    pause(page)
    page.get_by_label("Frames per leg").fill("240")
    page.keyboard.press("Enter")
    wait_for_frames(page, 2 * 239)
    turn_to(page, "Export")
    page.get_by_role("combobox", name="Format").select_option("mp4")
    page.get_by_role("combobox", name="Size").select_option("24")
    downloads: list[Download] = []
    page.on("download", lambda download: downloads.append(download))
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_test_id("export-news")).to_contain_text("picture")
    expect(page.get_by_role("progressbar", name="Export")).to_be_visible()
    with page.expect_request("**/live/jobs/*/stop") as waiting:
        page.get_by_role("button", name="Cancel").click()
    job = waiting.value.url.removesuffix("/stop")
    expect(page.get_by_test_id("export-news")).to_have_text("Cancelled")
    expect(page.get_by_role("button", name="Export", exact=True)).to_be_enabled()
    page.wait_for_timeout(1000)
    assert page.request.get(job).json()["phase"] == "stopped"
    assert downloads == []


def test_the_summary_says_how_long_the_file_and_the_screen_play(page: Page, server: str):
    open_with_few_frames(page, server)
    expect(page.get_by_text("12 frames, 0.5 s (0.2 s on screen)")).to_be_visible()
    page.get_by_role("combobox", name="Speed").select_option("0.25")
    expect(page.get_by_text("12 frames, 0.5 s (0.8 s on screen)")).to_be_visible()
    page.get_by_label("Frames per second").fill("30")
    page.keyboard.press("Enter")
    expect(page.get_by_text("0.4 s (0.8 s on screen; a GIF has whole hundredths of a second: 33.3 a")).to_be_visible()


def test_news_of_a_file_end_with_the_model_that_it_was_made_with(page: Page, server: str):
    open_with_few_frames(page, server)
    export(page, "npz")
    choose_model(page, "mnist-10d-beta-1")
    expect(page.get_by_test_id("export-news")).to_be_empty()


def test_an_export_that_would_be_too_large_gets_the_servers_sentence(page: Page, server: str):
    open_interpolate(page, server, f"?model={MODEL}")
    pause(page)
    page.get_by_label("Frames per leg").fill("240")
    page.keyboard.press("Enter")
    wait_for_frames(page, 2 * 239)
    turn_to(page, "Export")
    page.get_by_role("combobox", name="Size").select_option("64")
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_test_id("export-news")).to_contain_text("pixels")
    expect(page.get_by_role("button", name="Export", exact=True)).to_be_enabled()


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_the_first_four_keyframes_make_a_grid_that_is_saved_as_one_picture(page: Page, server: str, path: str):
    open_interpolate(page, server, "?model=mnist-16d")
    turn_to(page, "Grid")
    order = page.get_by_text("Corners: keyframe 1 top left, 2 top right, 3 bottom left, 4 bottom right.")
    expect(order).to_be_visible()
    expect(page.get_by_text("Add 2 more keyframes.")).to_be_visible()
    expect(page.get_by_role("button", name="Save PNG")).to_be_disabled()
    add(page, "Random (image)", "Random (image)", "Random (prior)")
    expect(page.get_by_test_id("grid")).to_be_visible()
    expect(order).to_be_visible()
    page.get_by_role("combobox", name="Grid path").select_option(path)
    page.get_by_label("Grid rows").fill("3")
    page.get_by_label("Grid columns").fill("5")
    page.keyboard.press("Enter")
    grid = page.get_by_role("img", name="Grid of 3 rows and 5 columns")
    expect(grid).to_be_visible()
    expect(page.get_by_role("button", name="Save PNG")).to_be_enabled()
    shown = pixels_of(grid)
    assert shown.shape == (3 * SIDE, 5 * SIDE)
    corners = [shown[:SIDE, :SIDE], shown[:SIDE, -SIDE:], shown[-SIDE:, :SIDE], shown[-SIDE:, -SIDE:]]
    for corner, place in zip(corners, range(4), strict=True):
        np.testing.assert_array_equal(corner, pixels_of(thumbs(page).nth(place)))
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save PNG").click()
    name, file = content(waiting.value)
    with Image.open(BytesIO(file)) as saved:
        assert name == "mnist-16d-grid.png"
        assert saved.size == (14 * 5 * SIDE, 14 * 3 * SIDE)
        assert np.array_equal(np.asarray(saved.convert("L"))[7::14, 7::14], shown)
    before = pixels(grid)
    page.get_by_role("button", name="Move keyframe 1 later").click()
    page.wait_for_function("([grid, before]) => grid.toDataURL() !== before", arg=[grid.element_handle(), before])
