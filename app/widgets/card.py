"""A model card as text: it may come from outside, so it brings in neither HTML nor pictures of other hosts."""

import streamlit as st

__all__ = ["card", "without_comments", "without_pictures"]

COMMENT, COMMENT_END = "<!--", "-->"
ZERO_WIDTH_SPACE = "\u200b"


def card(text: str) -> None:
    """Show a card's Markdown; tags in it are shown as they are."""
    st.markdown(without_pictures(without_comments(text)), anchors=False)


def without_comments(text: str) -> str:
    """Markdown without HTML's comments, which Streamlit would show as text; one without an end is text."""
    kept: list[str] = []
    place = 0
    while (begin := text.find(COMMENT, place)) >= 0 and (end := text.find(COMMENT_END, begin + len(COMMENT))) >= 0:
        kept.append(text[place:begin])
        place = end + len(COMMENT_END)
    return "".join([*kept, text[place:]])


def without_pictures(text: str) -> str:
    """Markdown whose pictures have become links: showing a picture would ask another host for it.

    An exclamation mark makes a picture of the bracket behind it. A backslash would part them too, unless one stands
    there already and takes it away.
    """
    return text.replace("![", f"!{ZERO_WIDTH_SPACE}[")
