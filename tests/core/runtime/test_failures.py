"""What nobody foresaw: a short number for the person, the whole for the log."""

import logging
import re

import pytest

from vae_core.errors import InternalError
from vae_core.runtime.failures import unforeseen


def test_the_person_reads_a_number_under_which_the_log_has_the_traceback(caplog: pytest.LogCaptureFixture) -> None:
    def fall() -> None:
        raise KeyError("a secret path")

    try:
        fall()
    except KeyError as error:
        told = unforeseen(error, "an export")
    assert isinstance(told, InternalError)
    found = re.search(r"something went wrong inside \(([0-9a-f]{6})\)", str(told))
    assert found
    assert "secret" not in str(told)
    assert "KeyError" not in str(told)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == f"an export failed inside ({found[1]})"
    assert "in fall" in caplog.text
    assert "a secret path" in caplog.text


def test_two_failures_have_two_numbers() -> None:
    assert str(unforeseen(KeyError("x"), "this")) != str(unforeseen(KeyError("x"), "that"))
