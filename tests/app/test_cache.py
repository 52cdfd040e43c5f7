"""What is kept for all visitors."""

import torch

from app.cache import example_digits
from vae_core.datasets import load_dataset


def test_the_examples_are_scikit_learns_real_digits():
    digits = load_dataset("digits", "test")
    labels = [digits.label_names[index] for index in digits.labels.tolist()]
    examples = example_digits()
    assert [name for name, _ in examples] == ["2", "3", "5", "7", "8"]
    for name, image in examples:
        assert torch.equal(image, digits.images[labels.index(name)].float() / 255)
