"""The upload box; what is dropped there goes to the session's memory and nowhere else."""

from collections.abc import Callable

import streamlit as st
from starlette.formparsers import MultiPartParser

from vae_core.images.files import MAX_BYTES, SUFFIXES

__all__ = ["uploader"]

MEBIBYTE = 2**20

# While it receives a file, Starlette moves what is longer than 1 MiB to a temporary file on disk. The page
# promises that uploads are never written to disk, so the longest allowed file has to fit.
MultiPartParser.spool_max_size = MAX_BYTES + MEBIBYTE


def uploader(*, key: str) -> list[tuple[str, Callable[[], bytes]]]:
    """Show the box and return what was put into it.

    Args:
        key: A new one shows a new, empty box.

    Returns:
        Each file's name and how to read it.
    """
    files = st.file_uploader(
        "Add pictures",
        type=SUFFIXES,
        accept_multiple_files=True,
        key=key,
        max_upload_size=MAX_BYTES // MEBIBYTE,
        label_visibility="collapsed",
    )
    return [(file.name, file.getvalue) for file in files]
