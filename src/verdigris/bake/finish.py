"""What follows a bake's last phase: numbers as a file holds them, the report."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import jax
import numpy as np

from verdigris.bake import metrics, quantise
from verdigris.bake.config import BakeConfig
from verdigris.bake.far import first_level
from verdigris.bake.phases import Texture, phase_rng
from verdigris.bake.sampler import as_sampler
from verdigris.bake.subject import Subject
from verdigris.bake.trainable import float16
from verdigris.conventions import Array
from verdigris.model.far import Far
from verdigris.model.grid import Grid
from verdigris.model.neural import Metadata, NeuralMaterial

LATENT_MAX = 64.0
"""Latents are clipped to it at the end, far outside what they take, so that float16 holds them well."""


def latents(
    config: BakeConfig, state: Any, textures: Sequence[Texture], material: int
) -> tuple[tuple[Array, ...], tuple[Grid, ...]]:
    """The levels of one of the materials of the state of a fine-tuning, `[H, W, C]` each, as a file will hold them, and
    their grids, if any. textures: those of the state's key `textures`."""
    mine = [index for index, texture in enumerate(textures) if texture.source == material]
    if "grid" in state:
        levels, grids = zip(*(quantise.stored(state, index, config.latent_bits) for index in mine), strict=True)
        return levels, grids
    channels = config.model.channels
    texels = [np.asarray(state["textures"][index])[:channels].transpose(1, 2, 0) for index in mine]
    return tuple(float16(np.clip(level, -LATENT_MAX, LATENT_MAX)) for level in texels), ()


def frames(state: Any) -> Array | None:
    """The frame layer of a state as a file will hold it, if there is one."""
    network = state["network"]["values"]
    return float16(network["frames"]) if "frames" in network else None


def decoder(state: Any) -> tuple[tuple[Array, Array], ...]:
    """The decoder's layers likewise."""
    return tuple((float16(weight), float16(bias)) for weight, bias in state["network"]["values"]["layers"])


def far_layers(state: Any) -> tuple[tuple[Array, Array], ...]:
    """The layers of the decoder at far levels likewise; none where there are none."""
    values = state["far"]["values"] if "far" in state else ()
    return tuple((float16(weight), float16(bias)) for weight, bias in values)


def rounded(config: BakeConfig, state: Any, textures: Sequence[Texture], material: int) -> NeuralMaterial:
    """One of the materials of the state of a sampler phase with every number as a file will hold it, so that saving and
    loading changes nothing. textures: those of the state's key `textures`."""
    levels, grids = latents(config, state, textures, material)
    sampler, layers = as_sampler(state["sampler"]["values"]), far_layers(state)
    first = first_level(config, [texture for texture in textures if texture.source == material])
    far = Far(first, layers) if layers and first is not None else None
    return NeuralMaterial(config.model, levels, frames(state), decoder(state), sampler, grids=grids, far=far)


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
    """Hexadecimal SHA-256 of frames, decoder and sampler as a file holds them: equal where materials share them.

    Without the decoder's layers at far levels, which a material that has no such levels has not.
    """
    digest = hashlib.sha256()
    for array in jax.tree.leaves((material.frame_weight, material.layers, material.sampler)):
        digest.update(f"{array.shape}".encode())
        digest.update(array.astype("<f2").tobytes())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """Tuples as lists: what JSON gives back."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
