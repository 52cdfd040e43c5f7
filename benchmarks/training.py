"""Images a second of this project's Trainer beside pythae's, on the same network and the same data.

Both train a 784-400-20-400-784 network with SiLU, a sigmoid output and binary cross-entropy by Adam at 0.001 in
batches of 256, with the same number of torch threads, on the same random pictures, without
evaluation or checkpoints. This project's Adam is torch's fused one, pythae's the one that torch takes by default: the
same update, computed faster. Each side is run as its users run it: this project's `Trainer` on uint8 pictures, and
pythae's `BaseTrainer` on its `BaseDataset` of float32, whose DataLoader fetches and stacks single pictures, once
in its default way and once with as many loader processes as there are cores. Each run is a process of its own, the
sides take turns, and the first epoch of a run is discarded; an epoch is timed whole, from its start to the next.

pythae (Apache-2.0) is no dependency of this project: pip puts it into a temporary folder, without dependencies,
since torch, numpy, pydantic and tqdm are here already; only cloudpickle, which it imports, comes along.
"""

import argparse
import contextlib
import importlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.common import ROOT, cores, print_head, print_table, print_verdict
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.training.trainer import Trainer

YARDSTICK = ("pythae==0.1.2", "cloudpickle==3.1.2")
SHAPE = (1, 28, 28)
PIXELS, HIDDEN, LATENT = 784, 400, 20
BATCH = 256  # images
LEARNING_RATE = 1e-3
ENOUGH_SECONDS = 100.0  # after which no further round begins
RATIO = 2.0  # this project's images a second for each of pythae's, at least

SIDES = {
    "ours": "this project: Trainer",
    "pythae": "pythae: BaseTrainer",
    "pythae-loaders": f"pythae: BaseTrainer, {cores()} loader processes",
}


def main() -> None:
    options = parse_options()
    if options.side:
        print(json.dumps(SIDE_RUNS[options.side](options)))
        return
    print_head("Training: images a second beside pythae")
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder))
        epochs: dict[str, list[float]] = {side: [] for side in SIDES}
        started = time.monotonic()
        for number in range(options.rounds):
            if number > 0 and time.monotonic() - started > ENOUGH_SECONDS:
                break  # a busy machine: fewer runs rather than a long wait
            for side, taken in epochs.items():
                taken += run_side(side, Path(folder), options)
    report(epochs, options.images)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Images a second of this project's Trainer and of pythae's.")
    parser.add_argument("--images", type=int, default=10_000, help="in an epoch (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=3, help="that count, in each run (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side, at most (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=cores(), help="of torch (default: %(default)s)")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)  # what a run's own process does
    return parser.parse_args()


def install(folder: Path) -> None:
    """Put pythae into the folder; nothing else changes."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--target", str(folder), *YARDSTICK], check=True)
    print(f"Installed {' and '.join(YARDSTICK)} into a temporary folder.\n", flush=True)


def run_side(side: str, folder: Path, options: argparse.Namespace) -> list[float]:
    """Seconds of each epoch, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.training", "--side", side]
    command += [f"--{name}={getattr(options, name)}" for name in ("images", "epochs", "threads")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"{SIDES[side]} failed:\n{run.stderr}")
    seconds: list[float] = json.loads(run.stdout.splitlines()[-1])
    return seconds


def report(epochs: dict[str, list[float]], images: int) -> None:
    """The table and the ratios."""
    rates = {side: images / statistics.median(taken) for side, taken in epochs.items()}
    rows = []
    for side, taken in epochs.items():
        figures = [f"{rates[side]:,.0f}", f"{statistics.median(taken):.3f}", f"{min(taken):.3f}", str(len(taken))]
        rows.append([SIDES[side], *figures, f"{rates['ours'] / rates[side]:.2f}"])
    print_table(["trainer", "images/s", "median epoch s", "fastest epoch s", "epochs", "ours / this"], rows)
    print(f"\nAn epoch has {images:,} images. Ours uses torch's fused Adam, pythae torch's default.")
    ratio = rates["ours"] / max(rates["pythae"], rates["pythae-loaders"])
    target = f"at least {RATIO:g} times the images a second of pythae at its fastest; it is {ratio:.2f} times"
    print_verdict(target, met=ratio >= RATIO)


def pictures(count: int) -> Tensor:
    """Random pictures, uint8 [image, 1, 28, 28]; what they show makes no difference to the time."""
    return torch.randint(0, 256, (count, *SHAPE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def time_ours(options: argparse.Namespace) -> list[float]:
    """Epochs of this project's Trainer."""
    torch.set_num_threads(options.threads)
    settings = TrainingConfig(
        dataset="random",
        epochs=options.epochs + 1,
        batch_size=BATCH,
        optimizer="adam",
        learning_rate=LEARNING_RATE,
        schedule="constant",
        lr_warmup_steps=0,
        weight_decay=0.0,
    )
    config = ModelConfig(architecture="mlp", latent_dim=LATENT, widths=(HIDDEN,), training=settings)
    images = pictures(options.images)
    trainer = Trainer(config, images, images[:1])  # it always validates: one picture is next to nothing
    ends = [time.perf_counter()]
    ends += [time.perf_counter() for progress in trainer.run() if progress.validation is not None]
    return between(ends)


def time_pythae(options: argparse.Namespace, *, loaders: int = 0) -> list[float]:
    """Epochs of pythae's trainer, with its own data set, loader, loop and callbacks."""
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        return pythae_epochs(options, folder, loaders)


def pythae_epochs(options: argparse.Namespace, folder: str, loaders: int) -> list[float]:
    # By name, because it is there in the run's own process only.
    trainers, models = importlib.import_module("pythae.trainers"), importlib.import_module("pythae.models")
    callbacks = importlib.import_module("pythae.trainers.training_callbacks")
    data = importlib.import_module("pythae.data.datasets")
    ends: list[float] = []

    class Clock(callbacks.TrainingCallback):  # type: ignore[name-defined, misc]
        def on_epoch_begin(self, *_: object, **__: object) -> None:
            ends.append(time.perf_counter())

        def on_epoch_end(self, *_: object, **__: object) -> None:
            if len(ends) == options.epochs + 1:
                ends.append(time.perf_counter())

    config = models.VAEConfig(input_dim=SHAPE, latent_dim=LATENT, reconstruction_loss="bce")
    encoder, decoder = pythae_network()
    images = pictures(options.images).float() / 255
    settings = trainers.BaseTrainerConfig(
        output_dir=folder,
        num_epochs=options.epochs + 1,
        per_device_train_batch_size=BATCH,
        train_dataloader_num_workers=loaders,
        optimizer_cls="Adam",
        learning_rate=LEARNING_RATE,
        no_cuda=True,
    )
    trainer = trainers.BaseTrainer(
        model=models.VAE(config, encoder=encoder, decoder=decoder),
        train_dataset=data.BaseDataset(images, torch.ones(len(images))),
        training_config=settings,
        callbacks=[Clock()],
    )
    trainer.train()
    return between(ends)


def pythae_network() -> tuple[nn.Module, nn.Module]:
    """The same layers in the form that pythae asks of its users."""
    base = importlib.import_module("pythae.models.nn")
    output = importlib.import_module("pythae.models.base.base_utils").ModelOutput

    class Encoder(base.BaseEncoder):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            base.BaseEncoder.__init__(self)
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, HIDDEN), nn.SiLU())
            self.mean, self.logvar = nn.Linear(HIDDEN, LATENT), nn.Linear(HIDDEN, LATENT)

        def forward(self, x: Tensor) -> object:
            h = self.body(x)
            return output(embedding=self.mean(h), log_covariance=self.logvar(h))

    class Decoder(base.BaseDecoder):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            base.BaseDecoder.__init__(self)
            layers = [nn.Linear(LATENT, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, PIXELS), nn.Sigmoid()]
            self.body = nn.Sequential(*layers, nn.Unflatten(1, SHAPE))

        def forward(self, z: Tensor) -> object:
            return output(reconstruction=self.body(z))

    return Encoder(), Decoder()


def between(ends: list[float]) -> list[float]:
    """Seconds of each epoch but the first, which warms up."""
    return [after - before for before, after in itertools.pairwise(ends[1:])]


SIDE_RUNS: dict[str, Callable[[argparse.Namespace], list[float]]] = {
    "ours": time_ours,
    "pythae": time_pythae,
    "pythae-loaders": lambda options: time_pythae(options, loaders=cores()),
}


if __name__ == "__main__":
    main()
