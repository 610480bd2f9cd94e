"""Queries in tiles: which texels a step of the fine-tuning touches, and how it fetches and updates them.

A dense Adam step over a whole latent texture costs more than the step's queries, and XLA scatters one row at
a time on a CPU. So a chunk rolls the texture by a random offset and cuts it into 9 x 9 texel tiles that share
no texel; a step takes a slice of them. A tile holds 8 x 8 bilinear cells, and with equal numbers of queries in
each cell the bilinear fetch is four slices times weights: its gradient is dense and needs no scatter. The
cells between two tiles wait for another chunk's offset; over chunks the coverage is uniform.

State of a texture: `[3 C + 1, H, W]`: the latents, Adam's two moments, and how often a texel was updated.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from verdigris.conventions import Array

Indices = NDArray[np.int32]
CELLS = 8
SIDE = CELLS + 1


@dataclass(frozen=True)
class TilePlan:
    """How the queries of a step lie on a texture of `resolution`^2 texels.

    A step's queries are ordered `[samples, tiles, 8, 8]` (v, then u, last). Resolution 1 is one texel, no cells:
    `[batch, 1, 1, 1]`.
    """

    resolution: int
    tiles: int
    samples: int

    @property
    def across(self) -> int:
        """Tiles along a side of the texture."""
        return max(self.resolution // SIDE, 1)

    @property
    def groups(self) -> int:
        """Disjoint groups of tiles that steps take in turn."""
        return self.across**2 // self.tiles

    @property
    def cells(self) -> int:
        """Cells along a side of a tile."""
        return CELLS if self.resolution > 1 else 1

    @property
    def batch(self) -> int:
        """Queries in a step."""
        return self.samples * self.tiles * self.cells**2


def plan(resolution: int, batch: int) -> TilePlan:
    """The plan with the most tiles: `batch` a power of two of 64 or more; resolution 1, or 9 and up."""
    if resolution == 1:
        return TilePlan(1, 1, batch)
    available = (resolution // SIDE) ** 2
    tiles = min(2 ** (available.bit_length() - 1), batch // CELLS**2)
    return TilePlan(resolution, tiles, batch // CELLS**2 // tiles)


@dataclass(frozen=True)
class Layout:
    """One chunk's tiles: `offset` `[2]` the (y, x) texel the grid starts at, `order` `[groups * tiles]` the tiles
    in the order the steps take them, `fraction` two `[steps, batch]` positions (u, v) inside the cells, 0 to 1."""

    offset: Indices
    order: Indices
    fraction: tuple[Array, Array]


def draw(plan: TilePlan, steps: int, rng: np.random.Generator) -> tuple[Layout, tuple[Array, Array]]:
    """A random layout and the (u, v) of its queries, two flat `[steps * batch]` float32 arrays in 0..1."""
    offset = rng.integers(plan.resolution, size=2).astype(np.int32)
    order = rng.permutation(plan.across**2)[: plan.groups * plan.tiles].astype(np.int32)
    fraction = rng.random((2, steps, plan.samples, plan.tiles, plan.cells, plan.cells), dtype=np.float32)
    groups = order.reshape(plan.groups, plan.tiles)[np.arange(steps) % plan.groups]
    cell = np.arange(plan.cells)
    corner_y = (offset[0] + groups // plan.across * SIDE)[:, None, :, None, None] + cell[:, None]
    corner_x = (offset[1] + groups % plan.across * SIDE)[:, None, :, None, None] + cell
    scale = np.float32(1.0 / plan.resolution)
    u = (corner_x % plan.resolution + np.float32(0.5)).astype(np.float32) + fraction[0]
    v = (corner_y % plan.resolution + np.float32(0.5)).astype(np.float32) + fraction[1]
    uv = tuple(np.mod(axis * scale, np.float32(1.0)).reshape(-1) for axis in (u, v))
    flat = fraction.reshape(2, steps, plan.batch)
    return Layout(offset, order, (flat[0], flat[1])), (uv[0], uv[1])


def cut(plan: TilePlan, state: jax.Array, offset: jax.Array, order: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`[D, H, W]` -> (the rolled texture, the tiles `[D, groups * tiles, 9, 9]` in the order the steps take them)."""
    rolled = jnp.roll(state, (-offset[0], -offset[1]), axis=(1, 2))
    if plan.resolution == 1:
        return rolled, rolled[:, None]
    n, used = plan.across, plan.across * SIDE
    grid = rolled[:, :used, :used].reshape(-1, n, SIDE, n, SIDE).transpose(0, 1, 3, 2, 4).reshape(-1, n * n, SIDE, SIDE)
    return rolled, grid[:, order]


def join(plan: TilePlan, rolled: jax.Array, tiles: jax.Array, offset: jax.Array, order: jax.Array) -> jax.Array:
    """The inverse of `cut`: the texture with the tiles put back."""
    if plan.resolution == 1:
        return tiles[:, 0]
    n, used = plan.across, plan.across * SIDE
    grid = rolled[:, :used, :used].reshape(-1, n, SIDE, n, SIDE).transpose(0, 1, 3, 2, 4).reshape(-1, n * n, SIDE, SIDE)
    grid = grid.at[:, order].set(tiles, unique_indices=True)
    block = grid.reshape(-1, n, n, SIDE, SIDE).transpose(0, 1, 3, 2, 4).reshape(-1, used, used)
    return jnp.roll(rolled.at[:, :used, :used].set(block), (offset[0], offset[1]), axis=(1, 2))


def fetch(plan: TilePlan, texels: jax.Array, fraction: tuple[jax.Array, jax.Array]) -> jax.Array:
    """Bilinear latents of a step's queries: `[C, tiles, 9, 9]`, two `[batch]` -> `[C, batch]`."""
    if plan.resolution == 1:
        return jnp.broadcast_to(texels.reshape(-1, 1), (texels.shape[0], plan.batch))
    shape = (1, plan.samples, plan.tiles, CELLS, CELLS)
    fu, fv = (f.reshape(shape) for f in fraction)
    patch = texels[:, None]
    low = patch[..., :-1, :-1] * (1 - fu) + patch[..., :-1, 1:] * fu
    high = patch[..., 1:, :-1] * (1 - fu) + patch[..., 1:, 1:] * fu
    return (low * (1 - fv) + high * fv).reshape(texels.shape[0], plan.batch)
