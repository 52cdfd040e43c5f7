"""Fresh draws of codes from N(0, I) and from the fitted mixture."""

import numpy as np
import pytest

from app.draws import draw_code
from tests.app.conftest import Store
from vae_core.errors import ModelError
from vae_core.inference import LoadedModel


def test_draws_from_the_prior_have_its_mean_and_spread(tiny: LoadedModel):
    codes = np.stack([draw_code(tiny, "prior") for _ in range(400)])
    assert (codes.shape, codes.dtype) == ((400, 3), np.float32)
    assert codes.mean() == pytest.approx(0, abs=0.15)
    assert codes.std() == pytest.approx(1, abs=0.15)


def test_draws_like_the_data_have_the_mixtures_components(tiny: LoadedModel):
    codes = np.stack([draw_code(tiny, "data") for _ in range(400)])
    assert (codes.shape, codes.dtype) == ((400, 3), np.float32)
    upper = codes.mean(axis=1) > 0  # the component around 1, which has three quarters of the weight
    assert upper.mean() == pytest.approx(0.75, abs=0.1)
    assert codes[upper].mean() == pytest.approx(1, abs=0.1)
    assert codes[~upper].mean() == pytest.approx(-1, abs=0.1)


def test_without_reference_set_there_is_a_prior_but_no_mixture(store: Store):
    bare = store("bare", with_reference=False)
    assert draw_code(bare, "prior").shape == (3,)
    with pytest.raises(ModelError, match="evaluate bare"):
        draw_code(bare, "data")
