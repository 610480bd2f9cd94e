"""Random numbers of lattice cells: Bob Jenkins' lookup3 hash of up to five coordinates, as MaterialX's noises use it.

Source: "lookup3.c, hash functions", http://burtleburtle.net/bob/c/lookup3.c (public domain).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_MIX = (
    ("a", "c", "b", 4),
    ("b", "a", "c", 6),
    ("c", "b", "a", 8),
    ("a", "c", "b", 16),
    ("b", "a", "c", 19),
    ("c", "b", "a", 4),
)
_FINAL = (
    ("c", "b", 14),
    ("a", "c", 11),
    ("b", "a", 25),
    ("c", "b", 16),
    ("a", "c", 4),
    ("b", "a", 14),
    ("c", "b", 24),
)


def _rotate(value: Any, bits: int) -> Any:
    return (value << bits) | (value >> (32 - bits))


def hash_cell(mi: Any, cell: Sequence[Any]) -> Any:
    """32-bit hash, `UInt32`, of one to five integer coordinates."""
    seed = mi.UInt32((0xDEADBEEF + (len(cell) << 2) + 13) & 0xFFFFFFFF)
    words = [mi.UInt32(mi.Int32(x)) for x in cell]
    state = {name: seed + word for name, word in zip("abc", words[:3], strict=False)}
    state = {name: state.get(name, seed) for name in "abc"}
    if len(words) > 3:
        for target, other, added, bits in _MIX:
            state[target] = (state[target] - state[other]) ^ _rotate(state[other], bits)
            state[other] = state[other] + state[added]
        for name, word in zip("ab", words[3:], strict=False):
            state[name] = state[name] + word
    for target, other, bits in _FINAL:
        state[target] = (state[target] ^ state[other]) - _rotate(state[other], bits)
    return state["c"]


def cell_of(mi: Any, dr: Any, point: Sequence[Any]) -> list[Any]:
    """Integer coordinates of the cell that holds a point."""
    return [mi.Int32(dr.floor(x)) for x in point]


def cell_value(mi: Any, cell: Sequence[Any]) -> Any:
    """A number in 0..1 for a cell."""
    return mi.Float(hash_cell(mi, cell)) * 2.0**-32


def cell_vector(mi: Any, cell: Sequence[Any], channels: int = 3) -> list[Any]:
    """Up to three numbers in 0..1 for a cell of at most four coordinates."""
    return [cell_value(mi, [*cell, mi.Int32(k)]) for k in range(channels)]
