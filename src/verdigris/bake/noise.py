"""How noisy targets at level 0 are, by a walk or by what a texel holds, and how many answers one averages."""

from __future__ import annotations

from typing import Any

import numpy as np

from verdigris.bake import metrics
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

ENERGY_KEPT = 0.94
"""Share of the energy that medians of responses over a texel keep where one position a target will do."""

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


def positions_for(source: QuerySource, side: int, seed: int) -> int:
    """Positions of a texel's footprint that a target at level 0 of `side`^2 texels averages: 1 or MOST.

    The losses learn something near the median of what a texel holds. MOST where textures are so much finer than the
    latents that medians of REPEATS positions lose more of the energy than ENERGY_KEPT leaves; 1 where the reference is
    walked, whose targets are averages of estimates already.
    """
    if source.reference.stochastic:
        return 1
    rng = np.random.default_rng([seed, QUERIES, side])
    u, v = rng.random((2, QUERIES), dtype=np.float32)
    drawn = source.directions(u, v, int(rng.integers(2**63)), metrics.KINDS["sampled"], spread=1.0 / side).numpy()
    u, v, wi, wo = (np.concatenate([part] * REPEATS) for part in (u, v, *drawn[:2]))
    blur = Blur(footprint=Footprint(np.full(QUERIES * REPEATS, 0.5 / side, np.float32)))
    found = source.responses(u, v, wi, wo, int(rng.integers(2**63)), blur).reshape(REPEATS, QUERIES, 3)
    found = np.where(np.isfinite(found), found, 0.0).astype(np.float64)
    weight = metrics.inverse_density(drawn[1], drawn[3])
    kept = metrics.energy_ratio(np.median(found, axis=0), found.mean(axis=0), weight)
    return 1 if kept >= ENERGY_KEPT else MOST
