"""Maps fitted anew are found by their number, by their own model alone, and the oldest ones give way."""

import numpy as np
import pytest

from app.live.answers import answer, latent_map
from app.queries.density import DensityQuestion, density
from app.services import refits as module
from app.services.refits import MAX_MAPS, Refits, refits
from app.wire.protocol import Kind, ProjectionKind, Question, RefitId
from tests.app.conftest import Store
from vae_core.errors import GoneError
from vae_core.inference.engine import engine
from vae_core.store.opening import StoredModel


def shifted(loaded: StoredModel, by: float) -> np.ndarray:
    return loaded.need_reference().umap_places + np.float32(by)


def test_a_reference_code_lies_where_the_new_map_has_it(tiny: StoredModel):
    places = shifted(tiny, 7)
    number = refits().keep(tiny, places)
    assert 1 <= number <= RefitId.LARGEST
    found = latent_map(tiny, ProjectionKind.REFIT, number.axes)
    np.testing.assert_array_equal(found.project(tiny.need_reference().means[:3]), places[:3])
    stored = latent_map(tiny, ProjectionKind.UMAP, (0, 0))
    np.testing.assert_allclose(stored.project(tiny.need_reference().means[:3]), places[:3] - 7, atol=1e-5)


def test_a_live_question_names_the_new_map_by_two_bytes(tiny: StoredModel):
    places = shifted(tiny, 7)
    number = refits().keep(tiny, places)
    codes = tiny.need_reference().means[:1]
    question = Question(Kind.DECODE, ProjectionKind.REFIT, number.axes, 1, codes, None)
    content = answer(engine(), tiny, question)
    np.testing.assert_array_equal(np.frombuffer(content, "<f4", count=2, offset=8), places[0])


def test_the_density_is_that_of_the_new_map(tiny: StoredModel):
    number = refits().keep(tiny, shifted(tiny, 100))
    stored = density(engine(), tiny, DensityQuestion("umap", 0, 1))
    anew = density(engine(), tiny, DensityQuestion("umap", 0, 1, refit=number))
    assert stored["x"] != anew["x"]


def test_an_unknown_map_and_another_models_map_get_a_sentence(tiny: StoredModel, store: Store):
    number = refits().keep(tiny, shifted(tiny, 1))
    other = store("other", latent_dim=4)
    for loaded, wanted in ((other, number), (tiny, 0)):
        with pytest.raises(GoneError, match=f"map {wanted} of {loaded.name} is gone; fit it again"):
            refits().find(loaded, RefitId(wanted))


def test_what_was_not_looked_at_for_longest_gives_way(tiny: StoredModel):
    memory = Refits()
    numbers = [memory.keep(tiny, shifted(tiny, i)) for i in range(MAX_MAPS)]
    memory.find(tiny, numbers[0])
    memory.keep(tiny, shifted(tiny, MAX_MAPS))
    assert memory.find(tiny, numbers[0])
    with pytest.raises(GoneError):
        memory.find(tiny, numbers[1])


def test_a_result_that_is_fetched_again_is_kept_once(tiny: StoredModel):
    memory, places = Refits(), shifted(tiny, 1)
    assert len({memory.keep(tiny, places) for _ in range(MAX_MAPS + 1)}) == 1


def test_two_maps_never_share_a_number(tiny: StoredModel, monkeypatch: pytest.MonkeyPatch):
    numbers = map(RefitId, [5, 5, 6])
    monkeypatch.setattr(module, "_random_number", lambda: next(numbers))
    memory = Refits()
    assert [memory.keep(tiny, shifted(tiny, i)) for i in range(2)] == [5, 6]
