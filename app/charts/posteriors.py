"""A posterior as a chart: mu and sigma of every dimension, and what each costs in nats."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots

from app.charts.maps import PALETTE

__all__ = ["posterior_chart"]


def posterior_chart(
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
