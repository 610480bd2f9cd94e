"""Random neural materials for tests that need one but do not care which."""

import numpy as np

from verdigris.model.config import DecoderConfig, Lobe, ModelConfig
from verdigris.model.neural import Metadata, NeuralMaterial

FLOAT = np.float32

DEFAULT_LOBES = (Lobe("cosine", -1, 1.0, 0.5), Lobe("ggx", -1, 0.3, 0.5))
LEARNED_LOBES = (Lobe("cosine", -1, 1.0, 0.25), Lobe("ggx", 0, 0.1, 0.35), Lobe("ggx", -1, 0.4, 0.25),
                 Lobe("cosine", 0, 1.0, 0.15))  # fmt: skip


def random_directions(rng, n):
    """Unit directions `[n, 3]` over the whole sphere's upper nine tenths: some lie below the horizon."""
    d = rng.normal(size=(n, 3))
    d[:, 2] = np.where(rng.random(n) < 0.9, np.abs(d[:, 2]), d[:, 2])
    return (d / np.linalg.norm(d, axis=1, keepdims=True)).astype(FLOAT)


def make_material(
    rng, frames=2, hidden=(16, 16), activation="relu", features=("wi", "wo"), shape=(4, 4), levels=1, lobes=None,
    **choices,
):  # fmt: skip
    """A NeuralMaterial with weights of the size a training ends with; `levels` halves `shape` each time.

    choices: further fields of DecoderConfig.
    """
    config = ModelConfig(frames=frames, decoder=DecoderConfig(hidden, activation, features, **choices))
    widths = (config.decoder_inputs, *hidden, 3)
    layers = tuple(
        (
            (rng.normal(size=(n_out, n_in)) / np.sqrt(n_in)).astype(FLOAT),
            rng.normal(0.0, 0.3, n_out).astype(FLOAT),
        )
        for n_in, n_out in zip(widths[:-1], widths[1:], strict=True)
    )
    height, width = shape
    return NeuralMaterial(
        config=config,
        latents=tuple(
            rng.normal(size=(max(height >> k, 1), max(width >> k, 1), config.channels)).astype(FLOAT)
            for k in range(levels)
        ),
        frame_weight=rng.normal(0.0, 0.1, (6 * frames, config.channels)).astype(FLOAT) if frames else None,
        layers=layers,
        lobes=lobes or (LEARNED_LOBES if frames else DEFAULT_LOBES),
        metadata=Metadata(name="random"),
    )
