"""The owner's own data sets: which folder of pictures each id stands for on this machine.

A stored model names the id of its data set, never a path: what travels with a model says nothing of a machine, and a
model from elsewhere cannot have a folder read. The paths are in ``datasets.json`` in the owner's folder.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from vae_core.datasets.folders import BY_CONTENT
from vae_core.errors import ConfigError, DatasetError
from vae_core.runtime.formats import check_format, number_in
from vae_core.runtime.locations import HOME_VARIABLE, home_folder
from vae_core.runtime.locks import locked
from vae_core.runtime.names import NAME_RULE, is_name
from vae_core.runtime.strict_json import STRICT, config_from_json, config_to_json
from vae_core.runtime.whole_files import write_text_whole

__all__ = ["OwnSet", "find_own_set", "own_sets", "register_folder"]

FILE = "datasets.json"
REGISTRY_FORMAT = 1
LOCK = ".datasets.lock"
PATIENCE_SECONDS = 10.0
NAMELESS = "pictures"  # id of a folder whose name has no letter or digit that an id may have

SplitRule = Annotated[int, Field(ge=1, le=BY_CONTENT)]


@dataclass(frozen=True)
class OwnSet:
    """A folder of pictures that the owner has trained on.

    Attributes:
        folder: absolute path of the folder.
        split_rule: number of the rule by which the pictures are divided into train, validation and test.
    """

    folder: str
    split_rule: SplitRule = BY_CONTENT

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True)
class _File:
    format: Annotated[int, Field(ge=1)]
    datasets: dict[str, OwnSet]

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


def own_sets() -> dict[str, OwnSet]:
    """The owner's data sets by id; none when there are none.

    Raises:
        ConfigError: The file cannot be read or breaks a rule; the message names it.
    """
    path = home_folder() / FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from error
    check_format(number_in(content), newest=REGISTRY_FORMAT, where=path)
    try:
        return config_from_json(_File, content).datasets
    except ConfigError as error:
        raise ConfigError(f"{path}: {error} Mend the file or delete it.") from error


def find_own_set(dataset: str) -> OwnSet | None:
    """The owner's data set of that id; None when there is none, or none that can be an id.

    Raises:
        ConfigError: As for `own_sets`.
    """
    return own_sets().get(dataset) if is_name(dataset) else None


def register_folder(
    folder: Path,
    *,
    taken: Collection[str],
    wanted: str | None = None,
    preferred: str | None = None,
    rule: int = BY_CONTENT,
) -> str:
    """The id under which a folder is in the owner's registry from now on.

    An id goes from one folder to another only where the other is gone: models that name it would be shown pictures
    that they have never seen.

    Args:
        folder: a folder of pictures, which exists.
        taken: ids of the named data sets, which no folder can have.
        wanted: id to give it, or none at all.
        preferred: id to give it where that is free. Else the id that the folder has, or one made of its name.
        rule: number of the rule by which its pictures are divided.

    Raises:
        DatasetError: The wanted id breaks its rule or is another's.
        ConfigError: The registry cannot be read or written.
    """
    if wanted is not None and (not is_name(wanted) or wanted in taken):
        raise DatasetError(f"a data set's id has {NAME_RULE}, and is none of {', '.join(taken)}, got {wanted!r}.")
    entry = OwnSet(str(folder.resolve()), rule)
    with _held():
        known = own_sets()
        others = {name for name, each in known.items() if each != entry and Path(each.folder).is_dir()}
        if wanted in others:
            raise DatasetError(
                f"the data set {wanted!r} is {known[wanted].folder} already; choose another --dataset-id."
            )
        present = [name for name, each in known.items() if each == entry]
        asked = [name for name in (wanted, preferred) if name and is_name(name) and name not in {*others, *taken}]
        dataset = [*asked, *present, _free_id(folder.resolve().name, {*known, *taken})][0]
        if known.get(dataset) != entry:
            write_text_whole(home_folder() / FILE, config_to_json(_File(REGISTRY_FORMAT, {**known, dataset: entry})))
    return dataset


@contextmanager
def _held() -> Iterator[None]:
    home = home_folder()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with locked(home / LOCK, patience=PATIENCE_SECONDS):
            yield
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"{home / FILE} cannot be written ({reason}); set {HOME_VARIABLE} to a folder.") from error


def _free_id(name: str, used: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    first = re.sub(r"[^a-z0-9._-]+", "-", plain).strip("._-")[:58] or NAMELESS
    return next(each for each in (first, *(f"{first}-{number}" for number in range(2, 10_000))) if each not in used)
