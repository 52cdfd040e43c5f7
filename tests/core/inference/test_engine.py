"""The engine: right answers from many threads at once, bounded queues, and figures that company does not change."""

import gc
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.app.conftest import Store
from tests.core.inference.lanes import PATIENCE, counting_rows, counting_submissions, held
from vae_core.errors import BusyError, ConfigError, InputError, InternalError, ModelError
from vae_core.images.preparation_options import Preparation
from vae_core.inference import engine as module
from vae_core.inference.engine import BULK_ROWS, LIVE_ROWS, Engine
from vae_core.models.config import ModelConfig
from vae_core.models.spec import spec_of
from vae_core.models.vae import CONFIG_FILE, VAE, WEIGHTS_FILE
from vae_core.projection.projections import fit_pca
from vae_core.reference.reference_set import Reference
from vae_core.runtime.lanes import Lane
from vae_core.store.identity import weights_digest
from vae_core.store.opening import StoredModel, load_model, open_stored_model
from vae_core.store.stored_models import REFERENCE_FILE, save_model

THREADS = 8


@pytest.fixture
def engine(models_dir: Path) -> Engine:
    """An engine of its own for each test, with the tiny model in reach."""
    return Engine()


def codes(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 3)).astype(np.float32)


def pictures(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


# --- answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("live", [True, False])
def test_decoding_gives_what_the_model_gives(engine: Engine, live: bool) -> None:
    z = codes(5)
    with torch.inference_mode():
        expected = load_model("tiny").decode(torch.from_numpy(z))
    assert torch.allclose(engine.decode(engine.load("tiny"), z, live=live), expected, atol=1e-6)


def test_encoding_gives_what_the_model_gives(engine: Engine) -> None:
    images = pictures(5)
    with torch.inference_mode():
        expected = load_model("tiny").encode(images)
    posterior = engine.encode(engine.load("tiny"), images)
    assert torch.allclose(posterior.mean, expected.mean, atol=1e-6)
    assert torch.allclose(posterior.logvar, expected.logvar, atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, LIVE_ROWS, LIVE_ROWS + 1, BULK_ROWS, BULK_ROWS + 1, 3 * BULK_ROWS + 7])
@pytest.mark.parametrize("live", [True, False])
def test_a_request_may_have_any_number_of_rows(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, count: int, live: bool
) -> None:
    z = codes(count)
    with torch.inference_mode():
        expected = load_model("tiny").decode(torch.from_numpy(z))
    calls = counting_rows(engine.load("tiny").network, "decode", monkeypatch)
    images = engine.decode(engine.load("tiny"), z, live=live)
    assert images.shape == (count, 1, 8, 8)
    assert torch.allclose(images, expected, atol=1e-6)
    assert max(calls) <= (LIVE_ROWS if live else BULK_ROWS)


def test_the_caller_may_write_to_its_codes_while_they_wait(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    z = codes(1)
    expected = engine.decode(engine.load("tiny"), z)
    wait_for = counting_submissions(engine.bulk, monkeypatch)
    with ThreadPoolExecutor(1) as pool, held(engine.bulk):
        future = pool.submit(engine.decode, engine.load("tiny"), z)
        wait_for(2)  # the gate's and this one
        z[:] = 99
    assert torch.equal(future.result(PATIENCE), expected)


# --- many threads --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "rows", "calls"),
    [
        (False, 1, [8]),
        (False, 3, [24]),
        (False, 20, [60, 60, 40]),
        (True, 1, [8]),
        (True, 3, [6, 6, 6, 6]),
    ],
)
def test_requests_that_wait_together_run_together(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, live: bool, rows: int, calls: list[int]
) -> None:
    requests = [codes(rows, seed) for seed in range(THREADS)]
    expected = [engine.decode(engine.load("tiny"), z) for z in requests]
    made = counting_rows(engine.load("tiny").network, "decode", monkeypatch)
    lane = engine.live if live else engine.bulk
    wait_for = counting_submissions(lane, monkeypatch)
    with ThreadPoolExecutor(THREADS) as pool:
        with held(lane):
            futures = [pool.submit(engine.decode, engine.load("tiny"), z, live=live) for z in requests]
            wait_for(1 + THREADS)  # the gate's and the threads'
        results = [future.result(PATIENCE) for future in futures]
    for got, alone in zip(results, expected, strict=True):
        assert torch.allclose(got, alone, atol=1e-6)
    assert made == calls


def test_threads_that_hammer_both_lanes_and_two_models_get_their_own_answers(
    engine: Engine, models_dir: Path, tiny_config: ModelConfig
) -> None:
    save_model(VAE.build_seeded(replace(tiny_config, latent_dim=2), seed=7), models_dir / "other")
    sizes = {"tiny": 3, "other": 2}
    start = threading.Barrier(THREADS)

    def worker(seed: int) -> list[tuple[str, np.ndarray, Tensor]]:
        generator, answers = np.random.default_rng(seed), []
        start.wait(PATIENCE)
        for turn in range(25):
            name = ("tiny", "other")[(turn + seed) % 2]
            z = generator.standard_normal((1 + turn % 4, sizes[name])).astype(np.float32)
            answers.append((name, z, engine.decode(engine.load(name), z, live=bool(turn % 3))))
        return answers

    with ThreadPoolExecutor(THREADS) as pool:
        answers = [answer for part in pool.map(worker, range(THREADS)) for answer in part]
    models = {name: load_model(name) for name in sizes}
    for name, z, got in answers:
        with torch.inference_mode():
            assert torch.allclose(got, models[name].decode(torch.from_numpy(z)), atol=1e-6)


def test_live_requests_do_not_wait_behind_a_page_s(engine: Engine) -> None:
    with held(engine.bulk), ThreadPoolExecutor(1) as pool:
        assert pool.submit(engine.decode, engine.load("tiny"), codes(1), live=True).result(PATIENCE).shape == (
            1,
            1,
            8,
            8,
        )


def test_each_lane_computes_with_its_own_number_of_threads() -> None:
    for lane in (Lane("one", max_rows=8, torch_threads=3), Lane("other", max_rows=8, torch_threads=3)):
        with held(lane):
            torch.set_num_threads(1)  # as a training that starts in another thread might
            counted = lane.submit(("a", "b"), lambda rows: rows * 0 + torch.get_num_threads(), torch.zeros(1, 1))
        assert counted.result(PATIENCE).item() == 3
    assert torch.get_num_threads() == 1


def test_a_process_has_one_engine_however_many_threads_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    module._cached_engine.cache_clear()
    start, second = threading.Barrier(THREADS), threading.Event()

    class SlowEngine(Engine):
        def __init__(self) -> None:
            second.wait(0.05)  # set by nobody: lets the other threads arrive
            super().__init__()

    monkeypatch.setattr(module, "Engine", SlowEngine)

    def first() -> Engine:
        start.wait(PATIENCE)
        return module.engine()

    with ThreadPoolExecutor(THREADS) as pool:
        engines = {id(future.result(PATIENCE)) for future in [pool.submit(first) for _ in range(THREADS)]}
    module._cached_engine.cache_clear()
    assert len(engines) == 1


def test_closing_answers_what_waits_and_ends_both_threads(engine: Engine) -> None:
    with held(engine.bulk):
        waiting = engine.bulk.submit(("good", "good"), lambda rows: rows + 1, torch.zeros(1, 3))
    engine.close()
    assert waiting.result(0).tolist() == [[1, 1, 1]]
    assert not engine.live.thread.is_alive()
    assert not engine.bulk.thread.is_alive()


# --- trouble -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_codes_that_are_not_finite_are_refused(engine: Engine, value: float) -> None:
    z = codes(2).astype(np.float64)  # 1e39 is finite here, but not as the network's float32
    z[1, 2] = value
    with pytest.raises(InputError, match="finite"):
        engine.decode(engine.load("tiny"), z)


@pytest.mark.parametrize("latent", [1, 2, 4])
def test_codes_of_another_size_are_refused(engine: Engine, latent: int) -> None:
    with pytest.raises(InputError, match=rf"z must be \[n, 3\], got \[2, {latent}\]"):
        engine.decode(engine.load("tiny"), np.zeros((2, latent), np.float32))


def test_an_image_of_another_shape_is_refused_and_harms_nobody_else(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = pictures(2)
    expected = engine.encode(engine.load("tiny"), images).mean
    wait_for = counting_submissions(engine.bulk, monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        with held(engine.bulk):
            future = pool.submit(engine.encode, engine.load("tiny"), images)
            wait_for(2)
            with pytest.raises(InputError, match=r"\[n, 1, 8, 8\], with values from 0 to 1, got \[1, 1, 8, 9\]"):
                engine.encode(engine.load("tiny"), torch.zeros(1, 1, 8, 9))
        assert torch.allclose(future.result(PATIENCE).mean, expected, atol=1e-6)


def test_a_full_queue_is_a_busy_error_and_empties_again(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, z = Engine(live=Lane("live", max_rows=LIVE_ROWS, max_waiting=2)), codes(1)
    wait_for = counting_submissions(engine.live, monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        with held(engine.live):
            waiting = [pool.submit(engine.decode, engine.load("tiny"), z, live=True) for _ in range(2)]
            wait_for(3)
            with pytest.raises(BusyError, match="2 requests wait already"):
                engine.decode(engine.load("tiny"), z, live=True)
            assert engine.decode(engine.load("tiny"), z).shape == (1, 1, 8, 8), "the other lane has room"
        for future in waiting:
            assert future.result(PATIENCE).shape == (1, 1, 8, 8)
    assert engine.decode(engine.load("tiny"), z, live=True).shape == (1, 1, 8, 8)


def broken(_rows: Tensor) -> Tensor:
    raise RuntimeError("broken")


@pytest.mark.parametrize("run", [broken, lambda rows: rows[:-1]], ids=["raises", "loses a row"])
def test_a_job_that_fails_does_not_take_its_lane_with_it(engine: Engine, run: Callable[[Tensor], Tensor]) -> None:
    for lane in (engine.live, engine.bulk):
        failed = lane.submit(("broken", "broken"), run, torch.zeros(2, 3))
        assert failed.exception(PATIENCE) is not None
    for live in (True, False):
        assert engine.decode(engine.load("tiny"), codes(1), live=live).shape == (1, 1, 8, 8)


def test_what_nobody_foresaw_is_logged_once_for_a_batch_and_told_by_a_number(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with held(engine.bulk):
        both = [engine.bulk.submit(("broken", "broken"), broken, torch.zeros(1, 3)) for _ in range(2)]
    first, second = (future.exception(PATIENCE) for future in both)
    assert isinstance(first, InternalError)
    assert str(first) == str(second)
    [record] = caplog.records
    assert record.getMessage().rpartition(" ")[2] in str(first)
    assert "RuntimeError: broken" in caplog.text


def test_what_a_batch_raises_on_purpose_reaches_those_who_wait(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_rows: Tensor) -> Tensor:
        raise InputError("the rule, got 3.")

    failed = engine.bulk.submit(("refusing", "refusing"), refuse, torch.zeros(1, 3))
    assert isinstance(failed.exception(PATIENCE), InputError)
    assert not caplog.records


def test_a_job_that_fails_does_not_harm_jobs_of_other_kinds(engine: Engine) -> None:
    with held(engine.bulk):
        failed = engine.bulk.submit(("broken", "broken"), broken, torch.zeros(1, 3))
        good = engine.bulk.submit(("good", "good"), lambda rows: rows + 1, torch.zeros(1, 3))
    assert isinstance(failed.exception(PATIENCE), InternalError)
    assert (good.result(PATIENCE) == 1).all()


def test_a_cancelled_job_is_passed_over(engine: Engine) -> None:
    with held(engine.bulk):
        given_up = engine.bulk.submit(("good", "good"), lambda rows: rows, torch.zeros(1, 3))
        kept = engine.bulk.submit(("good", "good"), lambda rows: rows + 1, torch.zeros(1, 3))
        assert given_up.cancel()
    assert (kept.result(PATIENCE) == 1).all()


# --- stored models -------------------------------------------------------------------------------------------


def make_newer(path: Path) -> None:
    """Clocks of file systems are coarse: two writes in a row may bear the same time."""
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1_000_000_000))


def test_a_model_is_opened_once(models_dir: Path) -> None:
    opened, start = [], threading.Barrier(THREADS)
    engine = Engine(open_model=lambda *arguments: opened.append(arguments) or open_stored_model(*arguments))

    def load() -> int:
        start.wait(PATIENCE)
        return id(engine.load("tiny"))

    with ThreadPoolExecutor(THREADS) as pool:
        loaded = {future.result(PATIENCE) for future in [pool.submit(load) for _ in range(THREADS)]}
    assert len(loaded) == len(opened) == 1


def test_a_loaded_model_says_what_it_is(
    engine: Engine, tiny_config: ModelConfig, tiny_reference: Reference, models_dir: Path
) -> None:
    loaded = engine.load("tiny")
    assert (loaded.name, loaded.folder, loaded.spec) == ("tiny", models_dir / "tiny", spec_of(tiny_config))
    assert np.array_equal(loaded.need_reference().means, tiny_reference.means)


def test_new_weights_are_taken_up(engine: Engine, models_dir: Path, tiny_config: ModelConfig) -> None:
    before, image = engine.load("tiny"), engine.decode(engine.load("tiny"), codes(1))
    save_model(VAE.build_seeded(tiny_config, seed=5), models_dir / "tiny")
    make_newer(models_dir / "tiny" / WEIGHTS_FILE)
    assert engine.load("tiny").digest != before.digest
    got = engine.decode(engine.load("tiny"), codes(1))
    assert not torch.allclose(got, image, atol=1e-3)
    with torch.inference_mode():
        assert torch.allclose(got, load_model("tiny").decode(torch.from_numpy(codes(1))), atol=1e-6)


def test_a_new_reference_set_is_taken_up(engine: Engine, models_dir: Path, tiny_reference: Reference) -> None:
    before = engine.load("tiny")
    replace(tiny_reference, means=tiny_reference.means + 1).save(models_dir / "tiny" / REFERENCE_FILE)
    make_newer(models_dir / "tiny" / REFERENCE_FILE)
    after = engine.load("tiny")
    assert after.reference_digest != before.reference_digest
    assert after.digest == before.digest, "the weights are the same"
    np.testing.assert_allclose(
        after.need_reference().means, before.need_reference().means + 1, atol=2e-3
    )  # stored halved


def test_a_new_configuration_is_taken_up(engine: Engine, models_dir: Path, tiny_config: ModelConfig) -> None:
    before, preparation = engine.load("tiny"), Preparation(fit="pad")
    save_model(VAE.build_seeded(replace(tiny_config, preparation=preparation), seed=0), models_dir / "new")
    (models_dir / "new" / CONFIG_FILE).replace(models_dir / "tiny" / CONFIG_FILE)
    make_newer(models_dir / "tiny" / CONFIG_FILE)
    after = engine.load("tiny")
    assert after.digest == before.digest, "the network computes the same"
    assert after.spec.preparation == preparation


def test_files_that_were_only_touched_leave_the_model_as_it_is(engine: Engine, models_dir: Path) -> None:
    before = engine.load("tiny")
    for name in (CONFIG_FILE, WEIGHTS_FILE, REFERENCE_FILE):
        make_newer(models_dir / "tiny" / name)
    assert engine.load("tiny") is before


def test_a_model_that_is_swapped_while_it_is_read_is_read_again(models_dir: Path, tiny_config: ModelConfig) -> None:
    swaps: list[str] = []

    def open_model(folder: Path, name: str) -> StoredModel:
        opened = open_stored_model(folder, name)
        if not swaps:
            swaps.append(name)
            save_model(VAE.build_seeded(tiny_config, seed=5), folder)
        return opened

    assert Engine(open_model=open_model).load("tiny").digest == weights_digest(models_dir / "tiny")


def test_a_removed_reference_set_is_missed_where_it_is_needed(engine: Engine, models_dir: Path) -> None:
    engine.load("tiny")
    (models_dir / "tiny" / REFERENCE_FILE).unlink()
    loaded = engine.load("tiny")
    assert loaded.reference is None
    with pytest.raises(ModelError, match="python -m vae_core evaluate tiny"):
        loaded.need_reference()


def test_a_damaged_model_is_refused_until_it_is_mended(engine: Engine, models_dir: Path) -> None:
    path = models_dir / "tiny" / CONFIG_FILE
    good = path.read_bytes()
    engine.load("tiny")
    path.write_bytes(b"{")
    with pytest.raises(ConfigError):
        engine.decode(engine.load("tiny"), codes(1))
    path.write_bytes(good)
    assert engine.decode(engine.load("tiny"), codes(1)).shape == (1, 1, 8, 8)


def test_a_reference_set_of_another_model_is_refused(
    engine: Engine, models_dir: Path, tiny_reference: Reference
) -> None:
    means = tiny_reference.means[:, :2]
    pca = fit_pca(means)
    parts = {
        "means": means,
        "logvars": means,
        "pca_mean": pca.mean,
        "pca_components": pca.components,
        "mixture_means": tiny_reference.mixture_means[:, :2],
        "mixture_factors": tiny_reference.mixture_factors[:, :2, :2],
        "dimension_names": tiny_reference.dimension_names[:2],
    }
    replace(tiny_reference, **parts).save(models_dir / "tiny" / REFERENCE_FILE)
    with pytest.raises(ModelError, match="codes of 2 dimensions, the model has 3"):
        engine.load("tiny")


def test_models_that_were_not_used_for_long_are_let_go_when_there_is_no_room(store: Store) -> None:
    sizes = [store(name).size for name in ("one", "two", "three")]
    engine = Engine(room=sum(sizes) - 1)
    one, two = engine.load("one"), weakref.ref(engine.load("two"))
    assert engine.room_left == sizes[2] - 1
    assert engine.load("one") is one
    three = engine.load("three")
    gc.collect()
    assert two() is None, "used longest ago"
    assert (engine.load("one"), engine.load("three")) == (one, three)


def test_a_model_that_was_let_go_works_for_who_holds_it(store: Store) -> None:
    store("one")
    store("two")
    engine = Engine(room=1)
    held = engine.load("one")
    engine.load("two")
    assert engine.decode(held, codes(1)).shape == (1, 1, 8, 8)
    again = engine.load("one")
    assert again is not held
    assert torch.equal(engine.decode(again, codes(1)), engine.decode(held, codes(1)))


def test_a_model_larger_than_the_room_is_kept_while_it_is_the_last(store: Store) -> None:
    store("one")
    engine = Engine(room=1)
    assert engine.load("one") is engine.load("one")
    assert engine.room_left < 0


def test_models_are_compared_and_hashed_as_the_things_that_they_are(engine: Engine, store: Store) -> None:
    store("one")
    one, tiny = engine.load("one"), engine.load("tiny")
    assert (one == one, one == tiny) == (True, False)
    assert len({one, tiny, one}) == 2


def test_an_unknown_model_is_refused(engine: Engine) -> None:
    with pytest.raises(ModelError, match="no model named 'none'"):
        engine.load("none")
