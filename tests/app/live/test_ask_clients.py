"""Clients who leave before they are answered, and those who send slowly or too much at a time."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from app.live import ask as ask_module
from app.live.admission import Admission
from app.live.ask import QUESTIONS, THREADS
from app.queries.base import Question
from app.queries.places import ValuesQuestion
from vae_core.errors import BusyError

MODEL = "mnist-2d"


class Client:
    """One that sends what a test says, by ASGI's messages."""

    def __init__(self, *messages: Message) -> None:
        self.messages = list(messages)
        self.asked = 0
        self.answer: list[Message] = []

    async def receive(self) -> Message:
        self.asked += 1
        if not self.messages:
            await asyncio.Event().wait()  # for ever
        return self.messages.pop(0)

    async def send(self, message: Message) -> None:
        self.answer.append(message)

    async def ask(self, what: str, visitor: str = "") -> None:
        headers = [(b"content-type", b"application/json"), (b"x-visitor", visitor.encode())]
        scope = {
            **{"type": "http", "method": "POST", "path": "/", "headers": headers},
            "query_string": b"",
            "path_params": {"model": MODEL, "what": what},
        }
        answer = await ask_module.ask(Request(scope, self.receive))
        await answer(scope, self.receive, self.send)

    @property
    def status(self) -> int:
        status: int = self.answer[0]["status"]
        return status

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.answer[0]["headers"])


def body(text: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": text, "more_body": more}


LEFT: Message = {"type": "http.disconnect"}


class Gate:
    def __init__(self) -> None:
        self.open = threading.Event()
        self.came = threading.Semaphore(0)
        self.count = 0

    def pass_through(self, *_: object) -> dict[str, Any]:
        self.count += 1
        self.came.release()
        assert self.open.wait(30)
        return {}


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """What questions for values wait at; it counts them."""
    gate = Gate()
    monkeypatch.setitem(QUESTIONS, "values", Question(ValuesQuestion, gate.pass_through))
    yield gate
    gate.open.set()


VALUES = body(b'{"what": "norm"}')


def test_a_question_whose_client_left_before_its_turn_is_not_answered(gate: Gate):
    async def scene() -> list[Client]:
        staying = [Client(VALUES) for _ in range(THREADS)]
        leaving = [Client(VALUES, LEFT) for _ in range(10)]
        tasks = [asyncio.ensure_future(client.ask("values")) for client in staying]
        for _ in staying:
            assert await asyncio.to_thread(gate.came.acquire, timeout=30)
        await asyncio.gather(*(client.ask("values") for client in leaving))
        gate.open.set()
        await asyncio.gather(*tasks)
        return staying

    staying = asyncio.run(scene())
    assert [client.status for client in staying] == [200] * THREADS
    assert gate.count == THREADS


def test_a_client_who_leaves_gives_its_place_back_at_once(gate: Gate, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ask_module, "_admission", Admission(total=THREADS + 1, own=THREADS + 1))

    async def scene() -> Client:
        tasks = [asyncio.ensure_future(Client(VALUES).ask("values")) for _ in range(THREADS)]
        for _ in tasks:
            assert await asyncio.to_thread(gate.came.acquire, timeout=30)
        for _ in range(3):
            await Client(VALUES, LEFT).ask("values")
        last = Client(VALUES)
        tasks.append(asyncio.ensure_future(last.ask("values")))
        gate.open.set()
        await asyncio.gather(*tasks)
        return last

    assert asyncio.run(scene()).status == 200


def test_no_body_is_read_before_there_is_a_place(monkeypatch: pytest.MonkeyPatch):
    admission = Admission(total=1, own=1)
    monkeypatch.setattr(ask_module, "_admission", admission)
    client = Client(body(b" " * 1000, more=True))
    with admission.place("somebody else"):
        asyncio.run(client.ask("values"))
    assert (client.status, client.asked) == (503, 0)


def test_a_body_that_never_ends_has_its_time_and_gives_its_place_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ask_module, "READ_SECONDS", 0.0)
    monkeypatch.setattr(ask_module, "_admission", Admission(total=1, own=1))
    for _ in range(2):
        client = Client(body(b"{", more=True))
        asyncio.run(client.ask("values"))
        assert client.status == 408
        assert client.headers[b"connection"] == b"close", "what comes still is read by nobody"
        assert b"must arrive within" in client.answer[1]["body"]


def test_a_client_who_leaves_while_it_sends_is_nobody(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ask_module, "_admission", Admission(total=1, own=1))
    for _ in range(2):
        asyncio.run(Client(body(b"{", more=True), LEFT).ask("values"))


# -- admission -----------------------------------------------------------------------------------------------------


def test_one_visitor_cannot_take_all_places():
    admission = Admission(total=3, own=2)
    with admission.place("ann"), admission.place("ann"):
        with pytest.raises(BusyError, match="busy with 2 of your questions"):
            admission.place("ann").__enter__()
        with admission.place("bob"), pytest.raises(BusyError, match="3 questions wait already"):
            admission.place("cat").__enter__()
        with admission.place("cat"):
            pass
    for _ in range(3):
        with admission.place("ann"), admission.place("ann"):
            pass
