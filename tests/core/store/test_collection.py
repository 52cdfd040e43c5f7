"""The collection's own models: known by name and recipe."""

from dataclasses import replace

import pytest

from vae_core.images.preparation_options import Preparation
from vae_core.models.config import ModelConfig
from vae_core.store.collection import preset_of
from vae_core.store.presets import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_s_model_is_known_by_its_name_and_recipe(name: str) -> None:
    assert preset_of(name, PRESETS[name].config) is PRESETS[name]


def test_another_name_or_recipe_is_somebody_s_own() -> None:
    config = PRESETS["faces"].config
    assert config.training is not None
    assert preset_of("my-faces", config) is None
    assert preset_of("faces", None) is None
    others = [
        ModelConfig(),
        replace(config, latent_dim=64),
        replace(config, training=None),
        replace(config, training=replace(config.training, epochs=1)),
        replace(config, training=replace(config.training, dataset="path/to/faces")),
    ]
    assert [preset_of("faces", other) for other in others] == [None] * len(others)


def test_how_pictures_from_outside_are_prepared_is_no_part_of_the_recipe() -> None:
    config = replace(PRESETS["faces"].config, preparation=Preparation(fit="pad", background="black"))
    assert preset_of("faces", config) is PRESETS["faces"]
