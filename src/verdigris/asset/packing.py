"""Codes as bytes: one a byte with 8 bits; with 4 bits two channels a byte, the even one in the low half."""

from __future__ import annotations

import numpy as np

from verdigris.asset.format import Malformed, packed_channels
from verdigris.model.grid import Codes


def pack(codes: Codes, bits: int) -> Codes:
    """Bytes `[H, W, packed_channels]` of codes `[H, W, C]`; the high half that is left over by odd C is 0."""
    if bits == 8:
        return np.ascontiguousarray(codes)
    height, width, channels = codes.shape
    even = np.zeros((height, width, 2 * packed_channels(channels, bits)), np.uint8)
    even[..., :channels] = codes
    return np.bitwise_or(even[..., 0::2], even[..., 1::2] << 4, dtype=np.uint8)


def unpack(data: Codes, channels: int, bits: int, name: str) -> Codes:
    """The inverse of `pack`. Raises Malformed, naming the tensor, where the half that is left over is not 0."""
    if bits == 8:
        return data
    codes = np.stack([data & 15, data >> 4], axis=-1).reshape(*data.shape[:2], -1)
    if codes[..., channels:].any():
        raise Malformed(f"{name}: expected 0 in the half bytes after the last of {channels} channels, got others")
    return codes[..., :channels]
