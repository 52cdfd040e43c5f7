"""Model cards: the README.md beside a stored model, whose figures are written by `evaluate` alone."""

import re
from pathlib import Path
from typing import Any

from vae_core.config import ModelConfig
from vae_core.datasets import DatasetInfo
from vae_core.errors import ModelError
from vae_core.model import CARD_FILE

__all__ = ["update_figures", "write_card"]

BEGIN, END = "<!-- figures: written by evaluate -->", "<!-- end of figures -->"


def write_card(folder: Path, config: ModelConfig, info: DatasetInfo | None, training: dict[str, Any]) -> None:
    """Write a new card: what the model is, what it saw, and the command that made it.

    Args:
        folder: Of the stored model; its name is the model's.
        config: With its `training` part set.
        info: Of the data set; None for a folder of pictures.
        training: Command, seconds and machine of the run, as in metrics.json.
    """
    kind = "variational autoencoder" if config.variational else "plain autoencoder"
    lines = [
        f"# {folder.name}",
        f"A {config.architecture} {kind} with {config.latent_dim} latent dimensions.",
        "## Data",
        f"{info.title}. Licence: {info.licence}. {info.citation}" if info else "A folder of pictures.",
        "## Training",
        f"```\n{training['command']}\n```",
        f"Took {training['seconds'] / 60:.0f} minutes on {training['machine']}.",
        "## Figures",
        f"{BEGIN}\n{END}",
    ]
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
    table = f"{BEGIN}\n{_figures_table(metrics, variational=variational)}\n{END}"
    path.write_text(block.sub(lambda _: table, text), encoding="utf-8")


def _figures_table(metrics: dict[str, Any], *, variational: bool) -> str:
    test = metrics["test"]
    rows = _elbo_rows(test) if variational else [("reconstruction, nats", _with_error(test, "reconstruction"))]
    if placement := metrics.get("placement"):
        rows.append(
            (
                f"placement of {placement['codes']} unseen images against UMAP's transform, % of the map's diagonal",
                f"median {placement['distance_median_percent']:.2f}, p90 {placement['distance_p90_percent']:.2f}",
            )
        )
    sample = "one posterior sample an image, " if variational else ""
    head = f"On the {test['images']:,} test images, {sample}seed {test['seed']}; {test['pixels']}."
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"{head}\n\n| figure | value |\n|---|---|\n{table}"


def _elbo_rows(test: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("-ELBO, nats", _with_error(test, "negative_elbo")),
        ("reconstruction, nats", f"{test['reconstruction']:.2f}"),
        ("KL, nats", f"{test['kl']:.2f}"),
        ("active units", f"{test['active_units']} of {len(test['kl_per_dimension'])}"),
    ]


def _with_error(test: dict[str, Any], figure: str) -> str:
    """The whole objective, which is a plain autoencoder's reconstruction, with its standard error."""
    error = test["negative_elbo_standard_error"]
    return f"{test[figure]:.2f}" + ("" if error is None else f" ± {error:.2f}")
