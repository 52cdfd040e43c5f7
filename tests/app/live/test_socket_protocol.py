"""What sockets may send: byte by byte, on a clock that goes when a test says so."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.frames import Close, Frame, Opcode

from app.live.socket_protocol import A_SECOND, AT_ONCE, LIVE_SECONDS, OTHER_SECONDS, GuardedSocket
from app.wire.limits import LIVE_QUESTION_BYTES

LIVE, OTHER = "/live/models/mnist-2d/socket", "/vae/_stcore/stream"
OTHER_BYTES = 25_000_000
TOO_BIG, POLICY = 1009, 1008


class Timer:
    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due, self.call = due, call
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Task:
    def add_done_callback(self, _: object) -> None:
        pass


class Loop:
    """Time and timers of an event loop that runs nothing."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + seconds, call))
        return self.timers[-1]

    def create_task(self, coroutine: Coroutine[Any, Any, None]) -> Task:
        coroutine.close()
        return Task()

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        for timer in [each for each in self.timers if each.due <= self.now and not each.is_cancelled]:
            self.timers.remove(timer)
            timer.call()


class Transport(asyncio.Transport):
    """What the server writes."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closing = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Opened:
    """A socket that was opened at a path, without keep-alive."""

    def __init__(self, path: str) -> None:
        async def app(_scope: object, _receive: object, _send: object) -> None:
            pass

        config = uvicorn.Config(app, ws_max_size=OTHER_BYTES, ws_per_message_deflate=False, ws_ping_interval=None)
        config.load()
        self.loop, self.transport = Loop(), Transport()
        self.protocol = GuardedSocket(config, ServerState(), {}, self.loop)
        self.protocol.connection_made(self.transport)
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        self.protocol.data_received((head + key).encode())
        asyncio.run(self.protocol.send({"type": "websocket.accept"}))
        asyncio.run(self.protocol.receive())  # that it connected
        assert b"101 Switching Protocols" in self.transport.written
        self.transport.written.clear()

    def send(self, *frames: Frame, cut: int = 0) -> None:
        """Send frames, but for the last bytes."""
        data = b"".join(frame.serialize(mask=True, extensions=[]) for frame in frames)
        self.protocol.data_received(data[: len(data) - cut])

    def read(self) -> bytes:
        """The next whole message, as the app reads it."""
        message: Any = asyncio.run(self.protocol.receive())
        content: bytes = message["bytes"]
        return content

    @property
    def closing(self) -> Close | None:
        """How the server closed the socket; None while it is open."""
        if not self.transport.closing:
            return None
        written = bytes(self.transport.written)
        return Close.parse(written[written.rindex(b"\x88") + 2 :])


@pytest.fixture
def live() -> Opened:
    return Opened(LIVE)


@pytest.fixture
def other() -> Opened:
    return Opened(OTHER)


def binary(size: int, *, fin: bool = True) -> Frame:
    return Frame(Opcode.BINARY, bytes(size), fin=fin)


def more(size: int, *, fin: bool = False) -> Frame:
    return Frame(Opcode.CONT, bytes(size), fin=fin)


PING, PONG = Frame(Opcode.PING, b""), Frame(Opcode.PONG, b"")


# -- size ----------------------------------------------------------------------------------------------------------


def test_the_longest_question_passes_and_a_byte_more_does_not(live: Opened):
    live.send(binary(LIVE_QUESTION_BYTES))
    assert len(live.read()) == LIVE_QUESTION_BYTES
    live.send(binary(LIVE_QUESTION_BYTES + 1))
    assert live.closing is not None
    assert live.closing.code == TOO_BIG


def test_a_question_in_parts_is_held_to_the_same(live: Opened):
    live.send(binary(LIVE_QUESTION_BYTES - 5000, fin=False), more(5000, fin=True))
    assert len(live.read()) == LIVE_QUESTION_BYTES
    live.send(binary(LIVE_QUESTION_BYTES - 5000, fin=False), more(5001, fin=True))
    assert live.closing is not None
    assert live.closing.code == TOO_BIG


def test_nothing_of_a_message_that_is_too_long_is_kept(live: Opened):
    live.send(binary(OTHER_BYTES), cut=OTHER_BYTES // 2)
    assert live.closing is not None
    assert len(live.protocol.conn.reader.buffer) < 2 * 1024


def test_other_sockets_keep_what_they_need(other: Opened):
    other.send(binary(1_000_000))
    assert len(other.read()) == 1_000_000
    assert other.closing is None


@pytest.mark.parametrize("path", [LIVE, f"/a/b{LIVE}", f"{LIVE}?x=1", "/live/models/%2e%2e/socket"])
def test_the_live_socket_is_known_by_its_path(path: str):
    assert Opened(path).protocol.conn.max_message_size == LIVE_QUESTION_BYTES


# -- frames that make no message -----------------------------------------------------------------------------------


def test_some_pings_are_answered(live: Opened):
    live.send(*[PING] * AT_ONCE)
    assert live.closing is None
    assert live.transport.written.count(b"\x8a\x00") == AT_ONCE


@pytest.mark.parametrize("frame", [PING, PONG, more(0), more(1)], ids=["pings", "pongs", "empty parts", "tiny parts"])
@pytest.mark.parametrize("path", [LIVE, OTHER])
def test_frames_without_end_close_the_socket(path: str, frame: Frame):
    opened = Opened(path)
    begin = [binary(0, fin=False)] if frame.opcode is Opcode.CONT else []
    opened.send(*begin, *[frame] * (AT_ONCE + 1))
    assert opened.closing is not None
    assert opened.closing.code == POLICY
    assert opened.closing.reason.startswith("input too many frames")


def test_what_comes_after_the_close_is_not_read(live: Opened):
    live.send(*[PING] * 50_000)
    assert live.transport.written.count(b"\x8a\x00") < 1000


def test_a_socket_that_the_app_has_closed_waits_for_the_reply_alone(live: Opened):
    asyncio.run(live.protocol.send({"type": "websocket.close", "code": 1000, "reason": ""}))
    live.send(Frame(Opcode.CLOSE, Close(1000, "").serialize()))
    assert live.transport.closing
    flooded = Opened(LIVE)
    asyncio.run(flooded.protocol.send({"type": "websocket.close", "code": 1000, "reason": ""}))
    flooded.send(*[PING] * (AT_ONCE + 1))
    assert flooded.transport.closing


def test_few_frames_a_second_are_fine_for_hours(live: Opened):
    for _ in range(1000):
        live.loop.now += 1
        live.send(*[PONG] * int(A_SECOND))
    assert live.closing is None


def test_parts_that_carry_something_are_not_counted(other: Opened):
    other.send(binary(4096, fin=False), *[more(4096)] * (2 * AT_ONCE), more(1, fin=True))
    assert other.closing is None
    assert len(other.read()) == 4096 * (2 * AT_ONCE + 1) + 1


# -- messages that are never finished ------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "seconds"), [(LIVE, LIVE_SECONDS), (OTHER, OTHER_SECONDS)])
@pytest.mark.parametrize("kind", ["half a frame", "a part of several"])
def test_a_message_has_its_time(path: str, seconds: float, kind: str):
    opened = Opened(path)
    if kind == "half a frame":
        opened.send(binary(100), cut=50)
    else:
        opened.send(binary(100, fin=False))
    opened.loop.pass_by(seconds - 1)
    assert opened.closing is None
    opened.loop.pass_by(1)
    assert opened.closing is not None
    assert opened.closing.code == POLICY
    assert "must arrive whole" in opened.closing.reason


def test_a_trickle_gives_no_more_time(live: Opened):
    data = binary(100).serialize(mask=True, extensions=[])
    for byte in range(int(LIVE_SECONDS)):
        live.protocol.data_received(data[byte : byte + 1])
        assert live.closing is None
        live.loop.pass_by(1)
    assert live.closing is not None


def test_a_whole_message_waits_for_nothing(live: Opened):
    data = binary(100).serialize(mask=True, extensions=[])
    live.protocol.data_received(data[:50])
    live.protocol.data_received(data[50:])
    live.read()
    live.loop.pass_by(10 * LIVE_SECONDS)
    assert live.closing is None


def test_what_we_do_not_read_is_not_late(live: Opened):
    live.send(binary(100), binary(100), cut=50)  # the first one waits for the app
    live.loop.pass_by(LIVE_SECONDS)
    assert live.closing is None
    live.read()
    live.loop.pass_by(LIVE_SECONDS)
    assert live.closing is not None


def test_a_socket_that_was_left_has_no_timer(live: Opened):
    live.send(binary(100), cut=50)
    live.protocol.connection_lost(None)
    assert all(timer.is_cancelled for timer in live.loop.timers)
