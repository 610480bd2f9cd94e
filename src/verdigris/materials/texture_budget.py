"""How large the images of a material may be. The size of a file is read from its header before any texel is."""

from __future__ import annotations

import re
import struct
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from verdigris.errors import GraphError
from verdigris.runtime import texture_budget_bytes

MAX_SIDE = 8192
"""Longest side of a texture in texels."""

_HEADER_BYTES = 1 << 16
_EXR_MAGIC = b"\x76\x2f\x31\x01"
_STORED_CHANNELS = (1, 2, 4, 4)
"""Dr.Jit stores three channels as four."""


@dataclass
class TextureBudget:
    """Counts the memory that the textures of one material take, as float32.

    limit: bytes, from `verdigris.runtime.texture_budget_bytes` unless given.
    """

    limit: int = field(default_factory=texture_budget_bytes)
    used: int = 0

    def charge(self, path: Path, channels: int, where: str) -> None:
        """Counts one image file before it is loaded.

        where: the node and input that the error names. Raises GraphError where the file is no image, where a side is
        longer than MAX_SIDE, or where the material's textures together take more than the limit.
        """
        self._charge(*image_size(path, where), channels, f"{where}: {path}")

    def charge_array(self, shape: tuple[int, ...], where: str) -> None:
        """Counts one image that is in memory already, by the shape of its array: height, width and channels.

        where: the object and parameter that the error names. Raises GraphError as `charge` does.
        """
        height, width, *channels = shape
        self._charge(width, height, channels[0] if channels else 1, where)

    def _charge(self, width: int, height: int, channels: int, where: str) -> None:
        if max(width, height) > MAX_SIDE:
            raise GraphError(f"{where}: expected sides of at most {MAX_SIDE} texels, got {width} x {height}")
        self.used += 4 * width * height * _STORED_CHANNELS[min(channels, 4) - 1]
        if self.used > self.limit:
            raise GraphError(
                f"{where}: expected textures of at most {self.limit >> 20} MiB in all "
                f"(VERDIGRIS_TEXTURE_MIB sets it), got {-(-self.used >> 20)} MiB with this one of {width} x {height}"
            )


def image_size(path: Path, where: str) -> tuple[int, int]:
    """Width and height of an image file in texels, from its header. Raises GraphError where it has none."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if header.startswith(_EXR_MAGIC):
        found = re.search(rb"dataWindow\0box2i\0\x10\0\0\0(.{16})", header, re.DOTALL)
        if found:
            left, top, right, bottom = struct.unpack("<4i", found[1])
            return right - left + 1, bottom - top + 1
    elif header.startswith(b"#?") and (found := re.search(rb"\n[-+]Y (\d{1,9}) [-+]X (\d{1,9})\n", header)):
        return int(found[2]), int(found[1])
    elif found := re.match(rb"P[Ff]\s+(\d{1,9})\s+(\d{1,9})\s", header):
        return int(found[1]), int(found[2])
    return _size_by_pillow(path, where)


def _size_by_pillow(path: Path, where: str) -> tuple[int, int]:
    try:
        with warnings.catch_warnings():
            # Pillow warns of images below our own limit, and refuses some above it: no texel is read here.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return image.size
    except Image.DecompressionBombError as error:
        detail = " ".join(str(error).split())
        raise GraphError(f"{where}: {path}: expected sides of at most {MAX_SIDE} texels: {detail}") from error
    except Exception as error:  # Pillow's plugins raise whatever their parsers stumble on
        raise GraphError(f"{where}: {path} cannot be read as an image: its header gives no size") from error
