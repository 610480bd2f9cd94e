"""Latent textures in files that engines read: DDS and KTX2, a texture array of RGBA16F or RGBA8 with all levels.

Rows are in the order of the shaders' coordinates: the first in memory is at v = 0.5 / H. Nothing may flip them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

ALIGNMENT = 8
"""Where a KTX2 level may begin: a multiple of the size of a texel and of 4."""


@dataclass(frozen=True)
class TexelFormat:
    """dxgi, vulkan: numbers of the format there. bits: of a channel. floating: or fractions of 0 to 1."""

    name: str
    dxgi: int
    vulkan: int
    bits: int
    floating: bool

    @property
    def texel_bytes(self) -> int:
        """Bytes of a texel, four channels."""
        return self.bits // 2


HALVES = TexelFormat("RGBA16F", 10, 97, 16, True)
BYTES = TexelFormat("RGBA8", 28, 37, 8, False)


@dataclass(frozen=True)
class TextureArray:
    """levels: width, height and texels `[layers, height, width, 4]` of each, the finest first."""

    format: TexelFormat
    layers: int
    levels: Sequence[tuple[int, int, bytes]]


def dds(texture: TextureArray) -> bytes:
    """A DDS file with the header of Direct3D 10: each layer with all its levels, one layer after another."""
    width, height, _ = texture.levels[0]
    flags = 0x1 | 0x2 | 0x4 | 0x8 | 0x1000 | 0x20000  # caps, height, width, pitch, pixel format, number of levels
    caps = 0x1000 | 0x400000 | 0x8  # texture, levels, complex
    pixel_format = struct.pack("<II4sIIIII", 32, 0x4, b"DX10", 0, 0, 0, 0, 0)
    header = struct.pack(
        "<7I44x", 124, flags, height, width, width * texture.format.texel_bytes, 1, len(texture.levels)
    )
    ten = struct.pack("<5I", texture.format.dxgi, 3, 0, texture.layers, 0)
    layers = []
    for layer in range(texture.layers):
        for _, _, texels in texture.levels:
            size = len(texels) // texture.layers
            layers.append(texels[layer * size : (layer + 1) * size])
    return b"DDS " + header + pixel_format + struct.pack("<5I", caps, 0, 0, 0, 0) + ten + b"".join(layers)


def ktx2(texture: TextureArray) -> bytes:
    """A KTX2 file: coarsest level first, as its specification asks."""
    width, height, _ = texture.levels[0]
    count, described = len(texture.levels), _descriptor(texture.format)
    key = b"KTXorientation\0ru\0"
    keys = struct.pack("<I", len(key)) + key + bytes(-len(key) % 4)
    begin = 80 + 24 * count
    at = begin + len(described) + len(keys)
    places, content = [(0, 0)] * count, b""
    for level in reversed(range(count)):
        texels = texture.levels[level][2]
        content += bytes(-(at + len(content)) % ALIGNMENT)
        places[level] = (at + len(content), len(texels))
        content += texels
    header = struct.pack(
        "<12s9I", b"\xabKTX 20\xbb\r\n\x1a\n", texture.format.vulkan, texture.format.bits // 8, width, height, 0,
        texture.layers, 1, count, 0,
    )  # fmt: skip
    index = struct.pack("<4I2Q", begin, len(described), begin + len(described), len(keys), 0, 0)
    levels = b"".join(struct.pack("<3Q", offset, size, size) for offset, size in places)
    return header + index + levels + described + keys + content


def _descriptor(kind: TexelFormat) -> bytes:
    """The data format descriptor: four linear channels."""
    samples = b""
    for channel, number in enumerate((0, 1, 2, 15)):
        qualifiers = 0xC0 if kind.floating else 0  # floating, signed
        low, high = (0xBF800000, 0x3F800000) if kind.floating else (0, 255)
        samples += struct.pack("<HBBIII", channel * kind.bits, kind.bits - 1, number | qualifiers, 0, low, high)
    size = 24 + len(samples)
    model, primaries, linear = 1, 1, 1
    block = struct.pack("<IHH4B4x8B", 0, 2, size, model, primaries, linear, 0, kind.texel_bytes, *bytes(7))
    return struct.pack("<I", 4 + size) + block + samples
