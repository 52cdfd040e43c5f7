"""Interpolate in a real browser, with the shipped models: keyframes, playing, what is drawn, and pages beside it."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.interpolate import (
    FIRST,
    IN_STEP,
    KINDS,
    add,
    index,
    line,
    names,
    open_interpolate,
    pause,
    play,
    position,
    screen,
    thumbs,
    turn_to,
    wait_for_frames,
    wait_for_interpolate,
    wait_for_pictures,
)
from tests.browser.touch import Reruns, centre, choose_model, latent_map, map_point, pixels, until, wait_until_changed

LEG = 89  # frames from a keyframe to the next
SETTLED_MS = 1500


# -- playing ---------------------------------------------------------------------------------------------------------


def test_three_kinds_play_in_step_without_reruns_and_stop_on_pause(page: Page, server: str):
    reruns = Reruns(page)
    open_interpolate(page, server)
    page.wait_for_timeout(SETTLED_MS)
    before = reruns.count
    screens = [screen(page, kind).element_handle() for kind in KINDS]
    page.evaluate(IN_STEP, screens)
    page.wait_for_timeout(3000)
    kept = page.evaluate("window.kept")
    assert kept["frames"] > 10
    assert kept["torn"] <= 0.2 * kept["frames"], (
        "pictures of one path may be the same twice, those of all move together"
    )
    assert reruns.count == before
    pause(page)
    still = index(page)
    page.wait_for_timeout(300)
    assert index(page) == still


def test_without_loop_it_stops_at_the_last_keyframe_and_plays_from_the_first_again(page: Page, server: str):
    open_interpolate(page, server)
    page.get_by_label("Loop").uncheck()
    wait_for_frames(page, LEG + 1)
    expect(play(page)).to_be_visible(timeout=PATIENCE_MS)
    assert index(page) == LEG
    page.get_by_role("combobox", name="Speed").select_option("0.25")
    play(page).click()
    until(page, lambda: 0 < index(page) < LEG, "it plays from the beginning")
    pause(page)
    assert index(page) < LEG / 2


# How many frames a second playing goes on, also past the end of a loop, over half a second.
PACE = """(slider) => new Promise((resolve) => {
  const frames = Number(slider.max) + 1;
  let [way, before, start] = [0, Number(slider.value), null];
  const look = (now) => {
    start ??= now;
    way += (Number(slider.value) - before + frames) % frames;
    before = Number(slider.value);
    if (now - start < 500) requestAnimationFrame(look);
    else resolve((1000 * way) / (now - start));
  };
  requestAnimationFrame(look);
})"""


def test_speed_is_obeyed(page: Page, server: str):
    open_interpolate(page, server)
    pace = {}
    for speed in ("0.25", "4"):
        pause(page)
        page.get_by_role("combobox", name="Speed").select_option(speed)
        play(page).click()
        pace[speed] = position(page).evaluate(PACE)
    assert pace["4"] > 3 * pace["0.25"] > 0


def test_who_wants_less_motion_starts_playing_by_hand(browser: Browser, server: str):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    open_interpolate(page, server, "?model=mnist-2d")
    expect(play(page)).to_be_visible()
    assert index(page) == 0
    context.close()


# -- scrubbing -------------------------------------------------------------------------------------------------------


def test_scrubbing_shows_the_keyframes_pictures_at_their_frames(page: Page, server: str):
    open_interpolate(page, server)
    position(page).fill("5")
    expect(play(page)).to_be_visible()
    for frame, keyframe in (("0", 0), (str(LEG), 1)):
        position(page).fill(frame)
        expected = pixels(thumbs(page).nth(keyframe))
        assert [pixels(screen(page, kind)) for kind in KINDS] == [expected] * 3
        expect(page.locator(".keyframe-go").nth(keyframe)).to_have_attribute("aria-current", "step")
    position(page).fill(str(LEG // 2))
    assert len({pixels(screen(page, kind)) for kind in KINDS}) == 3, "between them each kind goes its own way"


def test_keys_go_from_frame_to_frame_and_from_keyframe_to_keyframe(page: Page, server: str):
    open_interpolate(page, server)
    position(page).fill("5")
    for key, expected in (
        ("ArrowRight", 6),
        ("ArrowLeft", 5),
        ("Home", 0),
        ("End", 2 * LEG - 1),
    ):
        page.keyboard.press(key)
        assert index(page) == expected
    page.evaluate("document.activeElement.blur()")
    for key, expected in (
        ("ArrowRight", 0),  # in a loop the first frame comes after the last
        ("ArrowLeft", 2 * LEG - 1),
        ("Shift+ArrowLeft", LEG),
        ("Shift+ArrowLeft", 0),
        ("Shift+ArrowRight", LEG),
    ):
        page.keyboard.press(key)
        assert index(page) == expected
    page.get_by_role("button", name="One frame back").click()
    page.get_by_role("button", name="One frame on").click()
    assert index(page) == LEG


def test_space_plays_and_pauses_also_on_the_slider_that_scrubs(page: Page, server: str):
    open_interpolate(page, server)
    position(page).click(position={"x": 20, "y": 10})
    expect(play(page)).to_be_visible()
    for button in ("Pause", "Play"):
        page.keyboard.press(" ")
        expect(page.get_by_role("button", name=button, exact=True)).to_be_visible()
    page.get_by_label("Loop").focus()
    page.keyboard.press(" ")
    expect(page.get_by_label("Loop")).not_to_be_checked()
    expect(play(page)).to_be_visible()


def test_what_plays_waits_while_the_grid_is_shown_and_goes_on_after_it(page: Page, server: str):
    open_interpolate(page, server)
    turn_to(page, "Grid")
    expect(position(page)).to_be_hidden()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    still = position(page).input_value()
    page.wait_for_timeout(300)
    assert position(page).input_value() == still
    turn_to(page, "Path")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    pause(page)
    turn_to(page, "Grid")
    turn_to(page, "Export")
    expect(play(page)).to_be_visible()


def test_a_press_on_a_curve_scrubs_and_the_playheads_follow(page: Page, server: str):
    open_interpolate(page, server)
    for share in (0.25, 0.75):
        chart = page.get_by_test_id("curve-norm")
        box = chart.bounding_box()
        page.mouse.click(box["x"] + share * box["width"], box["y"] + 10)
        expect(play(page)).to_be_visible()
        assert index(page) == pytest.approx(share * (2 * LEG - 1), abs=2)
        for curve in ("norm", "logDensity", "percentile"):
            chart = page.get_by_test_id(f"curve-{curve}")
            room, playhead = chart.bounding_box(), chart.locator(".playhead").bounding_box()
            assert playhead["x"] - room["x"] == pytest.approx(share * room["width"], abs=4)


def test_curves_have_a_line_for_each_kind_and_the_norm_that_is_expected(page: Page, server: str):
    open_interpolate(page, server)
    pause(page)
    for curve in ("norm", "logDensity", "percentile"):
        chart = page.get_by_test_id(f"curve-{curve}")
        kinds = chart.locator("polyline").evaluate_all("(lines) => lines.map((line) => line.dataset.kind)")
        assert kinds == list(KINDS)
        assert chart.locator(".at-keyframe").count() == 2
        assert re.search(
            "along the paths: linear .* to .*, spherical", chart.locator("svg").get_attribute("aria-label")
        )
    assert page.locator(".expected").count() == 1
    position(page).fill("0")
    values = page.locator(".values").first.locator("span").all_inner_texts()
    assert len(set(values)) == 1, "all kinds begin at the first keyframe"
    open_interpolate(page, server, "?model=mnist-2d-autoencoder")
    assert page.locator(".expected").count() == 0, "its codes have no prior"


# -- paths -----------------------------------------------------------------------------------------------------------


def test_each_kind_has_its_own_line_on_the_map_and_the_path_through_the_data_is_another(page: Page, server: str):
    open_interpolate(page, server, "?model=mnist-16d")
    pause(page)
    lines = {kind: line(page, kind) for kind in KINDS}
    for kind in KINDS:
        assert len(lines[kind]) == LEG + 1, "the way back of two keyframes is the way there"
        assert lines[kind][0] == pytest.approx(lines["linear"][0], abs=0.2)
        assert lines[kind][LEG] == pytest.approx(lines["linear"][LEG], abs=0.2)
    straight, through = lines["linear"], lines["data"]
    apart = max(((x - u) ** 2 + (y - v) ** 2) ** 0.5 for (x, y), (u, v) in zip(straight, through, strict=True))
    assert apart > 10
    position(page).fill(str(LEG // 2))
    markers = page.locator("[data-testid=latent-map] :is(.marker, .playing)")
    box = latent_map(page).bounding_box()
    for i, kind in enumerate(KINDS):
        assert markers.nth(i).get_attribute("data-kind") == kind
        spot = markers.nth(i).bounding_box()
        middle = [spot["x"] + spot["width"] / 2 - box["x"], spot["y"] + spot["height"] / 2 - box["y"]]
        assert middle == pytest.approx(lines[kind][LEG // 2], abs=2)
    add(page, "Random (prior)")
    wait_for_frames(page, 3 * LEG)
    for kind in KINDS:
        assert len(line(page, kind)) == 3 * LEG + 1, "closed, because it loops"


def test_kinds_are_switched_off_and_on_but_for_the_last(page: Page, server: str):
    open_interpolate(page, server)
    pause(page)
    group = page.get_by_role("group", name="Kinds of path")
    group.get_by_role("checkbox", name="Linear").uncheck()
    group.get_by_role("checkbox", name="Through the data").uncheck()
    expect(screen(page, "linear")).to_be_hidden()
    expect(page.locator('.trail polyline[data-kind="linear"]')).to_have_count(0)
    expect(page.locator('.chart polyline[data-kind="data"]')).to_have_count(0)
    expect(group.get_by_role("checkbox", name="Spherical")).to_be_disabled()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/ask/trace" in request.url else None)
    group.get_by_role("checkbox", name="Linear").check()
    expect(page.locator('.trail polyline[data-kind="linear"]')).to_have_count(1)
    page.wait_for_timeout(500)
    assert asked == [], "what was there is not asked for again"


def test_easing_and_frames_change_what_lies_between_keyframes_alone(page: Page, server: str):
    open_interpolate(page, server)
    pause(page)
    position(page).fill(str(LEG // 4))
    before = pixels(screen(page, "linear"))
    page.get_by_role("combobox", name="Easing").select_option("cubic")
    wait_until_changed(page, screen(page, "linear"), before)
    wait_for_pictures(page)
    position(page).fill(str(LEG))
    assert pixels(screen(page, "linear")) == pixels(thumbs(page).nth(1))
    page.get_by_label("Frames per leg").fill("11")
    page.keyboard.press("Enter")
    wait_for_frames(page, 20)
    assert index(page) == 10, "at the same keyframe"
    assert pixels(screen(page, "linear")) == pixels(thumbs(page).nth(1))


def test_frames_per_leg_are_lowered_where_all_of_them_would_be_too_many(page: Page, server: str):
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status == 400 else None)
    open_interpolate(page, server, "?model=mnist-2d")
    pause(page)
    frames = page.get_by_label("Frames per leg")
    add(page, *["Random (prior)"] * 62)
    expect(frames).to_have_value("63")
    wait_for_frames(page, 64 * 62)
    expect(page.get_by_text("at most 4,000 frames")).to_have_text(
        "Frames per leg are 63 now: an animation has at most 4,000 frames."
    )
    frames.fill("3")
    page.keyboard.press("Enter")
    wait_for_frames(page, 64 * 2)
    expect(page.get_by_text("at most 4,000 frames")).to_have_count(0)
    frames.fill("240")
    page.keyboard.press("Enter")
    expect(frames).to_have_value("63")
    page.get_by_label("Loop").uncheck()
    wait_for_frames(page, 63 * 62 + 1)
    frames.fill("64")
    page.keyboard.press("Enter")
    wait_for_frames(page, 63 * 63 + 1)
    page.get_by_label("Loop").check()
    expect(frames).to_have_value("63")
    assert refused == []


def test_the_page_says_how_the_path_through_the_data_is_found(page: Page, server: str):
    open_interpolate(page, server)
    page.get_by_text("How the path through the data is found").click()
    expect(page.get_by_text("each to its 10 nearest")).to_be_visible()
    expect(page.get_by_text("its length squared")).to_be_visible()


# -- keyframes -------------------------------------------------------------------------------------------------------


def test_keyframes_come_from_the_map_at_random_from_the_sliders_and_from_pictures(page: Page, server: str):
    page.goto(server)
    page.get_by_role("button", name="Try a real handwritten 8").click()
    expect(page.locator(".chip")).to_have_count(1)
    page.get_by_role("link", name="Interpolate").click()
    wait_for_interpolate(page)
    assert names(page) == FIRST
    add(page, "Random (prior)", "Random (data)", "Random (image)", "Sliders")
    page.get_by_role("group", name="Add keyframes").get_by_role("button", name="Add digit 8").click()
    expect(thumbs(page)).to_have_count(7)
    page.mouse.click(*map_point(page, 0.4, 0.9))
    expect(thumbs(page)).to_have_count(8)
    first, second, prior, data, image, *rest = names(page)
    assert [first, second, prior, data] == [*FIRST, "N(0, I) draw", "like the data"]
    assert re.fullmatch(r"\d · #\d+", image)
    assert rest == ["sliders", "digit 8", "on the map"]
    wait_for_frames(page, 8 * LEG)
    assert len({pixels(thumbs(page).nth(i)) for i in (0, 1, 2, 3, 4, 6)}) == 6
    assert pixels(thumbs(page).nth(5)) == pixels(thumbs(page).nth(6)), "the example was loaded into the sliders"
    assert page.locator(".pin").count() == 8


def test_keyframes_are_moved_and_removed_by_buttons_by_keys_and_by_dragging(page: Page, server: str):
    open_interpolate(page, server)
    pause(page)
    add(page, "Random (prior)", "Sliders")
    three, nine, prior, sliders = names(page)
    pictures = [pixels(thumbs(page).nth(i)) for i in range(2)]
    focused = "() => document.activeElement.shadowRoot?.activeElement?.ariaLabel"

    page.get_by_role("button", name="Move keyframe 1 later").click()
    assert names(page) == [nine, three, prior, sliders]
    assert [pixels(thumbs(page).nth(i)) for i in range(2)] == pictures[::-1]
    assert page.evaluate(focused) == "Move keyframe 2 later"
    page.get_by_role("button", name="Move keyframe 4 earlier").click()
    assert names(page) == [nine, three, sliders, prior]

    page.get_by_role("button", name="Keyframe 1:").focus()
    page.keyboard.press("Shift+ArrowRight")
    assert names(page) == [three, nine, sliders, prior]
    assert page.evaluate(focused) == f"Keyframe 2: {nine}"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    assert names(page) == [three, nine, prior]

    cards = page.locator(".keyframe")
    cards.nth(2).drag_to(cards.nth(0), target_position={"x": 5, "y": 30})
    assert names(page) == [prior, three, nine]
    page.get_by_role("button", name="Reverse").click()
    assert names(page) == [nine, three, prior]
    page.get_by_role("button", name="Remove keyframe 3").click()
    assert names(page) == [nine, three]
    expect(page.get_by_role("button", name="Remove keyframe 1")).to_be_disabled()
    wait_for_frames(page, 2 * LEG)
    page.get_by_role("button", name=f"Keyframe 2: {three}").press("Enter")
    assert index(page) == LEG
    assert pixels(screen(page, "data")) == pictures[0]


def test_keyframes_and_settings_survive_leaving_the_page_and_a_switch_of_model_and_back(page: Page, server: str):
    open_interpolate(page, server)
    add(page, "Random (prior)", "Random (image)")
    mine = names(page)
    page.get_by_label("Loop").uncheck()
    page.get_by_role("link", name="Explore").click()  # at once: nothing may be lost
    page.get_by_text("Explore the latent space").wait_for()
    page.get_by_role("link", name="Interpolate").click()
    wait_for_interpolate(page)
    assert names(page) == mine
    assert not page.get_by_label("Loop").is_checked()
    choose_model(page, "mnist-2d")
    expect(thumbs(page)).to_have_count(2)
    wait_for_frames(page, LEG + 1)
    choose_model(page, "mnist-16d")
    expect(thumbs(page)).to_have_count(4)
    assert names(page) == mine
    wait_for_frames(page, 3 * LEG + 1)


def test_an_added_picture_becomes_a_keyframe_that_goes_with_it(page: Page, server: str, tmp_path):
    from PIL import Image

    path = tmp_path / "mine.png"
    Image.linear_gradient("L").resize((28, 28)).save(path)
    open_interpolate(page, server)
    page.get_by_label("Add pictures", exact=True).last.set_input_files(path)
    expect(thumbs(page)).to_have_count(3)
    assert names(page) == [*FIRST, "mine.png"]
    expect(latent_map(page).locator(".star")).to_have_count(1)
    wait_for_frames(page, 3 * LEG)
    page.get_by_role("button", name="Remove mine.png").focus()
    page.keyboard.press("Enter")
    expect(thumbs(page)).to_have_count(2)
    assert names(page) == FIRST
    wait_for_frames(page, 2 * LEG)


def test_a_picture_goes_from_reconstruct_to_explore_and_interpolate(page: Page, server: str):
    page.goto(f"{server}/reconstruct")
    page.get_by_role("button", name="3", exact=True).click()
    expect(latent_map(page).locator(".star")).to_have_count(1)
    page.get_by_role("button", name="Interpolate", exact=True).click()
    wait_for_interpolate(page)
    assert names(page) == ["digit 3", FIRST[1]]
    page.get_by_role("link", name="Reconstruct").click()
    page.get_by_role("button", name="Explore", exact=True).click()
    page.get_by_text("Explore the latent space").wait_for()
    expect(page.locator(".strip figcaption")).to_have_count(3)


def test_a_star_hides_no_keyframes_number_and_can_be_clicked(page: Page, server: str, tmp_path):
    from PIL import Image

    path = tmp_path / "mine.png"
    Image.linear_gradient("L").resize((28, 28)).save(path)
    open_interpolate(page, server, "?model=mnist-2d")
    page.get_by_label("Add pictures", exact=True).last.set_input_files(path)
    expect(thumbs(page)).to_have_count(3)
    pin, star = page.locator('.pin[data-starred="true"]'), latent_map(page).locator(".star")
    expect(pin).to_have_text("3")
    (x, y), (u, v) = centre(pin), centre(star)
    assert 8 < ((x - u) ** 2 + (y - v) ** 2) ** 0.5 < 24, "beside the star"
    follows = "(pin, star) => Boolean(star.compareDocumentPosition(pin) & Node.DOCUMENT_POSITION_FOLLOWING)"
    assert pin.evaluate(follows, star.element_handle()), "over other stars"
    star.click()
    expect(thumbs(page)).to_have_count(4)
    expect(page.locator('.pin[data-starred="true"]')).to_have_count(2)


def test_what_stays_of_a_path_is_not_decoded_again(page: Page, server: str):
    sent: list[int] = []

    def listen(socket: object) -> None:
        if "/socket" in socket.url:
            socket.on("framesent", lambda data: sent.append(len(data)) if isinstance(data, bytes) else None)

    page.on("websocket", listen)
    open_interpolate(page, server)
    sent.clear()
    add(page, "Random (prior)")
    wait_for_frames(page, 3 * LEG)
    codes = sum((size - 8) / (4 * 16) for size in sent if size > 8 + 4 * 16 * 3)
    assert codes < 3 * 2 * LEG + 50, "two legs of three are new"
