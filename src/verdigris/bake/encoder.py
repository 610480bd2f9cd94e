"""The encoder phase: from the reference's own parameters to latents, which then become the texels of the fine-tuning.

Queries anywhere on the texture; an MLP from the parameters to the latent, the frame layer and the decoder learn
together [P]. Some steps are at coarse levels, where the parameters are filtered (see `lean.py`, `coarse.py`) and the
response is averaged alike. Then the MLP is evaluated over all levels once, and dropped. Materials that share a network
have an encoder each, since their parameters differ in number and meaning; a step is of one material.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake import colours
from verdigris.bake.batches import Steps, by_owner, to_jax
from verdigris.bake.coarse import Coarse, coarse
from verdigris.bake.config import BakeConfig
from verdigris.bake.instances import Part, whole
from verdigris.bake.phases import (
    Phase,
    Span,
    Texture,
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
    """One material in the encoder phase. scale: mean and deviation `[d]` of its inputs; share: of the queries; coarse:
    its inputs above level 0, if it has such levels."""

    source: QuerySource
    scale: Scale
    share: float = 1.0
    coarse: Coarse | None = None

    def inputs(self, u: Array, v: Array) -> list[jax.Array]:
        """The encoder's inputs at positions `[n]` of level 0."""
        nothing = jnp.zeros(len(u), jnp.float32)
        return [*inputs(self.source, u, v), *[nothing] * (self.coarse.extra if self.coarse else 0)]


def inputs(source: QuerySource, u: Array, v: Array) -> list[jax.Array]:
    """An encoder's inputs without what is 0 at level 0; a material that has none gets one that is 0."""
    return to_jax(source.parameters(u, v)) or [jnp.zeros(len(u), jnp.float32)]


def encoded(source: QuerySource, levels: Sequence[Texture], share: float, rng: np.random.Generator) -> Encoded:
    """A material with the inputs of its levels, and their scale by random points."""
    scale, above = input_scale(source, rng), coarse(source, levels)
    if above is not None:
        mean, deviation = (np.concatenate(parts) for parts in zip(scale, above.scale(), strict=True))
        scale = mean, deviation
    return Encoded(source, scale, share, above)


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


def textures(one: Encoded, layers: Layers, side: int, rng: np.random.Generator) -> list[jax.Array]:
    """The codes of all levels, `[C, side, side]` each; side: of level 0.

    A texel of level 0 gets the mean of JITTER positions inside it, of a level above the code of the filtered inputs.
    """
    y, x = np.divmod(np.arange(side * side), side)
    total: Any = 0.0
    encode_all = jax.jit(encode)
    for _ in range(JITTER):
        u, v = (((axis + rng.random(side * side)) / side).astype(np.float32) for axis in (x, y))
        total = total + encode_all(layers, one.scale, one.inputs(u, v))
    found = [(total / JITTER).reshape(-1, side, side)]
    if one.coarse is not None:
        codes = encode_all(layers, one.scale, list(np.ascontiguousarray(one.coarse.inputs.T)))
        ends = np.cumsum(one.coarse.sides**2)
        parts = zip(one.coarse.sides, jnp.split(codes, ends[:-1], axis=1), strict=True)
        found += [part.reshape(-1, side, side) for side, part in parts]
    return found


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
    lanes = [lane for index, material in enumerate(materials) for lane in _lanes(config, index, material)]
    owners = np.array([lane.material for lane in lanes])
    turns = deal([lane.share for lane in lanes], chunks * steps)
    count = 9 + max(len(material.scale[0]) for material in materials)
    assert all(material.source.marked == (config.augment_colours > 0.0) for material in materials)

    def prepare(chunk: int) -> tuple[Any, ...]:
        chunk += part.first
        rng = phase_rng(config.seed, "encode", chunk)
        u, v = rng.random((2, steps, batch), dtype=np.float32)
        turn = turns[chunk * steps : (chunk + 1) * steps]

        def ask(index: int, mine: Steps) -> list[Any]:
            material, place = materials[lanes[index].material], chunk / (chunks + after)
            source, above = material.source, material.coarse
            if above is not None and lanes[index].coarse:
                at_u, at_v, footprint, values = above.draw(len(mine) * batch, rng)
                queries = directions(config, source, at_u, at_v, rng, footprint.spread, place, footprint)
                found = [*columns(queries), *values]
            else:
                at_u, at_v = u[mine].reshape(-1), v[mine].reshape(-1)
                queries = directions(config, source, at_u, at_v, rng, 1.0 / config.resolution, place)
                found = [*columns(queries), *material.inputs(at_u, at_v)]
            changed = config.augment_colours * (1.0 - (chunk + 1) / chunks)
            return _recoloured(source, found, colours.draw(rng, len(at_u), changed)) if source.marked else found

        return (owners[turn], by_owner(turn, ask, count))

    advance = compiled(part, partial(_encode_chunk, config, _scales(materials)))
    return Phase(part.name, part.chunks, prepare, advance, lambda at: config.rate)


class _Lane(NamedTuple):
    """Steps of one material, at level 0 or above it."""

    material: int
    share: float
    coarse: bool = False


def _lanes(config: BakeConfig, index: int, material: Encoded) -> list[_Lane]:
    if material.coarse is None:
        return [_Lane(index, material.share)]
    above = material.share * config.level_share
    return [_Lane(index, material.share - above), _Lane(index, above, coarse=True)]


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
