"""The density of a model's codes as a Gaussian mixture, fitted after training.

The codes of real images do not fill N(0, I) evenly. A mixture fitted to them gives samples that decode to better
pictures, for plain autoencoders too: Ghosh et al. 2020 (arXiv:1903.12436), section 4, with 10 full covariances.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from vae_core.errors import InputError
from vae_core.latent.codes import check_finite

__all__ = ["CANDIDATES", "Mixture", "fit_mixture"]

CANDIDATES = (1, 2, 5, 10, 20, 35, 50, 75, 100)  # numbers of components that are tried
FITTED_CODES = 20_000  # of 16 dimensions: half a minute for all candidates
CODES_A_DIMENSION = 4  # and component, at the least: eight values for each entry that a covariance has free
REGULARISATION = 1e-4  # added to variances, as a share of the codes' mean variance


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of Gaussians in latent space.

    Attributes:
        weights: Probability of each component, summing to 1.
        means: [component, latent].
        factors: Lower Cholesky factors of the covariances, [component, latent, latent].
    """

    weights: Float[np.ndarray, " k"]
    means: Float[np.ndarray, "k d"]
    factors: Float[np.ndarray, "k d d"]

    def log_prob(self, z: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """The log density of each code, in nats, [code]."""
        by_component = [self._log_density(z, component) for component in range(len(self.weights))]
        log_prob: np.ndarray = logsumexp(np.stack(by_component, axis=1), axis=1, b=self.weights)
        return log_prob

    def _log_density(self, z: Float[np.ndarray, "n d"], component: int) -> Float[np.ndarray, " n"]:
        factor = self.factors[component].astype(np.float64)
        whitened = solve_triangular(factor, (z - self.means[component]).T, lower=True)  # [latent, code]
        log_scale = np.log(np.diag(factor)).sum() + 0.5 * len(factor) * np.log(2 * np.pi)
        density: np.ndarray = -0.5 * np.square(whitened).sum(axis=0) - log_scale
        return density


def fit_mixture(
    codes: Float[np.ndarray, "n d"],
    held_out_codes: Float[np.ndarray, "m d"],
    *,
    seed: int,
    candidates: tuple[int, ...] = CANDIDATES,
) -> Mixture:
    """Fit mixtures with more and more components, and keep the last before held-out codes become less likely.

    Expectation maximisation from a seeded k-means. A number of components counts only when there are
    `CODES_A_DIMENSION` codes for each of its dimensions; the smallest always does.

    Args:
        codes: One draw from q(z|x) for each of many training images; a plain autoencoder's codes as they are.
            Of more than `FITTED_CODES` a seeded choice is taken.
        held_out_codes: Such codes of images that the mixture is not fitted to.
        seed: Seed of the choice and of k-means.
        candidates: Numbers of components to try.

    Raises:
        InputError: There are fewer than two codes or no held-out ones, a value is not finite, or there is no
            candidate.
    """
    check_finite("codes", codes, (None, None), fewest=2)
    check_finite("held-out codes", held_out_codes, (None, codes.shape[1]), fewest=1)
    if not candidates or min(candidates) < 1:
        raise InputError(f"a mixture has at least 1 component, got candidates {candidates}.")
    chosen = np.random.default_rng(seed).permutation(len(codes))[:FITTED_CODES]
    codes = codes[np.sort(chosen)].astype(np.float64)
    held_out = held_out_codes.astype(np.float64)
    best, best_score = None, -np.inf
    for components in _worth_trying(candidates, *codes.shape):
        mixture = _fit(codes, components, seed)
        score = mixture.score(held_out)  # nats, the mean over codes
        if score <= best_score:
            break
        best, best_score = mixture, score
    return _as_mixture(best)


def _worth_trying(candidates: tuple[int, ...], count: int, latent: int) -> list[int]:
    first, *others = sorted(set(candidates))
    return [min(first, count), *(number for number in others if number * latent * CODES_A_DIMENSION <= count)]


def _fit(codes: Float[np.ndarray, "n d"], components: int, seed: int) -> Any:
    """scikit-learn's fitted estimator."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture  # a second to import, and needed at build time only

    floor = np.finfo(np.float32).eps  # where all codes are the same
    mixture = GaussianMixture(
        components,
        covariance_type="full",
        reg_covar=max(REGULARISATION * float(codes.var(axis=0).mean()), floor),
        random_state=seed,
    )
    with warnings.catch_warnings():  # held-out codes judge a fit, whether it has settled or not
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(codes)


def _as_mixture(fitted: Any) -> Mixture:
    factors = np.linalg.cholesky(fitted.covariances_)
    parts = (fitted.weights_, fitted.means_, factors)
    return Mixture(*(part.astype(np.float32) for part in parts))
