"""Arrays to Plotly figures; knows no Streamlit.

Colours of classes are Petroff's ten (2021, arXiv:2107.02270), chosen for people with colour-vision deficiencies;
values are coloured by viridis.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Shaped
from plotly.subplots import make_subplots

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
    """mu +- sigma of every dimension over the band of the prior N(0, 1), and below it what each one costs in nats.

    Of a plain autoencoder, whose sigma and KL are zero, there is only mu to show.
    """
    names, rows = [f"{index + 1}" for index in range(len(mean))], 2 if kl.any() else 1
    figure = make_subplots(rows=rows, shared_xaxes=True, vertical_spacing=0.06)
    figure.add_trace(_intervals(names, mean, std), row=1, col=1)
    figure.update_layout(height=320, margin={"l": 8, "r": 8, "t": 8, "b": 8}, showlegend=False)
    figure.update_xaxes(type="category")
    figure.update_xaxes(title_text="Dimension", row=rows, col=1)
    figure.update_yaxes(title_text="μ ± σ" if kl.any() else "μ", row=1, col=1)
    if kl.any():
        _add_prior_and_kl(figure, names, kl)
    return figure


def _add_prior_and_kl(figure: go.Figure, names: list[str], kl: Float[np.ndarray, " d"]) -> None:
    figure.add_hrect(y0=-1, y1=1, fillcolor="gray", opacity=0.15, line_width=0, row=1, col=1)
    hover = "Dimension %{x}: %{y:.2f} nats<extra></extra>"
    figure.add_trace(go.Bar(x=names, y=kl, marker_color=PALETTE[0], hovertemplate=hover), row=2, col=1)
    figure.update_layout(yaxis={"domain": (0.38, 1)}, yaxis2={"domain": (0, 0.3), "title_text": "KL, nats"})


def _intervals(names: list[str], mean: Float[np.ndarray, " d"], std: Float[np.ndarray, " d"]) -> go.Scatter:
    return go.Scatter(
        x=names,
        y=mean,
        error_y={"type": "data", "array": std, "thickness": 2, "width": 0},
        mode="markers",
        marker={"size": 8, "color": PALETTE[0]},
        customdata=std,
        hovertemplate="Dimension %{x}: %{y:.2f} ± %{customdata:.2f}<extra></extra>",
    )


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
    }
