"""A bake from reference to neural material: the phases in order, then sampler, rounding and report."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake import auxiliary, encoder, lobes, metrics, noise, quantise
from verdigris.bake.auxiliary_phase import as_heads, auxiliary_phase, first_state
from verdigris.bake.checkpoint import Checkpoint, identity
from verdigris.bake.config import BakeConfig
from verdigris.bake.instances import Part, parts, stacked, survivors, whole
from verdigris.bake.loop import Job, Loop, OnProgress, Progress, Stage
from verdigris.bake.phases import (
    Phase,
    Texture,
    encodes,
    optimiser_state,
    phase_rng,
    texture_state,
    tune_phase,
    without_encoder,
)
from verdigris.bake.queries import QuerySource
from verdigris.bake.record import curves
from verdigris.bake.schedule import Pace
from verdigris.bake.trainable import Network, init_network
from verdigris.conventions import Array, luminance
from verdigris.model.config import Lobe
from verdigris.model.frames import shading_frames
from verdigris.model.grid import Grid
from verdigris.model.latents import fetch
from verdigris.model.neural import Metadata, NeuralMaterial
from verdigris.runtime import cache_directory

SAMPLER_SAMPLES = 1 << 15
LATENT_MAX = 64.0
"""Latents are clipped to it at the end, far outside what they take, so that float16 holds them well."""

_ONE_COSINE = (Lobe("cosine", -1, 0.0, 1.0),)


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
    if not hasattr(reference, "eval_dr"):
        from verdigris.materials.reference import load_reference

        reference = load_reference(reference)
    _use_compilation_cache()
    return _Bake(reference, config or BakeConfig(), job or Job(), on_progress).run()


def _use_compilation_cache() -> None:
    """Keeps compiled steps between processes: a bake compiles for seconds what it compiled the last time."""
    folder = cache_directory("jax")
    if folder is not None and jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


class _Bake:
    """One bake in progress."""

    def __init__(self, reference: Any, config: BakeConfig, job: Job, on_progress: OnProgress | None):
        estimates = config.estimates or noise.estimates_for(reference, config.seed)
        checkpoint = Checkpoint(job.checkpoint, identity(reference.source, config)) if job.checkpoint else None
        self.estimates, reference = estimates, reference.averaging(estimates)
        self.reference, self.config = reference, config
        self.source = QuerySource(reference, config.mix, marked=config.augment_colours > 0.0)
        # Heads keep latents that vary even where the reflection does not.
        signals = auxiliary.surface(reference) if config.auxiliary_samples else ()
        self.signals, self.encodes = signals, encodes(reference)
        varying = reference.varying or (bool(signals) and reference.signals_vary)
        self.textures = [Texture(config.resolution if varying else 1)]
        self.tune_samples = config.tune_samples if varying else config.uniform_samples
        self.parts = self._parts()
        chunks = {part.name: part.chunks for part in self.parts}
        pace = Pace(chunks, config.chunk, sum(texture.side**2 for texture in self.textures), job.deadline)
        self.loop = Loop(self.source, config.chunk_steps, pace, job, checkpoint, on_progress)

    def run(self) -> NeuralMaterial:
        """All phases."""
        state = self.loop.run([self._stage(index, part) for index, part in enumerate(self.parts)], {})
        material = self._rounded(state)
        if "auxiliary" in state:
            unit = self.source.emission_unit if "emission" in self.signals else 1.0
            heads = as_heads(self.config.auxiliary_hidden, state["auxiliary"]["values"], unit)
            material = replace(material, auxiliary=heads)
        material = replace(material, lobes=self._fit_lobes(material))
        return self._reported(material)

    @property
    def _uniform(self) -> bool:
        """Whether all textures are single texels."""
        return all(texture.side == 1 for texture in self.textures)

    def _parts(self) -> list[Part]:
        """All phases in parts: several instances only where none needs textures of its own."""
        tune, heads = (self.config.chunks(count) for count in (self.tune_samples, self.config.auxiliary_samples))
        last = [whole("auxiliary", heads)] if heads else []
        if self._uniform:
            return [*parts(self.config, "tune", tune), *last]
        encode = self.config.chunks(self.config.encode_samples)
        first = parts(self.config, "encode", encode) if self.encodes else []
        return [*first, *quantise.split(self.config, whole("tune", tune)), *last]

    @property
    def _last_tuning(self) -> str:
        return [part.name for part in self.parts if part.phase == "tune"][-1]

    def _stage(self, index: int, part: Part) -> Stage:
        if part.phase == "auxiliary":
            return Stage(part.name, lambda: self._phase(part), self._auxiliary_state)
        if part.bits < 16:
            return Stage(part.name, lambda: self._phase(part), lambda state: self._quantised_state(state, part))
        if part.first:
            return Stage(part.name, lambda: self._phase(part), lambda state: survivors(state, part.count))
        return Stage(part.name, lambda: self._phase(part), self._tune_state if index else lambda _: self._first(part))

    def _phase(self, part: Part) -> Phase:
        if part.phase == "encode":
            return encoder.encode_phase(self.config, self.source, self._scale, part)
        if part.phase == "auxiliary":
            return auxiliary_phase(self.config, self.source, part.chunks)
        before = self.config.chunks(self.config.encode_samples) if self.encodes else 0
        return tune_phase(self.config, [self.source], self.textures, self.tune_samples, before, part)

    def _first(self, part: Part) -> Any:
        """Random networks, with encoders or latents; that of instance 0 is the one that a single training has."""
        begin = self._encode_state if self.encodes else self._plain_state
        return begin() if part.count == 1 else stacked([begin(instance) for instance in range(part.count)])

    @cached_property
    def _scale(self) -> encoder.Scale:
        return encoder.input_scale(self.source, phase_rng(self.config.seed, "latents"))

    def _network(self, instance: int) -> Network:
        seed, config = self.config.seed, self.config.model
        rng = phase_rng(seed, "instances", 2 * instance) if instance else np.random.default_rng([seed, 0])
        network = init_network(config, rng)
        if self.signals:
            network["auxiliary"] = auxiliary.init_heads(config, self.signals, self.config.auxiliary_hidden, rng)
        return network

    def _encode_state(self, instance: int = 0) -> Any:
        """A random network with an encoder beside it."""
        inputs, rng = len(self._scale[0]), self._latents_rng(instance, 1)
        layers = encoder.first_layers(inputs, self.config.model.channels, rng)
        return {"network": optimiser_state({**self._network(instance), "encoder": layers})}

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
        """The network without its encoder, and the texels that it gave."""
        network = state["network"]
        layers, rng = network["values"]["encoder"], phase_rng(self.config.seed, "latents", 2)
        textures = [
            texture_state(encoder.texture(self.source, layers, self._scale, texture.side, rng))
            for texture in self.textures
        ]
        return {"network": without_encoder(network), "textures": textures}

    def _auxiliary_state(self, state: Any) -> Any:
        """What the tuning phase left, without the texels' moments, and the heads on it as it will be stored."""
        values, channels = state["network"]["values"], self.config.model.channels
        textures = [texture[:channels] for texture in state["textures"]]
        heads = first_state(self.config, self.reference, self._rounded(state), values.get("auxiliary", {}))
        return {**state, "network": {"values": values}, "textures": textures, **heads}

    def _quantised_state(self, state: Any, part: Part) -> Any:
        """The state with the grids of its textures; part: without a first one of 16 bits it makes the texels too."""
        if not part.first:
            state = self._tune_state(state) if self.encodes else self._plain_state()
        return quantise.begin(state, part.bits)

    def _rounded(self, state: Any) -> NeuralMaterial:
        """The material with every number as a file will hold it, so that saving and loading changes nothing."""
        network, channels = state["network"]["values"], self.config.model.channels
        grids: tuple[Grid, ...] = ()
        if "grid" in state:
            latents, grids = zip(*quantise.stored(state, self.config.latent_bits), strict=True)
        else:
            clipped = (
                np.clip(np.asarray(texture)[:channels], -LATENT_MAX, LATENT_MAX) for texture in state["textures"]
            )
            latents = tuple(_float16(texels.transpose(1, 2, 0)) for texels in clipped)
        return NeuralMaterial(
            config=self.config.model,
            latents=latents,
            frame_weight=_float16(network["frames"]) if "frames" in network else None,
            layers=tuple((_float16(weight), _float16(bias)) for weight, bias in network["layers"]),
            lobes=_ONE_COSINE,
            grids=grids,
        )

    def _fit_lobes(self, material: NeuralMaterial) -> tuple[Lobe, ...]:
        """Lobes for the learned response, at directions that the reference's sampler draws."""
        rng = phase_rng(self.config.seed, "sampler")
        uv = rng.random((SAMPLER_SAMPLES, 2), dtype=np.float32)
        queries = self.source.directions(uv[:, 0], uv[:, 1], int(rng.integers(2**63)), metrics.KINDS["sampled"])
        wi, wo, _, pdf = queries.numpy()
        importance = luminance(material.eval(uv, wi, wo)) * metrics.inverse_density(wo, pdf)
        frames = shading_frames(material.frame_weight, fetch(material.latents[0], uv))
        # Without learned frames there still is one, the identity, which no lobe may name.
        normals = frames[:, : self.config.model.frames, 2]
        return lobes.fit(normals, wi, wo, importance)

    def _reported(self, material: NeuralMaterial) -> NeuralMaterial:
        rng, record, on_progress = phase_rng(self.config.seed, "report"), self.loop.record, self.loop.on_progress
        report = metrics.measure(material, self.source, self.config.report_samples, rng)
        loss, samples = record.losses[self._last_tuning][-1], record.chunks * self.config.chunk
        # No times: they differ from bake to bake, the file must not.
        report |= {
            "loss": loss,
            "training_samples": samples,
            "bad_reference_values": self.source.bad,
            "estimates": self.estimates,
            "retries": record.retries,
            "shortened": record.shortened,
            "curves": curves(record.losses, self.config.chunk_steps),
        }
        if on_progress is not None:
            on_progress(Progress("report", 1, 1, loss, samples / self.loop.seconds, 0.0, self.loop.seconds))
        metadata = Metadata(self.reference.name, dict(self.reference.source), _plain(asdict(self.config)), report)
        return replace(material, metadata=metadata)


def _float16(array: Any) -> Array:
    return np.ascontiguousarray(np.asarray(array)).astype(np.float16).astype(np.float32)


def _plain(value: Any) -> Any:
    """Tuples as lists: what JSON gives back."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
