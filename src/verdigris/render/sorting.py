"""Lanes in the order of their materials, so that a packet of them runs one material's code and not that of many.

What a lane holds is kept as a record, its numbers side by side in memory: to move a lane is then to move a few lines
of the cache, not one line a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from verdigris.runtime import mitsuba

BITS = 10
BINS = 1 << BITS
"""Materials that are told apart, the last of them for idle lanes; where a scene has more, some share a bin."""

PACKET = 16
"""Words that are moved at once: a line of the cache."""


def records(values: Sequence[Any]) -> list[Any]:
    """Values of lanes, a record each: buffers of UInt32, which the kernel that evaluates them writes.

    values: arrays of numbers, vectors, masks or pointers, of 4 bytes a component. There is a buffer for each packet of
    a record: a second scatter into one buffer would make Dr.Jit launch a kernel for the first.
    """
    mi, dr = mitsuba(), import_module("drjit")
    words = [_word(leaf) for value in values for leaf in _leaves(value)]
    lanes = dr.arange(mi.UInt32, max(dr.width(word) for word in words))
    words += [mi.UInt32(0)] * (-len(words) % PACKET)
    buffers = []
    for first in range(0, len(words), PACKET):
        buffers.append(dr.empty(mi.UInt32, PACKET * len(lanes)))
        dr.scatter(buffers[-1], mi.ArrayXu(words[first : first + PACKET]), lanes)
    return buffers


def restored(kinds: Sequence[type], buffers: Sequence[Any], lanes: Any) -> list[Any]:
    """The values, of the types named, of the records that `lanes`, UInt32, names, in its order."""
    mi, dr = mitsuba(), import_module("drjit")
    words, shape = list[Any](), (PACKET, dr.width(lanes))
    for buffer in buffers:
        words.extend(dr.gather(mi.ArrayXu, buffer, lanes, shape=shape))
    remaining = iter(words)
    return [_restored(kind, remaining) for kind in kinds]


def material_of(bsdf: Any) -> Any:
    """The bin of a `BSDFPtr`, UInt32 below BINS - 1."""
    return import_module("drjit").reinterpret_array(mitsuba().UInt32, bsdf) % (BINS - 1)


@dataclass
class Met:
    """Paths that met something, as records, and how many of each material: their order is known one kernel later.

    bins: the material of each lane. places: of each lane in its bin. counts: lanes of each bin. paths: see `records`.
    """

    bins: Any
    places: Any
    counts: Any
    paths: list[Any]

    def order(self) -> Any:
        """The lanes, UInt32, such that those of a bin follow one another. It launches a kernel."""
        mi, dr = mitsuba(), import_module("drjit")
        lanes = dr.arange(mi.UInt32, dr.width(self.bins))
        order = dr.empty(mi.UInt32, len(lanes))
        dr.scatter(order, lanes, dr.gather(mi.UInt32, dr.prefix_sum(self.counts), self.bins) + self.places)
        dr.eval(order)
        return order

    def any_active(self) -> bool:
        """Whether any lane is; it waits for the kernels."""
        return int(self.counts[BINS - 1]) < import_module("drjit").width(self.bins)


def met(bsdf: Any, active: Any, values: Sequence[Any]) -> Met:
    """Evaluates lanes and counts them by material.

    bsdf: `BSDFPtr` of each lane. active: those that are not follow all others. values: of the lanes.
    """
    mi, dr = mitsuba(), import_module("drjit")
    bins = dr.select(active, material_of(bsdf), BINS - 1)
    counts, places = dr.zeros(mi.UInt32, BINS), dr.empty(mi.UInt32, dr.width(bins))
    dr.scatter(places, dr.scatter_inc(counts, bins), dr.arange(mi.UInt32, dr.width(bins)))
    found = Met(bins, places, counts, records(values))
    dr.eval(found)
    return found


def put_back(values: Any, home: Any) -> Any:
    """Values in the order of the lanes that they came from: `home`, UInt32, which names each lane once."""
    dr = import_module("drjit")
    result = dr.empty(type(values), dr.width(home))
    dr.scatter(result, values, home)
    return result


def _leaves(value: Any) -> list[Any]:
    """The components of a vector, or the array itself."""
    return list(value) if import_module("drjit").depth_v(value) > 1 else [value]


def _word(leaf: Any) -> Any:
    mi, dr = mitsuba(), import_module("drjit")
    return dr.select(leaf, mi.UInt32(1), 0) if dr.is_mask_v(leaf) else dr.reinterpret_array(mi.UInt32, leaf)


def _restored(kind: type, words: Iterator[Any]) -> Any:
    """The next value, of the type named."""
    dr = import_module("drjit")
    if dr.depth_v(kind) > 1:
        return kind(*(_restored(dr.value_t(kind), words) for _ in range(dr.size_v(kind))))
    word = next(words)
    return word != 0 if dr.is_mask_v(kind) else dr.reinterpret_array(kind, word)
