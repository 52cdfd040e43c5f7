"""Explore in a real browser, with the shipped models."""

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.touch import (
    WATCH,
    Reruns,
    at_rest,
    centre,
    choose_model,
    decoded,
    drag,
    first_slider,
    latent_map,
    map_point,
    marker,
    open_page,
    pixels,
    seen,
    until,
    values,
    wait_for_map,
    wait_until_changed,
)

SETTLED_MS = 1500  # long enough for a rerun that should not come


def digit_files(folder: Path, count: int) -> list[tuple[Path, str]]:
    """Real handwritten digits of scikit-learn's test part as dark-on-white PNG files, with their labels."""
    from vae_core.datasets.registry import load_dataset

    digits = load_dataset("digits", "test")
    files = []
    for index in range(count):
        path = folder / f"digit-{index}.png"
        Image.fromarray(255 - digits.images[index, 0].numpy()).resize((140, 140)).save(path)
        files.append((path, digits.label_names[digits.labels[index]]))
    return files


def upload(page: Page, paths: list[Path]) -> None:
    page.locator('input[type="file"]').first.set_input_files(paths)


@pytest.mark.parametrize("model", ["mnist-16d", "mnist-2d"])
def test_a_drag_changes_the_picture_many_times_and_reruns_once_after_release(page: Page, server: str, model: str):
    reruns = Reruns(page)
    open_page(page, server, f"?model={model}")
    page.wait_for_timeout(SETTLED_MS)
    before = reruns.count
    decoded(page).evaluate(WATCH)
    drag(page, first_slider(page), 0.2, 0.8)
    assert seen(decoded(page)) > 20
    assert reruns.count == before
    page.mouse.up()
    page.wait_for_timeout(SETTLED_MS)
    assert reruns.count == before + 1


def test_the_marker_follows_a_drag_and_eases_within_100_ms(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    slider = page.get_by_role("slider", name="Dimension 1")
    drag(page, slider, 0.5, 0.3, moves=5)
    page.mouse.up()
    start = at_rest(page, lambda: centre(marker(page)))
    drag(page, slider, 0.3, 0.7)
    page.mouse.up()
    duration = marker(page).evaluate("(node) => getComputedStyle(node).transitionDuration")
    assert float(duration.removesuffix("s")) <= 0.1
    end = at_rest(page, lambda: centre(marker(page)))
    assert abs(end[0] - start[0]) > 20
    assert end[1] == pytest.approx(start[1], abs=2)


def test_sliders_are_named_and_sorted_by_kl(page: Page, server: str):
    open_page(page, server)
    sliders = page.locator(".sliders input[type=range]")  # the folded ones as well
    names = sliders.evaluate_all("(inputs) => inputs.map((input) => input.ariaLabel)")
    assert sorted(names) == sorted(f"Dimension {number}" for number in range(1, 17))
    amounts = [float(text) for text in page.locator(".amount").all_inner_texts()]
    assert amounts == sorted(amounts, reverse=True)


def test_pictures_are_canvases_of_the_models_own_size(page: Page, server: str):
    open_page(page, server)
    for name in ("decoded", "peek"):
        size = page.get_by_test_id(name).evaluate("(canvas) => [canvas.tagName, canvas.width, canvas.height]")
        assert size == ["CANVAS", 28, 28]


def test_moving_over_the_map_decodes_what_lies_there(page: Page, server: str):
    open_page(page, server)
    before, peek = pixels(decoded(page)), page.get_by_test_id("peek")
    page.mouse.move(*map_point(page, 0.3, 0.5))
    expect(peek).to_be_visible()
    peek.evaluate(WATCH)
    for step in range(40):
        page.mouse.move(*map_point(page, 0.3 + step / 100, 0.5))
        page.wait_for_timeout(10)
    assert seen(peek) > 10
    assert pixels(decoded(page)) == before, "looking must not load"
    page.mouse.move(5, 5)
    expect(peek).to_be_hidden()


def test_a_click_loads_exactly_what_was_seen_there(page: Page, server: str):
    open_page(page, server, "?model=mnist-2d")
    place = map_point(page, 0.4, 0.4)
    before = pixels(decoded(page))
    page.mouse.move(*place)
    expect(page.get_by_test_id("peek")).to_be_visible()
    peeked = pixels(page.get_by_test_id("peek"))
    page.mouse.click(*place)
    wait_until_changed(page, decoded(page), before)
    assert at_rest(page, lambda: pixels(decoded(page))) == peeked
    assert at_rest(page, lambda: centre(marker(page))) == pytest.approx(place, abs=2)


def test_a_double_click_shows_the_whole_map_and_keeps_the_code(page: Page, server: str):
    open_page(page, server, "?model=mnist-16d")
    before = values(page)
    page.mouse.dblclick(*map_point(page, 0.3, 0.4))
    page.wait_for_timeout(SETTLED_MS)
    assert values(page) == before
    page.mouse.click(*map_point(page, 0.3, 0.5))  # a single one loads
    until(page, lambda: values(page) != before, "another code")


def test_a_drag_on_the_map_pans_and_loads_nothing(page: Page, server: str):
    open_page(page, server)
    before, ring = values(page), centre(marker(page))
    page.mouse.move(*map_point(page, 0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*map_point(page, 0.6, 0.5), steps=8)
    page.mouse.up()
    page.wait_for_timeout(500)
    assert values(page) == before
    assert centre(marker(page))[0] - ring[0] == pytest.approx(0.1 * latent_map(page).bounding_box()["width"], abs=4)


def test_random_zero_undo_and_save_work(page: Page, server: str):
    open_page(page, server)
    first = values(page)
    page.get_by_role("button", name="Random (prior)").click()
    page.get_by_role("button", name="Zero").click()
    until(page, lambda: set(values(page)) == {0}, "all sliders at zero")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    until(page, lambda: values(page) == pytest.approx(first, abs=0.006), "the first code")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save picture").click()
    with Image.open(download.value.path()) as saved:
        assert saved.size == (28 * 16, 28 * 16)


def test_a_draw_like_the_data_is_another_code_each_time_reported_once(page: Page, server: str):
    reruns = Reruns(page)
    open_page(page, server, "?model=mnist-2d")
    page.wait_for_timeout(SETTLED_MS)
    first, before = values(page), reruns.count
    button = page.get_by_role("button", name="Random (data)")
    assert "mixture fitted to the codes of training images" in button.get_attribute("title")
    drawn = []
    for count in (1, 2):
        picture = pixels(decoded(page))
        button.click()
        wait_until_changed(page, decoded(page), picture)
        page.wait_for_timeout(SETTLED_MS)
        drawn.append(values(page))
        assert reruns.count == before + count
    assert first not in drawn
    assert drawn[0] != drawn[1]
    page.get_by_role("button", name="Undo").click()
    until(page, lambda: values(page) == pytest.approx(drawn[0], abs=0.006), "the draw before")


def test_the_keyboard_does_what_the_mouse_does(page: Page, server: str):
    open_page(page, server)
    slider = first_slider(page)
    slider.focus()
    before, start = pixels(decoded(page)), float(slider.input_value())
    page.keyboard.press("ArrowRight")
    wait_until_changed(page, decoded(page), before)
    assert float(slider.input_value()) == pytest.approx(start + 0.1, abs=0.011)

    latent_map(page).focus()
    before = values(page)
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    expect(page.get_by_test_id("peek")).to_be_visible()
    page.keyboard.press("Enter")
    until(page, lambda: values(page) != before, "another code")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("peek")).to_be_hidden()


def test_the_map_can_be_changed_and_coloured(page: Page, server: str):
    open_page(page, server)
    page.get_by_role("combobox", name="Map", exact=True).select_option("axes")
    page.get_by_role("combobox", name="Vertical").select_option("4")
    page.locator('[data-painted$="axes 0 4"]').wait_for()
    page.get_by_role("combobox", name="Colour").select_option("2")
    expect(latent_map(page).locator(".colorbar, .cbtitle").first).to_be_visible()
    before = values(page)
    page.mouse.click(*map_point(page, 0.5, 0.5))
    until(page, lambda: values(page) != before, "another code")
    changed = sum(abs(a - b) > 0.011 for a, b in zip(before, at_rest(page, lambda: values(page)), strict=True))
    assert 1 <= changed <= 2, "on a map of two dimensions a place sets those two and leaves the others"


def test_a_value_beyond_a_slider_stretches_it(page: Page, server: str):
    open_page(page, server)
    page.locator(".explore").evaluate(
        "(node) => { const { part } = node.getRootNode(); const z = part.z.slice(); z[2] = 9.5; part.load(z); }"
    )
    slider = page.get_by_role("slider", name="Dimension 3", exact=True)
    assert float(slider.get_attribute("max")) >= 9.5
    assert float(slider.input_value()) == 9.5


def test_an_uploaded_digit_is_reconstructed_and_loaded(page: Page, server: str, tmp_path: Path):
    open_page(page, server)
    before = pixels(decoded(page))
    [(path, _)] = digit_files(tmp_path, 1)
    upload(page, [path])
    strip = page.locator(".strip")
    expect(strip.locator("figcaption")).to_have_text(["input", "reconstruction", "error"])
    expect(strip.locator(".nats")).to_contain_text("ELBO")
    expect(latent_map(page).locator(".star")).to_have_count(1)
    wait_until_changed(page, decoded(page), before)


def test_uploaded_digits_land_among_their_own_class_more_often_than_not(page: Page, server: str, tmp_path: Path):
    from vae_core.inference.engine import engine

    open_page(page, server, "?model=mnist-16d")
    files = digit_files(tmp_path, 12)
    upload(page, [path for path, _ in files])
    expect(latent_map(page).locator(".star")).to_have_count(len(files))
    part = page.locator(".explore")
    stars = part.evaluate("(node) => node.getRootNode().part.data.pictures.map((each) => each.places.umap)")
    reference = engine().load("mnist-16d").need_reference()
    right = 0
    for place, (_, label) in zip(stars, files, strict=True):
        nearest = np.square(reference.umap_places - np.asarray(place)).sum(axis=1).argsort()[:15]
        [(most, _)] = Counter(reference.label_names[reference.labels[i]] for i in nearest).most_common(1)
        right += most == label
    assert right > len(files) / 2, f"{right} of {len(files)} landed among their own class"


def test_a_broken_upload_is_one_sentence_and_loses_nothing(page: Page, server: str, tmp_path: Path):
    open_page(page, server)
    [(good, _)] = digit_files(tmp_path, 1)
    upload(page, [good])
    expect(page.locator(".chip")).to_have_count(1)
    shown = values(page)
    page.locator(".explore").evaluate("(node) => { node.mine = true; }")
    bad = tmp_path / "notes.png"
    bad.write_text("this is no picture")
    upload(page, [bad])
    expect(page.get_by_test_id("stAlert")).to_contain_text("notes.png")
    expect(page.locator(".chip")).to_have_count(1)
    assert values(page) == shown
    assert page.locator(".explore").evaluate("(node) => node.mine"), "a notice must not mount the component anew"


def test_the_largest_picture_passes_and_more_at_once_gets_a_sentence(page: Page, server: str, tmp_path: Path):
    large = tmp_path / "large.bmp"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (2630, 2640, 3), np.uint8)).save(large)
    assert 19.8 * 2**20 < large.stat().st_size < 20 * 2**20
    open_page(page, server)
    upload(page, [large])
    loaded = page.locator(".chips").get_by_role("button", name="Load")
    expect(loaded).to_have_count(1, timeout=60_000)
    again = tmp_path / "again.bmp"
    again.write_bytes(large.read_bytes())
    upload(page, [large, again])
    expect(page.get_by_text("Those pictures have more than 22 MiB together")).to_be_visible()
    expect(loaded).to_have_count(1)
    page.get_by_role("button", name="Try a real handwritten").first.click()
    expect(loaded).to_have_count(2)


def test_a_picture_can_be_dropped_on_the_map(page: Page, server: str):
    open_page(page, server)
    buffer = io.BytesIO()
    Image.fromarray(np.pad(np.full((16, 4), 0, np.uint8), 20, constant_values=255)).save(buffer, "PNG")
    transfer = page.evaluate_handle(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "stroke.png", { type: "image/png" }));
          return transfer;
        }""",
        list(buffer.getvalue()),
    )
    latent_map(page).dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.locator(".chip")).to_have_count(1)
    expect(latent_map(page).locator(".star")).to_have_count(1)


def test_a_folder_that_is_dropped_gets_a_sentence_and_the_pictures_beside_it_are_added(page: Page, server: str):
    open_page(page, server)
    page.evaluate(  # a folder is a file that cannot be read, and a page can make none
        """() => {
          const { readAsDataURL } = FileReader.prototype;
          FileReader.prototype.readAsDataURL = function (file) {
            if (file.name === "a folder") setTimeout(() => this.onerror());
            else readAsDataURL.call(this, file);
          };
        }"""
    )
    content = io.BytesIO()
    Image.new("L", (9, 9), 255).save(content, "PNG")
    transfer = page.evaluate_handle(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([], "a folder"));
          transfer.items.add(new File([new Uint8Array(bytes)], "dot.png", { type: "image/png" }));
          return transfer;
        }""",
        list(content.getvalue()),
    )
    latent_map(page).dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.get_by_text("a folder cannot be read; of a folder choose the pictures")).to_be_visible()
    expect(page.get_by_role("button", name="Remove dot.png")).to_be_visible()


def test_examples_load_and_can_be_removed(page: Page, server: str):
    open_page(page, server)
    page.get_by_role("button", name="Try a real handwritten 3").click()
    expect(page.locator(".chip")).to_have_count(1)
    page.get_by_role("button", name="Remove digit 3").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(0)
    expect(page.locator(".strip")).to_be_hidden()


def test_code_and_pictures_survive_moving_between_pages(page: Page, server: str):
    open_page(page, server)
    page.get_by_role("button", name="Try a real handwritten 7").click()
    expect(page.locator(".chip")).to_have_count(1)
    page.get_by_role("combobox", name="Map", exact=True).select_option("pca")
    drag(page, first_slider(page), 0.5, 0.9, moves=10)
    page.mouse.up()
    before = at_rest(page, lambda: values(page))
    page.get_by_role("link", name="Interpolate").click()
    page.get_by_text("Interpolate between keyframes").wait_for()
    wait_for_map(page)
    page.get_by_role("link", name="Explore").click()
    page.get_by_text("Explore the latent space").wait_for()
    wait_for_map(page)
    expect(page.locator(".chip")).to_have_count(1)
    assert page.get_by_role("combobox", name="Map", exact=True).input_value() == "pca"
    assert values(page) == pytest.approx(before, abs=0.011)


def test_an_undo_after_an_example_survives_leaving_the_page(page: Page, server: str):
    open_page(page, server)
    drag(page, first_slider(page), 0.5, 0.8, moves=10)
    page.mouse.up()
    mine = at_rest(page, lambda: values(page))
    page.get_by_role("button", name="Try a real handwritten 3").click()
    expect(page.locator(".chip")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    until(page, lambda: values(page) == pytest.approx(mine, abs=0.011), "the code before")
    page.get_by_role("link", name="Reconstruct").click()
    page.get_by_text("Reconstruct your pictures").wait_for()
    page.get_by_role("link", name="Explore").click()
    page.get_by_text("Explore the latent space").wait_for()
    wait_for_map(page)
    assert values(page) == pytest.approx(mine, abs=0.011)


def test_the_page_works_in_a_narrow_window_and_after_a_resize(page: Page, server: str):
    open_page(page, server)
    for width in (1024, 800, 420):
        page.set_viewport_size({"width": width, "height": 800})
        box = at_rest(page, lambda: latent_map(page).bounding_box())
        assert box["width"] > 300
        assert box["x"] + box["width"] <= width
        ring = centre(marker(page))
        assert box["x"] < ring[0] < box["x"] + box["width"]


def test_the_focus_stays_on_an_example_that_was_loaded(page: Page, server: str):
    open_page(page, server)
    page.get_by_role("button", name="Try a real handwritten 3").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(1)
    page.wait_for_timeout(500)
    focused = "() => document.activeElement.shadowRoot?.activeElement?.ariaLabel"
    assert page.evaluate(focused) == "Try a real handwritten 3"


def test_the_address_names_the_model_and_back_leads_to_the_page_before(page: Page, server: str):
    open_page(page, server)
    page.wait_for_url("**/?model=mnist-16d")
    entries = page.evaluate("history.length")
    choose_model(page, "mnist-2d")
    page.wait_for_url("**/?model=mnist-2d")
    assert page.evaluate("history.length") == entries, "the same page with another model is no step to go back"
    page.get_by_role("link", name="Models").click()
    page.get_by_role("tab", name="Collection").wait_for()
    page.go_back()
    wait_for_map(page)
    expect(page.get_by_role("combobox", name="Model", exact=True)).to_contain_text("mnist-2d")
    page.get_by_role("link", name="Interpolate").click()
    page.wait_for_url("**/interpolate?model=mnist-2d")
    page.go_back()
    wait_for_map(page)
    expect(decoded(page)).to_be_visible()


def test_a_switch_of_model_keeps_pictures_and_says_what_changed(page: Page, server: str):
    open_page(page, server, "?model=mnist-16d")
    page.get_by_role("button", name="Try a real handwritten 5").click()
    expect(page.locator(".chip")).to_have_count(1)
    choose_model(page, "mnist-2d")
    expect(page.get_by_role("slider")).to_have_count(2)
    expect(page.locator(".chip")).to_have_count(1)
    expect(page.get_by_test_id("stAlert")).to_contain_text("mnist-2d")
    wait_for_map(page)
    choose_model(page, "mnist-16d")  # of more dimensions than the one before
    expect(page.locator(".sliders input[type=range]")).to_have_count(16)
    before = pixels(decoded(page))
    page.get_by_role("button", name="Random (prior)").click()
    wait_until_changed(page, decoded(page), before)


def test_the_page_asks_nothing_of_any_other_host(page: Page, server: str):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    open_page(page, server)
    page.get_by_role("button", name="Try a real handwritten 2").click()
    expect(page.locator(".chip")).to_have_count(1)
    for name in ("Reconstruct", "Interpolate", "Models"):
        page.get_by_role("link", name=name).click()
        page.wait_for_timeout(SETTLED_MS)
    host = server.removeprefix("http://")
    own = ("data:", "blob:", f"http://{host}/", f"ws://{host}/")
    assert [url for url in asked if not url.startswith(own)] == []
