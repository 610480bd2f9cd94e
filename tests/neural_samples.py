"""Small neural materials and random queries, for the tests of every forward."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from directions import random_directions
from verdigris.model import HEADS, Auxiliary, Far, Metadata, ModelConfig, NeuralMaterial
from verdigris.model.auxiliary import head_widths
from verdigris.model.far import far_widths
from verdigris.model.grid import Grid


def random_material(
    config: ModelConfig | None = None,
    finest: tuple[int, int] = (8, 16),
    levels: int = 1,
    seed: int = 0,
    dtype: type = np.float32,
    metadata: Metadata | None = None,
) -> NeuralMaterial:
    """A material with random latents and weights of ordinary size, exactly representable in float16."""
    config = config or ModelConfig()
    rng = np.random.default_rng(seed)

    def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (rng.normal(size=shape) * scale).astype(np.float16).astype(dtype)

    def layers(*sizes: int, scale: float = 1.0) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        pairs = zip(sizes, sizes[1:], strict=False)
        return tuple((normal(b, a, scale=scale * a**-0.5), normal(b, scale=0.1)) for a, b in pairs)

    return NeuralMaterial(
        config=config,
        latents=tuple(
            normal(max(finest[0] >> k, 1), max(finest[1] >> k, 1), config.channels, scale=0.5) for k in range(levels)
        ),
        frame_weight=normal(config.frames * 6, config.channels, scale=0.2) if config.frames else None,
        layers=layers(config.decoder_inputs, *config.decoder.hidden, 3),
        sampler=layers(*config.sampler_widths, scale=1.5),
        metadata=metadata or Metadata(),
    )


def coded(material: NeuralMaterial, bits: int, seed: int = 0) -> NeuralMaterial:
    """The material with random codes for latents; the last channel of the last level is constant."""
    rng, grids, latents = np.random.default_rng(seed), [], []
    for level in material.latents:
        channels = level.shape[2]
        offset = rng.normal(size=channels).astype(np.float16).astype(np.float32)
        scale = (rng.uniform(0.2, 1.5, channels) / 2**bits).astype(np.float16).astype(np.float32)
        codes = rng.integers(2**bits, size=level.shape).astype(np.uint8)
        if len(grids) == len(material.latents) - 1:
            scale[-1], codes[..., -1] = 0, 0
        grids.append(Grid(bits, offset, scale))
        latents.append(grids[-1].decode(codes))
    return replace(material, latents=tuple(latents), grids=tuple(grids))


def random_layers(
    rng: np.random.Generator, widths: tuple[int, ...], dtype: np.dtype
) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Random layers of a network of these widths, exactly representable in float16."""

    def normal(*shape: int, scale: float) -> np.ndarray:
        return (rng.normal(size=shape) * scale).astype(np.float16).astype(dtype)

    pairs = zip(widths, widths[1:], strict=False)
    return tuple((normal(b, a, scale=a**-0.5), normal(b, scale=0.3)) for a, b in pairs)


def with_far(material: NeuralMaterial, level: int = 1, seed: int = 11) -> NeuralMaterial:
    """The material whose decoder has other random layers from that level on, exactly representable in float16."""
    layers = random_layers(np.random.default_rng(seed), far_widths(material.config), material.dtype)
    return replace(material, far=Far(level, layers))


def no_sampler(config: ModelConfig, cosine_share: float = 0.5) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """A sampler without weights: broad lobes about the normal, the cosine lobe with that share (1: all but 1e-43)."""
    pairs = zip(config.sampler_widths, config.sampler_widths[1:], strict=False)
    layers = [(np.zeros((b, a), np.float32), np.zeros(b, np.float32)) for a, b in pairs]
    ratio = cosine_share * config.sampler.lobes / max(1 - cosine_share, 1e-43)
    layers[-1][1][5 * config.sampler.lobes + 2] = np.log(ratio)
    return tuple(layers)


def with_widths(material: NeuralMaterial, raw: float) -> NeuralMaterial:
    """The material whose GGX lobes all have the widths of that raw number, whatever the latent, and equal shares."""
    weight, bias = (array.copy() for array in material.sampler[-1])
    ends = 5 * material.config.sampler.lobes
    for rows, value in ((np.arange(ends).reshape(-1, 5)[:, :2].ravel(), raw), (slice(ends + 2, None), 0)):
        weight[rows], bias[rows] = 0, value
    return replace(material, sampler=(*material.sampler[:-1], (weight, bias)))


def queries(n: int, seed: int = 0, below: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """uv `[n, 2]` in -1..2, wi and wo `[n, 3]`, all float64; the share `below` of either lies under the horizon."""
    rng = np.random.default_rng(seed)
    wi, wo = (random_directions(rng, n, 1e-3, below, np.float64) for _ in range(2))
    return rng.uniform(-1, 2, (n, 2)), wi, wo


def with_heads(
    material: NeuralMaterial, names: tuple[str, ...] = tuple(HEADS), hidden: tuple[int, ...] = (16,), seed: int = 5
) -> NeuralMaterial:
    """The material with random auxiliary heads, exactly representable in float16."""
    rng = np.random.default_rng(seed)
    heads = {name: random_layers(rng, head_widths(name, material.config, hidden), material.dtype) for name in names}
    return replace(material, auxiliary=Auxiliary(hidden, heads))
