"""A training from the request to the stored model, told step by step: the command line prints it, a page shows it."""

import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vae_core.datasets.fingerprint import Fingerprint, SeenFiles, differences, fingerprint_of, seen_files
from vae_core.datasets.labelled import LabelledImages, Split
from vae_core.datasets.own_sets import find_own_set
from vae_core.datasets.registry import DATASETS, load_splits
from vae_core.errors import ModelError, TrainingError
from vae_core.models.config import ModelConfig, need_training
from vae_core.models.vae import CARD_FILE
from vae_core.runtime.devices import DeviceName
from vae_core.runtime.locations import own_models, runs_folder
from vae_core.runtime.strict_json import config_to_json
from vae_core.runtime.whole_files import write_text_whole
from vae_core.store.cards import new_card
from vae_core.store.metrics_file import write_metrics
from vae_core.store.opening import StoredModel, open_stored_model
from vae_core.store.stored_models import (
    check_name,
    check_not_shipped,
    check_replaceable,
    is_model,
    replaced_model,
)
from vae_core.training.requests import TrainingRequest, command_of, provenance
from vae_core.training.run_folder import held_run_folder, read_seen, write_seen
from vae_core.training.run_state import CHECKPOINT_FILE, checkpoint_pictures
from vae_core.training.trainer import Progress, Trainer

__all__ = ["Event", "Loading", "Resumed", "Stored", "run_training", "train"]

TRAINED_ON: tuple[Split, Split] = ("train", "validation")


@dataclass(frozen=True)
class Loading:
    """The images are about to be read.

    Attributes:
        dataset: id of the data set.
    """

    dataset: str


@dataclass(frozen=True)
class Resumed:
    """An earlier run of the same settings and pictures goes on.

    Attributes:
        epochs_done: epochs that the earlier run has done.
        folder: folder of the run.
    """

    epochs_done: int
    folder: Path


@dataclass(frozen=True)
class Stored:
    """The model is stored.

    Attributes:
        name: name of the model.
        folder: folder that holds its files.
    """

    name: str
    folder: Path


Event = Loading | Resumed | Progress | Stored


def train(
    config: ModelConfig,
    name: str,
    *,
    device: DeviceName = "auto",
    overwrite: bool = False,
    fresh: bool = False,
    on_event: Callable[[Event], None] = lambda _: None,
) -> StoredModel:
    """Train a model, store it among the person's own under a name, and open it; stopped, it goes on where it was.

    Args:
        config: Network and training; the training part names the data set.
        name: Name of the model.
        device: Where the network is trained (see `vae_core.runtime.devices.find_device`).
        overwrite: Whether a stored model of that name may be replaced.
        fresh: Whether to forget an earlier run of that name instead of going on with it.
        on_event: Function that is told of each step: `Loading`, `Resumed`, `Progress`, `Stored`.

    Raises:
        As for `run_training`.
    """
    request = TrainingRequest(name, config, device=device, overwrite=overwrite, fresh=fresh)
    folder = own_models()[0] / name
    for event in run_training(request):
        on_event(event)
        folder = event.folder if isinstance(event, Stored) else folder
    return open_stored_model(folder, name)


def run_training(request: TrainingRequest) -> Iterator[Event]:
    """Train, keep the weights of the lowest validation loss, and store them; stops where the iterator is closed.

    What has been trained in whole epochs by then is in the run's folder, and the same request goes on from there.

    Raises:
        ModelError: A model of the name is stored or shipped already, the name breaks its rule, or a folder cannot be
            written or holds what is somebody else's.
        DatasetError: The data set is unknown, missing or damaged.
        ConfigError: There is no such device.
        TrainingError: The run's folder is in use, or was begun with other settings or pictures; the loss is no longer
            a finite number.
    """
    folder = (request.places.runs or runs_folder()) / check_name(request.name)
    target = _free_target(request, folder)
    with held_run_folder(folder, fresh=request.fresh):
        yield Loading(need_training(request.config).dataset)
        parts = _load(request)
        fingerprint = _fingerprint(request, parts)
        trainer = Trainer(
            request.config, parts["train"].images, parts["validation"].images, folder=folder, device=request.device
        )
        _check_pictures(folder, trainer, seen_files(parts))
        if trainer.resume():
            yield Resumed(trainer.history.epochs_done, folder)
        yield from trainer.run()
        _store(request, target, trainer, fingerprint)
    yield Stored(request.name, target)


def _free_target(request: TrainingRequest, run: Path) -> Path:
    """The folder for the model; one in which it can be stored, known before hours are spent."""
    models = request.places.models or own_models()[0]
    if not request.of_collection:
        check_not_shipped(request.name, models)
    target = models / check_name(request.name)
    if run.resolve() == target.resolve():
        raise ModelError(f"a model and its run have a folder each, got {target} for both; give another --run-dir.")
    check_replaceable(target)
    if is_model(target) and not request.overwrite:
        raise ModelError(f"{target} holds a model already; choose another --name or give --overwrite.")
    try:
        models.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"{models} cannot be written ({error.strerror}); choose another --models-dir.") from error
    return target


def _load(request: TrainingRequest) -> dict[Split, LabelledImages]:
    return load_splits(
        need_training(request.config).dataset,
        TRAINED_ON,
        data_dir=request.places.data,
        image_shape=request.config.image_shape,
        preparation=request.config.preparation,
    )


def _fingerprint(request: TrainingRequest, parts: dict[Split, LabelledImages]) -> Fingerprint:
    dataset = need_training(request.config).dataset
    own = None if dataset in DATASETS else find_own_set(dataset)
    return fingerprint_of(parts, split_rule=own.split_rule if own else 0)


def _check_pictures(folder: Path, trainer: Trainer, now: SeenFiles) -> None:
    """Let a run go on that was begun with these pictures; note their files for a run that begins."""
    if not (folder / CHECKPOINT_FILE).is_file():
        write_seen(folder, now)
    elif checkpoint_pictures(folder) not in (None, trainer.pictures):  # None of one that version 0.1 wrote
        changes = f": {differences(read_seen(folder), now)}" if now.files else ""
        raise TrainingError(
            f"{folder} was begun with other pictures than there are now{changes}. Give --fresh to begin anew, or "
            "another --name for a model of its own."
        )


def _store(request: TrainingRequest, target: Path, trainer: Trainer, pictures: Fingerprint) -> None:
    record = _record(request, trainer, pictures)
    info = DATASETS.get(need_training(request.config).dataset)
    with replaced_model(target) as new:  # figures, map and card of old weights say nothing of these
        trainer.best_model().half().write(new)
        write_metrics(new, {"training": record})
        card = new_card(request.name, request.config, info, record, command=command_of(request))
        write_text_whole(new / CARD_FILE, card)


def _record(request: TrainingRequest, trainer: Trainer, pictures: Fingerprint) -> dict[str, Any]:
    """What metrics.json says of the training: how to have it again, and what it took."""
    cores = "1 core" if request.threads == 1 else f"{request.threads} cores"
    accelerator = "" if trainer.device.type == "cpu" else f", {trainer.device.type}"
    return {
        "request": provenance(request),
        "pictures": json.loads(config_to_json(pictures)),
        "seed": trainer.settings.seed,
        "seconds": round(trainer.history.seconds, 1),
        "machine": f"{cores} ({platform.machine()}{accelerator}), torch {torch.__version__}",
        "best_epoch": trainer.history.best_epoch,
        "validation_loss": trainer.history.best_loss,
    }
