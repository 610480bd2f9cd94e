"""The sampler phase: the lobes learn the response of a finished decoder, from latents and networks as they are stored.

What is minimised, for each latent and known direction, is half the Kullback-Leibler divergence of the sampler's density
from the response (its luminance, cosine included) made a density [P], and half the logarithm of the second moment of a
sample's weight over its squared mean, which is what noise is made of (our own). Both are 0 for a perfect sampler, the
second is never below the first. No reference is asked. The integrals, and the factor that makes the response a density,
are sums over a few directions with known density, see `proposal.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from verdigris.bake import proposal
from verdigris.bake.auxiliary import fetch_row
from verdigris.bake.config import BakeConfig
from verdigris.bake.far import network as at_far_levels
from verdigris.bake.levels import shares
from verdigris.bake.lobes import density, ggx_lobes, init_sampler, predict
from verdigris.bake.loop import Job, Loop, OnProgress, Stage
from verdigris.bake.phases import Phase, Span, Tree, fall, optimiser_state, phase_rng, update
from verdigris.bake.schedule import Pace
from verdigris.bake.trainable import Rows, answer, as_network, as_stored, float16
from verdigris.bake.turns import deal
from verdigris.conventions import LUMINANCE_REC709, Array
from verdigris.model.config import SamplerConfig
from verdigris.model.neural import NeuralMaterial

DRAWS = 64
"""Directions for each latent and known direction; a batch has so many times fewer of these."""

RATE = 5e-3
"""Adam's step size at the start; it falls as that of all networks."""

GAP_MAX = 8.0
"""Of the logarithm of response over density in the second moment: one far direction must not decide a step."""

TINY = 1e-12
"""Of luminance: added before a logarithm or a division."""

Layers = tuple[tuple[Array, Array], ...]


def stored(latents: Sequence[Array], frames: Array | None, layers: Layers, far_layers: Layers = ()) -> Tree:
    """What networks that are trained last see: all textures' texels, `[H, W, C]` each, as the rows of one table, frames
    and decoder, and its layers at far levels, if any; all rounded as in a file."""
    table = np.concatenate([texels.reshape(-1, texels.shape[2]) for texels in latents])
    others = {"far": [(jnp.asarray(weight), jnp.asarray(bias)) for weight, bias in far_layers]} if far_layers else {}
    return {"latents": jnp.asarray(table), **as_network(frames, layers), **others}


def first_state(config: BakeConfig) -> Tree:
    """A random sampler that was not updated yet."""
    return optimiser_state(init_sampler(config.model, phase_rng(config.seed, "sampler")))


@dataclass(frozen=True)
class Place:
    """A texture that the sampler learns on: height and width in texels, its share of the queries beside the others, and
    whether it is of a far level."""

    size: tuple[int, int]
    share: float
    far: bool = False


def sampler_phase(config: BakeConfig, places: Sequence[Place], chunks: int) -> Phase:
    """The sampler (state `sampler`) on what is stored (state `stored`), anywhere on the textures."""
    steps, group = config.chunk_steps, config.batch // DRAWS
    turns = deal([place.share for place in places], chunks * steps)
    sizes, far = np.array([place.size for place in places], np.int32), np.array([place.far for place in places])

    def prepare(chunk: int) -> tuple[Any, ...]:
        rng = phase_rng(config.seed, "sampler", chunk + 1)
        uniform = rng.random((4, steps, group), dtype=np.float32)
        return (turns[chunk * steps : (chunk + 1) * steps], uniform, rng.random((steps, 2, DRAWS, group), np.float32))

    advance = jax.jit(partial(_chunk, config, sizes, far), donate_argnums=0)
    return Phase("sampler", chunks, prepare, advance, lambda at: RATE * float(fall(config, at)))


def _chunk(
    config: BakeConfig, sizes: NDArray[np.int32], far: NDArray[np.bool_], state: Tree, span: Span, turn: jax.Array,
    uniform: jax.Array, draws: jax.Array,
) -> tuple[Tree, jax.Array]:  # fmt: skip
    """sizes, far: of each texture, see `Place`. uniform: numbers, two for uv and two for wi."""
    network, first = state["stored"], np.cumsum([0, *sizes[:-1].prod(axis=1)])

    def step(sampler: Tree, query: Any) -> Any:
        rate, row, size, is_far, (u, v, tilt, azimuth), draw = query
        latent = fetch_row(network["latents"], row, size, u, v)
        theta, phi = tilt * (np.pi / 2.0), azimuth * (2.0 * np.pi)
        wi = (jnp.sin(theta) * jnp.cos(phi), jnp.sin(theta) * jnp.sin(phi), jnp.cos(theta))
        raw, normals = predict(as_stored(sampler["values"]), network, latent, wi)
        lobes = ggx_lobes(config.model.sampler, raw, normals)
        wo, inverse = proposal.draw(normals, wi, draw, lobes)
        share, log_true = _response(config, _at(network, is_far), latent, wi, wo, inverse)

        def objective(layers: Tree) -> jax.Array:
            raw, normals = predict(as_stored(layers), network, latent, wi)
            drawn = density(config.model.sampler, raw, normals, wi, wo)
            return jnp.mean(_objective(share, log_true - jnp.log(drawn + TINY)))

        loss, grads = jax.value_and_grad(objective)(sampler["values"])
        # The exponential is what the loop can watch: a number near 0 triples by noise.
        return update(sampler, grads, RATE * rate), jnp.exp(loss)

    falls = span.scale * fall(config, span.progress(config.chunk_steps))
    size = tuple(jnp.asarray(axis)[turn] for axis in sizes.T)
    queries = (falls, jnp.asarray(first)[turn], size, jnp.asarray(far)[turn], tuple(uniform), draws)
    sampler, loss = jax.lax.scan(step, state["sampler"], queries)
    return {**state, "sampler": sampler}, loss


def _at(network: Tree, far: jax.Array) -> Tree:
    """What is stored, with the decoder's layers for a texture that is far or is not."""
    if "far" not in network:
        return network
    layers = jax.tree.map(lambda a, b: jnp.where(far, a, b), network["far"], network["layers"][1:])
    return at_far_levels(network, layers)


def _objective(share: jax.Array, gap: jax.Array) -> jax.Array:
    """Of each query, `[K, n] -> [n]`. gap: logarithm of the normalised response over the sampler's density."""
    divergence = jnp.sum(share * gap, axis=0)
    moment = jnp.sum(share * jnp.exp(jnp.minimum(gap, GAP_MAX)), axis=0)
    return 0.5 * (divergence + jnp.log(moment + TINY))


def _response(
    config: BakeConfig, network: Tree, latent: jax.Array, wi: Rows, wo: Rows, inverse: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Each direction's share of the response that all K of a query have, and the logarithm of its density, `[K, n]`."""
    shape = inverse.shape

    def spread(row: jax.Array) -> jax.Array:
        return jnp.broadcast_to(row, shape).reshape(-1)

    spread_latent = jnp.broadcast_to(latent[:, None, :], (len(latent), *shape)).reshape(len(latent), -1)
    rgb = answer(config.model, network, spread_latent, tuple(map(spread, wi)), tuple(map(spread, wo)))
    luminance = sum(weight * row for weight, row in zip(LUMINANCE_REC709, rgb, strict=True)).reshape(shape)
    if not config.model.decoder.cosine:
        luminance = luminance * jnp.maximum(wo[2], 0.0)
    total = jnp.sum(luminance * inverse, axis=0) + TINY
    return luminance * inverse / total, jnp.log(luminance * (shape[0] / total) + TINY)


def as_sampler(layers: Any) -> Layers:
    """A trained sampler as a material holds it, rounded as a file will round it."""
    return tuple((float16(weight), float16(bias)) for weight, bias in layers)


def fit(
    material: NeuralMaterial, sampler: SamplerConfig | None = None, config: BakeConfig | None = None,
    on_progress: OnProgress | None = None,
) -> NeuralMaterial:  # fmt: skip
    """The material with a sampler trained anew; all else stays.

    sampler: its shape, the default one where none is given. config: whose budget, batch and seed count; default
    `standard`. The result depends on these and the material alone.
    """
    model = replace(material.config, sampler=sampler or SamplerConfig())
    config = replace(config or BakeConfig(), model=model)
    sizes = [(level.shape[0], level.shape[1]) for level in material.latents]
    chunks = config.chunks(config.sampler_samples(config.tune_samples))
    far, first = material.far, len(sizes) if material.far is None else material.far.level
    places = [
        Place(size, share, level >= first)
        for level, (size, share) in enumerate(zip(sizes, shares(config, len(sizes)), strict=True))
    ]
    known = stored(material.latents, material.frame_weight, material.layers, () if far is None else far.layers)
    state = {"stored": known, "sampler": first_state(config)}
    stage = Stage("sampler", lambda: sampler_phase(config, places, chunks), lambda found: found)
    pace = Pace({"sampler": chunks}, config.chunk)
    found = Loop([], config.chunk_steps, pace, Job(), None, on_progress).run([stage], state)
    return replace(material, config=model, sampler=as_sampler(found["sampler"]["values"]))
