"""Links: what they restore, and what is told of those that are damaged, stale, too long or of another model."""

import base64
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from app.session.choices import current_code, current_view
from app.session.desk import current_desk
from app.session.interpolate import Animation, current_animation, current_keyframes, studio_data, take_studio
from app.session.links import Link, StudioLink, follow_link, read_link
from app.session.state import Session
from app.wire.numbers import to_page
from tests.contracts import contract
from vae_core.errors import InputError
from vae_core.inference.engine import Engine, engine
from vae_core.store.opening import StoredModel

STALE = "This is mnist-2d as it starts: the link was made with another model, or before mnist-2d was trained anew."
MISFIT = "This is mnist-2d as it starts: the link's view does not fit mnist-2d"


@pytest.fixture(scope="module")
def loaded() -> StoredModel:
    return engine().load("mnist-2d")


LINKS = contract("links")  # as the page writes them (app/live/assets/host/link.js)


def text_of(view: object) -> str:
    """The text of a link that holds this."""
    return base64.urlsafe_b64encode(json.dumps(view).encode()).decode().rstrip("=")


def followed(loaded: StoredModel, text: str) -> Session:
    memory = Session(link=text)
    follow_link(memory, loaded)
    return memory


# -- Explore -------------------------------------------------------------------------------------------------------

WRITTEN = LINKS["explore"][0]["content"]  # of a model that there is not
VIEW: dict[str, Any] = {name: value for name, value in WRITTEN.items() if name not in ("digest", "reference")}


@pytest.mark.parametrize("case", LINKS["explore"], ids=lambda case: case["case"])
def test_what_the_page_wrote_is_read(case: dict[str, Any]) -> None:
    link = read_link(case["text"])
    assert isinstance(link, Link)
    content = {"selection": [], "reference": "", **case["content"]}
    assert json.loads(json.dumps(asdict(link))) == content


def test_a_link_restores_view_code_and_selection(loaded: StoredModel) -> None:
    for view in (VIEW, VIEW | {"digest": loaded.digest}):
        memory = followed(loaded, text_of(view))
        assert memory.notices == []
        assert current_code(memory, loaded).tolist() == [0.25, -1.5]
        view = current_view(memory, loaded)
        assert (view.projection, view.x, view.y, view.colour) == ("axes", 1, 0, "kl")
        assert current_desk(memory, loaded).selection == (4, 5)
        assert memory.revision == 1, "the page takes the code over"


def test_a_link_is_followed_once(loaded: StoredModel) -> None:
    memory = followed(loaded, text_of(VIEW))
    memory.load_code(loaded.name, np.array([1.0, 1.0]))
    follow_link(memory, loaded)
    assert current_code(memory, loaded).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"z": [0.25]},
        {"z": [1e300, 0.0]},
        {"projection": "umap"},  # a plane has none
        {"x": 2},
        {"colour": "7"},
        {"selection": [10_000]},
    ],
    ids=str,
)
def test_a_link_that_does_not_fit_leaves_a_sentence_and_the_default_view(loaded: StoredModel, wrong: dict) -> None:
    memory = followed(loaded, text_of(VIEW | wrong))
    [notice] = memory.notices
    assert notice.startswith(MISFIT)
    assert (memory.codes, memory.desks, memory.views) == ({}, {}, {})


# -- Interpolate ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", LINKS["interpolate"], ids=lambda case: case["case"])
def test_keyframes_that_the_page_wrote_are_read(case: dict[str, Any]) -> None:
    link = read_link(case["text"])
    assert isinstance(link, StudioLink)
    content = case["content"]
    assert (link.digest, link.projection, link.x, link.y, link.colour) == tuple(
        content[name] for name in ("digest", "projection", "x", "y", "colour")
    )
    animation = to_page(TypeAdapter(Animation), link.animation)
    assert {name: animation[name] for name in content["animation"]} == content["animation"]
    keyframes = link.keyframes(2)
    assert keyframes is not None
    assert [each.name for each in keyframes] == [each["name"] for each in case["keyframes"]]
    for each, told in zip(keyframes, case["keyframes"], strict=True):
        assert each.code == pytest.approx(told["code"], abs=link.step / 2, rel=1e-6)


def packed(values: list[list[float]], step: float = 0.001) -> str:
    """Codes in whole steps of two bytes."""
    return base64.b64encode((np.array(values) / step).round().astype("<i2").tobytes()).decode()


PLAYED = LINKS["interpolate"][0]["content"]["animation"]


@pytest.fixture
def studio_view(loaded: StoredModel) -> dict[str, Any]:
    """What a link of Interpolate holds."""
    return {**LINKS["interpolate"][0]["content"], "digest": loaded.digest}


def test_a_link_restores_keyframes_and_how_they_are_played(loaded: StoredModel, studio_view: dict) -> None:
    memory = followed(loaded, text_of(studio_view))
    assert memory.notices == []
    keyframes = current_keyframes(memory, loaded)
    assert [each.name for each in keyframes] == ["my 手.png", "zero", "zero"]
    np.testing.assert_allclose([each.code for each in keyframes], [[1.234, -5.678], [0, 0], [0, 0]], atol=1e-6)
    animation = current_animation(memory)
    assert (animation.kinds, animation.easing, animation.frames_per_leg) == (("data", "linear"), "cubic", 30)
    assert (animation.loop, animation.speed, animation.tab) == (False, 2, "grid")
    assert animation.export == Animation().export, "how files are made is each person's own"
    assert current_view(memory, loaded).projection == "axes"


def test_what_a_link_restores_the_page_may_report(loaded: StoredModel, studio_view: dict) -> None:
    memory = followed(loaded, text_of(studio_view))
    reported = json.loads(json.dumps(studio_data(memory, loaded)))
    reported["animation"]["loop"] = True
    take_studio(memory, loaded, reported)
    assert current_animation(memory).loop
    assert len(memory.keyframes["mnist-2d"]) == 3


def test_large_codes_have_larger_steps(loaded: StoredModel, studio_view: dict) -> None:
    largest = float(np.finfo(np.float32).max)
    step = largest / 32_767
    change = {"names": ["far", "near"], "step": step, "codes": packed([[largest, -largest], [0, 0]], step)}
    memory = followed(loaded, text_of(studio_view | change))
    assert memory.notices == []
    assert current_keyframes(memory, loaded)[0].code == pytest.approx((largest, -largest))


def test_a_link_without_keyframes_restores_the_rest(loaded: StoredModel, studio_view: dict) -> None:
    memory = followed(loaded, text_of(studio_view | {"names": [], "codes": ""}))
    assert memory.notices == []
    assert [each.source for each in current_keyframes(memory, loaded)] == ["typical"] * 2
    assert current_animation(memory).easing == "cubic"


@pytest.mark.parametrize(
    "wrong",
    [
        {"names": ["one"], "codes": packed([[1, 2]])},
        {"names": ["one", "two"]},  # of three codes
        {"codes": packed([[1, 2, 3], [4, 5, 6], [7, 8, 9]])},
        {"codes": "AAAA"},
        {"step": 1e300},
        {"projection": "umap"},
        {"colour": "7"},
    ],
    ids=str,
)
def test_keyframes_that_do_not_fit_leave_a_sentence(loaded: StoredModel, studio_view: dict, wrong: dict) -> None:
    memory = followed(loaded, text_of(studio_view | wrong))
    [notice] = memory.notices
    assert notice.startswith(MISFIT)
    assert (memory.keyframes, memory.animation, memory.views) == ({}, None, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"names": ["zero"] * 65},
        {"names": ["x" * 41, "", "zero"]},
        {"names": "abc"},
        {"step": 0},
        {"step": "1"},
        {"codes": "%%"},
        {"codes": [1, 2]},
        {"animation": {**PLAYED, "kinds": ["scenic"]}},
        {"animation": {**PLAYED, "speed": 100}},
        {"animation": {**PLAYED, "more": 1}},
        {"animation": None},
        {"z": [0.0, 0.0]},
    ],
    ids=str,
)
def test_what_no_page_writes_is_damaged(loaded: StoredModel, studio_view: dict, wrong: dict) -> None:
    memory = followed(loaded, text_of(studio_view | wrong))
    [notice] = memory.notices
    assert "the link is damaged or from another version" in notice
    assert (memory.keyframes, memory.animation, memory.views) == ({}, None, {})


# -- both ----------------------------------------------------------------------------------------------------------


def test_a_link_of_another_model_or_training_is_stale(loaded: StoredModel, studio_view: dict) -> None:
    for view in (VIEW, studio_view):
        memory = followed(loaded, text_of(view | {"digest": "0123456789abcdef" * 2}))
        assert memory.notices == [STALE]
        assert (memory.codes, memory.keyframes, memory.animation, memory.views) == ({}, {}, None, {})


def test_a_link_of_a_version_that_knew_models_by_file_times_says_so(loaded: StoredModel, studio_view: dict) -> None:
    for view in (VIEW, studio_view):
        [notice] = followed(loaded, text_of(view | {"digest": "0123456789ab"})).notices
        assert "knew a model by where and when its files were written; ask for a new one" in notice


def test_a_link_opens_in_another_clone(loaded: StoredModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = text_of(VIEW | {"digest": loaded.digest, "reference": loaded.reference_digest})
    shutil.copytree(loaded.folder, tmp_path / "clone" / "mnist-2d")  # with times of its own
    monkeypatch.setenv("VAE_MODELS_DIR", str(tmp_path / "clone"))
    elsewhere = Engine().load("mnist-2d")
    assert elsewhere.folder == tmp_path / "clone" / "mnist-2d"
    memory = followed(elsewhere, text)
    assert memory.notices == []
    assert current_code(memory, elsewhere).tolist() == VIEW["z"]
    assert current_desk(memory, elsewhere).selection == (4, 5)


def test_of_a_model_that_was_evaluated_anew_a_link_restores_all_but_the_selection(loaded: StoredModel) -> None:
    memory = followed(loaded, text_of(VIEW | {"digest": loaded.digest, "reference": "0123456789abcdef" * 2}))
    assert memory.notices == ["The link's selection is left out: it is of another reference set of mnist-2d."]
    assert current_code(memory, loaded).tolist() == VIEW["z"]
    assert current_view(memory, loaded).colour == "kl"
    assert current_desk(memory, loaded).selection == ()


@pytest.mark.parametrize("text", ["", "%%%", "YWJj", text_of([]), text_of(VIEW | {"more": 1}), text_of({}), "é"])
def test_a_damaged_link_is_told_from_others(loaded: StoredModel, text: str) -> None:
    with pytest.raises(InputError, match="the link is damaged or from another version; ask for a new one"):
        read_link(text)
    assert len(followed(loaded, text).notices) == 1


def test_a_link_has_a_longest_length() -> None:
    with pytest.raises(InputError, match="at most 8,000 letters, got 8,001"):
        read_link("a" * 8001)
