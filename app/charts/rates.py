"""Rate and distortion of a family of models as a chart."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from app.charts.maps import NEUTRAL, PALETTE

__all__ = ["RatePoint", "rate_distortion_chart"]


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


def rate_distortion_chart(points: Sequence[RatePoint]) -> go.Figure:
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
