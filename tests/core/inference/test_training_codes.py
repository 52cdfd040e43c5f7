"""Training codes: which images they are of, how they are made, and the file that keeps them."""

import os
import threading
import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import reference_of
from vae_core.datasets.fingerprint import fingerprint_of
from vae_core.datasets.labelled import LabelledImages
from vae_core.datasets.own_sets import register_folder
from vae_core.datasets.registry import DATASETS, load_splits
from vae_core.errors import ConfigError, DatasetError, InputError, ModelError
from vae_core.inference import training_cache, training_codes
from vae_core.inference.training_codes import (
    TrainingCodes,
    TrainingCodesJob,
    TrainingImages,
    cached_training,
    encode_training,
    load_training_images,
    prepare_training_codes,
    store_training,
)
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.spec import spec_of
from vae_core.models.vae import VAE
from vae_core.runtime.jobs import JobState
from vae_core.runtime.locations import CACHE_VARIABLE
from vae_core.store.opening import StoredModel

TRAINED, VALIDATION = 300, 5_000  # the last 5,000 of MNIST's training file are for validation
CONFIG = ModelConfig(architecture="mlp", latent_dim=3, widths=(8,), training=TrainingConfig(dataset="mnist"))
SECONDS = 60  # that a test waits for a job at the most


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that does not exist yet, and no data set anywhere."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.delenv("VAE_DATA_DIR", raising=False)
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with noise in place of digits."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    count = TRAINED + VALIDATION
    np.savez(
        folder / "mnist.npz",
        x_train=generator.integers(0, 256, (count, 28, 28), np.uint8),
        y_train=(np.arange(count) % 2).astype(np.uint8),
        label_names=np.array(["even", "odd"]),
    )
    return folder


@pytest.fixture
def few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_codes, "TRAINING_LIMIT", 700)  # three batches, the last one smaller


def loaded_with(config: ModelConfig) -> StoredModel:
    model = VAE.build_seeded(config, seed=0).eval()
    with torch.inference_mode():
        posterior = model.encode(torch.rand(40, *config.image_shape, generator=torch.Generator().manual_seed(0)))
    reference = reference_of(posterior.mean.numpy(), posterior.logvar.numpy(), seed=0)
    return StoredModel("tiny", Path("tiny"), WEIGHTS, reference.digest[:32], model, config.training, reference)


WEIGHTS = "0123456789abcdef" * 2
LOADED = loaded_with(CONFIG)


def images_of(count: int, config: ModelConfig = CONFIG, *, seed: int = 0) -> TrainingImages:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, *config.image_shape), generator=generator, dtype=torch.uint8)
    return TrainingImages(LabelledImages(images, torch.arange(count) % 2, ("even", "odd")), np.arange(count) % 3 > 0)


def encoded(count: int, loaded: StoredModel = LOADED) -> TrainingCodes:
    codes = encode_training(loaded, images_of(count))
    assert codes is not None
    return codes


def assert_same(got: TrainingCodes | None, expected: TrainingCodes) -> None:
    assert got is not None
    for field in fields(TrainingCodes):
        one, other = getattr(got, field.name), getattr(expected, field.name)
        assert np.array_equal(one, other), field.name
        assert one.dtype == other.dtype, field.name


def ended(job: TrainingCodesJob) -> JobState:
    deadline = time.monotonic() + SECONDS
    while not job.state().ended:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return job.state()


# --- which images --------------------------------------------------------------------------------------------


def test_a_model_that_does_not_say_what_it_was_trained_on_has_none(mnist: Path) -> None:
    silent = replace(CONFIG, training=None)
    with pytest.raises(DatasetError, match="does not say"):
        load_training_images(spec_of(silent), data_dir=mnist)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of twenty pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for level in range(20):
        Image.new("L", (28, 28), level).save(folder / f"{level}.png")
    return folder


def test_a_folder_s_pictures_are_given_to_a_model_that_has_seen_them(pictures: Path) -> None:
    own = replace(CONFIG, training=TrainingConfig(register_folder(pictures, taken=())))
    parts = load_splits("pictures", ("train", "validation"), image_shape=own.image_shape, preparation=own.preparation)
    seen = fingerprint_of(parts, split_rule=2)
    training = load_training_images(spec_of(own), seen=seen)
    assert torch.equal(training.images.images, torch.cat([part.images for part in parts.values()]))
    for other in (None, replace(seen, digests={}), replace(seen, digests={**seen.digests, "train": "0" * 32})):
        with pytest.raises(DatasetError, match="must be those that the model was trained on, got others"):
            load_training_images(spec_of(own), seen=other)


def test_a_folder_that_a_model_names_by_its_path_is_not_opened(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(training_codes, "load_splits")
    with pytest.raises(DatasetError, match="must be on this machine"):
        load_training_images(spec_of(replace(CONFIG, training=TrainingConfig(str(pictures)))))


def test_a_set_that_is_not_here_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_: object) -> None:
        raise AssertionError("it was loaded")

    monkeypatch.setitem(DATASETS, "mnist", replace(DATASETS["mnist"], load=fetch))  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="must be on this machine, got 'mnist'"):
        load_training_images(spec_of(CONFIG))


def test_the_training_part_comes_first_then_the_validation_part(mnist: Path) -> None:
    training = load_training_images(spec_of(CONFIG), data_dir=mnist)
    assert len(training) == TRAINED + VALIDATION
    assert training.trained.tolist() == [True] * TRAINED + [False] * VALIDATION
    with np.load(mnist / "mnist.npz") as stored:
        assert np.array_equal(training.images.images[:, 0].numpy(), stored["x_train"])
        assert np.array_equal(training.images.labels.numpy(), stored["y_train"])


def test_of_more_images_than_the_limit_some_of_each_part_are_chosen_in_their_order(
    mnist: Path, few_images: None
) -> None:
    whole = load_training_images(spec_of(CONFIG), data_dir=mnist)
    assert len(whole) == 700
    assert 15 < whole.trained.sum() < 80, "one in eighteen of 5,300 is of the training part"
    assert (np.diff(whole.trained.astype(int)) <= 0).all()
    again = load_training_images(spec_of(CONFIG), data_dir=mnist)
    assert torch.equal(whole.images.images, again.images.images)
    with np.load(mnist / "mnist.npz") as stored:
        rows = {image.tobytes(): row for row, image in enumerate(stored["x_train"])}
        found = [rows[image.numpy().tobytes()] for image in whole.images.images[:, 0]]
        assert found == sorted(set(found)), "each once, in the set's order"
        assert np.array_equal(whole.trained, np.array(found) < TRAINED)
        assert np.array_equal(whole.images.labels.numpy(), stored["y_train"][found])


# --- their codes ---------------------------------------------------------------------------------------------


def test_codes_are_posterior_means_in_half_precision_placed_as_uploads_are() -> None:
    images, codes = images_of(600), encoded(600)
    with torch.inference_mode():
        means = LOADED.network.encode(images.images.images.float() / 255).mean
    np.testing.assert_allclose(codes.codes, means.numpy(), rtol=1e-3, atol=1e-4)
    assert np.array_equal(codes.codes.astype(np.float16).astype(np.float32), codes.codes)
    assert np.array_equal(codes.places, LOADED.need_reference().umap_map.project(codes.codes))
    assert codes.places.dtype == codes.codes.dtype == np.float32
    assert np.array_equal(codes.labels, np.arange(600) % 2)
    assert np.array_equal(codes.trained, np.arange(600) % 3 > 0)


def test_a_model_of_binarised_images_sees_them_binarised() -> None:
    binarised = replace(CONFIG, training=TrainingConfig(dataset="mnist", binarise="dynamic"))
    twice = [encoded(20, loaded_with(binarised)) for _ in range(2)]
    assert_same(twice[0], twice[1])
    assert not np.allclose(twice[0].codes, encoded(20).codes, atol=1e-3)


def test_progress_is_told_after_each_batch_and_a_stop_ends_it() -> None:
    told: list[tuple[int, int]] = []
    assert encode_training(LOADED, images_of(600), progress=lambda done, count: told.append((done, count))) is not None
    assert told == [(250, 600), (500, 600), (600, 600)]
    told.clear()
    stopped = encode_training(
        LOADED,
        images_of(600),
        progress=lambda done, count: told.append((done, count)),
        stop=lambda: len(told) == 1,
    )
    assert stopped is None
    assert told == [(250, 600)]


def test_what_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(InputError, match="at least 1 training image"):
        encode_training(LOADED, images_of(0))
    with pytest.raises(InputError, match="takes images of"):
        encode_training(LOADED, images_of(3, replace(CONFIG, height=8)))
    with pytest.raises(ModelError, match="no reference set"):
        encode_training(replace(LOADED, reference=None), images_of(3))
    with pytest.raises(ModelError, match="training part"):
        encode_training(loaded_with(replace(CONFIG, training=None)), images_of(3))


# --- the file ------------------------------------------------------------------------------------------------


def test_stored_codes_come_back_to_the_last_bit(cache: Path) -> None:
    assert cached_training(LOADED) is None
    codes = encoded(50)
    store_training(LOADED, codes)
    assert_same(cached_training(LOADED), codes)
    assert [path.name for path in (cache / "training-codes").iterdir()] == [
        f"tiny-{WEIGHTS}-{LOADED.reference_digest}.npz"
    ]


@pytest.mark.parametrize("part", ["digest", "reference_digest"])
def test_another_state_of_the_model_has_codes_of_its_own(cache: Path, part: str) -> None:
    store_training(LOADED, encoded(50))
    newer = replace(LOADED, **{part: "f" * 32})
    assert cached_training(newer) is None
    store_training(newer, encoded(60))
    assert len(cached_training(newer) or ()) == 60
    assert len(cached_training(LOADED) or ()) == 50, "of a clone on the same machine, for instance"


def test_of_models_of_one_name_the_codes_used_last_are_kept(cache: Path) -> None:
    folder = cache / "training-codes"
    folder.mkdir(parents=True)
    neighbours = [folder / name for name in ("tiny-2-0123456789ab.npz", "tiny-notes.npz", "a.txt")]
    old = folder / "tiny-0123456789ab.npz"  # as version 0.1 named it
    for path in (*neighbours, old):
        path.touch()
        os.utime(path, ns=(0, 0))
    states = [replace(LOADED, digest=f"{number:032x}") for number in range(training_cache.STATES + 1)]
    for age, state in enumerate(states):
        store_training(state, encoded(50))
        [stored] = folder.glob(f"tiny-{state.digest}-*.npz")
        os.utime(stored, ns=(age, age + 1))
    assert cached_training(states[0]) is None
    assert all(cached_training(state) for state in states[1:])
    assert not old.exists()
    assert all(path.exists() for path in neighbours)


def damage(path: Path, how: str) -> None:
    with np.load(path) as stored:
        arrays = dict(stored)
    whole = path.read_bytes()
    if how == "cut off":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "one byte changed":
        middle = whole.index(arrays["codes"].tobytes()) + 100
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    elif how == "a pickle":
        np.savez(path, **{**arrays, "labels": np.array([{}] * 50, object)})
    elif how == "a single array":
        with path.open("wb") as file:
            np.save(file, arrays["codes"])
    elif how == "a part is missing":
        np.savez(path, **{name: arrays[name] for name in arrays if name != "trained"})
    else:
        name, value = {
            "of another dimension": ("codes", arrays["codes"][:, :2]),
            "places of fewer": ("places", arrays["places"][:-1]),
            "a place that is none": ("places", arrays["places"] * np.float32(np.nan)),
            "a label without a name": ("labels", arrays["labels"] + np.uint32(1)),
            "in another precision": ("codes", arrays["codes"].astype(np.float64)),
            "a number": ("codes", np.float16(3)),
        }[how]
        np.savez(path, **{**arrays, name: value})


@pytest.mark.parametrize(
    "how",
    [
        "cut off",
        "empty",
        "one byte changed",
        "a pickle",
        "a single array",
        "a part is missing",
        "of another dimension",
        "places of fewer",
        "a place that is none",
        "a label without a name",
        "in another precision",
        "a number",
    ],
)
def test_a_damaged_file_counts_as_none_and_is_replaced(cache: Path, how: str) -> None:
    codes = encoded(50)
    store_training(LOADED, codes)
    damage(cache / "training-codes" / f"tiny-{WEIGHTS}-{LOADED.reference_digest}.npz", how)
    assert cached_training(LOADED) is None
    store_training(LOADED, codes)
    assert_same(cached_training(LOADED), codes)


def test_a_folder_that_cannot_be_written_is_named(cache: Path) -> None:
    cache.write_text("a file")
    with pytest.raises(ConfigError, match=f"cannot be written .* set {CACHE_VARIABLE}"):
        store_training(LOADED, encoded(5))
    assert cached_training(LOADED) is None


def test_writing_that_breaks_off_leaves_the_file_that_was_there(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = encoded(50)
    store_training(LOADED, codes)

    def full_disk(file: object, **_: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training_cache.np, "savez", full_disk)  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="No space left"):
        store_training(LOADED, encoded(60))
    assert_same(cached_training(LOADED), codes)
    assert [path.suffix for path in (cache / "training-codes").iterdir()] == [".npz"], "no half file stays"


# --- in the background ---------------------------------------------------------------------------------------


def test_a_job_makes_the_codes_once_and_reads_them_afterwards(
    mnist: Path, few_images: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with prepare_training_codes(LOADED, data_dir=mnist).start() as job:
        assert ended(job) == JobState("done", 1.0, "done")
        codes = job.result()
    assert len(codes) == 700
    monkeypatch.setattr(training_codes, "load_training_images", None)
    with prepare_training_codes(LOADED).start() as job:
        assert ended(job).phase == "done"
        assert_same(job.result(), codes)


def test_a_job_tells_how_far_it_is_and_stops(
    mnist: Path, few_images: None, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_batch_done, go_on = threading.Event(), threading.Event()
    pass_on = TrainingCodesJob._pass_on

    def wait_after(job: TrainingCodesJob, done: int, count: int) -> None:
        pass_on(job, done, count)
        first_batch_done.set()
        assert go_on.wait(SECONDS)

    monkeypatch.setattr(TrainingCodesJob, "_pass_on", wait_after)
    with prepare_training_codes(LOADED, data_dir=mnist).start() as job:
        assert first_batch_done.wait(SECONDS)
        assert job.state() == JobState("encoding", 250 / 700, "encoding training images: 250 of 700")
        job.stop()
        assert job.state().phase == "stopped"
        go_on.set()
    assert job.state().phase == "stopped"
    assert not cache.exists(), "nothing half made is kept"


def test_a_job_whose_images_are_not_here_fails_with_the_reason() -> None:
    with prepare_training_codes(LOADED).start() as job:
        state = ended(job)
    assert state.phase == "failed"
    assert "must be on this machine, got 'mnist'" in state.message


def test_a_job_whose_codes_cannot_be_kept_still_has_them(
    mnist: Path, few_images: None, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write_text("a file")
    with prepare_training_codes(LOADED, data_dir=mnist).start() as job:
        assert ended(job).phase == "done"
        assert len(job.result()) == 700
    assert "are not kept" in caplog.text


def test_a_job_needs_a_map() -> None:
    with pytest.raises(ModelError, match="no reference set"):
        prepare_training_codes(replace(LOADED, reference=None))
