"""The training loop, as a generator of progress that can be stopped anywhere and resumed bit for bit.

What is random in an epoch (order, noise, binarisation) depends on the seed and the epoch's number alone, and
a checkpoint is written after each epoch. A run that was killed therefore goes on from its last whole epoch
exactly as if nothing had happened, on the same machine with the same number of threads.
"""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vae_core.config import ModelConfig, TrainingConfig, config_from_json, config_to_json
from vae_core.errors import ConfigError, TrainingError
from vae_core.model import VAE
from vae_core.objective import EVALUATION_BATCH, Terms, kl_weight, loss, sampled_terms

__all__ = ["Figures", "Progress", "Trainer", "learning_rate"]

CHECKPOINT_FILE = "checkpoint.safetensors"
SGD_MOMENTUM = 0.9
ORDER, NOISE, VALIDATION = range(3)  # independent random streams of one seed


@dataclass(frozen=True)
class Figures:
    """Means over a set of images, in nats: one posterior sample an image, KL weighted as the objective says."""

    loss: float
    reconstruction: float
    kl: float


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        epoch: The current epoch, from 1.
        epochs: Planned in all.
        step: Steps done in this epoch.
        steps: Steps of an epoch.
        train: Means over this epoch's images so far.
        validation: Over the validation images, at the end of an epoch; None within.
        is_best: Whether this validation loss is the lowest so far.
        images_per_second: Trained in this epoch, validation not counted.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    train: Figures
    validation: Figures | None
    is_best: bool
    images_per_second: float


@dataclass
class History:
    """What a checkpoint knows beside tensors."""

    epochs_done: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    seconds: float = 0.0  # spent in whole epochs, over all the runs that were resumed


def learning_rate(step: int, total_steps: int, config: TrainingConfig) -> float:
    """Step size at `step` of `total_steps`: a linear rise, then constant or a cosine down to zero.

    Cosine: Loshchilov & Hutter 2017 (arXiv:1608.03983), without restarts.
    """
    rise = min(1.0, (step + 1) / max(1, config.lr_warmup_steps))
    fall = 1.0 if config.schedule == "constant" else 0.5 * (1 + math.cos(math.pi * step / max(1, total_steps)))
    return config.learning_rate * rise * fall


class Trainer:
    """One training run.

    Args:
        config: The model, with its `training` part set.
        train_images: uint8 [image, channel, height, width]; stays in memory.
        validation_images: uint8, same shape; never trained on. Early stopping and the choice of the weights
            to keep use these alone.
        folder: Where checkpoints go; None keeps none.

    Raises:
        TrainingError: `config.training` is missing, or there are no images of the model's shape.
    """

    def __init__(
        self,
        config: ModelConfig,
        train_images: UInt8[Tensor, "image channel height width"],
        validation_images: UInt8[Tensor, "rest channel height width"],
        *,
        folder: Path | None = None,
    ) -> None:
        if config.training is None:
            raise TrainingError("config.training is None: set a TrainingConfig to train.")
        for part, images in (("training", train_images), ("validation", validation_images)):
            if len(images) == 0 or tuple(images.shape[1:]) != config.image_shape:
                raise TrainingError(
                    f"the {part} images must be at least one of shape {config.image_shape}, got {list(images.shape)}."
                )
        self.config = config
        self.settings = config.training
        self.folder = folder
        self.train_images = train_images
        self.validation_images = validation_images
        self.model = VAE.build_seeded(config, self.settings.seed).channels_last()
        self.best_weights = _copy_weights(self.model)
        self.optimizer = _build_optimizer(self.model, self.settings)
        self.history = History()

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
        model.load_state_dict(self.best_weights)
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
        order = torch.randperm(len(self.train_images), generator=_stream(self.settings.seed, epoch, ORDER))
        noise = _stream(self.settings.seed, epoch, NOISE)
        meter, started = _Meter(), time.perf_counter()
        self.model.train()
        for step, chosen in enumerate(order.split(self.settings.batch_size)):
            weight = self._train_step(self.train_images[chosen], epoch * self.steps_per_epoch + step, noise, meter)
            progress = self._progress(epoch, step + 1, meter.figures(weight), meter.images_per_second)
            yield progress
        yield self._finish_epoch(progress, started)

    def _train_step(self, images: Tensor, step: int, noise: torch.Generator, meter: "_Meter") -> float:
        settings = self.settings
        weight = kl_weight(step, warmup_steps=settings.kl_warmup_epochs * self.steps_per_epoch, beta=settings.beta)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(step, settings.epochs * self.steps_per_epoch, settings)
        terms, _ = sampled_terms(self.model, _to_input(images, settings, noise), noise)
        value = loss(terms, weight=weight, free_bits=settings.free_bits)
        self._check_finite(value.item(), f"step {step}")
        self.optimizer.zero_grad()
        value.backward()
        if settings.clip_norm > 0:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip_norm)
        self.optimizer.step()
        meter.add(terms)
        return weight

    def _finish_epoch(self, progress: Progress, started: float) -> Progress:
        validation = self._validate()
        self._check_finite(validation.loss, f"the validation of epoch {progress.epoch}")
        self.history.epochs_done += 1
        self.history.seconds += time.perf_counter() - started
        is_best = validation.loss < self.history.best_loss
        if is_best:
            self.history.best_epoch = self.history.epochs_done
            self.history.best_loss = validation.loss
            self.best_weights = _copy_weights(self.model)
        if self.folder is not None:
            self._write_checkpoint(self.folder)
        return replace(progress, validation=validation, is_best=is_best)

    def _check_finite(self, value: float, place: str) -> None:
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss became {value} in {place}: lower the learning rate (now {self.settings.learning_rate}) "
                "or set clip_norm."
            )

    @torch.no_grad()
    def _validate(self) -> Figures:
        """The objective at its full KL weight, with the same noise after every epoch so that epochs compare."""
        self.model.eval()
        noise = _stream(self.settings.seed, 0, VALIDATION)
        meter = _Meter()
        for images in self.validation_images.split(EVALUATION_BATCH):
            terms, _ = sampled_terms(self.model, _to_input(images, self.settings, noise), noise)
            meter.add(terms)
        return meter.figures(self.settings.beta)

    def _progress(self, epoch: int, step: int, train: Figures, rate: float) -> Progress:
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
            TrainingError: The checkpoint is damaged or belongs to another configuration.
        """
        path = None if self.folder is None else self.folder / CHECKPOINT_FILE
        if path is None or not path.is_file():
            return False
        try:
            self._read_checkpoint(path)
        except (SafetensorError, ConfigError, KeyError, TypeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise TrainingError(f"{path} is damaged ({reason}); delete it to start afresh.") from error
        return True

    def _write_checkpoint(self, folder: Path) -> None:
        tensors = {f"model/{name}": tensor for name, tensor in _copy_weights(self.model).items()}
        tensors |= {f"best/{name}": tensor for name, tensor in self.best_weights.items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{key}": value.contiguous() for key, value in state.items()}
        metadata = {"config": config_to_json(self.config), "history": json.dumps(asdict(self.history))}
        temporary = folder / (CHECKPOINT_FILE + ".part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            save_file(tensors, temporary, metadata=metadata)
            temporary.replace(folder / CHECKPOINT_FILE)  # a kill while writing leaves the last checkpoint whole
        except (OSError, SafetensorError) as error:  # the latter is what a full disk gives
            raise TrainingError(f"{folder} cannot be written ({error}); choose another folder.") from error

    def _read_checkpoint(self, path: Path) -> None:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            if config_from_json(ModelConfig, metadata["config"]) != self.config:
                raise TrainingError(
                    f"{path} was written by a run with other settings; delete it, or give the same settings to resume."
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - the file is no dict
        self.model.load_state_dict(_under(tensors, "model/"))
        self.best_weights = _under(tensors, "best/")
        self.best_model()  # fails where one is missing
        parameters = list(self.model.parameters())
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under(tensors, "optimizer/").items():
            index, key = name.split("/")
            state.setdefault(int(index), {})[key] = _laid_out_like(parameters[int(index)], tensor)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        self.history = History(**json.loads(metadata["history"]))


class _Meter:
    """Running means over the images seen, and their rate."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.images = 0
        self.reconstruction = 0.0  # sums over images, nats
        self.kl = 0.0

    def add(self, terms: Terms) -> None:
        self.images += len(terms.reconstruction)
        self.reconstruction += terms.reconstruction.detach().sum().item()
        self.kl += terms.kl.detach().sum().item()

    def figures(self, weight: float) -> Figures:
        reconstruction, kl = self.reconstruction / self.images, self.kl / self.images
        return Figures(loss=reconstruction + weight * kl, reconstruction=reconstruction, kl=kl)

    @property
    def images_per_second(self) -> float:
        return self.images / max(time.perf_counter() - self.started, 1e-9)


def _stream(seed: int, epoch: int, purpose: int) -> torch.Generator:
    """A generator of its own for one purpose of one epoch."""
    state = np.random.SeedSequence([seed, epoch, purpose]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))  # torch takes 63 bits


def _to_input(
    images: Tensor, settings: TrainingConfig, noise: torch.Generator
) -> Float[Tensor, "batch channel height width"]:
    scaled = images.float() / 255
    if settings.binarise == "dynamic":
        scaled = torch.bernoulli(scaled, generator=noise)
    return scaled.contiguous(memory_format=torch.channels_last)


def _build_optimizer(model: VAE, settings: TrainingConfig) -> torch.optim.Optimizer:
    parameters, decay = model.parameters(), settings.weight_decay
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, settings.learning_rate, momentum=SGD_MOMENTUM, weight_decay=decay)
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(parameters, settings.learning_rate, weight_decay=decay, fused=True)


def _copy_weights(model: VAE) -> dict[str, Tensor]:
    return {
        name: tensor.detach().clone(memory_format=torch.contiguous_format)
        for name, tensor in model.state_dict().items()
    }


def _laid_out_like(parameter: Tensor, state: Tensor) -> Tensor:
    """The optimiser's state in its parameter's memory order, which the fused optimisers take for granted."""
    return torch.empty_like(parameter).copy_(state) if state.shape == parameter.shape else state


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
