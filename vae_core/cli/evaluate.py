"""The evaluate command: a stored model measured, its reference set built."""

import argparse
import sys
from typing import Any

from tqdm import tqdm

from vae_core.evaluation.runs import evaluate

__all__ = ["run_evaluate"]


def run_evaluate(options: argparse.Namespace) -> None:
    """Write metrics.json, reference.npz and the card's figures of one stored model, and print the first of them."""
    with tqdm(unit="image", disable=None, leave=False, dynamic_ncols=True, delay=0.1) as bar:  # nothing before progress

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        done = evaluate(
            options.name,
            dataset=options.dataset,
            with_reference=not options.no_reference,
            device=options.device,
            models_dir=options.models_dir,
            data_dir=options.data_dir,
            say=lambda step: tqdm.write(f"{options.name}: {step}", file=sys.stderr),
            progress=progress,
        )
    print(f"{options.name}: {_in_short(done.metrics['test'], variational=done.config.variational)}")
    if not done.stored:
        there = done.folder.parent
        print(f"{options.name} comes with the program and is left as it is; --models-dir {there} stores this.")


def _in_short(test: dict[str, Any], *, variational: bool) -> str:
    terms = (
        f"= {test['reconstruction']:.2f} reconstruction + {test['kl']:.2f} KL" if variational else "of reconstruction"
    )
    return f"{test['negative_elbo']:.2f} nats {terms} on {test['images']} test images ({test['pixels']})"
