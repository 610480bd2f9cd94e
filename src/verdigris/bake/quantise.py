"""Latents as codes of 8 or 4 bits: the grids they lie on, and the last part of the fine-tuning, which sees them so.

The texels stay numbers of their own that learn as before, but a step reads the values of their codes, which is what a
file holds: so the texels settle on codes that serve well together, and the network learns what these give. The grids
are fitted once, where this part begins, and stay.

Measured on a smooth stand-in of 64 x 64 texels, 5 million samples, power-L1 on held-out queries: 0.0125 with float16,
0.0126 with 8 bits. With 4 bits 0.0210 rounded after training; 0.0201, 0.0200, 0.0191 and 0.0185 where codes are seen
for 0.3, 0.5, 0.7 and all of the fine-tuning; 0.0214 and 0.0240 (at 0.5) where texels learn 3 and 10 times as fast then.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake.config import BakeConfig
from verdigris.bake.instances import Part
from verdigris.bake.trainable import as_stored
from verdigris.conventions import Array
from verdigris.model.grid import STEPS_MAX, Grid

TAILS = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 2e-2, 3e-2)
"""Shares of a channel's texels that a grid may leave beyond either end; each end takes the best of them."""

SCALE_MIN = 2.0**-14
"""Smallest positive scale of a grid that is fitted: the smallest normal number of float16."""

Tree = Any


def split(config: BakeConfig, part: Part) -> list[Part]:
    """The last part of the fine-tuning in two, the second with quantised latents; as it is, where they have 16 bits."""
    chunks = round(part.of * config.quantise_share)
    if config.latent_bits == 16:
        return [part]
    chunks = min(max(chunks, 1), part.chunks)
    first = replace(part, chunks=part.chunks - chunks)
    last = replace(part, first=part.first + first.chunks, chunks=chunks, bits=config.latent_bits)
    return [first, last] if first.chunks else [last]


def begin(state: Tree, bits: int) -> Tree:
    """The state of a fine-tuning (see `phases.tune_phase`) with the grids of its textures: key `grid`, `offset` and
    `scale`, `[textures, C]` each."""
    fitted = [fit(np.asarray(texture)[: len(texture) // 3], bits) for texture in state["textures"]]
    offset, scale = np.stack([grid.offset for grid in fitted]), np.stack([grid.scale for grid in fitted])
    return {**state, "grid": {"offset": offset, "scale": scale}}


def grid_of(state: Tree, texture: Any) -> dict[str, Any]:
    """The grid of one texture, as `values` takes it."""
    return {key: jnp.asarray(array)[texture] for key, array in state["grid"].items()}


def seen(texels: jax.Array, grid: dict[str, Any], single: Any, bits: int) -> jax.Array:
    """Texels `[C, ...]` of a texture as the file will hold them.

    single: whether it is but one texel. An offset alone holds that, with 16 bits, and so it learns on.
    """
    return jnp.where(single, as_stored(texels), values(texels, grid, bits))


def stored(state: Tree, index: int, bits: int) -> tuple[Array, Grid]:
    """A texture `[H, W, C]` and its grid as a file gets them: what the last step's forward would see, bit for bit."""
    offset, scale = (np.asarray(state["grid"][key][index]) for key in ("offset", "scale"))
    texels = state["textures"][index][: len(offset)]
    single = texels[0].size == 1
    found = np.asarray(jax.jit(partial(seen, single=single, bits=bits))(texels, grid_of(state, index)))
    grid = Grid(bits, found.reshape(-1), np.zeros_like(scale)) if single else Grid(bits, offset, scale)
    return np.ascontiguousarray(found.transpose(1, 2, 0)), grid


def fit(texels: Array, bits: int) -> Grid:
    """The grid with the least mean squared rounding error of texels `[C, H, W]`, out of those whose ends are TAILS.

    A channel whose texels hardly differ is stored as one value.
    """
    top, offsets, scales = 2**bits - 1, [], []
    for channel in texels.reshape(len(texels), -1).astype(np.float64):
        low, high = (np.quantile(channel, [abs(end - tail) for tail in TAILS]) for end in (0.0, 1.0))
        candidates = [_ends(a, b, top) for a in low for b in high]
        errors = [_error(channel, offset, scale, top) for offset, scale in candidates]
        offset, scale = candidates[int(np.argmin(errors))]
        offsets.append(offset)
        scales.append(scale)
    return Grid(bits, np.array(offsets, np.float32), np.array(scales, np.float32))


def _ends(low: float, high: float, top: int) -> tuple[float, float]:
    """Offset and scale, as float16 has them, of a grid from `low` to `high`."""
    offset, scale = float(np.float16(low)), float(np.float16((high - low) / top))
    if scale < max(SCALE_MIN, abs(offset) / STEPS_MAX):
        return float(np.float16((low + high) / 2)), 0.0
    return offset, scale


def _error(channel: Array, offset: float, scale: float, top: int) -> float:
    codes = np.clip(np.rint((channel - offset) / scale), 0, top) if scale else 0.0
    return float(np.mean(np.square(channel - offset - scale * codes)))


def values(texels: jax.Array, grid: dict[str, Any], bits: int) -> jax.Array:
    """Texels `[C, ...]` as the values of their codes; gradients pass as if nothing were rounded.

    grid: `offset` and `scale`, `[C]`. The values are those of `Grid.decode`, bit for bit.
    """
    offset, scale = (jnp.asarray(grid[key]).reshape(-1, *[1] * (texels.ndim - 1)) for key in ("offset", "scale"))
    steps = (texels - offset) / jnp.where(scale > 0.0, scale, jnp.inf)
    rounded = offset + scale * jnp.clip(jnp.round(steps), 0.0, 2.0**bits - 1.0)
    # The difference is 0; the other way round, texels plus what rounding changes, would be rounded once more.
    return jax.lax.stop_gradient(rounded) + (texels - jax.lax.stop_gradient(texels))
