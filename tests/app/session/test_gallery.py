"""The visitor's pictures under the model in use: added, chosen, examined once, kept when the model is switched."""

from collections.abc import Callable, Sequence
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from app.session import gallery
from app.session.gallery import add_pictures, choose_picture, examine, examined_already, switch_model
from app.session.state import Session
from tests.app.conftest import Store
from vae_core.errors import BusyError, ImageError
from vae_core.images.copies import COPY_PIXELS
from vae_core.images.files import open_picture
from vae_core.images.pixels import pixels_of, to_png
from vae_core.images.preparation import prepare_picture
from vae_core.images.preparation_options import Preparation
from vae_core.inference.engine import Engine, engine
from vae_core.reconstruction.analysis import Analysis, analyse
from vae_core.store.opening import StoredModel

Png = Callable[[int], bytes]

BAD = b"GIF89a and nothing more"


def add(memory: Session, loaded: StoredModel, *contents: bytes) -> None:
    files = [(f"{index}.png", lambda content=content: content) for index, content in enumerate(contents)]
    add_pictures(memory, engine(), loaded, files)


def mean_of(loaded: StoredModel, content: bytes) -> np.ndarray:
    """The picture's mean, by the model itself."""
    return loaded.encode(loaded.prepare(open_picture(content))[None]).mean[0].numpy()


@pytest.fixture
def analysed(models_dir: object, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the models by which pictures are analysed, one for each time."""
    names: list[str] = []

    def counted(engine: Engine, loaded: StoredModel, images: Sequence[Tensor]) -> list[Analysis]:
        names.extend([loaded.name] * len(images))
        return analyse(engine, loaded, images)

    monkeypatch.setattr(gallery, "analyse", counted)
    return names


# -- adding --------------------------------------------------------------------------------------------------------


def test_an_added_picture_is_chosen_and_its_mean_becomes_the_code(memory: Session, tiny: StoredModel, png: Png):
    add(memory, tiny, png(1))
    [picture] = memory.pictures
    assert (picture.name, memory.chosen) == ("0.png", picture.id)
    np.testing.assert_allclose(memory.codes["tiny"], mean_of(tiny, png(1)), rtol=1e-5, atol=1e-6)
    assert memory.revision == 1
    assert memory.notices == []


def test_the_last_of_several_pictures_is_chosen(memory: Session, tiny: StoredModel, png: Png):
    add(memory, tiny, png(1), png(2))
    assert [picture.name for picture in memory.pictures] == ["0.png", "1.png"]
    assert memory.chosen == memory.pictures[1].id
    np.testing.assert_allclose(memory.codes["tiny"], mean_of(tiny, png(2)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("content", [b"", b"no picture at all", BAD])
def test_a_bad_picture_leaves_one_notice_and_nothing_else(memory: Session, tiny: StoredModel, png: Png, content: bytes):
    add(memory, tiny, png(1))
    pictures, chosen, examined = list(memory.pictures), memory.chosen, dict(memory.examined)
    code, revision = memory.codes["tiny"], memory.revision

    add_pictures(memory, engine(), tiny, [("broken.gif", lambda: content)])

    [notice] = memory.notices
    assert "broken.gif" in notice
    assert (memory.pictures, memory.chosen, memory.examined) == (pictures, chosen, examined)
    assert memory.codes["tiny"] is code
    assert memory.revision == revision


def test_a_picture_that_its_decoder_refuses_leaves_one_notice(
    memory: Session, tiny: StoredModel, png: Png, monkeypatch: pytest.MonkeyPatch
):
    class Refusing:
        def reduced_copy(self, _data: bytes, *, name: str) -> bytes:
            raise ImageError(f"{name} takes too long.")

    monkeypatch.setattr(gallery, "decoders", Refusing)
    add(memory, tiny, png(1))
    assert (memory.pictures, memory.notices) == ([], ["0.png takes too long."])


def test_a_bad_picture_does_not_keep_the_good_ones_out(memory: Session, tiny: StoredModel, png: Png):
    add(memory, tiny, png(1), BAD, png(3), BAD)
    assert [picture.name for picture in memory.pictures] == ["0.png", "2.png"]
    assert memory.chosen == memory.pictures[1].id
    assert len(memory.notices) == 2


def test_a_copy_of_a_model_that_prepares_pictures_otherwise_sees_them_otherwise(
    memory: Session, store: Store, png: Png
):
    """The weights are the same, so is their digest."""
    plain, inverted = store("plain"), store("inverted", preparation=Preparation(invert="always"))
    assert plain.digest == inverted.digest
    add(memory, plain, png(1))
    [seen] = examine(memory, engine(), plain)
    [otherwise] = examine(memory, engine(), inverted)
    np.testing.assert_allclose(otherwise.seen, 1 - seen.seen, atol=1e-6)
    assert examine(memory, engine(), plain) == [seen], "both are remembered"


# -- what is kept --------------------------------------------------------------------------------------------------


def noise(width: int, height: int) -> bytes:
    """A file with a picture that no format makes small."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=0)
    return file.getvalue()


def test_of_a_large_file_a_reduced_copy_is_kept(memory: Session, tiny: StoredModel):
    file = noise(2400, 2000)
    add(memory, tiny, file)
    [picture] = memory.pictures
    assert len(picture.content) < len(file) / 2
    kept = open_picture(picture.content)
    assert kept.width * kept.height <= COPY_PIXELS
    np.testing.assert_allclose(memory.codes["tiny"], mean_of(tiny, file), atol=0.02)


def limited(monkeypatch: pytest.MonkeyPatch, count: int, size: int) -> None:
    monkeypatch.setattr(gallery, "PICTURES", count)
    monkeypatch.setattr(gallery, "PICTURES_KEPT_BYTES", size)


def test_no_more_pictures_are_kept_than_a_visit_may_have(
    memory: Session, tiny: StoredModel, png: Png, monkeypatch: pytest.MonkeyPatch
):
    limited(monkeypatch, 2, 2**30)
    add(memory, tiny, png(1))
    add(memory, tiny, png(2), png(3), png(4), png(5))
    assert [picture.name for picture in memory.pictures] == ["0.png", "0.png"]
    assert memory.chosen == memory.pictures[-1].id, "the last good one"
    [notice] = memory.notices
    assert (
        notice
        == "A visit keeps 2 pictures, of 1024 MiB together: 1.png and 2 more could not be added. Remove some first."
    )
    memory.remove_picture(memory.pictures[0].id)
    add(memory, tiny, png(6))
    assert len(memory.pictures) == 2


def test_no_more_bytes_are_kept_than_a_visit_may_have(
    memory: Session, tiny: StoredModel, png: Png, monkeypatch: pytest.MonkeyPatch
):
    limited(monkeypatch, 200, 100)
    add(memory, tiny, png(1), png(2))
    assert [picture.name for picture in memory.pictures] == ["0.png"]
    assert "1.png could not be added" in memory.notices[0]


def test_what_does_not_fit_is_not_even_read(memory: Session, tiny: StoredModel, monkeypatch: pytest.MonkeyPatch):
    limited(monkeypatch, 0, 2**30)
    add_pictures(memory, engine(), tiny, [("a.png", lambda: pytest.fail("it was read"))])
    assert len(memory.notices) == 1


def test_analyses_of_other_models_go_where_they_get_too_many(
    memory: Session, tiny: StoredModel, store: Store, png: Png, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(gallery, "EXAMINED", 3)
    add(memory, tiny, png(1), png(2))
    other = store("other", latent_dim=2)
    examine(memory, engine(), other)
    assert sum(key[0].startswith(other.digest) for key in memory.examined) == 2
    assert len(memory.examined) == 3


# -- choosing ------------------------------------------------------------------------------------------------------


def test_a_black_picture_is_kept_and_named_but_not_loaded(memory: Session, tiny: StoredModel, png: Png):
    add(memory, tiny, png(1))
    chosen, code = memory.chosen, memory.codes[tiny.name]
    add(memory, tiny, to_png(pixels_of(torch.zeros(1, 8, 8))))
    assert [picture.name for picture in memory.pictures] == ["0.png", "0.png"]
    assert memory.chosen == chosen
    assert memory.codes[tiny.name] is code
    [notice] = memory.notices
    assert "black" in notice


def test_choosing_loads_that_pictures_mean(memory: Session, tiny: StoredModel, png: Png):
    add(memory, tiny, png(1), png(2))
    choose_picture(memory, engine(), tiny, memory.pictures[0].id)
    assert memory.chosen == memory.pictures[0].id
    np.testing.assert_allclose(memory.codes["tiny"], mean_of(tiny, png(1)), rtol=1e-5, atol=1e-6)
    assert memory.revision == 3


def test_choosing_a_picture_that_is_gone_changes_nothing(memory: Session, tiny: StoredModel, png: Png):
    add(memory, tiny, png(1))
    chosen, code = memory.chosen, memory.codes["tiny"]
    choose_picture(memory, engine(), tiny, "gone")
    assert (memory.chosen, memory.revision) == (chosen, 1)
    assert memory.codes["tiny"] is code


# -- examining -----------------------------------------------------------------------------------------------------


def test_pictures_are_examined_in_order_with_what_the_model_sees(memory: Session, tiny: StoredModel, png: Png):
    add(memory, tiny, png(1), png(2))
    examined = examine(memory, engine(), tiny)
    assert [each.picture for each in examined] == memory.pictures
    for each in examined:
        expected = prepare_picture(
            open_picture(each.picture.content), shape=(1, 8, 8), preparation=tiny.spec.preparation
        )
        assert torch.equal(each.seen, expected)
        assert each.analysis.reconstruction.shape == (1, 8, 8)


def test_each_picture_is_examined_once_a_model(
    memory: Session, tiny: StoredModel, store: Store, png: Png, analysed: list[str]
):
    other = store("other", latent_dim=2)
    add(memory, tiny, png(1), png(2))
    for loaded in (tiny, other, tiny, other):
        assert len(examine(memory, engine(), loaded)) == 2
    assert analysed == ["tiny", "tiny", "other", "other"]


def test_a_model_whose_files_changed_examines_anew(
    memory: Session, tiny: StoredModel, store: Store, png: Png, analysed: list[str]
):
    add(memory, tiny, png(1))
    before = examine(memory, engine(), tiny)[0].analysis.mean
    changed = store("tiny")
    after = examine(memory, engine(), changed)[0].analysis.mean
    assert analysed == ["tiny", "tiny"]
    assert not np.allclose(before, after)


def test_the_visitors_own_preparation_counts(memory: Session, tiny: StoredModel, png: Png):
    add(memory, tiny, png(1))
    [before] = examine(memory, engine(), tiny)
    memory.prepare_as("tiny", Preparation(invert="always"))
    [after] = examine(memory, engine(), tiny)
    assert torch.allclose(after.seen, 1 - before.seen, atol=1e-6)
    assert not np.allclose(after.analysis.mean, before.analysis.mean)


def test_a_colour_model_sees_three_channels(memory: Session, store: Store, png: Png):
    colour = store("colour", channels=3, likelihood="gaussian")
    add(memory, colour, png(1))
    [each] = examine(memory, engine(), colour)
    assert each.seen.shape == each.analysis.reconstruction.shape == (3, 8, 8)


# -- switching -----------------------------------------------------------------------------------------------------


def test_the_first_model_of_a_visit_comes_without_a_notice(tiny: StoredModel):
    memory = Session()
    switch_model(memory, engine(), tiny)
    assert (memory.model, memory.notices, memory.revision) == ("tiny", [], 1)


def test_pictures_stay_and_are_encoded_anew(memory: Session, tiny: StoredModel, store: Store, png: Png):
    other = store("other", latent_dim=2)
    add(memory, tiny, png(1), png(2))
    choose_picture(memory, engine(), tiny, memory.pictures[0].id)
    pictures, chosen, code, revision = list(memory.pictures), memory.chosen, memory.codes["tiny"], memory.revision

    switch_model(memory, engine(), other)

    assert (memory.model, memory.pictures, memory.chosen) == ("other", pictures, chosen)
    np.testing.assert_allclose(memory.codes["other"], mean_of(other, png(1)), rtol=1e-5, atol=1e-6)
    assert memory.codes["tiny"] is code
    assert memory.revision > revision
    [notice] = memory.notices
    assert "encoded by other" in notice


def test_with_a_chosen_picture_too_a_code_waits_for_its_models_return(
    memory: Session, tiny: StoredModel, store: Store, png: Png
):
    other = store("other", latent_dim=2)
    add(memory, tiny, png(1))
    memory.load_code("tiny", np.ones(3, np.float32))
    switch_model(memory, engine(), other)
    np.testing.assert_allclose(memory.codes["other"], mean_of(other, png(1)), rtol=1e-5, atol=1e-6)
    revision = memory.revision
    switch_model(memory, engine(), tiny)
    assert memory.codes["tiny"].tolist() == [1, 1, 1]
    assert memory.revision > revision


def test_a_code_from_elsewhere_waits_for_the_first_models_return(memory: Session, tiny: StoredModel, store: Store):
    code = np.ones(3, np.float32)
    memory.load_code("tiny", code)
    switch_model(memory, engine(), store("other", latent_dim=2))
    [notice] = memory.take_notices()
    assert "tiny" in notice
    assert "other" in notice
    assert "other" not in memory.codes
    np.testing.assert_array_equal(memory.codes["tiny"], code)


def test_who_returns_to_a_model_finds_the_sliders_as_they_were_and_reads_nothing(
    memory: Session, tiny: StoredModel, store: Store
):
    other = store("other", latent_dim=2)
    memory.load_code("tiny", np.ones(3, np.float32))
    switch_model(memory, engine(), other)
    memory.load_code("other", np.zeros(2, np.float32))
    memory.take_notices()
    switch_model(memory, engine(), tiny)
    assert memory.notices == []
    assert memory.codes["tiny"].tolist() == [1, 1, 1]


def test_with_nothing_to_keep_there_is_nothing_to_say(memory: Session, store: Store):
    switch_model(memory, engine(), store("other"))
    assert (memory.model, memory.notices) == ("other", [])


def test_choosing_the_model_in_use_again_says_nothing(memory: Session, tiny: StoredModel, png: Png):
    add(memory, tiny, png(1))
    switch_model(memory, engine(), tiny)
    assert (memory.model, memory.notices) == ("tiny", [])


def test_a_switch_that_cannot_encode_changes_nothing(
    memory: Session, tiny: StoredModel, store: Store, png: Png, monkeypatch: pytest.MonkeyPatch
):
    other = store("other", latent_dim=2)
    add(memory, tiny, png(1))
    before = (memory.model, memory.chosen, memory.revision, dict(memory.codes), dict(memory.visible_notices))

    def no_room(*_: object) -> None:
        raise BusyError("the server is busy; try again shortly.")

    with monkeypatch.context() as patched:
        patched.setattr(gallery, "analyse", no_room)
        with pytest.raises(BusyError):
            switch_model(memory, engine(), other)
    assert (memory.model, memory.chosen, memory.revision, memory.codes, memory.visible_notices) == before
    assert memory.notices == []
    switch_model(memory, engine(), other)
    assert memory.model == "other"


def test_what_was_examined_before_the_queue_was_full_is_remembered(
    memory: Session, tiny: StoredModel, store: Store, png: Png, monkeypatch: pytest.MonkeyPatch
):
    other = store("other", latent_dim=2)
    add(memory, tiny, png(1), png(2))
    rooms = iter([analyse])

    def one_room(*given: object) -> list[Analysis]:
        try:
            return next(rooms)(*given)  # type: ignore[arg-type]
        except StopIteration:
            raise BusyError("the server is busy; try again shortly.") from None

    monkeypatch.setattr(gallery, "analyse", one_room)
    with pytest.raises(BusyError):
        examine(memory, engine(), other)
    assert [each.picture for each in examined_already(memory, other)] == memory.pictures[:1]
