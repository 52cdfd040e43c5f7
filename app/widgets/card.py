"""A model card as text: it may come from outside, so it brings in neither HTML nor pictures of other hosts."""

import re

import streamlit as st

__all__ = ["card", "without_pictures"]

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)  # Streamlit would show them as text
ZERO_WIDTH_SPACE = "\u200b"


def card(text: str) -> None:
    """Show a card's Markdown; tags in it are shown as they are."""
    st.markdown(without_pictures(COMMENT.sub("", text)), anchors=False)


def without_pictures(text: str) -> str:
    """Markdown whose pictures have become links: showing a picture would ask another host for it.

    An exclamation mark makes a picture of the bracket behind it. A backslash would part them too, unless one stands
    there already and takes it away.
    """
    return text.replace("![", f"!{ZERO_WIDTH_SPACE}[")
