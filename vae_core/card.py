"""Model cards: the README.md beside a stored model, whose figures are written by `evaluate` alone."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vae_core.config import ModelConfig
from vae_core.datasets import DatasetInfo
from vae_core.errors import ModelError
from vae_core.model import CARD_FILE
from vae_core.presets import PRESETS, Published

__all__ = ["BEGIN", "END", "figure_at", "update_figures", "write_card"]

BEGIN, END = "<!-- figures: written by evaluate -->", "<!-- end of figures -->"
TEXTS = Path(__file__).with_name("card_texts")  # NAME.md: what only a person can say of a preset's model

ARCHITECTURES = {"mlp": "fully connected", "conv": "convolutional"}

Row = tuple[str, str]


def write_card(folder: Path, config: ModelConfig, info: DatasetInfo | None, training: dict[str, Any]) -> None:
    """Write a new card: what the model is, what it saw, and the command that made it.

    Args:
        folder: Of the stored model; its name is the model's.
        config: With its `training` part set.
        info: Of the data set; None for a folder of pictures.
        training: Command, seconds and machine of the run, as in metrics.json.
    """
    kind = "variational autoencoder" if config.variational else "plain autoencoder"
    preset = PRESETS.get(folder.name)
    lines = [
        f"# {folder.name}",
        *([preset.summary] if preset else []),
        f"A {ARCHITECTURES[config.architecture]} {kind} with {config.latent_dim} latent dimensions.",
        "## Data",
        f"{info.title}. Licence: {info.licence}. {info.citation}" if info else "A folder of pictures.",
        "## Training",
        f"```\n{training['command']}\n```",
        f"Took {training['seconds'] / 60:.0f} minutes on {training['machine']}; seed {training['seed']}.",
        "## Figures",
        f"{BEGIN}\n{END}",
    ]
    text = TEXTS / f"{folder.name}.md"
    if preset and text.is_file():
        lines.append(text.read_text(encoding="utf-8").strip())
    (folder / CARD_FILE).write_text("\n\n".join(lines) + "\n", encoding="utf-8")


def update_figures(folder: Path, metrics: dict[str, Any], *, variational: bool) -> None:
    """Replace the card's figures by those in `metrics`; the rest of the card stays.

    Args:
        folder: Of the stored model.
        metrics: As in metrics.json.
        variational: Whether the model is; a plain autoencoder has neither ELBO nor KL.

    Raises:
        ModelError: The card lacks the two comments between which the figures go.
    """
    path = folder / CARD_FILE
    text = path.read_text(encoding="utf-8") if path.is_file() else f"# {folder.name}\n\n{BEGIN}\n{END}\n"
    block = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not block.search(text):
        raise ModelError(f"{path} has no place for figures: put the lines {BEGIN!r} and {END!r} into it.")
    parts = [_figures_table(metrics, variational=variational)]
    preset = PRESETS.get(folder.name)
    if preset and preset.published:
        parts.append(_published_table(metrics, preset.published))
    table = "\n\n".join(parts)
    path.write_text(block.sub(lambda _: f"{BEGIN}\n{table}\n{END}", text), encoding="utf-8")


def figure_at(metrics: dict[str, Any], path: str) -> float | None:
    """The figure at a path such as ``"test.negative_elbo"`` into metrics.json; None where it was not measured."""
    value: Any = metrics
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return None if value is None else float(value)


def _figures_table(metrics: dict[str, Any], *, variational: bool) -> str:
    test = metrics["test"]
    rows = _elbo_rows(test) if variational else [("reconstruction, nats", _with_error(test, "reconstruction"))]
    for section, rows_of in SECTIONS.items():
        if section in metrics:
            rows += rows_of(metrics[section])
    sample = "one posterior sample an image, " if variational else ""
    head = f"On the {test['images']:,} test images, {sample}seed {test['seed']}; {test['pixels']}."
    return f"{head}\n\n| figure | value |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows)


def _published_table(metrics: dict[str, Any], published: tuple[Published, ...]) -> str:
    lines = ["| figure | this model | published | theirs | source |", "|---|---|---|---|---|"]
    for row in published:
        ours = figure_at(metrics, row.figure)
        shown = "not measured" if ours is None else f"{ours:.{row.digits}f}"
        theirs = f"{row.value:.{row.digits}f}"
        lines.append(f"| {row.figure} | {shown} | {theirs} | {row.model} | {row.source} |")
    return "Beside published figures:\n\n" + "\n".join(lines)


def _elbo_rows(test: dict[str, Any]) -> list[Row]:
    return [
        ("-ELBO, nats", _with_error(test, "negative_elbo")),
        ("reconstruction, nats", f"{test['reconstruction']:.2f}"),
        ("KL, nats", f"{test['kl']:.2f}"),
        ("active units", f"{test['active_units']} of {len(test['kl_per_dimension'])}"),
    ]


def _likelihood_rows(figures: dict[str, Any]) -> list[Row]:
    name = f"negative log-likelihood, nats, {figures['samples']:,} importance samples"
    return [(name, f"{figures['negative_log_likelihood']:.2f} ± {figures['standard_error']:.2f}")]


def _quality_rows(figures: dict[str, Any]) -> list[Row]:
    dimensions = figures["dimensions"]
    return [
        ("PSNR of reconstructions, dB", f"{figures['psnr']:.2f} (PCA with {dimensions}: {figures['pca_psnr']:.2f})"),
        ("SSIM of reconstructions", f"{figures['ssim']:.3f} (PCA with {dimensions}: {figures['pca_ssim']:.3f})"),
    ]


def _probe_rows(figures: dict[str, Any]) -> list[Row]:
    name = f"linear probe, {figures['labels']} labels, accuracy"
    return [(name, f"{figures['accuracy']:.3f} ± {figures['standard_deviation']:.3f}")]


def _sample_rows(figures: dict[str, Any]) -> list[Row]:
    name = f"Fréchet distance of samples in a classifier's features (accuracy {figures['accuracy']:.3f})"
    return [
        (name, f"prior {figures['prior']:.2f}, mixture {figures['mixture']:.2f}"),
        (
            "the same, of reconstructions and of real pictures",
            f"{figures['reconstruction']:.2f}, {figures['floor']:.2f}",
        ),
    ]


def _factor_rows(figures: dict[str, Any]) -> Iterator[Row]:
    places = {"train": "the training images", "test": "the test images"}
    names = {"mig": "MIG", "dci_disentanglement": "DCI disentanglement", "sap": "SAP", "factor_vae": "FactorVAE score"}
    for where, title in places.items():
        for key, name in names.items():
            ours, perfect, rotated = (figures[where][code][key] for code in ("model", "perfect", "rotated"))
            yield f"{name} on {title}", f"{ours:.3f} (a perfect code {perfect:.3f}, the same rotated {rotated:.3f})"


def _placement_rows(figures: dict[str, Any]) -> list[Row]:
    name = f"placement of {figures['codes']} unseen images against UMAP's transform, % of the map's diagonal"
    return [(name, f"median {figures['distance_median_percent']:.2f}, p90 {figures['distance_p90_percent']:.2f}")]


def _with_error(test: dict[str, Any], figure: str) -> str:
    """The whole objective, which is a plain autoencoder's reconstruction, with its standard error."""
    error = test["negative_elbo_standard_error"]
    return f"{test[figure]:.2f}" + ("" if error is None else f" ± {error:.2f}")


# Sections of metrics.json in the order of the card, and how each is shown.
SECTIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "likelihood": _likelihood_rows,
    "quality": _quality_rows,
    "probe": _probe_rows,
    "samples": _sample_rows,
    "disentanglement": _factor_rows,
    "placement": _placement_rows,
}
