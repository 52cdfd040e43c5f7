"""The terms of the objective against torch.distributions and values worked out by hand."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal

from vae_core.config import ModelConfig, TrainingConfig
from vae_core.model import VAE
from vae_core.objective import (
    Terms,
    describe_pixels,
    free_bits_penalty,
    kl_weight,
    loss,
    reconstruction_nats,
    sampled_terms,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def model_with(tiny_config: ModelConfig, *, channels: int = 1, likelihood: str = "bernoulli") -> VAE:
    config = replace(tiny_config, channels=channels, likelihood=likelihood)  # type: ignore[arg-type]
    return VAE.build_seeded(config, seed=0)


def some_logits(channels: int) -> Tensor:
    return 3 * torch.randn(4, channels, 8, 8, generator=seeded(1))


def grey_images(channels: int) -> Tensor:
    return torch.rand(4, channels, 8, 8, generator=seeded(2))


# --- likelihoods ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_bernoulli_nats_of_binary_images_are_minus_the_log_likelihood(tiny_config: ModelConfig, channels: int) -> None:
    logits, images = some_logits(channels), grey_images(channels).round()
    expected = -Bernoulli(logits=logits).log_prob(images).sum(dim=(1, 2, 3))
    nats = reconstruction_nats(model_with(tiny_config, channels=channels), logits, images)
    assert torch.allclose(nats, expected, rtol=1e-5)


def test_bernoulli_nats_of_grey_images_are_the_cross_entropy(tiny_config: ModelConfig) -> None:
    logits, images = some_logits(1), grey_images(1)
    p, x = torch.sigmoid(logits.double()), images.double()
    expected = -(x * p.log() + (1 - x) * (1 - p).log()).sum(dim=(1, 2, 3))
    assert torch.allclose(reconstruction_nats(model_with(tiny_config), logits, images).double(), expected, rtol=1e-5)


def test_bernoulli_nats_stay_finite_where_the_probability_rounds_to_zero_or_one(tiny_config: ModelConfig) -> None:
    logits = torch.full((1, 1, 8, 8), 1000.0)
    nats = reconstruction_nats(model_with(tiny_config), logits, torch.zeros(1, 1, 8, 8))
    assert nats.item() == pytest.approx(64 * 1000.0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sigma", [0.05, 1.0, 4.0])
def test_gaussian_nats_are_minus_the_log_density(tiny_config: ModelConfig, channels: int, sigma: float) -> None:
    model = model_with(tiny_config, channels=channels, likelihood="gaussian")
    with torch.no_grad():
        model.log_sigma.fill_(math.log(sigma))
    logits, images = some_logits(channels), grey_images(channels)
    expected = -Normal(torch.sigmoid(logits), sigma).log_prob(images).sum(dim=(1, 2, 3))
    assert torch.allclose(reconstruction_nats(model, logits, images), expected, rtol=1e-4)


def test_the_best_gaussian_variance_is_the_mean_squared_error(tiny_config: ModelConfig) -> None:
    model = model_with(tiny_config, likelihood="gaussian")
    logits, images = some_logits(1), grey_images(1)
    error = (images - torch.sigmoid(logits)).square().mean()
    gradients = []
    for factor in (0.9, 1.0, 1.1):
        model.zero_grad()
        with torch.no_grad():
            model.log_sigma.copy_(0.5 * (factor * error).log())
        reconstruction_nats(model, logits, images).mean().backward()
        gradients.append(model.log_sigma.grad.item())
    assert gradients[0] < -1
    assert gradients[1] == pytest.approx(0, abs=1e-3)
    assert gradients[2] > 1


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_nats_are_summed_over_pixels_and_channels(tiny_config: ModelConfig, likelihood: str) -> None:
    one = model_with(tiny_config, likelihood=likelihood)
    three = model_with(tiny_config, channels=3, likelihood=likelihood)
    logits, images = some_logits(1), grey_images(1)
    single = reconstruction_nats(one, logits, images)
    tripled = reconstruction_nats(three, logits.expand(-1, 3, -1, -1), images.expand(-1, 3, -1, -1))
    assert single.shape == (4,)
    assert torch.allclose(tripled, 3 * single, rtol=1e-5)


@pytest.mark.parametrize(
    ("likelihood", "training", "said"),
    [
        ("bernoulli", None, "cross-entropy on grey pixels"),
        ("bernoulli", TrainingConfig("x"), "cross-entropy on grey pixels"),
        ("bernoulli", TrainingConfig("x", binarise="dynamic"), "Bernoulli on dynamically binarised pixels"),
        ("gaussian", TrainingConfig("x"), "Gaussian with learned variance, pixels in [0, 1]"),
    ],
)
def test_on_grey_pixels_the_term_is_called_no_likelihood(
    tiny_config: ModelConfig, likelihood: str, training: TrainingConfig | None, said: str
) -> None:
    assert describe_pixels(replace(tiny_config, likelihood=likelihood, training=training)) == said  # type: ignore[arg-type]


# --- both terms ----------------------------------------------------------------------------------------------


def test_sampled_terms_are_those_of_one_drawn_z(tiny_model: VAE) -> None:
    images = grey_images(1)
    terms, posterior = sampled_terms(tiny_model, images, seeded(5))
    z = posterior.sample(seeded(5))
    expected = torch.nn.functional.binary_cross_entropy(tiny_model.decode(z), images, reduction="none")
    assert torch.allclose(terms.reconstruction, expected.sum(dim=(1, 2, 3)), rtol=1e-5)
    assert torch.equal(terms.kl, tiny_model.encode(images).kl())


def test_the_reconstruction_term_reaches_the_whole_encoder(tiny_model: VAE) -> None:
    terms, _ = sampled_terms(tiny_model, grey_images(1), seeded())
    terms.reconstruction.mean().backward()
    for name, weights in tiny_model.encoder.named_parameters():
        assert weights.grad is not None, name
        assert weights.grad.abs().sum() > 0, name


def test_minus_elbo_adds_the_kl_summed_over_dimensions() -> None:
    terms = Terms(torch.tensor([10.0, 20.0]), torch.tensor([[1.0, 2.0], [0.5, 0.25]]))
    assert terms.negative_elbo.tolist() == [13.0, 20.75]


def test_minus_elbo_bounds_minus_log_p_from_above(tiny_config: ModelConfig) -> None:
    # One latent dimension, so that p(x) is a sum over a fine grid of z.
    model = VAE.build_seeded(replace(tiny_config, latent_dim=1), seed=0)
    image = grey_images(1)[:1].round()
    grid = torch.linspace(-8, 8, 4001)[:, None]
    with torch.no_grad():
        log_likelihood = -reconstruction_nats(model, model.logits(grid), image.expand(len(grid), -1, -1, -1))
        log_joint = log_likelihood + Normal(0.0, 1.0).log_prob(grid[:, 0])
        exact = -(torch.logsumexp(log_joint, dim=0) + math.log(16 / 4000)).item()
        many = sampled_terms(model, image.expand(20_000, -1, -1, -1), seeded())[0].negative_elbo
    assert many.mean().item() > exact
    assert many.mean().item() < exact + 5  # an untrained posterior is loose, not absurd


def test_a_plain_autoencoder_s_objective_has_no_kl_term(tiny_config: ModelConfig) -> None:
    model = VAE.build_seeded(replace(tiny_config, variational=False), seed=0)
    images = grey_images(1)
    terms, _ = sampled_terms(model, images, seeded())
    assert (terms.kl == 0).all()
    expected = reconstruction_nats(model, model.logits(model.encode(images).mean), images)
    assert torch.equal(terms.negative_elbo, expected)
    assert loss(terms, weight=4.0).item() == pytest.approx(expected.mean().item())


# --- the loss ------------------------------------------------------------------------------------------------

TERMS = Terms(torch.tensor([10.0, 20.0]), torch.tensor([[1.0, 0.0, 4.0], [3.0, 0.5, 2.0]]))


@pytest.mark.parametrize(("weight", "nats"), [(0.0, 15.0), (1.0, 20.25), (4.0, 36.0)])
def test_the_loss_is_a_mean_over_images_of_sums_with_the_kl_weighted(weight: float, nats: float) -> None:
    # Reconstruction (10 + 20) / 2; KL (5 + 5.5) / 2.
    assert loss(TERMS, weight=weight).item() == pytest.approx(nats)


@pytest.mark.parametrize(
    ("free_bits", "nats"),
    [
        (0.0, 5.25),  # the dimensions' means over the batch: 2, 0.25, 3
        (0.25, 5.25),
        (0.5, 5.5),
        (2.5, 8.0),
        (10.0, 30.0),
    ],
)
def test_free_bits_raise_each_dimension_s_mean_over_the_batch(free_bits: float, nats: float) -> None:
    assert free_bits_penalty(TERMS.kl, free_bits).item() == pytest.approx(nats)
    assert loss(TERMS, weight=2.0, free_bits=free_bits).item() == pytest.approx(15 + 2 * nats)


def test_a_dimension_below_its_free_bits_feels_no_pull_to_the_prior() -> None:
    kl = TERMS.kl.clone().requires_grad_()
    free_bits_penalty(kl, 0.5).backward()
    assert kl.grad.tolist() == [[0.5, 0.0, 0.5], [0.5, 0.0, 0.5]]  # 1 / batch where the mean is above


@pytest.mark.parametrize(
    ("step", "weight"),
    [(0, 0.0), (1, 0.4), (5, 2.0), (9, 3.6), (10, 4.0), (11, 4.0), (1_000_000, 4.0)],
)
def test_the_kl_weight_rises_in_a_straight_line_to_beta(step: int, weight: float) -> None:
    assert kl_weight(step, warmup_steps=10, beta=4.0) == pytest.approx(weight)


def test_without_warm_up_the_kl_weight_is_beta_from_the_first_step() -> None:
    assert kl_weight(0, warmup_steps=0, beta=4.0) == 4.0


def test_warm_up_may_end_within_an_epoch() -> None:
    assert [kl_weight(step, warmup_steps=2.5, beta=1.0) for step in range(4)] == pytest.approx([0, 0.4, 0.8, 1])
