"""Results that are kept in memory: the last used of them, each made once however many threads ask for it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Memo"]

Value = TypeVar("Value")


@dataclass(eq=False)
class _Slot(Generic[Value]):
    """Where one result is put; who holds the lock makes it, and the others wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    results: list[Value] = field(default_factory=list)  # one, once it is made


class Memo(Generic[Value]):
    """Results by key, as many as fit, those that were asked for longest ago forgotten first.

    Args:
        size: Number of results that are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._slots: OrderedDict[Hashable, _Slot[Value]] = OrderedDict()  # the one asked for last at the end
        self._choosing = threading.Lock()

    def __len__(self) -> int:
        return len(self._slots)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The result kept under `key`; when there is none, that of `make`, which is kept unless it raises.

        Other threads that ask for the same key meanwhile wait for the first; for other keys nobody waits.
        """
        with self._choosing:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._size:
                self._slots.popitem(last=False)
        with slot.lock:
            if not slot.results:
                try:
                    slot.results.append(make())
                except BaseException:
                    self._drop(key, slot)
                    raise
            return slot.results[0]

    def forget(self) -> None:
        """Keep nothing of what was made so far."""
        with self._choosing:
            self._slots.clear()

    def _drop(self, key: Hashable, slot: _Slot[Value]) -> None:
        with self._choosing:
            if self._slots.get(key) is slot:
                del self._slots[key]
