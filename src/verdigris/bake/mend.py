"""Lone texels that a fine-tuning lost: found by held-out queries and given the latent of a neighbour.

Now and then one of a few hundred thousand texels strays to where the decoder's answer vanishes, and its gradient with
it: the texel stays black, but for directions that no query asked for, where it may shine a millionfold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake import losses
from verdigris.bake.blur import Blur, Footprint
from verdigris.bake.phases import Texture, columns
from verdigris.bake.queries import QuerySource
from verdigris.bake.trainable import Network, answer, as_network
from verdigris.conventions import Array
from verdigris.model.config import ModelConfig
from verdigris.model.latents import Indices, fetch
from verdigris.model.neural import NeuralMaterial

QUERIES = 4
"""That every texel is asked. By the median of the errors: a lost texel errs at all, a good one much where it glints."""

SUSPECTS = 2e-2
"""Share of a level's texels, the worst ones, that are asked again."""

QUERIES_AGAIN = 128
BETTER = 0.5
"""A neighbour's latent is taken where it errs by no more than this share of a texel's own: a texel that was trained
errs less than its neighbours'."""

CHUNK = 1 << 15
NEIGHBOURS = ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, -1), (-1, 1))


def mended(
    material: NeuralMaterial, source: QuerySource, textures: Sequence[Texture], rng: np.random.Generator
) -> tuple[NeuralMaterial, int]:
    """The material without such texels, and how many there were. textures: its levels, as they were trained."""
    latents, total = list(material.latents), 0
    for index, texture in enumerate(textures):
        if texture.side == 1:
            continue
        ask = partial(_errors, material, latents[index], source, texture, rng)
        texels = np.arange(texture.side**2)
        found = np.median(ask(texels, np.zeros((len(texels), 1, 1), np.float32), QUERIES)[:, 0], axis=1)
        worst = np.argsort(found)[-max(round(SUSPECTS * len(texels)), 1) :]
        own = latents[index][_shifted(worst, texture.side)]
        others = np.stack([latents[index][_shifted(worst, texture.side, *shift)] for shift in NEIGHBOURS], axis=1)
        changes = np.concatenate([np.zeros_like(own)[:, None], others - own[:, None]], axis=1)
        again = ask(worst, changes, QUERIES_AGAIN).mean(axis=2)
        lost = np.flatnonzero(again[:, 1:].min(axis=1) < BETTER * again[:, 0])
        if len(lost):
            level = latents[index] = latents[index].copy()
            level[_shifted(worst[lost], texture.side)] = others[lost, again[lost, 1:].argmin(axis=1)]
            total += len(lost)
    return (replace(material, latents=tuple(latents)) if total else material), total


def _shifted(texels: Indices, side: int, dy: int = 0, dx: int = 0) -> tuple[Indices, Indices]:
    """Row and column of texels' neighbours, in a texture that repeats."""
    y, x = np.divmod(texels, side)
    return (y + dy) % side, (x + dx) % side


def _errors(
    material: NeuralMaterial, level: Array, source: QuerySource, texture: Texture, rng: np.random.Generator,
    texels: Indices, changes: Array, queries: int,
) -> Array:  # fmt: skip
    """Power-L1 near texels `[n]` after each of m changes of their latents `[n, m, C]`, `[n, m, queries]`.

    Near: drawn by the weight that the bilinear filter gives the texel.
    """
    network = as_network(material.frame_weight, material.layers_at(texture.level))
    count, side, parts = CHUNK // queries, texture.side, []
    for start in range(0, len(texels), count):
        # Each chunk has the same size, for one compiled function.
        part, change = (
            np.resize(array[start : start + count], (count, *array.shape[1:])) for array in (texels, changes)
        )
        away = rng.random((2, count, queries), dtype=np.float32) - rng.random((2, count, queries), dtype=np.float32)
        v, u = (
            ((axis[:, None] + 0.5 + off) / side).ravel() for axis, off in zip(_shifted(part, side), away, strict=True)
        )
        u, v = ((axis % 1.0).astype(np.float32) for axis in (u, v))
        blur = Blur(footprint=Footprint(np.full(len(u), texture.deviation, np.float32), texture.samples))
        asked = source.directions(u, v, int(rng.integers(2**63)), spread=1.0 / side, blur=blur)
        rows = [jnp.asarray(row) for row in columns(asked)]
        base = fetch(level, np.stack([u, v], axis=1)).T
        weight = np.prod(1.0 - np.abs(away), axis=0).ravel()
        latents = (base + np.repeat(one.T, queries, axis=1) * weight for one in change.transpose(1, 0, 2))
        found = [np.asarray(_error(material.config, network, latent, rows)) for latent in latents]
        parts.append(np.stack([one.reshape(count, queries) for one in found], axis=1))
    return np.concatenate(parts)[: len(texels)]


@partial(jax.jit, static_argnums=0)
def _error(config: ModelConfig, network: Network, latent: jax.Array, rows: list[jax.Array]) -> jax.Array:
    """Of queries with latents `[C, n]`, `[n]`; rows: see `phases.columns`."""
    wi, wo, target = (rows[0], rows[1], rows[2]), (rows[3], rows[4], rows[5]), jnp.stack(rows[6:])
    true = target if config.decoder.cosine else target / wo[2]
    return jnp.mean(losses.power_l1(answer(config, network, latent, wi, wo), true), axis=0)
