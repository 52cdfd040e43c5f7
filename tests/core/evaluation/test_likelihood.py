"""The likelihood by importance sampling: against values known exactly, and its error against repeated draws."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from vae_core.errors import InputError
from vae_core.evaluation import likelihood as module
from vae_core.evaluation.likelihood import combine, estimate_likelihood, importance_nats
from vae_core.models.config import ModelConfig
from vae_core.models.objective import reconstruction_nats, sampled_terms
from vae_core.models.vae import VAE


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise_images(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 1, 8, 8, generator=seeded(seed)).round()


def with_posterior(model: VAE, mean: float, std: float) -> VAE:
    """Every image's posterior becomes this one, in each dimension."""
    with torch.no_grad():
        for head, value in ((model.encoder.mean, mean), (model.encoder.logvar, 2 * math.log(std))):
            head.weight.zero_()
            head.bias.fill_(value)
    return model


def with_loud_decoder(model: VAE) -> VAE:
    """Pictures differ with z as those of a trained model do."""
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(4)
    return model


def nats_by_quadrature(model: VAE, images: Tensor) -> Tensor:
    """-log of the integral of p(x|z) p(z) over a single dimension of z, by a fine sum."""
    z = torch.linspace(-8, 8, 4001)[:, None]
    log_prior = torch.distributions.Normal(0.0, 1.0).log_prob(z[:, 0]).double()
    with torch.inference_mode():
        logits = model.logits(z)
        joint = [log_prior - reconstruction_nats(model, logits, image.expand(len(z), -1, -1, -1)) for image in images]
    return -torch.stack(joint).logsumexp(dim=1) - math.log(16 / 4000)


# --- values known exactly ------------------------------------------------------------------------------------


def test_a_picture_that_owes_nothing_to_z_has_the_decoder_s_own_likelihood(tiny_model: VAE) -> None:
    with torch.no_grad():
        for parameter in tiny_model.decoder.parameters():
            parameter.zero_()
    images = noise_images(3)
    # Every pixel has probability 1/2 whatever z is; the ratio of the densities averages to 1.
    exact = with_posterior(tiny_model, 0.0, 1.0)
    assert torch.allclose(importance_nats(exact, images, samples=2, generator=seeded()), torch.tensor(64 * math.log(2)))
    wrong = with_posterior(tiny_model, 0.4, 1.3)
    estimates = importance_nats(wrong, images, samples=20_000, generator=seeded())
    assert estimates == pytest.approx([64 * math.log(2)] * 3, abs=0.03)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_the_estimate_agrees_with_the_integral_over_z(tiny_config: ModelConfig, likelihood: str) -> None:
    config = replace(tiny_config, latent_dim=1, likelihood=likelihood)
    model = with_posterior(with_loud_decoder(VAE.build_seeded(config, seed=1)), 0.3, 1.1).eval()
    images = noise_images(4)
    estimates = importance_nats(model, images, samples=20_000, generator=seeded())
    assert estimates == pytest.approx(nats_by_quadrature(model, images).tolist(), abs=0.03)


def test_one_sample_gives_minus_elbo_on_average_and_more_samples_a_lower_value(tiny_config: ModelConfig) -> None:
    config = replace(tiny_config, latent_dim=1)
    model = with_posterior(with_loud_decoder(VAE.build_seeded(config, seed=1)), 0.0, 1.0).eval()
    images = noise_images(1).repeat(100, 1, 1, 1)
    means = {
        samples: importance_nats(model, images, samples=samples, generator=seeded()).mean().item()
        for samples in (1, 5, 50)
    }
    with torch.inference_mode():
        negative_elbo = sampled_terms(model, images, seeded(1))[0].negative_elbo
    difference = negative_elbo.mean().item() - means[1]
    assert abs(difference) < 4 * math.sqrt(2) * negative_elbo.std().item() / 10
    assert means[1] > means[5] > means[50] > nats_by_quadrature(model, images[:1]).item() - 0.05


# --- how it is computed --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_batches_stay_within_their_size_and_do_not_change_the_value(
    tiny_model: VAE, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    images = noise_images(3)
    whole = importance_nats(tiny_model, images, samples=100, generator=seeded())
    monkeypatch.setattr(module, "DECODED_AT_ONCE", size)
    sizes, original = [], VAE.logits
    monkeypatch.setattr(VAE, "logits", lambda model, z: sizes.append(len(z)) or original(model, z))
    parts = importance_nats(tiny_model, images, samples=100, generator=seeded())
    assert torch.allclose(parts, whole, atol=1e-4)
    assert max(sizes) == min(size, 100)
    assert sum(sizes) == 300


def test_the_value_depends_on_the_seed_alone_and_the_model_stays_as_it_was(tiny_config: ModelConfig) -> None:
    config = replace(tiny_config, architecture="conv", widths=(4, 6), blocks=1, dense_units=8)
    model = VAE.build_seeded(config, seed=0).eval()
    strides = [parameter.stride() for parameter in model.parameters()]
    before = torch.get_rng_state()
    images = noise_images(3)
    first = importance_nats(model, images, samples=10, generator=seeded(3))
    torch.rand(5)
    assert torch.equal(importance_nats(model, images, samples=10, generator=seeded(3)), first)
    assert not torch.equal(importance_nats(model, images, samples=10, generator=seeded(4)), first)
    torch.set_rng_state(before)
    importance_nats(model, images, samples=10, generator=seeded(3))
    assert torch.equal(torch.get_rng_state(), before)
    assert [parameter.stride() for parameter in model.parameters()] == strides


def test_progress_is_told_after_each_image(tiny_model: VAE) -> None:
    told: list[tuple[int, int]] = []
    importance_nats(
        tiny_model, noise_images(3), samples=2, generator=seeded(), progress=lambda *done: told.append(done)
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


# --- from some images to all ---------------------------------------------------------------------------------


def test_the_gap_and_its_errors_have_the_values_worked_out_by_hand() -> None:
    negative_elbo = torch.tensor([10.0, 14.0, 12.0, 20.0])
    result = combine(negative_elbo, torch.tensor([0, 3]), torch.tensor([9.0, 16.0]), samples=7)
    # Gaps 1 and 4: mean 2.5, variance 4.5. All: mean 14, variance 56/3. v - e/2: 4 and 6, variance 2.
    assert result.metrics() == {
        "negative_log_likelihood": pytest.approx(11.5),
        "standard_error": pytest.approx(math.sqrt(2 / 2 + 0.5 * (56 / 3) / 4)),
        "gap": pytest.approx(2.5),
        "gap_standard_error": pytest.approx(1.5),
        "gap_images": 2,
        "samples": 7,
        "images": 4,
    }


def test_with_all_images_chosen_it_is_the_plain_mean_and_its_error() -> None:
    values = torch.tensor([9.0, 16.0, 11.0])
    order = torch.tensor([2, 0, 1])
    result = combine(torch.tensor([10.0, 14.0, 12.0]), order, values, samples=1)
    assert result.negative_log_likelihood == pytest.approx(12)
    assert result.standard_error == pytest.approx(values.std().item() / math.sqrt(3))


@pytest.mark.parametrize("chosen", [20, 100, 200])
def test_the_standard_error_is_the_spread_over_repeated_draws(chosen: int) -> None:
    generator, total = seeded(), 200
    results = []
    for _ in range(500):
        values = 90 + 20 * torch.randn(total, generator=generator)
        elbo = values + 5 + 3 * torch.randn(total, generator=generator).abs()
        subset = torch.randperm(total, generator=generator)[:chosen]
        results.append(combine(elbo, subset, values[subset], samples=1))
    spread = torch.tensor([result.negative_log_likelihood for result in results]).std().item()
    stated = torch.tensor([result.standard_error for result in results]).mean().item()
    assert stated == pytest.approx(spread, rel=0.1)  # the spread of 500 draws is known to 3%


def test_the_estimate_is_of_a_seeded_choice_among_all_images(tiny_model: VAE) -> None:
    images = noise_images(30)
    with torch.inference_mode():
        negative_elbo = sampled_terms(tiny_model, images, seeded(1))[0].negative_elbo
    first = estimate_likelihood(tiny_model, images, negative_elbo, gap_images=10, samples=20)
    assert first == estimate_likelihood(tiny_model, images, negative_elbo, gap_images=10, samples=20)
    other = estimate_likelihood(tiny_model, images, negative_elbo, gap_images=10, samples=20, seed=1)
    assert first.gap != other.gap
    assert (first.gap_images, first.samples, first.images) == (10, 20, 30)
    assert first.negative_log_likelihood == pytest.approx(negative_elbo.mean().item() - first.gap, abs=1e-4)
    assert abs(first.negative_log_likelihood - other.negative_log_likelihood) < 4 * first.standard_error
    assert estimate_likelihood(tiny_model, images, negative_elbo, samples=2).gap_images == 30


def test_one_image_has_no_standard_error(tiny_model: VAE) -> None:
    result = estimate_likelihood(tiny_model, noise_images(5), torch.full((5,), 50.0), gap_images=1, samples=2)
    assert result.standard_error is None
    assert result.gap_standard_error is None


# --- what cannot be estimated --------------------------------------------------------------------------------


def test_a_plain_autoencoder_has_no_likelihood(tiny_config: ModelConfig) -> None:
    model = VAE.build_seeded(replace(tiny_config, variational=False), seed=0)
    with pytest.raises(InputError, match="plain autoencoder"):
        estimate_likelihood(model, noise_images(2), torch.zeros(2))


def test_what_does_not_fit_is_refused(tiny_model: VAE) -> None:
    for images, values, chosen in ((0, 0, 1), (3, 2, 1), (3, 3, 0)):
        with pytest.raises(InputError, match=f"got {images}, {values} and {chosen}"):
            estimate_likelihood(tiny_model, noise_images(images), torch.zeros(values), gap_images=chosen)
    with pytest.raises(InputError, match="got 0"):
        importance_nats(tiny_model, noise_images(1), samples=0, generator=seeded())
    with pytest.raises(InputError, match="takes images of"):
        importance_nats(tiny_model, torch.zeros(1, 3, 8, 8), samples=1, generator=seeded())
