"""The models command: the stored models and their figures."""

import argparse

from vae_core.store.summary import markdown_table, model_lines

__all__ = ["run_models"]


def run_models(options: argparse.Namespace) -> None:
    """Print the stored models with their figures."""
    print(markdown_table() if options.markdown else "\n".join(model_lines()))
