"""The last phase: auxiliary heads learn from latents, frames and a decoder that stay as they are stored."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake import auxiliary
from verdigris.bake.config import BakeConfig
from verdigris.bake.phases import Phase, Span, Tree, fall, optimiser_state, phase_rng, to_jax, update
from verdigris.bake.queries import QuerySource
from verdigris.bake.trainable import as_stored
from verdigris.model.auxiliary import Auxiliary
from verdigris.model.neural import NeuralMaterial


def first_state(config: BakeConfig, reference: Any, material: NeuralMaterial, trained: auxiliary.Heads) -> Tree:
    """The phase's own part of the state: the heads, those that are trained already as they are, and what they see.

    material: as it will be stored, but for its heads.
    """
    rng = phase_rng(config.seed, "auxiliary")
    heads = auxiliary.init_heads(config.model, auxiliary.wanted(reference), config.auxiliary_hidden, rng)
    frames = {} if material.frame_weight is None else {"frames": jnp.asarray(material.frame_weight)}
    return {
        "auxiliary": optimiser_state({**heads, **trained}),
        "stored": {"latents": jnp.asarray(material.latents[0]), **frames},
    }


def auxiliary_phase(config: BakeConfig, source: QuerySource, chunks: int) -> Phase:
    """The heads (state `auxiliary`) on what is stored (state `stored`), by queries anywhere on the texture."""
    names = auxiliary.wanted(source.reference)
    others = tuple(name for name in names if name != "albedo")

    def prepare(chunk: int) -> tuple[Any, ...]:
        rng = phase_rng(config.seed, "auxiliary", chunk + 1)
        u, v = rng.random((2, config.chunk), dtype=np.float32)
        wi, albedo = source.albedo(u, v, int(rng.integers(2**63)), config.auxiliary_draws)
        return (u, v, to_jax(wi), to_jax([*albedo, *source.surface(u, v, others)]))

    advance = jax.jit(partial(_chunk, config, names), donate_argnums=0)
    return Phase("auxiliary", chunks, prepare, advance, lambda at: config.rate * float(fall(config, at)))


def _chunk(
    config: BakeConfig, names: tuple[str, ...], state: Tree, span: Span,
    u: jax.Array, v: jax.Array, wi: list[jax.Array], targets: list[jax.Array],
) -> tuple[Tree, jax.Array]:  # fmt: skip
    stored = state["stored"]

    def step(heads: Tree, query: Any) -> Any:
        rate, at_u, at_v, directions, true = query
        latent = auxiliary.fetch(stored["latents"], at_u, at_v)

        def objective(values: Tree) -> jax.Array:
            kept = as_stored(values)
            found = (auxiliary.run(config.model, kept, name, stored, latent, directions) for name in names)
            return jnp.asarray(
                sum(auxiliary.loss(name, got, true[name]) for name, got in zip(names, found, strict=True))
            )

        loss, grads = jax.value_and_grad(objective)(heads["values"])
        return update(heads, grads, config.rate * rate), loss

    steps = config.chunk_steps
    falls = span.scale * fall(config, span.progress(steps))
    shaped = tuple(axis.reshape(steps, -1) for axis in (u, v, *wi))
    queries = (falls, *shaped[:2], shaped[2:], auxiliary.rows(targets, names, steps))
    heads, loss = jax.lax.scan(step, state["auxiliary"], queries)
    return {**state, "auxiliary": heads}, loss


def as_heads(hidden: tuple[int, ...], heads: Any, emission_unit: float) -> Auxiliary:
    """Trained heads as a material holds them, rounded as a file will round them.

    emission_unit: `QuerySource.emission_unit`, a power of 4, whose root the last layer takes in without rounding.
    """
    if "emission" in heads:
        weight, bias = (np.asarray(array) * np.float32(emission_unit**0.5) for array in heads["emission"][-1])
        heads = {**heads, "emission": [*heads["emission"][:-1], (weight, bias)]}
    rounded = jax.tree.map(lambda array: np.asarray(array).astype(np.float16).astype(np.float32), heads)
    return Auxiliary(hidden, {name: tuple(map(tuple, layers)) for name, layers in rounded.items()})
