"""What a page shows where something fails: one sentence, with all that can be shown."""

import pytest
from streamlit.testing.v1 import AppTest

from app.session import gallery
from app.session.state import Session
from tests.app.conftest import Store, keep_picture
from tests.app.pages import TITLES, check, memory_of, notices, open_page, pick, report, sent
from tests.app.session.test_gallery import Png
from vae_core.errors import BusyError
from vae_core.store.opening import StoredModel

PAGES = ["explore", "reconstruct", "interpolate"]
BUSY = "the server is busy; try again shortly."


def no_room(*_: object) -> None:
    raise BusyError(BUSY)


def fall(*_: object) -> None:
    raise KeyError("a secret")


def assert_page_stays(page: AppTest, name: str) -> None:
    assert [error.message for error in page.exception] == []
    assert [title.value for title in page.title] == [TITLES[name]]
    assert sent(page)["model"]["name"] == "tiny"


def test_whatever_streamlit_hands_over_is_said_and_counts_as_said():
    def script() -> None:
        import streamlit as st

        from app.widgets.boundary import show_failure
        from vae_core.errors import InputError

        st.text(show_failure(InputError("the rule, got 3.")))
        st.text(show_failure(KeyError("a secret")))

    page = AppTest.from_function(script).run()
    assert [text.value for text in page.text] == ["True", "True"]
    ours, unforeseen = (error.value for error in page.error)
    assert ours == "the rule, got 3."
    assert "something went wrong inside (" in unforeseen


@pytest.mark.parametrize("name", PAGES)
def test_a_full_queue_leaves_the_page_and_says_what_is_missing(
    tiny: StoredModel, png: Png, monkeypatch: pytest.MonkeyPatch, name: str
):
    memory = Session(model="tiny")
    keep_picture(memory, "1.png", png(1))
    with monkeypatch.context() as patched:
        patched.setattr(gallery, "analyse", no_room)
        page = open_page(name, memory=memory)
    assert_page_stays(page, name)
    assert notices(page) == [f"{BUSY} Not shown yet: 1 of your pictures."]
    assert sent(page)["pictures"] == []
    page.run()
    check(page, name)
    assert len(sent(page)["pictures"]) == 1
    assert notices(page) == []


def test_a_switch_that_fails_leaves_the_model_in_use_whole(
    tiny: StoredModel, store: Store, png: Png, monkeypatch: pytest.MonkeyPatch
):
    store("other", latent_dim=2)
    memory = Session(model="tiny")
    keep_picture(memory, "1.png", png(1))
    page = open_page("explore", memory=memory)
    check(page, "explore")
    before = {name: getattr(memory, name) for name in ("model", "chosen", "revision", "codes", "digests")}
    before = {name: value.copy() if isinstance(value, dict) else value for name, value in before.items()}
    with monkeypatch.context() as patched:
        patched.setattr(gallery, "analyse", no_room)
        pick(page, "other")
    assert_page_stays(page, "explore")
    assert f"{BUSY} The model in use stays." in notices(page)[0]
    assert {name: getattr(memory_of(page), name) for name in before} == before
    assert len(sent(page)["pictures"]) == 1
    pick(page, "other")
    assert sent(page)["model"]["name"] == "other"


@pytest.mark.parametrize("name", [*PAGES, "models"])
def test_what_nobody_foresaw_ends_a_page_with_a_number(
    tiny: StoredModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
):
    monkeypatch.setattr("app.widgets.frame.collection", fall)
    page = open_page(name, model="tiny")
    assert [error.message for error in page.exception] == []
    assert [title.value for title in page.title] == [TITLES[name]]
    [error] = page.error
    assert "something went wrong inside (" in error.value
    assert "secret" not in error.value
    logged = [record for record in caplog.records if record.name.startswith("vae_core")]
    assert logged[-1].getMessage().rpartition(" ")[2] in error.value
    assert "KeyError: 'a secret'" in caplog.text


def test_what_nobody_foresaw_in_a_report_leaves_the_page_with_a_number(
    tiny: StoredModel, png: Png, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    memory = Session(model="tiny")
    picture = keep_picture(memory, "1.png", png(1))
    page = open_page("explore", memory=memory)
    monkeypatch.setattr(Session, "load_code", fall)
    report(page, "chosen", picture.id)
    assert_page_stays(page, "explore")
    [notice] = notices(page)
    assert "something went wrong inside (" in notice
    assert "secret" not in notice
    assert "KeyError: 'a secret'" in caplog.text
