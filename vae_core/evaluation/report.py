"""Everything that is measured of a stored model, in one pass: what `evaluate` writes."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vae_core.datasets.labelled import Factors, LabelledImages
from vae_core.datasets.parts import Parts, chosen_images, chosen_rows
from vae_core.datasets.registry import DATASETS
from vae_core.errors import InputError
from vae_core.evaluation.classifier import load_or_train
from vae_core.evaluation.disentanglement import (
    factor_entropies,
    mutual_information,
    name_dimensions,
    perfect_code,
    score_disentanglement,
    score_rotated,
)
from vae_core.evaluation.elbo import ACTIVE_VARIANCE, Evaluation, evaluate_elbo, placement_agreement, posteriors
from vae_core.evaluation.likelihood import estimate_likelihood
from vae_core.evaluation.probe import probe_codes
from vae_core.evaluation.quality import reconstruction_quality
from vae_core.evaluation.samples import sample_quality
from vae_core.latent.mixture import Mixture, fit_mixture
from vae_core.models.config import ModelConfig, TrainingConfig, need_training
from vae_core.models.inputs import model_input
from vae_core.models.pixel_likelihood import describe_pixels
from vae_core.models.posterior import Posterior
from vae_core.models.vae import VAE
from vae_core.reference.build import REFERENCE_LIMIT, Encoded, build_reference, check_enough
from vae_core.reference.reference_set import Reference

__all__ = ["FEWEST_REFERENCES", "SEED", "Report", "encode", "is_likelihood", "measure"]

SEED = 0  # of every measurement
FEWEST_REFERENCES = 2_000  # a smaller test part is filled up with training images
PLACED_CODES = 500  # unseen validation images on which placement is compared with UMAP
SMALL_PIXELS = 28 * 28  # up to here a thousand images' importance samples take minutes, not hours
LIKELIHOOD_IMAGES, LARGE_LIKELIHOOD_IMAGES = 1_000, 200  # whose gap to -ELBO is sampled, 5,000 times each
MIXTURE_CODES = 20_000  # training images to whose sampled codes the mixture is fitted

Say = Callable[[str], None]
Progress = Callable[[int, int], None]
Metrics = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Report:
    """What was measured.

    Attributes:
        metrics: Sections of metrics.json, by name.
        reference: Reference set; None where it was not asked for.
    """

    metrics: Metrics
    reference: Reference | None


@dataclass(frozen=True, eq=False)
class Subject:
    """The model under test, with what several measurements share.

    Attributes:
        model: Network in evaluation mode.
        settings: Settings of the model's training.
        parts: Parts of the model's data set.
        pictures: Test images as the model sees them, in [0, 1].
        evaluation: Both terms of -ELBO on the test images.
    """

    model: VAE
    settings: TrainingConfig
    parts: Parts
    pictures: Float[Tensor, "n c h w"]
    evaluation: Evaluation

    @functools.cached_property
    def training(self) -> Posterior:
        """The posteriors of all training images, encoded when they are first asked for."""
        return encode(self.model, self.parts.train, self.settings)

    @property
    def has_classes(self) -> bool:
        """Whether the images have labels that say what they show."""
        info = DATASETS.get(self.settings.dataset)
        return info is not None and bool(info.classes)

    @property
    def has_factors(self) -> bool:
        """Whether it is known what the images were drawn by."""
        return self.parts.train.factors is not None and self.parts.test.factors is not None


def is_likelihood(config: ModelConfig, images: Tensor) -> bool:
    """Whether the Bernoulli term is a likelihood of these pixels, uint8: of binarised or of black and white ones."""
    if config.likelihood != "bernoulli" or not config.variational:
        return False
    binarised = need_training(config).binarise == "dynamic"
    return binarised or bool(((images == 0) | (images == 255)).all())


def measure(
    model: VAE, parts: Parts, *, with_reference: bool, cache: Path, say: Say, progress: Progress | None = None
) -> Report:
    """Measure a model on its test part by every definition that applies to it.

    Args:
        model: Network in evaluation mode, whose configuration has a training part.
        parts: Parts of the model's data set.
        with_reference: Whether to build the reference set too.
        cache: Folder in which the classifiers of the sample figures are kept.
        say: Function that is told what comes next, since some of it takes minutes, and what cannot be measured on so
            few images.
        progress: Function that is told how many images of how many the likelihood is estimated for.

    Raises:
        InputError: There are too few images for the reference set that was asked for.
    """
    if with_reference:
        check_enough(len(parts.test))
    settings = need_training(model.config)
    pictures = model_input(parts.test.images, settings, seed=SEED)
    subject = Subject(model, settings, parts, pictures, evaluate_elbo(model, pictures, seed=SEED))
    shown = {**subject.evaluation.metrics(), "seed": SEED, "pixels": describe_pixels(model.config)}
    metrics: Metrics = {"test": shown}
    mixture = fit_codes(subject) if with_reference else None
    for name, section in applicable(subject, mixture, cache, progress).items():
        say(name)
        try:
            metrics[name] = section()
        except InputError as error:
            say(f"{name} left out: {error}")
    if mixture is None:
        return Report(metrics, None)
    say("reference set")
    names = tuple(metrics.get("disentanglement", {}).get("dimension_names", [""] * model.config.latent_dim))
    reference, reducer = build_reference(reference_codes(subject), parts.test.label_names, mixture, names, seed=SEED)
    unseen = encode(model, chosen_images(parts.validation, PLACED_CODES, seed=SEED), settings).mean.numpy()
    metrics["placement"] = placement_agreement(reference.umap_map, reducer, unseen)
    return Report(metrics, reference)


def applicable(
    subject: Subject, mixture: Mixture | None, cache: Path, progress: Progress | None
) -> dict[str, Callable[[], Metrics]]:
    """The sections of metrics.json that this model and its data set allow, and how each is measured."""
    model, parts, pictures = subject.model, subject.parts, subject.pictures
    sections = {"quality": lambda: measure_quality(subject)}
    if is_likelihood(model.config, parts.test.images):
        nats = subject.evaluation.negative_elbo
        gap_images = LIKELIHOOD_IMAGES if pictures[0].numel() <= SMALL_PIXELS else LARGE_LIKELIHOOD_IMAGES
        sections["likelihood"] = lambda: estimate_likelihood(
            model, pictures, nats, gap_images=gap_images, seed=SEED, progress=progress
        ).metrics()
    if subject.has_classes:
        sections["probe"] = lambda: measure_probe(subject)
        if mixture is not None:
            sections["samples"] = lambda: measure_samples(subject, mixture, cache)
    train, test = parts.train.factors, parts.test.factors
    if train is not None and test is not None:
        sections["disentanglement"] = lambda: measure_factors(subject, train, test)
    return sections


def encode(model: VAE, part: LabelledImages, settings: TrainingConfig) -> Posterior:
    """Posteriors of a part's images."""
    return posteriors(model, model_input(part.images, settings, seed=SEED))


def fit_codes(subject: Subject) -> Mixture:
    """The mixture of codes drawn from the posteriors of training images."""
    model, settings, parts = subject.model, subject.settings, subject.parts
    generator = torch.Generator("cpu").manual_seed(SEED)
    train = _for_mixture(subject).sample(generator)
    validation = encode(model, parts.validation, settings).sample(generator)
    return fit_mixture(train.numpy(), validation.numpy(), seed=SEED)


def _for_mixture(subject: Subject) -> Posterior:
    """The posteriors of a seeded choice of training images; where others are measured too, of those encoded anyway."""
    train = subject.parts.train
    if not (subject.has_classes or subject.has_factors):
        return encode(subject.model, chosen_images(train, MIXTURE_CODES, seed=SEED), subject.settings)
    rows = torch.from_numpy(chosen_rows(len(train), MIXTURE_CODES, seed=SEED))
    return Posterior(subject.training.mean[rows], subject.training.logvar[rows])


def measure_quality(subject: Subject) -> Metrics:
    """Reconstructions of the grey pictures, also where the model was trained on binarised ones: PCA sees the same."""
    grey = subject.parts.test.images.float() / 255
    return reconstruction_quality(subject.model, subject.parts.train.images, grey).metrics()


def measure_probe(subject: Subject) -> Metrics:
    """How well a linear classifier on few codes finds the labels."""
    train, test = subject.parts.train, subject.parts.test
    codes = subject.training.mean.numpy()
    return probe_codes(
        codes, train.labels.numpy(), subject.evaluation.posterior.mean.numpy(), test.labels.numpy(), seed=SEED
    ).metrics()


def measure_samples(subject: Subject, mixture: Mixture, cache: Path) -> Metrics:
    """Samples in the eyes of a classifier of the data set."""
    train, test = subject.parts.train, subject.parts.test
    classifier = load_or_train(cache, train.images, train.labels, classes=len(train.label_names), seed=SEED)
    quality = sample_quality(subject.model, classifier, test.images, test.labels, mixture, seed=SEED)
    return {**quality.metrics(), "components": len(mixture.weights)}


def measure_factors(subject: Subject, train: Factors, test: Factors) -> Metrics:
    """Disentanglement on the training images and on the test images, each with its ceilings, and what it names."""
    codes = subject.training.mean.numpy()
    information = mutual_information(codes, train.values)
    information[:, codes.var(axis=0) <= ACTIVE_VARIANCE] = 0  # bins know no scale: a dead one may seem to tell much
    names = name_dimensions(information, factor_entropies(train.values), train.names)
    return {
        "train": scores_with_ceilings(codes, train),
        "test": scores_with_ceilings(subject.evaluation.posterior.mean.numpy(), test),
        "factors": list(train.names),
        "dimension_names": list(names),
    }


def scores_with_ceilings(codes: Float[np.ndarray, "n d"], factors: Factors) -> Metrics:
    """Scores of the codes, of a perfect code and of a perfect one turned, on the same images."""
    latent_dim = codes.shape[1]
    perfect = perfect_code(factors.values, latent_dim, seed=SEED)
    return {
        "model": score_disentanglement(codes, factors.values, seed=SEED).metrics(),
        "perfect": score_disentanglement(perfect, factors.values, seed=SEED).metrics(),
        "rotated": score_rotated(factors.values, latent_dim, seed=SEED).metrics(),
    }


def reference_codes(subject: Subject) -> Encoded:
    """Encodings of the test images, and of training images where those are fewer than `FEWEST_REFERENCES`."""
    kept, evaluation = slice(0, REFERENCE_LIMIT), subject.evaluation
    labels = subject.parts.test.labels[kept]
    held_out = Encoded(
        Posterior(evaluation.posterior.mean[kept], evaluation.posterior.logvar[kept]),
        evaluation.reconstruction[kept].numpy(),
        labels.numpy(),
        np.ones(len(labels), dtype=bool),
    )
    missing = FEWEST_REFERENCES - len(labels)
    if missing <= 0:
        return held_out
    filling = chosen_images(subject.parts.train, missing, seed=SEED)
    pictures = model_input(filling.images, subject.settings, seed=SEED)
    filled = evaluate_elbo(subject.model, pictures, seed=SEED)
    return Encoded(
        Posterior(
            torch.cat([held_out.posterior.mean, filled.posterior.mean]),
            torch.cat([held_out.posterior.logvar, filled.posterior.logvar]),
        ),
        np.concatenate([held_out.reconstruction, filled.reconstruction.numpy()]),
        np.concatenate([held_out.labels, filling.labels.numpy()]),
        np.concatenate([held_out.held_out, np.zeros(len(filling), dtype=bool)]),
    )
