"""The posterior: its KL against forms worked out by hand and Monte Carlo, its samples and their gradients."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from vae_core.models.posterior import Posterior

SAMPLES = 200_000


def posterior_of(means: list[float], stds: list[float]) -> Posterior:
    return Posterior(torch.tensor([means]), torch.tensor([stds]).square().log())


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# --- KL ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "std", "nats"),
    [
        (0.0, 1.0, 0.0),
        (1.0, 1.0, 0.5),
        (-3.0, 1.0, 4.5),
        (0.0, 2.0, 1.5 - math.log(2)),  # (4 - 1 - log 4) / 2
        (2.0, 0.5, 1.625 + math.log(2)),  # (4 + 1/4 - 1 + log 4) / 2
        (0.0, math.exp(-5), 4.5 + math.exp(-10) / 2),  # (e^-10 - 1 + 10) / 2
    ],
)
def test_kl_has_the_value_worked_out_by_hand(mean: float, std: float, nats: float) -> None:
    assert posterior_of([mean], [std]).kl().item() == pytest.approx(nats, abs=1e-6)


def test_kl_keeps_its_digits_where_sigma_is_near_one() -> None:
    # With logvar = d the exact value is d^2 / 4 + d^3 / 12 + ..., far below float32's rounding of 1 - sigma^2.
    assert Posterior(torch.zeros(1, 1), torch.tensor([[1e-3]])).kl().item() == pytest.approx(2.50083e-7, rel=1e-3)


def monte_carlo_kl(posterior: Posterior) -> tuple[Tensor, Tensor]:
    """Mean of log q(z) - log p(z) over samples of q, and its standard error, each [latent]; no closed form is used."""
    q = Normal(posterior.mean[0].double(), posterior.std[0].double())
    torch.manual_seed(0)
    z = q.sample((SAMPLES,))  # [sample, latent]
    nats = q.log_prob(z) - Normal(0.0, 1.0).log_prob(z)
    return nats.mean(dim=0), nats.std(dim=0) / SAMPLES**0.5


def agrees_with_monte_carlo(kl: Callable[[Tensor, Tensor], Tensor]) -> bool:
    posterior = posterior_of([0.0, 1.0, -0.5, 2.0], [1.5, 1.0, 0.4, 0.1])
    expected, error = monte_carlo_kl(posterior)
    return bool(((kl(posterior.mean, posterior.logvar)[0] - expected).abs() < 5 * error + 1e-6).all())


def test_kl_agrees_with_monte_carlo() -> None:
    assert agrees_with_monte_carlo(lambda mean, logvar: Posterior(mean, logvar).kl())


WRONG_FORMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "the leading minus is dropped": lambda mu, s: 0.5 * (1 + s - mu**2 - s.exp()),
    "the half is dropped": lambda mu, s: -(1 + s - mu**2 - s.exp()),
    "minimum at sigma = 0.707": lambda mu, s: s.exp() + mu**2 - 0.5 * s - 0.5,
    "the log-variance is taken for a log-sigma": lambda mu, s: -0.5 * (1 + 2 * s - mu**2 - (2 * s).exp()),
    "mu is not squared": lambda mu, s: -0.5 * (1 + s - mu - s.exp()),
    "the other way round, KL(p || q)": lambda mu, s: 0.5 * ((1 + mu**2) / s.exp() - 1 + s),
}


@pytest.mark.parametrize("name", WRONG_FORMS)
def test_popular_wrong_forms_of_the_kl_do_not_agree_with_monte_carlo(name: str) -> None:
    assert not agrees_with_monte_carlo(WRONG_FORMS[name])


def test_kl_is_never_negative_and_zero_at_the_prior_alone() -> None:
    generator = seeded()
    near = 1e-3 * torch.randn(10_000, 2, generator=generator)
    far = 5 * torch.randn(10_000, 2, generator=generator)
    for values in (near, far):
        assert (Posterior(values, values.flip(0)).kl() >= 0).all()
    assert (Posterior(torch.zeros(3, 2), torch.zeros(3, 2)).kl() == 0).all()


def test_the_gradient_of_the_kl_has_the_values_worked_out_by_hand() -> None:
    mean, logvar = torch.tensor([[0.7]], requires_grad=True), torch.tensor([[-0.3]], requires_grad=True)
    Posterior(mean, logvar).kl().sum().backward()
    assert mean.grad.item() == pytest.approx(0.7)  # mu
    assert logvar.grad.item() == pytest.approx((math.exp(-0.3) - 1) / 2)  # (sigma^2 - 1) / 2


# --- sampling ------------------------------------------------------------------------------------------------


def test_samples_have_the_posterior_s_mean_and_deviation() -> None:
    mean, std = torch.tensor([[-1.0, 3.0]]), torch.tensor([[0.5, 2.0]])
    many = Posterior(mean.expand(SAMPLES, -1), std.square().log().expand(SAMPLES, -1))
    z = many.sample(seeded())
    assert torch.allclose(z.mean(dim=0), mean[0], atol=5 * 2.0 / SAMPLES**0.5)
    assert torch.allclose(z.std(dim=0), std[0], rtol=0.01)


def test_samples_depend_on_the_given_generator_alone() -> None:
    posterior = posterior_of([0.0, 1.0], [1.0, 2.0])
    before = torch.get_rng_state()
    first = posterior.sample(seeded(7))
    torch.rand(5)
    torch.set_rng_state(before)
    again, other = posterior.sample(seeded(7)), posterior.sample(seeded(8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_generator_goes_on_from_draw_to_draw() -> None:
    posterior, generator = posterior_of([0.0], [1.0]), seeded()
    assert not torch.equal(posterior.sample(generator), posterior.sample(generator))


def test_gradients_pass_through_a_sample_to_mean_and_deviation() -> None:
    mean, logvar = torch.tensor([[0.2, -1.0]], requires_grad=True), torch.tensor([[0.5, -2.0]], requires_grad=True)
    z = Posterior(mean, logvar).sample(seeded())
    z.sum().backward()
    assert torch.equal(mean.grad, torch.ones(1, 2))  # z = mu + sigma * eps
    assert torch.allclose(logvar.grad, 0.5 * (z - mean).detach())  # d sigma / d logvar = sigma / 2
