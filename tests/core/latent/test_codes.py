"""Which arrays are let pass, and the sentence that refuses the others."""

import re

import numpy as np
import pytest

from vae_core.errors import InputError
from vae_core.latent.codes import FLOAT32_MAX, check_finite, check_same_dimensions


@pytest.mark.parametrize(
    ("values", "shape", "fewest"),
    [
        (np.zeros((3, 2)), (3, 2), 0),
        (np.zeros((3, 2)), (None, 2), 3),
        (np.zeros((0, 2)), (None, 2), 0),
        (np.zeros(4), None, 0),
        (np.array([-FLOAT32_MAX, FLOAT32_MAX]), (2,), 1),
        (np.ones(3, np.float16), (3,), 0),
    ],
)
def test_finite_arrays_of_the_needed_shape_pass(values: np.ndarray, shape: tuple[int | None, ...] | None, fewest: int):
    check_finite("z", values, shape, fewest=fewest)


@pytest.mark.parametrize(
    ("shape", "fewest", "received", "sentence"),
    [
        ((None, 3), 0, (4, 2), "z must be [n, 3], got [4, 2]."),
        ((None, 3), 0, (3,), "z must be [n, 3], got [3]."),
        ((3,), 0, (4,), "z must be [3], got [4]."),
        ((None, 3), 2, (1, 3), "z must be [at least 2, 3], got [1, 3]."),
        ((None, None), 1, (0, 3), "z must be [at least 1, any], got [0, 3]."),
        (None, 1, (0, 3), "z must be [at least 1, 3], got [0, 3]."),
    ],
)
def test_another_shape_is_refused_with_both_shapes(
    shape: tuple[int | None, ...] | None, fewest: int, received: tuple[int, ...], sentence: str
):
    with pytest.raises(InputError, match=f"^{re.escape(sentence)}$"):
        check_finite("z", np.zeros(received), shape, fewest=fewest)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2 * FLOAT32_MAX])
def test_a_number_that_no_code_can_hold_is_refused_with_its_value_its_place_and_what_to_do(value: float):
    codes = np.zeros((3, 2))
    codes[2, 1] = value
    with pytest.raises(InputError, match=re.escape(f"the codes must be finite, got {value} at [2, 1]; leave it out.")):
        check_finite("the codes", codes, remedy="leave it out")
    with pytest.raises(InputError, match=re.escape(f"z must be finite, got {value} at [0]; give numbers within ±3")):
        check_finite("z", np.array([value]))


def test_codes_of_different_spaces_are_told_apart_by_their_last_axis():
    check_same_dimensions("A and B", np.zeros(3), np.zeros((5, 3)))
    with pytest.raises(InputError, match="A and B need the same number of dimensions, got 3 and 4"):
        check_same_dimensions("A and B", np.zeros((4, 3)), np.zeros((3, 4)))
