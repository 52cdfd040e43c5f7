"""The command line's options, and the configuration that they ask for."""

import argparse
import dataclasses
import os
from pathlib import Path
from typing import Any, NoReturn, cast

from vae_core.datasets.registry import DATASETS
from vae_core.errors import ConfigError
from vae_core.images.preparation_options import Preparation
from vae_core.models.config import Channels, ModelConfig, TrainingConfig
from vae_core.runtime.devices import DEVICES
from vae_core.runtime.locations import own_models, runs_folder, shipped_models
from vae_core.runtime.setting_rules import Setting, settings_of
from vae_core.store.presets import PRESETS, Preset, find_preset

__all__ = ["USAGE_ERROR", "build_parser", "model_config", "parse", "preset_options"]

USAGE_ERROR = 2
SWITCH = argparse.BooleanOptionalAction  # with a --no- of its own, for what a preset has switched on
MLP_WIDTHS, CONV_WIDTHS = (400,), (32, 64)
METAVARS = {int: "N", float: "X", str: "TEXT"}
FOLDER_SIDE = 28  # pixels
NETWORK_OPTIONS = (
    "architecture",
    "latent_dim",
    "likelihood",
    "widths",
    "blocks",
    "dense_units",
    "decoder",
    "linear_path",
)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is; exit with 2."""
        self.exit(USAGE_ERROR, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options of one command line; those of a preset stand in for what is not given beside it.

    Raises:
        ConfigError: There is no preset of the name, or neither a preset nor a data set and a name are given.
    """
    options = build_parser().parse_args(arguments)
    if options.command != "train":
        return options
    if options.preset:
        options = build_parser(find_preset(options.preset)).parse_args(arguments)
    for needed in ("dataset", "name"):
        if getattr(options, needed) is None:
            raise ConfigError(f"--{needed} is needed, unless --preset gives it; the presets are: {', '.join(PRESETS)}.")
    return options


def build_parser(preset: Preset | None = None) -> argparse.ArgumentParser:
    """The parser with its commands; every option's help gives its unit and default, which a preset changes."""
    parser = Parser(prog="python -m vae_core", description="Train, evaluate and list variational autoencoders.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    add_train(commands, preset)
    add_evaluate(commands)
    add_train_all(commands)
    models = _add_command(commands, "models", "List the stored models with their figures.")
    models.add_argument("--markdown", action="store_true", help="as the table of README.md")
    _add_command(commands, "places", "Say where models, runs, caches and the rest lie, and which variable moves them.")
    return parser


def add_train(commands: Any, preset: Preset | None) -> None:
    """The train command."""
    train = _add_command(commands, "train", "Train a model; a run that was stopped goes on where it was.")
    train.add_argument("--preset", metavar="NAME", help=f"a recipe of the collection: {', '.join(PRESETS)}")
    train.add_argument("--dataset", help=f"{', '.join(DATASETS)}, or a folder of images")
    _add_dataset_id(train)
    train.add_argument("--name", help="of the stored model: a-z, 0-9, '.', '-', '_'; the preset's when not given")
    _add_folders(train, models=own_models()[0])
    _add_device(train)
    train.add_argument("--overwrite", action="store_true", help="replace a stored model of that name")
    train.add_argument("--fresh", action="store_true", help="forget an earlier run's checkpoint")
    _add_model_options(train.add_argument_group("model"))
    _add_training_options(train.add_argument_group("training"))
    if preset is not None:
        train.set_defaults(**preset_options(preset))


def add_train_all(commands: Any) -> None:
    """The train-all command."""
    train_all = _add_command(
        commands,
        "train-all",
        "Train and evaluate every preset that is not stored yet; stopped, it goes on where it was.",
    )
    _add_folders(train_all, models=shipped_models())
    _add_device(train_all)
    train_all.add_argument("--only", nargs="+", metavar="PRESET", default=list(PRESETS), help="which presets")


def _add_dataset_id(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dataset-id",
        metavar="ID",
        help="how models name a folder of images; made of the folder's name when not given",
    )


def _add_folders(command: argparse.ArgumentParser, *, models: Path) -> None:
    command.add_argument("--models-dir", type=Path, default=models, help="folder in which models are stored")
    command.add_argument("--run-dir", type=Path, default=runs_folder(), help="folder for checkpoints")
    command.add_argument(
        "--data-dir", type=Path, default=None, help="folder of data files; VAE_DATA_DIR when not given"
    )


def _add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--device", choices=DEVICES, default="auto", help="where networks run; auto: an accelerator where there is one"
    )


def preset_options(preset: Preset) -> dict[str, Any]:
    """The train command's options that ask for a preset."""
    config, training = preset.config, preset.config.training
    network = {name: getattr(config, name) for name in NETWORK_OPTIONS}
    run = {} if training is None else dataclasses.asdict(training)
    return {"name": preset.name, "autoencoder": not config.variational, **network, **run}


def _add_model_options(group: Any) -> None:
    given = {each.name: each for each in settings_of(ModelConfig)}
    for name in NETWORK_OPTIONS:
        if name != "widths":
            _add_setting(group, given[name])
            continue
        group.add_argument(
            "--widths",
            type=_integers,
            default=None,
            help=f"{given[name].description}, comma-separated; {CONV_WIDTHS[0]},{CONV_WIDTHS[1]} for conv and "
            f"{MLP_WIDTHS[0]} for mlp when not given",
        )
    group.add_argument(
        "--autoencoder", action=SWITCH, default=not given["variational"].default, help="plain: no noise, no KL term"
    )
    group.add_argument(
        "--image-size", type=int, metavar="N", help=f"pixels a side, for a folder of images alone ({FOLDER_SIDE})"
    )
    group.add_argument("--grey", action="store_true", help="grey instead of RGB, for a folder of images alone")


def _add_training_options(group: Any) -> None:
    for each in settings_of(TrainingConfig):
        if each.default is not dataclasses.MISSING:  # a data set has to be named
            _add_setting(group, each)


def _add_setting(group: Any, setting: Setting) -> None:
    """The option by which a setting is chosen: its name, type, choices, default, and help with range and unit."""
    option = f"--{setting.name.replace('_', '-')}"
    if setting.kind is bool:
        group.add_argument(option, action=SWITCH, default=setting.default, help=setting.description)
        return
    range_and_unit = " ".join(filter(None, (setting.bounds.removeprefix("of "), setting.unit)))
    text = f"{setting.description} ({f'{range_and_unit}; ' if range_and_unit else ''}default: %(default)s)"
    if setting.choices:
        group.add_argument(option, type=setting.kind, choices=setting.choices, default=setting.default, help=text)
    else:
        metavar = METAVARS[setting.kind]
        group.add_argument(option, type=setting.kind, metavar=metavar, default=setting.default, help=text)


def add_evaluate(commands: Any) -> None:
    """The evaluate command."""
    evaluate = _add_command(
        commands, "evaluate", "Measure a stored model on its test images and build its reference set."
    )
    evaluate.add_argument("name", metavar="NAME", help="of a stored model")
    evaluate.add_argument(
        "--data-dir", type=Path, default=None, help="folder of data files; VAE_DATA_DIR when not given"
    )
    evaluate.add_argument(
        "--models-dir", type=Path, default=None, help="folder of the model; where models are looked for when not given"
    )
    _add_device(evaluate)
    evaluate.add_argument("--dataset", metavar="FOLDER", help="where the folder of images is that it was trained on")
    evaluate.add_argument("--no-reference", action="store_true", help="figures only; leave reference.npz as it is")


def model_config(options: argparse.Namespace) -> ModelConfig:
    """The configuration that the train command's options ask for.

    Raises:
        ConfigError: A value breaks a rule, or the shape of a named data set's images is to be changed.
    """
    info = DATASETS.get(options.dataset)
    if info and (options.grey or options.image_size is not None):
        raise ConfigError(f"--image-size and --grey are for folders of images; {info.name} has {info.image_shape}.")
    side = FOLDER_SIDE if options.image_size is None else options.image_size
    channels, height, width = info.image_shape if info else (1 if options.grey else 3, side, side)
    network = {name: getattr(options, name) for name in NETWORK_OPTIONS}
    if network["widths"] is None:
        network["widths"] = MLP_WIDTHS if options.architecture == "mlp" else CONV_WIDTHS
    names = [field.name for field in dataclasses.fields(TrainingConfig)]
    return ModelConfig(
        **network,
        channels=cast(Channels, channels),
        height=height,
        width=width,
        variational=not options.autoencoder,
        preparation=info.preparation if info else Preparation(),
        training=TrainingConfig(**{name: getattr(options, name) for name in names}),
    )


def _add_command(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    command.add_argument(
        "--threads", type=_positive, default=os.cpu_count() or 1, help="processor cores that torch may use"
    )
    return command


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def _integers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"comma-separated whole numbers such as 32,64, got {text!r}") from None
