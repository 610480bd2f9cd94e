"""Small materials for the tests of the viewer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neural_samples import random_material, with_far, with_heads
from verdigris.model import DecoderConfig, Metadata, ModelConfig, NeuralMaterial, SamplerConfig

SCRIPT_NAME = '<img src=x onerror="window.broken=1">'
"""The name of the second material: a script, were it ever taken for a piece of the page."""


def small_material(name: str, seed: int = 0, levels: int = 3) -> NeuralMaterial:
    """A material whose kernels compile in a moment; its answers are moderate."""
    config = ModelConfig(decoder=DecoderConfig((4,)), sampler=SamplerConfig((4,), 1))
    material = random_material(config, finest=(8, 8), levels=levels, seed=seed, metadata=Metadata(name=name))
    # Mostly broad lobes: few samples make a picture.
    for array in material.sampler[-1]:
        array[:] = (0.2 * array).astype(np.float16)
    return with_far(material, levels - 1) if levels > 2 else material


def glowing_material() -> NeuralMaterial:
    """One that emits and is partly cut out, alike everywhere: Mitsuba reads its emission from the finest level."""
    material = with_heads(small_material("glowing", 3, 2), ("emission", "opacity"), (4,), 11)
    return replace(
        material, latents=tuple(np.broadcast_to(material.latents[0][:1, :1], m.shape).copy() for m in material.latents)
    )
