"""A bake from references to neural materials: the phases in order, and what follows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake import auxiliary, auxiliary_phase, encoder, far, finish, furnace, mend, quantise, sampler
from verdigris.bake.checkpoint import Checkpoint, identity
from verdigris.bake.config import BakeConfig
from verdigris.bake.instances import Part, parts, survivors, whole
from verdigris.bake.instances import stacked as several
from verdigris.bake.loop import Job, Loop, OnProgress, Progress, Stage
from verdigris.bake.phases import Phase, Texture, optimiser_state, phase_rng, texture_state, tune_phase
from verdigris.bake.record import curves
from verdigris.bake.schedule import Pace
from verdigris.bake.subject import Subject, beside_others, subject
from verdigris.bake.trainable import Network, init_network
from verdigris.errors import BakeError
from verdigris.model.neural import NeuralMaterial
from verdigris.runtime import cache_directory


def bake(
    reference: Any,
    config: BakeConfig | None = None,
    on_progress: OnProgress | None = None,
    job: Job | None = None,
) -> NeuralMaterial:
    """Bakes a reference into a neural material that depends on the reference, the configuration and the seed alone.

    reference: a material, or a source that `load_reference` takes. config: default `standard`.
    on_progress: called after each chunk. job: where to keep a checkpoint, and a deadline; by default nothing is written
    to disk, and an interrupt leaves nothing behind. A bake that a deadline shortened says so in its report.

    Raises BakeError when training diverges, the reference gives values that are not finite, or the deadline is too
    near.
    """
    _use_compilation_cache()
    config = config or BakeConfig()
    return _Bake([subject(_loaded(reference), config)], config, job or Job(), on_progress).run()[0]


def bake_shared(
    references: Sequence[Any],
    config: BakeConfig | None = None,
    on_progress: OnProgress | None = None,
    job: Job | None = None,
) -> list[NeuralMaterial]:
    """Bakes two references or more into neural materials that share frames, decoder and heads; one for each, in order.

    Arguments and errors are those of `bake`. Each material learns from as many samples as if it were baked alone, so
    that the bake takes as long as all of them. `shared` in the reports tells who shares.

    Raises BakeError where there are fewer than two references, or `config` asks for several instances.
    """
    _use_compilation_cache()
    config = config or BakeConfig()
    if len(references) < 2:
        raise BakeError(f"a shared bake: expected two materials or more, got {len(references)}")
    if config.instances > 1:
        raise BakeError(f"instances: a shared bake expects 1, got {config.instances}")
    subjects = beside_others([subject(_loaded(reference), config) for reference in references], config)
    return _Bake(subjects, config, job or Job(), on_progress).run()


def _loaded(reference: Any) -> Any:
    if hasattr(reference, "eval_dr"):
        return reference
    from verdigris.materials.reference import load_reference

    return load_reference(reference)


def _use_compilation_cache() -> None:
    """Keeps compiled steps between processes: a bake compiles for seconds what it compiled the last time."""
    folder = cache_directory("jax")
    if folder is not None and jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


class _Bake:
    """One bake in progress, of one material or of several that share a network."""

    def __init__(self, subjects: list[Subject], config: BakeConfig, job: Job, on_progress: OnProgress | None):
        self.subjects, self.config = subjects, config
        self.sources = [one.source for one in subjects]
        self.textures = [texture for number, one in enumerate(subjects) for texture in one.textures(number)]
        self.signals = auxiliary.union(one.signals for one in subjects)
        self.encode_samples = sum(one.encode_samples for one in subjects)
        self.tune_samples = sum(one.tune_samples for one in subjects)
        self.parts = self._parts()
        chunks = {part.name: part.chunks for part in self.parts}
        texels = sum(texture.side**2 for texture in self.textures)
        pace = Pace(chunks, config.chunk, texels, job.deadline, materials=len(subjects))
        known = identity([one.reference.source for one in subjects], config)
        checkpoint = Checkpoint(job.checkpoint, known) if job.checkpoint else None
        self.loop = Loop(self.sources, config.chunk_steps, pace, job, checkpoint, on_progress)

    def run(self) -> list[NeuralMaterial]:
        """All phases."""
        state = self.loop.run([self._stage(index, part) for index, part in enumerate(self.parts)], {})
        finished = [self._finished(number, state) for number in range(len(self.subjects))]
        materials, factor = furnace.conserving([one for one, _ in finished], phase_rng(self.config.seed, "furnace"))
        materials = [
            self._reported(number, material, {"mended": finished[number][1], "dimmed": factor})
            for number, material in enumerate(materials)
        ]
        if self.loop.on_progress is not None:
            record, seconds = self.loop.record, self.loop.seconds
            rate = record.chunks * self.config.chunk / seconds
            self.loop.on_progress(Progress("report", 1, 1, self._loss, rate, 0.0, seconds))
        return materials

    def _parts(self) -> list[Part]:
        """All phases in parts: several instances only where none needs textures of its own."""
        config, heads = self.config, len(self.subjects) * self.config.auxiliary_samples
        last = [whole("sampler", config.chunks(config.sampler_samples(self.tune_samples)))]
        last += [whole("auxiliary", config.chunks(heads))] if heads else []
        tune = config.chunks(self.tune_samples)
        if all(texture.side == 1 for texture in self.textures):
            return [*parts(config, "tune", tune), *last]
        first = parts(config, "encode", config.chunks(self.encode_samples)) if self.encode_samples else []
        samples = far.samples(config, self.tune_samples) if far.numbers(config, self.textures) else 0
        alone = [replace(whole("far", config.chunks(samples)), bits=config.latent_bits)] if samples else []
        return [*first, *quantise.split(config, whole("tune", tune)), *alone, *last]

    @property
    def _loss(self) -> float:
        """Mean loss of the fine-tuning's last chunk."""
        return self.loop.record.losses[[part.name for part in self.parts if part.phase == "tune"][-1]][-1]

    def _stage(self, index: int, part: Part) -> Stage:
        last = {"far": far.first_state, "sampler": self._sampler_state, "auxiliary": self._auxiliary_state}
        if part.phase in last:
            return Stage(part.name, lambda: self._phase(part), last[part.phase])
        if part.bits < 16:
            return Stage(part.name, lambda: self._phase(part), lambda state: self._quantised_state(state, part))
        if part.first:
            return Stage(part.name, lambda: self._phase(part), lambda state: survivors(state, part.count))
        return Stage(part.name, lambda: self._phase(part), self._tune_state if index else lambda _: self._first(part))

    def _phase(self, part: Part) -> Phase:
        encode, tune = (self.config.chunks(samples) for samples in (self.encode_samples, self.tune_samples))
        if part.phase == "encode":
            return encoder.encode_phase(self.config, self._encoded, self.encode_samples, tune, part)
        if part.phase == "auxiliary":
            return auxiliary_phase.auxiliary_phase(self.config, self.sources, self._levels, part.chunks)
        if part.phase == "far":
            return far.far_phase(self.config, self.sources, self.textures, part, encode + tune)
        if part.phase == "sampler":
            mine = set(far.numbers(self.config, self._levels)) if any(p.phase == "far" for p in self.parts) else ()
            places = [
                sampler.Place((level.side, level.side), level.share, number in mine)
                for number, level in enumerate(self._levels)
            ]
            return sampler.sampler_phase(self.config, places, part.chunks)
        return tune_phase(self.config, self.sources, self.textures, self.tune_samples, encode, part)

    @property
    def _levels(self) -> list[Texture]:
        """Every material's, as many queries for each of these."""
        return [replace(level, source=number) for number, one in enumerate(self.subjects) for level in one.levels]

    def _first(self, part: Part) -> Any:
        """Random networks, with encoders or latents; that of instance 0 is the one that a single training has."""
        begin = self._encode_state if self.encode_samples else self._plain_state
        return begin() if part.count == 1 else several([begin(instance) for instance in range(part.count)])

    @cached_property
    def _encoded(self) -> list[encoder.Encoded]:
        rngs = (phase_rng(self.config.seed, "latents", 3 * number) for number in range(len(self.subjects)))
        return [
            encoder.encoded(one.source, one.levels, one.encode_samples, rng)
            for one, rng in zip(self.subjects, rngs, strict=True)
        ]

    def _network(self, instance: int) -> Network:
        seed, config = self.config.seed, self.config.model
        rng = phase_rng(seed, "instances", 2 * instance) if instance else np.random.default_rng([seed, 0])
        network = init_network(config, rng)
        if self.signals:
            network["auxiliary"] = auxiliary.init_heads(config, self.signals, self.config.auxiliary_hidden, rng)
        return network

    def _encode_state(self, instance: int = 0) -> Any:
        """A random network with random encoders."""
        rng, channels = self._latents_rng(instance, 1), self.config.model.channels
        layers = [encoder.first_layers(len(one.scale[0]), channels, rng) for one in self._encoded]
        return {"network": optimiser_state(self._network(instance)), "encoders": encoder.stacked(layers)}

    def _plain_state(self, instance: int = 0) -> Any:
        """A random network and random latents."""
        rng, textures = self._latents_rng(instance), []
        for texture in self.textures:
            latents = rng.normal(0.0, 0.1, (self.config.model.channels, texture.side, texture.side))
            textures.append(texture_state(jnp.asarray(latents.astype(np.float32))))
        return {"network": optimiser_state(self._network(instance)), "textures": textures}

    def _latents_rng(self, instance: int, stream: int = 0) -> np.random.Generator:
        seed = self.config.seed
        return phase_rng(seed, "instances", 2 * instance + 1) if instance else phase_rng(seed, "latents", stream)

    def _tune_state(self, state: Any) -> Any:
        """The network, and the texels that the encoders gave."""
        textures, rng = [], phase_rng(self.config.seed, "latents", 2)
        for number, one in enumerate(self._encoded):
            layers = encoder.layers_of(state["encoders"], number, len(one.scale[0]))
            codes = encoder.textures(one, layers, self.subjects[number].levels[0].side, rng)
            textures += [texture_state(level) for level in codes]
        return {"network": state["network"], "textures": textures}

    def _sampler_state(self, state: Any) -> Any:
        """What the tuning phase left, without any moments, the same as it will be stored, and a sampler on that."""
        values, channels = state["network"]["values"], self.config.model.channels
        numbers = range(len(self.subjects))
        latents = [level for n in numbers for level in finish.latents(self.config, state, self.textures, n)[0]]
        textures = [texture[:channels] for texture in state["textures"]]
        far_layers = {"far": {"values": state["far"]["values"]}} if "far" in state else {}
        return {
            **state,
            **far_layers,
            "network": {"values": values},
            "textures": textures,
            "stored": sampler.stored(latents, finish.frames(state), finish.decoder(state), finish.far_layers(state)),
            "sampler": sampler.first_state(self.config),
        }

    def _auxiliary_state(self, state: Any) -> Any:
        """What the sampler phase left, and the heads."""
        names = auxiliary.union(one.heads for one in self.subjects)
        trained = state["network"]["values"].get("auxiliary", {})
        return {**state, "auxiliary": auxiliary_phase.first_state(self.config, names, trained)}

    def _quantised_state(self, state: Any, part: Part) -> Any:
        """The state with the grids of its textures; part: without a first one of 16 bits it makes the texels too."""
        if not part.first:
            state = self._tune_state(state) if self.encode_samples else self._plain_state()
        return quantise.begin(state, part.bits)

    def _finished(self, number: int, state: Any) -> tuple[NeuralMaterial, int]:
        """A material without its report, and how many of its texels were mended."""
        one, rng = self.subjects[number], phase_rng(self.config.seed, "mend", number)
        stored = finish.rounded(self.config, state, self.textures, number)
        material, lost = mend.mended(stored, one.source, one.levels, rng)
        if "auxiliary" in state:
            heads = {name: state["auxiliary"]["values"][name] for name in one.heads}
            unit = one.source.emission_unit if "emission" in one.heads else 1.0
            found = auxiliary_phase.as_heads(self.config.auxiliary_hidden, heads, unit)
            material = replace(material, auxiliary=found)
        return material, lost

    def _reported(self, number: int, material: NeuralMaterial, facts: dict[str, Any]) -> NeuralMaterial:
        facts = self._facts(number, material) | facts
        return finish.reported(self.config, self.subjects[number], number, material, facts)

    def _facts(self, number: int, material: NeuralMaterial) -> dict[str, Any]:
        """What the training adds to a material's report."""
        record = self.loop.record
        # No times: they differ from bake to bake, the file must not.
        facts = {
            "loss": self._loss,
            "training_samples": self._samples(number),
            "retries": record.retries,
            "shortened": record.shortened,
            "curves": curves(record.losses, self.config.chunk_steps),
        }
        if len(self.subjects) > 1:
            names = [one.reference.name for one in self.subjects]
            facts["shared"] = {"network": finish.network_digest(material), "materials": names}
        return facts

    def _samples(self, number: int) -> int:
        """Queries that a material learned from; to a step, where several take turns."""
        one, total, count = self.subjects[number], 0.0, len(self.subjects)
        # The sampler asks no reference.
        shares = {"encode": one.encode_samples / max(self.encode_samples, 1), "auxiliary": 1.0 / count, "sampler": 0.0}
        for part in self.parts:
            share = shares.get(part.phase, one.tune_samples / self.tune_samples)
            total += share * len(self.loop.record.losses[part.name])
        return round(total * self.config.chunk)
