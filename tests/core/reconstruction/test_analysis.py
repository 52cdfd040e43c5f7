"""What a model makes of one image: figures that company does not change."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal

from tests.core.inference.lanes import PATIENCE, counting_rows, counting_submissions, held
from tests.core.inference.test_engine import make_newer
from vae_core.inference.engine import Engine
from vae_core.models.config import ModelConfig
from vae_core.models.vae import VAE, WEIGHTS_FILE
from vae_core.reconstruction import analysis as analysis_module
from vae_core.reconstruction.analysis import analyse
from vae_core.store.stored_models import model_folder, save_model

THREADS = 8


@pytest.fixture
def engine(models_dir: Path) -> Engine:
    """An engine of its own for each test, with the tiny model in reach."""
    return Engine()


def codes(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 3)).astype(np.float32)


def pictures(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def lively(models_dir: Path, tiny_config: ModelConfig) -> str:
    """A model whose reconstruction depends strongly on z, so that samples of the posterior differ."""
    model = VAE.build_seeded(tiny_config, seed=1)
    with torch.no_grad():
        for weights in model.decoder.parameters():
            weights.mul_(4)
        model.encoder.mean.weight.mul_(20)
    save_model(model, models_dir / "lively", half=False)
    return "lively"


def network_of(name: str) -> VAE:
    return VAE.from_pretrained(model_folder(name))


def test_an_analysis_tells_what_the_model_makes_of_the_image(engine: Engine, lively: str) -> None:
    image, model = pictures(1), network_of(lively)
    (analysis,) = analyse(engine, engine.load(lively), [image[0]])
    with torch.inference_mode():
        posterior = model.encode(image)
        np.testing.assert_allclose(analysis.mean, posterior.mean[0].numpy(), atol=1e-6)
        np.testing.assert_allclose(analysis.std, posterior.logvar[0].exp().sqrt().numpy(), rtol=1e-5)
        np.testing.assert_allclose(analysis.kl, posterior.kl()[0].numpy(), rtol=1e-4, atol=1e-6)
        assert torch.allclose(analysis.reconstruction, model(image)[0], atol=1e-6)
    assert analysis.kl_nats == pytest.approx(float(analysis.kl.sum()))
    assert analysis.elbo == pytest.approx(-analysis.reconstruction_nats - analysis.kl_nats)


def test_the_average_over_posterior_samples_agrees_with_a_large_sample(engine: Engine, lively: str) -> None:
    model, images, samples, many = network_of(lively), pictures(8).round(), 64, 20_000
    torch.manual_seed(0)
    for image, analysis in zip(images, analyse(engine, engine.load(lively), list(images)), strict=True):
        with torch.inference_mode():
            posterior = model.encode(image[None])
            z = Normal(posterior.mean[0], posterior.std[0]).sample((many,))
            nats = -Bernoulli(logits=model.logits(z)).log_prob(image).sum(dim=(1, 2, 3))
        error = nats.std().item() / samples**0.5
        assert error > 0.2, "else one sample would do"
        assert analysis.reconstruction_nats == pytest.approx(nats.mean().item(), abs=4 * error)


def test_samples_of_images_that_wait_together_are_scored_each_against_its_own_image(
    engine: Engine, lively: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis_module, "ELBO_SAMPLES", 8)  # few enough for one batch
    loaded, images = engine.load(lively), pictures(4).split(1)
    posteriors = [engine.encode(engine.load(lively), image) for image in images]
    asks = [(loaded, image, posterior) for image, posterior in zip(images, posteriors, strict=True)]
    expected = [analysis_module._sampled_nats(engine, *ask) for ask in asks]
    wait_for = counting_submissions(engine.bulk, monkeypatch)
    with ThreadPoolExecutor(len(asks)) as pool:
        with held(engine.bulk):
            futures = [pool.submit(analysis_module._sampled_nats, engine, *ask) for ask in asks]
            wait_for(1 + len(asks))
        assert [future.result(PATIENCE) for future in futures] == pytest.approx(expected, rel=1e-6)
    assert len(set(expected)) == len(asks)


def test_an_image_s_figures_do_not_depend_on_its_company(engine: Engine, lively: str) -> None:
    images = list(pictures(6))
    together, backwards = (
        analyse(engine, engine.load(lively), images),
        analyse(engine, engine.load(lively), images[::-1])[::-1],
    )
    for image, one, other in zip(images, together, backwards, strict=True):
        (alone,) = analyse(engine, engine.load(lively), [image])
        for analysis in (one, other):
            assert analysis.reconstruction_nats == alone.reconstruction_nats
            assert analysis.elbo == alone.elbo
            assert np.array_equal(analysis.mean, alone.mean)
            assert torch.equal(analysis.reconstruction, alone.reconstruction)


def test_an_image_under_analysis_is_encoded_without_company(
    engine: Engine, lively: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = pictures(1)
    made = counting_rows(engine.load(lively).network, "encode", monkeypatch)
    wait_for = counting_submissions(engine.bulk, monkeypatch)
    with ThreadPoolExecutor(3) as pool:
        with held(engine.bulk):
            futures = [pool.submit(engine.encode, engine.load(lively), pictures(5))]
            futures += [pool.submit(analyse, engine, engine.load(lively), [image[0]]) for _ in range(2)]
            wait_for(1 + len(futures))
        for future in futures:
            future.result(PATIENCE)
    assert sorted(made) == [1, 1, 5]


def test_no_step_of_an_analysis_shares_a_batch_key(
    engine: Engine, lively: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, submit = [], engine.bulk.submit
    monkeypatch.setattr(engine.bulk, "submit", lambda key, *job: keys.append(key) or submit(key, *job))
    image, digest = pictures(1)[0], engine.load(lively).digest
    analyse(engine, engine.load(lively), [image, image])
    assert len(set(keys)) == len(keys) == 6
    assert not {(digest, "encode"), (digest, "decode")} & set(keys)


def test_an_analysis_that_has_begun_stays_with_its_model(
    engine: Engine, lively: str, monkeypatch: pytest.MonkeyPatch, models_dir: Path, tiny_config: ModelConfig
) -> None:
    image = pictures(1)[0]
    (expected,) = analyse(engine, engine.load(lively), [image])
    wait_for = counting_submissions(engine.bulk, monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        with held(engine.bulk):
            future = pool.submit(analyse, engine, engine.load(lively), [image])
            wait_for(2)
            save_model(VAE.build_seeded(tiny_config, seed=5), models_dir / lively)
            make_newer(models_dir / lively / WEIGHTS_FILE)
        (got,) = future.result(PATIENCE)
    assert torch.equal(got.reconstruction, expected.reconstruction)
    assert got.elbo == expected.elbo


def test_analyses_from_many_threads_give_each_image_its_own_figures(engine: Engine, lively: str) -> None:
    images = list(pictures(2 * THREADS))
    expected = [analysis.elbo for analysis in analyse(engine, engine.load(lively), images)]
    with ThreadPoolExecutor(THREADS) as pool:
        got = [
            analysis.elbo
            for (analysis,) in pool.map(lambda image: analyse(engine, engine.load(lively), [image]), images)
        ]
    assert got == pytest.approx(expected, rel=1e-5)
    assert len(set(expected)) == len(expected)


def test_an_analysis_draws_nothing_from_the_global_generator(engine: Engine) -> None:
    engine.load("tiny")
    before = torch.get_rng_state()
    analyse(engine, engine.load("tiny"), [pictures(1)[0]])
    assert torch.equal(torch.get_rng_state(), before)


def test_no_image_gives_no_analysis(engine: Engine) -> None:
    assert analyse(engine, engine.load("tiny"), []) == []


def test_a_plain_autoencoder_is_analysed_without_kl(engine: Engine, models_dir: Path, tiny_config: ModelConfig) -> None:
    save_model(VAE.build_seeded(replace(tiny_config, variational=False), seed=0), models_dir / "plain", half=False)
    image = pictures(1).round()
    (analysis,) = analyse(engine, engine.load("plain"), [image[0]])
    assert (analysis.kl == 0).all()
    assert (analysis.std == 0).all()
    with torch.inference_mode():
        nats = -Bernoulli(network_of("plain")(image)).log_prob(image).sum().item()
    assert analysis.elbo == pytest.approx(-nats, rel=1e-5)
    assert np.isfinite(analysis.elbo)
