"""The JAX twin of `model/sampler.py`, feature-major, differentiable, float32; its layers are those of a decoder."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake.trainable import Network, Rows, frames, init_layers, mlp
from verdigris.model.config import ModelConfig, SamplerConfig
from verdigris.model.sampler import ACTIVATION, ALPHA_MIN, HALF_Z_MIN, NORMAL_Z_MIN, RAW_MAX

ALPHA_START = -1.5
"""Bias of both widths of a lobe at the start: 0.084, between a coat's and that of a rough metal."""

RADIUS_MAX = 1e15
"""Squared radius of slopes: of a lobe so far away its square is finite, without which a gradient is not a number."""

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


def density(config: SamplerConfig, raw: jax.Array, normals: list[Rows], wi: Rows, wo: Rows) -> jax.Array:
    """Density of the mixture above the horizon, `[6 L + 3, n]`, rows `[n]` `-> [..., n]`; wo: rows `[..., n]`."""
    raw = jnp.clip(raw, -RAW_MAX, RAW_MAX)
    s = jnp.sqrt(1.0 + raw * raw)
    rise = _rise(raw, s)
    v = tuple(a + b for a, b in zip(wi, wo, strict=True))
    z = jnp.maximum(v[2], HALF_Z_MIN)
    slope_x, slope_y, count = -v[0] / z, -v[1] / z, config.lobes
    logits = raw[5 * count + 2 :]
    weight = jnp.exp(logits - logits.max(axis=0))
    share = weight * ((1.0 - config.defensive) / weight.sum(axis=0))
    total: Any = 0.0
    for lobe in range(count):
        n, row = normals[lobe % len(normals)], 5 * lobe
        n_z = jnp.maximum(n[2], NORMAL_Z_MIN)
        alpha_x, alpha_y = (ALPHA_MIN + rise[row + i] / 2.0 for i in range(2))
        rho, root = raw[row + 2] / s[row + 2], 1.0 / s[row + 2]
        x = (slope_x - raw[row + 3] * s[row + 3] + n[0] / n_z) / alpha_x
        y = ((slope_y - raw[row + 4] * s[row + 4] + n[1] / n_z) / alpha_y - rho * x) / root
        radius = jnp.minimum(1.0 + x * x + y * y, RADIUS_MAX)
        total += share[1 + lobe] / (radius * radius * (alpha_x * alpha_y * root))
    total *= sum(a * a for a in v) / (2.0 * z * z * z)
    tilt_x, tilt_y = (raw[row] * s[row] for row in (5 * count, 5 * count + 1))
    cos = (wo[2] - tilt_x * wo[0] - tilt_y * wo[1]) * jax.lax.rsqrt(1.0 + tilt_x * tilt_x + tilt_y * tilt_y)
    return (total + share[0] * jnp.maximum(cos, 0.0) + config.defensive / 2.0) / jnp.pi


def _rise(x: jax.Array, s: jax.Array) -> jax.Array:
    below = 1.0 / (s * (s + jnp.abs(x)))
    return jnp.where(x < 0.0, below, 2.0 - below)
