"""Arrays to Plotly figures; knows no Streamlit.

Colours of classes are Petroff's ten (2021, arXiv:2107.02270), chosen for people with colour-vision deficiencies;
values are coloured by viridis.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float, Shaped
from plotly.subplots import make_subplots

from app.wire.packing import whole_base64

__all__ = [
    "PALETTE",
    "MapColour",
    "RatePoint",
    "map_figure",
    "plain_text",
    "posterior_figure",
    "rate_distortion_figure",
]

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
LONGEST_NAME = 14  # letters that the legend shows; more would take the room from the map


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


@dataclass(frozen=True)
class RatePoint:
    """Where a model stands between rate and distortion.

    Attributes:
        name: Of the model.
        distortion: Reconstruction term in nats.
        rate: KL in nats; None for a plain autoencoder.
        beta: Weight of its KL term; None for a plain autoencoder, which has no such term.
    """

    name: str
    distortion: float
    rate: float | None = None
    beta: float | None = None


def map_figure(
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
        colour: Of the points.
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


def rate_distortion_figure(points: Sequence[RatePoint]) -> go.Figure:
    """Distortion over rate, a point a model with its beta beside it, joined in the order of their rates.

    A plain autoencoder has no rate and is a level line. Where a model has beta 1, a dotted line shows where others
    would have the same -ELBO, which is the sum of the two. Colours of text and ground are left to the page.
    """
    figure = go.Figure()
    rated = sorted((point for point in points if point.rate is not None), key=lambda point: point.rate or 0)
    for point in points:
        if point.rate is None:
            _add_level(figure, point)
        elif point.beta == 1:
            _add_equal_elbo(figure, point.rate + point.distortion, max(other.rate or 0 for other in rated))
    figure.add_trace(_rate_trace(rated))
    figure.update_layout(height=460, margin={"l": 8, "r": 24, "t": 24, "b": 8}, showlegend=False, hovermode="closest")
    figure.update_xaxes(title_text="Rate: KL, nats", rangemode="tozero", zeroline=False)
    figure.update_yaxes(title_text="Distortion: reconstruction term, nats", zeroline=False)
    return figure


def _rate_trace(points: Sequence[RatePoint]) -> go.Scatter:
    sums = [(point.rate or 0) + point.distortion for point in points]
    return go.Scatter(
        x=[point.rate for point in points],
        y=[point.distortion for point in points],
        text=[f"β = {point.beta:g}" for point in points],
        customdata=[[point.name, total] for point, total in zip(points, sums, strict=True)],
        mode="lines+markers+text",
        textposition="top right",
        textfont={"size": 14},
        marker={"size": 12, "color": PALETTE[0]},
        line={"width": 1.5, "color": PALETTE[0]},
        cliponaxis=False,
        hovertemplate="<b>%{customdata[0]}</b><br>rate %{x:.2f} nats<br>distortion %{y:.2f} nats<br>"
        "−ELBO %{customdata[1]:.2f} nats<extra></extra>",
    )


def _add_level(figure: go.Figure, point: RatePoint) -> None:
    text = f"{point.name}, which has no rate: {point.distortion:.1f} nats"
    figure.add_hline(
        y=point.distortion,
        line={"color": PALETTE[1], "width": 2, "dash": "dash"},
        annotation={"text": text, "x": 0, "xanchor": "left", "yanchor": "top", "showarrow": False},
    )


def _add_equal_elbo(figure: go.Figure, total: float, reach: float) -> None:
    """The line on which rate and distortion sum up to `total`."""
    figure.add_trace(
        go.Scatter(
            x=[0, reach],
            y=[total, total - reach],
            mode="lines",
            line={"color": NEUTRAL, "width": 1.5, "dash": "dot"},
            hoverinfo="skip",
        )
    )
    label = {"text": f"−ELBO {total:.1f} nats, as with β = 1", "showarrow": False, "textangle": 0}
    figure.add_annotation(x=0, y=total, xanchor="left", yanchor="bottom", **label)


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
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"


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
