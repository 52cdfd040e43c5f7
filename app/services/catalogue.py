"""The stored models as a collection: what is known of each without loading it, its card, and itself as a zip."""

import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from vae_core.datasets.registry import DATASETS
from vae_core.errors import ModelError, VAEExplorerError
from vae_core.models.config import ModelConfig
from vae_core.models.config_file import read_config
from vae_core.models.vae import CARD_FILE, CONFIG_FILE
from vae_core.runtime.file_states import file_states
from vae_core.runtime.memo import Memo
from vae_core.runtime.whole_folders import read_whole
from vae_core.store.collection import preset_of
from vae_core.store.identity import reference_digest, weights_digest
from vae_core.store.metrics_file import read_metrics
from vae_core.store.presets import PRESETS, Preset
from vae_core.store.public_files import public_content
from vae_core.store.stored_models import MODEL_FILES, list_models, model_folder

__all__ = ["FIRST_MODEL", "Entry", "card_of", "collection", "families", "find_entry", "zip_model"]

FIRST_MODEL = "mnist-16d"  # what a first visit shows, when it is there
LONGEST_CARD = 100_000  # bytes; a card from outside may be anything
ENTRIES = 1_000  # kept in memory
ON_THEIR_OWN, WITHOUT_PRESET = "On their own", "Your own models"


@dataclass(frozen=True, eq=False)
class Entry:
    """A stored model as its small files describe it.

    Attributes:
        name: Of the model.
        folder: Where it is stored.
        digest: Digits of what its network computes; empty when its weights cannot be read.
        reference_digest: Digits of its reference set; empty when it has none, or one that cannot be read.
        config: Its configuration; None when that cannot be read.
        metrics: Its figures; empty when there are none, or they cannot be read.
        size: Of its files together, in bytes.
        problem: What is wrong with configuration or figures, in one sentence; empty when nothing is.
    """

    name: str
    folder: Path
    digest: str
    reference_digest: str
    config: ModelConfig | None
    metrics: dict[str, Any] = field(repr=False)
    size: int
    problem: str

    @property
    def preset(self) -> Preset | None:
        """The collection's recipe that it was made by; None of a model of somebody's own, whatever its name."""
        return preset_of(self.name, self.config)

    @property
    def dimensions(self) -> str:
        """How many dimensions it has, in words; empty when that is not known."""
        if self.config is None:
            return ""
        return "1 dimension" if self.config.latent_dim == 1 else f"{self.config.latent_dim} dimensions"

    @property
    def data(self) -> str:
        """What it was trained on, in words; a folder's path is nobody else's business."""
        if self.config is None or self.config.training is None:
            return ""
        info = DATASETS.get(self.config.training.dataset)
        return info.title if info else "a folder of pictures"


def collection() -> list[Entry]:
    """The stored models: those of the presets in their order, then the others by name."""
    entries = []
    for name in list_models():
        with suppress(ModelError):  # it was removed this very moment
            entries.append(find_entry(name))
    order = {name: place for place, name in enumerate(PRESETS)}
    return sorted(entries, key=lambda entry: (order[entry.name] if entry.preset else len(order), entry.name))


def find_entry(name: str) -> Entry:
    """The stored model of that name.

    Raises:
        ModelError: There is none.
    """
    folder = model_folder(name)
    states = file_states(folder / file for file in MODEL_FILES)
    size = sum(size for _, size, *_ in states)
    return _entries.get((name, states), lambda: _read_entry(name, folder, size))


def families(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Models by the name of their family, each where its first member stands; those without one come last."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.preset is not None and entry.preset.family:
            groups.setdefault(entry.preset.family, []).append(entry)
    for entry in entries:
        if entry.preset is None or not entry.preset.family:
            groups.setdefault(ON_THEIR_OWN if entry.preset else WITHOUT_PRESET, []).append(entry)
    return groups


def card_of(entry: Entry) -> str:
    """The text of its model card; empty when it has none."""
    try:
        with (entry.folder / CARD_FILE).open("rb") as file:
            return file.read(LONGEST_CARD).decode(errors="replace")
    except OSError:
        return ""


def zip_model(entry: Entry) -> bytes:
    """Its files in a folder of its name, as a zip; what else lies beside them stays where it is."""
    return read_whole(entry.folder, lambda: _zipped(entry))


def _zipped(entry: Entry) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:  # of any year
        for name in MODEL_FILES:
            if (entry.folder / name).is_file():
                about = zipfile.ZipInfo.from_file(entry.folder / name, f"{entry.name}/{name}", strict_timestamps=False)
                about.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(about, public_content(entry.folder, name))
    return packed.getvalue()


_entries: Memo[Entry] = Memo(ENTRIES)


def _read_entry(name: str, folder: Path, size: int) -> Entry:
    config, metrics, weights, reference, problem = None, {}, "", "", ""
    try:
        config = read_config(folder / CONFIG_FILE)
        metrics = read_metrics(folder)
        weights = weights_digest(folder)
        reference = reference_digest(folder)
    except VAEExplorerError as error:
        problem = str(error)
    return Entry(name, folder, weights, reference, config, metrics, size, problem)
