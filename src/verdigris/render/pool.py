"""The latents of many materials in one buffer, so that materials that share a network share its code.

Dr.Jit merges the virtual functions of two BSDFs where they are the same code on different data. So all that tells one
pyramid from another is data: the number of its first row in a table of levels. Pyramids made since the last packing are
packed together, when the first of them is needed; none is moved afterwards.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.runtime import aligned, aligned_room, mitsuba

PACKET = 4
"""Channels that are loaded at once."""
ROW = 4
"""Numbers of a row of the table: first texel, width and height of a level, and one that fills the row."""


@dataclass
class Slot:
    """Where a pyramid lies: the buffers that it shares, and its own first row of the table, known to the device alone.

    Texels that float16 holds exactly, as those of a file mostly are, are kept as such: half the bytes to load.
    A dataclass, so that Dr.Jit finds the arrays in it where it follows the inputs of a frozen function.
    """

    texels: Any
    table: Any
    first_row: Any


Members = list[tuple[Any, list[np.ndarray]]]
"""Pyramids, and their levels as they are stored."""

_waiting: dict[str, list[weakref.ref[Any]]] = {}
"""By variant, what has `levels` and no slot yet."""


def join(pyramid: Any) -> None:
    """Lets a pyramid take part in the next packing; it has `levels`, arrays `[H_k, W_k, C]`, and takes a `slot`."""
    _waiting.setdefault(mitsuba().variant(), []).append(weakref.ref(pyramid))


def pack() -> None:
    """Gives a slot to all that wait for one. Those of equal channels and precision share buffers."""
    waiting, groups = _waiting.pop(mitsuba().variant(), []), dict[tuple[int, Any], Members]()
    for pyramid in filter(None, (reference() for reference in waiting)):
        levels = _stored(pyramid.levels)
        groups.setdefault((levels[0].shape[2], levels[0].dtype), []).append((pyramid, levels))
    for members in groups.values():
        _pack_together(members)


def packet_count(channels: int) -> int:
    """Packets of a texel."""
    return -(-channels // PACKET)


def _stored(levels: Sequence[Array]) -> list[np.ndarray]:
    """The levels as float16 where that is exact for all, else as float32."""
    halves = []
    for level in levels:
        with np.errstate(over="ignore"):
            halves.append(level.astype(np.float16))
        if not np.array_equal(level, halves[-1]):
            return [level.astype(np.float32, copy=False) for level in levels]
    return halves


def _pack_together(members: Members) -> None:
    mi, dr = mitsuba(), import_module("drjit")
    levels = [level for _, mine in members for level in mine]
    packed = _texels(levels)
    texels = mi.Float16(packed) if packed.dtype == np.float16 else mi.Float(packed)
    table = mi.UInt32(aligned(_table(levels)))
    row = 0
    for pyramid, mine in members:
        pyramid.slot = Slot(texels, table, dr.opaque(mi.UInt32, row))
        row += len(mine)


def _texels(levels: Sequence[np.ndarray]) -> np.ndarray:
    """All texels, level by level, each filled up to whole packets."""
    channels = levels[0].shape[2]
    counts = [level.shape[0] * level.shape[1] for level in levels]
    packed = aligned_room((sum(counts), packet_count(channels) * PACKET), levels[0].dtype)
    start = 0
    for level, count in zip(levels, counts, strict=True):
        packed[start : start + count, :channels] = level.reshape(count, channels)
        start += count
    return packed.ravel()


def _table(levels: Sequence[Array]) -> np.ndarray:
    rows, start = np.zeros((len(levels), ROW), np.uint32), 0
    for row, level in zip(rows, levels, strict=True):
        height, width = level.shape[:2]
        row[:3] = start, width, height
        start += height * width
    return rows.ravel()
