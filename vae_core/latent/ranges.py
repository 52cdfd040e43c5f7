"""The range that a dimension's slider covers."""

import numpy as np
from jaxtyping import Float

__all__ = ["DATA_QUANTILES", "slider_ranges"]

SLIDER_REACH = 3.0  # standard deviations of the prior that a slider covers at the least
DATA_QUANTILES = (0.001, 0.999)  # of the data that a slider covers at the least


def slider_ranges(codes: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "d 2"]:
    """Lowest and highest value of each dimension's slider, [latent, 2].

    Covers +-3 standard deviations of the prior and the middle 99.8% of the data.
    """
    low, high = np.quantile(codes, DATA_QUANTILES, axis=0)
    return np.stack([np.minimum(low, -SLIDER_REACH), np.maximum(high, SLIDER_REACH)], axis=1).astype(np.float32)
