"""The command line's options, and the configuration that they ask for."""

import argparse
import dataclasses
import os
from pathlib import Path
from typing import Any, NoReturn

from vae_core.checkpoint import SHIPPED
from vae_core.config import ModelConfig, Preparation, TrainingConfig
from vae_core.datasets import DATASETS
from vae_core.errors import ConfigError

__all__ = ["USAGE_ERROR", "build_parser", "model_config"]

USAGE_ERROR = 2
MLP_WIDTHS, CONV_WIDTHS = (400,), (32, 64)
FOLDER_SIDE = 28  # pixels


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is; exit with 2."""
        self.exit(USAGE_ERROR, f"{self.prog}: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser with its commands; every option's help gives its unit and default."""
    parser = Parser(prog="python -m vae_core", description="Train, evaluate and list variational autoencoders.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    add_train(commands)
    add_evaluate(commands)
    _add_command(commands, "models", "List the stored models with their figures.")
    return parser


def add_train(commands: Any) -> None:
    """The train command."""
    train = _add_command(commands, "train", "Train a model; a run that was stopped goes on where it was.")
    train.add_argument("--dataset", required=True, help=f"{', '.join(DATASETS)}, or a folder of images")
    train.add_argument("--name", required=True, help="of the stored model: a-z, 0-9, '.', '-', '_'")
    train.add_argument("--models-dir", type=Path, default=SHIPPED, help="folder in which the model is stored")
    train.add_argument("--run-dir", type=Path, default=Path("runs"), help="folder for checkpoints")
    train.add_argument("--data-dir", type=Path, default=None, help="folder of data files; VAE_DATA_DIR when not given")
    train.add_argument("--overwrite", action="store_true", help="replace a stored model of that name")
    train.add_argument("--fresh", action="store_true", help="forget an earlier run's checkpoint")
    _add_model_options(train.add_argument_group("model"))
    _add_training_options(train.add_argument_group("training"))


def _add_model_options(group: Any) -> None:
    model = ModelConfig()
    group.add_argument("--architecture", choices=("mlp", "conv"), default=model.architecture, help="kind of network")
    group.add_argument("--latent-dim", type=int, default=model.latent_dim, help="dimensions of z")
    group.add_argument("--likelihood", choices=("bernoulli", "gaussian"), default=model.likelihood, help="of a pixel")
    group.add_argument("--autoencoder", action="store_true", help="plain: no noise, no KL term")
    group.add_argument(
        "--widths",
        type=_integers,
        default=None,
        help="comma-separated: units a layer (mlp, 400) or channels a resolution (conv, 32,64)",
    )
    group.add_argument("--blocks", type=int, default=model.blocks, help="residual blocks a resolution (conv)")
    group.add_argument("--dense-units", type=int, default=model.dense_units, help="units of the dense layer (conv)")
    group.add_argument("--image-size", type=int, help=f"pixels a side, for a folder of images alone ({FOLDER_SIDE})")
    group.add_argument("--grey", action="store_true", help="grey instead of RGB, for a folder of images alone")


def _add_training_options(group: Any) -> None:
    run = TrainingConfig(dataset="")
    group.add_argument("--epochs", type=int, default=run.epochs, help="passes over the training images")
    group.add_argument("--batch-size", type=int, default=run.batch_size, help="images a step")
    group.add_argument("--optimizer", choices=("adam", "adamw", "sgd"), default=run.optimizer, help="update rule")
    group.add_argument("--learning-rate", type=float, default=run.learning_rate, help="largest step size")
    group.add_argument("--lr-warmup-steps", type=int, default=run.lr_warmup_steps, help="steps of rising step size")
    group.add_argument("--schedule", choices=("constant", "cosine"), default=run.schedule, help="of the step size")
    group.add_argument("--weight-decay", type=float, default=run.weight_decay, help="per unit of step size")
    group.add_argument("--beta", type=float, default=run.beta, help="weight of the KL term; 1 is the ELBO")
    group.add_argument("--kl-warmup-epochs", type=float, default=run.kl_warmup_epochs, help="epochs of rising weight")
    group.add_argument("--free-bits", type=float, default=run.free_bits, help="nats a latent dimension may keep free")
    group.add_argument("--binarise", choices=("none", "dynamic"), default=run.binarise, help="of grey pixels")
    group.add_argument("--clip-norm", type=float, default=run.clip_norm, help="largest gradient norm; 0 is off")
    group.add_argument(
        "--patience", type=int, default=run.patience, help="epochs without gain before stopping; 0 is off"
    )
    group.add_argument("--seed", type=int, default=run.seed, help="of weights, order and noise")


def add_evaluate(commands: Any) -> None:
    """The evaluate command."""
    evaluate = _add_command(
        commands, "evaluate", "Measure a stored model on its test images and build its reference set."
    )
    evaluate.add_argument("name", metavar="NAME", help="of a stored model")
    evaluate.add_argument(
        "--data-dir", type=Path, default=None, help="folder of data files; VAE_DATA_DIR when not given"
    )
    evaluate.add_argument("--no-reference", action="store_true", help="figures only; leave reference.npz as it is")


def model_config(options: argparse.Namespace) -> ModelConfig:
    """The configuration that the train command's options ask for.

    Raises:
        ConfigError: A value breaks a rule, or the shape of a named data set's images is to be changed.
    """
    info = DATASETS.get(options.dataset)
    if info and (options.grey or options.image_size):
        raise ConfigError(f"--image-size and --grey are for folders of images; {info.name} has {info.image_shape}.")
    side = options.image_size or FOLDER_SIDE
    channels, height, width = info.image_shape if info else (1 if options.grey else 3, side, side)
    names = [field.name for field in dataclasses.fields(TrainingConfig)]
    return ModelConfig(
        architecture=options.architecture,
        channels=channels,
        height=height,
        width=width,
        latent_dim=options.latent_dim,
        likelihood=options.likelihood,
        variational=not options.autoencoder,
        widths=options.widths or (MLP_WIDTHS if options.architecture == "mlp" else CONV_WIDTHS),
        blocks=options.blocks,
        dense_units=options.dense_units,
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
