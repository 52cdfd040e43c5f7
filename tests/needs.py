"""What some tests need of the machine: where it is missing they skip and say so, but fail in CI, which has it."""

import os
from pathlib import Path

import pytest


def need_data(dataset: str) -> None:
    """The archive of a data set in the data folder; nothing is downloaded for a test."""
    folder = os.environ.get("VAE_DATA_DIR")
    if dataset != "digits" and not (folder and (Path(folder) / f"{dataset}.npz").is_file()):  # scikit-learn has digits
        lack(f"VAE_DATA_DIR names no folder with {dataset}.npz")


def lack(reason: str) -> None:
    """Something that a test needs is missing."""
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
