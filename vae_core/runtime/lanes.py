"""A lane: one thread with a bounded queue that runs what waits for the same network as one batch."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import torch
from torch import Tensor

from vae_core.errors import BusyError
from vae_core.runtime.failures import for_the_person

__all__ = ["Lane"]

MAX_WAITING = 256  # requests in a lane before it says that it is busy
# With two, a lane waits for its second thread whenever the browser or a training run wants that
# core (a drag fell from 56 to 15 pictures a second), and alone it gains nothing at these sizes.
TORCH_THREADS = 1

Run = Callable[[Tensor], Tensor]


@dataclass(eq=False)
class _Job:
    key: tuple[str, str]  # model and operation: jobs with the same key may share a batch
    run: Run
    rows: Tensor
    result: "Future[Tensor]"


STOP = _Job(("", ""), lambda rows: rows, torch.empty(0, 0), Future())


class Lane:
    """One thread that runs networks, taking what waits for the same network together.

    Args:
        name: Name of the thread, after "vae-".
        max_rows: Largest number of rows in one batch.
        max_waiting: Number of requests that may wait.
        torch_threads: Number of threads that torch computes with.
    """

    def __init__(
        self, name: str, *, max_rows: int, max_waiting: int = MAX_WAITING, torch_threads: int = TORCH_THREADS
    ) -> None:
        self.max_rows = max_rows
        self.max_waiting = max_waiting
        self.torch_threads = torch_threads
        self.waiting: queue.Queue[_Job] = queue.Queue(max_waiting)
        self.carried: _Job | None = None  # taken from the queue, but of another batch
        self.thread = threading.Thread(target=self._work, name=f"vae-{name}", daemon=True)
        self.thread.start()

    def submit(self, key: tuple[str, str], run: Run, rows: Tensor) -> "Future[Tensor]":
        """Queue `run` for these rows; what waits under the same key may be run in one batch.

        Args:
            key: Names the model and the operation.
            run: Takes rows [n, ...] and gives as many results, each of its own row alone.
            rows: [n, ...].

        Raises:
            BusyError: The queue is full.
        """
        job = _Job(key, run, rows, Future())
        try:
            self.waiting.put_nowait(job)
        except queue.Full as error:
            raise BusyError(
                f"the server is busy: {self.max_waiting} requests wait already; try again shortly."
            ) from error
        return job.result

    def stop(self) -> None:
        """Run what waits, then end the thread."""
        self.waiting.put(STOP)
        self.thread.join()

    def _work(self) -> None:
        torch.get_num_threads()  # else this thread's first computation would take the number set last anywhere
        torch.set_num_threads(self.torch_threads)  # counts for this thread, and as a start for those that come later
        while (batch := self._take_batch())[0] is not STOP:
            self._run_batch(batch)

    def _take_batch(self) -> list[_Job]:
        batch = [self.carried or self.waiting.get()]
        self.carried = None
        rows = len(batch[0].rows)
        while rows < self.max_rows and not self.waiting.empty():
            job = self.waiting.get()
            rows += len(job.rows)
            if job.key != batch[0].key or rows > self.max_rows:
                self.carried = job
                break
            batch.append(job)
        return batch

    def _run_batch(self, batch: list[_Job]) -> None:
        batch = [job for job in batch if job.result.set_running_or_notify_cancel()]
        if not batch:
            return
        try:
            with torch.inference_mode():
                joined = torch.cat([job.rows for job in batch])
                joined_outputs = torch.cat([batch[0].run(part) for part in joined.split(self.max_rows)])
            outputs = joined_outputs.split([len(job.rows) for job in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, the lane goes on
            told = for_the_person(error, f"a batch of {batch[0].key}")
            for job in batch:
                job.result.set_exception(told)
            return
        for job, output in zip(batch, outputs, strict=True):
            job.result.set_result(output)
