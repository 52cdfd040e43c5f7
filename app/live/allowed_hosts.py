"""By which names this server may be asked.

A page of another host can have its own name lead to this machine (DNS rebinding): its requests then carry that name in
their Host header and, for a browser, come from the same origin. So a request whose Host is none of this server's own
names is refused, whatever it asks for.
"""

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vae_core.errors import ConfigError

__all__ = ["HOSTS_VARIABLE", "AllowedHosts", "allowed_hosts"]

HOSTS_VARIABLE = "VAE_ALLOWED_HOSTS"
LOCAL = ("localhost", "127.0.0.1", "[::1]")
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on
LITERAL = re.compile(r"(\[[\da-fA-F:.]+\]|[\d.]+)(:\d+)?")  # an address as a Host, perhaps with a port
LONGEST_HOST_NAME = 100  # characters of a refused name that the refusal repeats

Address = IPv4Address | IPv6Address


class AllowedHosts:
    """ASGI middleware that refuses each HTTP request and each WebSocket whose Host is no name of this server.

    An address instead of a name passes when the connection came in at that very address: no page of another host can
    have an address of its own lead here.

    Args:
        app: What is guarded.
        names: The names, as `allowed_hosts` gives them; ``"*.example.org"`` stands for all names below example.org.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = list(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass, answer the rest."""
        guarded = scope["type"] in ("http", "websocket")
        if not guarded or _is_own_address(scope) or await self._is_known(scope, receive):
            await self._app(scope, receive, send)
        else:
            await _refusal(Headers(scope=scope).get("host", ""))(scope, receive, send)

    async def _is_known(self, scope: Scope, receive: Receive) -> bool:
        """Whether Starlette lets the request pass: it reads ports and addresses in brackets as the standard says."""
        passed = False

        async def note(*_: object) -> None:
            nonlocal passed
            passed = True

        async def say_nothing(_: Message) -> None:  # its own refusal names no remedy
            pass

        await TrustedHostMiddleware(note, self._names, www_redirect=False)(scope, receive, say_nothing)
        return passed


def allowed_hosts(*, listens_at: str | None, shown_as: str, more: str) -> list[str]:
    """The names that requests may carry as their Host, without ports; an IPv6 address stands in brackets.

    Args:
        listens_at: Streamlit's server.address; beyond this machine (``"0.0.0.0"``, for one) the machine's own names
            are allowed as well.
        shown_as: Streamlit's browser.serverAddress.
        more: Further names with commas in between, from the environment variable VAE_ALLOWED_HOSTS.

    Raises:
        ConfigError: A name in `more` is none.
    """
    own = [shown_as, *filter(None, map(str.strip, more.split(",")))]
    if listens_at not in ("localhost", "127.0.0.1", "::1"):
        machine = socket.gethostname()
        first = machine.partition(".")[0]
        own += [machine, first, f"{first}.local"]  # the last one is what a local network without a server calls it
        own += [listens_at] if listens_at and listens_at not in EVERY_ADDRESS else []
    return list(dict.fromkeys([*LOCAL, *map(_as_host, own)]))


def _as_host(name: str) -> str:
    address = _address(name)
    if address is not None:
        return f"[{address}]" if address.version == 6 else str(address)
    if not name.removeprefix("*.").replace(".", "").replace("-", "").replace("_", "").isalnum() and name != "*":
        raise ConfigError(
            f"a host that may be asked for is a name or an address without a port, got {name!r}; "
            f"set {HOSTS_VARIABLE} to such names with commas in between."
        )
    return name.lower()


def _is_own_address(scope: Scope) -> bool:
    """Whether the Host is the address at which this very connection came in."""
    asked, server = LITERAL.fullmatch(Headers(scope=scope).get("host", "")), scope.get("server")
    if asked is None or server is None:
        return False
    address = _address(asked[1])
    return address is not None and address == _address(server[0])


def _address(text: str) -> Address | None:
    """The address that a text is, in brackets or not; None for a name."""
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None  # of a socket that takes both kinds
    return mapped or address


def _refusal(host: str) -> PlainTextResponse:
    return PlainTextResponse(
        f"This server is not asked by the name {host[:LONGEST_HOST_NAME]!r}. If that is one of its names, whoever "
        f"runs it sets the environment variable {HOSTS_VARIABLE} to it (several with commas in between) and starts it "
        "again.\n",
        403,
        {"X-Content-Type-Options": "nosniff"},
    )
