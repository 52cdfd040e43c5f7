"""Limits as the page is given them."""

from app.wire.limits import LIMITS
from tests.contracts import check_contract


def test_the_limits_are_those_of_the_contract() -> None:
    check_contract("limits", LIMITS)
