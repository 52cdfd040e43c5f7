"""Answers that are files: what a browser saves instead of showing it."""

import re
import unicodedata

from starlette.responses import Response

from app.queries.base import File

__all__ = ["as_attachment", "safe_name"]

LONGEST_FILE_NAME = 64  # characters, before the ending
NAMELESS = "vae-explorer"


def as_attachment(file: File) -> Response:
    """The file under a safe form of its name, to be saved."""
    headers = {
        "Content-Disposition": f'attachment; filename="{safe_name(file.name)}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",  # a browser believes the type
    }
    return Response(file.content, media_type=file.media_type, headers=headers)


def safe_name(name: str) -> str:
    """A file's name in which only plain letters, digits, - and _ survive, with its ending.

    Letters lose their accents; what lies between the characters that survive becomes one dash.
    """
    stem, _, ending = name.rpartition(".")
    plain = unicodedata.normalize("NFKD", stem)
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    safe = re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-")[:LONGEST_FILE_NAME]
    return f"{safe or NAMELESS}.{re.sub(r'[^A-Za-z0-9]', '', ending)}"
