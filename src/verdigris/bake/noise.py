"""How noisy a target is, by the reference's walk or by the footprint it averages, and how many samples it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from verdigris.bake.blur import Blur, Footprint
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

FOOTPRINT_QUERIES, FOOTPRINT_REPEATS = 1024, 16
FOOTPRINT_SAMPLES = (2, 4)
ENERGY_KEPT = 0.95
"""Share of the light of coarse levels that a loss which learns the median of a target may keep."""

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


def footprint_samples_for(
    source: QuerySource, deviations: Sequence[float], seed: int, given: int = 0
) -> tuple[int, bool]:
    """Positions a target at a coarse level should average, out of FOOTPRINT_SAMPLES, and whether they are too few.

    The losses learn something near the median of a noisy target: too few positions of a bumpy, glossy surface miss its
    highlights more often than not, and the level turns dark. As many as keep ENERGY_KEPT of the light of medians of
    FOOTPRINT_REPEATS targets, or the most there are. deviations: of the footprint at each level. given: their number,
    where it is not to be chosen.
    """
    rng, n = np.random.default_rng([seed, FOOTPRINT_QUERIES]), FOOTPRINT_QUERIES
    u, v = rng.random((2, n), dtype=np.float32)
    deviation = np.resize(np.asarray(deviations, np.float32), n)
    queries = source.directions(u, v, int(rng.integers(2**63)), spread=2.0 * deviation)
    wi, wo, _, _ = queries.numpy()
    u, v, wi, wo = (np.concatenate([part] * FOOTPRINT_REPEATS) for part in (u, v, wi, wo))
    light = {}
    for samples in (given,) if given else FOOTPRINT_SAMPLES[::-1]:
        blur = Blur(footprint=Footprint(np.tile(deviation, FOOTPRINT_REPEATS), samples))
        found = source.responses(u, v, wi, wo, int(rng.integers(2**63)), blur).reshape(FOOTPRINT_REPEATS, n, 3)
        found = np.where(np.isfinite(found), found, 0.0).astype(np.float64)
        light[samples] = float(np.median(found, axis=0).sum() / max(found.mean(axis=0).sum(), 1e-12))
    enough = [samples for samples in light if light[samples] >= ENERGY_KEPT]
    return min(enough, default=max(light)), not enough
