"""OpenEXR files with any number of channels, as latents need them: scan lines, uncompressed or by ZIP.

Written from the OpenEXR file layout. Only what a checkpoint holds is read: one part, no tiles, halves or floats.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

MAGIC, VERSION = 20000630, 2
HALF, FLOAT = 1, 2
LINES = {0: 1, 2: 1, 3: 16}
"""Scan lines in a block, by number of the compression: none, ZIPS, ZIP."""

SIDE_MAX, CHANNELS_MAX = 16384, 1024


def write(pixels: np.ndarray, names: list[str]) -> bytes:
    """A file of halves, uncompressed, `[H, W, C]`; names: of the channels."""
    height, width, _ = pixels.shape
    order = np.argsort(names)
    channels = b"".join(names[k].encode() + struct.pack("<BiB3xii", 0, HALF, 1, 1, 1) for k in order) + b"\0"
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    header = struct.pack("<II", MAGIC, VERSION) + b"".join(
        f"{name}\0{kind}\0".encode() + struct.pack("<i", len(value)) + value
        for name, kind, value in (
            ("channels", "chlist", channels),
            ("compression", "compression", b"\0"),
            ("dataWindow", "box2i", window),
            ("displayWindow", "box2i", window),
            ("lineOrder", "lineOrder", b"\0"),
            ("pixelAspectRatio", "float", struct.pack("<f", 1)),
            ("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
            ("screenWindowWidth", "float", struct.pack("<f", 1)),
        )
    )
    header += b"\0"
    lines = np.ascontiguousarray(pixels[..., order].astype("<f2").transpose(0, 2, 1))
    size = 8 + lines[0].nbytes
    first = len(header) + 8 * height
    offsets = np.arange(first, first + size * height, size, dtype="<u8").tobytes()
    body = b"".join(struct.pack("<ii", y, lines[y].nbytes) + lines[y].tobytes() for y in range(height))
    return header + offsets + body


def read(content: bytes) -> dict[str, np.ndarray]:
    """Channels by name, each `[H, W]` float32, first row first. Raises ValueError, one line, for anything else."""
    try:
        return _read(content)
    except (struct.error, IndexError, zlib.error, UnicodeDecodeError, KeyError) as error:
        raise ValueError(f"expected an EXR file, got a damaged one ({error})") from error


def _read(content: bytes) -> dict[str, np.ndarray]:
    magic, version = struct.unpack_from("<II", content)
    if magic != MAGIC or version & 0xFF != VERSION or version & 0x1A00:
        raise ValueError("expected an EXR file of one part with scan lines, got something else")
    header, at = _attributes(content)
    channels = _channels(header["channels"])
    compression = header["compression"][0]
    x0, y0, x1, y1 = struct.unpack("<4i", header["dataWindow"])
    width, height = x1 - x0 + 1, y1 - y0 + 1
    if compression not in LINES:
        raise ValueError(f"expected an EXR file uncompressed or by ZIP, got compression {compression}")
    if not (1 <= width <= SIDE_MAX and 1 <= height <= SIDE_MAX and 1 <= len(channels) <= CHANNELS_MAX):
        raise ValueError(f"expected up to {SIDE_MAX} x {SIDE_MAX} pixels and {CHANNELS_MAX} channels")
    made = {name: np.zeros((height, width), np.float32) for name, _ in channels}
    for block in range(-(-height // LINES[compression])):
        (place,) = struct.unpack_from("<Q", content, at + 8 * block)
        line, size = struct.unpack_from("<ii", content, place)
        packed = content[place + 8 : place + 8 + size]
        rows = min(LINES[compression], height - (line - y0))
        plain = sum(2 * kind for _, kind in channels) * width * rows
        _fill(made, channels, _plain(packed, plain, compression), line - y0, rows)
    return made


def _attributes(content: bytes) -> tuple[dict[str, bytes], int]:
    at, header = 8, {}
    while content[at]:
        name, at = _text(content, at)
        _, at = _text(content, at)
        (size,) = struct.unpack_from("<i", content, at)
        header[name] = content[at + 4 : at + 4 + size]
        at += 4 + size
    return header, at + 1


def _text(content: bytes, at: int) -> tuple[str, int]:
    end = content.index(b"\0", at)
    return content[at:end].decode(), end + 1


def _channels(value: bytes) -> list[tuple[str, int]]:
    """Name and pixel type of each channel, in the order of the file."""
    at, channels = 0, []
    while value[at]:
        name, at = _text(value, at)
        kind, _, x, y = struct.unpack_from("<iB3xii", value, at)
        if kind not in (HALF, FLOAT) or (x, y) != (1, 1):
            raise ValueError(f"channel {name}: expected halves or floats of every pixel")
        channels.append((name, kind))
        at += 16
    return channels


def _plain(packed: bytes, size: int, compression: int) -> bytes:
    """The bytes of a block: after ZIP, sums of differences whose even and odd bytes were set apart."""
    if compression == 0 or len(packed) == size:
        plain = packed
    else:
        decoder = zlib.decompressobj()
        stored = np.frombuffer(decoder.decompress(packed, size), np.uint8).astype(np.int64)
        stored[1:] -= 128
        summed = np.cumsum(stored).astype(np.uint8)
        woven = np.empty_like(summed)
        half = (len(summed) + 1) // 2
        woven[0::2], woven[1::2] = summed[:half], summed[half:]
        plain = woven.tobytes()
    if len(plain) != size:
        raise ValueError(f"expected a block of {size} bytes, got {len(plain)}")
    return plain


def _fill(made: dict[str, np.ndarray], channels: list[tuple[str, int]], plain: bytes, line: int, rows: int) -> None:
    at = 0
    for row in range(rows):
        for name, kind in channels:
            kinds: dict[int, Any] = {HALF: np.dtype("<f2"), FLOAT: np.dtype("<f4")}
            width = made[name].shape[1]
            made[name][line + row] = np.frombuffer(plain, kinds[kind], width, at)
            at += width * kinds[kind].itemsize
