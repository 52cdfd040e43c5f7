"""The command line's options: what they ask for, alone and beside a preset."""

from dataclasses import MISSING, fields, replace
from typing import Any

import pytest

from vae_core.cli.options import NETWORK_OPTIONS, model_config, parse, preset_options
from vae_core.datasets.registry import DATASETS
from vae_core.errors import ConfigError
from vae_core.images.preparation_options import Preparation
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.runtime.setting_rules import settings_of
from vae_core.store.presets import PRESETS, Preset

NAMED = ("train", "--dataset", "digits", "--name", "x")
FROM_THE_DATA_SET = {"channels", "height", "width", "preparation"}

# Every setting that an option can change, each another than its default, for pictures that a data set gives.
CONFIG = ModelConfig(
    architecture="mlp",
    latent_dim=3,
    likelihood="gaussian",
    variational=False,
    widths=(7, 5),
    blocks=0,
    dense_units=6,
    decoder="broadcast",
    linear_path=True,
    preparation=DATASETS["fashion_mnist"].preparation,
    training=TrainingConfig(
        dataset="fashion_mnist",
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
        importance_epochs=2,
        ema_decay=0.75,
        augment="flip",
        precision="bfloat16",
        patience=5,
        seed=11,
    ),
)
# A plain autoencoder has no KL term, and so no total correlation.
VARIATIONAL = replace(CONFIG, variational=True, training=replace(CONFIG.training, tc_beta=6.0))
# The importance-weighted bound has no weights of the KL term.
BOUND = replace(VARIATIONAL, training=replace(CONFIG.training, beta=1.0, free_bits=0.0, importance_samples=5))
OPTIONS = (
    *("--architecture", "mlp", "--latent-dim", "3", "--likelihood", "gaussian", "--widths", "7,5"),
    *("--blocks", "0", "--dense-units", "6", "--decoder", "broadcast", "--linear-path"),
    *("--epochs", "7", "--batch-size", "9", "--optimizer", "sgd", "--learning-rate", "0.125"),
    *("--lr-warmup-steps", "3", "--schedule", "constant", "--weight-decay", "0.5", "--beta", "4"),
    *("--kl-warmup-epochs", "1.5", "--kl-start", "2.5", "--free-bits", "0.25", "--binarise", "dynamic"),
    *(
        "--clip-norm",
        "2",
        "--importance-epochs",
        "2",
        "--ema-decay",
        "0.75",
        "--augment",
        "flip",
        "--precision",
        "bfloat16",
    ),
    *("--patience", "5", "--seed", "11"),
)


def config_of(*arguments: str) -> ModelConfig:
    return model_config(parse(list(arguments)))


def with_training(config: ModelConfig, **values: Any) -> ModelConfig:
    assert config.training is not None
    return replace(config, training=replace(config.training, **values))


# --- without a preset ----------------------------------------------------------------------------------------


def test_without_options_the_configuration_s_own_defaults_are_taken() -> None:
    expected = ModelConfig(preparation=DATASETS["digits"].preparation, training=TrainingConfig("digits"))
    assert config_of(*NAMED) == expected


def test_every_setting_has_an_option() -> None:
    for config in (CONFIG, VARIATIONAL):
        assert config.training is not None
        same = [field.name for field in fields(config) if getattr(config, field.name) == default_of(field)]
        assert set(same) - FROM_THE_DATA_SET <= {"variational"}, "give these fields another value than their default"
        same = [field.name for field in fields(TrainingConfig) if getattr(config.training, field.name) == field.default]
        assert set(same) <= {"tc_beta", "importance_samples"}, "give these fields another value than their default"
    named = ("train", "--dataset", "fashion_mnist", "--name", "x", *OPTIONS)
    assert config_of(*named, "--autoencoder") == CONFIG
    assert config_of(*named, "--tc-beta", "6") == VARIATIONAL
    assert config_of(*named, "--beta", "1", "--free-bits", "0", "--importance-samples", "5") == BOUND


def test_the_help_says_each_setting_s_range_unit_choices_and_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # lines are broken at hyphens as well
    with pytest.raises(SystemExit):
        parse(["train", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "dimensions of z (1 to 256; default: 16)" in said
    assert "largest step size (above 0; default: 0.002)" in said
    assert "0 is off (at least 0 nats; default: 0.0)" in said
    assert "--schedule {constant,cosine}" in said
    for each in (*settings_of(TrainingConfig), *settings_of(ModelConfig)):
        if each.name in NETWORK_OPTIONS or (each.name != "dataset" and hasattr(CONFIG.training, each.name)):
            assert each.description in said


def default_of(field: Any) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ((), (3, 28, 28)),
        (("--grey",), (1, 28, 28)),
        (("--image-size", "64"), (3, 64, 64)),
        (("--grey", "--image-size", "8"), (1, 8, 8)),
    ],
)
def test_a_folder_s_pictures_are_of_the_shape_asked_for(options: tuple[str, ...], shape: tuple[int, ...]) -> None:
    config = config_of("train", "--dataset", "some/folder", "--name", "x", *options)
    assert config.image_shape == shape
    assert config.preparation == Preparation()


@pytest.mark.parametrize("size", ["0", "-4", "513"])
def test_a_side_that_no_picture_can_have_is_refused_and_never_taken_for_another(size: str) -> None:
    with pytest.raises(ConfigError, match=rf"a whole number from 1 to 512 \(pixels\), got {size}; try 28"):
        config_of("train", "--dataset", "some/folder", "--name", "x", "--image-size", size)


@pytest.mark.parametrize(("size", "near"), [("50", "48 or 52"), ("97", "96 or 100"), ("1", "4"), ("511", "508 or 512")])
def test_a_side_that_cannot_be_halved_is_refused_with_those_beside_it_that_can(size: str, near: str) -> None:
    with pytest.raises(ConfigError, match=rf"multiples of 4, got {size} x {size}; take {near} in place of {size}, or"):
        config_of("train", "--dataset", "some/folder", "--name", "x", "--image-size", size)


@pytest.mark.parametrize("option", [("--grey",), ("--image-size", "64"), ("--image-size", "0")])
def test_a_named_set_s_pictures_keep_their_shape(option: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"--image-size and --grey are for folders.*digits has \(1, 28, 28\)"):
        config_of(*NAMED, *option)


def test_each_architecture_has_widths_of_its_own() -> None:
    assert config_of(*NAMED, "--architecture", "mlp").widths == (400,)
    assert config_of(*NAMED, "--architecture", "conv").widths == (32, 64)


@pytest.mark.parametrize("missing", ["dataset", "name"])
def test_without_a_preset_data_set_and_name_are_needed(missing: str) -> None:
    given = {"dataset": "digits", "name": "x"}
    del given[missing]
    with pytest.raises(ConfigError) as caught:
        parse(["train", *(word for key, value in given.items() for word in (f"--{key}", value))])
    assert str(caught.value).startswith(f"--{missing} is needed, unless --preset gives it; ")
    assert_names_the_presets(str(caught.value))


def assert_names_the_presets(said: str) -> None:
    assert "\n" not in said
    assert said.endswith(f"the presets are: {', '.join(PRESETS)}.")


# --- with a preset -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_s_options_give_exactly_its_configuration(name: str) -> None:
    options = parse(["train", "--preset", name])
    assert model_config(options) == PRESETS[name].config
    assert options.name == name


@pytest.mark.parametrize("config", [CONFIG, VARIATIONAL], ids=["autoencoder", "variational"])
def test_no_setting_is_lost_on_the_way_from_a_preset(monkeypatch: pytest.MonkeyPatch, config: ModelConfig) -> None:
    monkeypatch.setitem(PRESETS, "other", Preset("other", "Everything is another.", config))
    assert config_of("train", "--preset", "other") == config


def test_a_preset_sets_options_that_there_are() -> None:
    known = vars(parse(list(NAMED)))
    for preset in PRESETS.values():
        assert preset_options(preset).keys() <= known.keys()
    left_out = {field.name for field in fields(ModelConfig)} - FROM_THE_DATA_SET - {"variational", "training"}
    assert left_out == set(NETWORK_OPTIONS)


@pytest.mark.parametrize(
    ("options", "values"),
    [
        (("--epochs", "3"), {"epochs": 3}),
        (("--seed", "9", "--beta", "0.5"), {"seed": 9, "beta": 0.5}),
        (("--ema-decay", "0"), {"ema_decay": 0.0}),
        (("--precision", "float32"), {"precision": "float32"}),
        (("--dataset", "digits"), {"dataset": "digits"}),
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["before it", "after it"])
def test_an_option_beside_a_preset_takes_its_place(
    options: tuple[str, ...], values: dict[str, Any], first: bool
) -> None:
    preset = ("--preset", "mnist-2d")
    expected = with_training(PRESETS["mnist-2d"].config, **values)
    expected = replace(expected, preparation=DATASETS[expected.training.dataset].preparation)
    assert config_of("train", *(options + preset if first else preset + options)) == expected


def test_the_network_s_options_take_a_preset_s_place_too() -> None:
    options = parse(["train", "--preset", "mnist-2d", "--widths", "8", "--latent-dim", "3", "--name", "small"])
    assert model_config(options) == replace(PRESETS["mnist-2d"].config, widths=(8,), latent_dim=3)
    assert options.name == "small"


def test_what_a_preset_switches_on_can_be_switched_off() -> None:
    faces, plain = PRESETS["faces"].config, PRESETS["mnist-2d-autoencoder"].config
    assert faces.linear_path
    assert not plain.variational
    assert config_of("train", "--preset", "faces", "--no-linear-path") == replace(faces, linear_path=False)
    assert config_of("train", "--preset", "mnist-2d-autoencoder", "--no-autoencoder") == replace(
        plain, variational=True
    )


@pytest.mark.parametrize(
    "name", [name for name, value in preset_options(PRESETS["faces"]).items() if isinstance(value, bool)]
)
def test_every_switch_of_a_preset_has_its_opposite(name: str) -> None:
    assert getattr(parse([*NAMED, f"--no-{name.replace('_', '-')}"]), name) is False


def test_a_preset_leaves_the_next_command_line_as_it_was() -> None:
    before = config_of(*NAMED)
    config_of("train", "--preset", "mnist-2d")
    assert config_of(*NAMED) == before


@pytest.mark.parametrize("name", ["nosuch", "MNIST-2D", "mnist"])
def test_an_unknown_preset_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(["train", "--preset", name, "--dataset", "digits", "--name", "x"])
    assert f"there is no preset named {name!r}" in str(caught.value)
    assert_names_the_presets(str(caught.value))


@pytest.mark.parametrize("command", [("evaluate", "x"), ("models",), ("train-all",)])
def test_other_commands_need_neither_preset_nor_data_set(command: tuple[str, ...]) -> None:
    assert parse(list(command)).command == command[0]


def test_all_presets_are_trained_unless_some_are_chosen() -> None:
    assert parse(["train-all"]).only == list(PRESETS)
    assert parse(["train-all", "--only", "mnist-2d", "quickdraw"]).only == ["mnist-2d", "quickdraw"]
