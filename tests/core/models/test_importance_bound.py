"""The importance-weighted bound: an estimate of the ELBO at one sample, tighter with more, with gradients."""

import math

import pytest
import torch
from torch import Tensor

from vae_core.evaluation.likelihood import importance_nats
from vae_core.models.importance_bound import importance_bound
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


# --- the bound to train on -----------------------------------------------------------------------------------


def test_the_bound_of_one_sample_is_an_estimate_of_the_elbo(tiny_model: VAE) -> None:
    model, images = with_loud_decoder(tiny_model), noise_images(3)
    with torch.no_grad():
        posterior = model.encode(images)
        bounds = [importance_bound(model, images, posterior, seeded(seed), samples=1)[0] for seed in range(400)]
        elbos = [sampled_terms(model, images, seeded(seed))[0].negative_elbo for seed in range(400)]
    difference = torch.stack(bounds) - torch.stack(elbos)  # [repeat, image], of the same z
    error = difference.std(dim=0) / math.sqrt(len(difference))
    assert (difference.mean(dim=0).abs() < 4 * error).all()


def test_the_bound_of_many_samples_is_the_likelihood_s_own_estimate(tiny_model: VAE) -> None:
    model, image = with_loud_decoder(tiny_model), noise_images(1)
    with torch.no_grad():
        bound, _ = importance_bound(model, image, model.encode(image), seeded(), samples=50)
    assert bound.item() == pytest.approx(importance_nats(model, image, samples=50, generator=seeded()).item(), rel=1e-5)


def test_the_bound_tightens_with_samples_and_its_terms_are_those_of_the_elbo(tiny_model: VAE) -> None:
    model, images = with_loud_decoder(tiny_model), noise_images(40)
    with torch.no_grad():
        posterior = model.encode(images)
        one, few, many = (
            importance_bound(model, images, posterior, seeded(), samples=samples)[0].mean() for samples in (1, 5, 50)
        )
        _, terms = importance_bound(model, images, posterior, seeded(), samples=2)
    assert many < few < one
    z = posterior.mean.repeat(2, 1) + posterior.std.repeat(2, 1) * torch.randn(
        80, posterior.mean.shape[1], generator=seeded()
    )
    each = reconstruction_nats(model, model.logits(z), images.repeat(2, 1, 1, 1))  # [sample * image]
    assert terms.reconstruction.tolist() == pytest.approx(((each[:40] + each[40:]) / 2).tolist(), rel=1e-5)
    assert torch.equal(terms.kl, posterior.kl())


def test_the_bound_has_gradients_of_both_networks(tiny_model: VAE) -> None:
    images = noise_images(4)
    bound, _ = importance_bound(tiny_model, images, tiny_model.encode(images), seeded(), samples=3)
    bound.mean().backward()
    assert all(parameter.grad is not None for parameter in tiny_model.parameters())
    assert tiny_model.encoder.mean.weight.grad.abs().sum() > 0
