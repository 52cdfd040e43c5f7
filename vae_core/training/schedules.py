"""Weights and step sizes over a run: the learning rate and the KL term's weight."""

import math

from vae_core.models.config import TrainingConfig

__all__ = ["kl_weight", "learning_rate"]


def learning_rate(step: int, total_steps: int, config: TrainingConfig) -> float:
    """Step size at `step` of `total_steps`: a linear rise, then constant or a cosine down to zero.

    Cosine: Loshchilov & Hutter 2017 (arXiv:1608.03983), without restarts.
    """
    rise = min(1.0, (step + 1) / max(1, config.lr_warmup_steps))
    fall = 1.0 if config.schedule == "constant" else 0.5 * (1 + math.cos(math.pi * step / max(1, total_steps)))
    return config.learning_rate * rise * fall


def kl_weight(step: int, *, warmup_steps: float, beta: float, start: float = 0.0) -> float:
    """The KL term's weight: on its way to `beta` over `warmup_steps`, then `beta`.

    From 0 it rises in a straight line (Bowman et al. 2016, arXiv:1511.06349). From `start` * `beta` it goes by equal
    factors: falling over two decades, each dimension comes in where its weight allows it, the strongest first, which
    keeps factors of variation apart (in the spirit of the growing capacity of Burgess et al. 2018,
    arXiv:1804.03599). Beta: Higgins et al. 2017.
    """
    done = 1.0 if warmup_steps <= 0 else min(1.0, step / warmup_steps)
    return beta * (done if start == 0 else start ** (1 - done))
