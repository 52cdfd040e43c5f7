"""The figures of stored models for people: in a table, beside published ones, as a headline, as rate and distortion."""

import math
from collections.abc import Iterable, Sequence

from app.charts.rates import RatePoint
from app.services.catalogue import Entry
from vae_core.store.metric_table import METRICS, Metric, metric_at
from vae_core.store.presets import Published

__all__ = [
    "COLUMNS",
    "RATE_FAMILY",
    "columns",
    "heading",
    "headline",
    "metric_of",
    "published_rows",
    "rate_points",
]

RATE_FAMILY = "Rate and distortion"
HEADLINES = 2  # figures on a model's tile
# In the order of the table.
COLUMNS = (
    "test.negative_elbo",
    "likelihood.negative_log_likelihood",
    "quality.psnr",
    "quality.pca_psnr",
    "quality.ssim",
    "test.active_units",
    "probe.accuracy",
    "disentanglement.train.model.mig",
    "disentanglement.train.model.dci_disentanglement",
    "samples.prior",
    "samples.mixture",
)
HEADLINE_ORDER = ("test.negative_elbo", "disentanglement.train.model.mig", "probe.accuracy", "quality.psnr")


def heading(path: str) -> str:
    """What the figure's column is called."""
    name = _with_minus(METRICS[path].heading)
    return name[0].upper() + name[1:]


def metric_of(entry: Entry, path: str) -> float | None:
    """The figure at a path such as ``"test.kl"``; None where it was not measured, or does not apply."""
    plain = entry.config is not None and not entry.config.variational
    return None if plain and METRICS[path].needs_kl else metric_at(entry.metrics, path)


def columns(entries: Sequence[Entry]) -> dict[str, list[float]]:
    """The figures that at least one of the models has, by path; NaN where one has not."""
    found = {path: [metric_of(entry, path) for entry in entries] for path in COLUMNS}
    return {
        path: [math.nan if value is None else value for value in values]
        for path, values in found.items()
        if any(value is not None for value in values)
    }


def headline(entry: Entry) -> str:
    """The one or two figures that say most of a model; empty when it has none."""
    found = [(METRICS[path], metric_of(entry, path)) for path in HEADLINE_ORDER]
    shown = [_in_words(figure, value) for figure, value in found if value is not None]
    return " · ".join(shown[:HEADLINES])


def _in_words(figure: Metric, value: float) -> str:
    """Such as "PSNR 20.50 dB"."""
    return " ".join(filter(None, (_with_minus(figure.column), shown_as(value, figure.digits), figure.unit)))


def published_rows(entries: Iterable[Entry]) -> list[dict[str, str]]:
    """Figures that others published, each beside the model's own, as text."""
    return [_published_row(entry, row) for entry in entries if entry.preset for row in entry.preset.published]


def _published_row(entry: Entry, row: Published) -> dict[str, str]:
    ours = metric_of(entry, row.metric)
    return {
        "Model": entry.name,
        "Figure": heading(row.metric),
        "This model": "not measured" if ours is None else shown_as(ours, row.digits),
        "Published": shown_as(row.value, row.digits),
        "Whose": row.model,
        "Source": row.source,
    }


def rate_points(entries: Iterable[Entry]) -> list[RatePoint]:
    """Rate and distortion of the models whose figures say them, plain autoencoders with their distortion alone."""
    points = []
    for entry in entries:
        rate, distortion = metric_of(entry, "test.kl"), metric_of(entry, "test.reconstruction")
        if entry.config is None or entry.config.training is None or distortion is None:
            continue
        if not entry.config.variational:
            points.append(RatePoint(entry.name, distortion))
        elif rate is not None:
            points.append(RatePoint(entry.name, distortion, rate, entry.config.training.beta))
    return points


def shown_as(value: float, digits: int) -> str:
    """A number for people, with a true minus."""
    return _with_minus(f"{value:,.{digits}f}")


def _with_minus(text: str) -> str:
    return f"\u2212{text[1:]}" if text.startswith("-") else text
