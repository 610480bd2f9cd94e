"""Directions that a sampler learns from: wide enough in every lobe, narrow enough at every highlight.

A learned response has its narrow highlights about the learned normals, at a width that nothing tells. So half vectors
are drawn about each of them, and about the surface's, with a density of slopes that falls as 1 / (r^2 + r0^2): every
width above r0 gets the same share, and the response over the density stays within a few times its mean for a GGX lobe
of any such width. A few directions are cosine-distributed, for what no normal explains.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake.trainable import Rows

SLOPE_MIN, SLOPE_MAX = 1e-3, 20.0
"""r0, below our narrowest lobe, 2.5e-3; and the steepest slope drawn."""

LOG_RANGE = float(np.log1p((SLOPE_MAX / SLOPE_MIN) ** 2))

COS_MIN = 1e-3
"""Least cosine of a half vector and its normal that has a density; SLOPE_MAX lies before it."""

HEIGHT_MIN = 1e-4
"""Directions closer to the horizon are left out."""


def draw(normals: list[Rows], wi: Rows, u: jax.Array) -> tuple[Rows, jax.Array]:
    """Directions for each of `n` known ones, rows `[K, n]`, and 1 / density of each, 0 where a draw failed, `[K, n]`.

    normals: rows `[n]`, of the learned frames. u: uniform `[2, K, n]`. Draws take turns about the normals, the
    surface's and by the cosine; the density is that of all ways together.
    """
    count, zero = u.shape[1], jnp.zeros_like(wi[0])
    axes = [*normals, (zero, zero, zero + 1.0)]
    way = np.arange(count) % (len(axes) + 1)
    axis = tuple(jnp.stack([axes[min(w, len(axes) - 1)][i] + zero for w in way]) for i in range(3))
    cosine = (way == len(axes))[:, None]
    mirrored, faces = _mirrored(axis, wi, u)
    radius, phi = jnp.sqrt(u[0]), 2.0 * jnp.pi * u[1]
    around = (radius * jnp.cos(phi), radius * jnp.sin(phi), jnp.sqrt(1.0 - u[0]))
    wo: Rows = tuple(jnp.where(cosine, a, b) for a, b in zip(around, mirrored, strict=True))
    good = (wo[2] > HEIGHT_MIN) & (cosine | faces)
    shares = np.bincount(way, minlength=len(axes) + 1) / count
    density = shares[-1] * wo[2] / jnp.pi
    density += sum(share * _density(one, wi, wo) for share, one in zip(shares, axes, strict=False))
    return wo, jnp.where(good, 1.0 / jnp.where(good, density, 1.0), 0.0)


def _mirrored(axis: Rows, wi: Rows, u: jax.Array) -> tuple[Rows, jax.Array]:
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
    wi_h = sum(p * q for p, q in zip(wi, half, strict=True))
    out = tuple(2.0 * wi_h * h - i for h, i in zip(half, wi, strict=True))
    scale = jax.lax.rsqrt(sum(o * o for o in out))
    return (out[0] * scale, out[1] * scale, out[2] * scale), wi_h > 0.0


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
