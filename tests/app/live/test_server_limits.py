"""What the server below the app is told as it starts."""

import asyncio
import logging

import pytest
import uvicorn
from starlette.types import Message, Scope
from uvicorn.lifespan.on import LifespanOn

from app.live.server_limits import END_SECONDS, ServerLimits
from app.live.socket_protocol import GuardedSocket


async def app(_scope: Scope, _receive: object, _send: object) -> None:
    """Ends at once."""


async def start(receive: object, kind: str = "lifespan") -> None:
    async def send(_: Message) -> None:
        pass

    await ServerLimits(app)({"type": kind}, receive, send)  # type: ignore[arg-type]


def test_uvicorn_gets_an_end_and_our_sockets():
    config = uvicorn.Config(app, ws="websockets-sansio")
    config.load()

    async def scene() -> None:
        await start(LifespanOn(config).receive)

    asyncio.run(scene())
    assert (config.timeout_graceful_shutdown, config.ws_protocol_class) == (END_SECONDS, GuardedSocket)


def test_another_server_keeps_its_own_and_that_is_said(caplog: pytest.LogCaptureFixture):
    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    asyncio.run(start(receive))
    assert "not run by uvicorn" in caplog.text


def test_other_sockets_stay_and_that_is_said(caplog: pytest.LogCaptureFixture):
    config = uvicorn.Config(app, ws="none")
    config.load()

    async def scene() -> None:
        await start(LifespanOn(config).receive)

    asyncio.run(scene())
    assert config.ws_protocol_class is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_requests_pass(caplog: pytest.LogCaptureFixture):
    async def receive() -> Message:
        return {"type": "http.request"}

    asyncio.run(start(receive, "http"))
    assert not caplog.records
