"""Switches for how a picture becomes what the model sees."""

from typing import Any

import streamlit as st

from vae_core.images.preparation_options import Preparation

__all__ = ["preparation_switches"]


def preparation_switches(*, key: str, current: Preparation, default: Preparation) -> Preparation:
    """Show the steps as switches, each with the model's own setting marked.

    Args:
        key: Starts the switches' keys.
        current: What they show at first.
        default: The model's own.

    Returns:
        What is switched on now.
    """

    def choice(label: str, name: str, options: tuple[str, ...], **more: Any) -> Any:
        usual = getattr(default, name)
        return st.segmented_control(
            label,
            options,
            default=getattr(current, name),
            format_func=lambda option: f"{option} (default)" if option == usual else option,
            required=True,
            key=f"{key}_{name}",
            **more,
        )

    st.caption("How a picture becomes what the model sees. The default is the model's own.")
    invert = choice("Swap black and white", "invert", ("auto", "always", "never"), help=INVERT_HELP)
    centre = st.toggle("Centre by mass, as MNIST's digits are", current.centre, key=f"{key}_centre", help=CENTRE_HELP)
    fit = choice("Fit into the frame", "fit", ("crop", "pad"), disabled=centre, help=FIT_HELP)
    background = choice("Behind transparent places", "background", ("black", "white"))
    return Preparation(fit=fit, background=background, invert=invert, centre=centre)


INVERT_HELP = "auto: when the border is brighter than the rest, as ink on paper is"
CENTRE_HELP = "Cuts out the strokes, so that the fit below has no say"
FIT_HELP = "crop: cut the middle out; pad: show the whole"
