"""Questions of animations: traces, grids, exports in each format, and the graph that paths through the data follow."""

import base64
import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.live.routes import live_routes
from app.queries.interpolate import QUESTIONS
from app.services import exports
from app.services.exports import CHUNK, MAX_EXPORT_PIXELS, Export, ExportRequest
from app.services.work import JobRequest
from tests.app.conftest import Store
from tests.conftest import reference_of
from vae_core.errors import BusyError, InputError, ModelError
from vae_core.images.pixels import pixels_of
from vae_core.inference import memo
from vae_core.inference.engine import Engine, engine
from vae_core.inference.memo import data_graph
from vae_core.latent import timeline
from vae_core.latent.graph import CodeGraph, build_graph
from vae_core.reference.path_statistics import path_statistics
from vae_core.store.opening import StoredModel
from vae_core.store.stored_models import REFERENCE_FILE

KEYFRAMES = [[0, 0, 0], [0.5, -1, 0.25], [1, 1, 1]]
FIGURES = ["norm", "logDensity", "nearest", "percentile", "speed"]
SECONDS = 20  # until a job of a test has long ended


@pytest.fixture
def client(tiny: StoredModel) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=live_routes(""))) as client:
        yield client


def ask(loaded: StoredModel, what: str, **body: object) -> Any:
    question = QUESTIONS[what]
    return question.answer(engine(), loaded, question.read(json.dumps(body).encode()))


def ask_trace(loaded: StoredModel, **body: object) -> Any:
    asked = {"keyframes": KEYFRAMES, "kinds": ["linear"], "framesPerLeg": 5, "easing": "linear", "loop": False, **body}
    return ask(loaded, "trace", **asked)


def floats(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


def packed(codes: np.ndarray) -> str:
    return base64.b64encode(codes.astype("<f4").tobytes()).decode()


# -- traces --------------------------------------------------------------------------------------------------------


def test_a_trace_has_the_frames_of_each_kind_and_what_they_are_like(tiny: StoredModel):
    answer = ask_trace(tiny, kinds=["linear", "spherical", "data"], easing="cubic")
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert list(answer["kinds"]) == ["linear", "spherical", "data"]
    assert (answer["positions"], answer["frames"]) == ([0, 4, 8], 9)
    assert answer["expectedNorm"] == pytest.approx(2 * np.sqrt(2 / np.pi))  # the Maxwell distribution's mean
    reference = tiny.need_reference()
    for kind, traced in answer["kinds"].items():
        codes = floats(traced["codes"]).reshape(9, 3)
        expected = timeline.animation_path(
            np.array(KEYFRAMES, np.float32),
            kind=kind,
            frames_per_leg=5,
            easing="cubic",
            graph=build_graph(reference.means, reference.scale),
        )
        np.testing.assert_array_equal(codes, expected.codes)
        assert list(traced) == ["codes", *FIGURES]
        along = path_statistics(codes, reference)
        np.testing.assert_allclose(floats(traced["norm"]), np.linalg.norm(codes, axis=1), rtol=1e-6)
        np.testing.assert_allclose(floats(traced["logDensity"]), along.log_density, rtol=1e-5)
        np.testing.assert_allclose(floats(traced["nearest"]), along.nearest, rtol=1e-5)
        np.testing.assert_allclose(floats(traced["percentile"]), along.percentile, rtol=1e-5)
        steps = np.linalg.norm(np.diff(codes, axis=0) * reference.scale, axis=1)
        np.testing.assert_allclose(floats(traced["speed"]), steps, rtol=1e-4, atol=1e-6)
    linear = floats(answer["kinds"]["linear"]["codes"]).reshape(9, 3)
    np.testing.assert_allclose(linear[[1, 2]], np.outer([1 / 16, 0.5], KEYFRAMES[1]), rtol=1e-6)


def test_a_loop_leads_back_to_the_first_keyframe(tiny: StoredModel):
    answer = ask_trace(tiny, loop=True)
    codes = floats(answer["kinds"]["linear"]["codes"]).reshape(-1, 3)
    assert (answer["positions"], answer["frames"], len(codes)) == ([0, 4, 8], 12, 12)
    np.testing.assert_allclose(codes[-1], np.multiply(KEYFRAMES[2], 0.25))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"keyframes": []}, "2 to 64 keyframes, got 0"),
        ({"keyframes": [[0, 0, 0]]}, "2 to 64 keyframes, got 1"),
        ({"keyframes": [[0, 0, 0]] * 65}, "2 to 64 keyframes, got 65"),
        ({"keyframes": [[0, 0, 0], [0, 0]]}, r"a keyframe must be \[3\], got \[2\]"),
        ({"keyframes": [[0, 0, 1e39], [0, 0, 0]]}, "keyframes.0.2"),
        ({"keyframes": [[0, 0, "0"], [0, 0, 0]]}, "keyframes.0.2"),
        ({"framesPerLeg": 1}, "2 to 240 frames, got 1"),
        ({"framesPerLeg": 241}, "2 to 240 frames, got 241"),
        ({"framesPerLeg": 2.5}, "framesPerLeg"),
        ({"keyframes": [[0, 0, 0]] * 18, "framesPerLeg": 240}, "at most 4,000 frames, got 4,064"),
        ({"kinds": []}, "kinds"),
        ({"kinds": ["scenic"]}, "kinds.0"),
        ({"easing": "bounce"}, "easing"),
        ({"loop": "yes"}, "loop"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_trace_gets_a_sentence(tiny: StoredModel, body: dict[str, object], text: str):
    with pytest.raises(InputError, match=text):
        ask_trace(tiny, **body)


def test_codes_at_the_edge_of_single_precision_are_traced(tiny: StoredModel):
    answer = ask_trace(tiny, keyframes=[[3e38, 3e38, 3e38], [-3e38, 0, 0]])
    assert floats(answer["kinds"]["linear"]["norm"])[0] == np.inf


def test_a_model_without_reference_set_has_no_traces(store: Store):
    with pytest.raises(ModelError, match="bare has no reference set"):
        ask_trace(store("bare", with_reference=False))


def test_questions_come_through_the_route(client: TestClient):
    body = {"keyframes": KEYFRAMES, "kinds": ["data"], "framesPerLeg": 5, "easing": "smooth", "loop": False}
    answer = client.post("/live/models/tiny/ask/trace", json=body)
    assert answer.status_code == 200
    assert answer.json()["frames"] == 9
    answer = client.post("/live/models/tiny/ask/trace", json={**body, "loop": 1})
    assert answer.status_code == 400
    assert answer.json()["message"] == "loop must be true or false, got 1."


# -- the graph -----------------------------------------------------------------------------------------------------


class Building:
    """Stands in for what builds a graph: slow, and counted."""

    def __init__(self) -> None:
        self.count, self.go_on = 0, threading.Event()

    def __call__(self, codes: np.ndarray, scale: np.ndarray) -> CodeGraph:
        self.count += 1
        self.go_on.wait(SECONDS)
        return build_graph(codes, scale)


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> Building:
    building = Building()
    building.go_on.set()
    monkeypatch.setattr(memo, "build_graph", building)
    return building


def test_a_trace_without_a_path_through_the_data_builds_no_graph(tiny: StoredModel, building: Building):
    ask_trace(tiny, kinds=["linear", "spherical"])
    assert building.count == 0


def test_a_graph_is_built_once_a_model(tiny: StoredModel, store: Store, building: Building):
    assert data_graph(tiny) is data_graph(tiny)
    ask_trace(tiny, kinds=["data"])
    assert building.count == 1
    other = store("tiny")  # replaces it
    assert data_graph(other) is not data_graph(tiny)
    assert building.count == 2


def test_who_asks_while_a_graph_is_built_waits_for_it_and_other_models_do_not(
    tiny: StoredModel, store: Store, building: Building
):
    other = store("other")
    data_graph(other)
    building.go_on.clear()
    found: list[CodeGraph] = []
    threads = [threading.Thread(target=lambda: found.append(data_graph(tiny))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert data_graph(other) is not None, "at once"
    assert not found
    building.go_on.set()
    for thread in threads:
        thread.join()
    assert building.count == 2
    assert all(each is found[0] for each in found)


def test_codes_that_make_no_graph_are_refused_again_and_again(store: Store):
    loaded = equal_codes(store)
    for _ in range(2):
        with pytest.raises(InputError, match="at least 2 different codes, got 1"):
            ask_trace(loaded, kinds=["data"])
    assert ask_trace(loaded)["frames"] == 9


def equal_codes(store: Store) -> StoredModel:
    """A model whose reference codes are all the same."""
    loaded = store("equal")
    reference = loaded.need_reference()
    equal = reference_of(np.ones_like(reference.means), reference.logvars, seed=0)
    equal.save(loaded.folder / REFERENCE_FILE)
    return engine().load("equal")


# -- grids ---------------------------------------------------------------------------------------------------------


def test_a_grid_has_the_codes_between_its_corners(tiny: StoredModel):
    corners = [[0, 0, 0], [4, 0, 0], [0, 2, 0], [8, 6, 0]]
    for spherical in (False, True):
        answer = ask(tiny, "grid", corners=corners, rows=3, columns=5, spherical=spherical)
        expected = timeline.bilinear_grid(np.array(corners, np.float32), 3, 5, spherical=spherical)
        np.testing.assert_array_equal(floats(answer["codes"]).reshape(15, 3), expected)
    answer = ask(tiny, "grid", corners=corners, rows=2, columns=3, spherical=False)
    middle = floats(answer["codes"]).reshape(2, 3, 3)[:, 1]
    np.testing.assert_allclose(middle, [[2, 0, 0], [4, 4, 0]])


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"corners": [[0, 0, 0]] * 3}, "corners"),
        ({"corners": [[0, 0]] * 4}, r"a corner must be \[3\], got \[2\]"),
        ({"rows": 1}, "2 to 64 rows, got 1"),
        ({"columns": 65}, "2 to 64 columns, got 65"),
        ({"spherical": None}, "spherical"),
    ],
)
def test_a_wrong_grid_gets_a_sentence(tiny: StoredModel, body: dict[str, object], text: str):
    asked = {"corners": [[0, 0, 0]] * 4, "rows": 2, "columns": 2, "spherical": False, **body}
    with pytest.raises(InputError, match=text):
        ask(tiny, "grid", **asked)


# -- exports -------------------------------------------------------------------------------------------------------


def some_codes(count: int, latent: int = 3) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((count, latent)).astype(np.float32)


def ask_export(loaded: StoredModel, frames: np.ndarray, **body: object) -> JobRequest:
    asked = {"codes": packed(frames), "format": "gif", "fps": 25, "scale": 2, "loop": True, "name": "way"}
    answer = ask(loaded, "export", **asked | body)
    assert isinstance(answer, JobRequest)
    return answer


def exported(loaded: StoredModel, codes: np.ndarray, **body: object) -> Any:
    """The file that a job makes."""
    asked = ask_export(loaded, codes, **body)
    ended = threading.Event()
    asked.job.on_end = ended.set
    asked.job.start()
    assert ended.wait(SECONDS)
    return asked.present(asked.job.result())


def pictures(loaded: StoredModel, codes: np.ndarray) -> np.ndarray:
    """What the model decodes, [code, height, width, channel]."""
    return pixels_of(engine().decode(loaded, codes))


def enlarged(images: np.ndarray, scale: int) -> np.ndarray:
    return images.repeat(scale, axis=1).repeat(scale, axis=2)


@pytest.fixture(params=[1, 3], ids=["grey", "colour"])
def model(request: pytest.FixtureRequest, store: Store) -> StoredModel:
    return store("other", channels=request.param)


def test_a_gif_shows_every_frame(model: StoredModel):
    codes = some_codes(CHUNK + 3)
    file = exported(model, codes, scale=3, fps=25, loop=True)
    assert (file.name, file.media_type) == ("way.gif", "image/gif")
    with Image.open(BytesIO(file.content)) as reel:
        assert (reel.info["duration"], reel.info["loop"]) == (40, 0)
        frames = np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(reel)]).astype(int)
    expected = enlarged(pictures(model, codes), 3)
    near = 1 if expected.shape[3] == 1 else 40  # colours are those of a palette
    assert frames.shape == (*expected.shape[:3], 3)
    assert np.abs(frames - expected).max() <= near


def test_a_webp_shows_every_frame_without_loss(model: StoredModel):
    codes = some_codes(CHUNK + 3)
    file = exported(model, codes, format="webp", scale=3, loop=False)
    assert (file.name, file.media_type) == ("way.webp", "image/webp")
    with Image.open(BytesIO(file.content)) as reel:
        assert reel.info["loop"] == 1
        frames = np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(reel)]).astype(int)
    assert np.abs(frames - enlarged(pictures(model, codes), 3)).max() <= 1


def test_an_mp4_shows_every_frame(model: StoredModel):
    import av

    codes = some_codes(CHUNK + 3)
    file = exported(model, codes, format="mp4", scale=8, fps=30)
    assert (file.name, file.media_type) == ("way.mp4", "video/mp4")
    with av.open(BytesIO(file.content)) as container:
        assert container.streams.video[0].average_rate == 30
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(int)
    expected = enlarged(pictures(model, codes), 8)
    assert frames.shape == (*expected.shape[:3], 3)
    assert np.abs(frames - expected).mean() < 6
    wrong = np.abs(frames - np.roll(expected, 1, axis=0)).mean(axis=(1, 2, 3))
    assert (np.abs(frames - expected).mean(axis=(1, 2, 3)) < wrong).all(), "in order"


@pytest.mark.parametrize(("columns", "shape"), [(None, (8, 44)), (3, (17, 26)), (9, (8, 44))])
def test_a_strip_shows_the_pictures_side_by_side(model: StoredModel, columns: int | None, shape: tuple[int, int]):
    codes = some_codes(5)
    file = exported(model, codes, format="strip", scale=4, columns=columns)
    assert (file.name, file.media_type) == ("way.png", "image/png")
    with Image.open(BytesIO(file.content)) as strip:
        pixels = np.asarray(strip).reshape(strip.height, strip.width, -1).astype(int)
    assert pixels.shape[:2] == (4 * shape[0], 4 * shape[1])
    small, expected = pixels[::4, ::4], pictures(model, codes)
    for place, picture in enumerate(expected):
        row, column = divmod(place, columns or 5)
        shown = small[9 * row : 9 * row + 8, 9 * column : 9 * column + 8]
        assert np.abs(shown - picture).max() <= 1


def test_an_npz_holds_the_codes_and_decodes_nothing(tiny: StoredModel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Engine, "decode", None)
    codes = some_codes(5)
    file = exported(tiny, codes, format="npz", positions=[0, 4], fps=12.5)
    assert file.name == "way.npz"
    with np.load(BytesIO(file.content), allow_pickle=False) as stored:
        np.testing.assert_array_equal(stored["codes"], codes)
        assert (stored["keyframes"].tolist(), stored["fps"]) == ([0, 4], 12.5)


def test_an_export_decodes_in_chunks_and_never_in_the_live_lane(tiny: StoredModel, monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[int, bool]] = []
    decode = Engine.decode

    def counted(self: Engine, name: str, z: np.ndarray, *, live: bool = False) -> Any:
        asked.append((len(z), live))
        return decode(self, name, z, live=live)

    monkeypatch.setattr(Engine, "decode", counted)
    exported(tiny, some_codes(2 * CHUNK + 1))
    assert asked == [(CHUNK, False), (CHUNK, False), (1, False)]


def test_an_export_holds_its_frames_once(store: Store):
    loaded = store("large", height=64, width=64)
    request = ExportRequest(some_codes(40 * CHUNK), "gif", 25.0, 1, True, np.empty(0, int))
    job = Export(engine(), loaded, request)
    job._decode()  # what is made at the first time stays
    tracemalloc.start()
    try:
        frames = job._decode()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1.5 * frames.nbytes


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"codes": "?"}, "codes must be base64"),
        ({"codes": "é"}, "codes must be base64"),
        ({"codes": ""}, "whole codes of 3 float32 values, got 0 values"),
        ({"codes": packed(np.zeros(4))}, "whole codes of 3 float32 values, got 4 values"),
        ({"codes": packed(np.array([0, np.nan, 0]))}, "finite"),
        ({"codes": packed(np.zeros((4001, 3)))}, "1 to 4,000 codes of 3 values, got 4,001"),
        ({"format": "exe"}, "format"),
        ({"fps": 61}, "1 to 60 frames a second, got 61"),
        ({"fps": 0.5}, "1 to 60 frames a second, got 0.5"),
        ({"scale": 0}, "enlarged 1 to 256 times, got 0"),
        ({"scale": 257}, "enlarged 1 to 256 times, got 257"),
        ({"scale": 10**30}, "enlarged 1 to 256 times"),
        ({"scale": 1.5}, "scale"),
        ({"codes": packed(np.zeros((129, 3))), "scale": 256}, f"at most {MAX_EXPORT_PIXELS:,} pixels"),
        ({"codes": packed(np.zeros((100, 3))), "scale": 100, "format": "strip"}, "at most [0-9,]+ pixels, got"),
        ({"format": "strip", "columns": 0}, "columns"),
        ({"format": "npz", "positions": [0, 5]}, "keyframes must ascend from 0 to 4"),
        ({"format": "npz", "positions": [10**30]}, "positions.0"),
        ({"name": "x" * 201}, "name"),
    ],
)
def test_a_wrong_export_gets_a_sentence_before_anything_is_made(tiny: StoredModel, body: dict[str, object], text: str):
    with pytest.raises(InputError, match=text):
        ask_export(tiny, some_codes(5), **body)


# -- an export's course --------------------------------------------------------------------------------------------


@pytest.fixture
def export_of(tiny: StoredModel) -> Callable[..., Export]:
    """An export that has not begun."""

    def export_of(count: int, **changed: Any) -> Export:
        settings = {"format": "gif", "fps": 25.0, "scale": 2, "loop": True, **changed}
        return Export(engine(), tiny, ExportRequest(some_codes(count), positions=np.empty(0, int), **settings))

    return export_of


def told(job: Export, then: Callable[[str], None] = lambda _message: None) -> list[tuple[float, str]]:
    """What the job says from now on; `then` is called with each message."""
    said: list[tuple[float, str]] = []
    say = job._say

    def listen(phase: Any, share: float, message: str) -> None:
        say(phase, share, message)
        said.append((share, message))
        then(message)

    job._say = listen  # type: ignore[method-assign]
    return said


def test_an_export_says_how_far_decoding_and_writing_are(export_of: Callable[..., Export]):
    with export_of(CHUNK + 1) as job:
        said = told(job)
        job.start()._thread.join(SECONDS)
    decoding, writing = said[:2], said[2:]
    assert decoding == [(0, "decoding: picture 0 of 33"), (0.5 * 32 / 33, "decoding: picture 32 of 33")]
    assert [message for _, message in writing] == [f"writing: picture {done} of 33" for done in range(33)]
    assert [share for share, _ in writing] == pytest.approx([0.5 + 0.5 * done / 33 for done in range(33)])
    assert job.state().phase == "done"


@pytest.mark.parametrize("format", ["gif", "webp", "mp4", "strip"])
def test_a_stopped_export_writes_no_further_frame(export_of: Callable[..., Export], format: str):
    with export_of(12, format=format) as job:
        said = told(job, lambda message: job.stop() if message == "writing: picture 3 of 12" else None)
        job.start()._thread.join(SECONDS)
        assert not job._thread.is_alive()
    assert said[-1][1] == "writing: picture 3 of 12"
    assert job.state().phase == "stopped"


def test_a_stopped_export_decodes_nothing_more(export_of: Callable[..., Export], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exports, "_written", None)
    with export_of(3 * CHUNK) as job:
        said = told(job, lambda message: job.stop() if message.startswith("decoding: picture 32") else None)
        job.start()._thread.join(SECONDS)
    assert len(said) == 2
    assert job.state().phase == "stopped"


def test_an_export_that_the_engine_has_no_room_for_fails_with_its_sentence(
    export_of: Callable[..., Export], monkeypatch: pytest.MonkeyPatch
):
    def busy(*_: object) -> None:
        raise BusyError("the server is busy; try again shortly.")

    monkeypatch.setattr(Engine, "decode", busy)
    with export_of(3) as job:
        job.start()._thread.join(SECONDS)
    assert (job.state().phase, job.state().message) == ("failed", "the server is busy; try again shortly.")
