"""The latent pyramid: texel layout, choice of level, bilinear filtering.

A level is an array `[H, W, C]`, row y at v = (y + 0.5) / H (v upwards, row 0 at the bottom), column x at
u = (x + 0.5) / W. Textures repeat. Level 0 is the finest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from verdigris.conventions import Array

Indices = NDArray[np.intp]


def choose_level(level: float | Array, count: int, n: int, seed: int) -> Indices:
    """Level of each of n queries, `[n]` in 0..count-1.

    level: scalar or `[n]`, clamped to the levels that exist. A fractional level is the ceiling with the probability
    of its fraction, else the floor [P]; the choice is `numpy.random.default_rng(seed)`'s.
    """
    wanted = np.clip(np.broadcast_to(np.asarray(level, dtype=np.float64), (n,)), 0.0, count - 1)
    floor = np.floor(wanted)
    fraction = wanted - floor
    if not fraction.any():
        return floor.astype(np.intp)
    return (floor + (np.random.default_rng(seed).random(n) < fraction)).astype(np.intp)


ANISOTROPY = 2.0
"""Longest footprint, in its widths, that the level of its width answers for: see docs/level-of-detail.md."""


def footprint_level(duv_dx: Array, duv_dy: Array, height: int, width: int) -> Array:
    """Fractional level for a footprint, not yet clamped, `[n, 2], [n, 2] -> [n]`: 0 where a texel of level 0 spans it.

    duv_dx, duv_dy: uv partials, the vectors that span a pixel's parallelogram. height, width: of level 0. Of a longish
    footprint the width counts, its area over its longer side, but at least that side over ANISOTROPY. -inf where both
    partials are 0.
    """
    size = np.array([width, height])
    x, y = duv_dx * size, duv_dy * size
    longest = np.maximum(np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1))
    area = np.abs(x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log2(np.maximum(np.nan_to_num(area / longest), longest / ANISOTROPY))


def _neighbours(coordinate: Array, size: int) -> tuple[Indices, Indices, Array]:
    """The two texels around a texture coordinate and the weight of the second, each `[n]`."""
    # The whole part goes first: it carries no information, and in float32 it would cost the fraction its digits.
    position = (coordinate - np.floor(coordinate)) * coordinate.dtype.type(size) - coordinate.dtype.type(0.5)
    first = np.floor(position)
    index = first.astype(np.intp)
    return index % size, (index + 1) % size, position - first


def fetch(texture: Array, uv: Array) -> Array:
    """Bilinear lookup with repeat wrap, `[H, W, C], [n, 2] -> [n, C]` in the texture's dtype."""
    height, width, channels = texture.shape
    x0, x1, fx = _neighbours(uv[:, 0].astype(texture.dtype, copy=False), width)
    y0, y1, fy = _neighbours(uv[:, 1].astype(texture.dtype, copy=False), height)
    texels = texture.reshape(height * width, channels)
    fx, fy = fx[:, None], fy[:, None]
    bottom = texels[y0 * width + x0] * (1 - fx) + texels[y0 * width + x1] * fx
    top = texels[y1 * width + x0] * (1 - fx) + texels[y1 * width + x1] * fx
    return bottom * (1 - fy) + top * fy


def fetch_pyramid(latents: Sequence[Array], uv: Array, levels: Indices) -> Array:
    """Latent of each query from its own level, `[n, 2], [n] -> [n, C]`."""
    first = int(levels[0]) if len(levels) else 0
    if (levels == first).all():
        return fetch(latents[first], uv)
    result = np.empty((len(uv), latents[0].shape[2]), dtype=latents[0].dtype)
    for level in np.unique(levels):
        chosen = levels == level
        result[chosen] = fetch(latents[level], uv[chosen])
    return result
