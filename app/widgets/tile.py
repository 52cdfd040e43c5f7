"""A model's tile in the collection: what it decodes, what it is, and one or two of its figures."""

from html import escape

import streamlit as st

from app.charts.metric_rows import headline
from app.services.catalogue import Entry
from app.wire.packing import file_address

__all__ = ["tile", "tile_style"]

# The strip keeps its place when there is none, so that tiles of one row stay in line.
STYLE = """
<style>
  .vae-tile { display: flex; flex-direction: column; gap: 4px; height: 100%; }
  .vae-tile .vae-strip {
    display: block; width: 100%; aspect-ratio: 8.5; object-fit: cover; object-position: left; border-radius: 4px;
  }
  .vae-tile .vae-strip:empty { background: color-mix(in srgb, currentColor 8%, transparent); }
  .vae-tile-name { display: flex; justify-content: space-between; align-items: center; font-weight: 600; }
  .vae-tile-name span {
    padding: 0 8px; border: 1px solid currentColor; border-radius: 99px; font-weight: 400; font-size: 0.75rem;
    line-height: 1.5;
  }
  .vae-tile p { margin: 0; line-height: 1.4; font-size: 0.95rem; }
  .vae-tile .vae-faint { font-size: 0.85rem; opacity: 0.7; }
  .vae-tile .vae-problem { font-size: 0.85rem; overflow-wrap: anywhere; }
</style>
"""


def tile_style() -> None:
    """What `tile` needs once a page."""
    st.html(STYLE)


def tile(entry: Entry, *, strip: bytes | None, problem: str, in_use: bool) -> None:
    """Show a tile; its buttons are the page's.

    Args:
        entry: The model.
        strip: What it decodes, as a PNG file; None when it cannot be had.
        problem: Why not, or what else is wrong, in one sentence; empty when nothing is.
        in_use: Whether it is the one that the other pages show.
    """
    lines = [
        _picture(entry, strip),
        f'<div class="vae-tile-name">{escape(entry.name)}{"<span>in use</span>" if in_use else ""}</div>',
        _line(" · ".join(filter(None, (entry.dimensions, entry.data))), "vae-faint"),
        _line(entry.preset.summary if entry.preset else ""),
        _line(headline(entry), "vae-faint"),
        _line(f"⚠ {problem}" if problem else "", "vae-problem"),
    ]
    st.html(f'<div class="vae-tile">{"".join(lines)}</div>')


def _picture(entry: Entry, strip: bytes | None) -> str:
    if strip is None:
        return '<div class="vae-strip"></div>'
    source = file_address(strip, "image/png")
    return f'<img class="vae-strip" src="{source}" alt="Pictures decoded by {escape(entry.name)}">'


def _line(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{escape(text)}</p>' if text else ""
