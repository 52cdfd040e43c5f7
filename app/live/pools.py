"""Threads that answer requests: pools by name, which leave nothing undone behind when the server ends."""

import threading
from concurrent.futures import ThreadPoolExecutor

__all__ = ["close_pools", "pool"]

_changing = threading.Lock()
_pools: dict[str, ThreadPoolExecutor] = {}


def pool(name: str, threads: int) -> ThreadPoolExecutor:
    """The pool of that name, made at the first call with so many threads."""
    with _changing:
        if name not in _pools:
            _pools[name] = ThreadPoolExecutor(threads, thread_name_prefix=name)
        return _pools[name]


def close_pools() -> None:
    """Drop what has not begun; Python would do all of it before it ends. Whoever asks for a pool gets a new one."""
    with _changing:
        pools = list(_pools.values())
        _pools.clear()
    for each in pools:
        each.shutdown(wait=False, cancel_futures=True)
