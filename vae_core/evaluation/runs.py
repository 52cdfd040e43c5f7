"""A stored model measured: from its name to figures, card and reference set, stored at once."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vae_core.datasets.fingerprint import Fingerprint, fingerprint_of
from vae_core.datasets.folders import BY_POSITION
from vae_core.datasets.labelled import Split
from vae_core.datasets.own_sets import find_own_set, register_folder
from vae_core.datasets.parts import Parts, load_parts
from vae_core.datasets.registry import DATASET_NAMES, DATASETS
from vae_core.errors import ConfigError, DatasetError, ModelError
from vae_core.evaluation.report import Report, measure
from vae_core.models.config import ModelConfig, need_training
from vae_core.models.config_file import config_text
from vae_core.models.vae import CARD_FILE, CONFIG_FILE, VAE
from vae_core.runtime.devices import DeviceName, find_device
from vae_core.runtime.locations import cache_folder, shipped_models
from vae_core.runtime.strict_json import config_to_json
from vae_core.runtime.whole_files import write_text_whole
from vae_core.runtime.whole_folders import read_whole
from vae_core.store.cards import card_text, with_metrics
from vae_core.store.identity import weights_digest
from vae_core.store.metrics_file import METRICS_FILE, metrics_text, read_metrics
from vae_core.store.stored_models import MODEL_FILES, REFERENCE_FILE, check_name, model_folder, replaced_model
from vae_core.store.training_record import seen_pictures

__all__ = ["Evaluated", "evaluate"]

NEED_REFERENCE = ("placement", "samples")  # sections that stay as they are where no reference set is built
TRAINED_ON: tuple[Split, Split] = ("train", "validation")

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A stored model that was measured.

    Attributes:
        folder: Folder that holds its files.
        config: Configuration of the model.
        metrics: What was measured, in sections, as metrics.json holds it.
        stored: Whether it was stored; a shipped model is left as it is unless its folder is named.
    """

    folder: Path
    config: ModelConfig
    metrics: dict[str, Any]
    stored: bool


def evaluate(
    name: str,
    *,
    dataset: str | Path | None = None,
    with_reference: bool = True,
    device: DeviceName = "auto",
    models_dir: Path | None = None,
    data_dir: Path | None = None,
    say: Say = lambda _: None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluated:
    """Measure a stored model on its test images, build its reference set, and store both with its card.

    Args:
        name: Name of the model.
        dataset: Folder of images that the model was trained on, where this machine does not know it; None else.
        with_reference: Whether to build the reference set, which the map needs.
        device: Where the network runs (see `vae_core.runtime.devices.find_device`).
        models_dir: Folder of the models; where models are looked for when None. Named, it may be that of the shipped
            models, which are else measured and left as they are.
        data_dir: Folder of data sets' archives; that in VAE_DATA_DIR when None.
        say: Function that is told what comes next, since some of it takes minutes.
        progress: Function that is told how many images of how many the likelihood is estimated for.

    Raises:
        ModelError: There is no such model, it is damaged or was trained anew meanwhile, or it cannot be written.
        ConfigError: Its config.json breaks a rule, or a folder is given for a model of a named data set.
        DatasetError: The data set is missing or damaged, or its images are not those that the model was trained on.
        InputError: There are too few images for a reference set.
    """
    folder = model_folder(name) if models_dir is None else models_dir / check_name(name)
    target = find_device(device)
    model, digest = read_whole(folder, lambda: (VAE.from_pretrained(folder), weights_digest(folder)))
    seen = seen_pictures(folder)
    config = _with_dataset(name, model.config, seen, None if dataset is None else str(dataset))
    parts = load_parts(
        need_training(config).dataset,
        image_shape=config.image_shape,
        preparation=config.preparation,
        data_dir=data_dir,
    )
    pictures = _pictures(name, need_training(config).dataset, parts, seen, say)
    report = measure(
        model.to(target),
        parts,
        with_reference=with_reference,
        cache=cache_folder() / "classifiers",
        say=say,
        progress=progress,
    )
    is_left = models_dir is None and folder.parent == shipped_models()
    if not is_left:
        _store(folder, report, config, pictures, digest)
    return Evaluated(folder, config, report.metrics, not is_left)


# -- the pictures --------------------------------------------------------------------------------------------------


def _with_dataset(name: str, config: ModelConfig, seen: Fingerprint | None, given: str | None) -> ModelConfig:
    """The model's configuration with the id of a data set that this machine knows.

    Raises:
        ConfigError: A folder is given for a model of a named set.
        DatasetError: The model was trained on a folder that is not known here, or that is divided by another rule.
    """
    training = need_training(config)
    rule = seen.split_rule if seen is not None else BY_POSITION
    if training.dataset in DATASETS:
        if given is not None:
            raise ConfigError(
                f"--dataset is for models of a folder of images; {name} was trained on {training.dataset}."
            )
        return config
    if given is None:
        own = find_own_set(training.dataset)
        if own is None or own.split_rule != rule:
            raise DatasetError(
                f"{name} was trained on a folder of images that this machine does not know; give --dataset FOLDER to "
                "say where it is."
            )
        return config
    folder = Path(given).expanduser()
    if not folder.is_dir():
        raise DatasetError(f"--dataset must be a folder of images, got {folder}.")
    dataset = register_folder(folder, taken=DATASET_NAMES, preferred=training.dataset, rule=rule)
    return dataclasses.replace(config, training=dataclasses.replace(training, dataset=dataset))


def _pictures(name: str, dataset: str, parts: Parts, seen: Fingerprint | None, say: Say) -> Fingerprint:
    """The fingerprint of what the model was trained on and of what it is tested on.

    Raises:
        DatasetError: The pictures have changed so that some which the model was trained on may count as unseen.
    """
    own = None if dataset in DATASETS else find_own_set(dataset)
    every: dict[Split, Any] = {"train": parts.train, "validation": parts.validation, "test": parts.test}
    now = fingerprint_of(every, split_rule=own.split_rule if own else 0)
    if seen is None:
        return now
    if any(seen.digests.get(split) != now.digests[split] for split in TRAINED_ON):
        if seen.shifted or now.shifted or now.split_rule == BY_POSITION:
            raise DatasetError(
                f"the pictures of {dataset!r} must be those that {name} was trained on, so that it is not tested on "
                "what it has learned, got others; put them back as they were, or train it anew."
            )
        before, after = (sum(each.images.get(split, 0) for split in TRAINED_ON) for each in (seen, now))
        say(
            f"{dataset!r} has changed since the training ({before:,} images to train on then, {after:,} now); "
            "none that it was trained on is tested on"
        )
    return dataclasses.replace(
        now,
        images={**now.images, **{split: count for split, count in seen.images.items() if split in TRAINED_ON}},
        digests={**now.digests, **{split: each for split, each in seen.digests.items() if split in TRAINED_ON}},
        shifted=seen.shifted or now.shifted,
    )


# -- storing --------------------------------------------------------------------------------------------------------


def _store(folder: Path, report: Report, config: ModelConfig, pictures: Fingerprint, digest: str) -> None:
    """Store figures, card and reference set at once, beside the weights that were measured."""
    kept = {"training"} if report.reference is not None else {"training", *NEED_REFERENCE}
    metrics = {name: section for name, section in read_metrics(folder).items() if name in kept} | report.metrics
    if isinstance(training := metrics.get("training"), dict):
        metrics["training"] = {**training, "pictures": json.loads(config_to_json(pictures))}
    text, card = metrics_text(folder, metrics), with_metrics(card_text(folder), folder, metrics, config)
    with replaced_model(folder, keep=MODEL_FILES) as new:
        if weights_digest(new) != digest:
            raise ModelError(f"{folder.name} was trained anew while it was measured; run evaluate again.")
        write_text_whole(new / CONFIG_FILE, config_text(config))
        write_text_whole(new / METRICS_FILE, text)
        write_text_whole(new / CARD_FILE, card)
        if report.reference is not None:
            report.reference.save(new / REFERENCE_FILE)
