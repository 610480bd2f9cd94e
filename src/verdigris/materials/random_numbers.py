"""Random numbers that depend on the query alone, so that a stochastic evaluation repeats.

Thirty-two bits of state: the permuted congruential generator RXS-M-XS (O'Neill 2014), started at a hash of the query.
A walk draws tens of numbers, so the short period is no limit, and a step costs three multiplications a lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_GOLDEN = 0x9E3779B1


def hashed(mi: Any, dr: Any, seed: Any, parts: Sequence[Any]) -> Any:
    """`UInt32` that mixes a seed with the bits of some `Float` values."""
    state = mi.UInt32(seed) * _GOLDEN + 0x7F4A7C15
    for part in parts:
        state = (state ^ dr.reinterpret_array(mi.UInt32, part)) * 0x85EBCA6B
        state ^= state >> 15
    state = (state ^ (state >> 16)) * 0x7FEB352D  # the finalizer of Ettinger's triple32, shortened
    state = (state ^ (state >> 15)) * 0x846CA68B
    return state ^ (state >> 16)


class Stream:
    """Uniform numbers from a state, a `UInt32` that advances: read it back to go on elsewhere."""

    def __init__(self, mi: Any, dr: Any, state: Any):
        self.mi, self.dr, self.state = mi, dr, state

    def next(self) -> Any:
        """A `Float` in [0, 1)."""
        word = ((self.state >> ((self.state >> 28) + 4)) ^ self.state) * 277803737
        self.state = self.state * 747796405 + 2891336453
        word ^= word >> 22
        return self.dr.reinterpret_array(self.mi.Float, (word >> 9) | 0x3F800000) - 1

    def pair(self) -> Any:
        """A `Point2f` in [0, 1)^2."""
        return self.mi.Point2f(self.next(), self.next())
