"""Whether a request comes from our own page: what every route asks that does more than serve files."""

from urllib.parse import urlsplit

__all__ = ["is_same_origin"]


def is_same_origin(origin: str | None, host: str | None) -> bool:
    """Whether a request comes from our own page; programs that are no browsers send no Origin and pass."""
    if origin is None:
        return True
    try:
        return host is not None and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # an origin that is no address
        return False
