"""The figures of stored models for people: in a table, beside published ones, as a headline, as rate and distortion."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.catalogue import Entry
from app.charts import RatePoint
from vae_core.card import figure_at
from vae_core.presets import Published

__all__ = [
    "BY_PATH",
    "RATE_FAMILY",
    "Figure",
    "columns",
    "figure_of",
    "headline",
    "published_rows",
    "rate_points",
]

RATE_FAMILY = "Rate and distortion"
HEADLINES = 2  # figures on a model's tile


@dataclass(frozen=True)
class Figure:
    """One of the figures in metrics.json.

    Attributes:
        path: Into metrics.json.
        title: With the unit.
        meaning: One sentence.
        digits: Behind the decimal point.
        headline: How it reads on a tile, ``{}`` being the number; empty for what stays in the table.
        needs_kl: Whether a plain autoencoder, which has no KL term, lacks it whatever its file holds.
    """

    path: str
    title: str
    meaning: str
    digits: int
    headline: str = ""
    needs_kl: bool = False


# In the order of the table.
FIGURES = (
    Figure(
        "test.negative_elbo",
        "−ELBO, nats",
        "Minus the evidence lower bound, the mean over test images with one posterior sample each: lower is better. "
        "It compares models of the same data and pixels only.",
        2,
        headline="−ELBO {} nats",
        needs_kl=True,
    ),
    Figure(
        "likelihood.negative_log_likelihood",
        "NLL, nats",
        "Negative log-likelihood of test images by importance sampling: lower is better. Only for pixels that are "
        "black or white, where the Bernoulli term is a likelihood.",
        2,
        needs_kl=True,
    ),
    Figure(
        "quality.psnr",
        "PSNR, dB",
        "Of reconstructions of test images, in decibels: higher is better.",
        2,
        headline="PSNR {} dB",
    ),
    Figure(
        "quality.pca_psnr",
        "PCA PSNR, dB",
        "The same of principal components, as many as the model has dimensions: what a linear method reaches.",
        2,
    ),
    Figure(
        "quality.ssim", "SSIM", "Structural similarity of reconstructions to test images: 1 is an identical picture.", 3
    ),
    Figure(
        "test.active_units",
        "Active units",
        "Dimensions whose posterior mean varies over test images by a variance above 0.01.",
        0,
        needs_kl=True,
    ),
    Figure(
        "probe.accuracy",
        "Linear probe",
        "Share of test images that a linear classifier gets right, trained on the codes of a few labelled images.",
        3,
        headline="linear probe {}",
    ),
    Figure(
        "disentanglement.train.model.mig",
        "MIG",
        "Mutual information gap on the training grid, from 0 to 1: does one dimension alone tell of each factor?",
        3,
        headline="MIG {}",
    ),
    Figure(
        "disentanglement.train.model.dci_disentanglement",
        "DCI",
        "DCI disentanglement on the training grid, from 0 to 1: does each dimension tell of one factor only?",
        3,
    ),
    Figure(
        "samples.prior",
        "Fréchet, prior",
        "Fréchet distance from test images to draws from N(0, I), in the features of a small classifier of our own: "
        "lower is better. It does not compare with FID figures elsewhere.",
        2,
    ),
    Figure(
        "samples.mixture",
        "Fréchet, mixture",
        "The same distance to draws from the Gaussian mixture fitted to codes of training images.",
        2,
    ),
)
BY_PATH = {figure.path: figure for figure in FIGURES}
HEADLINE_ORDER = ("test.negative_elbo", "disentanglement.train.model.mig", "probe.accuracy", "quality.psnr")


def figure_of(entry: Entry, path: str) -> float | None:
    """The figure at a path such as ``"test.kl"``; None where it was not measured, or does not apply."""
    figure = BY_PATH.get(path)
    plain = entry.config is not None and not entry.config.variational
    if plain and figure is not None and figure.needs_kl:
        return None
    try:
        value = figure_at(entry.metrics, path)
    except (TypeError, ValueError):  # a file from outside may hold anything
        return None
    return value if value is not None and math.isfinite(value) else None


def columns(entries: Sequence[Entry]) -> dict[str, list[float]]:
    """The figures that at least one of the models has, by path; NaN where one has not."""
    found = {path: [figure_of(entry, path) for entry in entries] for path in BY_PATH}
    return {
        path: [math.nan if value is None else value for value in values]
        for path, values in found.items()
        if any(value is not None for value in values)
    }


def headline(entry: Entry) -> str:
    """The one or two figures that say most of a model; empty when it has none."""
    found = [(BY_PATH[path], figure_of(entry, path)) for path in HEADLINE_ORDER]
    shown = [figure.headline.format(shown_as(value, figure.digits)) for figure, value in found if value is not None]
    return " · ".join(shown[:HEADLINES])


def published_rows(entries: Iterable[Entry]) -> list[dict[str, str]]:
    """Figures that others published, each beside the model's own, as text."""
    return [_published_row(entry, row) for entry in entries if entry.preset for row in entry.preset.published]


def _published_row(entry: Entry, row: Published) -> dict[str, str]:
    ours, figure = figure_of(entry, row.figure), BY_PATH.get(row.figure)
    return {
        "Model": entry.name,
        "Figure": figure.title if figure else row.figure,
        "This model": "not measured" if ours is None else shown_as(ours, row.digits),
        "Published": shown_as(row.value, row.digits),
        "Whose": row.model,
        "Source": row.source,
    }


def rate_points(entries: Iterable[Entry]) -> list[RatePoint]:
    """Rate and distortion of the models whose figures say them, plain autoencoders with their distortion alone."""
    points = []
    for entry in entries:
        rate, distortion = figure_of(entry, "test.kl"), figure_of(entry, "test.reconstruction")
        if entry.config is None or entry.config.training is None or distortion is None:
            continue
        if not entry.config.variational:
            points.append(RatePoint(entry.name, distortion))
        elif rate is not None:
            points.append(RatePoint(entry.name, distortion, rate, entry.config.training.beta))
    return points


def shown_as(value: float, digits: int) -> str:
    """A number for people, with a true minus."""
    return f"{value:,.{digits}f}".replace("-", "\u2212")
