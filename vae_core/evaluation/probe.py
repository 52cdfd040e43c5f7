"""The linear probe: how much of the labels a linear classifier finds in the codes of a few labelled images."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from vae_core.errors import InputError

__all__ = ["DRAWS", "LABELS", "Probe", "probe_codes"]

LABELS = 550  # labelled images in all: few enough that codes, not labels, have to tell classes apart
DRAWS = 5  # of the labelled images
ITERATIONS = 2_000  # of the solver, at the most


@dataclass(frozen=True)
class Probe:
    """Accuracy of a logistic regression on posterior means.

    Attributes:
        accuracy: On all test codes, a share; the mean over draws of the labelled images.
        standard_deviation: Standard deviation of the accuracy over those draws.
        labels: Labelled images in each.
        draws: Number of draws.
    """

    accuracy: float
    standard_deviation: float
    labels: int
    draws: int

    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds."""
        return asdict(self)


def probe_codes(
    train_codes: Float[np.ndarray, "n d"],
    train_labels: Int[np.ndarray, " n"],
    test_codes: Float[np.ndarray, "m d"],
    test_labels: Int[np.ndarray, " m"],
    *,
    labels: int = LABELS,
    draws: int = DRAWS,
    seed: int = 0,
) -> Probe:
    """Fit to a few labelled codes, as many of each class, and measure on all test codes.

    Codes are brought to mean 0 and variance 1 by the labelled ones. L2 of scikit-learn's default strength.

    Args:
        train_codes: Posterior means of training images, [image, latent].
        train_labels: Class of each training image, [image].
        test_codes: Posterior means of test images, [image, latent].
        test_labels: Class of each test image, [image].
        labels: Labelled images to draw in all: ``labels // classes`` of each class.
        draws: Number of draws.
        seed: Seed of the draws.

    Raises:
        InputError: There are fewer than two classes, or a class has too few training images.
    """
    from sklearn.linear_model import LogisticRegression  # takes a second to import
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classes, counts = np.unique(train_labels, return_counts=True)
    each, rarest = labels // max(1, len(classes)), min(counts.tolist(), default=0)
    if len(classes) < 2 or each < 1 or rarest < each:
        raise InputError(
            f"a probe with {labels} labels needs at least 2 classes and {each} training images of each, "
            f"got {len(classes)} classes and {rarest} of the rarest."
        )
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        rows = np.concatenate(
            [generator.choice(np.flatnonzero(train_labels == label), each, replace=False) for label in classes]
        )
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=ITERATIONS))
        probe.fit(train_codes[rows], train_labels[rows])
        found.append(probe.score(test_codes, test_labels))
    return Probe(float(np.mean(found)), float(np.std(found)), each * len(classes), draws)
