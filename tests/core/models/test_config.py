"""Configurations: their JSON form, and what is refused."""

import json
import math
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, fields, replace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from vae_core.errors import ConfigError
from vae_core.images.preparation_options import Preparation
from vae_core.models.config import MAX_PARAMETERS, ModelConfig, TrainingConfig
from vae_core.models.vae import VAE, parameter_shapes
from vae_core.runtime.strict_json import config_from_json, config_to_json
from vae_core.store.presets import PRESETS

PREPARATION = Preparation(fit="pad", background="black", invert="always", centre=True)
TRAINING = TrainingConfig(
    dataset="digits",
    epochs=7,
    batch_size=9,
    optimizer="sgd",
    learning_rate=0.125,
    lr_warmup_steps=3,
    schedule="constant",
    weight_decay=0.5,
    beta=4.0,
    kl_warmup_epochs=1.5,
    kl_start=2.5,
    free_bits=0.25,
    binarise="dynamic",
    clip_norm=2.0,
    tc_beta=6.0,
    importance_epochs=2,
    ema_decay=0.75,
    augment="flip",
    precision="bfloat16",
    patience=5,
    seed=11,
)
MODEL = ModelConfig(
    architecture="mlp",
    channels=3,
    height=9,
    width=10,
    latent_dim=2,
    likelihood="gaussian",
    variational=False,
    widths=(7, 5),
    blocks=3,
    dense_units=6,
    decoder="broadcast",
    linear_path=True,
    preparation=PREPARATION,
    training=replace(TRAINING, tc_beta=1.0),  # all that a plain autoencoder may have
)


def default_of(field: Any) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


@pytest.mark.parametrize("config", [PREPARATION, TRAINING, MODEL], ids=lambda config: type(config).__name__)
def test_no_field_is_lost_on_the_way_through_json(config: object) -> None:
    left_out = {field.name for field in fields(config) if getattr(config, field.name) == default_of(field)}
    assert left_out <= {"importance_samples"}, (
        "give these another value than their default, else nothing is said of them"
    )
    assert config_from_json(type(config), config_to_json(config)) == config


def test_importance_samples_are_not_lost_either() -> None:  # beside TRAINING's weights of the KL term there are none
    given = TrainingConfig("digits", importance_samples=5)
    assert config_from_json(TrainingConfig, config_to_json(given)) == given


def test_tuples_and_nested_configurations_come_back_as_what_they_were() -> None:
    back = config_from_json(ModelConfig, config_to_json(MODEL))
    assert type(back.widths) is tuple
    assert type(back.preparation) is Preparation
    assert type(back.training) is TrainingConfig
    assert hash(back) == hash(MODEL)


def test_an_untrained_configuration_comes_back_with_no_training() -> None:
    assert config_from_json(ModelConfig, config_to_json(ModelConfig())) == ModelConfig()
    assert json.loads(config_to_json(ModelConfig()))["training"] is None


def test_json_is_indented_text_that_ends_in_a_newline() -> None:
    text = config_to_json(MODEL)
    assert text.startswith('{\n  "architecture": "mlp",\n')
    assert text.endswith("}\n")
    assert json.loads(text)["widths"] == [7, 5]


def test_a_whole_number_may_stand_for_a_decimal_one() -> None:
    given = replace(TRAINING, beta=4, clip_norm=1)
    assert config_from_json(TrainingConfig, config_to_json(given)) == given


def test_a_field_that_is_left_out_takes_its_default() -> None:
    assert config_from_json(ModelConfig, '{"latent_dim": 3}') == ModelConfig(latent_dim=3)


NEW_KEYS = ("kl_start", "tc_beta", "importance_epochs", "importance_samples", "ema_decay", "augment", "precision")


def test_a_file_from_before_a_setting_was_known_reads_as_without_it() -> None:
    values = json.loads(config_to_json(MODEL))
    del values["decoder"], values["linear_path"]
    for key in NEW_KEYS:
        del values["training"][key]
    old = config_from_json(ModelConfig, json.dumps(values))
    training = replace(
        TRAINING,
        kl_start=0.0,
        tc_beta=1.0,
        importance_epochs=0,
        ema_decay=0.0,
        augment="none",
        precision="float32",
    )
    assert old == replace(MODEL, decoder="dense", linear_path=False, training=training)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        MODEL.latent_dim = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"latent_dims": 3}', "latent_dims"),
        ('{"preparation": {"center": true}}', "preparation.center"),
        ('{"training": {"dataset": "digits", "lr": 1}}', "training.lr"),
        ('{"training": {}}', "training.dataset"),
        ('{"height": "28"}', "height"),
        ('{"height": 28.5}', "height"),
        ('{"height": true}', "height"),
        ('{"height": null}', "height"),
        ('{"variational": 1}', "variational"),
        ('{"widths": 32}', "widths"),
        ('{"widths": ["32"]}', "widths.0"),
        ('{"architecture": "transformer"}', "architecture"),
        ('{"preparation": null}', "preparation"),
        ('{"training": {"dataset": "digits", "beta": NaN}}', "training.beta"),
        ('{"training": {"dataset": "digits", "beta": 1e999}}', "training.beta"),
        ('{"training": {"dataset": "digits", "augment": "rotate"}}', "training.augment"),
        ('{"training": {"dataset": "digits", "precision": "float16"}}', "training.precision"),
        ('{"training": {"dataset": "digits", "ema_decay": "0.9"}}', "training.ema_decay"),
        ('{"decoder": "transposed"}', "decoder"),
        ('{"linear_path": 1}', "linear_path"),
        ("[]", "the file"),
        ('"mlp"', "the file"),
        ("", "the file"),
        ('{"height": 28', "the file"),
        ("\x80\x04K\x01.", "the file"),
    ],
)
def test_json_that_is_no_configuration_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_from_json(ModelConfig, text)
    assert str(caught.value).startswith((f"{said}: ", f"{said} must be "))
    assert "\n" not in str(caught.value)


BROKEN_MODELS: list[tuple[dict[str, Any], str]] = [
    ({"channels": 2}, "channels must be 1 or 3, got 2; try 1."),
    ({"height": 0}, "height must be a whole number from 1 to 512 (pixels), got 0; try 28."),
    ({"width": 513}, "width must be a whole number from 1 to 512 (pixels), got 513; try 28."),
    ({"latent_dim": 0}, "latent_dim must be a whole number from 1 to 256, got 0"),
    ({"latent_dim": 257}, "latent_dim must be a whole number from 1 to 256, got 257"),
    ({"blocks": -1}, "blocks must be a whole number from 0 to 64, got -1"),
    ({"blocks": 10**9}, "blocks must be a whole number from 0 to 64, got 1000000000"),
    ({"dense_units": 0}, "dense_units must be a whole number from 1 to 16,384, got 0"),
    ({"dense_units": 10**7}, "dense_units must be a whole number from 1 to 16,384, got 10000000"),
    ({"widths": ()}, "widths must be a list of 1 to 16 values, got "),
    ({"widths": (8, 0)}, "widths.1 must be a whole number from 1 to 16,384, got 0."),
    ({"widths": (10_000_000, 10_000_000)}, "widths.0 must be a whole number from 1 to 16,384, got 10000000."),
    ({"architecture": "mlp", "widths": (1,) * 10_000}, "widths must be a list of 1 to 16 values, got "),
    ({"architecture": "mlp", "widths": (16_384,) * 4}, "a network has at most 100,000,000 parameters, got 1,637,"),
    ({"widths": (8_192, 8_192)}, "a network has at most 100,000,000 parameters, got "),
    (
        {"height": 512, "width": 512, "widths": (1,) * 10, "dense_units": 1},
        "height and width must be multiples of 1024, got 512 x 512; use fewer widths.",
    ),
    (
        {"widths": (512, 1, 1), "height": 512, "width": 512, "dense_units": 1},
        "the feature maps of one resolution hold at most 4,194,304 numbers, got 33,554,432",
    ),
    (
        {"widths": (8, 8, 8)},
        "height and width must be multiples of 8, got 28 x 28; take 24 or 32 in place of 28, or use fewer widths.",
    ),
    (
        {"width": 30},
        "height and width must be multiples of 4, got 28 x 30; take 28 or 32 in place of 30, or use fewer widths.",
    ),
]
NETWORKS: dict[str, dict[str, Any]] = {
    "conv": {"blocks": 2, "widths": (5, 7), "dense_units": 11},
    "conv of three resolutions in colour": {"channels": 3, "height": 16, "width": 8, "widths": (3, 5, 7)},
    "conv without blocks": {"blocks": 0, "widths": (4,)},
    "broadcast": {"decoder": "broadcast", "dense_units": 6},
    "spatial": {"decoder": "spatial", "latent_dim": 6},
    "mlp": {"architecture": "mlp", "widths": (9,)},
    "deep mlp": {"architecture": "mlp", "widths": (9, 5, 3), "channels": 3},
    "linear path": {"linear_path": True},
    "plain": {"variational": False},
    "gaussian": {"likelihood": "gaussian"},
}


@pytest.mark.parametrize("case", NETWORKS)
def test_parameters_are_counted_as_the_network_has_them(case: str) -> None:
    config = ModelConfig(**NETWORKS[case])
    assert config.parameter_count == sum(weight.numel() for weight in VAE(config).state_dict().values())


@pytest.mark.parametrize("case", NETWORKS)
def test_shapes_are_told_without_building_the_network(case: str) -> None:
    config = ModelConfig(**NETWORKS[case])
    built = {name: tuple(weight.shape) for name, weight in VAE(config).state_dict().items()}
    assert parameter_shapes(config) == built


class Devices(TorchDispatchMode):
    """Notes on which devices tensors are made."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, operation: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = operation(*args, **(kwargs or {}))
        self.seen |= {each.device.type for each in tree_leaves(made) if isinstance(each, torch.Tensor)}
        return made


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(architecture="mlp", widths=(8_192, 4_096), latent_dim=256),
        ModelConfig(height=512, width=512, widths=(16,) * 9, blocks=64),
    ],
    ids=["wide", "deep"],
)
def test_shapes_of_the_largest_networks_take_no_memory(config: ModelConfig) -> None:
    with Devices() as devices:
        shapes = parameter_shapes(config)
    assert sum(map(math.prod, shapes.values())) == config.parameter_count
    assert devices.seen == {"meta"}


def test_every_shipped_recipe_is_within_the_bounds() -> None:
    counts = [preset.config.parameter_count for preset in PRESETS.values()]
    assert max(counts) < MAX_PARAMETERS / 10


BROKEN_TRAININGS: list[tuple[dict[str, Any], str]] = [
    ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
    ({"batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
    ({"learning_rate": 0.0}, "learning_rate must be a finite number above 0, got 0.0"),
    ({"learning_rate": -1.0}, "learning_rate must be a finite number above 0, got -1.0"),
    ({"lr_warmup_steps": -1}, "lr_warmup_steps must be a whole number of at least 0, got -1"),
    ({"weight_decay": -0.1}, "weight_decay must be a finite number of at least 0, got -0.1"),
    ({"beta": -1.0}, "beta must be a finite number of at least 0, got -1.0"),
    ({"kl_warmup_epochs": -1.0}, "kl_warmup_epochs must be a finite number of at least 0, got -1.0"),
    ({"kl_start": -1.0}, "kl_start must be a finite number of at least 0, got -1.0"),
    ({"free_bits": -1.0}, "free_bits must be a finite number of at least 0 (nats), got -1.0"),
    ({"clip_norm": -1.0}, "clip_norm must be a finite number of at least 0, got -1.0"),
    ({"tc_beta": 0.5}, "tc_beta must be a finite number of at least 1, got 0.5"),
    ({"importance_samples": 0}, "importance_samples must be a whole number of at least 1, got 0"),
    ({"importance_epochs": 21}, "importance_epochs are the last of all epochs, at most 20, got 21"),
    ({"ema_decay": -0.1}, "ema_decay must be a finite number from 0 to 0.99999, got -0.1"),
    ({"ema_decay": 1.0}, "ema_decay must be a finite number from 0 to 0.99999, got 1.0"),
    ({"patience": -1}, "patience must be a whole number of at least 0, got -1"),
    ({"seed": -1}, "seed must be a whole number from 0 to 2^63 - 1, got -1"),
    ({"seed": 2**63}, "seed must be a whole number from 0 to 2^63 - 1, got 9223372036854775808"),
]


@pytest.mark.parametrize(("values", "said"), BROKEN_MODELS)
def test_a_model_that_breaks_a_rule_is_refused_from_python_and_from_json(values: dict[str, Any], said: str) -> None:
    refuse(lambda: ModelConfig(**values), said)
    refuse(lambda: config_from_json(ModelConfig, json.dumps(values)), said)


@pytest.mark.parametrize(("values", "said"), BROKEN_TRAININGS)
def test_a_training_that_breaks_a_rule_is_refused_from_python_and_from_json(values: dict[str, Any], said: str) -> None:
    refuse(lambda: TrainingConfig(dataset="digits", **values), said)
    refuse(lambda: config_from_json(TrainingConfig, json.dumps({"dataset": "digits", **values})), said)


def refuse(build: Callable[[], object], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build()
    assert said in str(caught.value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(
    "name",
    [
        "learning_rate",
        "weight_decay",
        "beta",
        "kl_warmup_epochs",
        "kl_start",
        "free_bits",
        "clip_norm",
        "tc_beta",
        "ema_decay",
    ],
)
def test_a_training_takes_finite_numbers_alone(name: str, value: float) -> None:
    refuse(lambda: TrainingConfig(dataset="digits", **{name: value}), name)


def test_a_plain_autoencoder_takes_no_total_correlation() -> None:
    values = {"variational": False, "training": {"dataset": "digits", "tc_beta": 6.0}}
    said = "tc_beta must be 1 for a plain autoencoder, which has no KL term, got 6.0"
    refuse(lambda: ModelConfig(variational=False, training=TrainingConfig("digits", tc_beta=6.0)), said)
    refuse(lambda: config_from_json(ModelConfig, json.dumps(values)), said)


def test_a_plain_autoencoder_takes_no_importance_samples() -> None:
    training = TrainingConfig("digits", importance_samples=5, importance_epochs=1)
    said = "importance_samples must be 1 for a plain autoencoder, which has no posterior to sample, got 5"
    refuse(lambda: ModelConfig(variational=False, training=training), said)


@pytest.mark.parametrize("weights", [{"beta": 4.0}, {"tc_beta": 2.0}, {"free_bits": 0.5}], ids=str)
def test_the_importance_weighted_bound_takes_no_weights_of_the_kl_term(weights: dict[str, float]) -> None:
    said = "with importance_samples above 1 beta and tc_beta must be 1 and free_bits 0"
    refuse(lambda: TrainingConfig("digits", importance_samples=2, **weights), said)


def test_the_ends_of_the_ranges_are_allowed() -> None:
    assert ModelConfig(blocks=0).blocks == 0
    for value in (0, 0.99999):
        assert TrainingConfig("digits", ema_decay=value).ema_decay == value


def test_an_mlp_takes_any_side() -> None:
    assert ModelConfig(architecture="mlp", height=29, width=31).image_shape == (1, 29, 31)


def test_image_shape_is_channel_height_width() -> None:
    assert MODEL.image_shape == (3, 9, 10)
