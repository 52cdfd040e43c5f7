"""The command line: `python -m vae_core train | evaluate | models`."""

import argparse
import dataclasses
import os
import platform
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from tqdm import tqdm

from vae_core.card import update_figures, write_card
from vae_core.checkpoint import (
    REFERENCE_FILE,
    SHIPPED,
    check_name,
    list_models,
    load_model,
    model_folder,
    read_metrics,
    save_model,
    write_metrics,
)
from vae_core.config import ModelConfig, TrainingConfig, read_config
from vae_core.datasets import DATASETS, load_dataset
from vae_core.errors import ModelError, VAEExplorerError
from vae_core.evaluation import Evaluation, evaluate_elbo, placement_agreement
from vae_core.model import CONFIG_FILE, VAE
from vae_core.reference import REFERENCE_LIMIT, build_reference
from vae_core.training import Trainer

USAGE_ERROR = 2
PLACED_CODES = 500  # unseen validation images on which placement is compared with UMAP
REFERENCE_SEED = 0
EVALUATION_SEED = 0
MLP_WIDTHS, CONV_WIDTHS = (400,), (32, 64)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is; exit with 2."""
        self.exit(USAGE_ERROR, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 when something outside has to be mended first."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = build_parser().parse_args(arguments, argparse.Namespace(arguments=arguments))
    torch.set_num_threads(options.threads)
    try:
        options.run(options)
    except VAEExplorerError as error:
        print(f"vae_core {options.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return USAGE_ERROR
    except OSError as error:  # such as a file of a stored model that may not be written
        print(f"vae_core {options.command}: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print(f"\nvae_core {options.command}: stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The parser with its commands; every option's help gives its unit and default."""
    parser = Parser(prog="python -m vae_core", description="Train, evaluate and list variational autoencoders.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    add_train(commands)
    add_evaluate(commands)
    models = _add_command(commands, "models", "List the stored models with their figures.")
    models.set_defaults(run=run_models)
    return parser


def add_train(commands: Any) -> None:
    """The train command."""
    train = _add_command(commands, "train", "Train a model; a run that was stopped goes on where it was.")
    train.set_defaults(run=run_train)
    train.add_argument("--dataset", required=True, help=f"{', '.join(DATASETS)}, or a folder of images")
    train.add_argument("--name", required=True, help="of the stored model: a-z, 0-9, '.', '-', '_'")
    train.add_argument("--models-dir", type=Path, default=SHIPPED, help="folder in which the model is stored")
    train.add_argument("--run-dir", type=Path, default=Path("runs"), help="folder for checkpoints")
    train.add_argument("--data-dir", type=Path, default=None, help="folder of data files; VAE_DATA_DIR when not given")
    train.add_argument("--overwrite", action="store_true", help="replace a stored model of that name")
    train.add_argument("--fresh", action="store_true", help="forget an earlier run's checkpoint")
    _add_model_options(train.add_argument_group("model"))
    _add_training_options(train.add_argument_group("training"))


def _add_model_options(group: Any) -> None:
    model = ModelConfig()
    group.add_argument("--architecture", choices=("mlp", "conv"), default=model.architecture, help="kind of network")
    group.add_argument("--latent-dim", type=int, default=model.latent_dim, help="dimensions of z")
    group.add_argument("--likelihood", choices=("bernoulli", "gaussian"), default=model.likelihood, help="of a pixel")
    group.add_argument("--autoencoder", action="store_true", help="plain: no noise, no KL term")
    group.add_argument(
        "--widths",
        type=_integers,
        default=None,
        help="comma-separated: units a layer (mlp, 400) or channels a resolution (conv, 32,64)",
    )
    group.add_argument("--blocks", type=int, default=model.blocks, help="residual blocks a resolution (conv)")
    group.add_argument("--dense-units", type=int, default=model.dense_units, help="units of the dense layer (conv)")
    group.add_argument("--image-size", type=int, default=28, help="pixels a side, for a folder of images")
    group.add_argument("--grey", action="store_true", help="grey instead of RGB, for a folder of images")


def _add_training_options(group: Any) -> None:
    run = TrainingConfig(dataset="")
    group.add_argument("--epochs", type=int, default=run.epochs, help="passes over the training images")
    group.add_argument("--batch-size", type=int, default=run.batch_size, help="images a step")
    group.add_argument("--optimizer", choices=("adam", "adamw", "sgd"), default=run.optimizer, help="update rule")
    group.add_argument("--learning-rate", type=float, default=run.learning_rate, help="largest step size")
    group.add_argument("--lr-warmup-steps", type=int, default=run.lr_warmup_steps, help="steps of rising step size")
    group.add_argument("--schedule", choices=("constant", "cosine"), default=run.schedule, help="of the step size")
    group.add_argument("--weight-decay", type=float, default=run.weight_decay, help="per unit of step size")
    group.add_argument("--beta", type=float, default=run.beta, help="weight of the KL term; 1 is the ELBO")
    group.add_argument("--kl-warmup-epochs", type=float, default=run.kl_warmup_epochs, help="epochs of rising weight")
    group.add_argument("--free-bits", type=float, default=run.free_bits, help="nats a latent dimension may keep free")
    group.add_argument("--binarise", choices=("none", "dynamic"), default=run.binarise, help="of grey pixels")
    group.add_argument("--clip-norm", type=float, default=run.clip_norm, help="largest gradient norm; 0 is off")
    group.add_argument(
        "--patience", type=int, default=run.patience, help="epochs without gain before stopping; 0 is off"
    )
    group.add_argument("--seed", type=int, default=run.seed, help="of weights, order and noise")


def add_evaluate(commands: Any) -> None:
    """The evaluate command."""
    evaluate = _add_command(
        commands, "evaluate", "Measure a stored model on its test images and build its reference set."
    )
    evaluate.set_defaults(run=run_evaluate)
    evaluate.add_argument("name", metavar="NAME", help="of a stored model")
    evaluate.add_argument(
        "--data-dir", type=Path, default=None, help="folder of data files; VAE_DATA_DIR when not given"
    )
    evaluate.add_argument("--no-reference", action="store_true", help="figures only; leave reference.npz as it is")


def run_train(options: argparse.Namespace) -> None:
    """Train, keep the weights of the lowest validation loss, and store them."""
    target = _prepare_target(options)
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
    trainer = Trainer(config, parts["train"].images, parts["validation"].images, folder=run_folder)
    if trainer.resume():
        print(f"going on after epoch {trainer.history.epochs_done} of {run_folder}")
    _show_progress(trainer)
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
    figures: dict[str, Any] = {"test": {**evaluation.figures(), "seed": EVALUATION_SEED, "pixels": _pixels(model)}}
    if not options.no_reference:
        figures["placement"] = _build_reference(folder, model, settings, test, evaluation, options.data_dir)
    write_metrics(folder, figures)
    update_figures(folder, read_metrics(folder))
    shown = figures["test"]
    print(
        f"{options.name}: {shown['negative_elbo']:.2f} nats = {shown['reconstruction']:.2f} reconstruction + "
        f"{shown['kl']:.2f} KL on {shown['images']} test images ({shown['pixels']})"
    )


def run_models(_options: argparse.Namespace) -> None:
    """Print one line a stored model."""
    print(f"{'name':24} {'kind':12} {'latent':>6} {'image':>12} {'-ELBO, nats':>12}  data set")
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
    elbo = f"{test['negative_elbo']:.2f}" if test else "-"
    shape = "x".join(map(str, config.image_shape))
    dataset = config.training.dataset if config.training else "-"
    return f"{name:24} {kind:12} {config.latent_dim:6} {shape:>12} {elbo:>12}  {dataset}"


def model_config(options: argparse.Namespace) -> ModelConfig:
    """The configuration that the train command's options ask for."""
    field_names = [field.name for field in dataclasses.fields(TrainingConfig)]
    training = TrainingConfig(**{name: getattr(options, name) for name in field_names})
    shape = {"channels": 1 if options.grey else 3, "height": options.image_size, "width": options.image_size}
    if info := DATASETS.get(options.dataset):
        shape = dict(zip(("channels", "height", "width"), info.image_shape, strict=True))
    base = ModelConfig()
    return ModelConfig(
        architecture=options.architecture,
        **shape,
        latent_dim=options.latent_dim,
        likelihood=options.likelihood,
        variational=not options.autoencoder,
        widths=options.widths or (MLP_WIDTHS if options.architecture == "mlp" else CONV_WIDTHS),
        blocks=options.blocks,
        dense_units=options.dense_units,
        preparation=info.preparation if info else base.preparation,
        training=training,
    )


def _add_command(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    command.add_argument(
        "--threads", type=_positive, default=os.cpu_count() or 1, help="processor cores that torch may use"
    )
    return command


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def _integers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"comma-separated whole numbers such as 32,64, got {text!r}") from None


def _prepare_target(options: argparse.Namespace) -> Path:
    """The stored model's folder, made now so that an unwritable one is known before training."""
    target: Path = options.models_dir / check_name(options.name)
    if (target / CONFIG_FILE).exists() and not options.overwrite:
        raise ModelError(f"{target} holds a model already; choose another --name or give --overwrite.")
    try:
        target.mkdir(parents=True, exist_ok=True)
        (options.run_dir / options.name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be written ({error.strerror}); choose another folder.") from error
    return target


def _show_progress(trainer: Trainer) -> None:
    with tqdm(total=trainer.steps_per_epoch, unit="batch", dynamic_ncols=True) as bar:
        for progress in trainer.run():
            if progress.validation is None:
                bar.set_description(f"epoch {progress.epoch}/{progress.epochs}")
                bar.n = progress.step
                bar.set_postfix_str(f"{progress.train.loss:.2f} nats, {progress.images_per_second:.0f} images/s")
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


def _pixels(model: VAE) -> str:
    settings = model.config.training
    if model.config.likelihood == "gaussian":
        return "Gaussian with learned variance, pixels in [0, 1]"
    binarised = settings is not None and settings.binarise == "dynamic"
    return "Bernoulli on dynamically binarised pixels" if binarised else "cross-entropy on grey pixels"


if __name__ == "__main__":
    sys.exit(main())
