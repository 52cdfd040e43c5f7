"""What a page shows instead of an exception: one sentence where it went wrong, and all that was shown before."""

from collections.abc import Callable

import streamlit as st

from vae_core.runtime.failures import for_the_person

__all__ = ["run_page", "show_failure"]


def run_page(show: Callable[[], None]) -> None:
    """Run a page's script; what it raises ends it with a sentence."""
    try:
        show()
    except Exception as error:  # noqa: BLE001 - the navigation and the next run are still there
        show_failure(error)


def show_failure(error: Exception) -> bool:
    """Say on the page what went wrong; of what nobody foresaw its number, under which it is logged.

    Returns:
        True, by which Streamlit knows that it need not say anything itself.
    """
    st.error(str(for_the_person(error, "the script of a page")))
    return True
