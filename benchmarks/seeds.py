"""How much of a preset's disentanglement is its seed's: the same command with several seeds, and the scores of each.

    python -m benchmarks.seeds dsprites --seeds 0 1 2

Runs lie in runs/seeds and go on where they were stopped. The last column is what training looks at; the scores need
the factors, which no training sees.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from vae_core.datasets.labelled import LabelledImages
from vae_core.datasets.parts import Parts, load_parts
from vae_core.errors import InputError
from vae_core.evaluation.disentanglement import Disentanglement, score_disentanglement
from vae_core.evaluation.report import encode
from vae_core.models.config import ModelConfig, need_training
from vae_core.models.vae import VAE
from vae_core.store.presets import find_preset
from vae_core.training.trainer import Trainer

FOLDER = Path("runs/seeds")
COLUMNS = ("seed", "MIG, grid", "DCI, grid", "MIG, off the grid", "DCI, off the grid", "validation, nats")


def main() -> None:
    parser = argparse.ArgumentParser(description="One preset with several seeds.")
    parser.add_argument("preset")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--threads", type=int, default=1, help="a run; several side by side train more than one with all"
    )
    wanted = parser.parse_args()
    torch.set_num_threads(wanted.threads)
    print(f"| {' | '.join(COLUMNS)} |\n|{'---:|' * len(COLUMNS)}")
    for seed in wanted.seeds:
        print(row(wanted.preset, seed), flush=True)


def row(preset: str, seed: int) -> str:
    """Train with one seed and return its line of the table; DCI is its disentanglement."""
    config = find_preset(preset).config
    config = replace(config, training=replace(need_training(config), seed=seed))
    parts = load_parts(need_training(config).dataset, image_shape=config.image_shape, preparation=config.preparation)
    trainer = trained(config, parts, FOLDER / f"{preset}-{seed}")
    model = trainer.best_model()
    grid, off_grid = (scores(model, part) for part in (parts.train, parts.test))
    figures = (grid.mig, grid.dci_disentanglement, off_grid.mig, off_grid.dci_disentanglement)
    shown = " | ".join(f"{figure:.3f}" for figure in figures)
    return f"| {seed} | {shown} | {trainer.history.best_loss:.2f} |"


def trained(config: ModelConfig, parts: Parts, folder: Path) -> Trainer:
    """A run that is finished, now or before."""
    trainer = Trainer(config, parts.train.images, parts.validation.images, folder=folder)
    trainer.resume()
    for _ in trainer.run():
        pass
    return trainer


def scores(model: VAE, part: LabelledImages) -> Disentanglement:
    """Of the posterior means; the images must come with their factors."""
    if part.factors is None:
        raise InputError("disentanglement needs images with known factors: choose a preset of such a set.")
    means = encode(model, part, need_training(model.config)).mean
    return score_disentanglement(means.numpy(), part.factors.values)


if __name__ == "__main__":
    main()
