"""What nobody foresaw: the log gets it whole, a person a short number to ask by."""

import logging
import secrets

from vae_core.errors import InternalError, VAEExplorerError

__all__ = ["for_the_person", "unforeseen"]

logger = logging.getLogger(__name__)


def for_the_person(error: Exception, doing: str) -> VAEExplorerError:
    """The error itself, when it is one of ours; else what `unforeseen` makes of it."""
    return error if isinstance(error, VAEExplorerError) else unforeseen(error, doing)


def unforeseen(error: Exception, doing: str) -> InternalError:
    """Log an error with its traceback under a short random number; the error for the person, which names the number.

    Args:
        error: What was raised; none of ours, whose texts are for the person already.
        doing: What failed, for the log, such as ``"an export"``.
    """
    number = secrets.token_hex(3)
    logger.error("%s failed inside (%s)", doing, number, exc_info=error)
    return InternalError(f"something went wrong inside ({number}); the server's log says what, under this number.")
