"""The encoder phase: from the reference's own parameters to latents, which then become the texels of the fine-tuning.

Queries anywhere on the texture; an MLP from the parameters to the latent, the frame layer and the decoder learn
together [P]. Then the MLP is evaluated over the texture once, and dropped. Materials that share a network have an
encoder each, since their parameters differ in number and meaning; a step is of one material.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake import colours
from verdigris.bake.batches import Steps, by_owner, to_jax
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
    optimiser_state,
    phase_rng,
    split,
    update,
)
from verdigris.bake.queries import QuerySource
from verdigris.bake.trainable import as_stored, init_layers, mlp
from verdigris.bake.turns import deal
from verdigris.conventions import Array

HIDDEN = (64, 64)
STATISTICS_SAMPLES = 1 << 16
JITTER = 4
"""Positions inside a texel whose codes are averaged: the textures may be finer than the latents."""

Scale = tuple[Array, Array]
"""Mean and deviation `[d]` of a material's inputs over its surface."""

Layers = list[tuple[jax.Array, jax.Array]]


@dataclass(frozen=True, eq=False)
class Encoded:
    """One material in the encoder phase. scale: mean and deviation `[d]` of its inputs; share: of the queries."""

    source: QuerySource
    scale: Scale
    share: float = 1.0


def inputs(source: QuerySource, u: Array, v: Array) -> list[jax.Array]:
    """An encoder's inputs at positions `[n]`; a material that has none gets one that is 0."""
    return to_jax(source.parameters(u, v)) or [jnp.zeros(len(u), jnp.float32)]


def input_scale(source: QuerySource, rng: np.random.Generator) -> Scale:
    """By STATISTICS_SAMPLES random points; what does not vary has a deviation of 1."""
    u, v = rng.random((2, STATISTICS_SAMPLES), dtype=np.float32)
    values = np.stack([np.asarray(value) for value in inputs(source, u, v)])
    deviation = values.std(axis=1)
    return values.mean(axis=1), np.where(deviation > 1e-6, deviation, 1.0).astype(np.float32)


def first_layers(width: int, channels: int, rng: np.random.Generator) -> Layers:
    """A random encoder of `width` inputs."""
    layers = init_layers((width, *HIDDEN, channels), rng)
    # The last layer starts at a tenth, which suits a response but would hide the latent from the decoder.
    layers[-1] = (layers[-1][0] * 5.0, layers[-1][1])
    return layers


def stacked(encoders: Sequence[Layers]) -> Tree:
    """The state of the encoders of all materials, {values, adam}, each array with a first axis of them; the inputs of
    the narrower ones are padded."""
    widest = max(layers[0][0].shape[1] for layers in encoders)
    states = [
        optimiser_state([(jnp.pad(weight, ((0, 0), (0, widest - weight.shape[1]))), bias), *rest])
        for (weight, bias), *rest in encoders
    ]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)


def layers_of(encoders: Tree, material: int, width: int) -> Layers:
    """The layers of one material's encoder, of `width` inputs, out of the state of all."""
    (weight, bias), *rest = jax.tree.map(lambda leaf: jnp.asarray(leaf[material]), encoders["values"])
    return [(weight[:, :width], bias), *rest]


def texture(source: QuerySource, layers: Layers, scale: Scale, side: int, rng: np.random.Generator) -> jax.Array:
    """The codes of a texture of `side`^2 texels, `[C, side, side]`, each the mean of JITTER positions inside it."""
    y, x = np.divmod(np.arange(side * side), side)
    total: Any = 0.0
    encode_all = jax.jit(encode)
    for _ in range(JITTER):
        u, v = (((axis + rng.random(side * side)) / side).astype(np.float32) for axis in (x, y))
        total = total + encode_all(layers, scale, inputs(source, u, v))
    return (total / JITTER).reshape(-1, side, side)


def encode_phase(
    config: BakeConfig, materials: Sequence[Encoded], samples: int, after: int = 0, part: Part | None = None
) -> Phase:
    """The encoders of all materials (state `encoders`) with the network that they share (state `network`).

    after: chunks of the phases to come. part: all of it by default.
    """
    chunks = config.chunks(samples)
    part = part or whole("encode", chunks)
    config = part.settings(config)
    steps, batch = config.chunk_steps, config.batch
    turns = deal([material.share for material in materials], chunks * steps)
    assert all(material.source.marked == (config.augment_colours > 0.0) for material in materials)

    def prepare(chunk: int) -> tuple[Any, ...]:
        chunk += part.first
        rng = phase_rng(config.seed, "encode", chunk)
        u, v = rng.random((2, steps, batch), dtype=np.float32)
        turn = turns[chunk * steps : (chunk + 1) * steps]

        def ask(index: int, mine: Steps) -> list[Any]:
            source, at = materials[index].source, (u[mine].reshape(-1), v[mine].reshape(-1))
            queries = directions(config, source, *at, rng, 1.0 / config.resolution, chunk / (chunks + after))
            found = [*columns(queries), *inputs(source, *at)]
            changed = config.augment_colours * (1.0 - (chunk + 1) / chunks)
            return _recoloured(source, found, colours.draw(rng, len(at[0]), changed)) if source.marked else found

        return (turn, by_owner(turn, ask))

    advance = compiled(part, partial(_encode_chunk, config, _scales(materials)))
    return Phase(part.name, part.chunks, prepare, advance, lambda at: config.rate)


def _recoloured(source: QuerySource, found: list[Any], channels: colours.Channels) -> list[Any]:
    """Columns of queries, then of inputs, with the colours of targets and inputs changed alike: see `colours.py`."""
    # The mark comes last.
    marked = (*colours.colour_inputs(source.reference), source.reference.parameter_count)
    changed, (target, values) = jnp.asarray(channels), (to_jax(part) for part in (found[6:9], found[9:]))
    return [*found[:6], *colours.mapped(changed, target), *colours.mapped_inputs(changed, values, marked)]


def _scales(materials: Sequence[Encoded]) -> Scale:
    """Mean and deviation of all materials' inputs, `[materials, d]` twice, padded."""
    widest = max(len(material.scale[0]) for material in materials)
    mean, deviation = np.zeros((2, len(materials), widest), np.float32)
    deviation += 1.0
    for row, material in enumerate(materials):
        width = len(material.scale[0])
        mean[row, :width], deviation[row, :width] = material.scale
    return mean, deviation


def _encode_chunk(
    config: BakeConfig, scales: Scale, state: Tree, span: Span, turn: jax.Array, columns: list[jax.Array]
) -> tuple[Tree, jax.Array]:
    """turn: the material of each step; columns: nine of the queries, then the encoder's inputs."""
    mean, deviation = (jnp.asarray(part) for part in scales)

    def step(carry: Tree, query: Any) -> Any:
        network, encoders = carry
        turn, values, wi, wo, target = query
        mine = jax.tree.map(lambda leaf: leaf[turn], encoders)

        def objective(trained: Tree, layers: Layers) -> jax.Array:
            latent = encode(layers, (mean[turn], deviation[turn]), values)
            return mean_loss(config, as_stored(trained), latent, wi, wo, target)

        loss, (grads, own) = jax.value_and_grad(objective, argnums=(0, 1))(network["values"], mine["values"])
        rate = config.rate * span.scale
        encoders = jax.tree.map(lambda all, one: all.at[turn].set(one), encoders, update(mine, own, rate))
        return (update(network, grads, rate), encoders), loss

    steps = config.chunk_steps
    values = tuple(value.reshape(steps, -1) for value in columns[9:])
    queries = (turn, values, *split(columns[:9], steps))
    (network, encoders), loss = jax.lax.scan(step, (state["network"], state["encoders"]), queries)
    return {"network": network, "encoders": encoders}, loss


def encode(layers: Layers, scale: tuple[Any, Any], parameters: Any) -> jax.Array:
    """Latents `[C, n]` of a reference's parameters, d arrays `[n]`, standardised by `scale` = (mean, deviation)."""
    x = (jnp.stack(parameters) - scale[0][:, None]) / scale[1][:, None]
    return mlp(layers, jnp.clip(x, -8.0, 8.0), "leaky_relu")
