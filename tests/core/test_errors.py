"""The tree of errors: one root, and a code of its own for each class."""

import inspect

from vae_core import errors
from vae_core.errors import VAEExplorerError


def test_each_error_has_a_code_of_its_own_which_is_one_word() -> None:
    tree = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, VAEExplorerError)]
    codes = [each.code for each in tree]
    assert len(tree) > 8
    assert len({*codes}) == len(codes)
    assert all(code.isalpha() and code.islower() for code in codes)
