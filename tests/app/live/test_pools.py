"""Pools of threads: one of each name, and what has not begun ends with the server."""

import threading
from concurrent.futures import CancelledError

import pytest

from app.live.pools import close_pools, pool


def test_a_name_is_a_pool():
    assert pool("vae-test", 1) is pool("vae-test", 1)
    assert pool("vae-test", 1) is not pool("vae-other", 1)
    assert pool("vae-test", 1).submit(lambda: threading.current_thread().name).result().startswith("vae-test")


def test_closing_drops_what_has_not_begun_and_ends_what_has():
    started, gate = threading.Event(), threading.Event()

    def work() -> str:
        started.set()
        assert gate.wait(30)
        return "done"

    begun, waiting = (pool("vae-closing", 1).submit(work) for _ in range(2))
    assert started.wait(30)
    close_pools()
    gate.set()
    assert begun.result(30) == "done"
    with pytest.raises(CancelledError):
        waiting.result(30)
    assert pool("vae-closing", 1).submit(int).result(30) == 0, "who asks again gets a new one"
