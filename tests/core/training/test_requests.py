"""What a person asks for: as JSON it comes back, and as a command it asks for the same again."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.cli.test_options import BOUND, CONFIG, VARIATIONAL
from vae_core.cli.options import model_config, parse
from vae_core.images.preparation_options import Preparation
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.runtime.strict_json import config_from_json, config_to_json
from vae_core.store.presets import PRESETS
from vae_core.training.requests import Places, TrainingRequest, command_of, provenance

PLAIN = replace(CONFIG, training=TrainingConfig("mnist"), preparation=PRESETS["mnist-2d"].config.preparation)
FOLDER = ModelConfig(
    channels=3, height=64, width=64, preparation=Preparation(), training=TrainingConfig("my-cats", epochs=3)
)
CONFIGS = {
    "everything": CONFIG,
    "with a KL term": VARIATIONAL,
    "with the bound": BOUND,
    "mlp of the default's widths": replace(PLAIN, architecture="mlp", widths=(400,)),
    "mlp of a conv's widths": replace(PLAIN, architecture="mlp", widths=(32, 64)),
    "conv": replace(PLAIN, architecture="conv", widths=(32, 64)),
    "a folder": FOLDER,
    "a folder in grey": replace(FOLDER, channels=1, height=32, width=32),
    "a small step": replace(PLAIN, training=TrainingConfig("mnist", learning_rate=1e-7, seed=2**62)),
}


def asked_again(request: TrainingRequest) -> tuple[str, str | None, int, ModelConfig]:
    words = shlex.split(command_of(request))
    assert words[:4] == ["python", "-m", "vae_core", "train"]
    options = parse(words[3:])
    return options.name, options.preset, options.threads, model_config(options)


@pytest.mark.parametrize("case", CONFIGS)
def test_the_command_asks_for_the_same_model(case: str) -> None:
    request = TrainingRequest("my-model", CONFIGS[case], threads=3)
    assert asked_again(request) == ("my-model", None, 3, CONFIGS[case])


@pytest.mark.parametrize("name", PRESETS)
def test_of_a_preset_s_model_the_command_names_the_preset_alone(name: str) -> None:
    request = TrainingRequest(name, PRESETS[name].config, preset=name)
    assert command_of(request) == f"python -m vae_core train --threads 1 --preset {name}"
    assert asked_again(request) == (name, name, 1, PRESETS[name].config)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("case", ["everything", "with the bound", "conv"])
def test_what_differs_from_the_preset_is_said(name: str, case: str) -> None:
    request = TrainingRequest("other", CONFIGS[case], preset=name)
    assert asked_again(request) == ("other", name, 1, CONFIGS[case])


def test_a_command_is_as_long_as_it_has_to_be() -> None:
    own = replace(PRESETS["mnist-2d"].config, training=replace(PRESETS["mnist-2d"].config.training, epochs=5))
    command = command_of(TrainingRequest("own", own, preset="mnist-2d"))
    assert command == "python -m vae_core train --threads 1 --preset mnist-2d --name own --epochs 5"


def test_the_record_has_what_was_asked_for_and_no_folder() -> None:
    places = Places(Path("/nowhere/models"), Path("/nowhere/runs"), Path("/nowhere/data"))
    record = provenance(TrainingRequest("m", FOLDER, threads=2, overwrite=True, fresh=True, places=places))
    assert list(record) == ["name", "preset", "threads", "device", "config"]
    assert config_from_json(ModelConfig, json.dumps(record["config"])) == FOLDER
    assert "nowhere" not in json.dumps(record)


@pytest.mark.parametrize("places", [Places(), Places(Path("models"), Path("runs"), Path("data"))], ids=["own", "named"])
def test_a_request_comes_back_from_json(places: Places) -> None:
    request = TrainingRequest("m", CONFIG, preset="mnist-2d", threads=4, overwrite=True, places=places)
    assert config_from_json(TrainingRequest, config_to_json(request)) == request
