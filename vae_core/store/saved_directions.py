"""A person's own directions on disk: one JSON file for each model's name, in the person's own folder.

A direction means something to the weights it was made with alone, so each is stored under its model's digest. Those
of other weights stay in the file, and are counted but not loaded: who goes back to those weights has them again.
"""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict

from vae_core.errors import ConfigError, InputError
from vae_core.latent.directions import Direction
from vae_core.runtime.locations import HOME_VARIABLE, home_folder, own_file
from vae_core.runtime.strict_json import STRICT, config_from_json, config_to_json
from vae_core.runtime.whole_files import write_text_whole
from vae_core.store.stored_models import check_name

__all__ = [
    "DIRECTION_LIMIT",
    "SavedDirections",
    "add_directions",
    "directions_path",
    "load_directions",
    "save_directions",
]

DIRECTION_LIMIT = 200  # in one file
BYTES_LIMIT = 8 * 2**20  # of a file; 200 directions of 256 dimensions take 2 MB

_saving = threading.Lock()  # a save reads what is there: of two at the same time one would be lost


@dataclass(frozen=True)
class SavedDirections:
    """What a person's file holds for a model.

    Attributes:
        directions: Directions made with the model as it is, in the order in which they were saved.
        of_other_weights: Number of directions made with other weights under the same name, before it was retrained.
    """

    directions: tuple[Direction, ...]
    of_other_weights: int


def save_directions(model_name: str, model_digest: str, directions: Sequence[Direction]) -> None:
    """Store a model's directions in place of those stored for it before.

    Those of other weights under the same name are kept as far as the limit leaves room, the last saved first.

    Args:
        model_name: Name of the model.
        model_digest: Digest of the model's weights, letters and digits.
        directions: All directions of the model, named differently and of the same number of dimensions.

    Raises:
        ModelError: The model's name breaks its rule.
        InputError: There are more than `DIRECTION_LIMIT`, two share a name, their dimensions differ, or the digest
            is none.
        ConfigError: The folder cannot be written, or the file there is damaged: it is left as it is.
    """
    path = directions_path(model_name)
    _check_digest(model_digest)
    with _saving:
        _store(path, model_digest, directions, _read(_stored_path(model_name)))


def add_directions(
    model_name: str, model_digest: str, directions: Sequence[Direction], *, former_digest: str = ""
) -> int:
    """Store directions after those stored for the model before, in place of those that they share a name with.

    Args:
        model_name: Name of the model.
        model_digest: Digest of the model's weights, letters and digits.
        directions: Directions, named differently and of the same number of dimensions.
        former_digest: Digest under which version 0.1 stored directions of these weights; theirs are stored anew.

    Returns:
        How many are stored for these weights now.

    Raises:
        As `save_directions`; the limit is that of all together.
    """
    path = directions_path(model_name)
    _check_digest(model_digest)
    names = {direction.name for direction in directions}
    with _saving:
        stored = _adopted(_read(_stored_path(model_name)), model_digest, former_digest)
        kept = [each for each in stored.get(model_digest, ()) if each.name not in names]
        _store(path, model_digest, [*kept, *directions], stored)
    return len(kept) + len(directions)


def load_directions(model_name: str, model_digest: str, *, former_digest: str = "") -> SavedDirections:
    """Read a model's directions; none when nothing was saved.

    Args:
        model_name: Name of the model.
        model_digest: Digest as it was given when they were saved.
        former_digest: Digest under which version 0.1 stored directions of these weights.

    Raises:
        ModelError: The model's name breaks its rule.
        InputError: The digest is none.
        ConfigError: The file cannot be read or breaks a rule; the message names it.
    """
    _check_digest(model_digest)
    stored = _adopted(_read(_stored_path(model_name)), model_digest, former_digest)
    own = stored.pop(model_digest, ())
    return SavedDirections(own, sum(map(len, stored.values())))


def _adopted(
    stored: dict[str, tuple[Direction, ...]], model_digest: str, former_digest: str
) -> dict[str, tuple[Direction, ...]]:
    """The same with directions of the former digest after those of the present one, which keep their names."""
    own, former = stored.get(model_digest, ()), stored.get(former_digest, ())
    names = {each.name for each in own}
    together = (*own, *(each for each in former if each.name not in names))
    others = {digest: those for digest, those in stored.items() if digest not in (model_digest, former_digest)}
    return {model_digest: together, **others} if together else others


def directions_path(model_name: str) -> Path:
    """The file that a model's directions are written to; it may not exist yet.

    Raises:
        ModelError: The model's name breaks its rule.
        ConfigError: No folder of the owner's is known.
    """
    return home_folder() / _file_name(model_name)


def _stored_path(model_name: str) -> Path:
    """The file that they are read from: until the first save that of version 0.1, where there is one."""
    return own_file(_file_name(model_name))


def _file_name(model_name: str) -> str:
    return f"directions/{check_name(model_name)}.json"


@dataclass(frozen=True)
class _StoredModel:
    digest: str
    directions: tuple[Direction, ...]

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True)
class _StoredFile:
    format: Literal[1]
    models: tuple[_StoredModel, ...]

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


def _read(path: Path) -> dict[str, tuple[Direction, ...]]:
    """A file's directions by digest, the last saved first; none when there is no file."""
    try:
        with path.open("rb") as file:
            text = file.read(BYTES_LIMIT + 1)
        return _parse(text)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from error
    except (ConfigError, InputError) as error:
        raise ConfigError(f"{path}: {error} Mend the file or delete it.") from error


def _parse(text: bytes) -> dict[str, tuple[Direction, ...]]:
    if len(text) > BYTES_LIMIT:
        raise InputError(f"a file of directions has at most {BYTES_LIMIT} bytes, got more.")
    stored = config_from_json(_StoredFile, text)
    _check_count(sum(len(model.directions) for model in stored.models))
    found: dict[str, tuple[Direction, ...]] = {}
    for model in stored.models:
        _check_digest(model.digest)
        if model.digest in found:
            raise InputError(f"each digest has one list of directions, got two for {model.digest!r}.")
        found[model.digest] = model.directions
        _check_together(found[model.digest])
    return found


def _store(
    path: Path, model_digest: str, directions: Sequence[Direction], stored: dict[str, tuple[Direction, ...]]
) -> None:
    """Write a model's directions before those of other weights that are in the file."""
    _check_together(directions)
    others = {digest: those for digest, those in stored.items() if digest != model_digest}
    _write(path, _within_limit({model_digest: tuple(directions)} | others))


def _write(path: Path, models: dict[str, tuple[Direction, ...]]) -> None:
    stored = _StoredFile(1, tuple(_StoredModel(digest, those) for digest, those in models.items()))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(path, config_to_json(stored))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror}); set {HOME_VARIABLE} to a folder that can."
        ) from error


def _within_limit(models: dict[str, tuple[Direction, ...]]) -> dict[str, tuple[Direction, ...]]:
    kept, room = {}, DIRECTION_LIMIT
    for digest, those in models.items():
        kept[digest] = those[:room]
        room -= len(kept[digest])
    return {digest: those for digest, those in kept.items() if those}


def _check_digest(digest: str) -> None:
    if not re.fullmatch(r"[0-9A-Za-z]{1,64}", digest):
        raise InputError(f"a model's digest has 1 to 64 letters and digits, got {digest[:80]!r}.")


def _check_count(count: int) -> None:
    if count > DIRECTION_LIMIT:
        raise InputError(f"at most {DIRECTION_LIMIT} directions are kept for a model, got {count}; remove some.")


def _check_together(directions: Sequence[Direction]) -> None:
    """Let directions pass that can stand in one list."""
    _check_count(len(directions))
    names = [direction.name for direction in directions]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"each direction of a model has a name of its own, got {repeated[0]!r} twice; rename one.")
    sizes = sorted({len(direction.vector) for direction in directions})
    if len(sizes) > 1:
        raise InputError(f"all directions of a model have the same dimensions, got some of {sizes[0]} and {sizes[1]}.")
