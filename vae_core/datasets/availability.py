"""Whether a data set is on this machine: the one place that says so, without opening or fetching anything."""

from collections.abc import Collection
from pathlib import Path

from vae_core.datasets.archives import find_archive
from vae_core.datasets.idx import IdxSet
from vae_core.datasets.labelled import SPLITS, Split
from vae_core.datasets.own_sets import find_own_set
from vae_core.datasets.registry import DATASETS
from vae_core.errors import VAEExplorerError
from vae_core.runtime.locations import cache_folder

__all__ = ["is_at_hand"]


def is_at_hand(dataset: str, splits: Collection[Split] = SPLITS, *, data_dir: Path | None = None) -> bool:
    """Whether splits of a data set can be loaded from this machine; false as well where its places cannot be read.

    Args:
        dataset: id of the data set, as a model names it.
        splits: which of them.
        data_dir: folder that may hold ``NAME.npz``; by default that in ``VAE_DATA_DIR``.
    """
    try:
        info = DATASETS.get(dataset)
        if info is None:
            own = find_own_set(dataset)
            return own is not None and Path(own.folder).is_dir()
        if info.comes_along or find_archive(dataset, data_dir) is not None:
            return True
        return info.published is not None and _is_fetched(info.published, splits)
    except (VAEExplorerError, OSError):
        return False


def _is_fetched(source: IdxSet, splits: Collection[Split]) -> bool:
    folder = cache_folder() / source.name
    return all((folder / f"{file}.gz").is_file() for split in splits for file in source.files_of(split))
