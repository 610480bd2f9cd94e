"""The JAX twin of `model/sampler.py`, feature-major, differentiable, float32; its layers are those of a decoder."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake.trainable import Network, Rows, frames, init_layers, mlp
from verdigris.model.config import ModelConfig, SamplerConfig
from verdigris.model.sampler import ACTIVATION, ALPHA_MIN, BELOW_ONE, HALF_Z_MIN, NORMAL_Z_MIN, RAW_MAX

ALPHA_START = -1.5
"""Bias of both widths of a lobe at the start: 0.084, between a coat's and that of a rough metal."""

RADIUS_MAX = 1e15
"""Squared radius of slopes: of a lobe so far away its square is finite, without which a gradient is not a number."""


class Ggx(NamedTuple):
    """A non-centred GGX lobe of half-vector slopes: numbers as in `model/sampler.py`, `[n]` each."""

    alpha_x: jax.Array
    alpha_y: jax.Array
    rho: jax.Array
    root: jax.Array
    offset_x: jax.Array
    offset_y: jax.Array


Layers = list[tuple[jax.Array, jax.Array]]


def init_sampler(config: ModelConfig, rng: np.random.Generator) -> Layers:
    """A random sampler, its lobes near the learned normals."""
    layers = init_layers(config.sampler_widths, rng)
    weight, bias = layers[-1]
    narrow = np.zeros(len(bias), np.float32)
    narrow[: 5 * config.sampler.lobes].reshape(-1, 5)[:, :2] = ALPHA_START
    return [*layers[:-1], (weight, bias + narrow)]


def predict(layers: Layers, network: Network, latent: jax.Array, wi: Rows) -> tuple[jax.Array, list[Rows]]:
    """The sampler's last numbers and the learned normals, for latents `[C, n]` and directions, rows `[n]`."""
    found = frames(network, latent)
    rows = [sum(a * b for a, b in zip(wi, axis, strict=True)) for frame in found for axis in frame]
    return mlp(layers, jnp.concatenate([jnp.stack(rows), latent]), ACTIVATION), [frame[2] for frame in found]


def ggx_lobes(config: SamplerConfig, raw: jax.Array, normals: list[Rows]) -> list[Ggx]:
    """The GGX lobes of the network's last numbers, `[6 L + 3, n]`, and learned normals, rows `[n]`."""
    raw = jnp.clip(raw, -RAW_MAX, RAW_MAX)
    s = jnp.sqrt(1.0 + raw * raw)
    rise, found = _rise(raw, s), []
    for lobe in range(config.lobes):
        n, row = normals[lobe % len(normals)], 5 * lobe
        n_z = jnp.maximum(n[2], NORMAL_Z_MIN)
        alpha_x, alpha_y = (ALPHA_MIN + rise[row + i] / 2.0 for i in range(2))
        offset_x, offset_y = (raw[row + 3 + i] * s[row + 3 + i] - n[i] / n_z for i in range(2))
        found.append(Ggx(alpha_x, alpha_y, raw[row + 2] / s[row + 2], 1.0 / s[row + 2], offset_x, offset_y))
    return found


def ggx_density(lobe: Ggx, wi: Rows, wo: Rows) -> jax.Array:
    """Density of a lobe above the horizon per solid angle, rows `[n] -> [..., n]`; wo: rows `[..., n]`."""
    v = tuple(a + b for a, b in zip(wi, wo, strict=True))
    z = jnp.maximum(v[2], HALF_Z_MIN)
    x = (-v[0] / z - lobe.offset_x) / lobe.alpha_x
    y = ((-v[1] / z - lobe.offset_y) / lobe.alpha_y - lobe.rho * x) / lobe.root
    radius = jnp.minimum(1.0 + x * x + y * y, RADIUS_MAX)
    slopes = 1.0 / (jnp.pi * radius * radius * (lobe.alpha_x * lobe.alpha_y * lobe.root))
    return slopes * (sum(a * a for a in v) / (2.0 * z * z * z))


def ggx_draw(lobe: Ggx, wi: Rows, u: jax.Array) -> tuple[Rows, jax.Array]:
    """Directions drawn from a lobe by uniform numbers `[2, K, n]`, rows `[K, n]`, and whether their half vectors face
    wi, `[K, n]`."""
    below = jnp.minimum(u[0], BELOW_ONE)
    radius, phi = jnp.sqrt(below / (1.0 - below)), 2.0 * jnp.pi * u[1]
    x, y = radius * jnp.cos(phi), radius * jnp.sin(phi)
    slope_x = lobe.alpha_x * x + lobe.offset_x
    slope_y = lobe.alpha_y * (lobe.rho * x + lobe.root * y) + lobe.offset_y
    scale = jax.lax.rsqrt(1.0 + slope_x * slope_x + slope_y * slope_y)
    return mirrored(wi, (-slope_x * scale, -slope_y * scale, scale))


def mirrored(wi: Rows, half: Rows) -> tuple[Rows, jax.Array]:
    """Unit vectors, wi mirrored at half vectors, and whether these face it."""
    wi_h = sum(p * q for p, q in zip(wi, half, strict=True))
    out = tuple(2.0 * wi_h * h - i for h, i in zip(half, wi, strict=True))
    scale = jax.lax.rsqrt(sum(o * o for o in out))
    return (out[0] * scale, out[1] * scale, out[2] * scale), wi_h > 0.0


def density(config: SamplerConfig, raw: jax.Array, normals: list[Rows], wi: Rows, wo: Rows) -> jax.Array:
    """Density of the mixture above the horizon, `[6 L + 3, n]`, rows `[n]` `-> [..., n]`; wo: rows `[..., n]`."""
    count = config.lobes
    tilt_x, tilt_y, *logits = jnp.clip(raw[5 * count :], -RAW_MAX, RAW_MAX)
    tilt_x, tilt_y = (x * jnp.sqrt(1.0 + x * x) for x in (tilt_x, tilt_y))
    cosine, *share = (1.0 - config.defensive) * jax.nn.softmax(jnp.stack(logits), axis=0)
    cos = (wo[2] - tilt_x * wo[0] - tilt_y * wo[1]) * jax.lax.rsqrt(1.0 + tilt_x * tilt_x + tilt_y * tilt_y)
    lobes = zip(share, ggx_lobes(config, raw, normals), strict=True)
    total = sum(one * ggx_density(lobe, wi, wo) for one, lobe in lobes)
    return total + (cosine * jnp.maximum(cos, 0.0) + config.defensive / 2.0) / jnp.pi


def _rise(x: jax.Array, s: jax.Array) -> jax.Array:
    below = 1.0 / (s * (s + jnp.abs(x)))
    return jnp.where(x < 0.0, below, 2.0 - below)
