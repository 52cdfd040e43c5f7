"""The terms of the objective against torch.distributions and values worked out by hand."""

import math
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal

from vae_core.models import objective
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.objective import (
    Terms,
    encode_in,
    free_bits_penalty,
    loss,
    reconstruction_nats,
    sampled_terms,
    terms_at,
    total_correlation,
)
from vae_core.models.pixel_likelihood import describe_pixels
from vae_core.models.posterior import Posterior
from vae_core.models.vae import VAE
from vae_core.training.schedules import kl_weight


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


# --- precision -----------------------------------------------------------------------------------------------

CPU = torch.device("cpu")
NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {},
    "conv": {"architecture": "conv", "dense_units": 16, "likelihood": "gaussian"},
    "broadcast": {"architecture": "conv", "dense_units": 16, "decoder": "broadcast", "blocks": 0},
    "autoencoder": {"variational": False},
}


@pytest.mark.parametrize("network", NETWORKS)
def test_bfloat16_gives_about_the_same_terms_in_float32(tiny_config: ModelConfig, network: str) -> None:
    model = VAE.build_seeded(replace(tiny_config, **NETWORKS[network]), seed=0)
    images, terms = grey_images(1), {}
    for precision in ("float32", "bfloat16"):
        posterior = encode_in(model, images, precision)
        terms[precision] = terms_at(model, images, posterior, posterior.sample(seeded()), precision)
        assert posterior.mean.dtype == posterior.logvar.dtype == torch.float32
        assert terms[precision].reconstruction.dtype == terms[precision].kl.dtype == torch.float32
    exact, rough = terms["float32"], terms["bfloat16"]
    assert torch.allclose(rough.reconstruction, exact.reconstruction, rtol=0.01)  # 8 bits a product
    assert torch.allclose(rough.kl, exact.kl, rtol=0.05, atol=0.01)
    assert not torch.equal(rough.reconstruction, exact.reconstruction), "the products are of the precision asked for"


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_of_a_bfloat16_network_the_nats_themselves_are_summed_in_float32(
    tiny_config: ModelConfig, likelihood: str
) -> None:
    model, images = model_with(tiny_config, likelihood=likelihood), grey_images(1)
    posterior = model.encode(images)
    terms = terms_at(model, images, posterior, posterior.mean, "bfloat16")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model.logits(posterior.mean)
    assert logits.dtype == torch.bfloat16
    assert torch.equal(terms.reconstruction, reconstruction_nats(model, logits.float(), images))


def test_float32_is_exactly_what_no_precision_gives(tiny_model: VAE) -> None:
    images = grey_images(1)
    posterior = encode_in(tiny_model, images, "float32")
    terms = terms_at(tiny_model, images, posterior, posterior.sample(seeded(5)), "float32")
    expected, plain = sampled_terms(tiny_model, images, seeded(5))
    assert torch.equal(posterior.mean, plain.mean)
    assert torch.equal(terms.reconstruction, expected.reconstruction)
    assert torch.equal(terms.kl, expected.kl)


def test_gradients_through_bfloat16_are_float32_and_about_the_same(tiny_config: ModelConfig) -> None:
    gradients = {}
    for precision in ("float32", "bfloat16"):
        model, images = VAE.build_seeded(tiny_config, seed=0), grey_images(1)
        posterior = encode_in(model, images, precision)
        loss(terms_at(model, images, posterior, posterior.sample(seeded()), precision), weight=1.0).backward()
        assert all(weights.dtype == weights.grad.dtype == torch.float32 for weights in model.parameters())
        gradients[precision] = torch.cat([weights.grad.flatten() for weights in model.parameters()])
    cosine = torch.cosine_similarity(gradients["float32"], gradients["bfloat16"], dim=0)
    assert cosine.item() > 0.999


# --- total correlation ---------------------------------------------------------------------------------------


def gaussian_aggregate(correlation: float, variance: float, count: int) -> tuple[Posterior, Tensor]:
    """Posteriors of one variance whose means are N(0, [[1, r], [r, 1]]), so that q(z) is Gaussian, and a z each."""
    root = torch.linalg.cholesky(torch.tensor([[1.0, correlation], [correlation, 1.0]]))
    means = torch.randn(count, 2, generator=seeded(1)) @ root.t()
    posterior = Posterior(means, torch.full_like(means, math.log(variance)))
    return posterior, posterior.sample(seeded(2))


@pytest.mark.parametrize(("correlation", "variance"), [(0.8, 0.25), (0.9, 0.1), (-0.9, 0.1), (0.0, 0.25)])
@pytest.mark.parametrize("batch", [2_000, 250], ids=["all at once", "in batches"])
def test_total_correlation_of_a_gaussian_is_minus_half_log_one_minus_r_squared(
    correlation: float, variance: float, batch: int
) -> None:
    count = 2_000
    posterior, z = gaussian_aggregate(correlation, variance, count)
    parts = [slice(start, start + batch) for start in range(0, count, batch)]
    estimates = [total_correlation(Posterior(posterior.mean[p], posterior.logvar[p]), z[p], count) for p in parts]
    r = correlation / (1 + variance)  # of q(z), whose variances are 1 + the posteriors'
    assert torch.stack(estimates).mean().item() == pytest.approx(-0.5 * math.log(1 - r**2), abs=0.05)


def test_total_correlation_is_the_weighted_sum_worked_out_by_hand() -> None:
    # Three of five images: 1/5 for the own posterior, (5 - 2) / (5 * 2) for the next one, 1/2 for the third.
    weights = torch.tensor([[0.2, 0.3, 0.5], [0.5, 0.2, 0.3], [0.3, 0.5, 0.2]])
    mean, logvar, z = (torch.randn(3, 2, generator=seeded(seed)) for seed in range(3))
    expected = 0.0
    for row in range(3):
        densities = Normal(mean, (0.5 * logvar).exp()).log_prob(z[row]).exp()  # of this z, [posterior, latent]
        joint = (weights[row] * densities.prod(dim=1)).sum()
        apart = (weights[row][:, None] * densities).sum(dim=0).prod()
        expected += (joint / apart).log().item() / 3
    assert total_correlation(Posterior(mean, logvar), z, 5).item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("batch", "count"), [(2, 2), (2, 100), (3, 3), (5, 7), (64, 55_000), (500, 500)])
def test_each_z_weighs_all_the_set_s_images_once(batch: int, count: int) -> None:
    weights = objective._stratified_log_weights(batch, count, CPU).exp()
    assert (weights > 0).all()
    assert torch.allclose(weights.sum(dim=1), torch.ones(batch), atol=1e-5)
    assert torch.allclose(weights.diagonal(), torch.tensor(1 / count))


def test_over_all_batches_every_image_weighs_the_same() -> None:
    # Batches of three of four images in any order: the estimate of q(z) is unbiased for the first image's z.
    weights, seen = objective._stratified_log_weights(3, 4, CPU).exp(), torch.zeros(4)
    batches = [batch for batch in permutations(range(4), 3) if 0 in batch]
    for batch in batches:
        seen[list(batch)] += weights[batch.index(0)] / len(batches)
    assert seen.tolist() == pytest.approx([0.25] * 4)


def test_a_single_image_has_no_total_correlation() -> None:
    mean = torch.randn(1, 3, generator=seeded(), requires_grad=True)
    estimate = total_correlation(Posterior(mean, torch.zeros(1, 3)), mean, 9)
    assert estimate.shape == ()
    assert estimate.item() == 0


def test_one_dimension_has_no_total_correlation() -> None:
    posterior, z = gaussian_aggregate(0.5, 0.25, 50)
    one = Posterior(posterior.mean[:, :1], posterior.logvar[:, :1])
    assert total_correlation(one, z[:, :1], 50).item() == pytest.approx(0, abs=1e-5)


def test_the_total_correlation_pulls_on_means_and_variances_and_falls() -> None:
    posterior, z = gaussian_aggregate(0.9, 0.1, 200)
    mean, logvar, noise = posterior.mean.requires_grad_(), posterior.logvar.requires_grad_(), z - posterior.mean
    before = total_correlation(Posterior(mean, logvar), mean + noise, 200)
    before.backward()
    for gradient in (mean.grad, logvar.grad):
        assert gradient.isfinite().all()
        assert gradient.abs().sum() > 0
    with torch.no_grad():
        mean -= 2 * mean.grad
        assert total_correlation(Posterior(mean, logvar), mean + noise, 200) < before


@pytest.mark.parametrize("logvar", [-10.0, 10.0])
def test_the_total_correlation_of_extreme_posteriors_is_finite(logvar: float) -> None:
    # As sharp or as wide as the encoder lets them be, far apart, and each z six deviations off its mean.
    mean = (100 * torch.randn(20, 8, generator=seeded())).requires_grad_()
    posterior = Posterior(mean, torch.full((20, 8), logvar))
    estimate = total_correlation(posterior, mean + 6 * math.exp(logvar / 2), 1_000_000)
    estimate.backward()
    assert estimate.isfinite()
    assert mean.grad.isfinite().all()


def test_weights_first_needed_in_an_evaluation_serve_training_too() -> None:
    objective._stratified_log_weights.cache_clear()
    posterior, z = gaussian_aggregate(0.5, 0.25, 30)
    with torch.inference_mode():
        first = total_correlation(posterior, z, 30)
    again = total_correlation(posterior, z.requires_grad_(), 30)
    again.backward()
    assert again.item() == first.item()
    assert z.grad.abs().sum() > 0


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
    assert kl_weight(0, warmup_steps=0, beta=4.0, start=5.0) == 4.0


@pytest.mark.parametrize(
    ("start", "weights"),
    [(0.25, [1.0, 2.0, 2 * 2**0.5, 4.0, 4.0]), (1.0, [4.0] * 5), (100.0, [400.0, 40.0, 40 / 10**0.5, 4.0, 4.0])],
)
def test_the_kl_weight_may_start_elsewhere_and_goes_by_equal_factors(start: float, weights: list[float]) -> None:
    got = [kl_weight(step, warmup_steps=4, beta=4.0, start=start) for step in (0, 2, 3, 4, 99)]
    assert got == pytest.approx(weights)


def test_warm_up_may_end_within_an_epoch() -> None:
    assert [kl_weight(step, warmup_steps=2.5, beta=1.0) for step in range(4)] == pytest.approx([0, 0.4, 0.8, 1])
