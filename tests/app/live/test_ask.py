"""Every question of the Explore page through its route, with shipped models and with tiny ones."""

import base64
import csv
import json
import threading
from collections.abc import Callable, Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter
from scipy.interpolate import RegularGridInterpolator
from starlette.applications import Starlette
from starlette.testclient import TestClient
from threadpoolctl import threadpool_info, threadpool_limits

from app.live import ask as ask_module
from app.live.admission import Admission
from app.live.ask import QUESTIONS
from app.live.routes import live_routes
from app.queries import places, traversals
from app.queries.base import Question
from app.queries.places import ValuesQuestion
from app.wire.directions import SliderDirection
from app.wire.limits import QUESTION_BYTES
from app.wire.numbers import from_page
from tests.app.conftest import Store, sentence_of
from tests.contracts import check_contract
from vae_core.errors import BusyError
from vae_core.images.animation import MAX_FRAMES
from vae_core.images.pixels import pixels_of
from vae_core.inference.engine import engine
from vae_core.latent.directions import axis_direction
from vae_core.models.config import MAX_LATENT_DIM
from vae_core.reference.groups import values_of
from vae_core.reference.reference_set import Reference
from vae_core.reference.scores import SCORES
from vae_core.store.identity import former_weights_digest
from vae_core.store.opening import StoredModel
from vae_core.store.saved_directions import save_directions
from vae_core.store.stored_models import REFERENCE_FILE, WEIGHTS_FILE

DIGITS, PLAIN, FACES = "mnist-16d", "mnist-2d-autoencoder", "faces"
SHIPPED = (DIGITS, PLAIN, FACES)
OURS = {
    *("group", "select", "values", "export-group", "direction", "save-directions", "saved-directions"),
    *("neighbours", "code", "card", "place", "sheet", "plane", "density"),
}
FAR = 1e9

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=live_routes(""))) as client:
        yield client


@pytest.fixture
def post(client: TestClient) -> Callable[..., httpx2.Response]:
    def post(model: str, what: str, /, **body: object) -> httpx2.Response:
        return client.post(f"/live/models/{model}/ask/{what}", json=body)

    return post


@pytest.fixture
def ask(post: Callable[..., httpx2.Response]) -> Ask:
    def ask(model: str, what: str, /, **body: object) -> Any:
        answer = post(model, what, **body)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    return ask


def reference_of_model(name: str) -> Reference:
    return engine().load(name).need_reference()


def decoded(name: str, codes: np.ndarray) -> np.ndarray:
    return pixels_of(engine().decode(engine().load(name), codes))


def opened(text: str) -> np.ndarray:
    """The pixels of a picture in base64, [height, width, channel]."""
    with Image.open(BytesIO(base64.b64decode(text))) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture).reshape(picture.height, picture.width, -1)


def assert_shows(text: str, pixels: np.ndarray) -> None:
    assert_shows_pixels(opened(text), pixels)


def assert_shows_pixels(shown: np.ndarray, pixels: np.ndarray) -> None:
    """A picture is that of the model, each pixel a square; batches round differently by a grey level."""
    assert shown.shape[0] == 2 * pixels.shape[0]
    assert (shown[::2, ::2] == shown[1::2, 1::2]).all()
    np.testing.assert_allclose(shown[::2, ::2].astype(int), pixels, atol=1)


def test_the_page_knows_all_questions():
    check_contract("questions", sorted(QUESTIONS))


def test_all_questions_have_their_route():
    assert set(QUESTIONS) >= OURS
    for what in QUESTIONS:
        assert what.replace("-", "").isalpha()


# -- groups --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", SHIPPED)
def test_a_groups_figures_are_those_of_its_members(ask: Ask, model: str):
    reference = reference_of_model(model)
    indices = [*range(1500, 2000), 1500]  # one of them twice
    members, answer = np.arange(1500, 2000), ask(model, "group", indices=indices)
    assert answer["count"] == 500
    assert answer["seen"] == (~reference.held_out[members]).sum()
    assert (answer["seen"] > 0) == (model == FACES)
    counted = {reference.label_names[label]: n for label, n in enumerate(np.bincount(reference.labels[members])) if n}
    assert dict(answer["labels"]) == counted
    assert [n for _, n in answer["labels"]] == sorted(counted.values(), reverse=True)
    np.testing.assert_allclose(answer["meanCode"], reference.means[members].mean(axis=0), rtol=1e-3, atol=1e-5)
    assert answer["means"]["reconstruction"] == pytest.approx(reference.reconstruction[members].mean(), rel=1e-5)
    if model == PLAIN:
        assert "kl" not in answer["means"]
    else:
        assert answer["means"]["kl"] == pytest.approx(values_of(reference, "kl")[members].mean(), rel=1e-5)
    assert_shows(answer["meanPicture"], decoded(model, np.float32([answer["meanCode"]]))[0])


@pytest.mark.parametrize("model", SHIPPED)
def test_a_montage_shows_the_members_it_names_where_a_click_finds_them(ask: Ask, model: str):
    reference, chosen = reference_of_model(model), range(300)
    answer = ask(model, "group", indices=list(chosen))
    members, columns = answer["members"], answer["columns"]
    assert len(set(members)) == 64
    assert set(members) <= set(chosen)
    shown = opened(answer["montage"])
    pictures = decoded(model, reference.means[members])
    side = 2 * pictures.shape[1]
    for place in (0, columns - 1, columns, len(members) - 1):
        row, column = divmod(place, columns)
        top, left = row * (side + 2), column * (side + 2)  # pictures and the gaps between them
        assert_shows_pixels(shown[top : top + side, left : left + side], pictures[place])
        for down, right in ((1, 1), (side - 2, side - 2)):  # the page divides the whole evenly
            assert int((top + down) / shown.shape[0] * (len(members) // columns)) == row
            assert int((left + right) / shown.shape[1] * columns) == column


def test_a_group_of_one_is_one_picture(ask: Ask):
    answer = ask(DIGITS, "group", indices=[7])
    assert (answer["count"], answer["columns"], answer["members"]) == (1, 1, [7])
    assert_shows(answer["montage"], decoded(DIGITS, reference_of_model(DIGITS).means[[7]])[0])
    assert answer["montage"] == answer["meanPicture"]


def test_members_are_chosen_by_label(ask: Ask):
    reference = reference_of_model(FACES)
    for label in (0, 5):
        found = ask(FACES, "select", by="label", label=label)["indices"]
        assert found == np.flatnonzero(reference.labels == label).tolist()


@pytest.mark.parametrize(
    ("model", "what", "low", "high"),
    [(DIGITS, "kl", 20, 22), (DIGITS, "3", -0.5, 0.25), (PLAIN, "norm", 10, 1e300), (FACES, "density", -300, -250)],
)
def test_members_are_chosen_by_a_range_of_a_value(ask: Ask, model: str, what: str, low: float, high: float):
    values = values_of(reference_of_model(model), int(what) if what.isdecimal() else what)
    found = ask(model, "select", by="range", what=what, low=low, high=high)["indices"]
    assert found == [index for index, value in enumerate(values.tolist()) if low <= value <= high]
    assert 0 < len(found) < len(values)


def test_a_range_that_holds_nothing_is_no_error(ask: Ask):
    assert ask(DIGITS, "select", by="range", what="norm", low=-2, high=-1) == {"indices": []}


@pytest.mark.parametrize(("model", "what"), [(DIGITS, "kl"), (FACES, "reconstruction"), (PLAIN, "1"), (PLAIN, "norm")])
def test_values_are_told_by_their_percentiles(ask: Ask, model: str, what: str):
    values = values_of(reference_of_model(model), int(what) if what.isdecimal() else what)
    answer = ask(model, "values", what=what)
    assert (answer["low"], answer["high"]) == (values.min(), values.max())
    quantiles = answer["quantiles"]
    assert len(quantiles) == 101
    assert quantiles == sorted(quantiles)
    assert quantiles[50] == pytest.approx(np.median(values))
    assert [quantiles[0], quantiles[100]] == [answer["low"], answer["high"]]


def test_a_group_is_saved_as_a_table(post: Callable[..., httpx2.Response]):
    answer, reference = post(DIGITS, "export-group", name="my = group", indices=[5, 2], format="csv"), None
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["content-disposition"].endswith('.csv"')
    header, *rows = csv.reader(StringIO(answer.content.decode("utf-8-sig"), newline=""))
    reference = reference_of_model(DIGITS)
    assert header == [
        *("index", "label", "held_out"),
        *(f"z{d}" for d in range(1, 17)),
        *("umap_x", "umap_y", "pca_x", "pca_y"),
    ]
    assert [row[0] for row in rows] == ["2", "5"]
    assert np.float32(rows[0][3:19]).tolist() == reference.means[2].tolist()
    assert np.float32(rows[1][19:21]).tolist() == reference.umap_places[5].tolist()


def test_a_group_is_saved_as_arrays_and_a_planes_codes_are_their_places(post: Callable[..., httpx2.Response]):
    answer = post(PLAIN, "export-group", name="x", indices=[9, 4], format="npz")
    with np.load(BytesIO(answer.content), allow_pickle=False) as arrays:
        assert sorted(arrays) == ["codes", "held_out", "index", "label", "name"]
        np.testing.assert_array_equal(arrays["codes"], reference_of_model(PLAIN).means[[4, 9]])


# -- directions ----------------------------------------------------------------------------------------------------


def members(model: str, label: int, count: int) -> list[int]:
    return np.flatnonzero(reference_of_model(model).labels == label)[:count].tolist()


def assert_is_direction(model: str, answer: dict[str, Any]) -> None:
    """What every direction carries: all that a desk keeps of it, and a range that holds what there is along it."""
    from_page(TypeAdapter(SliderDirection), json.dumps(answer))  # else the page could not keep it
    vector, means = np.array(answer["vector"]), reference_of_model(model).means.astype(float)
    places = means @ vector / (vector @ vector)  # steps from the origin, as the page counts them
    low, high = np.quantile(places, [0.001, 0.999])
    assert low - 0.11 <= answer["low"] <= low or answer["low"] <= places.mean() - 1
    assert answer["low"] <= min(low, places.mean() - 1)
    assert answer["high"] >= max(high, places.mean() + 1)
    assert answer["high"] <= max(high, places.mean() + 1) + 0.11


@pytest.mark.parametrize("model", SHIPPED)
def test_a_direction_leads_from_one_groups_mean_to_the_others(ask: Ask, model: str):
    means, (a, b) = reference_of_model(model).means, (members(model, 0, 300), members(model, 1, 200))
    answer = ask(model, "direction", kind="groups", name="zero → one", a=a, b=b)
    assert (answer["name"], answer["kind"], answer["varianceShare"]) == ("zero → one", "groups", None)
    np.testing.assert_allclose(answer["vector"], means[b].mean(axis=0) - means[a].mean(axis=0), rtol=1e-3, atol=1e-4)
    separation = answer["separation"]
    assert (separation["countA"], separation["countB"]) == (300, 200)
    assert answer["why"] is None
    assert 0.5 < separation["auroc"] <= 1
    assert 0 < separation["error"] < 0.1
    if model == DIGITS:
        assert separation["auroc"] > 0.99, "zeros and ones"
    assert_is_direction(model, answer)


def test_small_groups_have_a_direction_and_a_sentence_why_it_is_not_judged(ask: Ask):
    answer = ask(DIGITS, "direction", kind="groups", name="few", a=[0, 1, 2], b=[3, 4, 5])
    assert answer["separation"] is None
    assert "at least 10 in each group, got 3 and 3" in answer["why"]


@pytest.mark.parametrize("model", SHIPPED)
def test_components_explain_less_and_less_and_stand_upright(ask: Ask, model: str):
    first, second = (ask(model, "direction", kind="component", index=index) for index in (0, 1))
    for answer in (first, second):
        assert answer["kind"] == "component"
        assert (answer["separation"], answer["why"]) == (None, None)
        assert_is_direction(model, answer)
    assert 1 > first["varianceShare"] >= second["varianceShare"] > 0
    scale = reference_of_model(model).scale  # in posterior deviations they stand upright
    counted = [np.array(each["vector"]) * scale for each in (first, second)]
    assert np.dot(*counted) / np.prod(np.linalg.norm(counted, axis=1)) == pytest.approx(0, abs=1e-4)
    deviation = np.linalg.norm(first["vector"])  # a step is one standard deviation
    along = reference_of_model(model).means @ np.array(first["vector"]) / deviation
    assert along.std() == pytest.approx(deviation, rel=1e-3)


def test_an_axis_is_a_dimension(ask: Ask):
    answer = ask(DIGITS, "direction", kind="axis", index=4)
    assert (answer["name"], answer["vector"]) == ("along z5", np.eye(16)[4].tolist())
    assert_is_direction(DIGITS, answer)


def test_an_axis_with_a_name_bears_it(ask: Ask, store: Store):
    store("named", names=("", "scale of all that is to be seen in the picture, from far to near", ""))
    name = ask("named", "direction", kind="axis", index=1)["name"]
    assert name.startswith("along z2 · scale of all")
    assert len(name) <= 60


def test_what_is_left_without_others_stands_upright_on_them(ask: Ask):
    a, b = members(DIGITS, 3, 100), members(DIGITS, 8, 100)
    whole = ask(DIGITS, "direction", kind="groups", name="3 → 8", a=a, b=b)
    told = {key: whole[key] for key in ("name", "kind", "vector")}
    others = [ask(DIGITS, "direction", kind="component", index=index)["vector"] for index in (0, 1)]
    rest = ask(DIGITS, "direction", kind="without", direction=told, against=others, name="what is left")
    assert (rest["name"], rest["kind"], rest["separation"]) == ("what is left", "groups", None)
    assert "without the part along others" in rest["why"]
    for other in others:
        assert np.dot(rest["vector"], other) == pytest.approx(0, abs=1e-4)
    assert np.linalg.norm(rest["vector"]) < np.linalg.norm(whole["vector"])
    assert_is_direction(DIGITS, rest)


def test_a_component_without_others_needs_no_excuse(ask: Ask):
    made = ask(DIGITS, "direction", kind="component", index=0)
    told = {key: made[key] for key in ("name", "kind", "vector")}
    rest = ask(DIGITS, "direction", kind="without", direction=told, against=[[1.0] + [0] * 15], name="rest")
    assert (rest["vector"][0], rest["why"]) == (pytest.approx(0, abs=1e-6), None)


def test_saved_directions_come_back_as_they_were(ask: Ask):
    a, b = members(DIGITS, 0, 20), members(DIGITS, 1, 30)
    made = [
        ask(DIGITS, "direction", kind="groups", name="0 → 1", a=a, b=b),
        ask(DIGITS, "direction", kind="component", index=2),
    ]
    stored = [{key: each[key] for key in ("name", "kind", "vector", "separation", "varianceShare")} for each in made]
    assert ask(DIGITS, "saved-directions")["directions"] == []
    assert ask(DIGITS, "save-directions", directions=stored) == {"count": 2, "total": 2}
    saved = ask(DIGITS, "saved-directions")
    assert (saved["directions"], saved["unfit"]) == (made, 0)
    assert saved["file"].endswith(f"/directions/{DIGITS}.json")
    assert ask(PLAIN, "saved-directions")["directions"] == []


def test_a_save_keeps_what_others_saved_under_other_names(ask: Ask):
    axes = [{"name": name, "kind": "axis", "vector": [0.0] * 15 + [1.0]} for name in ("mine", "yours")]
    assert ask(DIGITS, "save-directions", directions=axes[:1]) == {"count": 1, "total": 1}
    assert ask(DIGITS, "save-directions", directions=axes[1:]) == {"count": 1, "total": 2}
    assert ask(DIGITS, "save-directions", directions=axes[:1]) == {"count": 1, "total": 2}
    assert [each["name"] for each in ask(DIGITS, "saved-directions")["directions"]] == ["yours", "mine"]


def test_groups_that_were_chosen_by_place_are_told_as_such(ask: Ask):
    a, b = members(DIGITS, 0, 20), members(DIGITS, 1, 30)
    made = ask(DIGITS, "direction", kind="groups", name="here → there", a=a, b=b, byPlace=True)
    assert made["separation"]["byPlace"] is True
    assert_is_direction(DIGITS, made)
    stored = {key: made[key] for key in ("name", "kind", "vector", "separation", "varianceShare")}
    ask(DIGITS, "save-directions", directions=[stored])
    assert ask(DIGITS, "saved-directions")["directions"] == [made]


def test_directions_that_version_0_1_saved_for_these_weights_are_found(ask: Ask, tiny: StoredModel):
    save_directions("tiny", former_weights_digest(tiny.folder), [axis_direction(1, 3, "mine")])
    assert [each["name"] for each in ask("tiny", "saved-directions")["directions"]] == ["mine"]
    stored = [{"name": "another", "kind": "axis", "vector": [0, 1, 0]}]
    assert ask("tiny", "save-directions", directions=stored)["total"] == 2
    saved = ask("tiny", "saved-directions")
    assert ([each["name"] for each in saved["directions"]], saved["unfit"]) == (["mine", "another"], 0)


def test_saved_directions_belong_to_the_weights_they_were_made_with(ask: Ask, store: Store, models_dir: Path):
    store("kept")
    stored = [{"name": "mine", "kind": "axis", "vector": [0, 1, 0]}]
    ask("kept", "save-directions", directions=stored)
    reference = models_dir / "kept" / REFERENCE_FILE
    reference.write_bytes((models_dir / "tiny" / REFERENCE_FILE).read_bytes())  # evaluated anew: the same weights
    assert [each["name"] for each in ask("kept", "saved-directions")["directions"]] == ["mine"]
    weights = models_dir / "kept" / WEIGHTS_FILE
    weights.write_bytes((models_dir / "tiny" / WEIGHTS_FILE).read_bytes())  # trained anew
    saved = ask("kept", "saved-directions")
    assert (saved["directions"], saved["unfit"]) == ([], 1)


# -- neighbours ----------------------------------------------------------------------------------------------------


def true_distances(reference: Reference, z: np.ndarray, metric: str) -> np.ndarray:
    means = reference.means.astype(float)
    if metric == "cosine":
        return np.array([1 - (code @ z) / (np.linalg.norm(code) * np.linalg.norm(z)) for code in means])
    deviations = np.exp(0.5 * reference.logvars).mean(axis=0) if metric == "deviations" else 1
    return np.linalg.norm((means - z) / deviations, axis=1)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "deviations"])
@pytest.mark.parametrize("model", [DIGITS, FACES])
def test_neighbours_are_the_nearest_by_the_metric(ask: Ask, model: str, metric: str):
    reference = reference_of_model(model)
    z = np.random.default_rng(0).normal(0, 0.7, reference.latent_dim).astype(np.float32)
    found = ask(model, "neighbours", z=z.tolist(), k=12, metric=metric)["neighbours"]
    distances = true_distances(reference, z.astype(float), metric)
    assert [each["index"] for each in found] == np.argsort(distances)[:12].tolist()
    np.testing.assert_allclose([each["distance"] for each in found], np.sort(distances)[:12], rtol=1e-5)
    for each in found:
        assert each["label"] == reference.label_names[reference.labels[each["index"]]]
        assert each["seen"] == (not reference.held_out[each["index"]])
    pictures = decoded(model, reference.means[[each["index"] for each in found]])
    for each, picture in zip(found, pictures, strict=True):
        assert_shows(each["image"], picture)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "deviations"])
@pytest.mark.parametrize("model", SHIPPED)
def test_a_reference_code_is_its_own_nearest_neighbour_at_distance_0(ask: Ask, model: str, metric: str):
    reference = reference_of_model(model)
    for index in (3, 1999):  # the latter of faces was seen in training
        found = ask(model, "neighbours", z=reference.means[index].tolist(), k=2, metric=metric)["neighbours"]
        assert (found[0]["index"], found[0]["distance"]) == (index, 0)
        assert found[0]["seen"] == (not reference.held_out[index])


def test_a_plain_autoencoders_deviations_are_steps_of_1(ask: Ask):
    plain, counted = (ask(PLAIN, "neighbours", z=[1, -2], k=5, metric=m) for m in ("euclidean", "deviations"))
    assert plain == counted


def test_all_that_there_are_is_enough(ask: Ask, tiny: StoredModel):
    found = ask("tiny", "neighbours", z=[0, 0, 1], k=60, metric="euclidean")["neighbours"]
    assert sorted(each["index"] for each in found) == list(range(40))


# -- places --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", SHIPPED)
def test_a_code_is_told_without_the_original_picture(ask: Ask, monkeypatch: pytest.MonkeyPatch, model: str):
    def look_up(*_: object) -> None:
        pytest.fail("the data set was asked for")

    monkeypatch.setattr(places, "original_of", look_up)
    reference, index = reference_of_model(model), 1999
    answer = ask(model, "code", index=index)
    assert answer == {"code": reference.means[index].tolist(), "label": reference.label_names[reference.labels[index]]}


@pytest.mark.parametrize("model", SHIPPED)
def test_a_card_says_what_is_known_of_an_image(ask: Ask, model: str):
    reference, index = reference_of_model(model), 1999
    answer = ask(model, "card", index=index)
    assert_shows(answer["image"], decoded(model, reference.means[[index]])[0])
    assert answer["label"] == reference.label_names[reference.labels[index]]
    assert answer["reconstruction"] == pytest.approx(reference.reconstruction[index])
    held_out = reference.reconstruction[reference.held_out]
    assert answer["percentile"] == pytest.approx(100 * (held_out <= answer["reconstruction"]).mean(), abs=1)
    assert answer["kl"] == (None if model == PLAIN else pytest.approx(values_of(reference, "kl")[index]))
    assert answer["seen"] == (model == FACES)
    if model == FACES:
        assert answer["original"] is None, "its card promises that no photograph is shown"


def test_places_are_told_by_their_distance_from_the_data(ask: Ask):
    reference = reference_of_model(DIGITS)
    bounds = reference.score_percentiles[SCORES.index("neighbour_distance")]
    own = ask(DIGITS, "place", z=reference.means[0].tolist())
    far = ask(DIGITS, "place", z=[FAR] * 16)
    assert (far["percentile"], far["hint"]) == (100, "far from all data")
    assert far["distance"] == pytest.approx(np.linalg.norm(FAR * reference.scale), rel=0.01)
    assert (own["distance"] > 0, own["hint"]) == (True, "among the data"), "itself does not count"
    centre, outwards = reference.means.mean(axis=0), np.eye(16)[0]
    hints = [ask(DIGITS, "place", z=(centre + step * outwards).tolist()) for step in np.linspace(0, 8, 17)]
    for each in hints:
        expected = "among the data" if each["distance"] < bounds[95] else "at its edge"
        assert each["hint"] == ("far from all data" if each["distance"] > bounds[100] else expected)
    assert {each["hint"] for each in hints} == {"among the data", "at its edge", "far from all data"}


# -- traversals ----------------------------------------------------------------------------------------------------


def test_a_plane_shows_the_codes_in_the_middles_of_its_cells(ask: Ask):
    z, first, second = [0.5] + [0.0] * 15, np.eye(16)[1], np.eye(16)[2] / 2
    body = {"z": z, "first": first.tolist(), "second": second.tolist(), "low": [-2, 0], "high": [2, 8], "side": 4}
    shown = opened(ask(DIGITS, "plane", **body)["picture"])
    assert shown.shape == (4 * 28, 4 * 28, 1)
    for row, column, a, b in ((0, 0, -1.5, 7), (3, 0, -1.5, 1), (1, 3, 1.5, 5)):  # rows go upwards
        [picture] = decoded(DIGITS, np.float32(np.array(z) + a * first + b * second)[None])
        cell = shown[28 * row : 28 * (row + 1), 28 * column : 28 * (column + 1)]
        np.testing.assert_allclose(cell.astype(int), picture, atol=1)


def test_a_plane_is_a_file_when_that_is_asked_for(post: Callable[..., httpx2.Response], ask: Ask):
    body = {"z": [0, 0], "first": [1, 0], "second": [0, 1], "low": [-9, -9], "high": [9, 9], "side": 3}
    file = post(PLAIN, "plane", **body, file=True)
    assert file.headers["content-type"] == "image/png"
    assert "mnist-2d-autoencoder-plane.png" in file.headers["content-disposition"]
    pixels = opened(base64.b64encode(file.content).decode())
    np.testing.assert_array_equal(pixels, opened(ask(PLAIN, "plane", **body)["picture"]))


@pytest.mark.parametrize("ends", [(None, None), (-3, 3)])
@pytest.mark.parametrize(("model", "dimensions"), [(DIGITS, [2, 0, 7]), (PLAIN, [1]), (FACES, [127])])
def test_a_sheet_has_a_row_for_each_dimension(
    post: Callable[..., httpx2.Response], model: str, dimensions: list[int], ends: tuple[float | None, ...]
):
    reference = reference_of_model(model)
    z = reference.means[0]
    low, high = ends
    body = {"z": z.tolist(), "dimensions": dimensions, "steps": 5, "low": low, "high": high}
    file = post(model, "sheet", **body)
    assert (file.status_code, file.headers["content-type"]) == (200, "image/png")
    shown = opened(base64.b64encode(file.content).decode()).astype(int)
    codes = np.tile(z, (5, 1))
    bottom, top = reference.ranges[dimensions[-1]] if low is None else ends
    codes[:, dimensions[-1]] = np.linspace(bottom, top, 5)
    last = decoded(model, codes)[-1]  # at the bottom right
    scale = -(-64 // last.shape[0])
    side = scale * last.shape[0]
    corner = shown[-side:]
    # Beside each other lie cells at least as wide as a picture, with it in their middles.
    lefts = range(corner.shape[1] - side - 40, corner.shape[1] - side + 1)
    errors = [np.abs(corner[::scale, left : left + side : scale] - last).mean() for left in lefts]
    assert min(errors) < 1.5


# -- layers --------------------------------------------------------------------------------------------------------


def floats(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


@pytest.mark.parametrize(
    ("model", "projection", "x", "y"), [(DIGITS, "umap", 0, 1), (DIGITS, "pca", 3, 3), (PLAIN, "axes", 1, 0)]
)
def test_a_density_is_high_where_points_are_and_its_contours_hold_their_shares(
    ask: Ask, model: str, projection: str, x: int, y: int
):
    reference = reference_of_model(model)
    answer = ask(model, "density", projection=projection, x=x, y=y)
    columns, rows, density = floats(answer["x"]), floats(answer["y"]), floats(answer["density"]).reshape(128, 128)
    places = {
        "umap": reference.umap_places,
        "pca": (reference.means - reference.pca_mean) @ reference.pca_components.T,
        "axes": reference.means[:, [x % reference.latent_dim, y % reference.latent_dim]],
    }[projection]
    cell = (columns[1] - columns[0]) * (rows[1] - rows[0])
    assert density.sum() * cell == pytest.approx(1, rel=1e-3)
    at_points = RegularGridInterpolator((rows, columns), density)(places[:, ::-1])
    assert [share for share, _ in answer["levels"]] == [0.25, 0.5, 0.75, 0.9]
    for share, level in answer["levels"]:
        assert (at_points >= level).mean() == pytest.approx(share, abs=0.01)


def test_the_density_is_that_of_the_dimensions_asked_for(ask: Ask):
    means = reference_of_model(DIGITS).means
    for x, y in ((5, 2), (2, 5)):
        answer = ask(DIGITS, "density", projection="axes", x=x, y=y)
        for nodes, dimension in ((floats(answer["x"]), x), (floats(answer["y"]), y)):
            assert nodes[0] < means[:, dimension].min()
            assert nodes[-1] > means[:, dimension].max()
            assert np.ptp(nodes) < 1.6 * np.ptp(means[:, dimension])


# -- what is refused -----------------------------------------------------------------------------------------------

Z16 = [0.0] * 16
PLANE_BODY = {"z": Z16, "first": [1.0, *Z16[1:]], "second": [*Z16[1:], 1.0], "low": [0, 0], "high": [1, 1], "side": 2}
SHEET_BODY = {"z": Z16, "dimensions": [0], "steps": 3, "low": None, "high": None}
WITHOUT = {"kind": "without", "direction": {"name": "x", "kind": "axis", "vector": [1.0, *Z16[1:]]}, "name": "y"}


@pytest.mark.parametrize(
    ("what", "body", "text"),
    [
        ("group", {}, "indices: it is missing"),
        ("group", {"indices": []}, "at least 1, got ()"),
        ("group", {"indices": [10_000]}, "from 0 to 9999, got 10000 to 10000"),
        ("group", {"indices": [-1, 2]}, "from 0 to 9999, got -1 to 2"),
        ("group", {"indices": [0.5]}, "indices.0 must be "),
        ("group", {"indices": [True]}, "indices.0 must be "),
        ("group", {"indices": [10**30]}, "whole numbers"),
        ("group", {"indices": [1], "more": 1}, "more: "),
        ("group", {"indices": "1"}, "indices must be "),
        ("select", {}, "by"),
        ("select", {"by": "colour", "label": 1}, "'label', 'range'"),
        ("select", {"by": "label", "label": 10}, "from 0 to 9 for this model, got 10"),
        ("select", {"by": "range", "what": "kl", "low": 2, "high": 1}, "got 2.0 to 1.0; swap them"),
        ("select", {"by": "range", "what": "kl", "low": None, "high": 1}, "range.low: "),
        ("select", {"by": "range", "what": "16", "low": 0, "high": 1}, "got '16'"),
        ("values", {"what": "sharpness"}, "kl, reconstruction, norm, density, distance or a dimension's number"),
        ("values", {"what": "x" * 10_000}, "text of at most 20 characters"),
        ("values", {"what": 3}, "what must be "),
        ("export-group", {"name": " ", "indices": [1], "format": "csv"}, "1 to 60 characters"),
        ("export-group", {"name": "x", "indices": [1], "format": "xlsx"}, "csv or npz"),
        ("direction", {"kind": "groups", "name": "x", "a": [], "b": [1]}, "at least 1, got ()"),
        ("direction", {"kind": "groups", "name": "x", "a": [1], "b": [1]}, "means that coincide"),
        ("direction", {"kind": "groups", "name": "x" * 61, "a": [1], "b": [2]}, "1 to 60 characters"),
        ("direction", {"kind": "component", "index": -1}, "component.index: "),
        ("direction", {"kind": "component", "index": 16}, "vary along 16 directions"),
        ("direction", {"kind": "axis", "index": 16}, "from 0 to 15, got 16"),
        ("direction", {**WITHOUT, "against": [[1.0, *Z16[1:]]]}, "nothing is left of 'x'"),
        ("direction", {**WITHOUT, "against": [[1.0]]}, "must be [16], got [1]"),
        ("direction", {**WITHOUT, "against": [Z16]}, "must not be zero"),
        ("save-directions", {"directions": [{"name": "x", "kind": "axis", "vector": [1.0]}]}, "must be [16]"),
        ("save-directions", {"directions": [{"name": "x", "kind": "tail", "vector": Z16}]}, "directions.0.kind: "),
        ("save-directions", {"directions": [{"name": "x", "kind": "axis", "vector": [1, *Z16[1:]]}] * 2}, "twice"),
        ("saved-directions", {"all": True}, "all: "),
        ("neighbours", {"z": Z16, "k": 0, "metric": "euclidean"}, "k must be "),
        ("neighbours", {"z": Z16, "k": 61, "metric": "euclidean"}, "k must be "),
        ("neighbours", {"z": Z16, "k": 5, "metric": "manhattan"}, "metric must be "),
        ("neighbours", {"z": Z16, "k": 5, "metric": "cosine"}, "other than the origin"),
        ("neighbours", {"z": [0.0] * 15, "k": 5, "metric": "euclidean"}, "z must be [16], got [15]"),
        ("neighbours", {"z": [1e39] * 16, "k": 5, "metric": "euclidean"}, "z.0 must be "),
        ("neighbours", {"z": ["1"] * 16, "k": 5, "metric": "euclidean"}, "z.0 must be "),
        ("code", {"index": 10_000}, "from 0 to 9999, got 10000"),
        ("code", {"index": True}, "index must be "),
        ("card", {"index": 10_000}, "from 0 to 9999, got 10000"),
        ("card", {"index": -1}, "from 0 to 9999, got -1"),
        ("card", {"index": 1.5}, "index must be "),
        ("place", {"z": []}, "z must be [16], got [0]"),
        ("sheet", {**SHEET_BODY, "dimensions": []}, "dimensions must be "),
        ("sheet", {**SHEET_BODY, "dimensions": [0] * 801, "steps": 2}, "a list of 1 to 800 values"),
        ("sheet", {**SHEET_BODY, "dimensions": [16]}, "from 0 to 15 for this code, got 16"),
        ("sheet", {**SHEET_BODY, "steps": 51}, "steps must be "),
        ("sheet", {**SHEET_BODY, "low": 1}, "both ends of its range or neither"),
        ("sheet", {**SHEET_BODY, "dimensions": [0] * 40, "steps": 41}, "at most 1,600 codes, got 40 rows of 41"),
        ("plane", {**PLANE_BODY, "side": 41}, "side must be "),
        ("plane", {**PLANE_BODY, "side": 0}, "side must be "),
        ("plane", {**PLANE_BODY, "low": [0]}, "low must be "),
        ("plane", {**PLANE_BODY, "low": [2, 0]}, "must ascend"),
        ("plane", {**PLANE_BODY, "second": [1.0]}, "the second direction must be [16], got [1]"),
        ("plane", {**PLANE_BODY, "file": 1}, "file must be "),
        ("density", {"projection": "tsne", "x": 0, "y": 1}, "projection must be "),
        ("density", {"projection": "axes", "x": 0, "y": 16}, "from 0 to 15 for this model, got 0 and 16"),
        ("density", {"projection": "axes", "x": -1, "y": 1}, "from 0 to 15 for this model, got -1 and 1"),
    ],
)
def test_a_wrong_body_gets_one_sentence(
    post: Callable[..., httpx2.Response], what: str, body: dict[str, object], text: str
):
    answer = post(DIGITS, what, **body)
    assert answer.status_code == 400
    sentence = sentence_of(answer, "input")
    assert text in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 400


@pytest.mark.parametrize("ends", [(None, None), (-3, 3)])
def test_a_sheet_that_is_too_large_is_refused_before_its_codes_are_made(
    post: Callable[..., httpx2.Response], monkeypatch: pytest.MonkeyPatch, ends: tuple[float | None, ...]
):
    def make(*_: object) -> np.ndarray:
        pytest.fail("codes were made")

    monkeypatch.setattr(traversals, "traversal_codes", make)
    low, high = ends
    answer = post(DIGITS, "sheet", **{**SHEET_BODY, "dimensions": [0] * 800, "steps": 50, "low": low, "high": high})
    assert answer.status_code == 400
    assert "at most 1,600 codes, got 800 rows of 50" in sentence_of(answer, "input")


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_what_has_no_finite_answer_gets_one_sentence(post: Callable[..., httpx2.Response]):
    answer = post(DIGITS, "place", z=[3e38] * 16)
    assert answer.status_code == 400
    assert "ask with smaller ones" in sentence_of(answer, "input")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"null", b'{"index": NaN}', b"[" * 10_000, b"\xff"])
def test_what_is_no_body_at_all_gets_one_sentence(client: TestClient, body: bytes):
    answer = client.post(f"/live/models/{DIGITS}/ask/card", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    sentence = sentence_of(answer, "input")
    assert sentence.endswith(".")
    assert len(sentence) < 400


@pytest.mark.parametrize(
    ("what", "body"),
    [("select", {"by": "range", "what": "kl", "low": 0, "high": 1}), ("values", {"what": "kl"})],
)
def test_a_plain_autoencoder_has_no_kl_to_ask_for(
    post: Callable[..., httpx2.Response], what: str, body: dict[str, object]
):
    answer = post(PLAIN, what, **body)
    assert answer.status_code == 400
    assert "a plain autoencoder has no KL" in sentence_of(answer, "input")


@pytest.mark.parametrize("model", ["nobody", "MNIST-16D", "..%5cmnist-16d", "é" * 100])
def test_an_unknown_model_is_not_found(post: Callable[..., httpx2.Response], model: str):
    answer = post(model, "card", index=0)
    assert answer.status_code == 404
    assert "model" in sentence_of(answer, "model")


def test_an_unknown_question_is_not_found(post: Callable[..., httpx2.Response]):
    answer = post(DIGITS, "riddle")
    assert answer.status_code == 404
    sentence = sentence_of(answer, "input")
    assert "no question named 'riddle'" in sentence
    assert "neighbours" in sentence


def test_a_model_without_reference_set_says_so(post: Callable[..., httpx2.Response], store: Store):
    store("bare", with_reference=False)
    for what, body in (
        ("group", {"indices": [0]}),
        ("select", {"by": "label", "label": 0}),
        ("values", {"what": "norm"}),
        ("direction", {"kind": "component", "index": 0}),
        ("neighbours", {"z": [0, 0, 0], "k": 3, "metric": "euclidean"}),
        ("code", {"index": 0}),
        ("card", {"index": 0}),
        ("place", {"z": [0, 0, 0]}),
        ("density", {"projection": "axes", "x": 0, "y": 1}),
        ("sheet", {**SHEET_BODY, "z": [0, 0, 0]}),
    ):
        answer = post("bare", what, **body)
        assert answer.status_code == 400
        assert "evaluate bare" in sentence_of(answer, "model")


def test_a_damaged_model_says_so(post: Callable[..., httpx2.Response], store: Store, models_dir: Path):
    store("broken")
    (models_dir / "broken" / WEIGHTS_FILE).write_bytes(b"no weights")
    answer = post("broken", "card", index=0)
    assert answer.status_code == 400
    assert WEIGHTS_FILE in sentence_of(answer, "model")


def test_products_take_one_thread_while_questions_are_answered():
    ask_module._limit_products.cache_clear()
    with threadpool_limits(limits=2, user_api="blas"):
        ask_module.import_measuring()
        threads = {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}
    assert threads == {1}, "scikit-learn's own limit is undone by whichever search ends first"


# -- the route -----------------------------------------------------------------------------------------------------

CARD = f"/live/models/{DIGITS}/ask/card"


@pytest.mark.parametrize("origin", ["http://other.example", "http://testserver:9999", "null", ""])
def test_pages_of_other_origins_are_refused(client: TestClient, origin: str):
    answer = client.post(CARD, json={"index": 0}, headers={"origin": origin})
    assert answer.status_code == 403
    assert sentence_of(answer, "origin")
    assert client.post(CARD, json={"index": 0}, headers={"origin": "http://testserver"}).status_code == 200


def test_a_form_of_another_page_cannot_ask(client: TestClient):
    answer = client.post(CARD, content=b'{"index": 0}', headers={"content-type": "text/plain"})
    assert answer.status_code == 400
    assert "application/json" in sentence_of(answer, "input")
    charset = {"content-type": "application/json; charset=utf-8"}
    assert client.post(CARD, content=b'{"index": 0}', headers=charset).status_code == 200


def test_questions_are_posted(client: TestClient):
    assert client.get(CARD).status_code == 405


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_is_refused_and_not_read_to_its_end(client: TestClient, declared: bool):
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(8):
            sent += 1
            yield b" " * 2**20

    headers = {"content-type": "application/json"} | ({"content-length": str(8 * 2**20)} if declared else {})
    answer = client.post(CARD, content=body(), headers=headers)
    assert answer.status_code == 413
    assert f"{QUESTION_BYTES:,} bytes" in sentence_of(answer, "input")


def test_a_body_that_just_fits_is_read(client: TestClient):
    text = b'{"index": 0}'
    padded = text + b" " * (QUESTION_BYTES - len(text))
    headers = {"content-type": "application/json"}
    assert client.post(CARD, content=padded, headers=headers).status_code == 200
    assert client.post(CARD, content=padded + b" ", headers=headers).status_code == 413


def test_a_busy_engine_asks_to_try_later(post: Callable[..., httpx2.Response], monkeypatch: pytest.MonkeyPatch):
    def busy(*_: object) -> dict[str, Any]:
        raise BusyError("the server is busy; try again shortly.")

    monkeypatch.setitem(QUESTIONS, "values", Question(ValuesQuestion, busy))
    answer = post(DIGITS, "values", what="kl")
    assert answer.status_code == 503
    assert sentence_of(answer, "busy") == "the server is busy; try again shortly."


def test_what_nobody_foresaw_is_answered_with_a_number_and_logged_once(
    post: Callable[..., httpx2.Response], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fall(*_: object) -> dict[str, Any]:
        raise KeyError("a secret")

    monkeypatch.setitem(QUESTIONS, "values", Question(ValuesQuestion, fall))
    answer = post(DIGITS, "values", what="kl")
    assert answer.status_code == 500
    assert "something went wrong inside (" in sentence_of(answer, "internal")
    assert "secret" not in answer.text
    [record] = [each for each in caplog.records if each.name.startswith("vae_core")]
    assert record.getMessage().rpartition(" ")[2] in answer.text
    assert "KeyError: 'a secret'" in caplog.text


def test_too_many_questions_at_a_time_are_refused(
    post: Callable[..., httpx2.Response], monkeypatch: pytest.MonkeyPatch
):
    admission = Admission(total=1, own=1)
    monkeypatch.setattr(ask_module, "_admission", admission)
    with admission.place("somebody else"):
        answer = post(DIGITS, "card", index=0)
    assert answer.status_code == 503
    assert "try again shortly" in sentence_of(answer, "busy")
    assert post(DIGITS, "card", index=0).status_code == 200
    assert post(DIGITS, "card", index=-1).status_code == 400
    assert post(DIGITS, "card", index=0).status_code == 200, "a refused question gave its place back"


def test_questions_are_answered_in_threads_that_live_pictures_do_not_wait_for(
    post: Callable[..., httpx2.Response], monkeypatch: pytest.MonkeyPatch
):
    names: list[str] = []

    def answer(*_: object) -> dict[str, Any]:
        names.append(threading.current_thread().name)
        return {}

    monkeypatch.setitem(QUESTIONS, "values", Question(ValuesQuestion, answer))
    assert post(DIGITS, "values", what="kl").json() == {}
    assert names[0].startswith("vae-question")


def test_below_a_prefix_questions_are_asked_there(tiny: StoredModel):
    with TestClient(Starlette(routes=live_routes("vae"))) as client:
        assert client.post("/vae/live/models/tiny/ask/card", json={"index": 0}).status_code == 200
        assert client.post("/live/models/tiny/ask/card", json={"index": 0}).status_code == 404


# -- limits --------------------------------------------------------------------------------------------------------


def test_the_longest_export_fits_into_a_question(client: TestClient, store: Store):
    store("large", latent_dim=MAX_LATENT_DIM)
    codes = base64.b64encode(np.zeros((MAX_FRAMES, MAX_LATENT_DIM), "<f4").tobytes()).decode()
    asked = {"codes": codes, "format": "npz", "fps": 25, "scale": 1, "loop": True, "name": "x" * 200}
    positions = list(range(MAX_FRAMES))
    answer = client.post("/live/models/large/ask/export", json={**asked, "positions": positions})
    assert answer.status_code == 200, answer.text


def test_each_kind_of_path_is_followed_once(ask: Ask, post: Callable[..., httpx2.Response]):
    asked = {"keyframes": [[0.0] * 16, [1.0] * 16], "framesPerLeg": 3, "easing": "linear", "loop": False}
    assert list(ask(DIGITS, "trace", **asked, kinds=["linear", "linear"])["kinds"]) == ["linear"]
    assert post(DIGITS, "trace", **asked, kinds=["linear"] * 8).status_code == 400
