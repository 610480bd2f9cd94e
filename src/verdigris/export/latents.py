"""Latents as shaders read them: halves in one buffer, or the levels of a texture array.

A latent of C channels is `parts` = ceil(C / 4) vectors of four halves; channels that fill the last one are 0.
Row 0 of a level is at v = 0.5 / H, the bottom of a picture.
"""

from __future__ import annotations

import numpy as np

from verdigris.export.textures import BYTES, HALVES, TextureArray
from verdigris.export.weights import BLOCK
from verdigris.model.neural import NeuralMaterial

HALF = np.dtype("<f2")


def packed_halves(material: NeuralMaterial) -> bytes:
    """All levels one after another, each `[H, W, 4 parts]` halves, little-endian: two make a `u32`, first the lower."""
    return b"".join(_padded(texture).tobytes() for texture in material.latents)


def texture_levels(material: NeuralMaterial) -> list[bytes]:
    """Each level as a texture array's: `[parts, H, W, 4]` little-endian halves, that is RGBA16F layer by layer."""
    return [_layers(_padded(texture)) for texture in material.latents]


def code_levels(material: NeuralMaterial) -> list[bytes]:
    """Each level's codes as a texture array's: `[parts, H, W, 4]` bytes, that is RGBA8 layer by layer.

    A shader reads code / 255, of 8 bits as of 4. The material has grids.
    """
    codes = (grid.encode(texture) for grid, texture in zip(material.grids, material.latents, strict=True))
    return [_layers(_padded(level, np.dtype(np.uint8))) for level in codes]


def texture_array(material: NeuralMaterial, codes: bool = False) -> TextureArray:
    """The texture array of halves, or of codes where the material has them."""
    levels = code_levels(material) if codes else texture_levels(material)
    sides = (texture.shape[1::-1] for texture in material.latents)
    return TextureArray(
        BYTES if codes else HALVES,
        -(-material.config.channels // BLOCK),
        [(*side, texels) for side, texels in zip(sides, levels, strict=True)],
    )


def _layers(texture: np.ndarray) -> bytes:
    height, width = texture.shape[:2]
    return np.ascontiguousarray(texture.reshape(height, width, -1, BLOCK).transpose(2, 0, 1, 3)).tobytes()


def _padded(texture: np.ndarray, kind: np.dtype = HALF) -> np.ndarray:
    return np.pad(texture.astype(kind), ((0, 0), (0, 0), (0, -texture.shape[2] % BLOCK)))
