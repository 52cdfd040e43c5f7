"""The rule for names that become names of files, folders and addresses: of models, and of data sets."""

import re

__all__ = ["NAME_RULE", "is_name"]

NAME_RULE = "1 to 64 of a-z, 0-9, '.', '-' and '_', the first a letter or digit"
RULE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def is_name(text: str) -> bool:
    """Whether a text follows `NAME_RULE`, so that it can never be a path."""
    return RULE.fullmatch(text) is not None
