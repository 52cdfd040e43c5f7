"""The training loop, as a generator of progress that can be stopped anywhere and resumed bit for bit.

What is random in an epoch (order, noise, binarisation) depends on the seed and the epoch's number alone, and
a checkpoint is written after each epoch. A run that was killed therefore goes on from its last whole epoch
exactly as if nothing had happened, on the same machine with the same number of threads.
"""

import functools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from vae_core.datasets.fingerprint import pixels_digest
from vae_core.errors import TrainingError
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.importance_bound import importance_bound
from vae_core.models.objective import EVALUATION_BATCH, Terms, encode_in, loss, terms_at, total_correlation
from vae_core.models.vae import VAE
from vae_core.runtime.devices import find_device
from vae_core.training.pca_start import check_images
from vae_core.training.run_state import History, RunState
from vae_core.training.schedules import kl_weight, learning_rate

__all__ = ["Metrics", "Progress", "Trainer"]

ORDER, NOISE, VALIDATION = range(3)  # independent random streams of one seed


@dataclass(frozen=True)
class Metrics:
    """Means over a set of images, in nats.

    Attributes:
        loss: Objective, from as many samples of z an image as it takes.
        reconstruction: -log p(x|z).
        kl: KL from the posterior to the prior, not weighted.
    """

    loss: float
    reconstruction: float
    kl: float


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        epoch: The current epoch, from 1.
        epochs: Epochs that are planned in all.
        step: Steps that are done in this epoch.
        steps: Steps of an epoch.
        train: Means over this epoch's training images so far.
        validation: Means over the validation images, at the end of an epoch; None within.
        is_best: Whether this validation loss is the lowest so far.
        images_per_second: Trained in this epoch, validation not counted.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    train: Metrics
    validation: Metrics | None
    is_best: bool
    images_per_second: float


class Trainer:
    """One training run.

    Args:
        config: The model, with its `training` part set.
        train_images: uint8 [image, channel, height, width]; stays in memory.
        validation_images: uint8, same shape; never trained on. Early stopping and the choice of the weights
            to keep use these alone.
        folder: Folder for checkpoints; None keeps none.
        device: Device on which the network is trained (see `vae_core.runtime.devices.find_device`). What is random is
            drawn on the processor; a run may go on on another device, though not bit for bit.

    Raises:
        ConfigError: There is no such device.
        TrainingError: `config.training` is missing, there are no images of the model's shape, or too few for its
            linear path.
    """

    def __init__(
        self,
        config: ModelConfig,
        train_images: UInt8[Tensor, "image channel height width"],
        validation_images: UInt8[Tensor, "rest channel height width"],
        *,
        folder: Path | None = None,
        device: str | torch.device = "auto",
    ) -> None:
        if config.training is None:
            raise TrainingError("config.training is None: set a TrainingConfig to train.")
        for part, images in (("training", train_images), ("validation", validation_images)):
            if len(images) == 0 or tuple(images.shape[1:]) != config.image_shape:
                raise TrainingError(
                    f"the {part} images must be at least one of shape {config.image_shape}, got {list(images.shape)}."
                )
        if config.linear_path:
            check_images(config, train_images)
        self.config = config
        self.settings = config.training
        self.folder = folder
        self.device = find_device(device)
        self.train_images = train_images
        self.validation_images = validation_images

    @functools.cached_property
    def state(self) -> RunState:
        """What changes in the run; made when it is first asked for, since a checkpoint may come in its place."""
        return RunState.fresh(self.config, self.settings, self.train_images, self.device)

    @functools.cached_property
    def pictures(self) -> str:
        """A digest of the images of both parts, which a checkpoint is tied to."""
        return f"{pixels_digest(self.train_images)}-{pixels_digest(self.validation_images)}"

    @property
    def model(self) -> VAE:
        """What is trained."""
        return self.state.model

    @property
    def history(self) -> History:
        """Epochs done, losses, time."""
        return self.state.history

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one epoch; the last batch may be smaller."""
        return math.ceil(len(self.train_images) / self.settings.batch_size)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or none got better within the patience."""
        done = self.history.epochs_done
        stalled = self.settings.patience > 0 and done - self.history.best_epoch >= self.settings.patience
        return done >= self.settings.epochs or stalled

    def best_model(self) -> VAE:
        """A copy of the model with the weights of the lowest validation loss, in evaluation mode."""
        model = VAE(self.config)
        model.load_state_dict(self.state.best_weights)
        return model.eval()

    def run(self) -> Iterator[Progress]:
        """Train until finished, yielding after every step and once more after each epoch's validation.

        Raises:
            TrainingError: The loss is no longer a finite number.
        """
        while not self.finished:
            yield from self._run_epoch()

    def _run_epoch(self) -> Iterator[Progress]:
        epoch = self.history.epochs_done
        shuffling = _stream(self.settings.seed, epoch, ORDER)
        order = torch.randperm(len(self.train_images), generator=shuffling, device=shuffling.device)
        noise = _stream(self.settings.seed, epoch, NOISE)
        meter, started = _Meter(), time.perf_counter()
        self.model.train()
        for step, chosen in enumerate(order.split(self.settings.batch_size)):
            weight = self._train_step(self.train_images[chosen], epoch * self.steps_per_epoch + step, noise, meter)
            progress = self._progress(epoch, step + 1, meter.metrics(weight), meter.images_per_second)
            yield progress
        yield self._finish_epoch(progress, started)

    def _train_step(self, images: Tensor, step: int, noise: torch.Generator, meter: "_Meter") -> float:
        settings = self.settings
        warmup_steps = settings.kl_warmup_epochs * self.steps_per_epoch
        weight = kl_weight(step, warmup_steps=warmup_steps, beta=settings.beta, start=settings.kl_start)
        optimizer = self.state.optimizer
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, settings.epochs * self.steps_per_epoch, settings)
        prepared = _to_input(_augmented(images, settings, noise), settings, noise).to(self.device)
        samples = self._samples(step // self.steps_per_epoch)
        terms, excess = self._terms(self.model, prepared, noise, len(self.train_images), samples)
        value = loss(terms, weight=weight, free_bits=settings.free_bits) + weight * excess
        self._check_finite(value.item(), f"step {step}")
        optimizer.zero_grad()
        value.backward()
        if settings.clip_norm > 0:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip_norm)
        optimizer.step()
        if self.state.average is not None:
            self.state.average.update_parameters(self.model)
        meter.add(terms, excess)
        return weight

    def _samples(self, epoch: int) -> int:
        """Of z for each image, in the epoch of that number from 0."""
        late = epoch >= self.settings.epochs - self.settings.importance_epochs
        return self.settings.importance_samples if late else 1

    def _terms(
        self, model: VAE, images: Tensor, noise: torch.Generator, count: int, samples: int
    ) -> tuple[Terms, Tensor]:
        """Both terms of -ELBO, and what the objective has beside them, in nats.

        That is beta-TCVAE's weight of the total correlation, or, with several samples, by how much the
        importance-weighted bound lies below -ELBO.
        """
        precision = self.settings.precision
        posterior = encode_in(model, images, precision)
        if samples > 1:
            bound, terms = importance_bound(model, images, posterior, noise, samples=samples, precision=precision)
            return terms, (bound - terms.negative_elbo).mean()
        z = posterior.sample(noise)
        terms = terms_at(model, images, posterior, z, precision)
        excess = self.settings.tc_beta - 1
        return terms, excess * total_correlation(posterior, z, count) if excess else terms.kl.new_zeros(())

    def _finish_epoch(self, progress: Progress, started: float) -> Progress:
        validation = self._validate()
        self._check_finite(validation.loss, f"the validation of epoch {progress.epoch}")
        self.history.epochs_done += 1
        self.history.seconds += time.perf_counter() - started
        is_best = validation.loss < self.history.best_loss
        if is_best:
            self.history.best_epoch = self.history.epochs_done
            self.history.best_loss = validation.loss
            self.state.keep_weights()
        if self.folder is not None:
            self.state.write(self.folder, self.pictures)
        return replace(progress, validation=validation, is_best=is_best)

    def _check_finite(self, value: float, place: str) -> None:
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss became {value} in {place}: lower the learning rate (now {self.settings.learning_rate}) "
                "or set clip_norm."
            )

    @torch.no_grad()
    def _validate(self) -> Metrics:
        """This epoch's objective at full KL weight, with the same noise after every epoch so that epochs compare."""
        model = self.state.validated_model.eval()
        noise = _stream(self.settings.seed, 0, VALIDATION)
        meter, samples = _Meter(), self._samples(self.history.epochs_done)
        for images in self.validation_images.split(EVALUATION_BATCH):
            prepared = _to_input(images, self.settings, noise).to(self.device)
            meter.add(*self._terms(model, prepared, noise, len(self.validation_images), samples))
        return meter.metrics(self.settings.beta)

    def _progress(self, epoch: int, step: int, train: Metrics, rate: float) -> Progress:
        return Progress(
            epoch=epoch + 1,
            epochs=self.settings.epochs,
            step=step,
            steps=self.steps_per_epoch,
            train=train,
            validation=None,
            is_best=False,
            images_per_second=rate,
        )

    def resume(self) -> bool:
        """Go on from the folder's checkpoint; returns False when there is none.

        Raises:
            TrainingError: The checkpoint is damaged, or belongs to another configuration or other images.
        """
        if self.folder is None:
            return False
        state = RunState.stored(self.config, self.settings, self.folder, self.device, pictures=self.pictures)
        if state is not None:
            self.state = state
        return state is not None


class _Meter:
    """Running means over the images seen, and their rate."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.images = 0
        self.reconstruction = 0.0  # sums over images, nats
        self.kl = 0.0
        self.excess = 0.0  # what the objective has beside both terms

    def add(self, terms: Terms, excess: Tensor) -> None:
        self.images += len(terms.reconstruction)
        self.reconstruction += terms.reconstruction.detach().sum().item()
        self.kl += terms.kl.detach().sum().item()
        self.excess += excess.item() * len(terms.reconstruction)

    def metrics(self, weight: float) -> Metrics:
        reconstruction, kl = self.reconstruction / self.images, self.kl / self.images
        whole = reconstruction + weight * (kl + self.excess / self.images)
        return Metrics(loss=whole, reconstruction=reconstruction, kl=kl)

    @property
    def images_per_second(self) -> float:
        return self.images / max(time.perf_counter() - self.started, 1e-9)


def _stream(seed: int, epoch: int, purpose: int) -> torch.Generator:
    """A generator of its own for one purpose of one epoch."""
    state = np.random.SeedSequence([seed, epoch, purpose]).generate_state(1, np.uint64)[0]
    return torch.Generator("cpu").manual_seed(int(state >> np.uint64(1)))  # torch takes 63 bits


def _augmented(images: Tensor, settings: TrainingConfig, noise: torch.Generator) -> Tensor:
    if settings.augment == "none":
        return images
    mirrored = torch.rand(len(images), 1, 1, 1, generator=noise, device=noise.device) < 0.5
    return torch.where(mirrored, images.flip(dims=[3]), images)


def _to_input(
    images: Tensor, settings: TrainingConfig, noise: torch.Generator
) -> Float[Tensor, "batch channel height width"]:
    scaled = images.float() / 255
    if settings.binarise == "dynamic":
        scaled = torch.bernoulli(scaled, generator=noise)
    return scaled.contiguous(memory_format=torch.channels_last)
