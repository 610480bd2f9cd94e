"""The JAX twin of `model/auxiliary.py`, feature-major, and what its heads learn by.

Heads are a dict: name -> list of (weight `[out, in]`, bias `[out]`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake.losses import relative_l2
from verdigris.bake.trainable import RAW_RANGE, Network, Rows, frames, init_layers, mlp
from verdigris.model.auxiliary import ACTIVATION, DIRECTIONAL, HEADS, head_widths
from verdigris.model.config import ModelConfig
from verdigris.model.decoder import OUTPUT_SHIFT

SURFACE = ("emission", "opacity")
"""Heads whose signal a latent trained for the response alone would not hold, so that they train with it."""

Heads = dict[str, list[tuple[jax.Array, jax.Array]]]


def wanted(reference: Any) -> tuple[str, ...]:
    """The heads that a reference has something for, in the order of `HEADS`."""
    has = {
        "albedo": True,
        "guides": hasattr(reference, "guides_dr"),
        "emission": getattr(reference, "emits", False),
        "opacity": getattr(reference, "cuts_out", False),
    }
    return tuple(name for name in HEADS if has[name])


def surface(reference: Any) -> tuple[str, ...]:
    """Those of them that are in `SURFACE`."""
    return tuple(name for name in wanted(reference) if name in SURFACE)


def init_heads(config: ModelConfig, names: tuple[str, ...], hidden: tuple[int, ...], rng: np.random.Generator) -> Heads:
    """Random heads of these names."""
    return {name: init_layers(head_widths(name, config, hidden), rng) for name in names}


def answer(
    config: ModelConfig, heads: Heads, name: str, network: Network, latent: jax.Array, wi: Rows | None = None
) -> jax.Array:
    """A head's answer for latents `[C, n]`, `-> [outputs, n]`; wi, rows `[n]`, for directional heads; no horizon test.

    network: the material's, for its frames.
    """
    x = latent
    if name in DIRECTIONAL:
        assert wi is not None
        rows = [sum(a * b for a, b in zip(wi, axis, strict=True)) for t in frames(network, latent) for axis in t]
        x = jnp.concatenate([jnp.stack(rows), latent])
    raw = mlp(heads[name], x, ACTIVATION)
    if name == "emission":
        return jnp.exp(jnp.clip(raw, *RAW_RANGE["exp"]) - OUTPUT_SHIFT)
    if name != "guides":
        return jax.nn.sigmoid(raw)
    normal = raw[3:6] + jnp.array([0.0, 0.0, 1.0])[:, None]
    normal = normal * jax.lax.rsqrt(jnp.maximum(jnp.sum(normal * normal, axis=0), 1e-12))
    return jnp.concatenate([jax.nn.sigmoid(raw[:3]), normal, jax.nn.sigmoid(raw[6:])])


def loss(name: str, learned: jax.Array, true: jax.Array) -> jax.Array:
    """What a head minimises, `[outputs, n]` twice `-> []`, unbiased where the target is noisy.

    albedo, emission: relative L2, so that dark ones count. guides, opacity: L2; what they answer is no brightness.
    """
    if name in ("albedo", "emission"):
        return jnp.mean(relative_l2(learned, true))
    return jnp.mean(jnp.square(learned - true))


def surface_loss(
    config: ModelConfig, heads: Heads, network: Network, latent: jax.Array, targets: Mapping[str, jax.Array]
) -> jax.Array:
    """Sum of the losses of the heads of `SURFACE` that have a target `[outputs, n]`."""
    return jnp.asarray(sum(loss(name, answer(config, heads, name, network, latent), targets[name]) for name in targets))


def rows(arrays: list[jax.Array], names: tuple[str, ...], steps: int) -> dict[str, Any]:
    """Flat arrays, `HEADS[name]` of them a head, as targets `[steps, outputs, batch]` by name."""
    found, first = {}, 0
    for name in names:
        found[name] = jnp.stack([a.reshape(steps, -1) for a in arrays[first : first + HEADS[name]]], axis=1)
        first += HEADS[name]
    return found


def fetch(texels: jax.Array, u: jax.Array, v: jax.Array) -> jax.Array:
    """Bilinear lookup with repeat wrap anywhere, `[H, W, C], [n], [n] -> [C, n]`: see `model/latents.py`."""
    height, width, channels = texels.shape
    flat = texels.reshape(-1, channels)
    x, y = u * width - 0.5, v * height - 0.5
    left, low = jnp.floor(x), jnp.floor(y)
    fx, fy = (x - left)[:, None], (y - low)[:, None]
    column, row = left.astype(jnp.int32), low.astype(jnp.int32)

    def at(dy: int, dx: int) -> jax.Array:
        return flat[(row + dy) % height * width + (column + dx) % width]

    bottom, top = at(0, 0) * (1 - fx) + at(0, 1) * fx, at(1, 0) * (1 - fx) + at(1, 1) * fx
    return (bottom * (1 - fy) + top * fy).T
