"""The train command: a request made of its options, and what becomes of it, printed."""

import argparse
import dataclasses
import shlex
from pathlib import Path

from tqdm import tqdm

from vae_core.cli.options import model_config
from vae_core.datasets.own_sets import register_folder
from vae_core.datasets.registry import DATASET_NAMES, find_dataset
from vae_core.errors import ConfigError, ModelError
from vae_core.models.config import need_training
from vae_core.runtime.devices import find_device
from vae_core.store.stored_models import check_name, model_folder
from vae_core.training.requests import Places, TrainingRequest
from vae_core.training.runs import Event, Loading, Resumed, Stored, run_training
from vae_core.training.trainer import Progress

__all__ = ["run_train"]


def run_train(options: argparse.Namespace, *, of_collection: bool = False) -> None:
    """Train a model and store it.

    Args:
        options: of the train command.
        of_collection: whether the model is one of those that ship, so that its name is its own in any folder.
    """
    with tqdm(unit="batch", dynamic_ncols=True, disable=None) as bar:
        for event in run_training(training_request(options, of_collection=of_collection)):
            _show(event, bar)
            if isinstance(event, Stored):
                bar.close()
                print(f"stored in {event.folder}; next: {_next_command(event, options)}")


def training_request(options: argparse.Namespace, *, of_collection: bool = False) -> TrainingRequest:
    """What the options ask for; a folder of pictures is in the owner's registry from now on.

    Raises:
        ConfigError: An option breaks a rule, or there is no such device.
        DatasetError: The data set is unknown, or its id cannot be had.
        ModelError: The name breaks its rule.
    """
    check_name(options.name)
    found = find_dataset(options.dataset)
    if options.dataset_id is not None and not isinstance(found, Path):
        raise ConfigError(f"--dataset-id is for folders of images, got {options.dataset_id!r} for {options.dataset}.")
    find_device(options.device)
    config = model_config(options)  # before anything is written, so that nothing is where a setting is wrong
    if isinstance(found, Path):
        dataset = register_folder(found, taken=DATASET_NAMES, wanted=options.dataset_id)
        config = dataclasses.replace(config, training=dataclasses.replace(need_training(config), dataset=dataset))
        print(f"{found} is the data set {dataset!r}")
    return TrainingRequest(
        name=options.name,
        config=config,
        preset=options.preset or "",
        threads=options.threads,
        device=options.device,
        overwrite=options.overwrite,
        fresh=options.fresh,
        of_collection=of_collection,
        places=Places(options.models_dir, options.run_dir, options.data_dir),
    )


def _show(event: Event, bar: "tqdm[None]") -> None:
    match event:
        case Loading():
            bar.set_description(f"reading {event.dataset}")
        case Resumed():
            tqdm.write(f"going on after epoch {event.epochs_done} of {event.folder}")
        case Progress(validation=None):
            bar.total = event.steps
            bar.set_description(f"epoch {event.epoch}/{event.epochs}", refresh=False)
            rate = f"{event.train.loss:.2f} nats, {event.images_per_second:.0f} images/s"
            bar.set_postfix_str(rate, refresh=False)
            bar.update(event.step - bar.n)
        case Progress(validation=figures) if figures is not None:
            mark = " *" if event.is_best else ""
            tqdm.write(
                f"epoch {event.epoch}: training {event.train.loss:.2f}, validation {figures.loss:.2f} nats "
                f"(reconstruction {figures.reconstruction:.2f}, KL {figures.kl:.2f}){mark}"
            )


def _next_command(stored: Stored, options: argparse.Namespace) -> str:
    """The command that measures the model, from the same folder, wherever it was stored."""
    words = ["python", "-m", "vae_core", "evaluate", stored.name]
    if not _is_found(stored):
        words += ["--models-dir", str(stored.folder.parent)]
    words += ["--data-dir", str(options.data_dir)] if options.data_dir else []
    return shlex.join(words)


def _is_found(stored: Stored) -> bool:
    """Whether the name alone leads to the model."""
    try:
        return model_folder(stored.name).resolve() == stored.folder.resolve()
    except ModelError:
        return False
