"""The yardstick: one slider and one picture with Streamlit's own means, in a fragment, over the same engine.

The address says which model: `?model=NAME`. Run by `python -m benchmarks.drag`.
"""

import numpy as np
import streamlit as st

from vae_core.inference.engine import engine
from vae_core.store.stored_models import list_models

PICTURE_WIDTH = 210  # pixels, as on Explore


@st.fragment
def slider_and_picture(name: str) -> None:
    """Decode the prior's middle with the model's most important dimension moved."""
    loaded = engine().load(name)
    reference = loaded.need_reference()
    dimension = int(reference.importance.argmax())
    low, high = reference.ranges[dimension].tolist()
    z = np.zeros((1, loaded.spec.latent_dim), np.float32)
    z[0, dimension] = st.slider(f"Dimension {dimension + 1}", low, high, step=0.01)
    picture = engine().decode(engine().load(name), z, live=True)[0]  # [channel, height, width]
    st.image(picture.permute(1, 2, 0).numpy().squeeze(), width=PICTURE_WIDTH)


slider_and_picture(st.query_params.get("model", list_models()[0]))
