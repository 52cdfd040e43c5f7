"""The tree of errors: one root, and a code of its own for each class."""

import inspect

from tests.contracts import check_contract
from vae_core import errors
from vae_core.errors import GoneError, VAEExplorerError


def test_each_error_has_a_code_of_its_own_which_is_one_word() -> None:
    tree = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, VAEExplorerError)]
    codes = [each.code for each in tree]
    assert len(tree) > 8
    assert len({*codes}) == len(codes)
    assert all(code.isalpha() and code.islower() for code in codes)


def test_codes_that_the_page_acts_on_are_those_of_the_contract() -> None:
    check_contract("codes", {"gone": GoneError.code})
