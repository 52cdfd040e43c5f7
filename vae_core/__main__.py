"""The command line: `python -m vae_core train | evaluate | models`."""

import argparse
import platform
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from vae_core.card import update_figures, write_card
from vae_core.checkpoint import (
    REFERENCE_FILE,
    check_name,
    clear_results,
    list_models,
    load_model,
    model_folder,
    read_metrics,
    save_model,
    write_metrics,
)
from vae_core.config import TrainingConfig, read_config
from vae_core.datasets import DATASETS, load_dataset
from vae_core.errors import ModelError, VAEExplorerError
from vae_core.evaluation import Evaluation, evaluate_elbo, placement_agreement
from vae_core.model import CONFIG_FILE, VAE
from vae_core.objective import describe_pixels
from vae_core.options import USAGE_ERROR, build_parser, model_config
from vae_core.reference import REFERENCE_LIMIT, build_reference
from vae_core.training import Trainer

PLACED_CODES = 500  # unseen validation images on which placement is compared with UMAP
REFERENCE_SEED = 0
EVALUATION_SEED = 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 when something outside has to be mended first."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = build_parser().parse_args(arguments, argparse.Namespace(arguments=arguments))
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
    if options.command != "train":
        return ""
    return f"; the same command{' without --fresh' if options.fresh else ''} goes on from here"


def run_train(options: argparse.Namespace) -> None:
    """Train, keep the weights of the lowest validation loss, and store them."""
    target = _free_target(options)
    config = model_config(options)
    parts = {
        split: load_dataset(
            options.dataset,
            split,
            data_dir=options.data_dir,
            image_shape=config.image_shape,
            preparation=config.preparation,
        )
        for split in ("train", "validation")
    }
    run_folder = options.run_dir / options.name
    if options.fresh:
        shutil.rmtree(run_folder, ignore_errors=True)
    _make_folders(target, run_folder)
    trainer = Trainer(config, parts["train"].images, parts["validation"].images, folder=run_folder)
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
    folder, model = model_folder(options.name), load_model(options.name)
    settings = model.config.training
    if settings is None:
        raise ModelError(f"{options.name} does not say what it was trained on: its config.json has no training part.")
    test = _load_part(model, settings, "test", options.data_dir)
    evaluation = evaluate_elbo(model, test.images, settings, seed=EVALUATION_SEED)
    shown = {**evaluation.figures(), "seed": EVALUATION_SEED, "pixels": describe_pixels(model.config)}
    figures: dict[str, Any] = {"test": shown}
    if not options.no_reference:
        figures["placement"] = _build_reference(folder, model, settings, test, evaluation, options.data_dir)
    write_metrics(folder, figures)
    update_figures(folder, read_metrics(folder), variational=model.config.variational)
    terms = "of reconstruction"
    if model.config.variational:
        terms = f"= {shown['reconstruction']:.2f} reconstruction + {shown['kl']:.2f} KL"
    nats, images = shown["negative_elbo"], shown["images"]
    print(f"{options.name}: {nats:.2f} nats {terms} on {images} test images ({shown['pixels']})")


def run_models(_options: argparse.Namespace) -> None:
    """Print one line a stored model."""
    print(f"{'name':24} {'kind':12} {'latent':>6} {'image':>12} {'objective, nats':>15}  data set")
    for name in list_models():
        try:
            print(_model_line(name))
        except VAEExplorerError as error:  # a damaged model does not hide the others
            print(f"{name:24} {error}")


def _model_line(name: str) -> str:
    folder = model_folder(name)
    config = read_config(folder / CONFIG_FILE)
    test = read_metrics(folder).get("test", {})
    kind = f"{config.architecture} {'VAE' if config.variational else 'AE'}"
    objective = f"{test['negative_elbo']:.2f}" if test else "-"
    shape = "x".join(map(str, config.image_shape))
    dataset = config.training.dataset if config.training else "-"
    return f"{name:24} {kind:12} {config.latent_dim:6} {shape:>12} {objective:>15}  {dataset}"


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
                    f"= {figures.reconstruction:.2f} + KL {figures.kl:.2f}{mark}"
                )


def _run_record(options: argparse.Namespace, trainer: Trainer) -> dict[str, Any]:
    return {
        "command": "python -m vae_core " + shlex.join(options.arguments),
        "seconds": round(trainer.history.seconds, 1),
        "machine": f"{options.threads} cores ({platform.machine()}), torch {torch.__version__}",
        "best_epoch": trainer.history.best_epoch,
        "validation_loss": trainer.history.best_loss,
    }


def _load_part(model: VAE, settings: TrainingConfig, split: Any, data_dir: Path | None) -> Any:
    shape, preparation = model.config.image_shape, model.config.preparation
    return load_dataset(settings.dataset, split, data_dir=data_dir, image_shape=shape, preparation=preparation)


def _build_reference(
    folder: Path, model: VAE, settings: TrainingConfig, test: Any, evaluation: Evaluation, data_dir: Path | None
) -> dict[str, Any]:
    """Store reference.npz and return how well placement agrees with UMAP on unseen validation images."""
    kept = slice(0, REFERENCE_LIMIT)
    posterior = type(evaluation.posterior)(evaluation.posterior.mean[kept], evaluation.posterior.logvar[kept])
    reference, reducer = build_reference(
        posterior,
        evaluation.reconstruction[kept].numpy(),
        test.labels[kept].numpy(),
        test.label_names,
        seed=REFERENCE_SEED,
    )
    reference.save(folder / REFERENCE_FILE)
    validation = _load_part(model, settings, "validation", data_dir)
    chosen = np.random.default_rng(REFERENCE_SEED).permutation(len(validation))[:PLACED_CODES]
    unseen = evaluate_elbo(model, validation.images[torch.from_numpy(chosen)], settings).posterior.mean.numpy()
    return placement_agreement(reference.umap_map, reducer, unseen)


COMMANDS = {"train": run_train, "evaluate": run_evaluate, "models": run_models}

if __name__ == "__main__":
    sys.exit(main())
