"""Several trainings at once, of which the better ones go on: small networks land in good or bad minima by chance.

The first phase of a bake begins with `BakeConfig.instances` trainings that differ in their random start alone. They
learn from the same queries, each on a batch as many times smaller, so that a chunk trains as many samples as with one.
After a while the best quarter goes on, with four times the batch and its optimiser's moments, until one is left
(Bitterli et al. 2026 go from 64 to 16, 4 and 1). A phase is then a row of parts, each a stage of the loop of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake.config import BATCH_MIN, BakeConfig

KEPT = 4
"""One instance in that many goes on."""

MEMORY = 0.75
"""Weight of an instance's score so far when a chunk's loss is added to it."""

HOPELESS = 1e9
"""Score of an instance that is not finite any more: last, however the others do."""

Tree = Any


@dataclass(frozen=True)
class Part:
    """`chunks` chunks of a phase that has `of`, from its chunk `first` on, in which `count` instances learn.

    bits: of the latents that its steps see; below 16, those of `quantise.py`.
    """

    phase: str
    count: int
    first: int
    chunks: int
    of: int
    bits: int = 16

    @property
    def name(self) -> str:
        """The phase's name, with the count where it is not 1, and the bits where they are not 16."""
        if self.bits < 16:
            return f"{self.phase} {self.bits} bit"
        return self.phase if self.count == 1 else f"{self.phase} {self.count}"

    def settings(self, config: BakeConfig) -> BakeConfig:
        """Those of one instance, whose batch is its share."""
        return config if self.count == 1 else replace(config, batch=config.batch // self.count)

    def within(self, progress: Any) -> Any:
        """Progress of the whole phase, 0 to 1, at a progress of this part."""
        return self.first / self.of + self.chunks / self.of * progress


def whole(phase: str, chunks: int) -> Part:
    """A phase in one part, of one instance."""
    return Part(phase, 1, 0, chunks, chunks)


def parts(config: BakeConfig, phase: str, chunks: int) -> list[Part]:
    """A phase of that many chunks in parts of ever fewer instances, the last of one.

    The parts of several instances are equally long, `instance_share` of the phase together; what rounds to no chunk is
    left out, and so are counts that leave an instance a batch of less than BATCH_MIN.
    """
    counts = [config.instances]
    while counts[-1] > 1:
        counts.append(counts[-1] // KEPT)
    several = [count for count in counts[:-1] if config.batch // count >= BATCH_MIN]
    bounds = [int(chunks * config.instance_share * k / max(len(several), 1)) for k in range(len(several) + 1)]
    found = [
        Part(phase, count, first, last - first, chunks)
        for count, first, last in zip([*several, 1], bounds, [*bounds[1:], chunks], strict=True)
    ]
    return [part for part in found if part.chunks]


def stacked(states: Sequence[Tree]) -> Tree:
    """States of a phase as one of all instances: their arrays with a first axis more, and the score of each, `[n]`."""
    arrays = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
    return {**arrays, "score": jnp.zeros(len(states), jnp.float32)}


def survivors(state: Tree, count: int) -> Tree:
    """The `count` best instances, best first, with their moments; a phase's plain state where that is one."""
    order = np.argsort(np.asarray(state["score"]), kind="stable")[:count]
    chosen = order[0] if count == 1 else order
    kept = {name: part for name, part in state.items() if name != "score"}
    kept = jax.tree.map(lambda leaf: np.asarray(leaf)[chosen], kept)
    return kept if count == 1 else {**kept, "score": np.zeros(count, np.float32)}


def together(chunk: Callable[..., tuple[Tree, jax.Array]]) -> Callable[..., tuple[Tree, jax.Array]]:
    """A phase's chunk, `(state, span, *queries) -> (state, losses [steps])`, for the state of several instances.

    The losses given back are those of the instance that did best in the chunk. A query is seen once, and its loss is
    measured before the step that learns from it: summed with MEMORY they are a score on what was not learned yet. An
    instance whose numbers are not finite any more gives its place to a copy of the best one.
    """

    def advance(state: Tree, span: Any, *queries: Any) -> tuple[Tree, jax.Array]:
        score = state["score"]
        trained = {name: part for name, part in state.items() if name != "score"}
        axes = (0, *(None for _ in (span, *queries)))
        trained, losses = jax.vmap(chunk, in_axes=axes)(trained, span, *queries)
        sound = jnp.all(jnp.isfinite(losses), axis=1)
        for leaf in jax.tree.leaves(trained):
            sound &= jnp.all(jnp.isfinite(leaf.reshape(len(score), -1)), axis=1)
        mean = jnp.where(sound, jnp.mean(losses, axis=1), HOPELESS)
        best = jnp.argmin(mean)

        def mended(leaf: jax.Array) -> jax.Array:
            return jnp.where(sound.reshape(-1, *[1] * (leaf.ndim - 1)), leaf, leaf[best])

        return {**jax.tree.map(mended, trained), "score": MEMORY * score + mean}, losses[best]

    return advance
