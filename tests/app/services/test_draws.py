"""Fresh draws of codes from the fitted mixture."""

import numpy as np
import pytest

from app.services.draws import draw_code
from tests.app.conftest import Store
from vae_core.errors import ModelError
from vae_core.store.opening import StoredModel


def test_draws_like_the_data_have_the_mixtures_components(tiny: StoredModel):
    codes = np.stack([draw_code(tiny) for _ in range(400)])
    assert (codes.shape, codes.dtype) == ((400, 3), np.float32)
    upper = codes.mean(axis=1) > 0  # the component around 1, which has three quarters of the weight
    assert upper.mean() == pytest.approx(0.75, abs=0.1)
    assert codes[upper].mean() == pytest.approx(1, abs=0.1)
    assert codes[~upper].mean() == pytest.approx(-1, abs=0.1)


def test_without_reference_set_there_is_no_mixture_to_draw_from(store: Store):
    with pytest.raises(ModelError, match="evaluate bare"):
        draw_code(store("bare", with_reference=False))
