"""Reconstruct: what becomes of uploads, what a card says, and where its buttons lead."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from html import unescape
from io import BytesIO

import pytest
from PIL import Image
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser
from streamlit.testing.v1 import AppTest

from app.session.state import Keyframe, Picture, Session
from app.widgets.comparison import SIDE, thumbnail
from app.widgets.uploader import uploader
from tests.app.conftest import Store, keep_picture
from tests.app.pages import memory_of, notices, open_page, pick, report, sent
from vae_core.images.files import open_picture
from vae_core.images.preparation import prepare_picture
from vae_core.images.preparation_options import Preparation
from vae_core.inference.engine import engine
from vae_core.models.config import TrainingConfig
from vae_core.reconstruction.analysis import analyse
from vae_core.store.opening import StoredModel

BAD = ("notes.png", b"these are notes", "image/png")

Png = Callable[[int], bytes]


@pytest.fixture
def page(tiny: StoredModel) -> AppTest:
    """The page, opened by somebody new."""
    return open_page("reconstruct", model="tiny")


@pytest.fixture
def digits_page(store: Store) -> AppTest:
    """The same with a model of digits, for which there are examples."""
    store("digits", training=TrainingConfig("mnist"))
    return open_page("reconstruct", model="digits")


def upload(page: AppTest, *files: tuple[str, bytes, str]) -> None:
    page.file_uploader[0].set_value(files).run()
    assert not page.exception


def upload_noise(page: AppTest, png: Png, count: int) -> list[Picture]:
    upload(page, *[(f"{seed}.png", png(seed), "image/png") for seed in range(count)])
    return memory_of(page).pictures


def blocks(page: AppTest, name: str) -> list[str]:
    """The HTML blocks of a class, as sent."""
    bodies = [element.proto.body for element in page.get("html")]
    return [body for body in bodies if body.startswith(f'<div class="{name}"')]


def cards(page: AppTest) -> list[str]:
    """The names on the cards, from the top."""
    return [unescape(re.sub("<.*?>", "", block)) for block in blocks(page, "vae-card-name")]


def figures(page: AppTest) -> list[list[str]]:
    """The figures on the first card."""
    return [re.sub("<.*?>", " ", figure).split() for figure in re.findall("<dt>.*?</dd>", comparisons(page)[0])]


def comparisons(page: AppTest) -> list[str]:
    return blocks(page, "vae-comparison")


def click(page: AppTest, label: str, index: int = 0) -> None:
    [button for button in page.button if button.label == label][index].click().run()
    assert not page.exception


def pick_star(page: AppTest, picture_id: object) -> None:
    """Run the page as after a click on a star."""
    report(page, "picked", picture_id)
    assert not page.exception


# -- uploads -------------------------------------------------------------------------------------------------------


def test_the_page_says_where_uploads_stay(page: AppTest):
    assert "Uploads stay in this session's memory and are never written to disk." in [
        text.value for text in page.caption
    ]


def test_a_good_picture_gets_a_card_and_a_bad_one_a_sentence_at_once(page: AppTest, png: Png):
    upload(page, ("good.png", png(1), "image/png"), BAD)
    assert cards(page) == ["good.png"]
    assert [picture.name for picture in memory_of(page).pictures] == ["good.png"]
    [warning] = page.warning
    assert warning.value.startswith("notes.png must be a PNG, JPEG")
    page.run()
    assert not page.warning


def test_only_bad_files_leave_everything_as_it_was(page: AppTest, png: Png):
    [picture] = upload_noise(page, png, 1)
    upload(page, BAD, ("empty.png", b"", "image/png"))
    [box] = page.warning
    assert len(box.value.split("\n\n")) == 2
    assert (memory_of(page).pictures, memory_of(page).chosen) == ([picture], picture.id)


def test_an_upload_is_taken_over_once(page: AppTest, png: Png):
    upload_noise(page, png, 2)
    for _ in range(3):
        page.run()
    assert cards(page) == ["1.png", "0.png"], "the newest comes first"
    upload(page, ("2.png", png(2), "image/png"))
    assert cards(page) == ["2.png", "1.png", "0.png"]


def test_pictures_outlive_a_visit_to_another_page(page: AppTest, png: Png):
    upload_noise(page, png, 2)
    page.switch_page("views/explore.py").run()
    page.switch_page("views/reconstruct.py").run()
    assert cards(page) == ["1.png", "0.png"]


def test_a_name_is_text_and_never_markup(page: AppTest, png: Png):
    name = '<img src=x onerror="alert(1)"> *a*.png'
    upload(page, (name, png(1), "image/png"))
    assert cards(page) == [name]
    assert "<img src=x" not in "".join(blocks(page, "vae-card-name") + comparisons(page))


def test_nothing_is_moved_to_disk_while_an_upload_is_received(monkeypatch: pytest.MonkeyPatch):
    assert uploader.__module__ == "app.widgets.uploader", "whose import is what keeps large files in memory"
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", lambda _: pytest.fail("moved to disk"))
    content = bytes(15 * 2**20)

    async def body() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.png"\r\n\r\n'
        yield content
        yield b"\r\n--b--\r\n"

    async def receive() -> bytes:
        headers = Headers({"content-type": "multipart/form-data; boundary=b"})
        form = await MultiPartParser(headers, body()).parse()
        received = await form["f"].read()
        await form.close()
        return received

    assert asyncio.run(receive()) == content


# -- examples and removing -------------------------------------------------------------------------------------------


def test_a_first_visit_offers_examples_and_one_click_adds_one(digits_page: AppTest):
    example = next(button for button in digits_page.button if button.key == "example_0")
    example.click().run()
    assert not digits_page.exception
    [name] = cards(digits_page)
    assert name.startswith("digit ")
    assert any(button.key == "example_0" for button in digits_page.button), "they stay within reach"


def test_a_picture_is_removed_with_its_card(page: AppTest, png: Png):
    upload_noise(page, png, 3)
    click(page, "Remove", 1)
    assert cards(page) == ["2.png", "0.png"]
    assert [picture.name for picture in memory_of(page).pictures] == ["0.png", "2.png"]


def test_all_pictures_are_removed_and_the_examples_come_back(digits_page: AppTest, png: Png):
    upload_noise(digits_page, png, 2)
    click(digits_page, "Remove all")
    memory = memory_of(digits_page)
    assert (cards(digits_page), memory.pictures, memory.thumbnails) == ([], [], {})
    assert any(button.key == "example_0" for button in digits_page.button)


# -- what a card says ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variational", [True, False])
def test_the_figures_are_the_engines(store: Store, png: Png, variational: bool):
    loaded = store("other", variational=variational)
    memory = Session(model="other")
    keep_picture(memory, "1.png", png(1))
    page = open_page("reconstruct", memory=memory)
    seen = prepare_picture(open_picture(png(1)), shape=loaded.spec.image_shape, preparation=loaded.spec.preparation)
    [analysis] = analyse(engine(), loaded, [seen])
    expected = {"ELBO": analysis.elbo, "Reconstruction": analysis.reconstruction_nats, "KL": analysis.kl_nats}
    lines = [[name, f"{value:.1f}".replace("-", "−"), "nats"] for name, value in expected.items()]
    assert figures(page) == (lines if variational else lines[1:2])
    rank = loaded.need_reference().percentile("reconstruction", analysis.reconstruction_nats)
    assert f"worse than {rank:.0f}% of held-out images" in comparisons(page)[0]
    captions = " ".join(caption.value for caption in page.caption)
    assert ("64 samples" in captions, "no KL and no ELBO" in captions) == (variational, not variational)


def test_a_card_shows_four_pictures_with_captions_and_texts(page: AppTest, png: Png):
    upload(page, ("mine.png", png(1), "image/png"))
    [block] = comparisons(page)
    names = ["upload", "what the model sees", "reconstruction", "error"]
    assert re.findall("<figcaption>(.*?)</figcaption>", block) == names
    assert re.findall('alt="(.*?)"', block) == [f"mine.png: {name}" for name in names]


def test_the_posterior_is_drawn_when_it_is_opened(page: AppTest, png: Png):
    [picture] = upload_noise(page, png, 1)
    assert not page.get("plotly_chart")
    page.session_state[f"posterior_{picture.id}"] = True
    page.run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 1


def test_a_thumbnail_is_upright_and_fits():
    tall = Image.new("RGB", (40, 1000))
    upside = Image.Exif()
    upside[0x0112] = 6  # to be turned by a quarter
    file = BytesIO()
    tall.save(file, "JPEG", exif=upside)
    shown = Image.open(BytesIO(thumbnail(Picture("1", "tall.jpg", file.getvalue()))))
    assert shown.size == (SIDE, round(SIDE * 40 / 1000))


def test_a_small_pictures_thumbnail_has_its_pixels_as_squares():
    small = Image.new("L", (2, 1))
    small.putpixel((1, 0), 255)
    file = BytesIO()
    small.save(file, "PNG")
    shown = Image.open(BytesIO(thumbnail(Picture("1", "small.png", file.getvalue())))).convert("L")
    assert shown.size == (SIDE, SIDE // 2)
    assert shown.getpixel((SIDE // 2 - 8, 9)) < 8
    assert shown.getpixel((SIDE // 2 + 8, 9)) > 247


# -- many pictures ---------------------------------------------------------------------------------------------------


def test_many_pictures_are_paged_and_a_star_turns_to_its_card(page: AppTest, png: Png):
    pictures = upload_noise(page, png, 14)
    assert cards(page) == ["13.png", "12.png", "11.png", "10.png", "9.png", "8.png"]
    assert len(sent(page)["pictures"]) == 14, "all are stars"
    pick_star(page, pictures[0].id)
    assert cards(page) == ["1.png", "0.png"]
    page.pagination[0].select(2).run()
    assert cards(page)[0] == "7.png"
    pick_star(page, pictures[0].id)
    assert cards(page) == ["1.png", "0.png"], "also when it was chosen before"
    click(page, "Remove", 1)
    click(page, "Remove", 0)
    assert cards(page)[0] == "13.png", "a page that is gone gives way to the list's first"


@pytest.mark.parametrize("odd", [None, "unknown", 1, [], {}])
def test_an_odd_star_changes_nothing(page: AppTest, png: Png, odd: object):
    [picture] = upload_noise(page, png, 1)
    pick_star(page, odd)
    assert memory_of(page).chosen == picture.id


def test_a_star_leaves_the_sliders(page: AppTest, png: Png):
    first, _ = upload_noise(page, png, 2)
    before = memory_of(page).codes["tiny"].tolist()
    pick_star(page, first.id)
    assert memory_of(page).chosen == first.id
    assert memory_of(page).codes["tiny"].tolist() == before


# -- preparation -----------------------------------------------------------------------------------------------------


def test_a_switch_changes_what_the_model_sees_and_back(page: AppTest, png: Png):
    upload_noise(page, png, 1)
    before = comparisons(page)
    page.segmented_control(key="prepare_tiny_invert").set_value("always").run()
    assert not page.exception
    assert memory_of(page).preparations == {"tiny": Preparation(invert="always")}
    assert comparisons(page) != before
    page.segmented_control(key="prepare_tiny_invert").set_value("never").run()
    assert comparisons(page) == before


def test_a_preparation_counts_for_its_model_and_outlives_a_visit_to_another_page(page: AppTest, store: Store, png: Png):
    upload_noise(page, png, 1)
    page.toggle(key="prepare_tiny_centre").set_value(True).run()
    centred = comparisons(page)
    page.switch_page("views/explore.py").run()
    page.switch_page("views/reconstruct.py").run()
    assert page.toggle(key="prepare_tiny_centre").value is True
    assert comparisons(page) == centred
    store("other")
    page.run()
    pick(page, "other")
    assert page.toggle(key="prepare_other_centre").value is False


# -- where the buttons lead ------------------------------------------------------------------------------------------


def test_explore_shows_the_picture_with_its_mean_in_the_sliders(page: AppTest, png: Png):
    first, _ = upload_noise(page, png, 2)
    click(page, "Explore", 1)
    assert [title.value for title in page.title] == ["Explore the latent space"]
    assert sent(page)["chosen"] == first.id
    assert sent(page)["z"] == sent(page)["pictures"][0]["mean"]


def test_explore_loads_no_locked_dimension(page: AppTest, png: Png):
    page.switch_page("views/explore.py").run()
    report(page, "z", [0.5, -0.5, 1.5])
    report(page, "desk", {**sent(page)["desk"], "locked": [1]})
    page.switch_page("views/reconstruct.py").run()
    upload_noise(page, png, 2)
    click(page, "Explore", 1)
    [mean, _] = [picture["mean"] for picture in sent(page)["pictures"]]
    assert sent(page)["z"] == [mean[0], -0.5, mean[2]]


def test_pictures_become_keyframes_first_in_place_of_those_that_a_model_begins_with(page: AppTest, png: Png):
    first, second, third = upload_noise(page, png, 3)
    for picture, expected in (
        (first, [first.id, None]),
        (second, [first.id, second.id]),
        (first, [first.id, second.id]),  # it is one already
        (third, [first.id, second.id, third.id]),
    ):
        next(button for button in page.button if button.key == f"Interpolate_{picture.id}").click().run()
        assert not page.exception
        assert [title.value for title in page.title] == ["Interpolate between keyframes"]
        assert [keyframe.picture for keyframe in memory_of(page).keyframes["tiny"]] == expected
        assert [keyframe["picture"] for keyframe in sent(page)["studio"]["keyframes"]] == expected
        page.switch_page("views/reconstruct.py").run()


def test_a_picture_too_many_is_a_notice(page: AppTest, png: Png):
    [picture] = upload_noise(page, png, 1)
    full = tuple(Keyframe(f"{number}", "prior", (0.0, 0.0, 0.0)) for number in range(64))
    memory_of(page).keyframes["tiny"] = full
    next(button for button in page.button if button.key == f"Interpolate_{picture.id}").click().run()
    assert not page.exception
    assert memory_of(page).keyframes["tiny"] == full
    [notice] = notices(page)
    assert "at most 64 keyframes" in notice
