"""Data sets kept as one ``NAME.npz`` in a data folder: the argument `data_dir`, else the environment's VAE_DATA_DIR."""

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from vae_core.errors import DatasetError
from vae_core.runtime.locations import data_folder

__all__ = ["ARCHIVE_DAMAGE", "find_archive", "need_archive", "read_archive"]

# What NumPy raises on a damaged archive. A TypeError is a single array saved under the archive's name, a
# ValueError a pickle, a RuntimeError a password or a packing unknown to Python.
ARCHIVE_DAMAGE = (
    EOFError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def find_archive(name: str, data_dir: Path | None) -> Path | None:
    """The data folder's ``NAME.npz``; None where there is no data folder or it lacks the file.

    Raises:
        DatasetError: The data folder asked for does not exist.
    """
    folder = data_dir or data_folder()
    if folder is None:
        return None
    if not os.path.isdir(folder):  # noqa: PTH112 - Path's own raises where a name is too long or a parent closed
        raise DatasetError(f"the data folder must exist, got {folder}; correct VAE_DATA_DIR or the argument.")
    archive = folder / f"{name}.npz"
    return archive if archive.is_file() else None


def need_archive(name: str, data_dir: Path | None) -> Path:
    """The data folder's ``NAME.npz``, for a set that is kept nowhere else.

    Raises:
        DatasetError: It is not there.
    """
    archive = find_archive(name, data_dir)
    if archive is None:
        asked = data_dir or data_folder()
        found = f"the data folder {asked} without it" if asked else "no data folder"
        raise DatasetError(f"{name} is read from {name}.npz, got {found}; set VAE_DATA_DIR to a folder that holds it.")
    return archive


def read_archive(path: Path, keys: tuple[str, ...]) -> list[np.ndarray]:
    """The arrays of these names, in this order.

    Raises:
        DatasetError: The file is damaged or lacks one.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            missing = [key for key in keys if key not in arrays]
            if missing:
                known, lacking = ", ".join(keys), ", ".join(missing)
                raise DatasetError(f"{path} must hold {known}, but lacks {lacking}; fetch the file again.")
            return [arrays[key] for key in keys]
    except ARCHIVE_DAMAGE as error:
        raise DatasetError(
            f"{path} cannot be read as an archive of plain arrays ({error}); fetch the file again."
        ) from error
