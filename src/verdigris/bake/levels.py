"""The coarse levels of a latent texture: how queries are shared among the levels, and what those above 0 learn.

A query at level k learns the response averaged over a Gaussian footprint about its position, whose standard deviation
is half a texel of that level [P], by a few positions of it. Such a target is noisy, and the losses learn something near
its median. Where the positions are too few for that to be nearly the mean, the texels also follow `losses.mean_l2`,
which learns the mean. docs/training.md has what was measured.
"""

from __future__ import annotations

import numpy as np

from verdigris.bake import lean, noise
from verdigris.bake.config import BakeConfig
from verdigris.bake.phases import Texture
from verdigris.bake.queries import QuerySource

EVEN = 0.5
"""Part of the coarse levels' share that is dealt evenly; the rest goes by their texels. By these alone the top of a
large texture would get a step in a thousand."""


def shares(config: BakeConfig, count: int) -> list[float]:
    """Each level's share of the queries; they sum to 1."""
    if count == 1:
        return [1.0]
    texels = 4.0 ** -np.arange(1, count)
    coarse = EVEN / (count - 1) + (1.0 - EVEN) * texels / texels.sum()
    return [1.0 - config.level_share, *(config.level_share * coarse).tolist()]


def textures(config: BakeConfig, source: QuerySource, side: int) -> tuple[Texture, ...]:
    """The levels of a material's texture, whose level 0 has `side`^2 texels; their shares sum to 1."""
    sides = lean.sides(side)[: config.levels or None]
    if len(sides) == 1:
        return (Texture(side),)
    deviations = [0.5 / side for side in sides[1:]]
    samples, too_few = noise.footprint_samples_for(source, deviations, config.seed, config.footprint_samples)
    return tuple(
        Texture(side, share, 0, level, samples, too_few and level > 0)
        for level, (side, share) in enumerate(zip(sides, shares(config, len(sides)), strict=True))
    )
