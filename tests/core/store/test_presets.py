"""The collection's recipes: names that can be stored, data sets that are known, networks that can be built."""

import math
import re

import pytest
import torch

from vae_core.datasets.registry import DATASETS
from vae_core.errors import ConfigError
from vae_core.models.vae import VAE
from vae_core.store.presets import ALL, PRESETS, Preset, find_preset
from vae_core.store.stored_models import check_name

each_preset = pytest.mark.parametrize("preset", ALL, ids=lambda preset: preset.name)


def test_no_two_presets_share_a_name_or_a_recipe() -> None:
    assert len(PRESETS) == len(ALL)
    assert len({preset.config for preset in ALL}) == len(ALL)


@each_preset
def test_a_preset_is_found_by_a_name_that_can_be_stored(preset: Preset) -> None:
    assert check_name(preset.name) == preset.name
    assert find_preset(preset.name) is preset


@each_preset
def test_a_preset_takes_its_data_set_s_pictures_as_they_are(preset: Preset) -> None:
    assert preset.config.training is not None
    info = DATASETS[preset.config.training.dataset]
    assert preset.config.image_shape == info.image_shape
    assert preset.config.preparation == info.preparation


@each_preset
def test_a_preset_s_network_can_be_built(preset: Preset) -> None:
    with torch.device("meta"):  # shapes alone
        model, images = VAE(preset.config), torch.zeros(2, *preset.config.image_shape)
        assert model(images).shape == images.shape


@each_preset
def test_a_preset_says_in_a_sentence_what_it_shows(preset: Preset) -> None:
    assert re.fullmatch(r"[A-Z].{10,150}\.", preset.summary)


@each_preset
def test_figures_of_others_name_one_of_the_model_s_own_and_their_source(preset: Preset) -> None:
    for published in preset.published:
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", published.metric)
        assert math.isfinite(published.value)
        assert published.model
        assert published.source


def test_a_family_has_members_to_compare() -> None:
    families = [preset.family for preset in ALL if preset.family]
    assert all(families.count(family) > 1 for family in families)


@pytest.mark.parametrize("name", ["", "MNIST-2D", "mnist-2d ", "nosuch", "x" * 5_000])
def test_an_unknown_preset_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find_preset(name)
    assert f"there is no preset named {name!r}; the presets are: {', '.join(PRESETS)}." == str(caught.value)


def test_what_others_published_says_where_it_is_written() -> None:
    rows = [row for preset in ALL for row in preset.published]
    assert rows
    for row in rows:
        assert re.search(r"\b\d{4}$|\w\.\w+/\w", row.source), f"{row.source!r} is neither a paper's year nor an address"
