"""How a picture from outside becomes what a model sees: the choices, as a configuration holds them."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict

from vae_core.runtime.strict_json import STRICT

__all__ = ["Preparation"]


@dataclass(frozen=True)
class Preparation:
    """How a picture from outside becomes what the model sees (see `vae_core.images.preparation`).

    Attributes:
        fit: Bring the picture to the model's proportions by cropping its middle or by padding it
            with the median colour of its border.
        background: What shows through transparent places.
        invert: Swap black and white; ``"auto"`` does so when the border is bright, and divides by the
            paper's brightness, since digit-like models know light strokes on pure black.
        centre: Place the strokes as MNIST did: lifted off their ground, fitted into 20/28 of the
            side and moved so that their centre of mass is the centre. Takes the place of `fit`.
    """

    fit: Literal["crop", "pad"] = "crop"
    background: Literal["black", "white"] = "white"
    invert: Literal["auto", "always", "never"] = "never"
    centre: bool = False

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
