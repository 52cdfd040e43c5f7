"""The places command: where everything lies on this machine."""

import argparse
import os

from vae_core.runtime.locations import LOCATIONS

__all__ = ["run_places"]


def run_places(_options: argparse.Namespace) -> None:
    """Print each place, the variable that names another folder, and its folder on this machine."""
    for place in LOCATIONS:
        folders = os.pathsep.join(map(str, place.folders())) or "none"
        print(f"{place.name:20} {place.variable or '-':20} {folders}")
