"""The coarse levels of a latent texture: how queries are shared among the levels, and what those above 0 learn.

A query at level k learns the response averaged over a Gaussian footprint about its position, whose standard deviation
is half a texel of that level [P]. A few positions of a bumpy, glossy surface miss its highlights more often than not,
and the losses learn something near the median of such targets: the level turns dark. The coarser a level, the more
varied is its footprint and the fewer are its texels, so that its queries are fewer and average more positions.
docs/training.md has what was measured.
"""

from __future__ import annotations

import numpy as np

from verdigris.bake import lean
from verdigris.bake.config import BakeConfig
from verdigris.bake.phases import Texture

EVEN = 0.125
"""Part of the coarse levels' share that is dealt evenly; the rest goes by their texels. By these alone the top of a
large texture would get no step at all."""

POSITIONS = (4, 8, 16, 32)
"""Of the footprint of a query at levels 1, 2, ...; at all further levels the last. Level 1 has as many as a walk has
estimates at level 0, each asked once."""


def shares(config: BakeConfig, count: int) -> list[float]:
    """Each level's share of the queries; they sum to 1."""
    if count == 1:
        return [1.0]
    texels = 4.0 ** -np.arange(1, count)
    coarse = EVEN / (count - 1) + (1.0 - EVEN) * texels / texels.sum()
    return [1.0 - config.level_share, *(config.level_share * coarse).tolist()]


def textures(config: BakeConfig, side: int, finest: int = 1) -> tuple[Texture, ...]:
    """The levels of a material's texture, whose level 0 has `side`^2 texels; their shares sum to 1.

    finest: positions that a target at level 0 averages.
    """
    sides = lean.sides(side)[: config.levels or None]
    return tuple(
        Texture(side, share, 0, level, positions(config, level) if level else finest)
        for level, (side, share) in enumerate(zip(sides, shares(config, len(sides)), strict=True))
    )


def positions(config: BakeConfig, level: int) -> int:
    """How many of a footprint a target above level 0 averages."""
    return config.footprint_samples or POSITIONS[min(level, len(POSITIONS)) - 1]
