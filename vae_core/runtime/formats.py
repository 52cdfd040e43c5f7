"""The number of a file's format: what a newer version wrote is said to be so, what an older one wrote is read."""

import json

from vae_core.errors import ConfigError

__all__ = ["FORMAT", "check_format", "number_in"]

FORMAT = "format"  # name under which each file has its number; a file of before there were any has none


def check_format(found: object, *, newest: int, where: object) -> int:
    """The format of a file, 0 where the file does not say.

    Args:
        found: what the file has under `FORMAT`; None where there is nothing.
        newest: highest number that this version reads.
        where: the file, for the message.

    Raises:
        ConfigError: The number is of a newer version, or there is something else than a number.
    """
    if found is None:
        return 0
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise ConfigError(f"{where}: {FORMAT} must be a whole number of at least 1, got {str(found)[:40]!r}.")
    if found > newest:
        raise ConfigError(
            f"{where} was made by a newer version of VAE Explorer (format {found}, this version knows up to {newest}); "
            "install the newer version to use it."
        )
    return found


def number_in(content: bytes) -> object:
    """What a JSON file has under `FORMAT`; None where it has nothing, or is no JSON object."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found.get(FORMAT) if isinstance(found, dict) else None
