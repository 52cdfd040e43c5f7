"""config.json: what is read, under which number, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vae_core.errors import ConfigError
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.config_file import CONFIG_FORMAT, MAX_CONFIG_BYTES, config_text, read_config

MODEL = ModelConfig(
    architecture="mlp", height=9, width=10, latent_dim=2, widths=(7, 5), training=TrainingConfig("digits", epochs=7)
)


def stored(folder: Path, **changes: Any) -> Path:
    """A config.json with other values at its top level; None takes one away."""
    values = {**json.loads(config_text(MODEL)), **changes}
    path = folder / "config.json"
    path.write_text(json.dumps({name: value for name, value in values.items() if value is not None}))
    return path


def test_a_stored_configuration_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(config_text(MODEL), encoding="utf-8")
    assert read_config(tmp_path / "config.json") == MODEL
    assert next(iter(json.loads(config_text(MODEL)).items())) == ("format", CONFIG_FORMAT)


def test_a_truncated_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(config_text(MODEL)[:100], encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("kind", ["missing", "a folder"])
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "config.json"
    if kind == "a folder":
        path.mkdir()
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert str(path) in str(caught.value)


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(config_text(MODEL), encoding="utf-8-sig")
    assert read_config(tmp_path / "config.json") == MODEL


def test_a_file_of_any_length_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b" " * MAX_CONFIG_BYTES + config_text(MODEL).encode())
    with pytest.raises(ConfigError, match="at most 65,536 bytes, this file has more"):
        read_config(tmp_path / "config.json")


@pytest.mark.parametrize(
    "text", ["[" * 60_000, '{"widths": ' * 5_000, "9" * 60_000, '{"latent_dim": 1' + "0" * 50_000 + "}"]
)
def test_a_file_of_nonsense_is_one_short_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_config(tmp_path / "config.json")
    assert len(str(caught.value)) < 400


# --- formats -------------------------------------------------------------------------------------------------


def test_a_configuration_of_before_there_were_numbers_is_read(tmp_path: Path) -> None:
    assert read_config(stored(tmp_path, format=None)) == MODEL


def test_a_configuration_of_a_newer_version_says_so(tmp_path: Path) -> None:
    path = stored(tmp_path, format=CONFIG_FORMAT + 1, what_is_new=True)
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert str(caught.value) == (
        f"{path} was made by a newer version of VAE Explorer (format 2, this version knows up to 1); install the newer "
        "version to use it."
    )


@pytest.mark.parametrize("number", [0, -1, True, 1.0, "1", [1], {}])
def test_a_number_that_is_none_is_refused(tmp_path: Path, number: object) -> None:
    with pytest.raises(ConfigError, match="format must be a whole number of at least 1, got"):
        read_config(stored(tmp_path, format=number))


# --- no path is followed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [None, CONFIG_FORMAT])
@pytest.mark.parametrize("dataset", ["/srv/somebody/pictures", "pictures/cats", "..", "~/x", "C:\\x", "My Cats", ""])
def test_a_data_set_that_is_named_by_a_path_is_not_known(tmp_path: Path, dataset: str, number: int | None) -> None:
    training = {**json.loads(config_text(MODEL))["training"], "dataset": dataset}
    expected = replace(MODEL, training=replace(MODEL.training, dataset=""))
    assert read_config(stored(tmp_path, format=number, training=training)) == expected


@pytest.mark.parametrize("training", [3, [], "digits", {"dataset": 3}, {}])
def test_a_training_part_that_is_none_is_still_refused(tmp_path: Path, training: object) -> None:
    with pytest.raises(ConfigError, match="training"):
        read_config(stored(tmp_path, training=training))
