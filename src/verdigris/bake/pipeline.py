"""A bake from reference to neural material: the phases in order, then sampler, rounding and report."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake import lobes, metrics, noise
from verdigris.bake.config import BakeConfig
from verdigris.bake.loop import OnProgress, Pace, Progress, run
from verdigris.bake.phases import (
    ENCODER_HIDDEN,
    encode,
    encode_phase,
    optimiser_state,
    phase_rng,
    texture_state,
    to_jax,
    tune_phase,
    without_encoder,
)
from verdigris.bake.queries import QuerySource
from verdigris.bake.trainable import Network, init_layers, init_network
from verdigris.conventions import Array, luminance
from verdigris.model.config import Lobe
from verdigris.model.frames import shading_frames
from verdigris.model.latents import fetch
from verdigris.model.neural import Metadata, NeuralMaterial
from verdigris.runtime import cache_directory

STATISTICS_SAMPLES = 1 << 16
SAMPLER_SAMPLES = 1 << 15
ENCODE_JITTER = 4
"""Positions inside a texel whose codes are averaged: the textures may be finer than the latents."""

LATENT_MAX = 64.0
"""Latents are clipped to it at the end, far outside what they take, so that float16 holds them well."""

_ONE_COSINE = (Lobe("cosine", -1, 0.0, 1.0),)


def bake(reference: Any, config: BakeConfig | None = None, on_progress: OnProgress | None = None) -> NeuralMaterial:
    """Bakes a reference into a neural material that depends on the reference, the configuration and the seed alone.

    reference: a material, or a source that `load_reference` takes. config: default `standard`.
    on_progress: called after each chunk. Nothing is written to disk, and an interrupt leaves nothing behind.

    Raises BakeError when training diverges or the reference gives values that are not finite.
    """
    if not hasattr(reference, "eval_dr"):
        from verdigris.materials.reference import load_reference

        reference = load_reference(reference)
    _use_compilation_cache()
    return _Bake(reference, config or BakeConfig(), on_progress).run()


def _use_compilation_cache() -> None:
    """Keeps compiled steps between processes: a bake compiles for seconds what it compiled the last time."""
    folder = cache_directory("jax")
    if folder is not None and jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


class _Bake:
    """One bake in progress."""

    def __init__(self, reference: Any, config: BakeConfig, on_progress: OnProgress | None):
        estimates = config.estimates or noise.estimates_for(reference, config.seed)
        self.estimates, reference = estimates, reference.averaging(estimates)
        self.reference, self.config, self.on_progress = reference, config, on_progress
        self.source = QuerySource(reference, config.mix)
        varying = reference.varying
        self.resolution = config.resolution if varying else 1
        self.encodes = varying and reference.parameter_count > 0
        self.tune_samples = config.tune_samples if varying else config.uniform_samples
        chunks = config.chunks(self.tune_samples) + (config.chunks(config.encode_samples) if self.encodes else 0)
        self.pace = Pace(chunks, config.chunk, config.chunk_steps)

    def run(self) -> NeuralMaterial:
        """All phases."""
        start = time.perf_counter()
        network = optimiser_state(init_network(self.config.model, np.random.default_rng([self.config.seed, 0])))
        network, latents = self._encode(network) if self.encodes else (network, self._plain_latents())
        phase = tune_phase(self.config, self.source, self.resolution, self.tune_samples)
        state = {"network": network, "texture": texture_state(latents)}
        state, loss = run(phase, state, self.pace, self.on_progress)
        material = self._rounded(state["network"]["values"], state["texture"][: self.config.model.channels])
        material = replace(material, lobes=self._fit_lobes(material))
        return self._reported(material, loss, start)

    def _encode(self, network: Any) -> tuple[Any, jax.Array]:
        """The encoder phase: the trained network and the first latents `[C, H, W]`."""
        rng = phase_rng(self.config.seed, "latents")
        u, v = rng.random((2, STATISTICS_SAMPLES), dtype=np.float32)
        values = np.stack([np.asarray(value) for value in self.source.parameters(u, v)])
        deviation = values.std(axis=1)
        scale = (values.mean(axis=1), np.where(deviation > 1e-6, deviation, 1.0).astype(np.float32))
        sizes = (len(values), *ENCODER_HIDDEN, self.config.model.channels)
        # The last layer starts at a tenth, which suits a response but would hide the latent from the decoder.
        layers = init_layers(sizes, rng)
        layers[-1] = (layers[-1][0] * 5.0, layers[-1][1])
        state = {"network": optimiser_state({**network["values"], "encoder": layers})}
        state, _ = run(encode_phase(self.config, self.source, scale), state, self.pace, self.on_progress)
        trained = state["network"]
        encoder = trained["values"]["encoder"]
        return without_encoder(trained), self._encoded_latents(encoder, scale, rng)

    def _encoded_latents(self, encoder: Any, scale: tuple[Array, Array], rng: np.random.Generator) -> jax.Array:
        side = self.resolution
        y, x = np.divmod(np.arange(side * side), side)
        total = jnp.zeros((self.config.model.channels, side * side), jnp.float32)
        encode_all = jax.jit(encode)
        for _ in range(ENCODE_JITTER):
            u, v = (((axis + rng.random(side * side)) / side).astype(np.float32) for axis in (x, y))
            total = total + encode_all(encoder, scale, to_jax(self.source.parameters(u, v)))
        return (total / ENCODE_JITTER).reshape(-1, side, side)

    def _plain_latents(self) -> jax.Array:
        rng = phase_rng(self.config.seed, "latents")
        shape = (self.config.model.channels, self.resolution, self.resolution)
        return jnp.asarray(rng.normal(0.0, 0.1, shape).astype(np.float32))

    def _rounded(self, network: Network, latents: jax.Array) -> NeuralMaterial:
        """The material with every number as float16 will hold it, so that saving and loading changes nothing."""
        texture = np.clip(np.asarray(latents), -LATENT_MAX, LATENT_MAX).transpose(1, 2, 0)
        return NeuralMaterial(
            config=self.config.model,
            latents=(_float16(texture),),
            frame_weight=_float16(network["frames"]) if "frames" in network else None,
            layers=tuple((_float16(weight), _float16(bias)) for weight, bias in network["layers"]),
            lobes=_ONE_COSINE,
        )

    def _fit_lobes(self, material: NeuralMaterial) -> tuple[Lobe, ...]:
        """Lobes for the learned response, at directions that the reference's sampler draws."""
        rng = phase_rng(self.config.seed, "sampler")
        uv = rng.random((SAMPLER_SAMPLES, 2), dtype=np.float32)
        queries = self.source.directions(uv[:, 0], uv[:, 1], int(rng.integers(2**63)), metrics.KINDS["sampled"])
        wi, wo, _, pdf = queries.numpy()
        importance = luminance(material.eval(uv, wi, wo)) * metrics.inverse_density(wo, pdf)
        normals = shading_frames(material.frame_weight, fetch(material.latents[0], uv))[:, :, 2]
        return lobes.fit(normals, wi, wo, importance)

    def _reported(self, material: NeuralMaterial, loss: float, start: float) -> NeuralMaterial:
        rng = phase_rng(self.config.seed, "report")
        report = metrics.measure(material, self.source, self.config.report_samples, rng)
        report |= {"loss": loss, "training_samples": self._trained(), "bad_reference_values": self.source.bad}
        report["estimates"] = self.estimates
        if self.on_progress is not None:
            self.on_progress(Progress("report", 1, 1, loss, self._trained() / (time.perf_counter() - start), 0.0))
        metadata = Metadata(self.reference.name, dict(self.reference.source), _plain(asdict(self.config)), report)
        return replace(material, metadata=metadata)

    def _trained(self) -> int:
        config = self.config
        encoded = config.chunks(config.encode_samples) if self.encodes else 0
        return (encoded + config.chunks(self.tune_samples)) * config.chunk


def _float16(array: Any) -> Array:
    return np.ascontiguousarray(np.asarray(array)).astype(np.float16).astype(np.float32)


def _plain(value: Any) -> Any:
    """Tuples as lists: what JSON gives back."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
