"""Jobs in the background of a page: their limits, their end, and the routes by which a page asks for them."""

import base64
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.live.downloads import safe_name
from app.live.routes import live_routes
from app.queries import map_jobs
from app.services import jobs as jobs_module
from app.services.jobs import KEPT, MAX_JOBS, MAX_RUNNING, MAX_WORKING, Jobs
from app.services.refits import refits
from tests.app.conftest import Store, sentence_of
from vae_core.errors import BusyError, InputError, VAEExplorerError
from vae_core.inference.engine import engine
from vae_core.inference.loaded import LoadedModel
from vae_core.inference.training_codes import encode_training, load_training_images
from vae_core.models.config import TrainingConfig
from vae_core.projection.refit_settings import UmapSettings
from vae_core.runtime.jobs import BackgroundJob
from vae_core.runtime.locations import HOME_VARIABLE
from vae_core.store.stored_models import REFERENCE_FILE

SECONDS = 200  # until a job of a test has long ended
PATIENCE = 500  # the same where umap-learn is compiled first, at the lowest priority: ten seconds on a quiet machine


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Work(BackgroundJob[str]):
    """A job that ends when it is told to, or fails with a sentence."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__("work")
        self.go_on, self.error = threading.Event(), error

    def _work(self) -> str | None:
        self._say("encoding", 0.25, "working")
        self.go_on.wait()
        if self.error:
            raise self.error
        return "made"

    def _interrupt(self) -> None:
        self.go_on.set()

    def finish(self) -> None:
        self.go_on.set()
        self._thread.join()


class Busy(Work):
    """A job that is in the middle of a long step when it is stopped."""

    def _interrupt(self) -> None:
        """Nothing ends it."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(clock: Clock) -> Iterator[Jobs]:
    made = Jobs(clock)
    yield made
    made.close()


def begin(kept: Jobs, kind: jobs_module.JobKind = "export", error: Exception | None = None) -> tuple[str, Work]:
    work = Work(error)
    return kept.begin(kind, work.start, str.upper), work


# -- a job's life --------------------------------------------------------------------------------------------------


def test_a_job_is_reached_by_its_id_alone_until_it_is_done(kept: Jobs):
    name, work = begin(kept)
    other, _ = begin(kept)
    assert name != other
    assert len(name) >= 32, "nobody guesses it"
    with pytest.raises(BusyError, match="ask again later"):
        kept.result(name)
    work.finish()
    state = kept.state(name)
    assert state is not None
    assert (state.phase, state.share) == ("done", 1)
    assert [kept.result(name) for _ in range(2)] == ["MADE", "MADE"], "presented, as often as it is asked for"
    for unknown in ("", name[:-1], other[::-1]):
        assert (kept.state(unknown), kept.stop(unknown), kept.result(unknown)) == (None, None, None)


def test_a_stopped_job_says_so_and_has_no_result(kept: Jobs):
    name, work = begin(kept)
    state = kept.stop(name)
    assert state is not None
    assert state.phase == "stopped"
    work._thread.join()
    with pytest.raises(VAEExplorerError, match="stopped"):
        kept.result(name)


def test_a_failed_job_says_its_reason(kept: Jobs):
    name, work = begin(kept, error=InputError("choose other codes."))
    work.finish()
    state = kept.state(name)
    assert state is not None
    assert (state.phase, state.message) == ("failed", "choose other codes.")
    with pytest.raises(VAEExplorerError, match="choose other codes"):
        kept.result(name)


def test_a_stop_after_the_end_leaves_the_result(kept: Jobs):
    name, work = begin(kept)
    work.finish()
    kept.stop(name)
    assert kept.result(name) == "MADE"


# -- limits --------------------------------------------------------------------------------------------------------


def test_two_of_a_kind_run_at_a_time(kept: Jobs):
    running = [begin(kept)[1] for _ in range(MAX_RUNNING)]
    started = []
    with pytest.raises(BusyError, match=f"at most {MAX_RUNNING} jobs of a kind"):
        kept.begin("export", lambda: started.append(1) or Work().start(), str)
    assert not started, "it is refused before it begins"
    begin(kept, "refit")
    running[0].finish()
    begin(kept)


def finished(kept: Jobs) -> str:
    """A job with a result."""
    name, work = begin(kept)
    work.finish()
    return name


def fill(kept: Jobs) -> list[str]:
    """As many results as are kept."""
    return [finished(kept) for _ in range(MAX_JOBS)]


def test_results_that_nobody_fetched_are_not_pushed_out(kept: Jobs):
    names = fill(kept)
    with pytest.raises(BusyError, match=f"at most {MAX_JOBS} jobs"):
        begin(kept)
    assert [kept.result(name) for name in names] == ["MADE"] * MAX_JOBS


def test_a_fetched_result_gives_way_to_a_new_job(kept: Jobs):
    names = fill(kept)
    kept.result(names[7])
    new, _ = begin(kept)
    assert [name for name in names if kept.state(name) is None] == [names[7]]
    assert kept.state(new) is not None


def test_stopped_and_failed_jobs_give_way(kept: Jobs):
    first, work = begin(kept)
    kept.stop(first)
    second, work = begin(kept, error=InputError("no."))
    work.finish()
    for _ in range(MAX_JOBS - 2):
        begin(kept)[1].finish()
    begin(kept)[1].finish()
    begin(kept)[1].finish()
    assert (kept.state(first), kept.state(second)) == (None, None)
    with pytest.raises(BusyError):
        begin(kept)


StopBusy = Callable[[], tuple[str, Busy]]


@pytest.fixture
def stop_busy(kept: Jobs) -> Iterator[StopBusy]:
    """Begin a job and stop it, while its thread goes on."""
    made = []

    def stop_busy() -> tuple[str, Busy]:
        made.append(work := Busy())
        name = kept.begin("training", work.start, str)
        kept.stop(name)
        return name, work

    yield stop_busy
    for work in made:
        work.finish()


def test_who_stops_and_begins_again_is_let_in_but_not_without_end(kept: Jobs, stop_busy: StopBusy):
    stopped = [stop_busy()[1] for _ in range(MAX_WORKING)]
    started = []
    with pytest.raises(BusyError, match=f"those that were stopped .* {MAX_WORKING} of kind training are; try again in"):
        kept.begin("training", lambda: started.append(1) or Work().start(), str)
    assert not started, "it is refused before it begins"
    begin(kept, "export")
    stopped[0].finish()
    begin(kept, "training")


def test_what_still_works_does_not_give_way_and_is_not_forgotten(kept: Jobs, clock: Clock, stop_busy: StopBusy):
    name, work = stop_busy()
    for fetched in [finished(kept) for _ in range(MAX_JOBS - 1)]:
        kept.result(fetched)
    finished(kept)  # in place of a fetched one
    assert kept.state(name) is not None
    clock.now += KEPT
    assert kept.state(name) is not None
    work.finish()
    assert kept.state(name) is None


# -- time ----------------------------------------------------------------------------------------------------------


def test_a_result_is_kept_ten_minutes_from_the_jobs_end(kept: Jobs, clock: Clock):
    assert KEPT == 600
    name, work = begin(kept)
    clock.now += 2 * KEPT  # while it runs
    assert kept.state(name) is not None
    work.finish()
    kept.state(name)
    clock.now += KEPT - 1
    assert kept.result(name) == "MADE"
    clock.now += 1
    assert (kept.state(name), kept.result(name)) == (None, None)


def test_what_nobody_asks_for_goes_by_itself(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jobs_module, "SWEEP_EVERY", 0.01)
    kept, gone = Jobs(clock), threading.Event()
    name, work = begin(kept)
    work.finish()
    for _ in range(500):
        clock.now += KEPT / 10
        if not kept._entries:
            break
        gone.wait(0.01)
    assert not kept._entries
    assert kept.state(name) is None
    kept.close()


def test_closing_ends_everything(kept: Jobs):
    works = [begin(kept, kind)[1] for kind in ("export", "export", "refit", "training")]
    kept.close()
    assert all(not work._thread.is_alive() for work in works)
    assert all(work.state().phase == "stopped" for work in works)
    begin(kept)  # and a new one may begin


def test_the_process_has_one_list():
    assert jobs_module.jobs() is jobs_module.jobs()


SCRIPT = """
import numpy as np
from app.services.exports import Export, Order
from app.services.jobs import jobs
jobs()  # as when a page asks for an old job first of all
from vae_core.inference.engine import engine
loaded = engine().load("tiny")
order = Order(np.zeros((4000, 3), np.float32), "mp4", 60.0, 4, True, np.empty(0, int))
name = jobs().begin("export", lambda: Export(engine(), loaded, order).start(), bytes)
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


# -- routes --------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(kept: Jobs, tiny: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A page's requests, with jobs of the test's own."""
    monkeypatch.setattr(jobs_module, "_cached_jobs", lambda: kept)
    with TestClient(Starlette(routes=live_routes(""))) as client:
        yield client


def export(client: TestClient, count: int = 3, **body: object) -> Any:
    """The answer to the question for an export."""
    codes = base64.b64encode(np.zeros((count, 3), "<f4").tobytes()).decode()
    asked = {"codes": codes, "format": "gif", "fps": 25, "scale": 2, "loop": True, "name": "my way", **body}
    return client.post("/live/models/tiny/ask/export", json=asked)


def wait_for(client: TestClient, name: str, seconds: int = SECONDS) -> dict[str, Any]:
    """How the job ended."""
    for _ in range(seconds * 20):
        answer = client.get(f"/live/jobs/{name}")
        assert answer.headers["cache-control"] == "no-store"
        state: dict[str, Any] = answer.json()
        assert list(state) == ["phase", "share", "message"]
        if state["phase"] in ("done", "failed", "stopped"):
            return state
        time.sleep(0.05)
    pytest.fail(f"the job is still {state}")


@pytest.mark.parametrize("ending", ["gif", "webp", "mp4", "png", "npz"])
def test_a_page_exports_and_fetches_a_file(client: TestClient, ending: str):
    answer = export(client, format={"png": "strip"}.get(ending, ending))
    assert answer.status_code == 200
    name = answer.json()["job"]
    assert wait_for(client, name) == {"phase": "done", "share": 1.0, "message": "done"}
    for _ in range(2):
        answer = client.get(f"/live/jobs/{name}/result")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f'attachment; filename="my-way.{ending}"'
        assert answer.headers["content-type"].split("/")[0] in ("image", "video", "application")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    if ending in ("gif", "webp", "png"):
        with Image.open(BytesIO(answer.content)) as picture:
            assert picture.size[1] == 16
    elif ending == "npz":
        with np.load(BytesIO(answer.content)) as stored:
            assert stored["codes"].shape == (3, 3)
    else:
        assert answer.content[4:8] == b"ftyp"


def test_a_page_stops_a_job(client: TestClient, kept: Jobs):
    name, work = begin(kept)
    answer = client.get(f"/live/jobs/{name}/result")
    assert answer.status_code == 503
    assert "ask again later" in sentence_of(answer, "busy")
    answer = client.post(f"/live/jobs/{name}/stop")
    assert (answer.status_code, answer.json()["phase"]) == (200, "stopped")
    work._thread.join()
    answer = client.get(f"/live/jobs/{name}/result")
    assert answer.status_code == 400
    assert "stopped" in sentence_of(answer, "error")


def test_a_failed_jobs_reason_comes_instead_of_its_result(client: TestClient, kept: Jobs):
    name, work = begin(kept, error=InputError("choose other codes."))
    work.finish()
    assert wait_for(client, name)["message"] == "choose other codes."
    answer = client.get(f"/live/jobs/{name}/result")
    assert answer.status_code == 400
    assert "choose other codes" in sentence_of(answer, "error")


@pytest.mark.parametrize("name", ["nobody", "x" * 5000, "%2e%2e", "é"])
def test_an_unknown_id_is_not_found(client: TestClient, kept: Jobs, name: str):
    begin(kept)
    assert "start it again" in sentence_of(client.get(f"/live/jobs/{name}"), "gone")
    assert client.get(f"/live/jobs/{name}").status_code == 404
    assert client.get(f"/live/jobs/{name}/result").status_code == 404
    assert client.post(f"/live/jobs/{name}/stop").status_code == 404


def test_an_old_result_is_not_found(client: TestClient, clock: Clock):
    name = export(client).json()["job"]
    wait_for(client, name)
    clock.now += KEPT
    assert client.get(f"/live/jobs/{name}").status_code == 404
    assert client.get(f"/live/jobs/{name}/result").status_code == 404


def test_a_stop_is_posted(client: TestClient, kept: Jobs):
    name, _ = begin(kept)
    assert client.get(f"/live/jobs/{name}/stop").status_code == 405
    assert client.post(f"/live/jobs/{name}").status_code == 405
    state = kept.state(name)
    assert state is not None
    assert state.phase != "stopped"


def test_other_origins_are_refused(client: TestClient, kept: Jobs):
    name, _ = begin(kept)
    other, own = {"origin": "http://other.example"}, {"origin": "http://testserver"}
    assert client.post(f"/live/jobs/{name}/stop", headers=other).status_code == 403
    assert client.get(f"/live/jobs/{name}", headers=other).status_code == 403
    assert client.get(f"/live/jobs/{name}/result", headers=other).status_code == 403
    assert client.get(f"/live/jobs/{name}", headers=own).json()["phase"] == "encoding"
    assert client.post(f"/live/jobs/{name}/stop", headers=own).json()["phase"] == "stopped"


def test_too_many_jobs_get_a_sentence(client: TestClient, kept: Jobs):
    for _ in range(MAX_RUNNING):
        begin(kept)
    answer = export(client)
    assert answer.status_code == 503
    assert f"at most {MAX_RUNNING} jobs of a kind" in sentence_of(answer, "busy")


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("From 3 to 8.gif", "From-3-to-8.gif"),
        ("a_b-c.npz", "a_b-c.npz"),
        ("../../etc/passwd.gif", "etc-passwd.gif"),
        ("C:\\x\\y.z.webp", "C-x-y-z.webp"),
        ('a"; filename="b.exe.gif', "a-filename-b-exe.gif"),
        ("line\r\nSet-Cookie: x.gif", "line-Set-Cookie-x.gif"),
        ("Ä né ﬁ.gif", "A-ne-fi.gif"),
        ("\u202egif.exe\0.gif", "gif-exe.gif"),
        ("♥.gif", "vae-explorer.gif"),
        (".gif", "vae-explorer.gif"),
        ("-.gif", "vae-explorer.gif"),
        ("x" * 500 + ".gif", "x" * 64 + ".gif"),
    ],
)
def test_of_a_name_only_letters_digits_dashes_and_underscores_survive(given: str, safe: str):
    assert safe_name(given) == safe


def test_a_name_is_data(client: TestClient):
    name = export(client, name='../"\r\nX: ü').json()["job"]
    wait_for(client, name)
    answer = client.get(f"/live/jobs/{name}/result")
    assert answer.headers["content-disposition"] == 'attachment; filename="X-u.gif"'
    assert "x" not in answer.headers


# -- maps ----------------------------------------------------------------------------------------------------------

SETTINGS = {"neighbors": 7, "minDist": 0.25, "metric": "cosine", "deviations": False, "seed": 3}


class Fit(BackgroundJob[np.ndarray]):
    """Stands in for a fit: every reference at one place."""

    def __init__(self, count: int) -> None:
        super().__init__("fit")
        self.count = count

    def _work(self) -> np.ndarray:
        return np.full((self.count, 2), 0.5, np.float32)


def test_a_refit_takes_the_pages_settings(client: TestClient, tiny: LoadedModel, monkeypatch: pytest.MonkeyPatch):
    asked: list[Any] = []

    def start(codes: np.ndarray, scale: np.ndarray, settings: UmapSettings, *, onto: np.ndarray) -> Fit:
        asked.extend([codes, scale, settings, onto])
        return Fit(len(codes)).start()

    monkeypatch.setattr(map_jobs, "start_refit", start)
    answer = client.post("/live/models/tiny/ask/refit", json=SETTINGS)
    assert answer.status_code == 200
    name = answer.json()["job"]
    assert wait_for(client, name)["phase"] == "done"
    result = client.get(f"/live/jobs/{name}/result")
    assert result.headers["content-type"] == "application/json"
    places = np.frombuffer(base64.b64decode(result.json()["places"]), "<f4").reshape(-1, 2)
    reference = tiny.need_reference()
    np.testing.assert_array_equal(refits().find(tiny, result.json()["number"]).places, places)
    np.testing.assert_array_equal(places, np.full((len(reference), 2), 0.5))
    codes, scale, settings, onto = asked
    np.testing.assert_array_equal(codes, reference.means)
    np.testing.assert_array_equal(scale, reference.scale)
    np.testing.assert_array_equal(onto, reference.umap_places)
    assert settings == UmapSettings(n_neighbors=7, min_dist=0.25, metric="cosine", scaled=False, seed=3)


@pytest.mark.timeout(PATIENCE + 60)
def test_a_real_refit_places_every_reference(client: TestClient, tiny: LoadedModel):
    answer = client.post("/live/models/tiny/ask/refit", json=SETTINGS)
    name = answer.json()["job"]
    assert wait_for(client, name, PATIENCE)["phase"] == "done"
    result = client.get(f"/live/jobs/{name}/result").json()
    places = np.frombuffer(base64.b64decode(result["places"]), "<f4").reshape(-1, 2)
    old = tiny.need_reference().umap_places
    assert places.shape == old.shape
    assert len(np.unique(places, axis=0)) == len(old)
    np.testing.assert_allclose(places.mean(axis=0), old.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(places - places.mean(axis=0)), np.linalg.norm(old - old.mean(axis=0)))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"neighbors": 1}, "n_neighbors must be 2 to 200, got 1"),
        ({"minDist": 1}, "min_dist must be 0 to 0.99, got 1"),
        ({"metric": "x"}, "the metric must be one of"),
        ({"seed": -1}, "the seed must be 0 to"),
        ({"deviations": 1}, "deviations"),
        ({"neighbors": 7.5}, "neighbors"),
    ],
)
def test_a_wrong_refit_gets_a_sentence(client: TestClient, kept: Jobs, body: dict[str, object], text: str):
    answer = client.post("/live/models/tiny/ask/refit", json=SETTINGS | body)
    assert answer.status_code == 400
    assert text in sentence_of(answer, "input")
    assert not kept._entries


def test_a_model_without_reference_set_has_no_map_to_fit(client: TestClient, store: Store):
    store("bare", with_reference=False)
    answer = client.post("/live/models/bare/ask/refit", json=SETTINGS)
    assert answer.status_code == 400
    assert "bare has no reference set" in sentence_of(answer, "model")


# -- training images -----------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everybody's own folder."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def ask_training(client: TestClient, model: str) -> str:
    answer = client.post(f"/live/models/{model}/ask/training", json={})
    assert answer.status_code == 200
    name: str = answer.json()["job"]
    return name


def test_training_images_come_as_codes_with_their_places_and_labels(
    client: TestClient, store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
):
    loaded = store("digits", height=28, width=28, training=TrainingConfig(dataset="digits"))
    replace(loaded.need_reference(), label_names=tuple("0123456789")).save(loaded.folder / REFERENCE_FILE)
    loaded = engine().load("digits")
    expected = encode_training(loaded, load_training_images(loaded.config))
    assert expected is not None
    for attempt in ("encoded", "read from what is kept"):
        name = ask_training(client, "digits")
        assert wait_for(client, name)["phase"] == "done", attempt
        result = client.get(f"/live/jobs/{name}/result").json()
        arrays = {part: base64.b64decode(text) for part, text in result.items()}
        np.testing.assert_array_equal(np.frombuffer(arrays["umap"], "<f4").reshape(-1, 2), expected.places)
        on_plane = loaded.need_reference().pca_map.place(expected.codes)
        np.testing.assert_array_equal(np.frombuffer(arrays["pca"], "<f4").reshape(-1, 2), on_plane.astype(np.float32))
        np.testing.assert_array_equal(np.frombuffer(arrays["labels"], "<i4"), expected.labels)
        np.testing.assert_array_equal(np.frombuffer(arrays["codes"], "<f2").reshape(-1, 3), expected.codes)
        np.testing.assert_array_equal(np.frombuffer(arrays["trained"], "u1"), expected.trained)
        monkeypatch.setattr("vae_core.inference.training_codes.load_training_images", None)
    assert len(expected.codes) > 1000


def test_where_no_training_images_are_the_job_says_so(client: TestClient, home: Path):
    name = ask_training(client, "tiny")
    state = wait_for(client, name)
    assert state["phase"] == "failed"
    assert "training images must be on this machine" in state["message"]


def test_a_model_without_a_map_has_no_place_for_training_images(client: TestClient, store: Store):
    store("bare", with_reference=False)
    answer = client.post("/live/models/bare/ask/training", json={})
    assert answer.status_code == 400
    assert "bare has no reference set" in sentence_of(answer, "model")
