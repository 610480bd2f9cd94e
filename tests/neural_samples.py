"""Small neural materials and random queries, for the tests of every forward."""

from __future__ import annotations

import numpy as np

from verdigris.model import Lobe, Metadata, ModelConfig, NeuralMaterial

LOBES = (Lobe("cosine", -1, 1.0, 0.4), Lobe("ggx", 0, 0.3, 0.35), Lobe("ggx", 1, 0.05, 0.25))
COSINE = (Lobe("cosine", -1, 1.0, 1.0),)


def widths(config: ModelConfig) -> tuple[int, ...]:
    return (config.decoder_inputs, *config.decoder.hidden, 3)


def random_material(
    config: ModelConfig | None = None,
    finest: tuple[int, int] = (8, 16),
    levels: int = 1,
    lobes: tuple[Lobe, ...] | None = None,
    seed: int = 0,
    dtype: type = np.float32,
    metadata: Metadata | None = None,
) -> NeuralMaterial:
    """A material with random latents and weights of ordinary size, exactly representable in float16."""
    config = config or ModelConfig()
    rng = np.random.default_rng(seed)

    def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (rng.normal(size=shape) * scale).astype(np.float16).astype(dtype)

    sizes = widths(config)
    return NeuralMaterial(
        config=config,
        latents=tuple(
            normal(max(finest[0] >> k, 1), max(finest[1] >> k, 1), config.channels, scale=0.5) for k in range(levels)
        ),
        frame_weight=normal(config.frames * 6, config.channels, scale=0.2) if config.frames else None,
        layers=tuple(
            (normal(b, a, scale=a**-0.5), normal(b, scale=0.1)) for a, b in zip(sizes, sizes[1:], strict=False)
        ),
        lobes=lobes if lobes is not None else (LOBES if config.frames >= 2 else COSINE),
        metadata=metadata or Metadata(),
    )


def directions(n: int, seed: int = 0, full_sphere: bool = False) -> np.ndarray:
    """Uniform unit directions `[n, 3]` above the horizon, or all around."""
    v = np.random.default_rng(seed).normal(size=(n, 3))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    if not full_sphere:
        v[:, 2] = np.maximum(np.abs(v[:, 2]), 1e-6)
    return v


def queries(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """uv `[n, 2]` in -1..2, wi and wo `[n, 3]` above the horizon."""
    uv = np.random.default_rng(seed).uniform(-1, 2, (n, 2))
    return uv, directions(n, seed + 1), directions(n, seed + 2)
