"""Results that are kept: made once, bounded in number, errors not kept."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from vae_core.runtime.memo import Memo

THREADS = 8
PATIENCE = 20  # seconds


def test_a_result_is_made_once_for_a_key():
    memo, made = Memo[str](4), []
    for key in ("a", "b", "a"):
        assert memo.get(key, lambda key=key: made.append(key) or key.upper()) == key.upper()
    assert made == ["a", "b"]


def test_none_is_a_result_like_any_other():
    memo, made = Memo[None](4), []
    for _ in range(2):
        memo.get("a", lambda: made.append(1))
    assert made == [1]


def test_of_threads_that_ask_at_the_same_time_one_makes_it():
    memo, made, start = Memo[int](4), [], threading.Barrier(THREADS)

    def ask() -> int:
        start.wait(PATIENCE)
        return memo.get("a", lambda: made.append(1) or 7)

    with ThreadPoolExecutor(THREADS) as pool:
        results = [each.result(PATIENCE) for each in [pool.submit(ask) for _ in range(THREADS)]]
    assert (results, made) == ([7] * THREADS, [1])


def test_who_asks_for_another_key_does_not_wait():
    memo, asked, go_on = Memo[str](4), threading.Event(), threading.Event()

    def slow() -> str:
        asked.set()
        assert go_on.wait(PATIENCE)
        return "slow"

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(memo.get, "slow", slow)
        assert asked.wait(PATIENCE)
        assert memo.get("quick", lambda: "quick") == "quick"
        go_on.set()
        assert waiting.result(PATIENCE) == "slow"


def test_the_ones_asked_for_longest_ago_are_forgotten():
    memo, made = Memo[int](2), []
    for key in (1, 2, 1, 3, 1, 2):
        memo.get(key, lambda key=key: made.append(key) or key)
    assert made == [1, 2, 3, 2]
    assert len(memo) == 2


def test_an_error_is_not_kept_and_takes_no_place():
    memo = Memo[int](1)
    memo.get("good", lambda: 1)
    memo_of_errors = Memo[int](4)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            memo_of_errors.get("bad", lambda: 1 // 0)
    assert len(memo_of_errors) == 0
    assert memo_of_errors.get("bad", lambda: 2) == 2
    assert memo.get("good", lambda: 3) == 1


def test_what_was_forgotten_is_made_again():
    memo, made = Memo[int](4), []
    for _ in range(2):
        memo.get("a", lambda: made.append(1) or 1)
        memo.forget()
    assert made == [1, 1]
