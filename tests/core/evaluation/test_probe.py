"""The linear probe: what it finds where the answer is known, from how many labels, and that it is repeatable."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from vae_core.errors import InputError
from vae_core.evaluation.probe import probe_codes

Part = tuple[np.ndarray, np.ndarray]


def clusters(count: int, *, classes: int = 3, spread: float = 0.1, seed: int = 0) -> Part:
    """Codes near the unit vector of their class, and the classes."""
    labels = np.arange(count) % classes
    noise = np.random.default_rng(seed).standard_normal((count, classes))
    return (np.eye(classes)[labels] + spread * noise).astype(np.float32), labels


def test_separate_classes_are_all_found_and_unrelated_codes_tell_nothing() -> None:
    train, test = clusters(300), clusters(90, seed=1)
    assert probe_codes(*train, *test, labels=30).metrics() == {
        "accuracy": 1.0,
        "standard_deviation": 0.0,
        "labels": 30,
        "draws": 5,
    }
    noise = np.random.default_rng(2).standard_normal((300, 4)).astype(np.float32)
    unrelated = probe_codes(noise, train[1], noise[::-1].copy(), train[1], labels=30)
    assert unrelated.accuracy == pytest.approx(1 / 3, abs=0.08)
    assert 0 < unrelated.standard_deviation < 0.1


def test_the_scale_of_a_dimension_does_not_matter() -> None:
    (codes, labels), (unseen, expected) = clusters(300, spread=0.6), clusters(90, spread=0.6, seed=1)
    scale = np.array([1e-3, 1, 1e3], np.float32)
    plain = probe_codes(codes, labels, unseen, expected, labels=30)
    scaled = probe_codes(codes * scale + 5, labels, unseen * scale + 5, expected, labels=30)
    assert scaled.accuracy == pytest.approx(plain.accuracy, abs=0.01)


def test_only_as_many_labels_are_used_of_each_class(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.pipeline import Pipeline

    seen, original = [], Pipeline.fit
    monkeypatch.setattr(Pipeline, "fit", lambda self, x, y: seen.append((x, y)) or original(self, x, y))
    codes, labels = clusters(300)
    result = probe_codes(codes, labels, codes, labels, labels=32, draws=4)
    assert (result.labels, result.draws, len(seen)) == (30, 4, 4)
    assert all(np.array_equal(np.bincount(drawn), [10, 10, 10]) for _, drawn in seen)
    assert len({rows.tobytes() for rows, _ in seen}) == 4, "each draw is another"
    assert all(len(np.unique(rows, axis=0)) == 30 for rows, _ in seen), "no image twice"


def test_the_figures_depend_on_the_seed_alone() -> None:
    train, test = clusters(300, spread=0.6), clusters(90, spread=0.6, seed=1)
    first = probe_codes(*train, *test, labels=30)
    np.random.rand(3)
    assert probe_codes(*train, *test, labels=30) == first
    assert probe_codes(*train, *test, labels=30, seed=1) != first


def test_more_labels_of_digits_are_worth_more() -> None:
    images, labels = load_digits(return_X_y=True)
    train, test = (images[:1300].astype(np.float32), labels[:1300]), (images[1300:].astype(np.float32), labels[1300:])
    few, many = (probe_codes(*train, *test, labels=count, draws=3) for count in (20, 550))
    assert few.accuracy + 0.1 < many.accuracy
    assert many.accuracy > 0.88


def test_what_cannot_be_probed_is_refused() -> None:
    codes, labels = clusters(30)
    with pytest.raises(InputError, match="11 training images of each, got 3 classes and 10 of the rarest"):
        probe_codes(codes, labels, codes, labels, labels=33)
    with pytest.raises(InputError, match="got 1 classes"):
        probe_codes(codes, np.zeros_like(labels), codes, labels)
    with pytest.raises(InputError, match="got 3 classes"):
        probe_codes(codes, labels, codes, labels, labels=2)
    with pytest.raises(InputError, match="got 0 classes"):
        probe_codes(codes[:0], labels[:0], codes, labels)
