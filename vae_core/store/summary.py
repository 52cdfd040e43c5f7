"""The collection in one table, as plain lines for a terminal and as Markdown for documents."""

from pathlib import Path
from typing import Any

from vae_core.errors import VAEExplorerError
from vae_core.models.config import ModelConfig
from vae_core.models.config_file import read_config
from vae_core.models.vae import CONFIG_FILE
from vae_core.runtime.names import NAME_RULE
from vae_core.store.metric_table import METRICS, metric_at
from vae_core.store.metrics_file import read_metrics
from vae_core.store.stored_models import list_models, misnamed_models, model_folder

__all__ = ["markdown_table", "model_lines"]

COLUMNS = (
    "test.negative_elbo",
    "test.kl",
    "test.active_units",
    "quality.psnr",
    "quality.pca_psnr",
    "probe.accuracy",
)
HEADINGS = [METRICS[path].shared_heading for path in COLUMNS]
NOT_OF_AUTOENCODERS = ("test.kl",)  # metrics.json has a 0 there
BLANK = "-"


def model_lines(models_dir: Path | None = None) -> list[str]:
    """A header and one line a stored model; a damaged one does not hide the others, and one passed over is named.

    Args:
        models_dir: Where the models are; where they are looked for when not given.
    """
    heads = " ".join(f"{heading:>15}" for heading in HEADINGS)
    lines = [f"{'name':24} {'kind':9} {'latent':>6} {'image':>8} {heads}  data set"]
    for name in list_models(models_dir):
        try:
            folder = model_folder(name) if models_dir is None else models_dir / name
            kind, latent, shape, figures, dataset = _describe(folder)
            cells = " ".join(f"{cell:>15}" for cell in figures)
            lines.append(f"{name:24} {kind:9} {latent:>6} {shape:>8} {cells}  {dataset}")
        except VAEExplorerError as error:
            lines.append(f"{name:24} {error}")
    lines += [f"{name:24} is passed over: a model's name has {NAME_RULE}" for name in misnamed_models(models_dir)]
    return lines


def markdown_table(link: str = "pretrained/{name}/README.md") -> str:
    """The same as a Markdown table, each name linking to its card.

    Args:
        link: Address of a model's card, with ``{name}`` in it.
    """
    titles = ("model", "kind", "latent", "image", *HEADINGS)
    rows = ["| " + " | ".join(titles) + " |", "|---|---|---:|---|" + "---:|" * len(COLUMNS)]
    for name in list_models():
        kind, latent, shape, figures, _ = _describe(model_folder(name))
        rows.append("| " + " | ".join([f"[{name}]({link.format(name=name)})", kind, latent, shape, *figures]) + " |")
    return "\n".join(rows)


def _describe(folder: Path) -> tuple[str, str, str, list[str], str]:
    config = read_config(folder / CONFIG_FILE)
    figures = _figures(config, read_metrics(folder))
    dataset = config.training.dataset if config.training else BLANK
    kind = f"{config.architecture} {'VAE' if config.variational else 'AE'}"
    return kind, str(config.latent_dim), "x".join(map(str, config.image_shape)), figures, dataset


def _figures(config: ModelConfig, metrics: dict[str, Any]) -> list[str]:
    cells = []
    for path in COLUMNS:
        value = metric_at(metrics, path)
        applies = config.variational or path not in NOT_OF_AUTOENCODERS
        cells.append(METRICS[path].shown(value) if applies and value is not None else BLANK)
    return cells
