"""How noisy a walked reference's answers are, and how many of them a target averages."""

from __future__ import annotations

from typing import Any

import numpy as np

from verdigris.bake.config import DirectionMix
from verdigris.bake.queries import QuerySource
from verdigris.conventions import luminance
from verdigris.runtime import mitsuba

QUERIES = 4096
REPEATS = 8
TOLERANCE = 0.25
"""Relative standard deviation that the average may keep: the losses take a root of the target, so that what remains
moves their optimum by about 0.25^2 / 3, or 2 %."""

MOST = 4
"""Estimates: at equal time eight come no closer, and four leave no bias that one can measure (docs/training.md)."""

_DARK = 0.02
"""Responses below it count as this bright: their noise is not seen."""


def estimates_for(reference: Any, seed: int) -> int:
    """Estimates a target should average, 1 to MOST; 1 where the reference is closed form.

    By the noise of a single one that nine in ten queries stay below.
    """
    if not reference.stochastic:
        return 1
    rng = np.random.default_rng([seed, QUERIES])
    u, v = rng.random((2, QUERIES), dtype=np.float32)
    wi, wo, _, _ = QuerySource(reference, DirectionMix()).directions(u, v, int(rng.integers(2**63))).numpy()
    # One array of seeds, for one kernel: each number would be compiled into a kernel of its own.
    seeds = mitsuba().UInt32(np.repeat(np.arange(REPEATS, dtype=np.uint32), QUERIES))
    repeated = (np.tile(part, (REPEATS, 1)) for part in (np.stack([u, v], axis=1), wi, wo))
    values = luminance(reference.eval(*repeated, seed=seeds)).reshape(REPEATS, QUERIES)
    relative = values.std(axis=0, ddof=1) / np.maximum(values.mean(axis=0), _DARK)
    return int(np.clip(np.ceil((np.quantile(relative, 0.9) / TOLERANCE) ** 2), 1, MOST))
