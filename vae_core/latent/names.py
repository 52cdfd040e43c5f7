"""What groups of codes and directions between them may be called."""

import unicodedata

from vae_core.errors import InputError

__all__ = ["NAME_LIMIT", "check_name"]

NAME_LIMIT = 60  # characters: one line of a list
JOINERS = "\u200c\u200d"  # invisible as well, but Persian words and emoji are written with them
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # Unicode's categories of controls, formats, half pairs and line ends


def check_name(name: str, what: str) -> None:
    """Let a name pass that a person can see and tell from others.

    Args:
        name: Of 1 to `NAME_LIMIT` characters, one of them visible, and none of them unseen but for joiners.
        what: What has the name, such as "a group".

    Raises:
        InputError: The name is another one.
    """
    shown = name if len(name) <= NAME_LIMIT else name[: NAME_LIMIT - 3] + "..."
    if not 1 <= len(name) <= NAME_LIMIT or not name.translate(dict.fromkeys(map(ord, JOINERS))).strip():
        raise InputError(f"{what}'s name has 1 to {NAME_LIMIT} characters, got {len(name)}: {shown!r}; choose another.")
    if any(unicodedata.category(each) in UNSEEN and each not in JOINERS for each in name):
        raise InputError(f"{what}'s name has no control or other unseen characters, got {shown!r}; remove them.")
