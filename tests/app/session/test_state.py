"""One visit's memory, and how it meets Streamlit."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.session import state
from app.session.state import Keyframe, Session, new_picture
from tests.app.conftest import keep_picture
from vae_core.images.preparation_options import Preparation


def test_a_new_picture_is_kept_last(memory: Session):
    first, second = new_picture("a.png", b"1"), new_picture("a.png", b"1")
    memory.keep_picture(first)
    memory.keep_picture(second)
    assert memory.pictures == [first, second]
    assert (second.name, second.content) == ("a.png", b"1")


def test_ids_are_unique_and_say_nothing_of_the_content():
    ids = {new_picture("a.png", b"1").id for _ in range(100)}
    assert len(ids) == 100
    assert all(len(each) == 16 for each in ids)


def test_a_pictures_bytes_stay_out_of_its_text():
    assert "secret" not in repr(new_picture("a.png", b"secret"))


def test_a_removed_picture_takes_all_that_was_made_of_it_along(memory: Session):
    kept, gone = keep_picture(memory, "kept", b"1"), keep_picture(memory, "gone", b"2")
    memory.examined = {("digest", kept.id): "kept", ("digest", gone.id): "gone", ("other", gone.id): "gone"}
    memory.thumbnails = {kept.id: b"kept", gone.id: b"gone"}
    code = Keyframe("a code", "prior", (0.0, 0.0, 0.0))
    ours, theirs = (Keyframe(each.name, "picture", picture=each.id) for each in (kept, gone))
    memory.keyframes = {"tiny": (theirs, code, theirs), "other": (ours, theirs)}

    memory.remove_picture(gone.id)

    assert memory.pictures == [kept]
    assert memory.examined == {("digest", kept.id): "kept"}
    assert memory.thumbnails == {kept.id: b"kept"}
    assert memory.keyframes == {"tiny": (code,), "other": (ours,)}
    assert memory.chosen is None


def test_removing_another_picture_leaves_the_chosen_one(memory: Session):
    first, second = keep_picture(memory, "a", b"1"), keep_picture(memory, "b", b"2")
    memory.remove_picture(first.id)
    assert memory.chosen == second.id


@pytest.mark.parametrize("unknown", ["", "nobody", "../x"])
def test_removing_an_unknown_picture_changes_nothing(memory: Session, unknown: str):
    picture = keep_picture(memory, "a", b"1")
    memory.remove_picture(unknown)
    assert memory.pictures == [picture]
    assert memory.chosen == picture.id


def test_turning_to_a_picture_leaves_the_sliders(memory: Session):
    keep_picture(memory, "a", b"1")
    revision = memory.revision
    memory.show_picture("x")
    assert (memory.chosen, memory.page_key, memory.revision, memory.codes) == ("x", 1, revision, {})


def test_another_preparation_forgets_what_was_made_of_pictures(memory: Session):
    memory.examined = {("digest", "x"): "old"}
    memory.prepare_as("tiny", Preparation(invert="always"))
    assert memory.preparations == {"tiny": Preparation(invert="always")}
    assert memory.examined == {}


def test_a_code_from_python_raises_the_revision(memory: Session):
    memory.load_code("tiny", np.array([1, 2, 3], np.float64))
    memory.load_code("other", np.array([4.0]))
    assert memory.revision == 2
    assert memory.codes["tiny"].dtype == np.float32
    assert memory.codes["tiny"].tolist() == [1, 2, 3]
    assert memory.codes["other"].tolist() == [4]


def test_of_a_model_that_was_trained_anew_nothing_is_kept(memory: Session):
    assert memory.forget_if_retrained("tiny", "a", "r") is None
    memory.codes["tiny"], memory.views["tiny"] = np.zeros(3, np.float32), state.View("pca")
    memory.desks["tiny"], memory.keyframes["tiny"], memory.codes["other"] = "a desk", (), np.ones(2, np.float32)
    assert memory.forget_if_retrained("tiny", "a", "r") is None
    assert memory.forget_if_retrained("tiny", "b", "r") == "weights"
    assert (memory.views, memory.desks, memory.keyframes, [*memory.codes]) == ({}, {}, {}, ["other"])
    assert memory.revision == 1
    assert memory.forget_if_retrained("tiny", "b", "r") is None


def test_of_a_model_that_was_evaluated_anew_all_is_kept(memory: Session):
    memory.forget_if_retrained("tiny", "a", "r")
    memory.codes["tiny"] = np.zeros(3, np.float32)
    assert memory.forget_if_retrained("tiny", "a", "s") == "reference"
    assert [*memory.codes] == ["tiny"]
    assert memory.forget_if_retrained("tiny", "a", "s") is None


def test_notices_go_once_they_can_have_been_read(memory: Session, monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    monkeypatch.setattr(state, "READING_SECONDS", 6.0)
    monkeypatch.setattr(state.time, "monotonic", lambda: now)
    memory.notices += ["one", "two"]
    assert memory.take_notices() == ["one", "two"]
    now = 103.0  # the page runs again
    memory.notices += ["three", "one"]
    assert memory.take_notices() == ["one", "two", "three"]
    now = 107.0
    assert memory.take_notices() == ["one", "three"], "what is said again stays longer"
    now = 110.0
    assert memory.take_notices() == []


def test_two_visits_share_nothing():
    one, other = Session(), Session()
    keep_picture(one, "a", b"1")
    one.codes["tiny"] = np.zeros(3, np.float32)
    one.notices.append("x")
    assert (other.pictures, other.codes, other.notices, other.examined) == ([], {}, [], {})


# -- Streamlit -----------------------------------------------------------------------------------------------------


def count_visits() -> None:
    """A page that uses the memory."""
    import streamlit as st

    from app.session.state import session

    memory = session()
    memory.notices.append("visited")
    st.text(f"{memory.model} {len(memory.notices)}")


def test_the_memory_lasts_from_run_to_run_and_starts_with_the_addresss_model():
    page = AppTest.from_function(count_visits)
    page.query_params["model"] = "asked"
    assert page.run().text[0].value == "asked 1"
    assert page.run().text[0].value == "asked 2"


def test_without_a_model_in_the_address_none_is_in_use_yet():
    page = AppTest.from_function(count_visits).run()
    assert page.text[0].value == "None 1"


def report_of_a_component() -> None:
    """A page that reads what a component reported."""
    import streamlit as st

    from app.session.state import component_value

    st.session_state["component"] = {"z": [1, 2]}
    st.text(f"{component_value('component', 'z')} {component_value('component', 'view')}")


def test_what_a_component_did_not_report_is_none():
    assert AppTest.from_function(report_of_a_component).run().text[0].value == "[1, 2] None"
