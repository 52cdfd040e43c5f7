"""Maps fitted anew: settings, the process that fits, its line, and the turn towards the old map."""

import sys
import time
from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from vae_core.errors import BusyError, ConfigError, InputError, VAEExplorerError
from vae_core.projection import refit
from vae_core.projection.alignment import align
from vae_core.projection.refit import Refit, prepare_refit
from vae_core.projection.refit_settings import METRICS, UmapSettings
from vae_core.projection.refit_worker import find_nearest
from vae_core.runtime.jobs import JobState
from vae_core.runtime.processes import start_process

COUNT, LATENT = 60, 4
SECONDS = 200  # that a test waits for a process at the most; a real one compiles umap-learn first


def codes_of_two_groups() -> np.ndarray:
    codes = np.random.default_rng(0).standard_normal((COUNT, LATENT)).astype(np.float32)
    codes[COUNT // 2 :, 0] += 40
    return codes


CODES = codes_of_two_groups()
ONES = np.ones(LATENT, np.float32)
OLD = np.random.default_rng(1).uniform(-5, 5, (COUNT, 2)).astype(np.float32) + CODES[:, :1]


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def ended(job: Refit) -> JobState:
    wait_until(lambda: job.state().ended)
    return job.state()


@pytest.fixture
def process_that(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes refits start a process that reads its task and then does what it is told."""

    def does(code: str) -> None:
        start = "import json, os, signal, sys, time; task = sys.stdin.buffer.read(); "
        monkeypatch.setattr(refit, "COMMAND", [sys.executable, "-c", start + code])

    return does


def start(**options: np.ndarray) -> Refit:
    return prepare_refit(CODES, ONES, UmapSettings(), **options).start()


# --- settings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_neighbors": 1}, "2 to 200, got 1"),
        ({"n_neighbors": 201}, "2 to 200, got 201"),
        ({"min_dist": -0.01}, "0 to 0.99, got -0.01"),
        ({"min_dist": 1.0}, "0 to 0.99, got 1.0"),
        ({"min_dist": float("nan")}, "0 to 0.99, got nan"),
        ({"metric": "hamming"}, "euclidean, cosine, correlation or manhattan, got 'hamming'"),
        ({"seed": -1}, "got -1"),
        ({"seed": 2**32}, "got 4294967296"),
    ],
)
def test_settings_outside_their_range_are_refused(given: dict[str, int | float | str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        UmapSettings(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("metric", METRICS)
def test_the_ends_of_each_range_are_inside(metric: str) -> None:
    UmapSettings(n_neighbors=2, min_dist=0, metric=metric, seed=0)
    UmapSettings(n_neighbors=200, min_dist=0.99, metric=metric, scaled=False, seed=2**32 - 1)


# --- what can be fitted --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"codes": CODES[:15]}, "at least 16 codes, got 15"),
        ({"scale": ONES[:3]}, r"the scale must be \[4\], got \[3\]"),
        ({"codes": np.where(CODES[3, 2] == CODES, np.nan, CODES)}, "finite"),
        ({"scale": ONES * np.inf}, "finite"),
        (
            {"codes": CODES[:, :2], "scale": ONES[:2], "settings": UmapSettings(metric="correlation")},
            "3 dimensions, got 2",
        ),
        ({"codes": CODES[:, :1], "scale": ONES[:1], "settings": UmapSettings(metric="cosine")}, "2 dimensions, got 1"),
        ({"initial": OLD[:5]}, r"initial places must be \[60, 2\], got \[5, 2\]"),
        ({"onto": OLD[:5]}, r"old places must be \[60, 2\]"),
        ({"onto": OLD * np.nan}, "old places must be finite"),
        ({"initial": OLD * np.array([1, 0], np.float32)}, "along both axes"),
    ],
)
def test_what_cannot_be_fitted_is_refused_at_once(given: dict[str, object], message: str) -> None:
    task = {"codes": CODES, "scale": ONES, "settings": UmapSettings(), **given}
    with pytest.raises(InputError, match=message):
        prepare_refit(**task)  # type: ignore[arg-type]


@pytest.mark.parametrize("metric", METRICS)
def test_the_nearest_codes_are_those_of_all_distances_sorted(metric: str) -> None:
    name = {"manhattan": "cityblock"}.get(metric, metric)
    distances = squareform(pdist(CODES.astype(np.float64), name))
    indices, found = find_nearest(CODES, 7, metric)
    assert indices.shape == found.shape == (COUNT, 7)
    assert np.array_equal(indices, np.argsort(distances, axis=1)[:, :7])
    np.testing.assert_allclose(found, np.sort(distances, axis=1)[:, :7], rtol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_each_code_is_its_own_nearest_at_distance_0_even_among_equals(metric: str) -> None:
    repeated = np.concatenate([CODES, CODES, CODES])
    indices, distances = find_nearest(repeated, 5, metric)
    assert np.array_equal(indices[:, 0], np.arange(len(repeated)))
    assert (distances[:, 0] == 0).all()
    assert {tuple(sorted(row % COUNT)) for row in indices[:, :3]} == {(index,) * 3 for index in range(COUNT)}


def test_a_code_at_the_origin_has_no_angle_but_neighbours() -> None:
    codes = CODES.copy()
    codes[5] = 0
    indices, distances = find_nearest(codes, 4, "cosine")
    assert indices[5, 0] == 5
    assert distances[5].tolist() == [0, 1, 1, 1]


def test_there_are_no_more_neighbours_than_other_codes() -> None:
    indices, _ = find_nearest(CODES[:20], 200, "euclidean")
    assert indices.shape == (20, 19)


# --- towards the old map -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("angle", [0.0, 0.7, np.pi, 4.0])
def test_a_turned_mirrored_scaled_and_shifted_copy_comes_back(mirrored: bool, angle: float) -> None:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if mirrored:
        turn = turn * [1, -1]
    copy = (2.5 * OLD @ turn + [100, -30]).astype(np.float32)
    aligned = align(copy, OLD)
    assert aligned.dtype == np.float32
    np.testing.assert_allclose(aligned, OLD, atol=1e-4)


def test_an_aligned_map_keeps_its_form_and_takes_the_old_one_s_centre_and_spread() -> None:
    other = np.random.default_rng(2).standard_normal((COUNT, 2)).astype(np.float32)
    aligned = align(other, OLD)
    ratios = pdist(aligned) / pdist(other)
    assert np.ptp(ratios) < 1e-3 * ratios.mean()
    np.testing.assert_allclose(aligned.mean(axis=0), OLD.mean(axis=0), atol=1e-4)
    assert aligned.var(axis=0).sum() == pytest.approx(OLD.var(axis=0).sum(), rel=1e-4)


def test_no_other_turn_brings_the_map_nearer() -> None:
    other = OLD + np.random.default_rng(2).standard_normal((COUNT, 2)).astype(np.float32)
    aligned = align(other @ np.array([[0, 1], [1, 0]], np.float32), OLD)
    nearest = np.square(aligned - OLD).sum()
    centred = aligned - OLD.mean(axis=0)
    for angle in np.linspace(0.05, 2 * np.pi - 0.05, 40):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        for mirror in ([1, 1], [1, -1]):
            assert np.square(centred @ (turn * mirror) + OLD.mean(axis=0) - OLD).sum() > nearest


def test_maps_that_are_a_point_are_only_shifted() -> None:
    point = np.full((COUNT, 2), 3, np.float32)
    np.testing.assert_allclose(align(point, OLD), np.tile(OLD.mean(axis=0), (COUNT, 1)), atol=1e-5)
    np.testing.assert_allclose(align(OLD, point).mean(axis=0), [3, 3], atol=1e-4)
    assert np.ptp(align(OLD, point)) > 1


@pytest.mark.parametrize(("places", "onto"), [(OLD, OLD[:7]), (OLD * np.inf, OLD), (OLD, OLD * np.nan)])
def test_maps_that_cannot_be_compared_are_refused(places: np.ndarray, onto: np.ndarray) -> None:
    with pytest.raises(InputError, match="places must be"):
        align(places, onto)


# --- the real process ----------------------------------------------------------------------------------------


def test_a_refit_lays_codes_out_tells_how_far_it_is_and_turns_them_towards_the_old_map() -> None:
    seen: list[JobState] = []
    scale = np.array([1, 0.1, 0.1, 0.1], np.float32)
    with prepare_refit(
        CODES, scale, UmapSettings(n_neighbors=10, metric="manhattan"), initial=OLD, onto=OLD
    ).start() as job:
        wait_until(lambda: seen.append(job.state()) or seen[-1].ended)  # type: ignore[func-returns-value]
        assert seen[-1] == JobState("done", 1.0, "done")
        places = job.result()
    phases = [state.phase for state in seen]
    assert sorted(set(phases), key=phases.index) == ["starting", "neighbours", "layout", "done"]
    shares = [state.share for state in seen]
    assert shares == sorted(shares)
    assert len(set(shares)) > 10, "the layout moves"
    assert any("of 500" in state.message for state in seen)
    assert places.shape == (COUNT, 2)
    assert places.dtype == np.float32
    within = max(np.ptp(group, axis=0).max() for group in (places[: COUNT // 2], places[COUNT // 2 :]))
    between = np.linalg.norm(places[: COUNT // 2].mean(axis=0) - places[COUNT // 2 :].mean(axis=0))
    assert between > within
    np.testing.assert_allclose(places.mean(axis=0), OLD.mean(axis=0), atol=1e-3)
    assert job._process is not None
    assert job._process.returncode is not None, "no process is left"


def test_a_process_that_nobody_listens_to_ends_by_itself() -> None:
    task = refit._pack(CODES, UmapSettings(), None)
    with start_process(refit.COMMAND) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.communicate(task, timeout=SECONDS)
        assert process.returncode == 0


# --- ends ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "manner"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "signal 9"),
        ("sys.exit(3)", "exit status 3"),
        ("print('{\"done\": 5, \"epo', end='', flush=True); os._exit(0)", "exit status 0"),
    ],
    ids=["killed", "ended", "while it wrote"],
)
def test_a_process_that_dies_is_a_failure(process_that: Callable[[str], None], code: str, manner: str) -> None:
    process_that(code)
    with start() as job:
        state = ended(job)
        assert state.phase == "failed"
        assert f"ended by itself ({manner})" in state.message
        with pytest.raises(VAEExplorerError, match="ended by itself"):
            job.result()


def test_a_process_that_dies_before_it_has_read_its_task_is_a_failure(
    process_that: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    process_that("")
    monkeypatch.setattr(refit, "COMMAND", [sys.executable, "-c", "import os; os._exit(4)"])
    many = np.tile(CODES, (2_000, 1))  # more than a pipe holds
    with prepare_refit(many, ONES, UmapSettings()).start() as job:
        assert "exit status 4" in ended(job).message


def test_a_program_that_cannot_be_started_is_a_failure(
    process_that: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    process_that("")
    monkeypatch.setattr(refit, "COMMAND", ["no-such-program"])
    with start() as job:
        assert ended(job).phase == "failed"


def test_what_the_process_cannot_fit_is_told_in_its_words(process_that: Callable[[str], None]) -> None:
    process_that("print(json.dumps({'failed': 'it cannot be'}))")
    with start() as job:
        assert ended(job) == JobState("failed", 0.0, "it cannot be")


def test_news_become_states_and_places_come_back_to_the_last_bit(process_that: Callable[[str], None]) -> None:
    process_that(f"print('{{}}'); print(json.dumps({{'places': {OLD.tolist()}}})); time.sleep(600)")
    with start() as job:
        assert ended(job).phase == "done"
        assert np.array_equal(job.result(), OLD)
    process_that("print(json.dumps({'done': 250, 'epochs': 500}), flush=True); time.sleep(600)")
    with start() as job:
        wait_until(lambda: job.state().phase == "layout")
        assert job.state() == JobState("layout", 0.75, "laying the map out: epoch 250 of 500")


def test_the_process_gets_the_codes_as_they_are_compared(process_that: Callable[[str], None]) -> None:
    process_that(
        "import io, numpy; codes = numpy.load(io.BytesIO(task))['codes']; "
        "print(json.dumps({'places': codes[:, 2:].tolist()}))"
    )
    scale = np.array([1, 2, 3, 4], np.float32)
    for scaled, expected in ((True, CODES * scale), (False, CODES)):
        with prepare_refit(CODES, scale, UmapSettings(scaled=scaled)).start() as job:
            assert ended(job).phase == "done"
            assert np.array_equal(job.result(), expected[:, 2:])


def test_the_process_computes_with_one_thread(process_that: Callable[[str], None]) -> None:
    process_that("print(json.dumps({'failed': os.environ['OMP_NUM_THREADS'] + os.environ['NUMBA_NUM_THREADS']}))")
    with start() as job:
        assert ended(job).message == "11"


def test_a_stop_ends_the_process_at_once(process_that: Callable[[str], None]) -> None:
    process_that("print('{}', flush=True); time.sleep(600)")
    with start() as job:
        wait_until(lambda: job.state().phase == "neighbours")
        with pytest.raises(BusyError, match="neighbours"):
            job.result()
        job.stop()
        assert job.state() == JobState("stopped", refit.NEIGHBOURS_FROM, "stopped")
        process = job._process
        assert process is not None
        wait_until(lambda: process.returncode is not None)
    assert process.stdout is not None
    assert process.stdout.closed
    with pytest.raises(VAEExplorerError, match="stopped"):
        job.result()
