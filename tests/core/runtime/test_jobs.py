"""Background jobs: how far they are, how they end, and that the first end counts."""

import threading
from collections.abc import Iterator

import pytest

from vae_core.errors import BusyError, InputError, VAEExplorerError
from vae_core.runtime.jobs import BackgroundJob, JobState

SECONDS = 60  # that a test waits for another thread at the most


class Steps(BackgroundJob[int]):
    """Takes a step whenever it is let, and gives their number."""

    def __init__(self, steps: int, error: Exception | None = None) -> None:
        super().__init__("steps")
        self.steps = steps
        self.error = error
        self.may_step = threading.Semaphore(0)
        self.stepped = threading.Semaphore(0)
        self.interrupts = 0

    def step(self) -> JobState:
        """Let it take one step; how far it is then."""
        self.may_step.release()
        assert self.stepped.acquire(timeout=SECONDS)
        return self.state()

    def wait(self) -> JobState:
        self._thread.join(SECONDS)
        return self.state()

    def _work(self) -> int | None:
        for step in range(self.steps):
            self.may_step.acquire()
            if self._stopping.is_set():
                return None
            self._say("encoding", (step + 1) / (2 * self.steps), f"step {step + 1}")
            self.stepped.release()
        if self.error is not None:
            raise self.error
        return self.steps

    def _interrupt(self) -> None:
        self.interrupts += 1
        self.may_step.release()


@pytest.fixture
def two_steps() -> Iterator[Steps]:
    with Steps(2) as job:
        yield job


def test_a_job_tells_how_far_it_is_and_keeps_its_result(two_steps: Steps) -> None:
    assert two_steps.start().state() == JobState("starting", 0.0, "starting")
    assert two_steps.step() == JobState("encoding", 0.25, "step 1")
    with pytest.raises(BusyError, match="encoding"):
        two_steps.result()
    two_steps.step()
    assert two_steps.wait() == JobState("done", 1.0, "done")
    assert two_steps.state().ended
    assert two_steps.result() == 2


def test_a_stopped_job_is_stopped_at_once_and_stays_so(two_steps: Steps) -> None:
    two_steps.start()
    two_steps.step()
    two_steps.stop()
    assert two_steps.state() == JobState("stopped", 0.25, "stopped")
    two_steps.stop()
    two_steps.close()
    assert two_steps.interrupts == 1
    assert not two_steps._thread.is_alive()
    assert two_steps.state().phase == "stopped"
    with pytest.raises(VAEExplorerError, match="stopped has no result"):
        two_steps.result()


def test_a_job_that_is_done_cannot_be_stopped(two_steps: Steps) -> None:
    two_steps.start()
    two_steps.step()
    two_steps.step()
    two_steps.wait()
    two_steps.close()
    assert two_steps.result() == 2
    assert two_steps.interrupts == 0


def test_what_a_job_raises_on_purpose_is_its_message(caplog: pytest.LogCaptureFixture) -> None:
    with Steps(0, InputError("the rule, got 3.")).start() as job:
        assert job.wait() == JobState("failed", 0.0, "the rule, got 3.")
        with pytest.raises(VAEExplorerError, match=r"failed has no result \(the rule, got 3\."):
            job.result()
    assert not caplog.records


@pytest.mark.parametrize("error", [KeyError("a part"), MemoryError()])
def test_what_nobody_foresaw_is_logged_and_told_by_a_number(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with Steps(0, error).start() as job:
        state = job.wait()
    assert state.phase == "failed"
    assert "something went wrong inside (" in state.message
    assert type(error).__name__ not in state.message
    [record] = caplog.records
    assert record.getMessage().removeprefix("vae-steps failed inside ").strip("()") in state.message
    assert "in _work\n    raise self.error" in caplog.text
    assert type(error).__name__ in caplog.text


def test_what_a_job_makes_is_packed_in_its_thread_before_it_is_done() -> None:
    threads = []

    def packed(steps: int) -> str:
        threads.append(threading.current_thread().name)
        return f"{steps} steps"

    with Steps(0).then(packed).start() as job:
        job.close()
        assert job.result() == "0 steps"
    assert threads == ["vae-steps"]


def test_what_cannot_be_packed_is_a_failure() -> None:
    def refuse(_steps: int) -> str:
        raise InputError("it cannot be packed.")

    with Steps(0).then(refuse).start() as job:
        job.close()
        assert job.state() == JobState("failed", 0.0, "it cannot be packed.")


def test_who_listens_hears_of_each_step_and_of_the_end_when_nothing_is_left(two_steps: Steps) -> None:
    heard: list[str] = []
    two_steps.on_news = lambda: heard.append(two_steps.state().message)
    two_steps.on_end = lambda: heard.append(f"over: {two_steps.state().phase}")
    two_steps.start()
    two_steps.step()
    two_steps.stop()
    two_steps.wait()
    assert heard == ["step 1", "over: stopped"]


def test_who_listens_may_stop_the_job(two_steps: Steps) -> None:
    two_steps.on_news = two_steps.stop
    two_steps.start()
    two_steps.may_step.release()
    assert two_steps.wait().phase == "stopped"


def test_a_share_never_falls_and_nothing_is_said_after_the_end() -> None:
    job = Steps(0)
    job._say("encoding", 0.5, "half")
    job._say("encoding", 0.25, "a quarter")
    assert job.state() == JobState("encoding", 0.5, "a quarter")
    job.stop()
    job._say("encoding", 0.75, "on and on")
    assert job.state().phase == "stopped"


def test_leaving_a_with_block_waits_for_the_thread() -> None:
    with Steps(3).start() as job:
        job.step()
    assert not job._thread.is_alive()
