"""What a training run is at the end of an epoch, and its checkpoint file.

A checkpoint holds everything that the next epoch depends on, so that a run that was killed goes on bit for bit.
"""

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

import torch
from jaxtyping import UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from vae_core.errors import ConfigError, TrainingError
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.vae import VAE
from vae_core.runtime.strict_json import config_from_json, config_to_json
from vae_core.runtime.whole_files import written_whole
from vae_core.training.pca_start import start_from_pca

__all__ = ["CHECKPOINT_FILE", "History", "RunState", "checkpoint_pictures", "is_checkpoint"]

CHECKPOINT_FILE = "checkpoint.safetensors"
SGD_MOMENTUM = 0.9
CPU = torch.device("cpu")


@dataclass
class History:
    """What a checkpoint knows beside tensors."""

    epochs_done: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    seconds: float = 0.0  # spent in whole epochs, over all the runs that were resumed


def is_checkpoint(path: Path) -> bool:
    """Whether a file is a checkpoint of a run, whatever its settings."""
    try:
        with safe_open(path, framework="pt") as file:
            return {"config", "history"} <= set(file.metadata() or ())
    except (OSError, SafetensorError):
        return False


def checkpoint_pictures(folder: Path) -> str | None:
    """The digest of the images that a run's checkpoint was trained on; None where it does not say."""
    try:
        with safe_open(folder / CHECKPOINT_FILE, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
    except (OSError, SafetensorError):
        return None
    return metadata.get("pictures") or None


@dataclass(eq=False)
class RunState:
    """The parts of a run that change.

    Attributes:
        config: Configuration of the model, with its `training` part set.
        model: Network that is trained.
        average: Running average of the network's weights; None where the settings ask for none.
        optimizer: Optimiser with its moments.
        best_weights: Weights of the lowest validation loss so far.
        history: Epochs, losses and time.
    """

    config: ModelConfig
    model: VAE
    average: AveragedModel | None
    optimizer: torch.optim.Optimizer
    best_weights: dict[str, Tensor]
    history: History = field(default_factory=History)

    @classmethod
    def fresh(
        cls,
        config: ModelConfig,
        settings: TrainingConfig,
        images: UInt8[Tensor, "n c h w"],
        device: torch.device = CPU,
    ) -> "RunState":
        """The state before the first step; `images` are those of the training part."""
        model = VAE.build_seeded(config, settings.seed).channels_last()
        if config.linear_path:
            start_from_pca(model, images, seed=settings.seed)
        return cls._around(model.to(device), settings)

    @classmethod
    def stored(
        cls,
        config: ModelConfig,
        settings: TrainingConfig,
        folder: Path,
        device: torch.device = CPU,
        *,
        pictures: str = "",
    ) -> "RunState | None":
        """The state in the folder's checkpoint; None when there is none.

        Args:
            config: the model that is trained.
            settings: how it is trained.
            folder: folder of the run.
            device: where the state is kept.
            pictures: digest of the images that it is trained on.

        Raises:
            TrainingError: The checkpoint is damaged, or belongs to another configuration or other images.
        """
        state = cls._around(VAE.build_seeded(config, settings.seed).channels_last().to(device), settings)
        return state if state.read(folder, pictures) else None

    @classmethod
    def _around(cls, model: VAE, settings: TrainingConfig) -> "RunState":
        update = _moving_average(settings.ema_decay)
        average = AveragedModel(model, device=model.device, multi_avg_fn=update) if settings.ema_decay else None
        return cls(model.config, model, average, _build_optimizer(model, settings), copy_weights(model))

    @property
    def validated_model(self) -> VAE:
        """What is validated and kept: the average where there is one."""
        if self.average is None:
            return self.model
        return cast(VAE, self.average.module)

    def keep_weights(self) -> None:
        """Remember the present weights as the best."""
        self.best_weights = copy_weights(self.validated_model)

    def write(self, folder: Path, pictures: str = "") -> None:
        """Write the checkpoint.

        Args:
            folder: folder of the run.
            pictures: digest of the images that it is trained on; empty where that does not matter.

        Raises:
            TrainingError: The folder cannot be written.
        """
        tensors = _named("model/", copy_weights(self.model)) | _named("best/", self.best_weights)
        if self.average is not None:
            tensors |= _named("average/", copy_weights(self.average.module))
            tensors["averaged_steps"] = self.average.n_averaged.to("cpu", copy=True)
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{key}": value.to("cpu").contiguous() for key, value in state.items()}
        metadata = {"config": config_to_json(self.config), "history": json.dumps(asdict(self.history))}
        metadata["pictures"] = pictures
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with written_whole(folder / CHECKPOINT_FILE) as temporary:
                save_file(tensors, temporary, metadata=metadata)
        except (OSError, SafetensorError) as error:  # the latter is what a full disk gives
            raise TrainingError(f"{folder} cannot be written ({error}); choose another folder.") from error

    def read(self, folder: Path, pictures: str = "") -> bool:
        """Take over the folder's checkpoint; returns False when there is none.

        Args:
            folder: folder of the run.
            pictures: as for `write`.

        Raises:
            TrainingError: The checkpoint is damaged, or belongs to another configuration or other images.
        """
        path = folder / CHECKPOINT_FILE
        if not path.is_file():
            return False
        try:
            self._take_over(path, pictures)
        except (SafetensorError, ConfigError, LookupError, TypeError, ValueError, RuntimeError) as error:
            reason = f"it lacks {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
            raise TrainingError(f"{path} is damaged ({reason}); delete it to start afresh.") from error
        return True

    def _take_over(self, path: Path, pictures: str) -> None:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            if config_from_json(ModelConfig, metadata["config"]) != self.config:
                raise TrainingError(
                    f"{path} was written by a run with other settings; delete it, or give the same settings to resume."
                )
            if pictures and (metadata.get("pictures") or pictures) != pictures:  # version 0.1 did not note them
                raise TrainingError(
                    f"{path} was written by a run on other images; delete it, or give the same images to resume."
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - the file is no dict
        self.model.load_state_dict(_under(tensors, "model/"))
        self.best_weights = _under(tensors, "best/")
        VAE(self.config).load_state_dict(self.best_weights)  # fails where one is missing
        if self.average is not None:
            self.average.module.load_state_dict(_under(tensors, "average/"))
            self.average.n_averaged.copy_(tensors["averaged_steps"])
        self._take_over_moments(_under(tensors, "optimizer/"))
        self.history = History(**json.loads(metadata["history"]))

    def _take_over_moments(self, tensors: dict[str, Tensor]) -> None:
        parameters = list(self.model.parameters())
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            index, key = name.split("/")
            state.setdefault(int(index), {})[key] = _laid_out_like(parameters[int(index)], tensor)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})


def copy_weights(model: torch.nn.Module) -> dict[str, Tensor]:
    """The weights, detached, on the processor and in plain memory order."""
    return {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in model.state_dict().items()
    }


def _moving_average(decay: float):  # type: ignore[no-untyped-def]  # noqa: ANN202 - what AveragedModel calls
    """An exponential moving average that forgets its first steps sooner: 1 - decay is at least 9 / (10 + step).

    The rise is that of TensorFlow's ExponentialMovingAverage with num_updates.
    """

    @torch.no_grad()
    def update(averaged: list[Tensor], current: list[Tensor], steps: Tensor) -> None:
        done = int(steps)
        torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + done) / (10 + done)))

    return update


def _build_optimizer(model: VAE, settings: TrainingConfig) -> torch.optim.Optimizer:
    parameters, decay = model.parameters(), settings.weight_decay
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, settings.learning_rate, momentum=SGD_MOMENTUM, weight_decay=decay)
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(parameters, settings.learning_rate, weight_decay=decay, fused=True)


def _laid_out_like(parameter: Tensor, state: Tensor) -> Tensor:
    """The optimiser's state in its parameter's memory order, which the fused optimisers take for granted."""
    return torch.empty_like(parameter).copy_(state) if state.shape == parameter.shape else state


def _named(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
