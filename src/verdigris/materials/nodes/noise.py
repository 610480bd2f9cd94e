"""Noise over a lattice as MaterialX defines it: Perlin's gradient noise, its octaves, random cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from verdigris.errors import GraphError
from verdigris.materials.graph import WIDTHS
from verdigris.materials.nodes.lattice import cell_of, cell_value, hash_cell
from verdigris.materials.nodes.registry import Call, pattern, vector_type

_SCALE = {2: 0.6616, 3: 0.9820}
"""Brings gradient noise of each dimension to about -1..1."""
_NOISE_SHIFT = (19, 73, 29)
_FRACTAL_SHIFT = (19, 193, 17)
"""Where the channels that one hash cannot feed are read."""
MAX_OCTAVES = 64


def _signed(dr: Any, value: Any, bit: Any) -> Any:
    return dr.select(bit != 0, -value, value)


def _gradient(dr: Any, h: Any, offset: Sequence[Any]) -> Any:
    """Dot product of the lattice point's gradient with the offset from it."""
    if len(offset) == 2:
        x, y = offset
        low = (h & 7) < 4
        return _signed(dr, dr.select(low, x, y), h & 1) + _signed(dr, 2 * dr.select(low, y, x), h & 2)
    x, y, z = offset
    h = h & 15
    u = dr.select(h < 8, x, y)
    v = dr.select(h < 4, y, dr.select((h == 12) | (h == 14), x, z))
    return _signed(dr, u, h & 1) + _signed(dr, v, h & 2)


def perlin(mi: Any, dr: Any, p: Sequence[Any], channels: int = 1) -> list[Any]:
    """Gradient noise of a 2D or 3D point, about -1..1, in up to three channels: one per byte of the lattice's hash."""
    base = [dr.floor(x) for x in p]
    fraction = [x - b for x, b in zip(p, base, strict=True)]
    cell = [mi.Int32(b) for b in base]
    corners: list[list[Any]] = []
    for corner in range(1 << len(base)):
        steps = [(corner >> axis) & 1 for axis in range(len(base))]
        h = hash_cell(mi, [c + s for c, s in zip(cell, steps, strict=True)])
        offset = [f - s for f, s in zip(fraction, steps, strict=True)]
        corners.append([_gradient(dr, h >> (8 * channel), offset) for channel in range(channels)])
    found = []
    for channel in range(channels):
        values = [corner[channel] for corner in corners]
        for f in fraction:
            w = f * f * f * (f * (f * 6 - 15) + 10)
            values = [a * (1 - w) + b * w for a, b in zip(values[::2], values[1::2], strict=True)]
        found.append(values[0] * _SCALE[len(base)])
    return found


def _shifted(p: Sequence[Any], shift: Sequence[int]) -> list[Any]:
    return [x + s for x, s in zip(p, shift, strict=False)]


@pattern("noise2d", "noise3d")
def noise(call: Call) -> Any:
    """Gradient noise of a point in every channel, scaled by `amplitude` about `pivot`."""
    mi, dr, p = call.mi, call.dr, list(_point(call))
    width = WIDTHS[call.node.type]
    values = perlin(mi, dr, p, min(width, 3))
    if width == 4:
        values += perlin(mi, dr, _shifted(p, _NOISE_SHIFT))
    return vector_type(mi, width)(*values) * call["amplitude"] + call["pivot"]


@pattern("fractal2d", "fractal3d")
def fractal(call: Call) -> Any:
    """Sum of `octaves` of noise, each `lacunarity` times as fine and `diminish` times as strong as the one before."""
    mi, p, width = call.mi, list(_point(call)), WIDTHS[call.node.type]
    if width == 2:
        values = _octaves(call, p, 1) + _octaves(call, _shifted(p, _FRACTAL_SHIFT), 1)
    else:
        values = _octaves(call, p, min(width, 3))
    if width == 4:
        values += _octaves(call, _shifted(p, _FRACTAL_SHIFT), 1)
    return vector_type(mi, width)(*values) * call["amplitude"]


def _octaves(call: Call, p: list[Any], channels: int) -> list[Any]:
    octaves = int(call.uniform("octaves", 3))  # type: ignore[arg-type]
    if not 0 <= octaves <= MAX_OCTAVES:
        raise GraphError(f"{call.node.path}: input 'octaves': expected 0 to {MAX_OCTAVES}, got {octaves}")
    total, weight = [call.mi.Float(0)] * channels, call.mi.Float(1)
    for _ in range(octaves):
        total = [t + weight * n for t, n in zip(total, perlin(call.mi, call.dr, p, channels), strict=True)]
        weight, p = weight * call["diminish"], [x * call["lacunarity"] for x in p]
    return total


@pattern("cellnoise2d", "cellnoise3d")
def cellnoise(call: Call) -> Any:
    """A random number in 0..1 for each cell of the integer lattice."""
    return cell_value(call.mi, cell_of(call.mi, call.dr, _point(call)))


def _point(call: Call) -> Any:
    return call["texcoord"] if "texcoord" in call.values else call["position"]
