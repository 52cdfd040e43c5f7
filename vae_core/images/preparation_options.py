"""How a picture from outside becomes what a model sees: the choices, as a configuration holds them."""

from typing import Annotated, Literal

from pydantic import Field

from vae_core.runtime.strict_json import settings

__all__ = ["Preparation"]


@settings
class Preparation:
    """How a picture from outside becomes what the model sees (see `vae_core.images.preparation`)."""

    fit: Annotated[
        Literal["crop", "pad"],
        Field(description="bring the picture to the model's proportions: crop its middle, or pad it with its border"),
    ] = "crop"
    background: Annotated[Literal["black", "white"], Field(description="what shows through transparent places")] = (
        "white"
    )
    # Digit-like models know light strokes on pure black.
    invert: Annotated[
        Literal["auto", "always", "never"],
        Field(description="swap black and white; auto: where the border is bright, which then becomes pure black"),
    ] = "never"
    # As MNIST did: lifted off their ground, fitted into 20/28 of the side, with their centre of mass in the centre.
    centre: Annotated[bool, Field(description="place the strokes as MNIST's digits are; takes the place of fit")] = (
        False
    )
