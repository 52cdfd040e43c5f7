"""The training loop: resuming bit for bit, choosing the best weights, stopping, and refusing."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.overrides import TorchFunctionMode

from vae_core.errors import TrainingError
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.objective import encode_in, reconstruction_nats
from vae_core.models.vae import VAE
from vae_core.training import trainer as module
from vae_core.training.run_state import CHECKPOINT_FILE
from vae_core.training.schedules import learning_rate
from vae_core.training.trainer import Metrics, Progress, Trainer

TRAIN, VALIDATION = 20, 7  # images
SETTINGS = TrainingConfig(
    dataset="noise", epochs=4, batch_size=6, learning_rate=0.01, lr_warmup_steps=3, kl_warmup_epochs=2.5, clip_norm=5.0
)


def noise_images(count: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 1, 8, 8), dtype=torch.uint8, generator=generator)


@pytest.fixture
def make(tiny_config: ModelConfig) -> Callable[..., Trainer]:
    """A trainer of the tiny model on noise; options change its settings."""

    def build(folder: Path | None = None, *, validation_seed: int = 1, **options: Any) -> Trainer:
        config = replace(tiny_config, training=replace(SETTINGS, **options))
        parts = noise_images(TRAIN, 0), noise_images(VALIDATION, validation_seed)
        return Trainer(config, *parts, folder=folder, device="cpu")

    return build


def weights_of(model: VAE) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def assert_same(got: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert got.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(got[name], tensor), name


def without_rate(steps: list[Progress]) -> list[Progress]:
    return [replace(step, images_per_second=0.0) for step in steps]


# --- progress ------------------------------------------------------------------------------------------------


def test_progress_tells_every_step_and_then_the_validation(make: Callable[..., Trainer]) -> None:
    steps = list(make(epochs=2).run())
    assert [(step.epoch, step.step, step.validation is None) for step in steps] == [
        *((1, step, True) for step in (1, 2, 3, 4)),
        (1, 4, False),
        *((2, step, True) for step in (1, 2, 3, 4)),
        (2, 4, False),
    ]
    assert {(step.epochs, step.steps) for step in steps} == {(2, 4)}
    assert all(step.images_per_second > 0 for step in steps)


def test_training_figures_are_means_over_images_though_the_last_batch_is_smaller(
    make: Callable[..., Trainer],
) -> None:
    # A step of size 0 is not allowed; one of 1e-30 changes no weight. A plain autoencoder draws no noise.
    trainer = make(epochs=1, learning_rate=1e-30, weight_decay=0.0)
    trainer.config = replace(trainer.config, variational=False)
    trainer.state.model = VAE.build_seeded(trainer.config, seed=0)
    images = trainer.train_images.float() / 255
    with torch.no_grad():
        nats = reconstruction_nats(trainer.model, trainer.model.logits(trainer.model.encode(images).mean), images)
    last = list(trainer.run())[-1]
    assert last.train.reconstruction == pytest.approx(nats.mean().item(), rel=1e-6)
    assert last.train.kl == 0


def test_the_loss_in_the_figures_is_reconstruction_plus_weighted_kl(make: Callable[..., Trainer]) -> None:
    last = list(make(epochs=1, beta=3.0, kl_warmup_epochs=0.0).run())[-1]
    for figures in (last.train, last.validation):
        assert figures.kl > 0
        assert figures.loss == pytest.approx(figures.reconstruction + 3 * figures.kl)


def test_validation_counts_the_whole_kl_while_the_weight_still_rises(make: Callable[..., Trainer]) -> None:
    last = list(make(epochs=1, beta=3.0, kl_warmup_epochs=100.0).run())[-1]
    assert last.validation.loss == pytest.approx(last.validation.reconstruction + 3 * last.validation.kl)
    assert last.train.loss < last.train.reconstruction + 0.5 * last.train.kl


def test_beta_tcvae_adds_the_total_correlation_to_the_kl_within_the_weight(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    monkeypatch.setattr(
        module, "total_correlation", lambda _posterior, _z, count: counts.append(count) or torch.tensor(2.0)
    )
    last = list(make(epochs=1, beta=3.0, tc_beta=6.0, kl_warmup_epochs=0.0).run())[-1]
    for figures in (last.train, last.validation):
        assert figures.loss == pytest.approx(figures.reconstruction + 3 * (figures.kl + 5 * 2.0))
    assert counts == [TRAIN] * 4 + [VALIDATION], "an estimate of the whole set's, from a batch"


def test_without_beta_tcvae_no_total_correlation_is_computed(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(module, "total_correlation")
    list(make(epochs=1).run())


def test_beta_tcvae_trains_other_weights(make: Callable[..., Trainer]) -> None:
    one, other = make(epochs=1, kl_warmup_epochs=0.0), make(epochs=1, kl_warmup_epochs=0.0, tc_beta=6.0)
    for trainer in (one, other):
        assert all(math.isfinite(step.train.loss) for step in trainer.run())
    assert not torch.equal(one.model.encoder.mean.weight, other.model.encoder.mean.weight)


def test_a_last_batch_of_one_image_has_no_total_correlation(make: Callable[..., Trainer]) -> None:
    trainer = make(epochs=1, batch_size=TRAIN - 1, tc_beta=6.0)
    assert all(math.isfinite(step.train.loss) for step in trainer.run())


def test_validation_after_every_epoch_uses_the_same_noise(make: Callable[..., Trainer]) -> None:
    steps = make(learning_rate=1e-30, weight_decay=0.0, binarise="dynamic").run()
    losses = {step.validation.loss for step in steps if step.validation is not None}
    assert len(losses) == 1, "only the weights may make a difference"


# --- resuming ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("architecture", ["mlp", "conv"])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    tmp_path: Path, tiny_config: ModelConfig, optimizer: Any, architecture: Any
) -> None:
    settings = replace(SETTINGS, optimizer=optimizer, binarise="dynamic")
    config = replace(tiny_config, architecture=architecture, likelihood="gaussian", training=settings, dense_units=6)
    parts = noise_images(TRAIN, 0), noise_images(VALIDATION, 1)

    whole = Trainer(config, *parts)
    expected = without_rate(list(whole.run()))

    killed = Trainer(config, *parts, folder=tmp_path)
    run = killed.run()
    while (progress := next(run)).epoch < 2 or progress.step < 2:
        pass
    run.close()

    resumed = Trainer(config, *parts, folder=tmp_path)
    assert resumed.resume()
    assert resumed.history.epochs_done == 1
    got = without_rate(list(resumed.run()))

    assert got == [step for step in expected if step.epoch > 1]
    assert_same(weights_of(resumed.model), weights_of(whole.model))
    assert_same(resumed.state.best_weights, whole.state.best_weights)
    assert replace(resumed.history, seconds=0.0) == replace(whole.history, seconds=0.0)
    assert_same(flat_state(resumed), flat_state(whole))


def flat_state(trainer: Trainer) -> dict[str, Tensor]:
    state = trainer.state.optimizer.state_dict()["state"]
    return {f"{index}/{key}": value for index, values in state.items() for key, value in values.items()}


def test_a_run_starts_alike_whatever_was_drawn_before(make: Callable[..., Trainer]) -> None:
    torch.manual_seed(5)
    first = make(binarise="dynamic")
    list(first.run())
    torch.rand(99)
    again = make(binarise="dynamic")
    list(again.run())
    assert_same(weights_of(again.model), weights_of(first.model))


def test_another_seed_gives_another_run(make: Callable[..., Trainer]) -> None:
    first, other = make(), make(seed=1)
    assert not torch.equal(first.model.encoder.mean.weight, other.model.encoder.mean.weight)


def test_every_image_is_seen_once_an_epoch_and_in_another_order_each_time(make: Callable[..., Trainer]) -> None:
    trainer, orders = make(epochs=2), []
    original = trainer._train_step

    def spy(images: Tensor, *rest: Any) -> float:
        orders.extend(images.flatten(1).sum(dim=1).tolist())
        return original(images, *rest)

    trainer._train_step = spy  # type: ignore[method-assign]
    list(trainer.run())
    everything = sorted(trainer.train_images.flatten(1).sum(dim=1).tolist())
    assert sorted(orders[:TRAIN]) == sorted(orders[TRAIN:]) == everything
    assert orders[:TRAIN] != orders[TRAIN:]


def test_every_epoch_has_noise_of_its_own(make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, original = [], module._to_input
    monkeypatch.setattr(
        module,
        "_to_input",
        lambda images, settings, noise: drawn.append(noise.get_state()) or original(images, settings, noise),
    )
    list(make().run())
    in_training = [state for index, state in enumerate(drawn) if index % 5 < 4]  # every fifth is the validation
    assert len({bytes(state.numpy()) for state in in_training}) == len(in_training) == 16


def test_resuming_a_finished_run_trains_no_more(make: Callable[..., Trainer], tmp_path: Path) -> None:
    done = make(tmp_path)
    list(done.run())
    again = make(tmp_path)
    assert again.resume()
    assert again.finished
    assert list(again.run()) == []
    assert_same(weights_of(again.best_model()), weights_of(done.best_model()))


def test_without_a_checkpoint_there_is_nothing_to_resume(make: Callable[..., Trainer], tmp_path: Path) -> None:
    assert not make().resume()
    assert not make(tmp_path / "new").resume()


def test_no_half_written_checkpoint_is_left_behind(make: Callable[..., Trainer], tmp_path: Path) -> None:
    list(make(tmp_path / "run").run())
    assert [path.name for path in (tmp_path / "run").iterdir()] == [CHECKPOINT_FILE]


# --- refusing ------------------------------------------------------------------------------------------------


def checkpoint_of(make: Callable[..., Trainer], folder: Path) -> Path:
    list(make(folder, epochs=1).run())
    return folder / CHECKPOINT_FILE


def refusal(make: Callable[..., Trainer], folder: Path, **options: Any) -> str:
    with pytest.raises(TrainingError) as caught:
        make(folder, **{"epochs": 1, **options}).resume()
    assert str(folder / CHECKPOINT_FILE) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "changed", [{"epochs": 9}, {"seed": 1}, {"optimizer": "sgd"}, {"beta": 2.0}, {"ema_decay": 0.9}]
)
def test_a_checkpoint_of_other_settings_is_refused(
    make: Callable[..., Trainer], tmp_path: Path, changed: dict[str, Any]
) -> None:
    checkpoint_of(make, tmp_path)
    assert "other settings" in refusal(make, tmp_path, **changed)


@pytest.mark.parametrize("kept", [0, 6, 500, -1])
def test_a_truncated_checkpoint_is_refused(make: Callable[..., Trainer], tmp_path: Path, kept: int) -> None:
    path = checkpoint_of(make, tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    assert "damaged" in refusal(make, tmp_path)


@pytest.mark.parametrize("part", ["model", "best"])
def test_a_checkpoint_that_lacks_a_weight_is_refused(make: Callable[..., Trainer], tmp_path: Path, part: str) -> None:
    path = checkpoint_of(make, tmp_path)
    tensors, metadata = load_file(path), metadata_of(path)
    del tensors[f"{part}/encoder.mean.bias"]
    save_file(tensors, path, metadata)
    assert "damaged" in refusal(make, tmp_path)


METADATA: dict[str, Callable[[dict[str, str]], dict[str, str] | None]] = {
    "none at all": lambda _: None,
    "no configuration": lambda known: {"history": known["history"]},
    "a broken configuration": lambda known: {**known, "config": "{"},
    "no history": lambda known: {"config": known["config"]},
    "a broken history": lambda known: {**known, "history": "{"},
    "a history that is none": lambda known: {**known, "history": "[]"},
    "an unknown field": lambda known: {**known, "history": json.dumps({"epoch": 1})},
}


@pytest.mark.parametrize("damage", METADATA)
def test_a_checkpoint_with_damaged_metadata_is_refused(
    make: Callable[..., Trainer], tmp_path: Path, damage: str
) -> None:
    path = checkpoint_of(make, tmp_path)
    save_file(load_file(path), path, METADATA[damage](metadata_of(path)))
    assert "damaged" in refusal(make, tmp_path)


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata())


def test_a_folder_that_cannot_be_written_is_refused_by_name(make: Callable[..., Trainer], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError) as caught:
        list(make(tmp_path / "file" / "run").run())
    assert str(tmp_path / "file" / "run") in str(caught.value)


def test_training_without_settings_is_refused(tiny_config: ModelConfig) -> None:
    with pytest.raises(TrainingError, match="training is None"):
        Trainer(tiny_config, noise_images(2, 0), noise_images(2, 1))


@pytest.mark.parametrize(
    ("train", "validation", "part"), [(0, 3, "training"), (3, 0, "validation")], ids=["training", "validation"]
)
def test_a_part_without_images_is_refused(tiny_config: ModelConfig, train: int, validation: int, part: str) -> None:
    with pytest.raises(TrainingError, match=f"the {part} images must be at least one"):
        Trainer(replace(tiny_config, training=SETTINGS), noise_images(train, 0), noise_images(validation, 1))


def test_images_of_another_shape_are_refused_with_both_shapes(tiny_config: ModelConfig) -> None:
    with pytest.raises(TrainingError, match=r"\(1, 8, 8\), got \[3, 1, 8, 4\]"):
        Trainer(replace(tiny_config, training=SETTINGS), noise_images(3, 0)[..., :4], noise_images(3, 1)[..., :4])


@pytest.mark.parametrize("epochs", [1, 50])
def test_a_loss_that_is_no_number_stops_the_run(make: Callable[..., Trainer], epochs: int) -> None:
    # With one step an epoch, the first loss that is no number is met in the validation, and in training later.
    trainer = make(
        epochs=epochs, batch_size=TRAIN, optimizer="sgd", learning_rate=1e30, lr_warmup_steps=0, clip_norm=0.0
    )
    with pytest.raises(TrainingError, match="lower the learning rate"):
        list(trainer.run())


# --- validation, best weights, patience ----------------------------------------------------------------------


def test_validation_images_are_never_trained_on(make: Callable[..., Trainer]) -> None:
    one, other = make(validation_seed=1), make(validation_seed=2)
    losses = [[step.validation.loss for step in trainer.run() if step.validation] for trainer in (one, other)]
    assert losses[0] != losses[1], "the validation images do differ"
    assert_same(weights_of(one.model), weights_of(other.model))


def test_validation_records_nothing_for_gradients(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, original = [], module.terms_at
    monkeypatch.setattr(
        module, "terms_at", lambda *given: recording.append(torch.is_grad_enabled()) or original(*given)
    )
    list(make(epochs=1).run())
    assert recording == [True] * 4 + [False]


def scripted(trainer: Trainer, losses: list[float]) -> None:
    """Let the validation give these losses, epoch by epoch."""
    left = iter(losses)
    trainer._validate = lambda: Metrics(next(left), 0.0, 0.0)  # type: ignore[method-assign]


def weights_after_epochs(trainer: Trainer) -> list[dict[str, Tensor]]:
    return [weights_of(trainer.model) for step in trainer.run() if step.validation is not None]


def test_the_kept_weights_are_those_of_the_best_epoch(make: Callable[..., Trainer]) -> None:
    trainer = make()
    scripted(trainer, [5.0, 3.0, 4.0, 3.0])
    after = weights_after_epochs(trainer)
    assert trainer.history.best_epoch == 2, "the first of equals"
    assert trainer.history.best_loss == 3.0
    best = trainer.best_model()
    assert_same(weights_of(best), after[1])
    assert not best.training
    assert_same(weights_of(trainer.model), after[3])


def test_progress_marks_the_best_epochs(make: Callable[..., Trainer]) -> None:
    trainer = make()
    scripted(trainer, [5.0, 6.0, 4.0, 4.5])
    assert [step.is_best for step in trainer.run() if step.validation] == [True, False, True, False]


@pytest.mark.parametrize(
    ("patience", "losses", "epochs"),
    [
        (2, [5.0, 4.0, 4.5, 4.2, 1.0, 1.0], 4),
        (1, [5.0, 5.0, 1.0], 2),
        (3, [5.0, 6.0, 7.0, 4.0, 5.0, 6.0], 6),
        (0, [5.0, 6.0, 7.0, 8.0, 9.0, 10.0], 6),
    ],
)
def test_the_run_stops_when_patience_is_at_its_end(
    make: Callable[..., Trainer], patience: int, losses: list[float], epochs: int
) -> None:
    trainer = make(epochs=6, patience=patience)
    scripted(trainer, losses)
    assert len(weights_after_epochs(trainer)) == epochs
    assert trainer.finished


def test_patience_survives_resuming(make: Callable[..., Trainer], tmp_path: Path) -> None:
    first = make(tmp_path, epochs=6, patience=2)
    scripted(first, [5.0, 6.0])
    for step in first.run():
        if step.validation is not None and step.epoch == 2:
            break
    again = make(tmp_path, epochs=6, patience=2)
    again.resume()
    scripted(again, [7.0])
    assert [step.epoch for step in again.run() if step.validation] == [3]


def test_weights_taken_for_the_best_do_not_change_later(make: Callable[..., Trainer]) -> None:
    trainer = make()
    scripted(trainer, [1.0, 2.0, 3.0, 4.0])
    after = weights_after_epochs(trainer)
    assert_same(trainer.state.best_weights, after[0])
    assert not torch.equal(after[0]["encoder.mean.weight"], after[3]["encoder.mean.weight"])


# --- step size and gradients ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "step", "factor"),
    [
        ("constant", 0, 1 / 4),
        ("constant", 1, 2 / 4),
        ("constant", 3, 1.0),
        ("constant", 4, 1.0),
        ("constant", 999, 1.0),
        ("cosine", 0, 1 / 4),
        ("cosine", 2, 3 / 4 * (1 + math.cos(math.pi / 10)) / 2),
        ("cosine", 5, (1 + math.sqrt(2) / 2) / 2),  # a quarter of the way
        ("cosine", 10, 1 / 2),
        ("cosine", 15, (1 - math.sqrt(2) / 2) / 2),
        ("cosine", 20, 0.0),
    ],
)
def test_the_step_size_rises_and_falls_as_worked_out_by_hand(schedule: Any, step: int, factor: float) -> None:
    settings = replace(SETTINGS, learning_rate=0.2, lr_warmup_steps=4, schedule=schedule)
    assert learning_rate(step, 20, settings) == pytest.approx(0.2 * factor, abs=1e-12)


def test_without_warm_up_the_first_step_has_the_full_size() -> None:
    assert learning_rate(0, 20, replace(SETTINGS, learning_rate=0.2, lr_warmup_steps=0)) == 0.2


def test_the_optimizer_takes_the_scheduled_step_sizes(make: Callable[..., Trainer]) -> None:
    trainer = make(epochs=2)
    sizes = [trainer.state.optimizer.param_groups[0]["lr"] for step in trainer.run() if step.validation is None]
    assert sizes == [learning_rate(step, 8, trainer.settings) for step in range(8)]


def test_one_sgd_step_moves_the_weights_by_the_clipped_gradient(make: Callable[..., Trainer]) -> None:
    once = {"epochs": 1, "batch_size": TRAIN, "lr_warmup_steps": 0, "weight_decay": 0.0}
    trainer = make(optimizer="sgd", learning_rate=0.5, clip_norm=0.1, **once)
    before = torch.cat([weights.detach().flatten().clone() for weights in trainer.model.parameters()])
    list(trainer.run())
    after = torch.cat([weights.detach().flatten() for weights in trainer.model.parameters()])
    assert (after - before).norm().item() == pytest.approx(0.5 * 0.1, rel=1e-3)


def test_dynamic_binarisation_draws_pixels_anew_with_the_grey_value_as_their_mean() -> None:
    images = torch.full((2000, 1, 1, 1), 51, dtype=torch.uint8)  # 0.2
    settings, noise = replace(SETTINGS, binarise="dynamic"), torch.Generator().manual_seed(0)
    first, again = (module._to_input(images, settings, noise) for _ in range(2))
    assert set(first.unique().tolist()) == {0.0, 1.0}
    assert first.mean().item() == pytest.approx(0.2, abs=5 * 0.4 / 2000**0.5)
    assert not torch.equal(first, again)


def test_without_binarisation_pixels_are_grey_values_between_zero_and_one() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8)[:, None, None, None]
    scaled = module._to_input(images, SETTINGS, torch.Generator())
    assert scaled.flatten().tolist() == pytest.approx([0.0, 0.2, 1.0])


# --- mirrored pictures ---------------------------------------------------------------------------------------

FLIP = replace(SETTINGS, augment="flip")
PICTURE = torch.tensor([[[1, 2, 3], [4, 5, 6]]], dtype=torch.uint8)  # [1, 2, 3]
MIRRORED = torch.tensor([[[3, 2, 1], [6, 5, 4]]], dtype=torch.uint8)


def test_about_every_other_picture_is_mirrored_left_to_right() -> None:
    count = 2_000
    out = module._augmented(PICTURE.expand(count, -1, -1, -1), FLIP, torch.Generator().manual_seed(0))
    kept, mirrored = ((out == picture).all(dim=(1, 2, 3)) for picture in (PICTURE, MIRRORED))
    assert out.dtype == torch.uint8
    assert (kept ^ mirrored).all(), "each picture is whole, as it was or mirrored"
    assert mirrored.sum().item() == pytest.approx(count / 2, abs=5 * math.sqrt(count / 4))


def test_which_pictures_are_mirrored_is_drawn_anew_and_depends_on_the_seed_alone() -> None:
    images, noise = PICTURE.expand(64, -1, -1, -1), torch.Generator().manual_seed(0)
    first, second = (module._augmented(images, FLIP, noise) for _ in range(2))
    again = module._augmented(images, FLIP, torch.Generator().manual_seed(0))
    assert torch.equal(again, first)
    assert not torch.equal(second, first)


def test_without_augmentation_pictures_stay_and_no_noise_is_drawn() -> None:
    noise = torch.Generator().manual_seed(0)
    before = noise.get_state()
    assert torch.equal(module._augmented(PICTURE[None], SETTINGS, noise), PICTURE[None])
    assert torch.equal(noise.get_state(), before)


def test_validation_pictures_are_never_mirrored(make: Callable[..., Trainer]) -> None:
    still = {"epochs": 1, "learning_rate": 1e-30, "weight_decay": 0.0}
    plain, mirrored = (list(make(augment=augment, **still).run())[-1] for augment in ("none", "flip"))
    assert mirrored.validation == plain.validation
    assert mirrored.train != plain.train


# --- it learns -----------------------------------------------------------------------------------------------


def test_a_tiny_model_learns_real_digits(tiny_config: ModelConfig) -> None:
    from sklearn.datasets import load_digits

    digits = np.rint(load_digits().images * (255 / 16)).astype(np.uint8)[:, None]  # [1797, 1, 8, 8]
    images = torch.from_numpy(digits)
    settings = replace(SETTINGS, epochs=15, batch_size=50, learning_rate=0.01, kl_warmup_epochs=0.0)
    config = replace(tiny_config, widths=(32,), training=settings)
    trainer = Trainer(config, images[:1400], images[1400:])
    losses = [step.validation.loss for step in trainer.run() if step.validation is not None]

    # What a model that ignores its input can reach at best: every pixel's mean, a cross-entropy without KL.
    mean, held_out = images[:1400].double().mean(dim=0) / 255, images[1400:].double() / 255
    mean = mean.clamp(1e-3, 1 - 1e-3)
    blind = -(held_out * mean.log() + (1 - held_out) * (1 - mean).log()).sum(dim=(1, 2, 3)).mean().item()

    assert losses[-1] < losses[0]
    assert losses[-1] < blind - 1


# --- on a device ---------------------------------------------------------------------------------------------

FACTORIES = (
    *(torch.zeros, torch.ones, torch.full, torch.empty, torch.eye, torch.tensor),
    *(torch.arange, torch.linspace, torch.rand, torch.randn, torch.randperm, torch.randint),
)


class Placement(TorchFunctionMode):
    """Notes which tensors are made without saying on which device, and which are moved to one."""

    def __init__(self) -> None:
        super().__init__()
        self.unplaced: list[str] = []
        self.moved: list[Tensor] = []

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if function in FACTORIES and given.get("device") is None:
            self.unplaced.append(function.__name__)
        result = function(*args, **given)
        if function is Tensor.to and any(isinstance(each, torch.device) for each in (*args, *given.values())):
            self.moved.append(result)
        return result


@pytest.mark.parametrize(
    ("network", "settings"),
    [
        ({}, {"tc_beta": 3.0, "augment": "flip", "ema_decay": 0.9}),
        ({"decoder": "spatial", "latent_dim": 5}, {"precision": "bfloat16", "optimizer": "sgd"}),
        ({"decoder": "broadcast", "likelihood": "gaussian", "linear_path": True}, {"optimizer": "adam"}),
        ({}, {"importance_epochs": 1, "importance_samples": 3, "binarise": "dynamic", "clip_norm": 0.0}),
    ],
    ids=["total correlation", "spatial", "broadcast", "importance"],
)
def test_every_tensor_of_a_step_is_made_on_the_device_or_moved_there(
    network: dict[str, Any], settings: dict[str, Any]
) -> None:
    training = replace(SETTINGS, **{"epochs": 1, **settings})
    config = ModelConfig(height=8, width=8, widths=(4,), dense_units=6, training=training, **network)
    trainer = Trainer(config, noise_images(TRAIN, 0), noise_images(VALIDATION, 1), device=torch.device("cpu"))
    seen: list[Tensor] = []
    for network_of in (trainer.model, trainer.state.validated_model):
        network_of.encoder.register_forward_pre_hook(lambda _module, inputs: seen.extend(inputs))
    with Placement() as placement:
        for _ in trainer.run():
            pass
    assert placement.unplaced == []
    assert seen
    assert all(any(images is moved for moved in placement.moved) for images in seen)


@pytest.mark.parametrize("kind", ["cpu", "cuda", "mps"])
def test_products_are_of_the_device_s_own_kind(monkeypatch: pytest.MonkeyPatch, tiny_model: VAE, kind: str) -> None:
    asked: list[str] = []

    class Remembered(torch.autocast):
        def __init__(self, device_type: str, **options: Any) -> None:
            asked.append(device_type)
            super().__init__("cpu", **options)

    monkeypatch.setattr(VAE, "device", torch.device(kind))
    monkeypatch.setattr(torch, "autocast", Remembered)
    encode_in(tiny_model, torch.zeros(1, *tiny_model.config.image_shape), "bfloat16")
    assert asked == [kind]
