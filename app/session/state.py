"""What one visitor's session remembers: the only module that touches st.session_state and st.query_params.

Everything lives in memory and goes with the session. It is kept apart from the widgets' own state, which
Streamlit forgets when a page is left.
"""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import streamlit as st
from jaxtyping import Float

from app.services.visitors import visitors
from vae_core.images.preparation_options import Preparation

__all__ = [
    "Code",
    "Keyframe",
    "Picture",
    "Session",
    "View",
    "component_value",
    "new_picture",
    "session",
    "take_link",
]

KEY = "vae_explorer"
MODEL_PARAMETER = "model"
VIEW_PARAMETER = "view"
READING_SECONDS = 6.0  # that a notice stays at the least

Code = Float[np.ndarray, " d"]
Change = Literal["weights", "reference"]  # a model was trained anew; or evaluated anew, which left its weights alone


@dataclass(frozen=True)
class Picture:
    """One picture that the visitor brought.

    Attributes:
        id: Random, unique within the session.
        name: As the visitor knows it.
        content: A copy as a file, of at most 2 megapixels; kept in memory only.
    """

    id: str
    name: str
    content: bytes = field(repr=False)


def new_picture(name: str, content: bytes) -> Picture:
    """A picture with an id of its own, which no session keeps yet."""
    return Picture(secrets.token_hex(8), name, content)


@dataclass(frozen=True)
class View:
    """How a model's map is shown.

    Attributes:
        projection: ``"umap"``, ``"pca"`` or ``"axes"``.
        x: Horizontal dimension of an axes map, from 0.
        y: Vertical dimension, from 0.
        colour: ``"label"``, one of `vae_core.reference.groups.VALUES`, or a dimension's number from 0 as text.
    """

    projection: str
    x: int = 0
    y: int = 1
    colour: str = "label"


@dataclass(frozen=True)
class Keyframe:
    """A code that an animation passes through: one of its own, or that of one of the visitor's pictures.

    Attributes:
        name: For the person.
        source: Where it comes from; ``"typical"`` is what a model begins with.
        code: [latent]; None for a picture, whose mean is looked up for the model in use.
        picture: Its id; None for a code.
    """

    name: str
    source: Literal["typical", "picture", "prior", "data", "reference", "sliders", "map"]
    code: tuple[float, ...] | None = None
    picture: str | None = None


@dataclass(eq=False)
class Session:
    """The memory of one visit. Codes, views, desks and keyframes belong to a model and wait for its return.

    Attributes:
        model: Name of the model in use; None until one is chosen.
        pictures: In the order they came.
        chosen: Id of the picture whose strip is shown.
        codes: The sliders' code for each model.
        views: The map's view for each model.
        digests: Digest of each model's weights and that of its reference set when it was last used.
        link: What the address says of a view; None once it was followed.
        desks: What the visitor laid out for each model (see `app.session.desk`).
        keyframes: Of the animation, in order, for each model.
        animation: How keyframes are played and exported (see `app.session.interpolate`); None until that is changed.
        token: Random; tells one session from the next, such as the one after a restart of the server, and names the
            visitor where places in a queue are given out (see `app.services.visitors`).
        revision: Rises whenever Python, not the page, changes code or view.
        notices: Sentences to show.
        visible_notices: Visible notices, with the time of the monotonic clock after which each may be hidden.
        examined: What was made of a picture, by what examined it (see `app.session.gallery`) and the picture's id.
        preparations: How pictures are prepared for a model, where the visitor wants it otherwise than the model.
        thumbnails: Small upright copies of the pictures for showing, by picture id.
        uploader_key: Part of the upload box's key; rises when its files were taken over, so that it is empty again.
        page_key: Part of the pagination's key; rises when the list of pictures has to turn to the chosen one.
    """

    model: str | None = None
    pictures: list[Picture] = field(default_factory=list)
    chosen: str | None = None
    codes: dict[str, Code] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    digests: dict[str, tuple[str, str]] = field(default_factory=dict)
    link: str | None = None
    desks: dict[str, object] = field(default_factory=dict)
    keyframes: dict[str, tuple[Keyframe, ...]] = field(default_factory=dict)
    animation: object | None = None
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    revision: int = 0
    notices: list[str] = field(default_factory=list)
    visible_notices: dict[str, float] = field(default_factory=dict)
    examined: dict[tuple[str, str], object] = field(default_factory=dict)
    preparations: dict[str, Preparation] = field(default_factory=dict)
    thumbnails: dict[str, bytes] = field(default_factory=dict)
    uploader_key: int = 0
    page_key: int = 0

    def keep_picture(self, picture: Picture) -> None:
        """Keep a picture, the last of all."""
        self.pictures.append(picture)

    def remove_picture(self, picture_id: str) -> None:
        """Forget a picture and all that was made of it; unknown ids are ignored."""
        self.pictures = [picture for picture in self.pictures if picture.id != picture_id]
        self.examined = {key: value for key, value in self.examined.items() if key[1] != picture_id}
        self.thumbnails.pop(picture_id, None)
        for model, keyframes in self.keyframes.items():
            self.keyframes[model] = tuple(each for each in keyframes if each.picture != picture_id)
        if self.chosen == picture_id:
            self.chosen = None

    def show_picture(self, picture_id: str) -> None:
        """Choose a picture and show it in the list of pictures; the sliders stay as they are."""
        self.chosen = picture_id
        self.page_key += 1

    def prepare_as(self, model: str, preparation: Preparation) -> None:
        """Prepare pictures for a model in another way; what was made of them so far is made anew when asked for."""
        self.preparations[model] = preparation
        self.examined.clear()

    def load_code(self, model: str, code: Code) -> None:
        """Set a model's code from Python; the page takes it over because the revision rises."""
        self.codes[model] = np.asarray(code, np.float32)
        self.revision += 1

    def forget_if_retrained(self, model: str, digest: str, reference_digest: str) -> Change | None:
        """Forget a model's code, view, desk and keyframes where it was trained anew since it was last used.

        Returns:
            What changed of the model since then; None at its first use and where nothing did.
        """
        weights, reference = self.digests.get(model, (digest, reference_digest))
        self.digests[model] = (digest, reference_digest)
        if weights == digest:
            return None if reference == reference_digest else "reference"
        kept: tuple[dict[str, Any], ...] = (self.codes, self.views, self.desks, self.keyframes)
        for of_models in kept:
            of_models.pop(model, None)
        self.revision += 1
        return "weights"

    def take_notices(self) -> list[str]:
        """The sentences to show: new ones, and those that nobody can have read yet; a page may run again at once."""
        now = time.monotonic()
        staying = {notice: until for notice, until in self.visible_notices.items() if until > now}
        self.visible_notices = staying | dict.fromkeys(self.notices, now + READING_SECONDS)
        self.notices = []
        return list(self.visible_notices)


def session() -> Session:
    """This visitor's memory; made at the first call, with the model that the address asks for."""
    if KEY not in st.session_state:
        made = Session(model=st.query_params.get(MODEL_PARAMETER), link=st.query_params.get(VIEW_PARAMETER))
        visitors().welcome(made.token, made)
        st.session_state[KEY] = made
    memory: Session = st.session_state[KEY]
    return memory


def take_link(memory: Session) -> str | None:
    """What the address says of a view, once; it is taken out of the address, which would soon be untrue."""
    text, memory.link = memory.link, None
    if text is not None and VIEW_PARAMETER in st.query_params:
        del st.query_params[VIEW_PARAMETER]
    return text


def component_value(key: str, name: str) -> Any:
    """What a component of ours has just reported under `name`."""
    reported = st.session_state.get(key)  # gone when the page was left before its report came
    return None if reported is None else reported.get(name)
