"""What is kept of a model, and arrays and pictures as text."""

import gc
import weakref

import numpy as np
import pytest

from tests.app.conftest import Store
from vae_core.errors import InputError
from vae_core.inference.engine import engine
from vae_core.inference.memo import once_a_model, principal_component, reference_values
from vae_core.store.opening import StoredModel

# -- kept ----------------------------------------------------------------------------------------------------------


def test_a_result_is_made_once_a_model_and_argument(tiny: StoredModel, store: Store):
    made: list[tuple[str, int]] = []

    @once_a_model(4)
    def double(loaded: StoredModel, number: int) -> int:
        made.append((loaded.digest, number))
        return 2 * number

    other = store("other", latent_dim=2)
    assert [double(tiny, 1), double(tiny, 2), double(tiny, 1), double(other, 1), double(tiny, 1)] == [2, 4, 2, 2, 2]
    assert made == [(tiny.digest, 1), (tiny.digest, 2), (other.digest, 1)]
    assert double.__name__ == "double"


def test_what_is_kept_goes_with_the_models_files(store: Store):
    before = reference_values(store("changing"), "0")
    assert reference_values(engine().load("changing"), "0") is before
    after = reference_values(store("changing", latent_dim=2), "0")
    assert not np.array_equal(before, after)


def test_a_model_that_was_replaced_is_let_go(store: Store):
    replaced = weakref.ref(store("changing"))
    reference_values(engine().load("changing"), "0")
    store("changing", latent_dim=2)
    gc.collect()
    assert replaced() is None


def test_an_error_is_not_kept(tiny: StoredModel):
    asked = []

    @once_a_model(4)
    def fail(_loaded: StoredModel) -> int:
        asked.append(1)
        raise InputError("no.")

    for _ in range(2):
        with pytest.raises(InputError):
            fail(tiny)
    assert len(asked) == 2


def test_only_the_last_results_of_each_model_are_kept(tiny: StoredModel, store: Store):
    made: list[tuple[str, int]] = []

    @once_a_model(2)
    def note(loaded: StoredModel, number: int) -> None:
        made.append((loaded.name, number))

    other = store("other")
    for loaded, number in [(tiny, 1), (tiny, 2), (other, 1), (other, 2), (other, 3), (tiny, 1), (other, 1)]:
        note(loaded, number)
    assert made == [("tiny", 1), ("tiny", 2), ("other", 1), ("other", 2), ("other", 3), ("other", 1)]


def test_values_are_known_by_names_and_by_dimensions_and_cannot_be_written_to(tiny: StoredModel):
    reference = tiny.need_reference()
    np.testing.assert_array_equal(reference_values(tiny, "2"), reference.means[:, 2])
    np.testing.assert_array_equal(reference_values(tiny, "reconstruction"), reference.reconstruction)
    with pytest.raises(ValueError, match="read-only"):
        reference_values(tiny, "2")[0] = 1
    with pytest.raises(InputError, match="got '3'"):
        reference_values(tiny, "3")
    with pytest.raises(InputError, match="got '-1'"):
        reference_values(tiny, "-1")


def test_the_first_component_has_the_largest_variance(tiny: StoredModel):
    first, second = (principal_component(tiny, index) for index in (0, 1))
    assert first.variance_share > second.variance_share
    with pytest.raises(InputError, match="got 4"):
        principal_component(tiny, 3)
