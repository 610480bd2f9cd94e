"""The last phase: auxiliary heads learn from latents, frames and a decoder that stay as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from verdigris.bake import auxiliary
from verdigris.bake.batches import Steps, by_owner
from verdigris.bake.config import BakeConfig
from verdigris.bake.phases import Phase, Span, Texture, Tree, fall, optimiser_state, phase_rng, update
from verdigris.bake.queries import QuerySource
from verdigris.bake.trainable import as_stored, float16
from verdigris.bake.turns import deal
from verdigris.conventions import Array
from verdigris.model.auxiliary import Auxiliary


def first_state(config: BakeConfig, names: tuple[str, ...], trained: auxiliary.Heads) -> Tree:
    """Heads of these names that were not updated yet, those that are trained already as they are."""
    rng = phase_rng(config.seed, "auxiliary")
    heads = auxiliary.init_heads(config.model, names, config.auxiliary_hidden, rng)
    return optimiser_state({**heads, **trained})


def auxiliary_phase(
    config: BakeConfig, sources: Sequence[QuerySource], textures: Sequence[Texture], chunks: int
) -> Phase:
    """The heads (state `auxiliary`) on what is stored (state `stored`), by queries anywhere on the textures."""
    found = [auxiliary.wanted(source.reference) for source in sources]
    names = auxiliary.union(found)
    others = tuple(name for name in names if name != "albedo")
    owners = np.array([texture.source for texture in textures])
    present = auxiliary.present(names, found)[owners]
    steps, batch = config.chunk_steps, config.batch
    deviations = np.array([texture.deviation for texture in textures], np.float32)
    turns = deal([texture.share for texture in textures], chunks * steps)

    def prepare(chunk: int) -> tuple[Any, ...]:
        rng = phase_rng(config.seed, "auxiliary", chunk + 1)
        u, v = rng.random((2, steps, batch), dtype=np.float32)
        turn = turns[chunk * steps : (chunk + 1) * steps]

        def ask(index: int, mine: Steps) -> list[Any]:
            source, at = sources[index], (u[mine].reshape(-1), v[mine].reshape(-1))
            deviation = np.repeat(deviations[turn[mine]], batch)
            wi, albedo = source.albedo(*at, int(rng.integers(2**63)), config.auxiliary_draws, deviation)
            return [*wi, *albedo, *auxiliary.targets(source, *at, others, deviation)]

        return (turn, u, v, by_owner(owners[turn], ask, 3 + auxiliary.outputs(names)))

    sizes = np.array([(texture.side, texture.side) for texture in textures], np.int32)
    advance = jax.jit(partial(_chunk, config, names, (sizes, present)), donate_argnums=0)
    return Phase("auxiliary", chunks, prepare, advance, lambda at: config.rate * float(fall(config, at)))


def _chunk(
    config: BakeConfig, names: tuple[str, ...], textures: tuple[NDArray[np.int32], Array], state: Tree, span: Span,
    turn: jax.Array, u: jax.Array, v: jax.Array, columns: list[jax.Array],
) -> tuple[Tree, jax.Array]:  # fmt: skip
    """textures: height and width of each, `[textures, 2]`, and which heads its material has, `[textures, heads]`."""
    stored, (sizes, present) = state["stored"], textures
    first = np.cumsum([0, *sizes[:-1].prod(axis=1)])

    def step(heads: Tree, query: Any) -> Any:
        rate, row, size, at_u, at_v, directions, true, has = query
        latent = auxiliary.fetch_row(stored["latents"], row, size, at_u, at_v)

        def objective(values: Tree) -> jax.Array:
            kept = as_stored(values)
            raw = {name: auxiliary.run(config.model, kept, name, stored, latent, directions) for name in names}
            return jnp.asarray(sum(has[name] * auxiliary.loss(name, raw[name], true[name]) for name in names))

        loss, grads = jax.value_and_grad(objective)(heads["values"])
        return update(heads, grads, config.rate * rate), loss

    steps = config.chunk_steps
    falls = span.scale * fall(config, span.progress(steps))
    wi = tuple(axis.reshape(steps, -1) for axis in columns[:3])
    size = tuple(jnp.asarray(axis)[turn] for axis in sizes.T)
    has = dict(zip(names, jnp.asarray(present)[turn].T, strict=True))
    queries = (falls, jnp.asarray(first)[turn], size, u, v, wi, auxiliary.rows(columns[3:], names, steps), has)
    heads, loss = jax.lax.scan(step, state["auxiliary"], queries)
    return {**state, "auxiliary": heads}, loss


def as_heads(hidden: tuple[int, ...], heads: Any, emission_unit: float) -> Auxiliary:
    """Trained heads as a material holds them, rounded as a file will round them.

    emission_unit: `QuerySource.emission_unit`, a power of 4, whose root the last layer takes in without rounding.
    """
    if "emission" in heads:
        weight, bias = (np.asarray(array) * np.float32(emission_unit**0.5) for array in heads["emission"][-1])
        heads = {**heads, "emission": [*heads["emission"][:-1], (weight, bias)]}
    rounded = jax.tree.map(float16, heads)
    return Auxiliary(hidden, {name: tuple(map(tuple, layers)) for name, layers in rounded.items()})
