"""The evaluate command: a stored model measured, its reference set built."""

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vae_core.datasets.parts import load_parts
from vae_core.errors import ModelError
from vae_core.evaluation.report import Report, measure
from vae_core.models.config import ModelConfig, need_training
from vae_core.models.vae import CARD_FILE, CONFIG_FILE, VAE, WEIGHTS_FILE
from vae_core.runtime.devices import find_device
from vae_core.runtime.locations import cache_folder, shipped_models
from vae_core.runtime.whole_files import write_text_whole
from vae_core.runtime.whole_folders import read_whole
from vae_core.store.cards import card_text, with_metrics
from vae_core.store.metrics_file import METRICS_FILE, metrics_text, read_metrics
from vae_core.store.stored_models import MODEL_FILES, REFERENCE_FILE, check_name, model_folder, replaced_model

__all__ = ["run_evaluate"]

NEED_REFERENCE = ("placement", "samples")  # sections that --no-reference leaves as they are


def run_evaluate(options: argparse.Namespace) -> None:
    """Write metrics.json, reference.npz and the card's figures of one stored model.

    A shipped model is measured and left as it is, unless its folder is named.
    """
    folder = model_folder(options.name) if options.models_dir is None else options.models_dir / check_name(options.name)
    model, measured = read_whole(folder, lambda: (VAE.from_pretrained(folder), _weights_of(folder)))
    device = find_device(options.device)
    parts = load_parts(
        need_training(model.config).dataset,
        image_shape=model.config.image_shape,
        preparation=model.config.preparation,
        data_dir=options.data_dir,
    )
    with tqdm(unit="image", disable=None, leave=False, dynamic_ncols=True) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = measure(
            model.to(device),
            parts,
            with_reference=not options.no_reference,
            cache=cache_folder() / "classifiers",
            say=lambda step: tqdm.write(f"{options.name}: {step}", file=sys.stderr),
            progress=progress,
        )
    is_left = options.models_dir is None and folder.parent == shipped_models()
    if not is_left:
        _store(folder, report, model.config, measured)
    print(f"{options.name}: {_in_short(report.metrics['test'], variational=model.config.variational)}")
    if is_left:
        print(f"{options.name} comes with the program and is left as it is; --models-dir {folder.parent} stores this.")


def _store(folder: Path, report: Report, config: ModelConfig, measured: str) -> None:
    """Store figures, card and reference set at once, beside the weights that were measured."""
    kept = {"training"} if report.reference is not None else {"training", *NEED_REFERENCE}
    metrics = {name: section for name, section in read_metrics(folder).items() if name in kept} | report.metrics
    text, card = metrics_text(folder, metrics), with_metrics(card_text(folder), folder, metrics, config)
    with replaced_model(folder, keep=MODEL_FILES) as new:
        if _weights_of(new) != measured:
            raise ModelError(f"{folder.name} was trained anew while it was measured; run evaluate again.")
        write_text_whole(new / METRICS_FILE, text)
        write_text_whole(new / CARD_FILE, card)
        if report.reference is not None:
            report.reference.save(new / REFERENCE_FILE)


def _weights_of(folder: Path) -> str:
    """What tells one training of a model from another."""
    content = [(folder / name).read_bytes() for name in (CONFIG_FILE, WEIGHTS_FILE)]
    return hashlib.sha256(b"".join(content)).hexdigest()


def _in_short(test: dict[str, Any], *, variational: bool) -> str:
    terms = (
        f"= {test['reconstruction']:.2f} reconstruction + {test['kl']:.2f} KL" if variational else "of reconstruction"
    )
    return f"{test['negative_elbo']:.2f} nats {terms} on {test['images']} test images ({test['pixels']})"
