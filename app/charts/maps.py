"""Arrays to Plotly figures; knows no Streamlit.

Colours of classes are Petroff's ten (2021, arXiv:2107.02270), chosen for people with colour-vision deficiencies;
values are coloured by viridis.
"""

import html
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float, Shaped

from app.wire.packing import whole_base64

__all__ = ["NEUTRAL", "PALETTE", "MapColour", "map_chart", "plain_text"]

PALETTE = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
POINT_SIZE = 4  # pixels
POINT_OPACITY = 0.75
OUTLINE = 1  # pixels, of a hollow point
FREE_MARGINS = {"l": 10, "t": 10, "b": 10}
NEUTRAL = PALETTE[3]  # a grey that shows on light and dark ground
TITLED_MARGINS = {"l": 52, "t": 10, "b": 44}
BAR_ROOM = 64  # pixels right of the plot, for the colour bar
SYMBOL_ROOM, LETTER_ROOM = 44, 7  # pixels of a legend's symbol, and of each letter of its names
LONGEST_LEGEND_NAME = 14  # letters that the legend shows; more would take the room from the map


@dataclass(frozen=True, eq=False)
class MapColour:
    """What colours the points of a map.

    Attributes:
        values: One for each point: an index into `categories`, or a number.
        categories: Names of the classes; None for numbers.
        title: Title of the colour bar.
    """

    values: Shaped[np.ndarray, " n"]
    categories: tuple[str, ...] | None = None
    title: str = ""


def map_chart(
    places: Float[np.ndarray, "n 2"],
    colour: MapColour,
    *,
    axis_titles: tuple[str, str] | None,
    names: tuple[str, ...] = (),
    held_out: Bool[np.ndarray, " n"] | None = None,
) -> go.Figure:
    """A map of points, one scattergl trace a class or one in all; the legend lies outside the plot.

    Margins are fixed and axes hold still, so that the page can turn pixels into places without asking Plotly.

    Args:
        places: [point, 2].
        colour: Colour of the points.
        axis_titles: Horizontal and vertical; None hides the axes of a map whose units mean nothing.
        names: Of the model's classes, whatever the colour shows: the legend has room for them in every map of the
            model, so that a change of colour leaves the plot where it is.
        held_out: False for images that the model was trained on, which are drawn hollow; None when all are held out.

    Returns:
        The figure. Its layout's `meta` says which point of the map each point of each trace is: `indices`, for each
        trace base64 of little-endian int32.
    """
    figure = go.Figure(layout=_map_layout(axis_titles, names))
    places = places.astype(np.float32)
    symbols = None if held_out is None else np.where(held_out, "circle", "circle-open")
    lines = None if held_out is None else np.where(held_out, 0, OUTLINE)  # WebGL draws no outline by default
    if colour.categories is None:
        marker = {**_value_marker(colour), "symbol": symbols, "line": {"width": lines}}
        figure.add_trace(_points(places, colour.title, marker, showlegend=False))
        figure.layout.meta = {"indices": [whole_base64(np.arange(len(places)))]}
        return figure
    indices = []
    for index, name in enumerate(colour.categories):
        members = np.flatnonzero(colour.values == index)
        if len(members):
            colour_of_class = PALETTE[index % len(PALETTE)]
            marker = {"color": colour_of_class, "size": POINT_SIZE, "opacity": POINT_OPACITY}
            marker["symbol"] = None if symbols is None else symbols[members]
            # The colour is the legend's, whose symbol else has a grey rim where some points are hollow.
            marker["line"] = {"color": colour_of_class, "width": None if lines is None else lines[members]}
            # A group of its own, so that the legend hides what a page adds to a class together with it.
            figure.add_trace(_points(places[members], plain_text(_shortened(name)), marker, legendgroup=str(index)))
            indices.append(whole_base64(members))
    figure.layout.meta = {"indices": indices}
    return figure


def plain_text(text: str) -> str:
    """The text as Plotly shows it letter by letter: it reads tags, and a model may come from outside."""
    return html.escape(text, quote=False)  # it knows no &quot;


def _points(places: Float[np.ndarray, "n 2"], name: str, marker: dict[str, Any], **legend: Any) -> go.Scattergl:
    x, y = places.T
    return go.Scattergl(x=x, y=y, mode="markers", name=name, hoverinfo="none", marker=marker, **legend)


def _value_marker(colour: MapColour) -> dict[str, Any]:
    bar = {"title": {"text": colour.title, "side": "right"}, "thickness": 12, "len": 0.6, "x": 1.0}
    values = colour.values.astype(np.float32)
    low, high = np.quantile(values, (0.01, 0.99))
    return {
        "color": values,
        "cmin": float(low),
        "cmax": float(high),
        "colorscale": "Viridis",
        "colorbar": bar,
        "size": POINT_SIZE,
        "opacity": POINT_OPACITY,
    }


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_LEGEND_NAME else f"{name[: LONGEST_LEGEND_NAME - 1].rstrip()}…"


def _map_layout(axis_titles: tuple[str, str] | None, names: tuple[str, ...]) -> dict[str, Any]:
    longest = max((len(_shortened(name)) for name in names), default=0)
    room = max(BAR_ROOM, SYMBOL_ROOM + LETTER_ROOM * longest)
    axis = {"automargin": False, "zeroline": False, "showgrid": axis_titles is not None}
    titles = axis_titles or ("", "")
    axes = [{**axis, "visible": axis_titles is not None, "title": {"text": title}} for title in titles]
    return {
        "template": "none",
        "xaxis": axes[0],
        "yaxis": axes[1],
        "margin": {**(TITLED_MARGINS if axis_titles else FREE_MARGINS), "r": room, "autoexpand": False},
        "hovermode": "closest",
        "dragmode": "pan",
        "legend": {
            "itemsizing": "constant",
            "x": 1.0,
            "y": 0.94,
            "xanchor": "left",
            "yanchor": "top",
            "tracegroupgap": 0,
        },
    }
