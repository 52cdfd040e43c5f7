"""What jobs are told apart by."""

import numpy as np
import pytest

from app.services.work import fingerprint

CODES = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_equal_parts_have_one_fingerprint():
    assert fingerprint("a", 1, CODES) == fingerprint("a", 1, CODES.copy())
    assert fingerprint(CODES.T) == fingerprint(CODES.T.copy())


@pytest.mark.parametrize(
    "other",
    [
        ("a", 1, CODES + 1),
        ("a", 1, CODES.reshape(3, 2)),
        ("a", 1, CODES.astype(np.float64)),
        ("a", 1.0, CODES),
        ("a", "1", CODES),
        ("a1", CODES),
        ("a", CODES, 1),
        ("a", 1, CODES, None),
    ],
)
def test_different_parts_have_different_ones(other: tuple[object, ...]):
    assert fingerprint(*other) != fingerprint("a", 1, CODES)
