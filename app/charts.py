"""Arrays to Plotly figures; knows no Streamlit.

Colours of classes are Petroff's ten (2021, arXiv:2107.02270), chosen for people with colour-vision deficiencies;
values are coloured by viridis.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Shaped

__all__ = ["PALETTE", "MapColour", "map_figure", "posterior_figure"]

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
FREE_MARGINS = {"l": 10, "r": 64, "t": 10, "b": 10}
TITLED_MARGINS = {"l": 52, "r": 64, "t": 10, "b": 44}


@dataclass(frozen=True)
class MapColour:
    """What colours the points of a map.

    Attributes:
        values: One for each point: an index into `categories`, or a number.
        categories: Names of the classes; None for numbers.
        title: Of the colour bar.
    """

    values: Shaped[np.ndarray, " n"]
    categories: tuple[str, ...] | None = None
    title: str = ""


def map_figure(
    places: Float[np.ndarray, "n 2"], colour: MapColour, *, axis_titles: tuple[str, str] | None
) -> go.Figure:
    """A map of points, one scattergl trace a class or one in all; the legend lies outside the plot.

    Margins are fixed and axes hold still, so that the page can turn pixels into places without asking Plotly.

    Args:
        places: [point, 2].
        colour: Of the points.
        axis_titles: Horizontal and vertical; None hides the axes of a map whose units mean nothing.
    """
    figure = go.Figure(layout=_map_layout(axis_titles))
    places = places.astype(np.float32)
    if colour.categories is None:
        figure.add_trace(_points(places, colour.title, _value_marker(colour)))
        return figure
    for index, name in enumerate(colour.categories):
        member = colour.values == index
        if member.any():
            marker = {"color": PALETTE[index % len(PALETTE)], "size": POINT_SIZE, "opacity": POINT_OPACITY}
            figure.add_trace(_points(places[member], name, marker))
    return figure


def posterior_figure(
    mean: Float[np.ndarray, " d"], std: Float[np.ndarray, " d"], kl: Float[np.ndarray, " d"]
) -> go.Figure:
    """mu +- sigma of every dimension over the prior's own +-1, with each one's KL in the hover text."""
    names = [f"{index + 1}" for index in range(len(mean))]
    figure = go.Figure()
    figure.add_hrect(y0=-1, y1=1, fillcolor="gray", opacity=0.15, line_width=0)
    figure.add_trace(
        go.Scatter(
            x=names,
            y=mean,
            error_y={"type": "data", "array": std, "thickness": 2, "width": 0},
            mode="markers",
            marker={"size": 8, "color": PALETTE[0]},
            customdata=np.stack([std, kl], axis=1),
            hovertemplate="Dimension %{x}: %{y:.2f} ± %{customdata[0]:.2f}, KL %{customdata[1]:.2f} nats<extra></extra>",
        )
    )
    figure.update_layout(
        height=240,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        showlegend=False,
        xaxis_title="Dimension",
        yaxis_title="μ ± σ",
    )
    figure.update_xaxes(type="category")
    return figure


def _points(places: Float[np.ndarray, "n 2"], name: str, marker: dict[str, Any]) -> go.Scattergl:
    return go.Scattergl(x=places[:, 0], y=places[:, 1], mode="markers", name=name, hoverinfo="none", marker=marker)


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


def _map_layout(axis_titles: tuple[str, str] | None) -> dict[str, Any]:
    axis = {"automargin": False, "zeroline": False, "showgrid": axis_titles is not None}
    titles = axis_titles or ("", "")
    axes = [{**axis, "visible": axis_titles is not None, "title": {"text": title}} for title in titles]
    return {
        "template": "none",
        "xaxis": axes[0],
        "yaxis": axes[1],
        "margin": {**(TITLED_MARGINS if axis_titles else FREE_MARGINS), "autoexpand": False},
        "hovermode": "closest",
        "dragmode": "pan",
        "legend": {"itemsizing": "constant", "x": 1.0, "y": 0.94, "xanchor": "left", "yanchor": "top"},
        "uirevision": "map",
    }
