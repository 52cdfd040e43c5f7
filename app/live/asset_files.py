"""What the page fetches by addresses that are cached for ever: modules, style sheets, plotly.js, maps and strips."""

import functools
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import plotly

from app.services.catalogue import Entry
from vae_core.store.opening import StoredModel

__all__ = ["CODE_VERSION", "PLOTLY_SCRIPT", "Assets", "code_version", "media_type", "page_assets", "strip_version"]

ASSETS = Path(__file__).parent / "assets"
ROOT = Path(__file__).parents[2]  # of both packages
PLOTLY_SCRIPT = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}

State = tuple[int, int]  # of a file: its size in bytes, the time of its last change in ns


class Assets:
    """The modules and style sheets in the folders of a folder, as they are at present.

    Args:
        folder: Where those folders lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._version = ""
        self._states: dict[str, State] = {}  # of each file, "folder/file.js", when `version` was told last

    def version(self) -> str:
        """A fingerprint of all assets, for their addresses. They are read again only when one of them has changed."""
        states = dict(sorted(_found(self._folder)))
        if states != self._states:
            self._version, self._states = _fingerprint(self._folder / name for name in states), states
        return self._version

    def path(self, name: str) -> Path | None:
        """The asset "folder/file.js"; None when there is none. Only a name that was found there leads to a path."""
        if name not in self._states:
            self.version()  # it may be new
        return self._folder / name if name in self._states else None

    def is_of_version(self, name: str, version: str) -> bool:
        """Whether an asset is what it was when that version was told: a browser may keep it under that address."""
        state = self._states.get(name)
        return version == self._version and state is not None and state == _state((self._folder / name).stat())


@functools.cache
def page_assets() -> Assets:
    """Those of our own pages."""
    return Assets(ASSETS)


def media_type(path: Path) -> str:
    """The asset's type as HTTP names it."""
    return MEDIA_TYPES[path.suffix]


def _found(folder: Path) -> Iterator[tuple[str, State]]:
    """Name and state of each asset in the folders of a folder; asked at each run of a page, so not by pathlib."""
    with os.scandir(folder) as rooms:
        for room in filter(os.DirEntry.is_dir, rooms):
            with os.scandir(room) as files:
                yield from (
                    (f"{room.name}/{file.name}", _state(file.stat()))
                    for file in files
                    if file.name.endswith(tuple(MEDIA_TYPES))
                )


def _state(stat: os.stat_result) -> State:
    return stat.st_size, stat.st_mtime_ns


def _fingerprint(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def code_version(root: Path) -> str:
    """A fingerprint of all our Python code, on which maps and strips depend; a server runs what it was started with.

    All of it, since what is left out of a list is noticed only by those who see an old picture; it takes 3 ms.
    """
    return _fingerprint(sorted(path for package in ("app", "vae_core") for path in (root / package).rglob("*.py")))


CODE_VERSION = code_version(ROOT)


def strip_version(model: Entry | StoredModel) -> str:
    """What stands in the address of a model's strip; it is told without loading the model."""
    return f"{model.digest}-{model.reference_digest}-{CODE_VERSION}"
