"""Queries in tiles: which texels a step of the fine-tuning touches, and how it fetches and updates them.

A dense Adam step over a whole latent texture costs more than the step's queries, and XLA scatters one row at
a time on a CPU. So a chunk rolls each texture by a random offset and cuts it into 9 x 9 texel tiles that share
no texel; a step takes a slice of those of one texture. A tile holds 8 x 8 bilinear cells, and with equal numbers
of queries in each cell the bilinear fetch is four slices times weights: its gradient is dense and needs no
scatter. The cells between two tiles wait for another chunk's offset; over chunks the coverage is uniform.

Steps take as many tiles of any texture, so that one step is compiled for all. A texture with fewer tiles than that
has copies of them in its slice, and one of less than 9 texels a side is repeated within its tile: all copies of a
texel get the sum of their gradients, `gather`, and so stay one.

State of a texture: `[3 C + 1, H, W]`: the latents, Adam's two moments, and how often a texel was updated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake.turns import Indices
from verdigris.conventions import Array

CELLS = 8
SIDE = CELLS + 1


@dataclass(frozen=True)
class TilePlan:
    """How the queries of a step lie on one of several textures of `sides[t]`^2 texels.

    A step's queries are ordered `[samples, tiles, 8, 8]` (v, then u, last). Where all textures are single texels
    there are no cells: `[batch, 1, 1, 1]`.
    """

    sides: tuple[int, ...]
    tiles: int
    samples: int

    @property
    def cells(self) -> int:
        """Cells along a side of a tile."""
        return CELLS if max(self.sides) > 1 else 1

    @property
    def width(self) -> int:
        """Texels along a side of a tile."""
        return SIDE if max(self.sides) > 1 else 1

    @property
    def batch(self) -> int:
        """Queries in a step."""
        return self.samples * self.tiles * self.cells**2

    @cached_property
    def across(self) -> tuple[int, ...]:
        """Tiles along a side of each texture."""
        return tuple(max(side // self.width, 1) for side in self.sides)

    @cached_property
    def groups(self) -> tuple[int, ...]:
        """Disjoint groups of tiles of each texture that steps take in turn."""
        return tuple(max(across**2 // self.tiles, 1) for across in self.across)

    @cached_property
    def first(self) -> tuple[int, ...]:
        """Where the tiles of each texture begin among those of all."""
        return tuple(int(first) for first in np.cumsum([0, *self.groups[:-1]]) * self.tiles)

    @cached_property
    def copied(self) -> tuple[bool, ...]:
        """Whether a step sees a texel of the texture in several places."""
        return tuple(
            side < self.width or across**2 < self.tiles for side, across in zip(self.sides, self.across, strict=True)
        )


def plan(sides: Sequence[int], batch: int) -> TilePlan:
    """The plan with the most tiles of the largest texture: `batch` a power of two of 64 or more."""
    largest = max(sides)
    if largest == 1:
        return TilePlan(tuple(sides), 1, batch)
    available = max(largest // SIDE, 1) ** 2
    tiles = min(2 ** (available.bit_length() - 1), batch // CELLS**2)
    return TilePlan(tuple(sides), tiles, batch // CELLS**2 // tiles)


class Layout(NamedTuple):
    """One chunk's tiles: `offset` `[textures, 2]` the (y, x) texel that each texture's grid starts at, `order` for each
    texture `[groups * tiles]` its tiles in the order that steps take them; for each step the texture `turn` and its
    first tile `start` among those of all, `[steps]`; `fraction` two `[steps, batch]` positions (u, v) inside the cells,
    0 to 1."""

    offset: Indices
    order: tuple[Indices, ...]
    turn: Indices
    start: Indices
    fraction: tuple[Array, Array]


def draw(plan: TilePlan, turn: Indices, rng: np.random.Generator) -> tuple[Layout, tuple[Array, Array]]:
    """A random layout and the (u, v) of its queries, two flat `[steps * batch]` float32 arrays in 0..1.

    turn: the texture of each step of the chunk, `[steps]`.
    """
    steps, offset, order = len(turn), np.zeros((len(plan.sides), 2), np.int32), []
    group, corners = np.zeros(steps, np.int32), np.zeros((2, steps, plan.tiles), np.int32)
    for index, side in enumerate(plan.sides):
        offset[index] = rng.integers(side, size=2)
        across, slots = plan.across[index], plan.groups[index] * plan.tiles
        order.append(np.resize(rng.permutation(across**2), slots).astype(np.int32))
        mine = np.flatnonzero(turn == index)
        group[mine] = np.arange(len(mine)) % plan.groups[index]
        tile = order[index].reshape(-1, plan.tiles)[group[mine]]
        for axis, place in enumerate((tile // across, tile % across)):
            corners[axis, mine] = offset[index, axis] + place * plan.width
    fraction = rng.random((2, steps, plan.samples, plan.tiles, plan.cells, plan.cells), dtype=np.float32)
    cell = np.arange(plan.cells)
    sides = np.asarray(plan.sides)[turn][:, None, None, None, None]
    corner_y = (corners[0][:, None, :, None, None] + cell[:, None]) % sides
    corner_x = (corners[1][:, None, :, None, None] + cell) % sides
    scale = np.float32(1.0) / sides.astype(np.float32)
    u = (corner_x + np.float32(0.5)).astype(np.float32) + fraction[0]
    v = (corner_y + np.float32(0.5)).astype(np.float32) + fraction[1]
    uv = tuple(np.mod(axis * scale, np.float32(1.0)).reshape(-1) for axis in (u, v))
    flat = fraction.reshape(2, steps, plan.batch)
    start = np.asarray(plan.first, np.int32)[turn] + group * plan.tiles
    return Layout(offset, tuple(order), turn, start.astype(np.int32), (flat[0], flat[1])), (uv[0], uv[1])


def cut(plan: TilePlan, states: Sequence[jax.Array], layout: Layout) -> tuple[list[jax.Array], jax.Array]:
    """Textures `[D, side, side]` -> (the rolled ones, the tiles of all `[D, tiles, 9, 9]` in the order of steps)."""
    rolled = [
        jnp.roll(state, (-layout.offset[t, 0], -layout.offset[t, 1]), axis=(1, 2)) for t, state in enumerate(states)
    ]
    cut = [_tiles(plan, t, state)[:, layout.order[t]] for t, state in enumerate(rolled)]
    return rolled, cut[0] if len(cut) == 1 else jnp.concatenate(cut, axis=1)


def join(plan: TilePlan, rolled: Sequence[jax.Array], tiles: jax.Array, layout: Layout) -> list[jax.Array]:
    """The inverse of `cut`: the textures with the tiles put back."""
    states = []
    for t, state in enumerate(rolled):
        n, order = plan.across[t], layout.order[t]
        # Of a tile with copies the first one.
        slots = min(n * n, len(order))
        mine = jax.lax.slice_in_dim(tiles, plan.first[t], plan.first[t] + slots, axis=1)
        grid = _tiles(plan, t, state).at[:, order[:slots]].set(mine, unique_indices=True)
        used = min(n * plan.width, plan.sides[t])
        block = grid.reshape(-1, n, n, plan.width, plan.width).transpose(0, 1, 3, 2, 4)
        block = block.reshape(-1, n * plan.width, n * plan.width)[:, :used, :used]
        state = state.at[:, :used, :used].set(block)
        states.append(jnp.roll(state, (layout.offset[t, 0], layout.offset[t, 1]), axis=(1, 2)))
    return states


def _tiles(plan: TilePlan, texture: int, rolled: jax.Array) -> jax.Array:
    """All whole tiles of a texture in rows, `[D, side, side] -> [D, across^2, 9, 9]`."""
    n, width, side = plan.across[texture], plan.width, plan.sides[texture]
    if side < width:
        repeated = np.arange(width) % side
        return rolled[:, repeated][:, :, repeated][:, None]
    used = n * width
    grid = rolled[:, :used, :used].reshape(-1, n, width, n, width)
    return grid.transpose(0, 1, 3, 2, 4).reshape(-1, n * n, width, width)


def gather(plan: TilePlan, grads: jax.Array, turn: jax.Array) -> jax.Array:
    """Gradients `[C, tiles, 9, 9]` of a step's tiles, each replaced by the sum over all copies of its texel.

    turn: the step's texture, `[]`.
    """
    if not any(plan.copied):
        return grads
    tiles = np.stack([_alike(plan.tiles, across**2) for across in plan.across])
    texels = np.stack([_alike(plan.width, side) for side in plan.sides])

    def summed(grads: jax.Array) -> jax.Array:
        same_tile, same_texel = jnp.asarray(tiles)[turn], jnp.asarray(texels)[turn]
        grads = jnp.einsum("st,cthw->cshw", same_tile, grads)
        return jnp.einsum("yh,xw,cthw->ctyx", same_texel, same_texel, grads)

    return jax.lax.cond(jnp.asarray(plan.copied)[turn], summed, lambda grads: grads, grads)


def _alike(count: int, period: int) -> Array:
    """1 for pairs of numbers below `count` that are equal modulo the period, else 0, `[count, count]`."""
    rest = np.arange(count) % period
    return (rest[:, None] == rest).astype(np.float32)


def fetch(plan: TilePlan, texels: jax.Array, fraction: tuple[jax.Array, jax.Array]) -> jax.Array:
    """Bilinear latents of a step's queries: `[C, tiles, 9, 9]`, two `[batch]` -> `[C, batch]`."""
    if plan.cells == 1:
        return jnp.broadcast_to(texels.reshape(-1, 1), (texels.shape[0], plan.batch))
    shape = (1, plan.samples, plan.tiles, CELLS, CELLS)
    fu, fv = (f.reshape(shape) for f in fraction)
    patch = texels[:, None]
    low = patch[..., :-1, :-1] * (1 - fu) + patch[..., :-1, 1:] * fu
    high = patch[..., 1:, :-1] * (1 - fu) + patch[..., 1:, 1:] * fu
    return (low * (1 - fv) + high * fv).reshape(texels.shape[0], plan.batch)
