"""The routes by which a page asks for jobs: exports, maps and training images as it would."""

import base64
import time
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.live.downloads import safe_name
from app.live.routes import live_routes
from app.queries import map_jobs
from app.services import jobs as jobs_module
from app.services.jobs import Jobs
from app.services.refits import refits
from app.services.visitors import VISITOR_HEADER, visitors
from app.services.work import JobsLimits
from app.session.state import Session
from app.wire.protocol import RefitId
from tests.app.conftest import Store, sentence_of
from tests.app.services.background import Clock, Waiting, request
from vae_core.errors import InputError
from vae_core.inference.engine import engine
from vae_core.inference.training_codes import encode_training, load_training_images
from vae_core.models.config import TrainingConfig
from vae_core.projection.refit_settings import UmapSettings
from vae_core.runtime.jobs import BackgroundJob
from vae_core.runtime.locations import CACHE_VARIABLE
from vae_core.store.opening import StoredModel
from vae_core.store.stored_models import REFERENCE_FILE

SECONDS = 200  # until a job of a test has long ended
PATIENCE = 500  # the same where umap-learn is compiled first, at the lowest priority: ten seconds on a quiet machine


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(clock: Clock) -> Iterator[Jobs]:
    made = Jobs(clock)
    yield made
    made.close()


def begin(kept: Jobs, error: Exception | None = None) -> tuple[str, Waiting]:
    work = Waiting(error)
    name = kept.begin(request(work), "")
    assert work.is_at_work
    return name, work


# -- routes --------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(kept: Jobs, tiny: StoredModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A page's requests, with jobs of the test's own."""
    monkeypatch.setattr(jobs_module, "_cached_jobs", lambda: kept)
    with TestClient(Starlette(routes=live_routes(""))) as client:
        yield client


def export(
    client: TestClient, count: int = 3, headers: dict[str, str] | None = None, **body: object
) -> httpx2.Response:
    """The answer to the question for an export."""
    codes = base64.b64encode(np.zeros((count, 3), "<f4").tobytes()).decode()
    asked = {"codes": codes, "format": "gif", "fps": 25, "scale": 2, "loop": True, "name": "my way", **body}
    return client.post("/live/models/tiny/ask/export", json=asked, headers=headers)


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
    work.join()
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
    clock.now += JobsLimits().kept
    assert client.get(f"/live/jobs/{name}").status_code == 404
    assert client.get(f"/live/jobs/{name}/result").status_code == 404


def test_a_stop_is_posted(client: TestClient, kept: Jobs):
    name, _ = begin(kept)
    assert client.get(f"/live/jobs/{name}/stop").status_code == 405
    assert client.post(f"/live/jobs/{name}").status_code == 405
    assert kept.state(name).phase != "stopped"


def test_other_origins_are_refused(client: TestClient, kept: Jobs):
    name, _ = begin(kept)
    other, own = {"origin": "http://other.example"}, {"origin": "http://testserver"}
    assert client.post(f"/live/jobs/{name}/stop", headers=other).status_code == 403
    assert client.get(f"/live/jobs/{name}", headers=other).status_code == 403
    assert client.get(f"/live/jobs/{name}/result", headers=other).status_code == 403
    assert client.get(f"/live/jobs/{name}", headers=own).json()["phase"] == "encoding"
    assert client.post(f"/live/jobs/{name}/stop", headers=own).json()["phase"] == "stopped"


def fill_the_line(client: TestClient, headers: dict[str, str], scale: int) -> httpx2.Response:
    """Ask for as many different exports as one visitor may have under way, and one more."""
    own = JobsLimits().own
    answers = [export(client, 4_000, headers=headers, format="mp4", fps=fps, scale=scale) for fps in range(1, own + 2)]
    assert [answer.status_code for answer in answers[:-1]] == [200] * own
    return answers[-1]


def test_a_page_has_a_place_of_its_own(client: TestClient):
    memory = Session()
    visitors().welcome(memory.token, memory)
    full = f"at most {JobsLimits().own} jobs of kind export"
    assert full in sentence_of(fill_the_line(client, {}, 2), "busy")
    assert full in sentence_of(export(client, headers={VISITOR_HEADER: "made up"}), "busy")
    assert full in sentence_of(fill_the_line(client, {VISITOR_HEADER: memory.token}, 3), "busy")


def test_two_pages_that_export_the_same_share_the_work_and_keep_their_names(client: TestClient):
    first, second = (export(client, 1_000, format="mp4", name=name).json()["job"] for name in ("mine", "yours"))
    wait_for(client, first)
    assert client.get(f"/live/jobs/{second}").json()["phase"] == "done"
    files = [client.get(f"/live/jobs/{name}/result") for name in (first, second)]
    assert files[0].content == files[1].content
    assert ["mine" in files[0].headers["content-disposition"], "yours" in files[1].headers["content-disposition"]]


@pytest.mark.parametrize("other", [{"scale": 3}, {"loop": False}, {"fps": 20}, {"format": "webp"}, {"count": 4}])
def test_exports_that_differ_are_not_shared(client: TestClient, other: dict[str, Any]):
    plain = export(client).json()["job"]
    wait_for(client, plain)
    differing = export(client, **other).json()["job"]
    wait_for(client, differing)
    contents = [client.get(f"/live/jobs/{name}/result").content for name in (plain, differing)]
    assert contents[0] != contents[1]


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


def test_a_refit_takes_the_pages_settings(client: TestClient, tiny: StoredModel, monkeypatch: pytest.MonkeyPatch):
    asked: list[Any] = []

    def prepare(codes: np.ndarray, scale: np.ndarray, settings: UmapSettings, *, onto: np.ndarray) -> Fit:
        asked.extend([codes, scale, settings, onto])
        return Fit(len(codes))

    monkeypatch.setattr(map_jobs, "prepare_refit", prepare)
    answer = client.post("/live/models/tiny/ask/refit", json=SETTINGS)
    assert answer.status_code == 200
    name = answer.json()["job"]
    assert wait_for(client, name)["phase"] == "done"
    result = client.get(f"/live/jobs/{name}/result")
    assert result.headers["content-type"] == "application/json"
    places = np.frombuffer(base64.b64decode(result.json()["places"]), "<f4").reshape(-1, 2)
    reference = tiny.need_reference()
    np.testing.assert_array_equal(refits().find(tiny, RefitId(result.json()["number"])).places, places)
    np.testing.assert_array_equal(places, np.full((len(reference), 2), 0.5))
    codes, scale, settings, onto = asked
    np.testing.assert_array_equal(codes, reference.means)
    np.testing.assert_array_equal(scale, reference.scale)
    np.testing.assert_array_equal(onto, reference.umap_places)
    assert settings == UmapSettings(n_neighbors=7, min_dist=0.25, metric="cosine", scaled=False, seed=3)


@pytest.mark.timeout(PATIENCE + 60)
def test_a_real_refit_places_every_reference(client: TestClient, tiny: StoredModel):
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
        ({"neighbors": 1}, "n_neighbors must be a whole number from 2 to 200, got 1"),
        ({"minDist": 1}, "min_dist must be a finite number from 0 to 0.99, got 1"),
        ({"metric": "x"}, "metric must be euclidean, cosine, correlation or manhattan"),
        ({"seed": -1}, "seed must be a whole number from 0 to"),
        ({"deviations": 1}, "scaled must be true or false"),
        ({"neighbors": 7.5}, "neighbors"),
    ],
)
def test_a_wrong_refit_gets_a_sentence(client: TestClient, kept: Jobs, body: dict[str, object], text: str):
    answer = client.post("/live/models/tiny/ask/refit", json=SETTINGS | body)
    assert answer.status_code == 400
    assert text in sentence_of(answer, "input")
    assert not kept._tickets


def test_a_model_without_reference_set_has_no_map_to_fit(client: TestClient, store: Store):
    store("bare", with_reference=False)
    answer = client.post("/live/models/bare/ask/refit", json=SETTINGS)
    assert answer.status_code == 400
    assert "bare has no reference set" in sentence_of(answer, "model")


# -- training images -----------------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that does not exist yet."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def ask_training(client: TestClient, model: str) -> str:
    answer = client.post(f"/live/models/{model}/ask/training", json={})
    assert answer.status_code == 200
    name: str = answer.json()["job"]
    return name


def test_training_images_come_as_codes_with_their_places_and_labels(
    client: TestClient, store: Store, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    loaded = store("digits", height=28, width=28, training=TrainingConfig(dataset="digits"))
    replace(loaded.need_reference(), label_names=tuple("0123456789")).save(loaded.folder / REFERENCE_FILE)
    loaded = engine().load("digits")
    expected = encode_training(loaded, load_training_images(loaded.spec))
    assert expected is not None
    for attempt in ("encoded", "read from what is kept"):
        name = ask_training(client, "digits")
        assert wait_for(client, name)["phase"] == "done", attempt
        result = client.get(f"/live/jobs/{name}/result").json()
        arrays = {part: base64.b64decode(text) for part, text in result.items()}
        np.testing.assert_array_equal(np.frombuffer(arrays["umap"], "<f4").reshape(-1, 2), expected.places)
        on_plane = loaded.need_reference().pca_map.project(expected.codes)
        np.testing.assert_array_equal(np.frombuffer(arrays["pca"], "<f4").reshape(-1, 2), on_plane.astype(np.float32))
        np.testing.assert_array_equal(np.frombuffer(arrays["labels"], "<i4"), expected.labels)
        np.testing.assert_array_equal(np.frombuffer(arrays["codes"], "<f2").reshape(-1, 3), expected.codes)
        np.testing.assert_array_equal(np.frombuffer(arrays["trained"], "u1"), expected.trained)
        monkeypatch.setattr("vae_core.inference.training_codes.load_training_images", None)
    assert len(expected.codes) > 1000


def test_training_images_are_encoded_and_packed_once_for_a_class(
    client: TestClient, store: Store, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    loaded = store("digits", height=28, width=28, training=TrainingConfig(dataset="digits"))
    replace(loaded.need_reference(), label_names=tuple("0123456789")).save(loaded.folder / REFERENCE_FILE)
    packed = []
    pack = map_jobs._encoded
    monkeypatch.setattr(map_jobs, "_encoded", lambda *given: packed.append(1) or pack(*given))
    names = [ask_training(client, "digits") for _ in range(5)]
    assert [wait_for(client, name)["phase"] for name in names] == ["done"] * 5
    assert len({client.get(f"/live/jobs/{name}/result").content for name in names}) == 1
    assert len(packed) == 1


def test_where_no_training_images_are_the_job_says_so(client: TestClient, cache: Path):
    name = ask_training(client, "tiny")
    state = wait_for(client, name)
    assert state["phase"] == "failed"
    assert "training images must be on this machine" in state["message"]


def test_a_model_without_a_map_has_no_place_for_training_images(client: TestClient, store: Store):
    store("bare", with_reference=False)
    answer = client.post("/live/models/bare/ask/training", json={})
    assert answer.status_code == 400
    assert "bare has no reference set" in sentence_of(answer, "model")
