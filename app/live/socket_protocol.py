"""The WebSocket protocol of uvicorn with limits of its own: what a client may send, how often, and for how long.

uvicorn knows one limit, of a whole message, for all sockets. The live socket's questions are a hundredth of what
Streamlit's own socket carries; frames that make no message (pings, empty fragments) cost time and are bounded by
nothing; and a message that was begun may stay unfinished for ever.
"""

import asyncio
import re

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from app.wire.limits import LIVE_QUESTION_BYTES

__all__ = ["GuardedSocket"]

LIVE_SOCKET = re.compile(r"/live/models/[^/]+/socket(\?.*)?$")
SLICE = 1024  # bytes read between two looks at the limits: 170 pings, which take some milliseconds
SMALL = 1024  # bytes: a fragment below it carries little, as a ping carries nothing
# Small frames: so many at once, and so many a second in the long run. A browser answers one ping in 30 s.
AT_ONCE, A_SECOND = 64, 2.0
LIVE_SECONDS = 10.0  # from the first byte of a message to its last; a question has at most 262 kB
OTHER_SECONDS = 120.0  # of Streamlit's messages, with pictures over a slow network
REFUSED = 1008  # policy violation


class GuardedSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which closes sockets that send too much, too little at a time, or nothing more."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.conn.max_message_size = LIVE_QUESTION_BYTES  # until the path is known
        self.seconds = LIVE_SECONDS
        self.budget, self.counted_at = float(AT_ONCE), self.loop.time()
        self.unfinished: asyncio.TimerHandle | None = None

    def handle_connect(self, event: Request) -> None:
        """Give sockets other than the live one what they need."""
        if not LIVE_SOCKET.search(event.path):
            self.conn.max_message_size, self.seconds = self.config.ws_max_size, OTHER_SECONDS
        super().handle_connect(event)

    def data_received(self, data: bytes) -> None:
        """Read in slices, so that what is refused is not read to its end."""
        for start in range(0, len(data), SLICE):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + SLICE])
        self._watch_unfinished()

    def handle_ping(self) -> None:
        """Count it."""
        super().handle_ping()
        self._count()

    def handle_pong(self, event: Frame) -> None:
        """Count it, asked for or not."""
        super().handle_pong(event)
        self._count()

    def handle_bytes(self, event: Frame) -> None:
        """Count it where it begins a message with next to nothing."""
        super().handle_bytes(event)
        self._count_fragment(event)

    def handle_text(self, event: Frame) -> None:
        """Count it where it begins a message with next to nothing."""
        super().handle_text(event)
        self._count_fragment(event)

    def handle_cont(self, event: Frame) -> None:
        """Count it where it adds next to nothing."""
        super().handle_cont(event)
        self._count_fragment(event)

    def send_receive_event_to_app(self) -> None:
        """A message is whole."""
        self._forget_unfinished()
        super().send_receive_event_to_app()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._forget_unfinished()
        super().connection_lost(exc)

    # -- frames that make no message -------------------------------------------------------------------------------

    def _count_fragment(self, event: Frame) -> None:
        if not event.fin and len(event.data) < SMALL:
            self._count()

    def _count(self) -> None:
        now = self.loop.time()
        self.budget = min(AT_ONCE, self.budget + A_SECOND * (now - self.counted_at)) - 1
        self.counted_at = now
        if self.budget < 0:
            self._refuse("input too many frames that make no message")

    # -- messages that are never finished --------------------------------------------------------------------------

    def _watch_unfinished(self) -> None:
        begun = bool(self.frames) or bool(self.conn.reader.buffer)
        if begun and self.unfinished is None and not self.close_sent:
            self.unfinished = self.loop.call_later(self.seconds, self._give_up)

    def _give_up(self) -> None:
        self.unfinished = None
        if self.read_paused:  # it is we who do not read
            self._watch_unfinished()
        else:
            self._refuse(f"input a message must arrive whole within {self.seconds:.0f} s")

    def _forget_unfinished(self) -> None:
        if self.unfinished is not None:
            self.unfinished.cancel()
            self.unfinished = None

    def _refuse(self, reason: str) -> None:
        if self.close_sent:  # by the app: the client owes its reply alone
            self.transport.close()
        if self.transport.is_closing():
            return
        self.stop_keepalive()
        self._forget_unfinished()
        self.conn.fail(REFUSED, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
