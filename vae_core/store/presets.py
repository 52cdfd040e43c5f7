"""The recipes of the collection: one named preset for each model that ships.

`python -m vae_core train --preset NAME` trains one of them, `train-all` all. docs/RECIPES.md has the experiments
from which the numbers without another source come.
"""

from dataclasses import dataclass, field, replace
from typing import cast

from vae_core.datasets.registry import DATASETS
from vae_core.errors import ConfigError
from vae_core.models.config import Channels, ModelConfig, TrainingConfig

__all__ = ["PRESETS", "Preset", "Published", "find_preset"]


@dataclass(frozen=True)
class Published:
    """A figure that others reached, to stand beside one of the model's own.

    Attributes:
        metric: Path of the model's own number in metrics.json, such as ``"test.negative_elbo"``.
        value: Number that others reached, in the same unit.
        model: Description of the others' model.
        source: Paper or address where the number is written.
    """

    metric: str
    value: float
    model: str
    source: str

    @property
    def digits(self) -> int:
        """Decimals to show of it, and of the model's own figure beside it: three of shares, two of nats and dB."""
        return 3 if abs(self.value) <= 1 else 2


@dataclass(frozen=True)
class Preset:
    """One model of the collection.

    Attributes:
        name: Name of the stored model.
        summary: One sentence on what the model shows.
        config: Network and training.
        family: Property that the models compared with each other have in common; empty for a model on its own.
        published: Numbers of others, to stand beside the model's own.
    """

    name: str
    summary: str
    config: ModelConfig
    family: str = ""
    published: tuple[Published, ...] = field(default=())


def find_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: There is none; the message lists those there are.
    """
    if name not in PRESETS:
        raise ConfigError(f"there is no preset named {name!r}; the presets are: {', '.join(PRESETS)}.")
    return PRESETS[name]


def recipe(dataset: str, latent_dim: int, *, training: TrainingConfig, **network: object) -> ModelConfig:
    """A configuration for a named data set's pictures."""
    info = DATASETS[dataset]
    channels, height, width = info.image_shape
    return ModelConfig(
        channels=cast(Channels, channels),
        height=height,
        width=width,
        latent_dim=latent_dim,
        preparation=info.preparation,
        training=replace(training, dataset=dataset),
        **network,  # type: ignore[arg-type]
    )


# AdamW, a cosine down to zero and weights averaged over about a thousand steps are common ground: see RECIPES.md.
BASE = TrainingConfig(dataset="", ema_decay=0.999, precision="bfloat16")

KERAS_2D = Published(
    "test.negative_elbo",
    146.95,
    "convolutional VAE, z = 2, 30 epochs (saw the test digits)",
    "keras.io/examples/generative/vae",
)
TENSORFLOW_2D = Published(
    "test.negative_elbo", 155.91, "convolutional VAE, z = 2", "tensorflow.org/tutorials/generative/cvae"
)
PYTORCH_20D = Published("test.negative_elbo", 105.59, "MLP, z = 20, 10 epochs", "github.com/pytorch/examples, vae")

BETAS = (0.1, 0.4, 1.0, 5.0, 20.0)


def mnist(latent_dim: int, *, training: TrainingConfig, **network: object) -> ModelConfig:
    """A recipe for handwritten digits."""
    return recipe("mnist", latent_dim, training=training, **network)


# With two dimensions everything hangs on how finely the decoder can fold the plane: depth bought more nats than
# convolutions did, at a tenth of the time.
PLANE = {"architecture": "mlp", "widths": (512, 512, 512, 512)}
PLANE_RUN = replace(BASE, epochs=100, learning_rate=1e-3)

# The smallest network that shows the whole range from rate to distortion: the betas are compared with each other.
SMALL = {"widths": (16, 32), "dense_units": 128}
SMALL_RUN = replace(BASE, epochs=15)


def beta_preset(beta: float) -> Preset:
    """One VAE of the rate-distortion family."""
    return Preset(
        name=f"mnist-10d-beta-{beta:g}",
        summary=f"Digits in ten dimensions, the KL term weighted {beta:g} times.",
        config=mnist(10, training=replace(SMALL_RUN, beta=beta), **SMALL),
        family="Rate and distortion",
    )


# Sixteen channels where the picture is large, 64 where it is small: within a nat of 32 and 64 after as many epochs,
# which take a third longer.
DIGITS = {"widths": (16, 64)}
RGB = {"widths": (16, 32, 64, 128), "likelihood": "gaussian"}

ALL = (
    Preset(
        name="mnist-2d",
        summary="Digits on a plane: the whole latent space at a glance.",
        config=mnist(2, training=PLANE_RUN, **PLANE),
        family="Holes",
        published=(KERAS_2D, TENSORFLOW_2D),
    ),
    Preset(
        name="mnist-2d-autoencoder",
        summary="A plain autoencoder's plane: without a KL term nothing fills the gaps between its codes.",
        config=mnist(2, training=PLANE_RUN, variational=False, **PLANE),
        family="Holes",
    ),
    Preset(
        name="mnist-16d",
        summary="Digits in sixteen dimensions: sharper than on a plane, few enough to drag one by one.",
        config=mnist(16, training=replace(BASE, epochs=60), widths=(32, 64)),
        published=(PYTORCH_20D,),
    ),
    Preset(
        name="mnist-10d-autoencoder",
        summary="The rate-distortion family's end without a KL term.",
        config=mnist(10, training=SMALL_RUN, variational=False, **SMALL),
        family="Rate and distortion",
    ),
    *(beta_preset(beta) for beta in BETAS),
    Preset(
        name="mnist-32d-binarised",
        summary="Digits as black and white pixels: the figure that stands beside the literature's.",
        config=mnist(
            32,
            training=replace(BASE, epochs=150, binarise="dynamic", importance_epochs=30, importance_samples=5),
            **DIGITS,
        ),
        published=(
            Published(
                "likelihood.negative_log_likelihood", 86.76, "MLP VAE, z = 50, 5,000 samples", "Burda et al. 2016"
            ),
            Published(
                "likelihood.negative_log_likelihood",
                84.45,
                "gated MLP VAE, z = 40, 5,000 samples",
                "Tomczak & Welling 2018",
            ),
            Published("likelihood.negative_log_likelihood", 82.43, "the same with VampPrior", "Tomczak & Welling 2018"),
        ),
    ),
    Preset(
        name="dsprites",
        summary="Sprites drawn from five known factors, and which dimension found which of them.",
        config=recipe(
            "dsprites",
            10,
            # The KL weight falls from 200 to 2 over the first 9 of 15 epochs.
            training=replace(
                BASE, epochs=15, batch_size=64, learning_rate=1e-3, beta=2.0, kl_start=100.0, kl_warmup_epochs=9.0
            ),
            decoder="spatial",
            widths=(16, 32, 32, 64),
            blocks=0,
        ),
    ),
    Preset(
        name="fashion-mnist",
        summary="Garments: classes that shade into each other, and textures that a Gaussian pixel blurs.",
        config=recipe(
            "fashion_mnist", 32, training=replace(BASE, epochs=15), likelihood="gaussian", dense_units=128, **DIGITS
        ),
    ),
    Preset(
        name="quickdraw",
        summary="Sketches by many hands: apples, bicycles, cats and five more things.",
        config=recipe("quickdraw", 16, training=replace(BASE, epochs=40, batch_size=128), dense_units=128, **DIGITS),
    ),
    Preset(
        name="emoji",
        summary="Emoji in colour: a small set, and what a model makes of pictures it never saw.",
        config=recipe(
            "emoji_noto",
            32,
            training=replace(BASE, epochs=25, batch_size=64, learning_rate=1e-3, augment="flip"),
            linear_path=True,
            **RGB,
        ),
    ),
    Preset(
        name="faces",
        summary="Faces in colour, in 128 dimensions: pose, light and hair on sliders, and where blur comes from.",
        config=recipe(
            "faces",
            128,
            training=replace(BASE, epochs=25, batch_size=128, learning_rate=1e-3, augment="flip"),
            linear_path=True,
            **RGB,
        ),
    ),
)
PRESETS: dict[str, Preset] = {preset.name: preset for preset in ALL}
