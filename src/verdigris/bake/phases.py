"""What differs between the training phases: the parameters, the queries of a chunk, the step. `loop.py` runs any.

Here is what they share, and tune: queries in tiles; the texels, the frame layer and the decoder [P]. The others:
`encoder.py`, `auxiliary_phase.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from verdigris.bake import auxiliary, losses, quantise, tiles
from verdigris.bake.batches import Steps, by_owner
from verdigris.bake.blur import NO_FOOTPRINT, Blur, Footprint
from verdigris.bake.config import BakeConfig
from verdigris.bake.instances import Part, together, whole
from verdigris.bake.queries import Queries, QuerySource
from verdigris.bake.trainable import Network, Rows, answer, as_stored
from verdigris.bake.turns import deal
from verdigris.conventions import Array

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-7
"""Adam's constants [P]."""

PHASE_IDS = {
    "encode": 1,
    "tune": 2,
    "sampler": 3,
    "report": 4,
    "latents": 5,
    "instances": 6,
    "auxiliary": 7,
    "furnace": 8,
    "mend": 9,
    "far": 10,
}
Tree = Any


class Span(NamedTuple):
    """The part of its phase that a chunk covers, as data to the compiled step: progress from `start` to `stop`, both in
    0..1, which every schedule is a function of; `scale` multiplies all rates, below 1 after a divergence."""

    start: Any
    stop: Any
    scale: Any

    def progress(self, steps: int) -> jax.Array:
        """Progress at each of a chunk's steps, `[steps]`."""
        return self.start + (self.stop - self.start) * (jnp.arange(steps, dtype=jnp.float32) / steps)

    def of_whole(self, part: Part) -> Span:
        """The same span of a part of a phase as one of the whole phase."""
        return self._replace(start=part.within(self.start), stop=part.within(self.stop))


@dataclass(frozen=True)
class Phase:
    """One training phase. `prepare(chunk index)` launches a chunk's queries and returns the arguments of
    `advance(state, span, *arguments) -> (state, losses [steps])`, which is compiled once. `chunks`: how many make up
    the whole phase; a time budget may leave some out. `rate(progress)`: the network's rate, for the log."""

    name: str
    chunks: int
    prepare: Callable[[int], tuple[Any, ...]]
    advance: Callable[..., tuple[Tree, jax.Array]]
    rate: Callable[[float], float]


def fall(config: BakeConfig, progress: Any) -> Any:
    """Factor on the rates where they fall: a half cosine from 1 to `rate_end` over progress 0..1."""
    return optax.cosine_decay_schedule(1.0, 1, config.rate_end)(progress)


def phase_rng(seed: int, phase: str, chunk: int = 0) -> np.random.Generator:
    """The generator of one chunk of one phase: chunks do not depend on each other's order."""
    return np.random.default_rng([seed, PHASE_IDS[phase], chunk])


def adam(
    value: jax.Array, grad: jax.Array, m: jax.Array, v: jax.Array, count: jax.Array, rate: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """One Adam update (Kingma and Ba 2015) of texels: (value, m, v); `count`, an array, is the number of each one's
    update, from 1. Optax counts the updates of an array as a whole, so it serves the network only."""
    m = BETA1 * m + (1.0 - BETA1) * grad
    v = BETA2 * v + (1.0 - BETA2) * grad * grad
    step = rate * (m / (1.0 - BETA1**count)) / (jnp.sqrt(v / (1.0 - BETA2**count)) + EPSILON)
    return value - step, m, v


_ADAM = optax.scale_by_adam(BETA1, BETA2, EPSILON)


def optimiser_state(values: Tree) -> Tree:
    """A network that was not updated yet: {values, adam}."""
    return {"values": values, "adam": _ADAM.init(values)}


def update(state: Tree, grads: Tree, rate: jax.Array) -> Tree:
    """One step of Adam on every array of a tree."""
    steps, moments = _ADAM.update(grads, state["adam"])
    values = jax.tree.map(lambda value, step: value - rate * step, state["values"], steps)
    return {"values": values, "adam": moments}


def columns(queries: Queries) -> list[Any]:
    """Nine flat columns: wi, wo and target."""
    return [*queries.wi, *queries.wo, *queries.target]


def split(arrays: list[jax.Array], steps: int) -> tuple[Any, ...]:
    """Nine flat columns as wi and wo, three rows `[steps, batch]` each, and target `[steps, 3, batch]`."""
    shaped = [array.reshape(steps, -1) for array in arrays]
    return tuple(shaped[0:3]), tuple(shaped[3:6]), jnp.stack(shaped[6:9], axis=1)


def encodes(reference: Any) -> bool:
    """Whether a bake of the reference begins with an encoder: where it varies and says by what."""
    return bool(reference.varying) and reference.parameter_count > 0


def directions(
    config: BakeConfig, source: QuerySource, u: Array, v: Array, rng: np.random.Generator, spread: float | Array,
    place: float, footprint: Footprint = NO_FOOTPRINT,
) -> Queries:  # fmt: skip
    """Queries of a training chunk at positions `[n]`. spread: a texel's side in uv, one for all or `[n]`; place: share
    of the whole training done before it."""
    seed, cone = int(rng.integers(2**63)), config.cone(place)
    return source.directions(u, v, seed, spread=spread, blur=Blur(cone, config.mollify_samples, footprint))


def mean_loss(
    config: BakeConfig, network: Network, latent: jax.Array, wi: Rows, wo: Rows, target: jax.Array,
    settle: Any = None, bend: float = losses.BEND,
) -> jax.Array:  # fmt: skip
    """What a step minimises, for latents `[C, n]`, directions as rows `[n]`, and target `[3, n]`.

    settle: weight of `losses.power_mean`, with that bend, in the gradient, 0 to 1; the value always is that of
    `config.loss`, so that curves go on. Both sides go without the cosine where the decoder answers without it; a
    query's is 1e-4 at least.
    """
    true = target if config.model.decoder.cosine else target / wo[2]
    learned = answer(config.model, network, latent, wi, wo)
    loss = jnp.mean(losses.BY_NAME[config.loss](learned, true))
    if settle is None:
        return loss
    followed = (1.0 - settle) * loss + settle * jnp.mean(losses.power_mean(learned, true, bend))
    return followed + jax.lax.stop_gradient(loss - followed)


def compiled(part: Part, chunk: Callable[..., tuple[Tree, jax.Array]]) -> Callable[..., tuple[Tree, jax.Array]]:
    """`Phase.advance` of a part, from what does a chunk of one instance given a span of the whole phase."""

    def advance(state: Tree, span: Span, *queries: Any) -> tuple[Tree, jax.Array]:
        return chunk(state, span.of_whole(part), *queries)

    return jax.jit(advance if part.count == 1 else together(advance), donate_argnums=0)


@dataclass(frozen=True)
class Texture:
    """One latent texture of a fine-tuning, of `side`^2 texels: a level of the material that `source` numbers.

    share: of the queries, beside those of the other textures. samples: positions of a footprint that a target averages.
    """

    side: int
    share: float = 1.0
    source: int = 0
    level: int = 0
    samples: int = 1

    @property
    def deviation(self) -> float:
        """Of the footprint of a query, in uv: half a texel, and 0 at level 0."""
        return 0.5 / self.side if self.level else 0.0

    @property
    def blur(self) -> float:
        """Of the footprint that a response is averaged over: at level 0 too, where that takes several positions."""
        return 0.5 / self.side if self.samples > 1 else self.deviation


def _all_values(_state: Tree, values: Tree) -> Network:
    return values


@dataclass(frozen=True)
class Learner:
    """What a fine-tuning trains beside texels: the optimiser's state under that key of the whole state, by default all.

    network: the whole network, from the whole state and these values. textures: numbers of those that it trains; None:
    of all. bend: see `losses.power_mean`.
    """

    key: str = "network"
    network: Callable[[Tree, Tree], Network] = _all_values
    textures: tuple[int, ...] | None = None
    bend: float = losses.BEND


def tune_phase(
    config: BakeConfig, sources: Sequence[QuerySource], textures: Sequence[Texture], samples: int, before: int = 0,
    part: Part | None = None, learner: Learner | None = None,
) -> Phase:  # fmt: skip
    """The texels (state `textures`, a list, see `tiles.py`) with the network (state `network`).

    textures: those that learn, in the order of the state. before: chunks of the phases before. part: all of it by
    default. learner: of the whole network by default. Where the part has quantised latents, state `grid` holds what
    `quantise.begin` made.
    """
    chunks = config.chunks(samples)
    part = part or whole("tune", chunks)
    config = part.settings(config)
    steps, batch = config.chunk_steps, config.batch
    plan = tiles.plan([texture.side for texture in textures], batch)
    turns = deal([texture.share for texture in textures], chunks * steps)
    owners = np.array([texture.source for texture in textures])
    spreads = np.array([1.0 / texture.side for texture in textures], np.float32)
    deviations, blurs = (
        np.array([getattr(texture, name) for texture in textures], np.float32) for name in ("deviation", "blur")
    )
    positions = np.array([texture.samples for texture in textures], np.uint32)
    beside = [auxiliary.surface(source.reference) if config.auxiliary_samples else () for source in sources]
    signals = auxiliary.union(beside)
    present = auxiliary.present(signals, beside)[owners]
    count = 9 + auxiliary.outputs(signals)

    def prepare(chunk: int) -> tuple[Any, ...]:
        chunk += part.first
        rng = phase_rng(config.seed, part.phase, chunk)
        turn = turns[chunk * steps : (chunk + 1) * steps]
        layout, uv = tiles.draw(plan, turn, rng)
        u, v = (axis.reshape(steps, batch) for axis in uv)

        def ask(index: int, mine: Steps) -> list[Any]:
            source, at = sources[index], (u[mine].reshape(-1), v[mine].reshape(-1))
            spread = float(spreads[0]) if len(textures) == 1 else np.repeat(spreads[turn[mine]], batch)
            owned = turn[mine]
            footprint = Footprint(np.repeat(blurs[owned], batch), np.repeat(positions[owned], batch))
            queries = directions(config, source, *at, rng, spread, (before + chunk) / (before + chunks), footprint)
            return [*columns(queries), *auxiliary.targets(source, *at, signals, np.repeat(deviations[owned], batch))]

        return (layout, by_owner(owners[turn], ask, count))

    learner = learner or Learner()
    advance = compiled(part, partial(_tune_chunk, config, plan, (signals, present), part.bits, learner))
    return Phase(
        part.name, part.chunks, prepare, advance, lambda at: config.rate * float(fall(config, part.within(at)))
    )


def _tune_chunk(
    config: BakeConfig, plan: tiles.TilePlan, beside: tuple[tuple[str, ...], Array], bits: int, learner: Learner,
    state: Tree, span: Span, layout: tiles.Layout, columns: list[jax.Array],
) -> tuple[Tree, jax.Array]:  # fmt: skip
    """beside: the heads that the latents must hold too, whose targets follow the nine columns of the queries, and which
    of them each texture's material has, `[textures, heads]`."""
    signals, present = beside
    numbers = range(len(state["textures"])) if learner.textures is None else learner.textures
    rolled, cut = tiles.cut(plan, [state["textures"][number] for number in numbers], layout)

    single = np.array([side == 1 for side in plan.sides])

    def stored(texels: jax.Array, turn: jax.Array) -> jax.Array:
        if bits == 16:
            return as_stored(texels)
        grid = quantise.grid_of(state, jnp.asarray(np.array(numbers))[turn])
        return quantise.seen(texels, grid, jnp.asarray(single)[turn], bits)

    step = partial(_tune_step, config, plan, stored, partial(learner.network, state), learner.bend)
    progress = span.progress(config.chunk_steps)
    schedule = (span.scale * fall(config, progress), config.settles(progress))
    targets = auxiliary.rows(columns[9:], signals, config.chunk_steps)
    has = dict(zip(signals, jnp.asarray(present)[layout.turn].T, strict=True))
    places = (layout.turn, layout.start, layout.fraction)
    queries = (schedule, *places, *split(columns[:9], config.chunk_steps), targets, has)
    (learned, cut), loss = jax.lax.scan(step, (state[learner.key], cut), queries)
    found = dict(zip(numbers, tiles.join(plan, rolled, cut, layout), strict=True))
    textures = [found.get(number, texture) for number, texture in enumerate(state["textures"])]
    return {**state, learner.key: learned, "textures": textures}, loss


def _tune_step(
    config: BakeConfig, plan: tiles.TilePlan, stored: Callable[[jax.Array, jax.Array], jax.Array],
    whole: Callable[[Tree], Network], bend: float, carry: Tree, query: Any,
) -> Any:  # fmt: skip
    """stored: texels as the file will hold them, given their texture's turn. whole, bend: see `Learner`."""
    learned, cut = carry
    (rate, settle), turn, start, fraction, wi, wo, target, targets, has = query
    channels = config.model.channels
    block = jax.lax.dynamic_slice_in_dim(cut, start, plan.tiles, axis=1)

    def objective(values: Tree, texels: jax.Array) -> jax.Array:
        latent, network = tiles.fetch(plan, stored(texels, turn), fraction), as_stored(whole(values))
        loss = mean_loss(config, network, latent, wi, wo, target, settle, bend)
        if not targets:
            return loss
        beside = auxiliary.surface_loss(config.model, network["auxiliary"], network, latent, targets, has)
        return loss + config.surface_weight * beside

    loss, (grads, texel_grads) = jax.value_and_grad(objective, argnums=(0, 1))(learned["values"], block[:channels])
    texel_grads = tiles.gather(plan, texel_grads, turn) * plan.batch
    block = _update_texels(block, texel_grads, channels, config.texel_rate * rate)
    cut = jax.lax.dynamic_update_slice_in_dim(cut, block, start, axis=1)
    return (update(learned, grads, config.rate * rate), cut), loss


def _update_texels(block: jax.Array, grads: jax.Array, channels: int, rate: jax.Array) -> jax.Array:
    """Adam with a count of its own for each texel, since a step touches few of them."""
    values, m, v = (block[first : first + channels] for first in (0, channels, 2 * channels))
    count = block[3 * channels :] + 1.0
    return jnp.concatenate([*adam(values, grads, m, v, count, rate), count])


def texture_state(latents: jax.Array) -> jax.Array:
    """Latents `[C, H, W]` with zero moments and counts, `[3 C + 1, H, W]`."""
    channels, height, width = latents.shape
    return jnp.concatenate([latents, jnp.zeros((2 * channels + 1, height, width), jnp.float32)])
