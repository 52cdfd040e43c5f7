"""Jobs in the background of a page: who comes when, who shares, what is kept, and that nobody is shut out."""

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.services import jobs as jobs_module
from app.services.jobs import Jobs
from app.services.work import JobKind, JobsLimits
from tests.app.services.background import Clock, Stubborn, Waiting, request
from vae_core.errors import BusyError, GoneError, InputError, VAEExplorerError
from vae_core.runtime.jobs import JobState

LIMITS = JobsLimits()
SECONDS = 200  # until Python has long ended


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(clock: Clock) -> Iterator[Jobs]:
    made = Jobs(clock)
    yield made
    made.close()


def begin(
    kept: Jobs,
    visitor: str = "ann",
    key: str | None = None,
    *,
    kind: JobKind = "export",
    error: Exception | None = None,
) -> tuple[str, Waiting]:
    """Ask for a job, unlike all others unless a key is given."""
    work = Waiting(error)
    name = kept.begin(request(work, kind, key), visitor)
    assert work.is_at_work or not work.was_started
    return name, work


def finished(kept: Jobs, visitor: str = "ann", key: str | None = None, **options: Exception) -> str:
    """A job that has ended."""
    name, work = begin(kept, visitor, key, error=options.get("error"))
    work.finish()
    return name


def message(kept: Jobs, name: str) -> str:
    return kept.state(name).message


# -- a job's life --------------------------------------------------------------------------------------------------


def test_a_job_is_reached_by_its_id_alone_until_it_is_done(kept: Jobs):
    name, work = begin(kept)
    other, _ = begin(kept)
    assert name != other
    assert len(name) >= 32, "nobody guesses it"
    with pytest.raises(BusyError, match="ask again later"):
        kept.result(name)
    work.finish()
    assert kept.state(name) == JobState("done", 1, "done")
    assert [kept.result(name) for _ in range(2)] == ["MADE", "MADE"], "presented, as often as it is asked for"
    for unknown in ("", name[:-1], other[::-1]):
        for ask in (kept.state, kept.stop, kept.result):
            with pytest.raises(GoneError, match="start it again"):
                ask(unknown)


def test_a_stopped_job_says_so_and_has_no_result(kept: Jobs):
    name, work = begin(kept)
    assert kept.stop(name).phase == "stopped"
    work.join()
    assert kept.state(name) == JobState("stopped", 0.25, "stopped")
    with pytest.raises(VAEExplorerError, match="stopped has no result"):
        kept.result(name)


def test_a_failed_job_says_its_reason(kept: Jobs):
    name = finished(kept, error=InputError("choose other codes."))
    assert kept.state(name) == JobState("failed", 0.25, "choose other codes.")
    with pytest.raises(VAEExplorerError, match="choose other codes"):
        kept.result(name)


def test_a_stop_after_the_end_leaves_the_result(kept: Jobs):
    name = finished(kept)
    assert kept.stop(name).phase == "done"
    assert kept.result(name) == "MADE"


def test_of_a_job_that_has_ended_only_the_result_is_kept(kept: Jobs):
    name, work = begin(kept)
    work.finish()
    job = weakref.ref(work)
    del work
    gc.collect()
    assert job() is None, "it holds all that the result was made from"
    assert kept.result(name) == "MADE"


# -- the queue -----------------------------------------------------------------------------------------------------


def test_of_one_visitor_one_job_of_a_kind_is_done_at_a_time(kept: Jobs):
    (_, first), (second_name, second) = begin(kept), begin(kept)
    (_, refit), (_, others) = begin(kept, kind="refit"), begin(kept, "bob")
    assert [each.is_at_work for each in (first, second, refit, others)] == [True, False, True, True]
    first.finish()
    assert second.is_at_work
    assert kept.state(second_name).phase == "encoding"


def test_who_waits_is_told_how_many_are_before(kept: Jobs):
    names = [begin(kept, visitor, kind="refit")[0] for visitor in ("ann", "bob", "cat")]
    assert message(kept, names[0]) == "working"
    assert kept.state(names[1]) == JobState("starting", 0, "waiting: 1 before this one")
    assert message(kept, names[2]) == "waiting: 2 before this one"
    kept.stop(names[1])
    assert message(kept, names[2]) == "waiting: 1 before this one"
    with pytest.raises(BusyError, match="now it is starting"):
        kept.result(names[2])


def test_the_first_job_of_each_visitor_comes_before_the_second_of_any(kept: Jobs):
    ann = [begin(kept, "ann", kind="refit") for _ in range(4)]
    bob, cat = begin(kept, "bob", kind="refit"), begin(kept, "cat", kind="refit")
    line = [ann[0], bob, cat, *ann[1:]]
    for ahead, (name, work) in enumerate(line):
        assert work.is_at_work, ahead
        assert all(not later.is_at_work for _, later in line[ahead + 1 :])
        for place, (later_name, _) in enumerate(line[ahead + 1 :], start=1):
            assert message(kept, later_name) == f"waiting: {place} before this one"
        work.finish()
        assert kept.result(name) == "MADE"


def test_two_long_exports_of_one_program_shut_nobody_out(kept: Jobs):
    for _ in range(LIMITS.own):
        begin(kept, "")
    assert begin(kept, "ann")[1].is_at_work


def test_one_visitor_cannot_fill_a_queue(kept: Jobs):
    names = [begin(kept)[0] for _ in range(LIMITS.own)]
    late = Waiting()
    with pytest.raises(BusyError, match=f"at most {LIMITS.own} jobs of kind export"):
        kept.begin(request(late), "ann")
    assert not late.is_at_work
    begin(kept, "bob")
    begin(kept, kind="refit")
    kept.stop(names[1])
    begin(kept)


def test_a_queue_has_an_end(clock: Clock):
    kept = Jobs(clock, JobsLimits(queued=3))
    for number in range(3):
        begin(kept, f"visitor {number}")
    with pytest.raises(BusyError, match="3 jobs of kind export wait already; try again"):
        begin(kept, "ann")
    kept.close()


def test_a_thread_at_its_last_step_keeps_its_place(kept: Jobs):
    stopped = Stubborn()
    kept.stop(kept.begin(request(stopped, "training"), "ann"))
    name, work = begin(kept, kind="training")
    assert message(kept, name) == "waiting: 1 before this one"
    stopped.finish()
    assert work.is_at_work


def test_a_failure_lets_the_next_one_go(kept: Jobs):
    (_, failing), (_, following) = begin(kept, kind="refit", error=InputError("no.")), begin(kept, kind="refit")
    failing.finish()
    assert following.is_at_work


# -- sharing -------------------------------------------------------------------------------------------------------


def test_a_class_that_asks_for_the_same_has_it_made_once(kept: Jobs):
    asked = [begin(kept, f"visitor {number}", "same", kind="training") for number in range(30)]
    assert [work.is_at_work for _, work in asked] == [True] + [False] * 29
    asked[0][1].finish()
    assert [kept.result(name) for name, _ in asked] == ["MADE"] * 30
    name, work = begin(kept, "late", "same", kind="training")
    assert kept.result(name) == "MADE"
    assert not work.was_started, "it is there already"


def test_what_differs_in_key_or_kind_is_not_shared(kept: Jobs):
    works = [begin(kept, "ann", "a")[1], begin(kept, "bob", "b")[1], begin(kept, "ann", "a", kind="refit")[1]]
    assert all(work.is_at_work for work in works)


def test_each_visitor_is_presented_the_shared_result_as_it_asked(kept: Jobs):
    work = Waiting()
    names = [kept.begin(request(work, "export", "same", present=present), "ann") for present in (str.upper, len)]
    work.finish()
    assert [kept.result(name) for name in names] == ["MADE", 4]


def test_one_who_stops_takes_nothing_from_another(kept: Jobs):
    (ann, work), (bob, _) = begin(kept, "ann", "same"), begin(kept, "bob", "same")
    assert kept.stop(ann).phase == "stopped"
    assert kept.state(bob).phase == "encoding"
    work.finish()
    assert kept.result(bob) == "MADE"
    assert kept.state(ann).phase == "stopped"
    with pytest.raises(VAEExplorerError, match="stopped has no result"):
        kept.result(ann)


def test_when_all_have_stopped_the_work_ends_and_the_next_to_ask_gets_new_work(kept: Jobs):
    (ann, work), (bob, _) = begin(kept, "ann", "same"), begin(kept, "bob", "same")
    kept.stop(ann)
    kept.stop(bob)
    work.join()
    assert work.state().phase == "stopped"
    assert begin(kept, "bob", "same")[1].is_at_work


def test_shared_work_has_the_best_place_of_all_who_want_it(kept: Jobs):
    _, first = begin(kept, "ann", kind="refit")
    begin(kept, "ann", kind="refit")
    wanted, work = begin(kept, "ann", "same", kind="refit")
    assert message(kept, wanted) == "waiting: 2 before this one"
    also, _ = begin(kept, "bob", "same", kind="refit")
    assert message(kept, wanted) == message(kept, also) == "waiting: 1 before this one"
    first.finish()
    assert work.is_at_work


def test_a_failure_is_not_shared_with_those_who_come_later(kept: Jobs):
    finished(kept, "ann", "same", error=InputError("no."))
    assert begin(kept, "bob", "same")[1].is_at_work


# -- those who left ------------------------------------------------------------------------------------------------


def test_work_of_those_who_left_is_ended_at_its_next_step(kept: Jobs, clock: Clock):
    name, work = begin(kept)
    clock.now += LIMITS.left_after - 1
    work.step()
    assert work.is_at_work
    kept.state(name)  # the visitor is still there
    clock.now += LIMITS.left_after - 1
    work.step()
    assert work.is_at_work
    clock.now += 1
    work.step()
    work.join()
    assert kept.state(name).phase == "stopped"


def test_work_of_those_who_left_never_begins(kept: Jobs, clock: Clock):
    (staying, first), (_, left) = begin(kept, "ann", kind="refit"), begin(kept, "bob", kind="refit")
    last_name, last = begin(kept, "cat", kind="refit")
    clock.now += LIMITS.left_after
    kept.state(staying)
    assert message(kept, last_name) == "waiting: 1 before this one"
    first.finish()
    assert (left.was_started, last.is_at_work) == (False, True)


def test_those_who_left_take_no_place_from_those_who_come(clock: Clock):
    kept = Jobs(clock, JobsLimits(queued=2))
    left = [begin(kept, visitor)[1] for visitor in ("ann", "bob")]
    clock.now += LIMITS.left_after
    _, come = begin(kept, "cat")
    for work in left:
        work.join()
    assert [work.state().phase for work in left] == ["stopped", "stopped"]
    assert come.is_at_work
    kept.close()


def test_one_who_stays_is_enough(kept: Jobs, clock: Clock):
    (_, work), (bob, _) = begin(kept, "ann", "same"), begin(kept, "bob", "same")
    clock.now += LIMITS.left_after - 1
    kept.state(bob)
    clock.now += LIMITS.left_after - 1
    work.step()
    work.finish()
    assert kept.result(bob) == "MADE"


# -- results -------------------------------------------------------------------------------------------------------


def results(clock: Clock, room: int) -> Jobs:
    """Jobs with room for so many small results."""
    return Jobs(clock, JobsLimits(result_bytes=10 * room, least_bytes=10))


def are_kept(kept: Jobs, *names: str) -> list[bool]:
    """Which results are there; asks for no news, so that nothing counts as asked for."""
    return [name in kept._tickets for name in names]


def test_results_are_bounded_and_the_longest_unused_goes_first(clock: Clock):
    kept = results(clock, 3)
    first, second, third = (finished(kept) for _ in range(3))
    kept.result(first)
    fourth = finished(kept)
    assert are_kept(kept, first, second, third, fourth) == [True, False, True, True]
    with pytest.raises(GoneError):
        kept.state(second)


def test_a_program_that_fetches_nothing_pushes_out_its_own_results_alone(clock: Clock):
    kept = results(clock, 4)
    ann, bob = finished(kept, "ann"), finished(kept, "bob")
    for _ in range(20):
        last = finished(kept, "")
    assert are_kept(kept, ann, bob, last) == [True, True, True]
    assert kept.result(ann) == "MADE"


def test_a_result_that_is_too_large_alone_is_there_for_who_waits(clock: Clock):
    kept = Jobs(clock, JobsLimits(result_bytes=3, least_bytes=1))
    before, name = finished(kept), finished(kept)
    assert kept.result(name) == "MADE"
    assert are_kept(kept, before) == [False]


def test_a_result_is_kept_for_a_while_after_it_was_last_asked_for(kept: Jobs, clock: Clock):
    assert LIMITS.kept == 600
    name = finished(kept, key="same")
    clock.now += LIMITS.kept - 1
    assert kept.result(name) == "MADE"
    clock.now += LIMITS.kept - 1
    assert kept.result(name) == "MADE"
    clock.now += LIMITS.kept
    with pytest.raises(GoneError):
        kept.result(name)
    assert begin(kept, "ann", "same")[1].is_at_work, "it is made anew"


def test_a_visitor_holds_a_bounded_number_of_tickets(clock: Clock):
    kept = Jobs(clock, JobsLimits(tickets=3))
    name = finished(kept, key="same")
    others, _ = begin(kept, "bob", "same")
    for _ in range(3):
        last, _ = begin(kept, key="same")
    assert are_kept(kept, name, others, last) == [False, True, True]
    assert kept.result(last) == "MADE"


# -- the end -------------------------------------------------------------------------------------------------------


def test_closing_ends_everything(kept: Jobs):
    kinds: list[JobKind] = ["export", "export", "refit", "training"]
    works = [begin(kept, kind=kind)[1] for kind in kinds]
    kept.close()
    assert [work.state().phase for work in works] == ["stopped", "starting", "stopped", "stopped"]
    assert not works[1].was_started
    assert not any(work.is_at_work for work in works)
    assert begin(kept)[1].is_at_work, "and a new one may begin"


def test_the_process_has_one_list():
    assert jobs_module.jobs() is jobs_module.jobs()


SCRIPT = """
import numpy as np
from app.services.exports import Export, ExportRequest
from app.services.jobs import jobs
from app.services.work import JobRequest
jobs()  # as when a page asks for an old job first of all
from vae_core.inference.engine import engine
loaded = engine().load("tiny")
order = ExportRequest(np.zeros((4000, 3), np.float32), "mp4", 60.0, 4, True, np.empty(0, int))
name = jobs().begin(JobRequest("export", "one", Export(engine(), loaded, order), bytes), "")
while not jobs().state(name).share:
    pass
print(jobs().state(name).phase)
"""


def test_python_ends_at_once_while_an_export_runs(models_dir: Path):
    root = Path(jobs_module.__file__).parents[1]
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=root,
        env={**os.environ, "VAE_MODELS_DIR": str(models_dir)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "encoding\n", "")
