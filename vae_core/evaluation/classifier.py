"""A small classifier trained on a data set's own images, for its features: `samples` measures with them."""

import hashlib
import itertools
import math
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float, Int64, UInt8
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from vae_core.errors import InputError, ModelError
from vae_core.runtime.whole_files import written_whole

__all__ = ["FEATURES", "Classifier", "accuracy", "load_or_train", "train_classifier"]

FEATURES = 64
EPOCHS = 3
BATCH = 128
LEARNING_RATE = 2e-3
WIDTHS = (64, 64, 32)  # channels at the smallest resolution, at twice its side, and at four times it
FIRST_WIDTH = 16  # at larger ones
SMALLEST_SIDE = 4  # pixels
MEASURED_AT_ONCE = 500  # images

Progress = Callable[[int, int], None]


class Classifier(nn.Module):
    """A small convolutional network: strided 3x3 convolutions down to 4 x 4 pixels, then 64 features.

    Args:
        image_shape: (channel, height, width).
        classes: How many there are.
    """

    def __init__(self, image_shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = image_shape
        halvings = max(0, math.ceil(math.log2(max(height, width) / SMALLEST_SIDE)))
        widths = [channels, *reversed([*WIDTHS, *[FIRST_WIDTH] * halvings][:halvings])]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
            height, width = math.ceil(height / 2), math.ceil(width / 2)
        self.image_shape = image_shape
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * height * width, FEATURES), nn.ReLU())
        self.head = nn.Linear(FEATURES, classes)

    def features(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch feature"]:
        """Images [batch, channel, height, width] in [0, 1] -> what the last layer sees, [batch, 64].

        Raises:
            InputError: The images have another shape than the classifier's.
        """
        if tuple(images.shape[1:]) != self.image_shape:
            raise InputError(f"this classifier takes images of {self.image_shape}, got {tuple(images.shape[1:])}.")
        features: Tensor = self.body(images)
        return features

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch classes"]:
        """Images [batch, channel, height, width] in [0, 1] -> logits [batch, class]."""
        logits: Tensor = self.head(self.features(images))
        return logits


@torch.inference_mode()
def accuracy(classifier: Classifier, images: UInt8[Tensor, "n c h w"], labels: Int64[Tensor, " n"]) -> float:
    """The share of images whose class is found."""
    batches = (batch.float() / 255 for batch in images.split(MEASURED_AT_ONCE))
    found = torch.cat([classifier(batch).argmax(dim=1) for batch in batches])
    return (found == labels).double().mean().item()


def load_or_train(
    folder: Path,
    images: UInt8[Tensor, "n c h w"],
    labels: Int64[Tensor, " n"],
    *,
    classes: int,
    seed: int = 0,
    epochs: int = EPOCHS,
    progress: Progress | None = None,
) -> Classifier:
    """The classifier that `train_classifier` gives, kept in `folder` for the next model of the same data set.

    A file's name is a digest of the images, the labels and the settings, so one of other data is never taken. A
    damaged file is written anew.

    Raises:
        InputError: As for `train_classifier`.
        ModelError: The folder cannot be written.
    """
    path = folder / f"classifier-{_digest(images, labels, classes, seed, epochs)}.safetensors"
    if path.is_file():
        classifier = _build_seeded(images, classes, seed)
        try:
            classifier.load_state_dict(load_file(path))
            return classifier.eval()
        except (OSError, RuntimeError, SafetensorError):
            pass  # it is only a cache
    classifier = train_classifier(images, labels, classes=classes, seed=seed, epochs=epochs, progress=progress)
    _save(classifier, path)
    return classifier


def train_classifier(
    images: UInt8[Tensor, "n c h w"],
    labels: Int64[Tensor, " n"],
    *,
    classes: int,
    seed: int = 0,
    epochs: int = EPOCHS,
    progress: Progress | None = None,
) -> Classifier:
    """Train by Adam, with a step size that falls to zero in a straight line; about a minute for 55,000 digits.

    Args:
        images: Of the training part, [image, channel, height, width].
        labels: From 0 to `classes` - 1, [image].
        classes: How many there are.
        seed: Of the weights and the order.
        epochs: Passes over the images.
        progress: Told after each step how many of how many are done.

    Returns:
        The classifier in evaluation mode. On the same machine, with as many threads, the same call gives the same.

    Raises:
        InputError: There are no two images or classes, a label is out of range, or `epochs` is below 1.
    """
    _check_training(images, labels, classes, epochs)
    classifier = _build_seeded(images, classes, seed)
    order = torch.Generator().manual_seed(seed)
    batches = [rows for _ in range(epochs) for rows in torch.randperm(len(images), generator=order).split(BATCH)]
    optimizer = torch.optim.Adam(classifier.parameters(), LEARNING_RATE, fused=True)
    for step, rows in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * (1 - step / len(batches))
        value = functional.cross_entropy(classifier(images[rows].float() / 255), labels[rows])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if progress is not None:
            progress(step + 1, len(batches))
    return classifier.eval()


def _check_training(images: UInt8[Tensor, "n c h w"], labels: Int64[Tensor, " n"], classes: int, epochs: int) -> None:
    if len(images) < 2 or classes < 2 or epochs < 1:
        raise InputError(
            f"a classifier needs at least 2 images, 2 classes and 1 epoch, got {len(images)}, {classes} and {epochs}."
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise InputError(
            f"labels of {classes} classes go from 0 to {classes - 1}, "
            f"got some from {labels.min().item()} to {labels.max().item()}."
        )


def _save(classifier: Classifier, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as temporary:
            save_file(classifier.state_dict(), temporary)
    except (OSError, SafetensorError) as error:  # the latter is what a full disk gives
        raise ModelError(f"{path.parent} cannot be written ({error}); choose another folder.") from error


def _digest(*parts: Tensor | int) -> str:
    recipe = (WIDTHS, FIRST_WIDTH, SMALLEST_SIDE, FEATURES, BATCH, LEARNING_RATE)
    digest = hashlib.sha256(repr(recipe).encode())
    for part in parts:
        if isinstance(part, Tensor):
            digest.update(repr(tuple(part.shape)).encode())
            digest.update(part.contiguous().numpy().data)
        else:
            digest.update(repr(part).encode() + b";")
    return digest.hexdigest()[:16]


def _build_seeded(images: UInt8[Tensor, "n c h w"], classes: int, seed: int) -> Classifier:
    channels, height, width = images.shape[1:]
    with torch.random.fork_rng(devices=[]):  # torch's global generator stays as it was
        torch.manual_seed(seed)
        return Classifier((channels, height, width), classes)
