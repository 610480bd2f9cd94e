"""The encoder phase: from the reference's own parameters to latents, which then become the texels of the fine-tuning.

Queries anywhere on the texture; an MLP from the parameters to the latent, the frame layer and the decoder learn
together [P]. Then the MLP is evaluated over the texture once, and dropped.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake import colours
from verdigris.bake.config import BakeConfig
from verdigris.bake.instances import Part, whole
from verdigris.bake.phases import (
    Phase,
    Span,
    Tree,
    columns,
    compiled,
    directions,
    mean_loss,
    phase_rng,
    split,
    to_jax,
    update,
)
from verdigris.bake.queries import QuerySource
from verdigris.bake.trainable import as_stored, init_layers, mlp
from verdigris.conventions import Array

HIDDEN = (64, 64)
STATISTICS_SAMPLES = 1 << 16
JITTER = 4
"""Positions inside a texel whose codes are averaged: the textures may be finer than the latents."""

Scale = tuple[Array, Array]
"""Mean and deviation `[d]` of the reference's parameters over the surface."""


def input_scale(source: QuerySource, rng: np.random.Generator) -> Scale:
    """By STATISTICS_SAMPLES random points; what does not vary has a deviation of 1."""
    u, v = rng.random((2, STATISTICS_SAMPLES), dtype=np.float32)
    values = np.stack([np.asarray(value) for value in source.parameters(u, v)])
    deviation = values.std(axis=1)
    return values.mean(axis=1), np.where(deviation > 1e-6, deviation, 1.0).astype(np.float32)


def first_layers(inputs: int, channels: int, rng: np.random.Generator) -> list[tuple[jax.Array, jax.Array]]:
    """A random encoder."""
    layers = init_layers((inputs, *HIDDEN, channels), rng)
    # The last layer starts at a tenth, which suits a response but would hide the latent from the decoder.
    layers[-1] = (layers[-1][0] * 5.0, layers[-1][1])
    return layers


def texture(source: QuerySource, layers: Any, scale: Scale, side: int, rng: np.random.Generator) -> jax.Array:
    """The codes of a texture of `side`^2 texels, `[C, side, side]`, each the mean of JITTER positions inside it."""
    y, x = np.divmod(np.arange(side * side), side)
    total: Any = 0.0
    encode_all = jax.jit(encode)
    for _ in range(JITTER):
        u, v = (((axis + rng.random(side * side)) / side).astype(np.float32) for axis in (x, y))
        total = total + encode_all(layers, scale, to_jax(source.parameters(u, v)))
    return (total / JITTER).reshape(-1, side, side)


def encode_phase(
    config: BakeConfig, source: QuerySource, scale: tuple[Array, Array], part: Part | None = None
) -> Phase:
    """The encoder (its layers beside the network's in state `network`, key `encoder`).

    scale: mean and deviation `[d]` of the reference's parameters. part: all of it by default.
    """
    chunks = config.chunks(config.encode_samples)
    total = chunks + config.chunks(config.tune_samples)
    part = part or whole("encode", chunks)
    config = part.settings(config)
    assert source.marked == (config.augment_colours > 0.0)
    # The mark comes last.
    found = (*colours.colour_inputs(source.reference), source.reference.parameter_count)

    def prepare(chunk: int) -> tuple[Any, ...]:
        chunk += part.first
        rng = phase_rng(config.seed, "encode", chunk)
        u, v = rng.random((2, config.chunk), dtype=np.float32)
        queries = directions(config, source, u, v, rng, 1.0 / config.resolution, chunk / total)
        channels = None
        if source.marked:
            channels = colours.draw(rng, config.chunk, config.augment_colours * (1.0 - (chunk + 1) / chunks))
        return (to_jax(source.parameters(u, v)), columns(queries), channels)

    advance = compiled(part, partial(_encode_chunk, config, scale, found))
    return Phase(part.name, part.chunks, prepare, advance, lambda at: config.rate)


def _encode_chunk(
    config: BakeConfig, scale: tuple[Array, Array], found: tuple[int, ...], state: Tree, span: Span,
    parameters: list[jax.Array], columns: list[jax.Array], channels: jax.Array | None,
) -> tuple[Tree, jax.Array]:  # fmt: skip
    """found: where the colours are among the parameters; channels: `[3, chunk]`, how to change them, if at all."""

    def step(network: Tree, query: Any) -> Any:
        values, wi, wo, target, channel = query
        if channel is not None:
            values = colours.mapped_inputs(channel, values, found)
            target = jnp.stack(colours.mapped(channel, target))

        def objective(trained: Tree) -> jax.Array:
            latent = encode(trained["encoder"], scale, values)
            stored = as_stored({name: value for name, value in trained.items() if name != "encoder"})
            return mean_loss(config, stored, latent, wi, wo, target)

        loss, grads = jax.value_and_grad(objective)(network["values"])
        return update(network, grads, config.rate * span.scale), loss

    steps = config.chunk_steps
    shaped = tuple(value.reshape(steps, -1) for value in parameters)
    if channels is not None:
        channels = channels.reshape(3, steps, -1).transpose(1, 0, 2)
    queries = (shaped, *split(columns, steps), channels)
    network, loss = jax.lax.scan(step, state["network"], queries)
    return {"network": network}, loss


def encode(layers: Any, scale: tuple[Array, Array], parameters: Any) -> jax.Array:
    """Latents `[C, n]` of a reference's parameters, d arrays `[n]`, standardised by `scale` = (mean, deviation)."""
    x = (jnp.stack(parameters) - scale[0][:, None]) / scale[1][:, None]
    return mlp(layers, jnp.clip(x, -8.0, 8.0), "leaky_relu")
