"""Latents as shaders read them: halves in one buffer, or the levels of a texture array.

A latent of C channels is `parts` = ceil(C / 4) vectors of four halves; channels that fill the last one are 0.
Row 0 of a level is at v = 0.5 / H, the bottom of a picture.
"""

from __future__ import annotations

import numpy as np

from verdigris.export.weights import BLOCK
from verdigris.model.neural import NeuralMaterial


def packed_halves(material: NeuralMaterial) -> bytes:
    """All levels one after another, each `[H, W, 4 parts]` halves, little-endian: two make a `u32`, first the lower."""
    return b"".join(_padded(texture).tobytes() for texture in material.latents)


def texture_levels(material: NeuralMaterial) -> list[bytes]:
    """Each level as a texture array's: `[parts, H, W, 4]` little-endian halves, that is RGBA16F layer by layer."""
    levels = []
    for texture in material.latents:
        height, width = texture.shape[:2]
        layers = _padded(texture).reshape(height, width, -1, BLOCK).transpose(2, 0, 1, 3)
        levels.append(np.ascontiguousarray(layers).tobytes())
    return levels


def _padded(texture: np.ndarray) -> np.ndarray:
    return np.pad(texture.astype("<f2"), ((0, 0), (0, 0), (0, -texture.shape[2] % BLOCK)))
