"""Directions that a sampler learns from: wide enough in every lobe, narrow enough at every highlight.

A learned response has its narrow highlights about the learned normals, at a width that nothing tells. So half vectors
are drawn about each of them, and about the surface's, with a density of slopes that falls as 1 / (r^2 + r0^2): every
width above r0 gets the same share, and the response over the density stays within a few times its mean for a GGX lobe
of any such width. A few directions are cosine-distributed, for what no normal explains.

Round about a normal, few of them meet a highlight that is stretched, or tilted away. So a part is drawn from the GGX
lobes that the sampler has learned so far; since the others stay, what no lobe has found yet is found all the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake.lobes import Ggx, ggx_density, ggx_draw, mirrored
from verdigris.bake.trainable import Rows

SLOPE_MIN, SLOPE_MAX = 1e-3, 20.0
"""r0, below our narrowest lobe, 2.5e-3; and the steepest slope drawn."""

LOG_RANGE = float(np.log1p((SLOPE_MAX / SLOPE_MIN) ** 2))

ADAPTIVE = 0.25
"""Share of the draws that are from the sampler's own lobes, where it has them."""

COS_MIN = 1e-3
"""Least cosine of a half vector and its normal that has a density; SLOPE_MAX lies before it."""

HEIGHT_MIN = 1e-4
"""Directions closer to the horizon are left out."""


def draw(normals: list[Rows], wi: Rows, u: jax.Array, lobes: Sequence[Ggx] = ()) -> tuple[Rows, jax.Array]:
    """Directions for each of `n` known ones, rows `[K, n]`, and 1 / density of each, 0 where a draw failed, `[K, n]`.

    normals: rows `[n]`, of the learned frames. u: uniform `[2, K, n]`. lobes: of the sampler, which a share ADAPTIVE of
    the draws are from, as many from each. All others are as many about each normal, about the surface's and by the
    cosine. The density is that of all ways together.
    """
    zero = jnp.zeros_like(wi[0])
    axes = [*normals, (zero, zero, zero + 1.0)]
    sizes = _sizes(u.shape[1], len(axes) + 1, len(lobes))
    parts = jnp.split(u, np.cumsum(sizes)[:-1], axis=1)
    drawn = [_around(axis, wi, part) for axis, part in zip(axes, parts, strict=False)]
    drawn.append(_by_cosine(parts[len(axes)]))
    drawn += [ggx_draw(lobe, wi, part) for lobe, part in zip(lobes, parts[len(axes) + 1 :], strict=True)]
    wo: Rows = tuple(jnp.concatenate([found[0][i] for found in drawn]) for i in range(3))
    good = jnp.concatenate([found[1] for found in drawn]) & (wo[2] > HEIGHT_MIN)
    density = [_density(axis, wi, wo) for axis in axes] + [jnp.maximum(wo[2], 0.0) / jnp.pi]
    density += [ggx_density(lobe, wi, wo) for lobe in lobes]
    total = sum(size / sum(sizes) * one for size, one in zip(sizes, density, strict=True))
    return wo, jnp.where(good, 1.0 / jnp.where(good, total, 1.0), 0.0)


def _sizes(count: int, wide: int, narrow: int) -> list[int]:
    """How many of `count` draws each way takes, the `wide` ones first."""
    adaptive = round(ADAPTIVE * count) if narrow else 0
    return [
        total // ways + (way < total % ways)
        for total, ways in ((count - adaptive, wide), (adaptive, narrow))
        for way in range(ways)
    ]


def _by_cosine(u: jax.Array) -> tuple[Rows, jax.Array]:
    radius, phi = jnp.sqrt(u[0]), 2.0 * jnp.pi * u[1]
    return (radius * jnp.cos(phi), radius * jnp.sin(phi), jnp.sqrt(1.0 - u[0])), u[0] < 1.0


def _around(axis: Rows, wi: Rows, u: jax.Array) -> tuple[Rows, jax.Array]:
    """wi mirrored at half vectors about an axis, and whether these face it."""
    slope, phi = SLOPE_MIN * jnp.sqrt(jnp.expm1(u[0] * LOG_RANGE)), 2.0 * jnp.pi * u[1]
    cos = jax.lax.rsqrt(1.0 + slope * slope)
    x, y = slope * cos * jnp.cos(phi), slope * cos * jnp.sin(phi)
    # A basis about the axis, as in `model/sampler.py`.
    sign = jnp.where(axis[2] >= 0.0, 1.0, -1.0)
    a = -1.0 / (sign + axis[2])
    b = axis[0] * axis[1] * a
    first = (1.0 + sign * axis[0] * axis[0] * a, sign * b, -sign * axis[0])
    second = (b, sign + axis[1] * axis[1] * a, -axis[1])
    half = tuple(f * x + s * y + n * cos for f, s, n in zip(first, second, axis, strict=True))
    return mirrored(wi, (half[0], half[1], half[2]))


def _density(axis: Rows, wi: Rows, wo: Rows) -> jax.Array:
    """Of a mirrored direction per solid angle."""
    v = tuple(a + b for a, b in zip(wi, wo, strict=True))
    length = jnp.sqrt(jnp.maximum(sum(a * a for a in v), 1e-12))
    # |h - n|^2 keeps the digits of a small angle.
    gap = sum((a / length - b) ** 2 for a, b in zip(v, axis, strict=True))
    cos = jnp.maximum(1.0 - gap / 2.0, COS_MIN)
    slope2 = gap * (1.0 - gap / 4.0) / (cos * cos)
    half = 1.0 / (jnp.pi * LOG_RANGE * (slope2 + SLOPE_MIN**2) * cos**3)
    return jnp.where((gap < 2.0) & (slope2 < SLOPE_MAX**2), half, 0.0) / (2.0 * length)
