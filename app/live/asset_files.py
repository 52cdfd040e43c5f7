"""What the page fetches beside the socket: its modules, plotly.js, and maps as figures."""

import functools
import hashlib
from pathlib import Path

import plotly

from app.services.catalogue import Entry

__all__ = ["ASSETS_VERSION", "PLOTLY_SCRIPT", "asset_path", "media_type", "strip_version"]

ASSETS = Path(__file__).parent / "assets"
ROOT = Path(__file__).parents[2]  # of both packages
PLOTLY_SCRIPT = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}


@functools.cache
def _assets() -> dict[str, Path]:
    return {path.relative_to(ASSETS).as_posix(): path for path in ASSETS.rglob("*") if path.suffix in MEDIA_TYPES}


def asset_path(name: str) -> Path | None:
    """The asset "folder/file.js"; None when there is none. A name is looked up, never joined to a path."""
    return _assets().get(name)


def media_type(path: Path) -> str:
    """The asset's type as HTTP names it."""
    return MEDIA_TYPES[path.suffix]


def _assets_version() -> str:
    """A fingerprint of our modules and of all code that maps and strips depend on, for addresses cached for ever.

    All of ours, since what is left out of a list is noticed only by those who see an old picture; it takes 3 ms.
    """
    digest = hashlib.sha256()
    code = (path for package in ("app", "vae_core") for path in (ROOT / package).rglob("*.py"))
    for path in (*sorted(_assets().values()), *sorted(code)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


ASSETS_VERSION = _assets_version()


def strip_version(entry: Entry) -> str:
    """What stands in the address of a model's strip; it is told without loading the model."""
    return f"{entry.digest}-{entry.reference_digest}-{ASSETS_VERSION}"
