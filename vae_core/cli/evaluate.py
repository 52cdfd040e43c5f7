"""The evaluate command: a stored model measured, its reference set built."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

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
from vae_core.runtime.devices import find_device
from vae_core.runtime.locations import cache_folder, shipped_models
from vae_core.runtime.strict_json import config_to_json
from vae_core.runtime.whole_files import write_text_whole
from vae_core.runtime.whole_folders import read_whole
from vae_core.store.cards import card_text, with_metrics
from vae_core.store.identity import weights_digest
from vae_core.store.metrics_file import METRICS_FILE, metrics_text, read_metrics
from vae_core.store.stored_models import MODEL_FILES, REFERENCE_FILE, check_name, model_folder, replaced_model
from vae_core.store.training_record import seen_pictures

__all__ = ["run_evaluate"]

NEED_REFERENCE = ("placement", "samples")  # sections that --no-reference leaves as they are
TRAINED_ON: tuple[Split, Split] = ("train", "validation")


def run_evaluate(options: argparse.Namespace) -> None:
    """Write metrics.json, reference.npz and the card's figures of one stored model.

    A shipped model is measured and left as it is, unless its folder is named.
    """
    folder = model_folder(options.name) if options.models_dir is None else options.models_dir / check_name(options.name)
    device = find_device(options.device)
    model, digest = read_whole(folder, lambda: (VAE.from_pretrained(folder), weights_digest(folder)))
    config, seen = _with_dataset(model.config, seen_pictures(folder), options), seen_pictures(folder)
    parts = load_parts(
        need_training(config).dataset,
        image_shape=config.image_shape,
        preparation=config.preparation,
        data_dir=options.data_dir,
    )
    pictures = _pictures(options.name, need_training(config).dataset, parts, seen)
    report = _measure(model.to(device), parts, options)
    is_left = options.models_dir is None and folder.parent == shipped_models()
    if not is_left:
        _store(folder, report, config, pictures, digest)
    print(f"{options.name}: {_in_short(report.metrics['test'], variational=config.variational)}")
    if is_left:
        print(f"{options.name} comes with the program and is left as it is; --models-dir {folder.parent} stores this.")


# -- the pictures --------------------------------------------------------------------------------------------------


def _with_dataset(config: ModelConfig, seen: Fingerprint | None, options: argparse.Namespace) -> ModelConfig:
    """The model's configuration with the id of a data set that this machine knows.

    Raises:
        ConfigError: A folder is given for a model of a named set.
        DatasetError: The model was trained on a folder that is not known here, or that is divided by another rule.
    """
    training, name = need_training(config), options.name
    rule = seen.split_rule if seen is not None else BY_POSITION
    if training.dataset in DATASETS:
        if options.dataset is not None:
            raise ConfigError(
                f"--dataset is for models of a folder of images; {name} was trained on {training.dataset}."
            )
        return config
    if options.dataset is None:
        own = find_own_set(training.dataset)
        if own is None or own.split_rule != rule:
            raise DatasetError(
                f"{name} was trained on a folder of images that this machine does not know; give --dataset FOLDER to "
                "say where it is."
            )
        return config
    folder = Path(options.dataset).expanduser()
    if not folder.is_dir():
        raise DatasetError(f"--dataset must be a folder of images, got {folder}.")
    dataset = register_folder(folder, taken=DATASET_NAMES, preferred=training.dataset, rule=rule)
    return dataclasses.replace(config, training=dataclasses.replace(training, dataset=dataset))


def _pictures(name: str, dataset: str, parts: Parts, seen: Fingerprint | None) -> Fingerprint:
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
        tqdm.write(
            f"{name}: {dataset!r} has changed since the training ({before:,} images to train on then, {after:,} now); "
            "none that it was trained on is tested on",
            file=sys.stderr,
        )
    return dataclasses.replace(
        now,
        images={**now.images, **{split: count for split, count in seen.images.items() if split in TRAINED_ON}},
        digests={**now.digests, **{split: each for split, each in seen.digests.items() if split in TRAINED_ON}},
        shifted=seen.shifted or now.shifted,
    )


# -- measuring and storing -----------------------------------------------------------------------------------------


def _measure(model: VAE, parts: Parts, options: argparse.Namespace) -> Report:
    with tqdm(unit="image", disable=None, leave=False, dynamic_ncols=True) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return measure(
            model,
            parts,
            with_reference=not options.no_reference,
            cache=cache_folder() / "classifiers",
            say=lambda step: tqdm.write(f"{options.name}: {step}", file=sys.stderr),
            progress=progress,
        )


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


def _in_short(test: dict[str, Any], *, variational: bool) -> str:
    terms = (
        f"= {test['reconstruction']:.2f} reconstruction + {test['kl']:.2f} KL" if variational else "of reconstruction"
    )
    return f"{test['negative_elbo']:.2f} nats {terms} on {test['images']} test images ({test['pixels']})"
