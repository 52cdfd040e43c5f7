"""The command line: `python -m vae_core train | train-all | evaluate | models`."""

import argparse
import platform
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from vae_core.cli.options import USAGE_ERROR, model_config, parse
from vae_core.datasets.labelled import Split
from vae_core.datasets.registry import DATASETS
from vae_core.errors import ModelError, VAEExplorerError
from vae_core.evaluation.report import load_part, load_parts, measure
from vae_core.models.vae import CONFIG_FILE, VAE
from vae_core.store.cards import update_figures, write_card
from vae_core.store.presets import find_preset
from vae_core.store.stored_models import (
    REFERENCE_FILE,
    check_name,
    clear_results,
    model_folder,
    read_metrics,
    replace_metrics,
    save_model,
    write_metrics,
)
from vae_core.store.summary import markdown_table, model_lines
from vae_core.training.trainer import Trainer

NEED_REFERENCE = ("placement", "samples")  # sections that --no-reference leaves as they are
TRAINED_ON: tuple[Split, Split] = ("train", "validation")
# Options that say nothing of what was trained: alone, and with the folder that follows them.
SWITCHES, FOLDERS = ("--overwrite", "--fresh"), ("--models-dir", "--run-dir", "--data-dir")


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


def run_train(options: argparse.Namespace) -> None:
    """Train, keep the weights of the lowest validation loss, and store them."""
    target = _free_target(options)
    config = model_config(options)
    train, validation = (load_part(config, split, options.data_dir).images for split in TRAINED_ON)
    run_folder = options.run_dir / options.name
    if options.fresh:
        shutil.rmtree(run_folder, ignore_errors=True)
    _make_folders(target, run_folder)
    trainer = Trainer(config, train, validation, folder=run_folder)
    if trainer.resume():
        print(f"going on after epoch {trainer.history.epochs_done} of {run_folder}")
    _show_progress(trainer)
    clear_results(target)
    save_model(trainer.best_model(), target)
    record = _run_record(options, trainer)
    write_metrics(target, {"training": record})
    write_card(target, config, DATASETS.get(options.dataset), record)
    print(f"stored in {target}; next: python -m vae_core evaluate {options.name}")


def run_evaluate(options: argparse.Namespace) -> None:
    """Write metrics.json, reference.npz and the card's figures of one stored model."""
    folder = model_folder(options.name) if options.models_dir is None else options.models_dir / check_name(options.name)
    model = VAE.from_pretrained(folder)
    parts = load_parts(model.config, options.data_dir)
    with tqdm(unit="image", disable=None, leave=False, dynamic_ncols=True) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = measure(
            model,
            parts,
            with_reference=not options.no_reference,
            cache=options.run_dir / "classifiers",
            say=lambda step: tqdm.write(f"{options.name}: {step}", file=sys.stderr),
            progress=progress,
        )
    if report.reference is not None:
        report.reference.save(folder / REFERENCE_FILE)
    kept = {"training"} if report.reference is not None else {"training", *NEED_REFERENCE}
    replace_metrics(folder, report.figures, keep=kept)
    update_figures(folder, read_metrics(folder), model.config)
    print(f"{options.name}: {_in_short(report.figures['test'], variational=model.config.variational)}")


def _in_short(test: dict[str, Any], *, variational: bool) -> str:
    terms = (
        f"= {test['reconstruction']:.2f} reconstruction + {test['kl']:.2f} KL" if variational else "of reconstruction"
    )
    return f"{test['negative_elbo']:.2f} nats {terms} on {test['images']} test images ({test['pixels']})"


def run_train_all(options: argparse.Namespace) -> None:
    """Train and evaluate the presets that are not stored yet, then print the collection."""
    folders = ["--models-dir", str(options.models_dir), "--run-dir", str(options.run_dir)]
    folders += ["--data-dir", str(options.data_dir)] if options.data_dir else []
    threads = ["--threads", str(options.threads)]
    presets = [find_preset(name) for name in options.only]  # all of them, before the first is trained
    for preset in presets:
        target = options.models_dir / preset.name
        if not (target / CONFIG_FILE).exists():
            run_train(_with_arguments(["train", "--preset", preset.name, *threads, *folders]))
        if not (target / REFERENCE_FILE).exists():
            run_evaluate(_with_arguments(["evaluate", preset.name, *threads, *folders]))
    print("\n".join(model_lines(options.models_dir)))


def _with_arguments(arguments: list[str]) -> argparse.Namespace:
    options = parse(arguments)
    options.arguments = arguments
    return options


def run_models(options: argparse.Namespace) -> None:
    """Print the stored models with their figures."""
    print(markdown_table() if options.markdown else "\n".join(model_lines()))


def _free_target(options: argparse.Namespace) -> Path:
    """The folder for the model, where none is stored yet."""
    target: Path = options.models_dir / check_name(options.name)
    if (target / CONFIG_FILE).exists() and not options.overwrite:
        raise ModelError(f"{target} holds a model already; choose another --name or give --overwrite.")
    return target


def _make_folders(*folders: Path) -> None:
    """Make them before training, so that one that cannot be written is known at once."""
    try:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be written ({error.strerror}); choose another folder.") from error


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
    return {
        "command": "python -m vae_core " + shlex.join(_telling(options.arguments)),
        "seed": trainer.settings.seed,
        "seconds": round(trainer.history.seconds, 1),
        "machine": f"{cores} ({platform.machine()}), torch {torch.__version__}",
        "best_epoch": trainer.history.best_epoch,
        "validation_loss": trainer.history.best_loss,
    }


COMMANDS = {"train": run_train, "train-all": run_train_all, "evaluate": run_evaluate, "models": run_models}
