"""Subjects one after another, many experiments at a time."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from prompts.statistics.sequential import KAPPA

Counts = npt.NDArray[np.int64]


def streams(
    random: np.random.Generator, size: tuple[int, int], rates: Sequence[float], weights: Sequence[float]
) -> Counts:
    """Counts so far, (experiments, subjects, class, arm); class 0 are successes."""
    shares = np.asarray(weights, dtype=float) / sum(weights)
    arms = random.choice(len(shares), size=size, p=shares)
    won = random.random(size) < np.asarray(rates)[arms]
    made = [[won & (arms == arm) for arm in range(len(shares))]]
    made.append([~won & (arms == arm) for arm in range(len(shares))])
    return np.cumsum(np.array(made), axis=-1).transpose(2, 3, 0, 1)


def log_e_values(counts: Counts, weights: Sequence[float]) -> npt.NDArray[np.float64]:
    """What `sequential.log_e_value` gives for all of them, (experiments, subjects), from tables."""
    most = int(counts.sum(axis=(2, 3)).max()) + 1
    total = _rising(KAPPA, most)
    value: Any = 0.0
    for outcome in range(2):
        value = value - total[counts[:, :, outcome].sum(axis=-1)]
        for arm, weight in enumerate(weights):
            share = weight / sum(weights)
            table = _rising(KAPPA * share, most) - np.arange(most) * math.log(share)
            value = value + table[counts[:, :, outcome, arm]]
    return np.asarray(value)


def _rising(start: float, most: int) -> npt.NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(np.log(start + np.arange(most - 1)))])
