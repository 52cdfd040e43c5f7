"""A run's state: the average of the weights, and a checkpoint from which everything new goes on bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from vae_core.errors import TrainingError
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.vae import VAE
from vae_core.training import run_state
from vae_core.training.run_state import CHECKPOINT_FILE, History, RunState
from vae_core.training.trainer import Metrics, Progress, Trainer

TRAIN, VALIDATION = 20, 7  # images
SETTINGS = TrainingConfig(dataset="noise", epochs=4, batch_size=6, learning_rate=0.01, lr_warmup_steps=3)
EVERYTHING: dict[str, Any] = {
    "ema_decay": 0.9,
    "augment": "flip",
    "precision": "bfloat16",
    "tc_beta": 4.0,
    "binarise": "dynamic",
    "kl_warmup_epochs": 2.5,
    "clip_norm": 5.0,
}


def noise_images(count: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 1, 8, 8), dtype=torch.uint8, generator=generator)


Make = Callable[..., Trainer]


@pytest.fixture
def make(tiny_config: ModelConfig) -> Make:
    """A trainer of the tiny model on noise; options change its settings."""

    def build(folder: Path | None = None, **options: Any) -> Trainer:
        return trainer_of(replace(tiny_config, training=replace(SETTINGS, **options)), folder)

    return build


def trainer_of(config: ModelConfig, folder: Path | None = None) -> Trainer:
    return Trainer(config, noise_images(TRAIN, 0), noise_images(VALIDATION, 1), folder=folder)


def weights_of(model: VAE) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def assert_same(got: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert got.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(got[name], tensor), name


# --- the average ---------------------------------------------------------------------------------------------


def set_weights(model: VAE, value: float) -> None:
    with torch.no_grad():
        for weights in model.parameters():
            weights.fill_(value)


def averaged(state: RunState) -> float:
    values = {round(value, 5) for weights in state.validated_model.parameters() for value in weights.unique().tolist()}
    assert len(values) == 1
    return values.pop()


@pytest.mark.parametrize(
    ("decay", "expected"),
    [
        # The first weights are taken over; the next ones with min(decay, (1 + t) / (10 + t)) for t = 1, 2, 3.
        (0.999, [1, (2 * 1 + 9 * 2) / 11, (3 * 20 / 11 + 9 * 3) / 12, (4 * 119 / 44 + 9 * 4) / 13]),
        (0.2, [1, (2 * 1 + 9 * 2) / 11, 0.2 * 20 / 11 + 0.8 * 3, 0.2 * 152 / 55 + 0.8 * 4]),
        (0.1, [1, 1.9, 2.89, 3.889]),
    ],
)
def test_the_average_is_the_one_worked_out_by_hand(make: Make, decay: float, expected: list[float]) -> None:
    state, got = make(ema_decay=decay).state, []
    for value in (1.0, 2.0, 3.0, 4.0):
        set_weights(state.model, value)
        state.average.update_parameters(state.model)
        got.append(averaged(state))
    assert got == pytest.approx(expected, abs=2e-5)


def test_after_many_steps_the_average_decays_as_asked(make: Make) -> None:
    state = make(ema_decay=0.999).state
    set_weights(state.validated_model, 1.0)
    set_weights(state.model, 2.0)
    state.average.n_averaged.fill_(1_000_000)
    state.average.update_parameters(state.model)
    assert averaged(state) == pytest.approx(1.001, abs=2e-5)


def test_every_step_of_the_run_enters_the_average(make: Make) -> None:
    trainer, expected, done = make(epochs=2, ema_decay=0.3), {}, 0
    for step in trainer.run():
        if step.validation is None:
            decay = min(0.3, (1 + done) / (10 + done)) if done else 0.0
            for name, weights in weights_of(trainer.model).items():
                expected[name] = decay * expected.get(name, 0.0) + (1 - decay) * weights.double()
            done += 1
    assert done == int(trainer.state.average.n_averaged) == 8
    for name, weights in weights_of(trainer.state.validated_model).items():
        torch.testing.assert_close(weights.double(), expected[name], atol=1e-6, rtol=1e-5)


def test_before_the_first_step_the_average_is_the_model(make: Make) -> None:
    state = make(ema_decay=0.9).state
    assert state.validated_model is not state.model
    assert_same(weights_of(state.validated_model), weights_of(state.model))


def test_without_a_decay_the_model_itself_is_validated(make: Make, tmp_path: Path) -> None:
    trainer = make(tmp_path, epochs=1)
    list(trainer.run())
    assert trainer.state.average is None
    assert trainer.state.validated_model is trainer.model
    assert {name.partition("/")[0] for name in load_file(tmp_path / CHECKPOINT_FILE)} == {"model", "best", "optimizer"}


def test_the_averaged_weights_are_validated_and_kept(make: Make) -> None:
    trainer = make(epochs=1, ema_decay=0.9)
    validation = list(trainer.run())[-1].validation
    kept = weights_of(trainer.best_model())
    assert_same(kept, weights_of(trainer.state.average.module))
    assert not torch.equal(kept["encoder.mean.weight"], trainer.model.encoder.mean.weight)

    plain = make(epochs=1)
    plain.model.load_state_dict(kept)
    assert plain._validate() == validation
    assert trainer_of(trainer.config)._validate() != validation, "the weights make a difference"


def test_the_kept_average_is_that_of_the_best_epoch(make: Make) -> None:
    trainer, after, left = make(ema_decay=0.9), [], iter([5.0, 3.0, 4.0, 3.0])
    trainer._validate = lambda: Metrics(next(left), 0.0, 0.0)  # type: ignore[method-assign]
    for step in trainer.run():
        if step.validation is not None:
            after.append(weights_of(trainer.state.validated_model))
    assert_same(weights_of(trainer.best_model()), after[1])


def test_averaging_does_not_change_the_training(make: Make) -> None:
    one, other = make(ema_decay=0.9), make()
    list(one.run()), list(other.run())
    assert_same(weights_of(one.model), weights_of(other.model))


# --- going on ------------------------------------------------------------------------------------------------

NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {},
    "mlp with a linear path": {"linear_path": True},
    "conv": {"architecture": "conv", "dense_units": 6, "likelihood": "gaussian"},
    "conv without blocks": {"architecture": "conv", "dense_units": 6, "blocks": 0, "decoder": "broadcast"},
}


@pytest.mark.parametrize("network", NETWORKS)
def test_a_run_with_everything_new_goes_on_bit_for_bit(tmp_path: Path, tiny_config: ModelConfig, network: str) -> None:
    config = replace(tiny_config, **NETWORKS[network], training=replace(SETTINGS, **EVERYTHING))
    whole = trainer_of(config)
    expected = without_rate(list(whole.run()))

    killed = trainer_of(config, tmp_path).run()
    while (progress := next(killed)).epoch < 3 or progress.step < 2:
        pass
    killed.close()

    resumed = trainer_of(config, tmp_path)
    assert resumed.resume()
    assert resumed.history.epochs_done == 2
    assert without_rate(list(resumed.run())) == [step for step in expected if step.epoch > 2]
    assert_same(weights_of(resumed.model), weights_of(whole.model))
    assert_same(weights_of(resumed.state.validated_model), weights_of(whole.state.validated_model))
    assert_same(resumed.state.best_weights, whole.state.best_weights)
    assert resumed.state.average.n_averaged == whole.state.average.n_averaged == 16
    assert replace(resumed.history, seconds=0.0) == replace(whole.history, seconds=0.0)


def test_pca_is_not_computed_for_a_run_that_goes_on(
    tmp_path: Path, tiny_config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(tiny_config, linear_path=True, training=SETTINGS)
    trainer_of(config).state.write(tmp_path)
    monkeypatch.delattr(run_state, "start_from_pca")
    resumed = trainer_of(config, tmp_path)
    assert resumed.resume()
    assert next(resumed.run()).epoch == 1


def test_too_few_images_for_a_linear_path_are_refused_before_the_run(tiny_config: ModelConfig) -> None:
    with pytest.raises(TrainingError, match="needs more images and pixels than that, got 20 and 64"):
        trainer_of(replace(tiny_config, linear_path=True, latent_dim=TRAIN, training=SETTINGS))


def without_rate(steps: list[Progress]) -> list[Progress]:
    return [replace(step, images_per_second=0.0) for step in steps]


def test_a_state_is_read_as_it_was_written(make: Make, tmp_path: Path) -> None:
    trainer = make(epochs=1, ema_decay=0.9)
    list(trainer.run())
    written = trainer.state
    written.history = History(epochs_done=3, best_epoch=2, best_loss=0.1 + 0.2, seconds=1.5)
    written.write(tmp_path)
    read = make(epochs=1, ema_decay=0.9).state
    assert read.read(tmp_path)
    assert read.history == written.history
    assert_same(weights_of(read.model), weights_of(written.model))
    assert_same(weights_of(read.validated_model), weights_of(written.validated_model))
    assert_same(read.best_weights, written.best_weights)


def test_an_unfinished_best_loss_survives(make: Make, tmp_path: Path) -> None:
    make().state.write(tmp_path)
    again = make().state
    assert again.read(tmp_path)
    assert again.history == History()


def test_a_run_that_turns_to_the_importance_weighted_bound_is_resumed_bit_for_bit(make: Make, tmp_path: Path) -> None:
    options = {"importance_epochs": 2, "importance_samples": 3}
    whole = make(**options)
    figures = [progress.validation for progress in whole.run() if progress.validation is not None]
    of_the_elbo = [each.loss == pytest.approx(each.reconstruction + each.kl) for each in figures]
    assert of_the_elbo == [True, True, False, False]
    assert all(each.loss < each.reconstruction + each.kl for each in figures[2:])
    killed = make(tmp_path, **options).run()
    while next(killed).epoch < 4:  # three epochs done, one of them on the bound
        pass
    killed.close()
    resumed = make(tmp_path, **options)
    assert resumed.resume()
    list(resumed.run())
    assert_same(weights_of(resumed.model), weights_of(whole.model))


def test_without_a_checkpoint_there_is_nothing_to_read(make: Make, tmp_path: Path) -> None:
    assert not make().state.read(tmp_path)
    (tmp_path / CHECKPOINT_FILE).mkdir()
    assert not make().state.read(tmp_path)


# --- refusing ------------------------------------------------------------------------------------------------


def refusal(state: RunState, folder: Path) -> str:
    """What the error says: one line that names the file and what to do."""
    with pytest.raises(TrainingError) as caught:
        state.read(folder)
    said = str(caught.value)
    assert said.startswith(str(folder / CHECKPOINT_FILE))
    assert "delete it" in said
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    "changed",
    [
        {"ema_decay": 0.0},
        {"ema_decay": 0.5},
        {"augment": "none"},
        {"precision": "float32"},
        {"tc_beta": 1.0},
        {"kl_start": 2.0},
    ],
    ids=str,
)
def test_a_checkpoint_of_other_settings_is_refused(make: Make, tmp_path: Path, changed: dict[str, Any]) -> None:
    make(**EVERYTHING).state.write(tmp_path)
    assert "was written by a run with other settings" in refusal(make(**(EVERYTHING | changed)).state, tmp_path)


@pytest.mark.parametrize("changed", [{"latent_dim": 2}, {"widths": (9,)}, {"linear_path": True}], ids=str)
def test_a_checkpoint_of_another_network_is_refused(
    make: Make, tiny_config: ModelConfig, tmp_path: Path, changed: dict[str, Any]
) -> None:
    make().state.write(tmp_path)
    other = trainer_of(replace(tiny_config, training=SETTINGS, **changed))
    assert "was written by a run with other settings" in refusal(other.state, tmp_path)


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ("averaged_steps", "it lacks 'averaged_steps'"),
        ("average/encoder.mean.bias", 'Missing key(s) in state_dict: "encoder.mean.bias"'),
        ("model/encoder.mean.bias", 'Missing key(s) in state_dict: "encoder.mean.bias"'),
        ("best/encoder.mean.bias", 'Missing key(s) in state_dict: "encoder.mean.bias"'),
    ],
)
def test_a_checkpoint_that_lacks_a_tensor_is_refused_by_its_name(
    make: Make, tmp_path: Path, lost: str, reason: str
) -> None:
    rewrite(make, tmp_path, lambda tensors: {name: tensor for name, tensor in tensors.items() if name != lost})
    said = refusal(make(ema_decay=0.9).state, tmp_path)
    assert "is damaged" in said
    assert reason in said


@pytest.mark.parametrize(
    "added",
    [
        {"average/encoder.mean.bias": torch.zeros(99)},
        {"averaged_steps": torch.zeros(2)},
        {"optimizer/99/exp_avg": torch.zeros(3)},
        {"optimizer/first": torch.zeros(3)},
    ],
    ids=lambda added: next(iter(added)),
)
def test_a_checkpoint_with_a_tensor_of_another_kind_is_refused(
    make: Make, tmp_path: Path, added: dict[str, Tensor]
) -> None:
    rewrite(make, tmp_path, lambda tensors: tensors | added)
    assert "is damaged" in refusal(make(ema_decay=0.9).state, tmp_path)


def rewrite(make: Make, folder: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> None:
    """Write a checkpoint and change its tensors."""
    make(ema_decay=0.9).state.write(folder)
    path = folder / CHECKPOINT_FILE
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
    save_file(change(load_file(path)), path, metadata)
