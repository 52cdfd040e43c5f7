"""What a person asks for who has a model trained: as a value, as JSON for the records, and as the command."""

import dataclasses
import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict

from vae_core.datasets.registry import DATASETS
from vae_core.models.config import ModelConfig, TrainingConfig, need_training
from vae_core.runtime.devices import DeviceName
from vae_core.runtime.strict_json import STRICT, config_to_json
from vae_core.store.presets import PRESETS

__all__ = ["Places", "TrainingRequest", "command_of", "provenance"]

# Settings of a network that have no option of their name: the data set gives some, others have one of another name.
UNSPOKEN = ("channels", "height", "width", "preparation", "training", "variational")


@dataclass(frozen=True)
class Places:
    """Folders of one machine that a training reads and writes.

    Attributes:
        models: where the model is stored; the first folder of the person's own models when None.
        runs: where the run has a folder; where runs lie when None.
        data: where data sets' archives are; the folder in VAE_DATA_DIR when None.
    """

    models: Path | None = None
    runs: Path | None = None
    data: Path | None = None

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True)
class TrainingRequest:
    """One model to be trained and stored.

    Attributes:
        name: name of the model.
        config: network and training; the data set is named by its id.
        preset: name of the preset that the settings were begun from; empty when there was none.
        threads: processor cores that the training may use.
        device: where the network is trained (see `vae_core.runtime.devices.find_device`).
        overwrite: whether a stored model of that name may be replaced.
        fresh: whether to forget an earlier run of that name instead of going on with it.
        of_collection: whether it is one of the models that ship, so that a preset's name is its own in any folder.
        places: folders of the machine; they say nothing of what was trained.
    """

    name: str
    config: ModelConfig
    preset: str = ""
    threads: int = 1
    device: DeviceName = "auto"
    overwrite: bool = False
    fresh: bool = False
    of_collection: bool = False
    places: Places = field(default_factory=Places)

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


def provenance(request: TrainingRequest) -> dict[str, Any]:
    """What was asked for, as JSON: all that decides what the model becomes, and no folder of the machine."""
    return {
        "name": request.name,
        "preset": request.preset,
        "threads": request.threads,
        "device": request.device,
        "config": json.loads(config_to_json(request.config)),
    }


def command_of(request: TrainingRequest) -> str:
    """The command that asks for the same model, on one line; what the preset or the defaults say is left out."""
    config, training = request.config, need_training(request.config)
    preset = PRESETS.get(request.preset)
    base = preset.config if preset else ModelConfig(training=TrainingConfig(""))
    words = ["--threads", str(request.threads)]
    words += ["--device", request.device] if request.device != "auto" else []
    words += ["--preset", request.preset] if preset else []
    words += ["--name", request.name] if request.name != request.preset else []
    words += _options(training, need_training(base))
    # The widths' default is that of an architecture.
    spoken_for = (*UNSPOKEN, "widths") if config.architecture != base.architecture else UNSPOKEN
    words += _options(config, base, but=spoken_for)
    words += ["--widths", _word(config.widths)] if "widths" in spoken_for else []
    if config.variational != base.variational:
        words.append("--no-autoencoder" if config.variational else "--autoencoder")
    if training.dataset not in DATASETS:  # a named set has its own shape
        words += ["--image-size", str(config.height), *(["--grey"] if config.channels == 1 else [])]
    return f"python -m vae_core train {shlex.join(words)}"


def _options(settings: object, base: object, *, but: tuple[str, ...] = ()) -> list[str]:
    """The options of all settings that are other than those of `base`."""
    words: list[str] = []
    names = [each.name for each in dataclasses.fields(settings) if each.name not in but]  # type: ignore[arg-type]
    for name in names:
        value, option = getattr(settings, name), name.replace("_", "-")
        if value == getattr(base, name):
            continue
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [f"--{option}", _word(value)]
    return words


def _word(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
