"""The figures of metrics.json: what each is called, its unit, its digits, which way is better, and what it says.

Model cards, the command line's table and the app's Models page draw what they show from this one table.
"""

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["METRICS", "Metric", "metric_at"]

LARGEST_VALUE = 1e9  # of a figure that was measured; beyond it a file from outside holds something else


@dataclass(frozen=True)
class Metric:
    """One of the figures in metrics.json.

    Attributes:
        path: Into metrics.json.
        name: In full, as in a model's card.
        unit: Empty for shares, scores and numbers of things.
        digits: Behind the decimal point.
        better: Direction that is better; empty where neither is.
        meaning: A sentence or two on what the metric is.
        short: For a column's heading; the name itself when empty.
        needs_kl: Whether a plain autoencoder, which has no KL term, lacks it whatever its file holds.
        shared: The short name in a column with plain autoencoders, of which the same number is another thing.
    """

    path: str
    name: str
    unit: str
    digits: int
    better: Literal["lower", "higher", ""]
    meaning: str
    short: str = ""
    needs_kl: bool = False
    shared: str = ""

    @property
    def title(self) -> str:
        """The full name with the unit."""
        return self._with_unit(self.name)

    @property
    def column(self) -> str:
        """The short name."""
        return self.short or self.name

    @property
    def heading(self) -> str:
        """The short name with the unit."""
        return self._with_unit(self.column)

    @property
    def shared_heading(self) -> str:
        """The same of a column in which plain autoencoders have a number too."""
        return self._with_unit(self.shared or self.column)

    def shown(self, value: float) -> str:
        """A value with the figure's digits."""
        return f"{value:.{self.digits}f}"

    def _with_unit(self, name: str) -> str:
        return f"{name}, {self.unit}" if self.unit else name


def metric_at(metrics: dict[str, Any], path: str) -> float | None:
    """The figure at a path such as ``"test.negative_elbo"`` into metrics.json.

    None where it was not measured, or where a file from outside holds something else than a number within reason.
    """
    value: Any = metrics
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if abs(value) <= LARGEST_VALUE else None  # false for NaN as well


def _disentanglement(where: str, images: str, grid: str) -> list[Metric]:
    """The scores of the codes of one part's images."""
    scores = {
        "mig": (
            "MIG",
            "MIG",
            f"Mutual information gap on the {grid}, from 0 to 1: does one dimension alone tell of each factor?",
        ),
        "dci_disentanglement": (
            "DCI disentanglement",
            "DCI",
            f"DCI disentanglement on the {grid}, from 0 to 1: does each dimension tell of one factor only?",
        ),
        "sap": (
            "SAP",
            "SAP",
            f"Separated attribute predictability on the {grid}: how much better the best dimension predicts a factor "
            "than the second best.",
        ),
        "factor_vae": (
            "FactorVAE score",
            "FactorVAE score",
            f"On the {grid}, from 0 to 1: how often the dimension that varies least tells which factor was held fixed.",
        ),
    }
    return [
        Metric(f"disentanglement.{where}.model.{key}", f"{name} on {images}", "", 3, "higher", meaning, short=short)
        for key, (name, short, meaning) in scores.items()
    ]


ALL = (
    Metric(
        "test.negative_elbo",
        "-ELBO",
        "nats",
        2,
        "lower",
        "Minus the evidence lower bound, the mean over test images with one posterior sample each: lower is better. "
        "It compares models of the same data and pixels only.",
        needs_kl=True,
        shared="objective",
    ),
    Metric(
        "test.reconstruction",
        "reconstruction",
        "nats",
        2,
        "lower",
        "The reconstruction term, -log p(x|z) summed over pixels: what of a picture is lost, lower is better.",
    ),
    Metric(
        "test.kl",
        "KL",
        "nats",
        2,
        "",
        "The KL term, summed over dimensions: what a code tells of its picture.",
        needs_kl=True,
    ),
    Metric(
        "test.active_units",
        "active units",
        "",
        0,
        "",
        "Dimensions whose posterior mean varies over test images by a variance above 0.01.",
        needs_kl=True,
    ),
    Metric(
        "likelihood.negative_log_likelihood",
        "negative log-likelihood",
        "nats",
        2,
        "lower",
        "Negative log-likelihood of test images by importance sampling: lower is better. Only for pixels that are "
        "black or white, where the Bernoulli term is a likelihood.",
        short="NLL",
        needs_kl=True,
    ),
    Metric(
        "quality.psnr",
        "PSNR of reconstructions",
        "dB",
        2,
        "higher",
        "Of reconstructions of test images, in decibels: higher is better.",
        short="PSNR",
    ),
    Metric(
        "quality.pca_psnr",
        "PSNR of PCA's reconstructions",
        "dB",
        2,
        "",
        "The same of principal components, as many as the model has dimensions: what a linear method reaches.",
        short="PCA's PSNR",
    ),
    Metric(
        "quality.ssim",
        "SSIM of reconstructions",
        "",
        3,
        "higher",
        "Structural similarity of reconstructions to test images: 1 is an identical picture.",
        short="SSIM",
    ),
    Metric(
        "quality.pca_ssim",
        "SSIM of PCA's reconstructions",
        "",
        3,
        "",
        "The same of principal components, as many as the model has dimensions.",
        short="PCA's SSIM",
    ),
    Metric(
        "probe.accuracy",
        "linear probe",
        "",
        3,
        "higher",
        "Share of test images that a linear classifier gets right, trained on the codes of a few labelled images.",
    ),
    Metric(
        "placement.distance_median_percent",
        "median distance of placements to UMAP's",
        "% of the map's diagonal",
        2,
        "lower",
        "How far from where UMAP's own transform puts it an unseen image is placed on the map: lower is better.",
        short="placement",
    ),
    Metric(
        "placement.distance_p90_percent",
        "90th percentile of these distances",
        "% of the map's diagonal",
        2,
        "lower",
        "The same of an image that is placed worse than nine in ten.",
        short="placement, p90",
    ),
    Metric(
        "samples.prior",
        "Fréchet distance of samples of the prior",
        "",
        2,
        "lower",
        "Fréchet distance from test images to draws from N(0, I), in the features of a small classifier of our own: "
        "lower is better. It does not compare with FID figures elsewhere.",
        short="Fréchet, prior",
    ),
    Metric(
        "samples.mixture",
        "Fréchet distance of samples of the mixture",
        "",
        2,
        "lower",
        "The same distance to draws from the Gaussian mixture fitted to codes of training images.",
        short="Fréchet, mixture",
    ),
    Metric(
        "samples.reconstruction",
        "Fréchet distance of reconstructions",
        "",
        2,
        "lower",
        "The same distance to the test images' own reconstructions: what samples can reach at the best.",
        short="Fréchet, reconstructions",
    ),
    Metric(
        "samples.floor",
        "Fréchet distance of real pictures",
        "",
        2,
        "",
        "The same distance between two halves of real pictures: what a perfect model would have.",
        short="Fréchet, real pictures",
    ),
    *_disentanglement("train", "the training images", "training grid"),
    *_disentanglement("test", "the test images", "test images"),
)
METRICS: dict[str, Metric] = {figure.path: figure for figure in ALL}
