"""Models: the collection with its strips, cards, figures beside published ones, and rate against distortion."""

from collections.abc import Sequence

import streamlit as st

from app.charts.metric_rows import RATE_FAMILY, columns, heading, published_rows, rate_points
from app.charts.rates import rate_distortion_chart
from app.services.catalogue import Entry, card_of, collection, families, zip_model
from app.services.examples import decoded_strip
from app.session.state import session
from app.widgets.boundary import run_page
from app.widgets.card import card
from app.widgets.frame import choose_model, page_header
from app.widgets.tile import tile, tile_style
from vae_core.errors import VAEExplorerError
from vae_core.inference.engine import engine
from vae_core.store.metric_table import METRICS

HINT = "What each model saw and how well it does; open one on Explore, read its card, or take it with you."
CARD = "model_card"
MEGABYTE = 1e6
FIGURES_HINT = (
    "Measured on each model's own test images; blank where a figure was not measured or does not apply. Click a "
    "heading to sort, point at it to read what it means."
)
PUBLISHED_HINT = (
    "Figures that others published for comparable models. Settings differ in detail: read them as a yardstick, "
    "not as a race."
)
RATE_HINT = (
    "One small network, trained with the KL term weighted by different β. To the left codes tell little of the "
    "picture, to the right more and more: what they tell (rate) pays for what is lost (distortion). The ELBO counts "
    "both alike."
)

STYLE = """
<style>
  [class*="st-key-family_"] { display: grid; grid-template-columns: repeat(auto-fill, minmax(290px, 1fr)); }
  [class*="st-key-family_"] > *, [class*="st-key-family_"] > * > * { width: auto; height: 100%%; }
  .stTabs h2 { font-size: 1.5rem; padding: 0.75rem 0 0.5rem; }
  .st-key-%(card)s h1 { font-size: 1.3rem; }
  .st-key-%(card)s :is(h2, h3) { font-size: 1.1rem; padding: 0.6rem 0 0.3rem; }
</style>
"""


def show() -> None:
    """The page."""
    page_header("Models", HINT)  # says itself what is wrong with the model in use; the others can still be looked at
    entries = collection()
    if not entries:
        return
    tile_style()
    st.html(STYLE % {"card": CARD})
    gallery, figures, rate = st.tabs(["Collection", "Figures", RATE_FAMILY])
    with gallery:
        show_gallery(entries)
    with figures:
        show_figures(entries)
        show_published(entries)
    with rate:
        show_rate(entries)


# -- gallery -------------------------------------------------------------------------------------------------------


def show_gallery(entries: Sequence[Entry]) -> None:
    """A tile a model, those of a family together."""
    for number, (title, members) in enumerate(families(entries).items()):
        st.header(title, anchor=False)
        with st.container(key=f"family_{number}"):
            for entry in members:
                with st.container(border=True, key=f"tile_{entry.name}"):
                    show_tile(entry)


def show_tile(entry: Entry) -> None:
    """One model with what can be done with it; what is wrong with it concerns its own tile only."""
    strip, problem = None, entry.problem
    try:
        strip = decoded_strip(engine().load(entry.name))
    except VAEExplorerError as error:
        problem = str(error)
    tile(entry, strip=strip, problem=problem, in_use=session().model == entry.name)
    with st.container(horizontal=True):
        if st.button("Explore", key=f"explore_{entry.name}", icon=":material/explore:", disabled=strip is None):
            choose_model(entry.name)
            st.switch_page("views/explore.py")
        if st.button("Card", key=f"card_{entry.name}", icon=":material/description:"):
            show_card(entry)


def show_card(entry: Entry) -> None:
    """The model card over the page, with the model to take along."""

    @st.dialog(entry.name, width="large")
    def dialog() -> None:
        st.download_button(
            f"Download, {entry.size / MEGABYTE:.1f} MB",
            data=lambda: zip_model(entry),
            file_name=f"{entry.name}.zip",
            mime="application/zip",
            on_click="ignore",
            icon=":material/download:",
            help="Its files as a zip. Unpacked into a folder that VAE_MODELS_DIR names, it is a model like any other.",
        )
        if text := card_of(entry).removeprefix(f"# {entry.name}"):  # which the dialog says already
            with st.container(key=CARD):
                card(text)
        else:
            st.info(f"This model has no card; `python -m vae_core evaluate {entry.name}` writes one with its figures.")

    dialog()


# -- figures -------------------------------------------------------------------------------------------------------


def show_figures(entries: Sequence[Entry]) -> None:
    """The figures of all models in one table."""
    found = columns(entries)
    table: dict[str, list[object]] = {
        "Model": [entry.name for entry in entries],
        "Dimensions": [entry.config.latent_dim if entry.config else None for entry in entries],
        **{heading(path): list(values) for path, values in found.items()},
        "Size, MB": [entry.size / MEGABYTE for entry in entries],
    }
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    config = {
        "Model": text(pinned=True),
        "Dimensions": number(help="Of the latent space."),
        "Size, MB": number(help="Of its files together, in millions of bytes.", format="%.1f"),
    }
    for path in found:
        figure = METRICS[path]
        config[heading(path)] = number(help=figure.meaning, format=f"%.{figure.digits}f")
    st.caption(FIGURES_HINT)
    st.dataframe(table, column_config=config, hide_index=True, placeholder="", height="content")


def show_published(entries: Sequence[Entry]) -> None:
    """Figures of others beside the models' own."""
    if rows := published_rows(entries):
        st.header("Beside published figures", anchor=False)
        st.caption(PUBLISHED_HINT)
        st.dataframe(rows, hide_index=True, height="content")


# -- rate and distortion -------------------------------------------------------------------------------------------


def show_rate(entries: Sequence[Entry]) -> None:
    """The family of models that differ in the weight of the KL term alone."""
    members = families(entries).get(RATE_FAMILY, [])
    points = rate_points(members)
    if not points:
        st.info(
            "There is no model of this family with figures yet. `python -m vae_core train-all` trains the collection, "
            "and `python -m vae_core evaluate NAME` measures a model."
        )
        return
    st.caption(RATE_HINT)
    st.plotly_chart(rate_distortion_chart(points), config={"displayModeBar": False})
    missing = sorted({entry.name for entry in members} - {point.name for point in points})
    if missing:
        st.caption(f"Without figures, so not shown: {', '.join(missing)}.")


run_page(show)
