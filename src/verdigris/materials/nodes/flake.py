"""Flakes as MaterialX defines them: randomly turned cubes in the cells of a lattice, the highest priority visible."""

from __future__ import annotations

from itertools import product
from typing import Any

from verdigris.materials.nodes.lattice import cell_of, cell_value, cell_vector
from verdigris.materials.nodes.registry import Call, pattern

_DIAMETER = 1.5 / 3**0.5
"""Half the edge of a flake in cells: flakes reach into their neighbours' cells, so that none is a visible box."""


@pattern("flake2d", "flake3d")
def flake(call: Call) -> dict[str, Any]:
    """Number, random number, presence and normal of the flake at a point; none: 0, 0, 0 and the surface normal."""
    mi, dr = call.mi, call.dr
    if "texcoord" in call.values:
        point = [call["texcoord"].x, call["texcoord"].y, mi.Float(0)]
    else:
        point = list(call["position"])
    cell, priority = _visible(call, [x / call["size"] for x in point])
    found = priority > 0
    xi_0, xi_1, random = cell_vector(mi, [*cell, mi.Int32(2)])
    random = dr.select(found, random, 0)
    return {
        "id": mi.Int32(random * 16777215.0),
        "rand": random,
        "presence": priority,
        "flakenormal": dr.select(found, _normal(call, xi_0, xi_1), call["normal"]),
    }


def _visible(call: Call, p: list[Any]) -> tuple[list[Any], Any]:
    """(cell, priority) of the flake of highest priority that covers a point; priority 0 where there is none."""
    mi, dr = call.mi, call.dr
    probability = _probability(dr.clip(call["coverage"], 0, 1))
    base = cell_of(mi, dr, p)
    best, visible = mi.Float(0), [mi.Int32(0)] * 3
    for step in product((-1, 0, 1), repeat=3):
        cell = [b + s for b, s in zip(base, step, strict=True)]
        local = [x - mi.Float(c) - 0.5 for x, c in zip(p, cell, strict=True)]
        priority = cell_value(mi, [*cell, mi.Int32(3)])
        turned = _turn(dr, local, cell_vector(mi, cell))
        covers = (cell_value(mi, cell) <= probability) & (priority >= best)
        for x in turned:
            covers &= dr.abs(x) <= _DIAMETER
        best = dr.select(covers, priority, best)
        visible = [dr.select(covers, new, old) for new, old in zip(cell, visible, strict=True)]
    return visible, best


def _probability(coverage: Any) -> Any:
    """Probability that a cell holds a flake, so that flakes cover a share of the surface: MaterialX's fitted curve."""
    x = coverage
    numerator = (-26.19771808 * x + 26.39663835) * x
    return numerator / (((85.53857017 * x - 102.35069432) * x - 101.42634862) * x + 118.45082288)


def _turn(dr: Any, p: list[Any], random: list[Any]) -> list[Any]:
    """`p` under a uniformly random rotation (Arvo 1992, "Fast random rotation matrices")."""
    s_theta, c_theta = dr.sincos(2 * dr.pi * random[0])
    s_phi, c_phi = dr.sincos(2 * dr.pi * random[1])
    z = 2 * random[2]
    root = dr.sqrt(z)
    v = (s_phi * root, c_phi * root, dr.sqrt(2 - z))
    s = (v[0] * c_theta - v[1] * s_theta, v[0] * s_theta + v[1] * c_theta)
    columns = (
        (v[0] * s[0] - c_theta, v[0] * s[1] - s_theta, v[0] * v[2]),
        (v[1] * s[0] + s_theta, v[1] * s[1] - c_theta, v[1] * v[2]),
        (v[2] * s[0], v[2] * s[1], 1 - z),
    )
    return [sum(column[row] * x for column, x in zip(columns, p, strict=True)) for row in range(3)]


def _normal(call: Call, xi_0: Any, xi_1: Any) -> Any:
    """A normal of the GGX distribution of the given roughness."""
    dr = call.dr
    alpha = call["roughness"] * call["roughness"]
    slope = alpha * dr.sqrt(xi_1 / dr.maximum(1 - xi_1, 1e-7))
    cosine = dr.rsqrt(1 + slope * slope)
    s, c = dr.sincos(2 * dr.pi * xi_0)
    n = (call["tangent"] * c + call["bitangent"] * s) * (slope * cosine) + call["normal"] * cosine
    return n * dr.rsqrt(dr.maximum(dr.squared_norm(n), 1e-20))
