"""Models that strangers could have made: each looks like a stored model, and something in it harms who trusts it."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vae_core.models.vae import CARD_FILE, CONFIG_FILE
from vae_core.store.metrics_file import METRICS_FILE
from vae_core.store.stored_models import REFERENCE_FILE

__all__ = ["STRANGERS", "UNUSABLE", "put_strangers"]

ROWS = 10**13  # of a reference set, as its header says


def _impossible_widths(folder: Path) -> None:
    (folder / CONFIG_FILE).write_text('{"widths": [10000000, 10000000]}')


def _lying_header(folder: Path) -> None:
    with np.load(folder / REFERENCE_FILE) as stored:
        parts = dict(stored)
    with zipfile.ZipFile(folder / REFERENCE_FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            shape = (ROWS, *part.shape[1:]) if name == "means" else part.shape
            header = {"descr": part.dtype.str, "fortran_order": False, "shape": shape}
            file = io.BytesIO()
            np.lib.format.write_array_header_1_0(file, header)
            archive.writestr(f"{name}.npy", file.getvalue() + part.tobytes())


def _card_of_markup(folder: Path) -> None:
    markup = (
        "<script>alert(1)</script>",
        "![x](http://other.example/x.png)",
        "<!--" * 10_000,
        ">" * 5_000,
        "[" * 20_000,
        "|a" * 5_000,
        "$" + "{" * 5_000,
        ":red[" * 5_000,
    )
    (folder / CARD_FILE).write_text("\n\n".join(markup))


def _card_of_gigabytes(folder: Path) -> None:
    with (folder / CARD_FILE).open("wb") as file:
        file.truncate(3 * 2**30)  # a hole, which takes no room


def _figures_of_any_shape(folder: Path) -> None:
    text = '{"test": {"negative_elbo": [[[1]]], "kl": "many", "reconstruction": 1e308, "active_units": true}, '
    (folder / METRICS_FILE).write_text(text + '"quality": {"psnr": -1e308, "ssim": {}}, "probe": 3, "samples": null}')


def _figures_nested(folder: Path) -> None:
    (folder / METRICS_FILE).write_text('{"test":' * 50_000)


def _figures_of_hundreds_of_digits(folder: Path) -> None:
    (folder / METRICS_FILE).write_text('{"test": {"negative_elbo": 1' + "0" * 400 + "}}")


def _figures_of_gigabytes(folder: Path) -> None:
    with (folder / METRICS_FILE).open("wb") as file:
        file.truncate(3 * 2**30)


def _figures_that_are_a_list(folder: Path) -> None:
    (folder / METRICS_FILE).write_text(json.dumps([1, 2, 3]))


UNUSABLE: dict[str, Callable[[Path], None]] = {
    "impossible-widths": _impossible_widths,
    "lying-header": _lying_header,
}
STRANGERS: dict[str, Callable[[Path], None]] = {
    **UNUSABLE,
    "card-of-markup": _card_of_markup,
    "card-of-gigabytes": _card_of_gigabytes,
    "figures-of-any-shape": _figures_of_any_shape,
    "figures-nested": _figures_nested,
    "figures-of-many-digits": _figures_of_hundreds_of_digits,
    "figures-of-gigabytes": _figures_of_gigabytes,
    "figures-a-list": _figures_that_are_a_list,
}


def put_strangers(models_dir: Path, good: str) -> None:
    """Put all of them beside a good model, each a copy of it with something changed."""
    for name, change in STRANGERS.items():
        change(Path(shutil.copytree(models_dir / good, models_dir / name)))
