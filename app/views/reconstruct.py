"""Reconstruct: own pictures beside what the model sees of them and what it makes of that, with figures and a map."""

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from app.charts.posteriors import posterior_chart
from app.components.mounting import Event
from app.components.reconstruct_map import CARD, reconstruct_map
from app.session.choices import current_view, take_view
from app.session.desk import keep_locked
from app.session.gallery import Examined, add_example, add_pictures, choose_picture, examples
from app.session.interpolate import add_picture_keyframe
from app.session.state import Picture, session
from app.widgets.boundary import run_page
from app.widgets.comparison import comparison, comparison_style, thumbnail
from app.widgets.frame import current_model, page_header
from app.widgets.pictures import shown_pictures
from app.widgets.preparation import preparation_switches
from app.widgets.uploader import uploader
from app.wire.packing import picture_address
from vae_core.errors import InputError
from vae_core.images.pixels import pixels_of
from vae_core.inference.engine import engine
from vae_core.reconstruction.analysis import ELBO_SAMPLES
from vae_core.store.opening import StoredModel

HINT = "Add pictures: see what the model sees of them, what it makes of that, and where they lie on its map."
PRIVACY = "Uploads stay in this session's memory and are never written to disk."
VARIATIONAL_FIGURES = (
    f"Pictures are decoded from the posterior mean μ. Figures are averages over {ELBO_SAMPLES} samples of the "
    "posterior: ELBO = −(reconstruction + KL), where reconstruction is −log p(x|z)."
)
PLAIN_FIGURES = (
    "A plain autoencoder has neither posterior nor prior, so no KL and no ELBO: what is left is the reconstruction "
    "term −log p(x|z)."
)
CARDS = 6  # pictures on one page of the list
MAP = "map_column"

STYLE = """
<style>
  /* The map stays in sight while the list is scrolled. */
  [data-testid="stColumn"]:has(> * .st-key-%(map)s) { position: sticky; top: 4.5rem; align-self: flex-start; }
  [class*="st-key-%(card)s"] { scroll-margin: 5rem 0 2rem; }
  .st-key-%(card)s%(chosen)s { border-color: color-mix(in srgb, currentColor 50%%, transparent); }
  .vae-card-name { font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  @media (max-width: 640px) { [class*="st-key-head_"] { flex-wrap: wrap; } }
  [class*="st-key-example_"] img { max-height: none; height: 64px; }
</style>
"""


def show() -> None:
    """The page."""
    if not page_header("Reconstruct your pictures", HINT):
        return
    memory, loaded = session(), current_model()
    comparison_style()
    st.html(STYLE % {"map": MAP, "card": CARD, "chosen": memory.chosen})
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        show_adding()
        examined = shown_pictures(memory, loaded)
        show_cards(examined[::-1], loaded)  # the newest first
    with right, st.container(key=MAP):
        view = current_view(memory, loaded)
        reconstruct_map(key="map", loaded=loaded, view=view, examined=examined, chosen=memory.chosen, on_event=handle)


def handle(event: Event) -> None:
    """Take over what the person did on the map; runs before the page's script."""
    memory = session()
    if event.kind == "view":
        take_view(memory, current_model(), event.value)
    elif any(picture.id == event.value for picture in memory.pictures):
        memory.show_picture(event.value)


# -- adding --------------------------------------------------------------------------------------------------------


def show_adding() -> None:
    """The upload box, how pictures are prepared, and examples."""
    memory, tries = session(), examples(current_model())
    take_uploads()
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Preparation"):
            show_preparation()
        if memory.pictures and tries:
            with st.popover("Examples"):
                show_examples(tries)
        if len(memory.pictures) > 1:
            st.button("Remove all", on_click=remove, args=([picture.id for picture in memory.pictures],))
        st.caption(PRIVACY)
    if tries and not memory.pictures:
        show_examples(tries)


def take_uploads() -> None:
    """Take over what is in the upload box and go on with an empty one, else every rerun would add it again."""
    memory, loaded = session(), current_model()
    files = uploader(key=f"uploader_{memory.uploader_key}")
    if files:
        memory.uploader_key += 1
        memory.page_key += 1
        with st.spinner("Encoding ..."), keep_locked(memory, loaded):
            add_pictures(memory, engine(), loaded, files)
        st.rerun()


def show_examples(tries: list[tuple[str, Float[Tensor, "channel height width"]]]) -> None:
    """Real handwritten digits to try, one button each."""
    st.markdown("Try a real handwritten digit:")
    with st.container(horizontal=True):
        for index, (name, image) in enumerate(tries):
            label = f"![{name}]({picture_address(pixels_of(image))})"
            st.button(label, key=f"example_{index}", on_click=take_example, args=(index,))


def take_example(index: int) -> None:
    """Add one of the examples and turn to it."""
    memory, loaded = session(), current_model()
    with keep_locked(memory, loaded):
        add_example(memory, engine(), loaded, index)
    memory.page_key += 1


def show_preparation() -> None:
    """The switches; a change counts for all pictures of this session and this model."""
    memory, loaded = session(), current_model()
    default = loaded.spec.preparation
    current = memory.preparations.get(loaded.name, default)
    wanted = preparation_switches(key=f"prepare_{loaded.name}", current=current, default=default)
    if wanted != current:
        memory.prepare_as(loaded.name, wanted)


# -- cards ---------------------------------------------------------------------------------------------------------


def show_cards(examined: Sequence[Examined], loaded: StoredModel) -> None:
    """One page of the list, and under it the way to the others and what the figures are."""
    if not examined:
        return
    cards = st.container()
    page = choose_page([each.picture.id for each in examined])
    with cards:
        for each in examined[page]:
            show_card(each, loaded)
    figures = VARIATIONAL_FIGURES if loaded.spec.variational else PLAIN_FIGURES
    st.caption(f"{figures} For this model that term is {loaded.spec.pixels}.")


def choose_page(ids: Sequence[str]) -> slice:
    """Which part of the list to show; it turns to the chosen picture whenever there is a reason to."""
    memory = session()
    if len(ids) <= CARDS:
        return slice(len(ids))
    chosen = ids.index(memory.chosen) if memory.chosen in ids else 0
    pages = -(-len(ids) // CARDS)  # rounded up
    number = st.pagination(pages, default=chosen // CARDS + 1, key=f"page_{memory.page_key}")
    return slice(CARDS * (number - 1), CARDS * number)


def show_card(each: Examined, loaded: StoredModel) -> None:
    """One picture: what can be done with it, the four pictures side by side, its figures, and its posterior."""
    picture = each.picture
    with st.container(border=True, key=CARD + picture.id):
        with st.container(key=f"head_{picture.id}", horizontal=True, vertical_alignment="center", wrap=False):
            name = escape(picture.name)
            st.html(f'<div class="vae-card-name" title="{name}">{name}</div>')
            show_actions(picture, loaded)
        variational = loaded.spec.variational
        rank = loaded.need_reference().percentile("reconstruction", each.analysis.reconstruction_nats)
        comparison(each, upload=small_copy(picture), variational=variational, rank=rank)
        show_posterior(each, variational=variational)


def show_actions(picture: Picture, loaded: StoredModel) -> None:
    """The buttons of a card."""
    if action(picture, "Explore", "explore", help="Load its μ into the sliders; locked ones stay"):
        with keep_locked(session(), loaded):
            choose_picture(session(), engine(), loaded, picture.id)
        st.switch_page("views/explore.py")
    if action(picture, "Interpolate", "timeline", help="Make it a keyframe of the animation"):
        add_keyframe(picture, loaded)
        st.switch_page("views/interpolate.py")
    action(picture, "Remove", "delete", on_click=remove, args=([picture.id],))


def action(picture: Picture, label: str, icon: str, **options: Any) -> bool:
    """A button of a card; whether it was clicked."""
    return st.button(label, key=f"{label}_{picture.id}", icon=f":material/{icon}:", **options)


def show_posterior(each: Examined, *, variational: bool) -> None:
    """mu +- sigma; drawn only when it is asked for, for a chart is much heavier than the rest."""
    key, analysis = each.picture.id, each.analysis
    title = "μ ± σ per dimension" if variational else "μ per dimension"
    with st.expander(title, key=f"posterior_{key}", type="compact", on_change="rerun") as posterior:
        if posterior.open:
            figure = posterior_chart(analysis.mean, analysis.std, analysis.kl)
            st.plotly_chart(figure, key=f"chart_{key}", config={"displayModeBar": False})


def add_keyframe(picture: Picture, loaded: StoredModel) -> None:
    """Have the animation pass through the picture, where there is room."""
    try:
        add_picture_keyframe(session(), loaded, picture)
    except InputError as error:
        session().notices.append(str(error))


def remove(picture_ids: Sequence[str]) -> None:
    """Forget pictures."""
    for picture_id in picture_ids:
        session().remove_picture(picture_id)


def small_copy(picture: Picture) -> bytes:
    """The picture's thumbnail, made once: a large photo takes a while to decode."""
    memory = session()
    if picture.id not in memory.thumbnails:
        memory.thumbnails[picture.id] = thumbnail(picture)
    return memory.thumbnails[picture.id]


run_page(show)
