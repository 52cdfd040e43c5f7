"""Figures from arrays: what is drawn where, in which colour, on axes that hold still."""

import subprocess
import sys

import numpy as np
import plotly.graph_objects as go
import pytest

from app.charts.maps import PALETTE, MapColour, map_chart
from app.charts.posteriors import posterior_chart
from app.charts.rates import RatePoint, rate_distortion_chart

PLACES = np.array([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]], np.float32)
CLASSES = MapColour(np.array([2, 0, 2, 0, 2]), categories=("zero", "one", "two"))


def points(trace: go.Scattergl) -> list[list[float]]:
    return np.stack([trace.x, trace.y], axis=1).tolist()


# -- maps ----------------------------------------------------------------------------------------------------------


def test_each_class_that_has_members_is_a_trace_with_exactly_those():
    figure = map_chart(PLACES, CLASSES, axis_titles=None)
    assert {trace.name: points(trace) for trace in figure.data} == {
        "zero": [[2, 3], [6, 7]],
        "two": [[0, 1], [4, 5], [8, 9]],
    }
    assert {trace.type for trace in figure.data} == {"scattergl"}


def test_a_class_keeps_its_colour_when_another_has_no_members():
    figure = map_chart(PLACES, CLASSES, axis_titles=None)
    assert [trace.marker.color for trace in figure.data] == [PALETTE[0], PALETTE[2]]


def test_ten_classes_have_ten_colours_and_an_eleventh_starts_anew():
    assert len(set(PALETTE)) == 10
    names = tuple(f"class {index}" for index in range(11))
    places = np.zeros((11, 2), np.float32)
    figure = map_chart(places, MapColour(np.arange(11), categories=names), axis_titles=None)
    assert [trace.marker.color for trace in figure.data] == [*PALETTE, PALETTE[0]]


def test_values_are_one_trace_with_a_titled_colour_bar():
    values = np.array([1, 2, 3, 4, 5], np.float64)
    figure = map_chart(PLACES, MapColour(values, title="Dimension 3"), axis_titles=None)
    [trace] = figure.data
    assert points(trace) == PLACES.tolist()
    assert trace.marker.color.tolist() == values.tolist()
    assert trace.marker.colorbar.title.text == "Dimension 3"
    assert len(trace.marker.colorscale) > 2


def test_a_single_outlier_does_not_take_the_colours_from_the_others():
    values = np.append(np.linspace(0, 1, 999), 1000)
    figure = map_chart(np.zeros((1000, 2), np.float32), MapColour(values, title="t"), axis_titles=None)
    assert figure.data[0].marker.cmin == pytest.approx(0.01, abs=0.01)
    assert figure.data[0].marker.cmax == pytest.approx(0.99, abs=0.01)


@pytest.mark.parametrize("colour", [CLASSES, MapColour(np.arange(5.0), title="t")])
def test_images_seen_in_training_are_hollow(colour: MapColour):
    held_out = np.array([True, True, False, True, True])  # the third lies at (4, 5)
    figure = map_chart(PLACES, colour, axis_titles=None, held_out=held_out)
    drawn = {
        tuple(place): symbol
        for trace in figure.data
        for place, symbol in zip(points(trace), trace.marker.symbol, strict=True)
    }
    outlines = [width for trace in figure.data for width in trace.marker.line.width]
    assert sorted(outlines) == [0, 0, 0, 0, 1], "without a width WebGL draws nothing of a hollow point"
    assert drawn == {
        (0, 1): "circle",
        (2, 3): "circle",
        (4, 5): "circle-open",
        (6, 7): "circle",
        (8, 9): "circle",
    }


@pytest.mark.parametrize("titles", [None, ("PC 1", "PC 2")])
def test_the_plots_frame_holds_still(titles: tuple[str, str] | None):
    layout = map_chart(PLACES, CLASSES, axis_titles=titles).layout
    assert layout.margin.autoexpand is False
    assert None not in (layout.margin.l, layout.margin.r, layout.margin.t, layout.margin.b)
    assert (layout.xaxis.automargin, layout.yaxis.automargin) == (False, False)
    assert (layout.width, layout.height) == (None, None), "its size comes from the page"
    assert layout.legend.x >= 1, "a legend over the plot would swallow drags"


@pytest.mark.parametrize("names", [(), CLASSES.categories, ("a name that goes on and on",)])
def test_frames_do_not_depend_on_the_colour(names: tuple[str, ...]):
    by_value = MapColour(np.arange(5.0), title="Dimension 1")
    margins = [map_chart(PLACES, colour, axis_titles=None, names=names).layout.margin for colour in (CLASSES, by_value)]
    assert margins[0] == margins[1]


def test_the_legend_has_room_for_its_names_of_which_long_ones_are_cut():
    def drawn(*names: str) -> go.Figure:
        colour = MapColour(np.zeros(5, int), categories=names)
        return map_chart(PLACES, colour, axis_titles=None, names=names)

    assert drawn("0").layout.margin.r < drawn("Ankle boot").layout.margin.r < drawn("Smileys & Emotion").layout.margin.r
    assert drawn("Smileys & Emotion").layout.margin.r == drawn("A name that goes on and on").layout.margin.r
    assert drawn("Animals and Nature").data[0].name == "Animals and N…"
    assert drawn("Ankle boot").data[0].name == "Ankle boot"


def test_a_name_is_shown_letter_by_letter_in_the_legend():
    names = ("<b>A</b>", "a 'b' \"c\" & d", "<a href='where'>a name</a>")
    figure = map_chart(PLACES[:3], MapColour(np.arange(3), categories=names), axis_titles=None, names=names)
    assert [trace.name for trace in figure.data] == [
        "&lt;b&gt;A&lt;/b&gt;",
        "a 'b' \"c\" &amp; d",  # of entities Plotly knows &amp; &lt; and &gt;, not &quot;
        "&lt;a href='wher…",  # cut as it is read, not within an entity
    ]


def test_axes_are_titled_or_hidden():
    layout = map_chart(PLACES, CLASSES, axis_titles=("Dimension 3", "Dimension 1")).layout
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("Dimension 3", "Dimension 1")
    assert (layout.xaxis.visible, layout.yaxis.visible) == (True, True)
    hidden = map_chart(PLACES, CLASSES, axis_titles=None).layout
    assert (hidden.xaxis.visible, hidden.yaxis.visible) == (False, False)


def test_points_are_sent_as_float32():
    figure = map_chart(PLACES.astype(np.float64), CLASSES, axis_titles=None)
    assert {trace.x.dtype for trace in figure.data} == {np.dtype(np.float32)}
    assert '"dtype":"f4"' in figure.to_json()


def test_points_answer_no_hover_of_plotlys_own_but_clicks():
    figure = map_chart(PLACES, CLASSES, axis_titles=None)
    assert {trace.hoverinfo for trace in figure.data} == {"none"}  # "skip" would take the clicks as well
    assert figure.layout.hovermode == "closest"


# -- posteriors ----------------------------------------------------------------------------------------------------

MEAN, STD, KL = (np.array(values, np.float32) for values in ([0.5, -1, 2], [0.1, 0.9, 0.3], [1.2, 0.5, 2.4]))


def test_error_bars_are_sigma_around_mu():
    figure = posterior_chart(MEAN, STD, KL)
    [intervals] = [trace for trace in figure.data if trace.type == "scatter"]
    np.testing.assert_array_equal(intervals.y, MEAN)
    np.testing.assert_array_equal(intervals.error_y.array, STD)
    assert list(intervals.x) == ["1", "2", "3"]


def test_bars_are_the_kl_of_each_dimension():
    figure = posterior_chart(MEAN, STD, KL)
    [bars] = [trace for trace in figure.data if trace.type == "bar"]
    np.testing.assert_array_equal(bars.y, KL)
    assert list(bars.x) == ["1", "2", "3"]
    assert "nats" in figure.layout.yaxis2.title.text


def test_a_plain_autoencoder_has_mu_alone_and_no_prior():
    figure = posterior_chart(MEAN, np.zeros_like(STD), np.zeros_like(KL))
    assert [trace.type for trace in figure.data] == ["scatter"]
    assert not figure.layout.shapes


# -- rate and distortion -------------------------------------------------------------------------------------------

FAMILY = [
    RatePoint("strong", 110, 10.5, 5),
    RatePoint("one", 76, 22, 1),
    RatePoint("weak", 62, 48, 0.1),
    RatePoint("plain", 60),
]


def joined(figure: go.Figure) -> go.Scatter:
    [trace] = [trace for trace in figure.data if "markers" in trace.mode]
    return trace


def test_points_lie_at_rate_and_distortion_labelled_with_beta_in_the_order_of_their_rates():
    trace = joined(rate_distortion_chart([FAMILY[2], FAMILY[0], FAMILY[1]]))
    assert list(zip(trace.x, trace.y, trace.text, strict=True)) == [
        (10.5, 110, "β = 5"),
        (22, 76, "β = 1"),
        (48, 62, "β = 0.1"),
    ]
    assert [name for name, _ in trace.customdata] == ["strong", "one", "weak"]


def test_a_plain_autoencoder_is_a_level_line_with_its_name():
    figure = rate_distortion_chart(FAMILY)
    [line] = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert (line.y0, line.y1) == (60, 60)
    assert any(note.text.startswith("plain, which has no rate") for note in figure.layout.annotations)
    assert "plain" not in [name for name, _ in joined(figure).customdata]


def test_where_the_elbo_equals_that_of_beta_one_is_a_line():
    [line] = [trace for trace in rate_distortion_chart(FAMILY).data if trace.mode == "lines"]
    assert [x + y for x, y in zip(line.x, line.y, strict=True)] == [98, 98]
    assert not [trace for trace in rate_distortion_chart(FAMILY[:1]).data if trace.mode == "lines"]


def test_rate_and_distortion_are_named_with_their_unit_and_colours_of_the_ground_left_to_the_page():
    layout = rate_distortion_chart(FAMILY).layout
    assert "Rate" in layout.xaxis.title.text
    assert "nats" in layout.xaxis.title.text
    assert "Distortion" in layout.yaxis.title.text
    assert "nats" in layout.yaxis.title.text
    assert (layout.paper_bgcolor, layout.plot_bgcolor, layout.font.color) == (None, None, None)


@pytest.mark.parametrize("points", [FAMILY[3:], FAMILY[:1]])
def test_a_single_model_is_drawn_as_well(points: list[RatePoint]):
    assert len(joined(rate_distortion_chart(points)).x or ()) == len([p for p in points if p.rate is not None])


# -- layers --------------------------------------------------------------------------------------------------------


def test_charts_come_without_streamlit():
    code = "import sys, app.charts.maps; sys.exit(any(name.split('.')[0] == 'streamlit' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
