"""Lanes of the engine under test: held up, their requests counted."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from vae_core.models.vae import VAE
from vae_core.runtime import lanes

PATIENCE = 30  # seconds until a wait counts as a deadlock


@contextmanager
def held(lane: lanes.Lane) -> Iterator[None]:
    """Keep a lane's thread busy, so that requests pile up in its queue."""
    started, gate = threading.Event(), threading.Event()

    def run(rows: Tensor) -> Tensor:
        started.set()
        assert gate.wait(PATIENCE)
        return rows

    future = lane.submit(("gate", "gate"), run, torch.zeros(1, 1))
    assert started.wait(PATIENCE)
    try:
        yield
    finally:
        gate.set()
        future.result(PATIENCE)


def counting_submissions(lane: lanes.Lane, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that waits until so many requests are in the queue."""
    queued, submit = threading.Semaphore(0), lane.submit

    def counted(*arguments: object) -> "Future[Tensor]":
        future = submit(*arguments)  # type: ignore[arg-type]
        queued.release()
        return future

    def wait_for(count: int) -> None:
        for _ in range(count):
            assert queued.acquire(timeout=PATIENCE)

    monkeypatch.setattr(lane, "submit", counted)
    return wait_for


def counting_rows(model: VAE, operation: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The list to which each call of the network adds its number of rows."""
    rows, original = [], getattr(model, operation)

    def counted(inputs: Tensor) -> object:
        rows.append(len(inputs))
        return original(inputs)

    monkeypatch.setattr(model, operation, counted)
    return rows
