"""Keyframes and how they are played: what a visit begins with, and what the page reports, taken when it is right."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app.session.interpolate import (
    Animation,
    add_picture_keyframe,
    current_animation,
    current_keyframes,
    studio_data,
    take_studio,
)
from app.session.state import Keyframe, Session
from tests.app.conftest import Store, keep_picture
from vae_core.errors import InputError
from vae_core.reference.typical import class_members
from vae_core.store.opening import StoredModel

NAN, INFINITY = float("nan"), float("inf")
Change = Callable[[dict[str, Any]], object]


def code(*values: float, name: str = "a code") -> Keyframe:
    return Keyframe(name, "prior", values)


@pytest.fixture
def reported(memory: Session, tiny: StoredModel) -> dict[str, Any]:
    """What the page reports of three keyframes, one of them a picture, as JSON has it."""
    picture = keep_picture(memory, "mine.png", b"")
    studio = studio_data(memory, tiny)
    mine = {"name": "mine.png", "source": "picture", "code": None, "picture": picture.id}
    studio["keyframes"] = [*({**each, "code": list(each["code"])} for each in studio["keyframes"]), mine]
    studio["animation"]["kinds"] = list(studio["animation"]["kinds"])
    return studio


# -- first values --------------------------------------------------------------------------------------------------


def test_the_first_keyframes_are_the_cores_of_two_classes(memory: Session, tiny: StoredModel):
    reference = tiny.need_reference()
    keyframes = current_keyframes(memory, tiny)
    for label, keyframe in enumerate(keyframes):
        assert keyframe.name == f"{reference.label_names[label]}, typical"
        np.testing.assert_array_equal(keyframe.code, class_members(reference, label)[0])
    assert memory.keyframes == {}, "what was not chosen is not kept"


def test_of_a_single_class_the_second_is_the_member_farthest_from_the_first(memory: Session, tiny: StoredModel):
    reference = tiny.need_reference()
    reference.labels[:] = 1
    first, second = current_keyframes(memory, tiny)
    assert [first.name, second.name] == ["odd, typical", "odd, unusual"]
    distances = np.linalg.norm((reference.means - np.array(first.code)) * reference.scale, axis=1)
    np.testing.assert_array_equal(second.code, reference.means[distances.argmax()])
    assert distances.max() > 0


def test_keyframes_that_were_chosen_stay_and_too_few_are_filled_up(memory: Session, tiny: StoredModel):
    memory.keyframes["tiny"] = (code(1, 2, 3), code(3, 2, 1), code(0, 0, 0))
    assert current_keyframes(memory, tiny) == memory.keyframes["tiny"]
    memory.keyframes["tiny"] = (code(1, 2, 3),)
    kept, filled = current_keyframes(memory, tiny)
    assert (kept, filled.source) == (code(1, 2, 3), "typical")


def test_keyframes_of_a_model_that_was_trained_anew_with_other_dimensions_are_left_out(memory: Session, store: Store):
    memory.keyframes["other"] = (code(1, 2, 3), code(1, 2), code(2, 1))
    assert current_keyframes(memory, store("other", latent_dim=2)) == (code(1, 2), code(2, 1))


def test_the_first_animation_shows_every_kind_of_path(memory: Session):
    assert current_animation(memory).kinds == ("linear", "spherical", "data")
    memory.animation = Animation(kinds=("data",))
    assert current_animation(memory) is memory.animation


# -- pictures ------------------------------------------------------------------------------------------------------


def test_pictures_take_the_places_of_first_keyframes_and_then_come_last(memory: Session, tiny: StoredModel):
    memory.keyframes["tiny"] = (code(1, 2, 3), *current_keyframes(memory, tiny)[:1])
    for place, name in ((1, "one"), (2, "two")):
        picture = keep_picture(memory, name, b"")
        for _ in range(2):  # the second time it is there already
            add_picture_keyframe(memory, tiny, picture)
            keyframes = memory.keyframes["tiny"]
            assert len(keyframes) == place + 1
            assert keyframes[place] == Keyframe(name, "picture", picture=picture.id)
    assert memory.keyframes["tiny"][0] == code(1, 2, 3)


def test_there_is_room_for_64_keyframes(memory: Session, tiny: StoredModel):
    memory.keyframes["tiny"] = (code(1, 2, 3),) * 63
    add_picture_keyframe(memory, tiny, keep_picture(memory, "last", b""))
    with pytest.raises(InputError, match="at most 64 keyframes"):
        add_picture_keyframe(memory, tiny, keep_picture(memory, "too many", b""))
    assert len(memory.keyframes["tiny"]) == 64


@pytest.mark.parametrize("name", ["", "x" * 500])
def test_a_picture_of_any_name_can_be_a_keyframe(memory: Session, tiny: StoredModel, name: str):
    picture = keep_picture(memory, name, b"")
    add_picture_keyframe(memory, tiny, picture)
    assert current_keyframes(memory, tiny)[0].picture == picture.id


# -- what the page reports -----------------------------------------------------------------------------------------


def test_what_the_page_reports_is_kept(memory: Session, tiny: StoredModel, reported: dict[str, Any]):
    reported["animation"] |= {"kinds": ["data", "linear"], "speed": 4, "tab": "grid"}
    reported["animation"]["grid"] |= {"rows": 3, "spherical": True}
    reported["animation"]["export"] |= {"kind": "data", "format": "mp4", "fps": 60}
    take_studio(memory, tiny, reported)
    assert [each.name for each in memory.keyframes["tiny"]] == ["even, typical", "odd, typical", "mine.png"]
    animation = current_animation(memory)
    assert (animation.kinds, animation.speed, animation.grid.rows) == (("data", "linear"), 4, 3)
    assert (animation.export.format, animation.export.fps, animation.tab) == ("mp4", 60, "grid")


def test_64_keyframes_are_kept(memory: Session, tiny: StoredModel, reported: dict[str, Any]):
    reported["keyframes"] = reported["keyframes"][:1] * 64
    take_studio(memory, tiny, reported)
    assert len(memory.keyframes["tiny"]) == 64


def first_keyframe(**change: object) -> Change:
    return lambda studio: studio["keyframes"][0].update(change)


def animation(**change: object) -> Change:
    return lambda studio: studio["animation"].update(change)


def part(name: str, **change: object) -> Change:
    return lambda studio: studio["animation"][name].update(change)


WRONG: dict[str, Change] = {
    "no keyframes": lambda studio: studio.pop("keyframes"),
    "no settings": lambda studio: studio.pop("animation"),
    "more than that": lambda studio: studio.update(more=1),
    "one keyframe": lambda studio: studio.update(keyframes=studio["keyframes"][:1]),
    "65 keyframes": lambda studio: studio.update(keyframes=studio["keyframes"][:1] * 65),
    "keyframes that are none": lambda studio: studio.update(keyframes=[1, 2]),
    "a keyframe with more": first_keyframe(more=1),
    "a name that is none": first_keyframe(name=1),
    "an empty name": first_keyframe(name=""),
    "a long name": first_keyframe(name="x" * 201),
    "an unknown source": first_keyframe(source="elsewhere"),
    "a code of another model": first_keyframe(code=[1, 2]),
    "a code of texts": first_keyframe(code=["1", "2", "3"]),
    "a code with NaN": first_keyframe(code=[NAN, 0, 0]),
    "an infinite code": first_keyframe(code=[0, -INFINITY, 0]),
    "a code beyond single precision": first_keyframe(code=[1e39, 0, 0]),
    "a code beyond any float": first_keyframe(code=[10**400, 0, 0]),
    "neither code nor picture": first_keyframe(code=None),
    "a picture that is gone": first_keyframe(source="picture", code=None, picture="gone"),
    "a picture with a code": lambda studio: studio["keyframes"][2].update(code=[1, 2, 3]),
    "a picture from elsewhere": lambda studio: studio["keyframes"][2].update(source="prior"),
    "no kind": animation(kinds=[]),
    "an unknown kind": animation(kinds=["scenic"]),
    "many kinds": animation(kinds=["linear"] * 4),
    "an unknown easing": animation(easing="bounce"),
    "one frame a leg": animation(framesPerLeg=1),
    "241 frames a leg": animation(framesPerLeg=241),
    "half a frame": animation(framesPerLeg=2.5),
    "loop as a number": animation(loop=1),
    "no speed": animation(speed=0),
    "a speed of 5": animation(speed=5),
    "a speed that is none": animation(speed=NAN),
    "an unknown tab": animation(tab="secrets"),
    "a grid that is none": animation(grid=None),
    "65 rows": part("grid", rows=65),
    "one column": part("grid", columns=1),
    "an unknown format": part("export", format="exe"),
    "61 frames a second": part("export", fps=61),
    "a scale of 0": part("export", scale=0),
    "no pictures": part("export", pictures=0),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_not_right_changes_nothing(memory: Session, tiny: StoredModel, reported: dict[str, Any], wrong: Change):
    take_studio(memory, tiny, reported)
    before, animation = memory.keyframes["tiny"], memory.animation
    changed = copy.deepcopy(reported)
    changed["keyframes"][1]["name"] = "another"
    changed["animation"]["loop"] = False
    wrong(changed)
    take_studio(memory, tiny, changed)
    assert (memory.keyframes["tiny"], memory.animation) == (before, animation)
