"""Derived things kept for all visitors: the only module with st.cache_*; holds no model and no visitor's picture."""

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from vae_core.datasets import load_dataset

__all__ = ["example_digits"]

EXAMPLES = ("2", "3", "5", "7", "8")  # one digit of each goes beside the upload button


@st.cache_data(show_spinner=False)
def example_digits() -> list[tuple[str, Float[Tensor, "channel height width"]]]:
    """Real handwritten digits from scikit-learn's set: name and picture in [0, 1], [1, 28, 28]."""
    digits = load_dataset("digits", "test")
    labels = [digits.label_names[index] for index in digits.labels.tolist()]
    return [(name, digits.images[labels.index(name)].float() / 255) for name in EXAMPLES]
