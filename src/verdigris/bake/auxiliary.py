"""The JAX twin of `model/auxiliary.py`, feature-major, and what its heads learn by.

Heads are a dict: name -> list of (weight `[out, in]`, bias `[out]`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake.blur import Footprint
from verdigris.bake.losses import relative_l2
from verdigris.bake.queries import QuerySource
from verdigris.bake.trainable import Network, Rows, frames, init_layers, mlp
from verdigris.conventions import Array
from verdigris.model.auxiliary import ACTIVATION, DIRECTIONAL, HEADS, head_widths
from verdigris.model.config import ModelConfig

SURFACE = ("emission", "opacity")
"""Heads whose signal a latent trained for the response alone would not hold, so that they train with it."""

FOOTPRINT_SAMPLES = 16
"""Positions that a signal is averaged over at a coarse level. Emission learns by its root, so that with few of them it
would miss the lamps of a dark surface."""

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


def union(names: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """All heads that any of several materials has, in the order of `HEADS`."""
    found = {name for several in names for name in several}
    return tuple(name for name in HEADS if name in found)


def present(names: Sequence[str], found: Sequence[Sequence[str]]) -> Array:
    """1 where a material has a head, else 0: `[materials, names]`."""
    return np.array([[float(name in several) for name in names] for several in found], np.float32)


def outputs(names: Sequence[str]) -> int:
    """How many numbers those heads answer together."""
    return sum(HEADS[name] for name in names)


def targets(source: QuerySource, u: Array, v: Array, names: Sequence[str], deviation: Array | None = None) -> list[Any]:
    """Flat columns of the reference's signals at positions `[n]`, or their means over footprints of that deviation
    `[n]`, `HEADS[name]` for each name; 0 where it has none.

    names: of guides, emission and opacity.
    """
    has = [name for name in wanted(source.reference) if name in names]
    columns, found = iter(source.surface(u, v, has, Footprint(deviation, FOOTPRINT_SAMPLES))), list[Any]()
    for name in names:
        nothing = np.zeros(len(u), np.float32)
        found += [next(columns) if name in has else nothing for _ in range(HEADS[name])]
    return found


def init_heads(config: ModelConfig, names: tuple[str, ...], hidden: tuple[int, ...], rng: np.random.Generator) -> Heads:
    """Random heads of these names."""
    return {name: init_layers(head_widths(name, config, hidden), rng) for name in names}


def run(
    config: ModelConfig, heads: Heads, name: str, network: Network, latent: jax.Array, wi: Rows | None = None
) -> jax.Array:
    """A head's last numbers for latents `[C, n]`, `-> [outputs, n]`; wi, rows `[n]`, for directional heads.

    network: the material's, for its frames.
    """
    x = latent
    if name in DIRECTIONAL:
        assert wi is not None
        rows = [sum(a * b for a, b in zip(wi, axis, strict=True)) for t in frames(network, latent) for axis in t]
        x = jnp.concatenate([jnp.stack(rows), latent])
    return mlp(heads[name], x, ACTIVATION)


def respond(name: str, raw: jax.Array) -> jax.Array:
    """The answer from these numbers; no horizon test."""
    if name == "emission":
        return jnp.square(jnp.maximum(raw, 0.0))
    if name != "guides":
        return jax.nn.sigmoid(raw)
    normal = raw[3:6] + jnp.array([0.0, 0.0, 1.0])[:, None]
    normal = normal * jax.lax.rsqrt(jnp.maximum(jnp.sum(normal * normal, axis=0), 1e-12))
    return jnp.concatenate([jax.nn.sigmoid(raw[:3]), normal, jax.nn.sigmoid(raw[6:])])


def loss(name: str, raw: jax.Array, true: jax.Array) -> jax.Array:
    """What a head minimises, its last numbers and the targets, `[outputs, n]` twice `-> []`.

    albedo: relative L2, so that dark ones count, unbiased though the target is noisy. guides, opacity: L2; what they
    answer is no brightness. emission: L2 between roots, where a target is the root of the radiance in units of
    `QuerySource.emission_unit`: it must find a few lamps on a dark surface, and has a gradient wherever it stands.
    """
    if name == "albedo":
        return jnp.mean(relative_l2(respond(name, raw), true))
    return jnp.mean(jnp.square((raw if name == "emission" else respond(name, raw)) - true))


def surface_loss(
    config: ModelConfig, heads: Heads, network: Network, latent: jax.Array, targets: Mapping[str, jax.Array],
    has: Mapping[str, jax.Array],
) -> jax.Array:  # fmt: skip
    """Sum of the losses of the heads of `SURFACE` that have a target `[outputs, n]`. has: 0 for those that the step's
    material has not, else 1."""
    found = (has[name] * loss(name, run(config, heads, name, network, latent), targets[name]) for name in targets)
    return jnp.asarray(sum(found))


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
    return fetch_row(texels.reshape(-1, channels), 0, (height, width), u, v)


def fetch_row(table: jax.Array, first: Any, shape: tuple[Any, Any], u: jax.Array, v: jax.Array) -> jax.Array:
    """The same of a texture of `shape` (height, width), integers or arrays of one, whose texels are the rows of a table
    `[rows, C]` from `first` on."""
    height, width = shape
    x, y = u * width - 0.5, v * height - 0.5
    left, low = jnp.floor(x), jnp.floor(y)
    fx, fy = (x - left)[:, None], (y - low)[:, None]
    column, row = left.astype(jnp.int32), low.astype(jnp.int32)

    def at(dy: int, dx: int) -> jax.Array:
        return table[first + (row + dy) % height * width + (column + dx) % width]

    bottom, top = at(0, 0) * (1 - fx) + at(0, 1) * fx, at(1, 0) * (1 - fx) + at(1, 1) * fx
    return (bottom * (1 - fy) + top * fy).T
