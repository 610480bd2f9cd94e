"""What follows a bake's last phase: numbers as a file holds them, the sampler, the report."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import jax
import numpy as np

from verdigris.bake import lobes, metrics, quantise
from verdigris.bake.config import BakeConfig
from verdigris.bake.phases import Texture, phase_rng
from verdigris.bake.subject import Subject
from verdigris.bake.trainable import float16
from verdigris.conventions import luminance
from verdigris.model.config import Lobe
from verdigris.model.frames import shading_frames
from verdigris.model.grid import Grid
from verdigris.model.latents import fetch
from verdigris.model.neural import Metadata, NeuralMaterial

SAMPLER_SAMPLES = 1 << 15
LATENT_MAX = 64.0
"""Latents are clipped to it at the end, far outside what they take, so that float16 holds them well."""

_ONE_COSINE = (Lobe("cosine", -1, 0.0, 1.0),)


def rounded(config: BakeConfig, state: Any, textures: Sequence[Texture], material: int) -> NeuralMaterial:
    """One of the materials of the state of a fine-tuning with every number as a file will hold it, so that saving and
    loading changes nothing; without a sampler yet. textures: those of the state's key `textures`."""
    network, channels = state["network"]["values"], config.model.channels
    mine = [index for index, texture in enumerate(textures) if texture.source == material]
    grids: tuple[Grid, ...] = ()
    if "grid" in state:
        latents, grids = zip(*(quantise.stored(state, index, config.latent_bits) for index in mine), strict=True)
    else:
        texels = [np.asarray(state["textures"][index])[:channels].transpose(1, 2, 0) for index in mine]
        latents = tuple(float16(np.clip(level, -LATENT_MAX, LATENT_MAX)) for level in texels)
    return NeuralMaterial(
        config=config.model,
        latents=latents,
        frame_weight=float16(network["frames"]) if "frames" in network else None,
        layers=tuple((float16(weight), float16(bias)) for weight, bias in network["layers"]),
        lobes=_ONE_COSINE,
        grids=grids,
    )


def with_lobes(config: BakeConfig, subject: Subject, number: int, material: NeuralMaterial) -> NeuralMaterial:
    """The material with lobes for the learned response, at directions that the reference's sampler draws.

    number: of the material in its bake.
    """
    rng = phase_rng(config.seed, "sampler", number)
    uv = rng.random((SAMPLER_SAMPLES, 2), dtype=np.float32)
    queries = subject.source.directions(uv[:, 0], uv[:, 1], int(rng.integers(2**63)), metrics.KINDS["sampled"])
    wi, wo, _, pdf = queries.numpy()
    importance = luminance(material.eval(uv, wi, wo)) * metrics.inverse_density(wo, pdf)
    frames = shading_frames(material.frame_weight, fetch(material.latents[0], uv))
    # Without learned frames there still is one, the identity, which no lobe may name.
    normals = frames[:, : config.model.frames, 2]
    return replace(material, lobes=lobes.fit(normals, wi, wo, importance))


def reported(
    config: BakeConfig, subject: Subject, number: int, material: NeuralMaterial, facts: dict[str, Any]
) -> NeuralMaterial:
    """The material with its measured quality and those facts as its report. number: of the material in its bake."""
    rng = phase_rng(config.seed, "report", number)
    report = metrics.measure(material, subject.source, config.report_samples, rng)
    report |= {"bad_reference_values": subject.source.bad, "estimates": subject.estimates, **facts}
    metadata = Metadata(subject.reference.name, dict(subject.reference.source), _plain(asdict(config)), report)
    return replace(material, metadata=metadata)


def network_digest(material: NeuralMaterial) -> str:
    """Hexadecimal SHA-256 of frames and decoder as a file holds them: equal where materials share them."""
    digest = hashlib.sha256()
    for array in jax.tree.leaves((material.frame_weight, material.layers)):
        digest.update(f"{array.shape}".encode())
        digest.update(array.astype("<f2").tobytes())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """Tuples as lists: what JSON gives back."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
