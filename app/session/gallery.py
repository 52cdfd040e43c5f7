"""The visitor's pictures in the eyes of the model in use."""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from app.services.examples import example_digits
from app.session.state import Picture, Session, new_picture
from app.wire.limits import PICTURES, PICTURES_KEPT_BYTES
from vae_core.errors import VAEExplorerError
from vae_core.images.decoding import decoders
from vae_core.images.files import open_picture
from vae_core.images.pixels import pixels_of, to_png
from vae_core.images.preparation import prepare_picture
from vae_core.images.preparation_options import Preparation
from vae_core.inference.engine import Engine
from vae_core.reconstruction.analysis import Analysis, analyse
from vae_core.store.opening import StoredModel

__all__ = [
    "Examined",
    "add_example",
    "add_pictures",
    "add_sent_pictures",
    "choose_picture",
    "examine",
    "examined_already",
    "examples",
    "prepare_switch",
    "switch_model",
]

DIGIT_SETS = ("mnist", "digits")  # what models were trained on that know what our examples show
EXAMINED = 3 * PICTURES  # analyses that a session keeps: those of some models, a tenth of a megabyte each


@dataclass(frozen=True, eq=False)
class Examined:
    """A picture, what the model sees of it, and what it makes of that.

    Attributes:
        picture: The visitor's picture.
        seen: What the model sees, [channel, height, width] in [0, 1].
        analysis: Its encoding, reconstruction and figures.
    """

    picture: Picture
    seen: Float[Tensor, "channel height width"]
    analysis: Analysis


def examine(memory: Session, engine: Engine, loaded: StoredModel) -> list[Examined]:
    """All pictures of the session, each examined once a model and remembered in the session alone.

    Raises:
        BusyError: Too many requests wait; what was examined until then is remembered.
    """
    return [_examined(memory, engine, loaded, picture) for picture in memory.pictures]


def examined_already(memory: Session, loaded: StoredModel) -> list[Examined]:
    """Those pictures of the session that the model has examined."""
    found = [memory.examined.get((_examiner(memory, loaded), picture.id)) for picture in memory.pictures]
    return [each for each in found if isinstance(each, Examined)]


def _examined(memory: Session, engine: Engine, loaded: StoredModel, picture: Picture) -> Examined:
    known = memory.examined.get((_examiner(memory, loaded), picture.id))
    if isinstance(known, Examined):
        return known
    examined = _examine_one(memory, picture, engine, loaded)
    _remember(memory, loaded, examined)
    return examined


def _remember(memory: Session, loaded: StoredModel, examined: Examined) -> None:
    """Keep what the model made of a picture, and forget the oldest of other models where it gets too much."""
    examiner = _examiner(memory, loaded)
    memory.examined[examiner, examined.picture.id] = examined
    others = [key for key in memory.examined if key[0] != examiner]
    for key in others[: max(0, len(memory.examined) - EXAMINED)]:
        del memory.examined[key]


def _examiner(memory: Session, loaded: StoredModel) -> str:
    """What decides what a model makes of a picture: its weights, and how the picture is prepared for it."""
    return f"{loaded.digest} {_preparation(memory, loaded)}"


def _preparation(memory: Session, loaded: StoredModel) -> Preparation:
    return memory.preparations.get(loaded.name, loaded.spec.preparation)


def _examine_one(memory: Session, picture: Picture, engine: Engine, loaded: StoredModel) -> Examined:
    opened = open_picture(picture.content, name=picture.name)
    seen = prepare_picture(opened, shape=loaded.spec.image_shape, preparation=_preparation(memory, loaded))
    return Examined(picture, seen, analyse(engine, loaded, [seen])[0])


def add_pictures(
    memory: Session,
    engine: Engine,
    loaded: StoredModel,
    files: Sequence[tuple[str, Callable[[], bytes]]],
    *,
    load: bool = True,
) -> None:
    """Add pictures while there is room; a bad one leaves a notice, nothing else.

    Args:
        memory: The session.
        engine: Runs the model.
        loaded: The model in use.
        files: Each one's name and how to read it.
        load: Choose the last good one and load its mean into the sliders.
    """
    left_out = []
    for name, read in files:
        if _is_full(memory):
            left_out.append(name)
            continue
        try:
            _add_picture(memory, engine, loaded, name, read(), load=load)
        except VAEExplorerError as error:
            memory.notices.append(str(error))
    if left_out:
        others = f" and {len(left_out) - 1:,} more" if len(left_out) > 1 else ""
        memory.notices.append(
            f"A visit keeps {PICTURES} pictures, of {PICTURES_KEPT_BYTES // 2**20} MiB together: {left_out[0]}{others} "
            "could not be added. Remove some first."
        )


def _is_full(memory: Session) -> bool:
    kept = sum(len(picture.content) for picture in memory.pictures)
    return len(memory.pictures) >= PICTURES or kept >= PICTURES_KEPT_BYTES


def _add_picture(memory: Session, engine: Engine, loaded: StoredModel, name: str, file: bytes, *, load: bool) -> None:
    """Keep a copy of a picture and what the model makes of it; nothing is kept of one that cannot be used."""
    picture = new_picture(name, decoders().reduced_copy(file, name=name))
    examined = _examine_one(memory, picture, engine, loaded)
    memory.keep_picture(picture)
    _remember(memory, loaded, examined)
    if not examined.seen.any():  # its code lies far from all data and would stretch every slider
        memory.notices.append(
            f"In {name} nothing stands out from the ground: the model sees a black picture, which is kept but "
            f"{'not loaded' if load else 'says little'}. Reconstruct has switches for how pictures are prepared."
        )
    elif load:
        choose_picture(memory, engine, loaded, picture.id)


def add_sent_pictures(
    memory: Session, engine: Engine, loaded: StoredModel, files: Sequence[Any], *, load: bool = True
) -> None:
    """Add pictures as a page sends them, [{name, content in base64}]; what is no file is left out."""
    add_pictures(memory, engine, loaded, list(_sent_files(files)), load=load)


def _sent_files(files: Sequence[Any]) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The name of each file from the page and how to read it."""
    for file in files:
        match file:
            case {"name": str(name), "content": str(content)}:
                yield name, _decoder(content)


def _decoder(content: str) -> Callable[[], bytes]:
    """A function that turns base64 from the page into bytes; what is no base64 becomes no picture."""

    def decode() -> bytes:
        try:
            return base64.b64decode(content, validate=True)
        except ValueError:
            return b""

    return decode


def examples(loaded: StoredModel) -> list[tuple[str, Float[Tensor, "channel height width"]]]:
    """Names of digits and their pictures to try, for a model that knows digits; none for another."""
    return list(example_digits()) if loaded.spec.dataset in DIGIT_SETS else []


def add_example(memory: Session, engine: Engine, loaded: StoredModel, index: int) -> None:
    """Add one of the examples, by its place in their list."""
    name, image = examples(loaded)[index]
    add_pictures(memory, engine, loaded, [(f"digit {name}", lambda: to_png(pixels_of(image)))])


def choose_picture(memory: Session, engine: Engine, loaded: StoredModel, picture_id: str) -> None:
    """Show a picture's strip and load its mean into the sliders; an id that is gone changes nothing.

    Raises:
        BusyError: Too many requests wait; nothing has changed.
    """
    for picture in memory.pictures:
        if picture.id == picture_id:
            mean = _examined(memory, engine, loaded, picture).analysis.mean
            memory.chosen = picture_id
            memory.load_code(loaded.name, mean)


def prepare_switch(memory: Session, engine: Engine, loaded: StoredModel) -> None:
    """Make what `switch_model` needs, so that it cannot fail half way; the session looks as before.

    Raises:
        BusyError: Too many requests wait.
    """
    for picture in memory.pictures:
        if picture.id == memory.chosen:
            _examined(memory, engine, loaded, picture)


def switch_model(memory: Session, engine: Engine, loaded: StoredModel) -> None:
    """Make `loaded` the model in use; keep what can be kept and say what cannot.

    Pictures stay and are encoded anew; the chosen one's mean becomes the code where the model has none yet. A code
    means nothing to another model and waits for its own one's return.

    Raises:
        BusyError: Too many requests wait; nothing has changed.
    """
    prepare_switch(memory, engine, loaded)
    before, memory.model = memory.model, loaded.name
    memory.revision += 1
    if before is None or before == loaded.name:
        return
    memory.visible_notices.clear()  # it was about the model before
    if memory.chosen is not None:
        if loaded.name not in memory.codes:
            choose_picture(memory, engine, loaded, memory.chosen)
        memory.notices.append(f"Your pictures are encoded by {loaded.name} now.")
    elif before in memory.codes and loaded.name not in memory.codes:  # who returns finds the sliders as they were
        memory.notices.append(
            f"A code of {before} means nothing to {loaded.name}, which starts from one of its own; "
            f"that of {before} waits for your return."
        )
