"""What the app's tests share: the process's engine, a visit's memory, pictures, and further models on demand."""

from collections.abc import Callable
from io import BytesIO

import httpx2
import pytest
import torch
from PIL import Image

from app.session import state
from app.session.state import Picture, Session, new_picture
from vae_core.store.opening import StoredModel

Store = Callable[..., StoredModel]


@pytest.fixture(autouse=True)
def notices_at_once_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests read a notice in the run that shows it."""
    monkeypatch.setattr(state, "READING_SECONDS", 0.0)


@pytest.fixture
def memory() -> Session:
    """A visit's memory, apart from Streamlit."""
    return Session(model="tiny")


@pytest.fixture
def png() -> Callable[[int], bytes]:
    """A file with a picture of seeded noise."""

    def png(seed: int) -> bytes:
        pixels = torch.randint(0, 256, (9, 9), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
        file = BytesIO()
        Image.fromarray(pixels.numpy()).save(file, "PNG")
        return file.getvalue()

    return png


def sentence_of(answer: httpx2.Response, code: str) -> str:
    """The sentence of an answer that is a refusal, and nothing else, with this code."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert list(told) == ["code", "message"]
    assert told["code"] == code
    message: str = told["message"]
    return message


def keep_picture(memory: Session, name: str, content: bytes) -> Picture:
    """Have a session keep a picture, which is the chosen one then."""
    picture = new_picture(name, content)
    memory.keep_picture(picture)
    memory.chosen = picture.id
    return picture
