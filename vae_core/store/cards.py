"""Model cards: the README.md beside a stored model, whose figures are written by `evaluate` alone."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from vae_core.datasets.registry import DatasetInfo
from vae_core.errors import ModelError
from vae_core.models.config import ModelConfig
from vae_core.models.vae import CARD_FILE
from vae_core.store.collection import preset_of
from vae_core.store.metric_table import METRICS, metric_at
from vae_core.store.metrics_file import METRICS_FILE
from vae_core.store.presets import Published

__all__ = ["BEGIN", "END", "card_text", "new_card", "with_metrics"]

BEGIN, END = "<!-- figures: written by evaluate -->", "<!-- end of figures -->"
TEXTS = Path(__file__).with_name("card_texts")  # NAME.md: what only a person can say of a preset's model

ARCHITECTURES = {"mlp": "fully connected", "conv": "convolutional"}

Row = tuple[str, str]
Section = dict[str, Any]  # of metrics.json
ShownT = TypeVar("ShownT")


def new_card(
    name: str, config: ModelConfig, info: DatasetInfo | None, training: dict[str, Any], *, command: str
) -> str:
    """The text of a new card: what the model is, what it saw, and the command that made it.

    Args:
        name: name of the model.
        config: its configuration, with a `training` part.
        info: the data set; None for a folder of pictures.
        training: seconds, machine and seed of the run, as in metrics.json.
        command: what asks for the same model again, on one line.
    """
    kind = "variational autoencoder" if config.variational else "plain autoencoder"
    preset = preset_of(name, config)
    lines = [
        f"# {name}",
        *([preset.summary] if preset else []),
        f"A {ARCHITECTURES[config.architecture]} {kind} with {config.latent_dim} latent dimensions.",
        "## Data",
        f"{info.title}. Licence: {info.licence}. {info.citation}" if info else "A folder of pictures.",
        "## Training",
        f"```\n{command}\n```",
        f"Took {training['seconds'] / 60:.0f} minutes on {training['machine']}; seed {training['seed']}.",
        "## Figures",
        f"{BEGIN}\n{END}",
    ]
    text = TEXTS / f"{name}.md"
    if preset and text.is_file():
        lines.append(text.read_text(encoding="utf-8").strip())
    return "\n\n".join(lines) + "\n"


def card_text(folder: Path) -> str:
    """The card of a stored model; one without figures where it has none.

    Raises:
        ModelError: The card cannot be read.
    """
    path = folder / CARD_FILE
    if not path.exists():
        return f"# {folder.name}\n\n{BEGIN}\n{END}\n"
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read as text ({error}); mend the file or remove it.") from error


def with_metrics(text: str, folder: Path, metrics: dict[str, Any], config: ModelConfig) -> str:
    """A card's text with the figures in `metrics` in place of those that it had; the rest stays.

    Args:
        text: the card as it is.
        folder: where the model is stored; the folder's name is the model's.
        metrics: figures as in metrics.json.
        config: the model's configuration.

    Raises:
        ModelError: The card lacks the two comments between which the figures go, or a section of `metrics` is not
            as `evaluate` writes it.
    """
    block = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not block.search(text):
        raise ModelError(f"{folder / CARD_FILE} has no place for figures: put the lines {BEGIN!r} and {END!r} into it.")
    parts = [_figures_table(folder, metrics, variational=config.variational)]
    preset = preset_of(folder.name, config)
    if preset and preset.published:
        parts.append(_published_table(metrics, preset.published))
    table = "\n\n".join(parts)
    return block.sub(lambda _: f"{BEGIN}\n{table}\n{END}", text)


def _figures_table(folder: Path, metrics: dict[str, Any], *, variational: bool) -> str:
    [head] = _shown(folder, metrics, "test", lambda test: [_head(test, variational=variational)])
    rows = _shown(folder, metrics, "test", _elbo_rows if variational else _reconstruction_rows)
    for section, rows_of in SECTIONS.items():
        if section in metrics:
            rows += _shown(folder, metrics, section, rows_of)
    return f"{head}\n\n| figure | value |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows)


def _shown(
    folder: Path, metrics: dict[str, Any], section: str, show: Callable[[Section], Iterable[ShownT]]
) -> list[ShownT]:
    """What a section of metrics.json looks like; a file from outside may hold anything there."""
    try:
        return list(show(metrics[section]))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise ModelError(
            f"{folder / METRICS_FILE}: the section {section!r} cannot be shown ({reason}); delete the file and run "
            "evaluate to write it anew."
        ) from error


def _published_table(metrics: dict[str, Any], published: tuple[Published, ...]) -> str:
    lines = ["| figure | this model | published | theirs | source |", "|---|---|---|---|---|"]
    for row in published:
        ours = metric_at(metrics, row.metric)
        shown = "not measured" if ours is None else f"{ours:.{row.digits}f}"
        theirs = f"{row.value:.{row.digits}f}"
        lines.append(f"| {METRICS[row.metric].title} | {shown} | {theirs} | {row.model} | {row.source} |")
    return "Beside published figures:\n\n" + "\n".join(lines)


# -- the rows of each section -------------------------------------------------------------------------------------


def _head(test: Section, *, variational: bool) -> str:
    sample = "one posterior sample an image, " if variational else ""
    return f"On the {test['images']:,} test images, {sample}seed {test['seed']}; {test['pixels']}."


def _elbo_rows(test: Section) -> list[Row]:
    units = METRICS["test.active_units"]
    return [
        (METRICS["test.negative_elbo"].title, _with_error(test, "negative_elbo")),
        *(_row(test, path) for path in ("test.reconstruction", "test.kl")),
        (units.title, f"{units.shown(test['active_units'])} of {len(test['kl_per_dimension'])}"),
    ]


def _reconstruction_rows(test: Section) -> list[Row]:
    """Of a plain autoencoder, whose whole objective it is."""
    return [(METRICS["test.reconstruction"].title, _with_error(test, "reconstruction"))]


def _likelihood_rows(section: Section) -> list[Row]:
    figure = METRICS["likelihood.negative_log_likelihood"]
    value, error = (figure.shown(section[name]) for name in ("negative_log_likelihood", "standard_error"))
    return [(f"{figure.title}, {section['samples']:,} importance samples", f"{value} ± {error}")]


def _quality_rows(section: Section) -> Iterator[Row]:
    for name in ("psnr", "ssim"):
        figure, linear = METRICS[f"quality.{name}"], METRICS[f"quality.pca_{name}"]
        pca = f"PCA with {section['dimensions']}: {linear.shown(section[f'pca_{name}'])}"
        yield figure.title, f"{figure.shown(section[name])} ({pca})"


def _probe_rows(section: Section) -> list[Row]:
    figure = METRICS["probe.accuracy"]
    value, deviation = (figure.shown(section[name]) for name in ("accuracy", "standard_deviation"))
    return [(f"{figure.title}, {section['labels']} labels, accuracy", f"{value} ± {deviation}")]


def _sample_rows(section: Section) -> list[Row]:
    name = f"Fréchet distance of samples in a classifier's features (accuracy {section['accuracy']:.3f})"
    prior, mixture, reconstruction, floor = (
        METRICS[f"samples.{kind}"].shown(section[kind]) for kind in ("prior", "mixture", "reconstruction", "floor")
    )
    return [
        (name, f"prior {prior}, mixture {mixture}"),
        ("the same, of reconstructions and of real pictures", f"{reconstruction}, {floor}"),
    ]


def _factor_rows(section: Section) -> Iterator[Row]:
    for where in ("train", "test"):
        for score in ("mig", "dci_disentanglement", "sap", "factor_vae"):
            figure = METRICS[f"disentanglement.{where}.model.{score}"]
            ours, perfect, rotated = (
                figure.shown(section[where][code][score]) for code in ("model", "perfect", "rotated")
            )
            yield figure.title, f"{ours} (a perfect code {perfect}, the same rotated {rotated})"


def _placement_rows(section: Section) -> list[Row]:
    median, p90 = (
        METRICS[f"placement.{name}"].shown(section[name])
        for name in ("distance_median_percent", "distance_p90_percent")
    )
    unit = METRICS["placement.distance_median_percent"].unit
    name = f"placement of {section['codes']} unseen images against UMAP's transform, {unit}"
    return [(name, f"median {median}, p90 {p90}")]


def _row(section: Section, path: str) -> Row:
    """A figure by itself."""
    figure = METRICS[path]
    return figure.title, figure.shown(section[path.rpartition(".")[2]])


def _with_error(test: Section, name: str) -> str:
    """The whole objective, which is a plain autoencoder's reconstruction, with its standard error."""
    figure, error = METRICS[f"test.{name}"], test["negative_elbo_standard_error"]
    return figure.shown(test[name]) + ("" if error is None else f" ± {figure.shown(error)}")


# Sections of metrics.json in the order of the card, and how each is shown.
SECTIONS: dict[str, Callable[[Section], Iterable[Row]]] = {
    "likelihood": _likelihood_rows,
    "quality": _quality_rows,
    "probe": _probe_rows,
    "samples": _sample_rows,
    "disentanglement": _factor_rows,
    "placement": _placement_rows,
}
