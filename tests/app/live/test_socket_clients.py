"""Pages that leave while their path waits for its turn."""

import asyncio
import struct
import threading
from typing import Any

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from app.live import socket as module
from app.live.socket import PATH_THREADS, live_socket
from app.wire.protocol import Question
from vae_core.store.opening import StoredModel

PATH = struct.pack("<BBBBI3f", 3, 0, 0, 1, 7, 0.1, 0.2, 0.3)
DECODE = b"\x01" + PATH[1:]
CONNECT: Message = {"type": "websocket.connect"}
LEFT: Message = {"type": "websocket.disconnect", "code": 1001}


def question(message: bytes) -> Message:
    return {"type": "websocket.receive", "bytes": message}


class Page:
    """A page that sends what a test says, by ASGI's messages, and then waits."""

    def __init__(self, *messages: Message) -> None:
        self.messages = [CONNECT, *messages]
        self.answers: list[Message] = []

    async def receive(self) -> Message:
        if not self.messages:
            await asyncio.Event().wait()  # for ever
        return self.messages.pop(0)

    async def send(self, message: Message) -> None:
        self.answers.append(message)

    async def run(self) -> None:
        scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b"", "path_params": {"model": "tiny"}}
        await live_socket(WebSocket(scope, self.receive, self.send))


class Gate:
    """What answers wait at; it counts them."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.came = threading.Semaphore(0)
        self.count = 0

    def answer(self, _engine: object, _model: object, _question: Question) -> bytes:
        self.count += 1
        self.came.release()
        assert self.open.wait(30)
        return b"answer"


@pytest.fixture
def gate(tiny: StoredModel, monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(module, "answer", gate.answer)
    return gate


def sent(page: Page) -> list[Any]:
    return [message["bytes"] for message in page.answers if message["type"] == "websocket.send"]


def test_a_path_whose_page_left_before_its_turn_is_not_answered(gate: Gate):
    async def scene() -> list[Page]:
        staying = [Page(question(PATH)) for _ in range(PATH_THREADS)]
        tasks = [asyncio.ensure_future(page.run()) for page in staying]
        for _ in staying:
            assert await asyncio.to_thread(gate.came.acquire, timeout=30)
        await asyncio.gather(*(Page(question(PATH), LEFT).run() for _ in range(10)))
        gate.open.set()
        while not all(map(sent, staying)):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        return staying

    assert [sent(page) for page in asyncio.run(scene())] == [[b"answer"]] * PATH_THREADS
    assert gate.count == PATH_THREADS


def test_what_a_page_asks_while_its_path_is_answered_is_answered_next(gate: Gate):
    gate.open.set()
    page = Page(question(PATH), question(DECODE), question(PATH), LEFT)
    asyncio.run(page.run())
    assert sent(page)[:2] == [b"answer", b"answer"]
    assert gate.count >= 2
