"""Derived things kept for all visitors: the only module with st.cache_*; holds no model and no visitor's picture."""

from pathlib import Path

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from vae_core.config import Preparation
from vae_core.images import open_picture, prepare_picture

__all__ = ["example_digits"]

# The first test digits of their class in scikit-learn's set, as files: importing scikit-learn takes half a second.
EXAMPLES = Path(__file__).parent / "examples"
SHAPE = (1, 28, 28)


@st.cache_data(show_spinner=False)
def example_digits() -> list[tuple[str, Float[Tensor, "channel height width"]]]:
    """Real handwritten digits from scikit-learn's set: name and picture in [0, 1], [1, 28, 28]."""
    files = sorted(EXAMPLES.glob("digit-*.png"))
    pictures = [open_picture(file.read_bytes(), name=file.name) for file in files]
    prepared = [prepare_picture(picture, shape=SHAPE, preparation=Preparation()) for picture in pictures]
    return [(file.stem.removeprefix("digit-"), image) for file, image in zip(files, prepared, strict=True)]
