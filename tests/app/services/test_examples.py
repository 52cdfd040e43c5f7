"""What is kept for all visitors: examples, and strips of what models decode."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from app.services.examples import decoded_strip, example_digits
from app.services.strips import PICTURES
from tests.app.conftest import Store
from vae_core.datasets.registry import load_dataset
from vae_core.errors import ModelError
from vae_core.inference.engine import Engine
from vae_core.reference.typical import spread_codes


def test_the_examples_are_scikit_learns_real_digits():
    digits = load_dataset("digits", "test")
    labels = [digits.label_names[index] for index in digits.labels.tolist()]
    examples = example_digits()
    assert [name for name, _ in examples] == ["2", "3", "5", "7", "8"]
    for name, image in examples:
        assert torch.equal(image, digits.images[labels.index(name)].float() / 255)


# -- strips --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_a_strip_shows_what_the_model_decodes_from_spread_codes(store: Store, channels: int):
    loaded = store("other", channels=channels)
    with Image.open(BytesIO(decoded_strip(loaded))) as strip:
        assert (strip.format, strip.mode) == ("PNG", "RGBA")
        width, height = strip.size
        pixels = np.asarray(strip)
    assert height == 64  # 8 pixels of the model's, each 8 wide
    step = (width + 64 // 14 + 1) // PICTURES
    with torch.inference_mode():
        decoded = loaded.network.decode(torch.from_numpy(spread_codes(loaded.need_reference(), PICTURES)))
    for place, picture in enumerate(decoded):
        shown = pixels[4::8, place * step + 4 : place * step + 64 : 8, :channels].transpose(2, 0, 1)
        np.testing.assert_allclose(shown / 255, picture.numpy(), atol=0.003)
    assert (pixels[:, 64:step, 3] == 0).all(), "between the pictures the ground shows"


def test_a_strip_is_decoded_once_until_the_model_changes(store: Store, monkeypatch: pytest.MonkeyPatch):
    decoded: list[str] = []
    decode = Engine.decode
    monkeypatch.setattr(
        Engine, "decode", lambda self, loaded, z: (decoded.append(loaded.name), decode(self, loaded, z))[1]
    )
    first = decoded_strip(store("once"))
    assert decoded_strip(store("other")) is not None
    assert decoded_strip(store("other", latent_dim=2)) != first
    loaded = store("once")
    del decoded[:]
    again = [decoded_strip(loaded) for _ in range(3)]
    assert again == [first] * 3
    assert decoded == [], "the same model again, whatever its files' times"


def test_without_reference_set_there_is_no_strip(store: Store):
    with pytest.raises(ModelError, match="evaluate bare"):
        decoded_strip(store("bare", with_reference=False))
