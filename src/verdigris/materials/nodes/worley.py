"""Worley noise as MaterialX defines it: distances to the nearest of one random point per cell (Worley 1996)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from verdigris.materials.graph import WIDTHS
from verdigris.materials.nodes.lattice import cell_of, cell_value, cell_vector
from verdigris.materials.nodes.registry import Call, pattern, vector_type

_FAR = 1e6


def nearest(mi: Any, dr: Any, p: Sequence[Any], jitter: Any, count: int) -> tuple[list[Any], list[Any]]:
    """(squared distances of the `count` nearest points, vector to the nearest), among the cell of `p` and around it.

    jitter: 0 puts every point in the middle of its cell, 1 anywhere in it; beyond 1 a nearer point may be missed.
    """
    cell = cell_of(mi, dr, p)
    local = [x - dr.floor(x) for x in p]
    distances, towards = [mi.Float(_FAR)] * count, [mi.Float(0)] * len(cell)
    for step in product((-1, 0, 1), repeat=len(cell)):
        random = cell_vector(mi, [c + s for c, s in zip(cell, step, strict=True)], len(cell))
        offset = [s + (r - 0.5) * jitter + 0.5 - x for s, r, x in zip(step, random, local, strict=True)]
        distance = sum(d * d for d in offset)
        towards = [dr.select(distance < distances[0], new, old) for new, old in zip(offset, towards, strict=True)]
        for rank in range(count):  # insertion into the sorted list
            closer = distance < distances[rank]
            distances[rank], distance = (
                dr.select(closer, distance, distances[rank]),
                dr.select(closer, distances[rank], distance),
            )
    return distances, towards


@pattern("worleynoise2d", "worleynoise3d")
def worleynoise(call: Call) -> Any:
    """Style 0: distances to the nearest point and the next ones; style 1: random numbers of the nearest one's cell."""
    mi, dr, width = call.mi, call.dr, WIDTHS[call.node.type]
    p = list(call["texcoord"] if "texcoord" in call.values else call["position"])
    style = call.uniform("style", 0)
    distances, towards = nearest(mi, dr, p, call["jitter"], 1 if style == 1 else width)
    if style != 1:
        return vector_type(mi, width)(*(dr.sqrt(d) for d in distances))
    cell = cell_of(mi, dr, [t + x for t, x in zip(towards, p, strict=True)])
    return cell_value(mi, cell) if width == 1 else vector_type(mi, width)(*cell_vector(mi, cell, width))
