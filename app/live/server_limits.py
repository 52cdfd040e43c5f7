"""What the HTTP server below the app is told as it starts: Streamlit starts uvicorn and leaves these open."""

import logging

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.live.socket_protocol import GuardedSocket

__all__ = ["ServerLimits"]

logger = logging.getLogger(__name__)

END_SECONDS = 5  # that requests under way have when the server is told to end: else half a body keeps it alive


class ServerLimits:
    """ASGI middleware that sets limits of the server when it starts the app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set them at the start; pass everything on."""
        if scope["type"] == "lifespan":
            # uvicorn's own object receives for the app, and holds the configuration that each connection reads.
            _limit(getattr(getattr(receive, "__self__", None), "config", None))
        await self._app(scope, receive, send)


def _limit(config: object) -> None:
    if not isinstance(config, uvicorn.Config):
        logger.warning("the app is not run by uvicorn: sockets and the server's end have that server's limits")
        return
    config.timeout_graceful_shutdown = END_SECONDS
    if config.ws_protocol_class is WebSocketsSansIOProtocol:
        config.ws_protocol_class = GuardedSocket
    else:
        logger.warning("%s is not known here: sockets have its limits alone", config.ws_protocol_class)
