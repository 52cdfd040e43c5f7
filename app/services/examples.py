"""Pictures to try and pictures to choose by, each made once for all visitors."""

import functools
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from app.services.strips import PICTURES, side_by_side
from vae_core.images.files import open_picture
from vae_core.images.preparation import prepare_picture
from vae_core.images.preparation_options import Preparation
from vae_core.inference.engine import engine
from vae_core.inference.memo import once_a_model
from vae_core.reference.typical import spread_codes
from vae_core.store.opening import StoredModel

__all__ = ["decoded_strip", "example_digits"]

# The first test digits of their class in scikit-learn's set, as files: importing scikit-learn takes half a second.
EXAMPLES = Path(__file__).parents[1] / "examples"
SHAPE = (1, 28, 28)


@functools.cache
def example_digits() -> tuple[tuple[str, Float[Tensor, "channel height width"]], ...]:
    """Real handwritten digits from scikit-learn's set: name and picture in [0, 1], [1, 28, 28]; not to be changed."""
    files = sorted(EXAMPLES.glob("digit-*.png"))
    pictures = [open_picture(file.read_bytes(), name=file.name) for file in files]
    prepared = [prepare_picture(picture, shape=SHAPE, preparation=Preparation()) for picture in pictures]
    return tuple((file.stem.removeprefix("digit-"), image) for file, image in zip(files, prepared, strict=True))


@once_a_model(1)
def decoded_strip(loaded: StoredModel) -> bytes:
    """What a model decodes from typical members of its classes, side by side, as a PNG file.

    Raises:
        ModelError: It has no reference set to take them from.
        BusyError: Too many requests wait.
    """
    return side_by_side(engine().decode(loaded, spread_codes(loaded.need_reference(), PICTURES)))
