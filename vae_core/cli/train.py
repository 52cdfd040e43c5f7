"""The train command: weights made and stored."""

import argparse
import os
import platform
import shlex
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from vae_core.cli.options import model_config
from vae_core.datasets.labelled import Split
from vae_core.datasets.registry import DATASETS, load_dataset
from vae_core.errors import ModelError
from vae_core.models.config import ModelConfig, need_training
from vae_core.models.vae import CARD_FILE, CONFIG_FILE
from vae_core.runtime.devices import find_device
from vae_core.runtime.whole_files import write_text_whole
from vae_core.store.cards import new_card
from vae_core.store.metrics_file import write_metrics
from vae_core.store.stored_models import check_name, check_not_shipped, check_replaceable, replaced_model
from vae_core.training.run_folder import held_run_folder
from vae_core.training.trainer import Trainer

__all__ = ["run_train"]

TRAINED_ON: tuple[Split, Split] = ("train", "validation")
# Options that say nothing of what was trained: alone, and with the folder that follows them.
SWITCHES, FOLDERS = ("--overwrite", "--fresh"), ("--models-dir", "--run-dir", "--data-dir")


def run_train(options: argparse.Namespace, *, of_collection: bool = False) -> None:
    """Train, keep the weights of the lowest validation loss, and store them.

    Args:
        options: of the train command.
        of_collection: whether the model is one of those that ship, so that its name is its own in any folder.

    Raises:
        ModelError: A model of the name is stored or shipped already, or a folder cannot be written.
    """
    if not of_collection:
        check_not_shipped(options.name, options.models_dir)
    target = _free_target(options)
    config = model_config(options)
    find_device(options.device)  # before anything is read
    run_folder = options.run_dir / options.name
    if run_folder.resolve() == target.resolve():
        raise ModelError(
            f"a model and its run need folders of their own, got {target} for both; give another --run-dir."
        )
    _make_folder(target.parent)
    with held_run_folder(run_folder, fresh=options.fresh):
        trainer = _train(options, config, run_folder)
        record = _run_record(options, trainer)
        with replaced_model(target) as new:  # figures, map and card of old weights say nothing of these
            trainer.best_model().half().write(new)
            write_metrics(new, {"training": record})
            write_text_whole(new / CARD_FILE, new_card(options.name, config, DATASETS.get(options.dataset), record))
    print(f"stored in {target}; next: python -m vae_core evaluate {options.name}")


def _train(options: argparse.Namespace, config: ModelConfig, folder: Path) -> Trainer:
    train, validation = (
        load_dataset(
            need_training(config).dataset,
            split,
            data_dir=options.data_dir,
            image_shape=config.image_shape,
            preparation=config.preparation,
        ).images
        for split in TRAINED_ON
    )
    trainer = Trainer(config, train, validation, folder=folder, device=options.device)
    if trainer.resume():
        print(f"going on after epoch {trainer.history.epochs_done} of {folder}")
    _show_progress(trainer)
    return trainer


def _free_target(options: argparse.Namespace) -> Path:
    """The folder for the model, where none is stored yet."""
    target: Path = options.models_dir / check_name(options.name)
    check_replaceable(target)
    if (target / CONFIG_FILE).exists() and not options.overwrite:
        raise ModelError(f"{target} holds a model already; choose another --name or give --overwrite.")
    return target


def _make_folder(folder: Path) -> None:
    """Make the folder of the models before training, so that one that cannot be written is known at once."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"{folder} cannot be written ({error.strerror}); choose another --models-dir.") from error
    if not os.access(folder, os.W_OK):
        raise ModelError(f"{folder} cannot be written; choose another --models-dir.")


def _show_progress(trainer: Trainer) -> None:
    with tqdm(total=trainer.steps_per_epoch, unit="batch", dynamic_ncols=True) as bar:
        for progress in trainer.run():
            if progress.validation is None:
                rate = f"{progress.train.loss:.2f} nats, {progress.images_per_second:.0f} images/s"
                bar.set_description(f"epoch {progress.epoch}/{progress.epochs}", refresh=False)
                bar.set_postfix_str(rate, refresh=False)
                bar.update(progress.step - bar.n)
            else:
                mark = " *" if progress.is_best else ""
                figures = progress.validation
                tqdm.write(
                    f"epoch {progress.epoch}: training {progress.train.loss:.2f}, validation {figures.loss:.2f} nats "
                    f"(reconstruction {figures.reconstruction:.2f}, KL {figures.kl:.2f}){mark}"
                )


def _telling(arguments: list[str]) -> list[str]:
    """The arguments that say what was trained, without the folders of one machine."""
    before = ["", *arguments]
    return [
        word
        for word, previous in zip(arguments, before, strict=False)
        if word not in (*SWITCHES, *FOLDERS) and previous not in FOLDERS
    ]


def _run_record(options: argparse.Namespace, trainer: Trainer) -> dict[str, Any]:
    cores = "1 core" if options.threads == 1 else f"{options.threads} cores"
    accelerator = "" if trainer.device.type == "cpu" else f", {trainer.device.type}"
    return {
        "command": "python -m vae_core " + shlex.join(_telling(options.arguments)),
        "seed": trainer.settings.seed,
        "seconds": round(trainer.history.seconds, 1),
        "machine": f"{cores} ({platform.machine()}{accelerator}), torch {torch.__version__}",
        "best_epoch": trainer.history.best_epoch,
        "validation_loss": trainer.history.best_loss,
    }
