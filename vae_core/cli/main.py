"""The command line: `python -m vae_core train | train-all | evaluate | models | places`."""

import argparse
import sys

import torch

from vae_core.cli.evaluate import run_evaluate
from vae_core.cli.models import run_models
from vae_core.cli.options import USAGE_ERROR, parse
from vae_core.cli.places import run_places
from vae_core.cli.train import run_train
from vae_core.errors import VAEExplorerError
from vae_core.models.vae import CONFIG_FILE
from vae_core.store.presets import find_preset
from vae_core.store.stored_models import REFERENCE_FILE
from vae_core.store.summary import model_lines


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 when something outside has to be mended first."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = _with_arguments(arguments)
    except VAEExplorerError as error:
        print(f"vae_core {arguments[0]}: {' '.join(str(error).split())}", file=sys.stderr)
        return USAGE_ERROR
    torch.set_num_threads(options.threads)
    try:
        COMMANDS[options.command](options)
    except VAEExplorerError as error:
        print(f"vae_core {options.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return USAGE_ERROR
    except OSError as error:  # such as a file of a stored model that may not be written
        print(f"vae_core {options.command}: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print(f"\nvae_core {options.command}: stopped{_how_to_go_on(options)}.", file=sys.stderr)
        return 130
    return 0


def _how_to_go_on(options: argparse.Namespace) -> str:
    if options.command == "train-all":
        return "; the same command goes on from here"
    if options.command != "train":
        return ""
    return f"; the same command{' without --fresh' if options.fresh else ''} goes on from here"


def run_train_all(options: argparse.Namespace) -> None:
    """Train and evaluate the presets that are not stored yet, then print the collection."""
    folders = ["--models-dir", str(options.models_dir)]
    folders += ["--data-dir", str(options.data_dir)] if options.data_dir else []
    runs = ["--run-dir", str(options.run_dir)]
    threads = ["--threads", str(options.threads)]
    device = ["--device", options.device]
    presets = [find_preset(name) for name in options.only]  # all of them, before the first is trained
    for preset in presets:
        target = options.models_dir / preset.name
        if not (target / CONFIG_FILE).exists():
            train = ["train", "--preset", preset.name, *threads, *device, *folders, *runs]
            run_train(_with_arguments(train), of_collection=True)
        if not (target / REFERENCE_FILE).exists():
            run_evaluate(_with_arguments(["evaluate", preset.name, *threads, *device, *folders]))
    print("\n".join(model_lines(options.models_dir)))


def _with_arguments(arguments: list[str]) -> argparse.Namespace:
    options = parse(arguments)
    options.arguments = arguments
    return options


COMMANDS = {
    "train": run_train,
    "train-all": run_train_all,
    "evaluate": run_evaluate,
    "models": run_models,
    "places": run_places,
}
