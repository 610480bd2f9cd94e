"""Gradient noise as MaterialX defines it: Perlin's over lattice hashes by Bob Jenkins' final mix (lookup3)."""

from __future__ import annotations

from typing import Any

from verdigris.materials.nodes.registry import Call, pattern

_FINAL_MIX = (
    ("c", "b", 14),
    ("a", "c", 11),
    ("b", "a", 25),
    ("c", "b", 16),
    ("a", "c", 4),
    ("b", "a", 14),
    ("c", "b", 24),
)
_SCALE_3D = 0.9820
_SCALE_2D = 0.6616


def _hash(mi: Any, lattice: list[Any]) -> Any:
    """32-bit hash of two or three lattice coordinates."""
    seed = mi.UInt32((0xDEADBEEF + (len(lattice) << 2) + 13) & 0xFFFFFFFF)
    state = {"a": seed + mi.UInt32(lattice[0]), "b": seed + mi.UInt32(lattice[1]), "c": mi.UInt32(seed)}
    if len(lattice) == 3:
        state["c"] = seed + mi.UInt32(lattice[2])
    for target, other, bits in _FINAL_MIX:
        value = state[other]
        state[target] = (state[target] ^ value) - ((value << bits) | (value >> (32 - bits)))
    return state["c"]


def _signed(dr: Any, value: Any, bit: Any) -> Any:
    return dr.select(bit != 0, -value, value)


def _gradient(dr: Any, h: Any, offset: list[Any]) -> Any:
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


def perlin(mi: Any, dr: Any, p: Any) -> Any:
    """Perlin noise of a 2D or 3D point, about -1..1."""
    base = [dr.floor(x) for x in p]
    fraction = [x - b for x, b in zip(p, base, strict=True)]
    cell = [mi.Int32(b) for b in base]
    values = []
    for corner in range(1 << len(base)):
        steps = [(corner >> axis) & 1 for axis in range(len(base))]
        h = _hash(mi, [c + s for c, s in zip(cell, steps, strict=True)])
        values.append(_gradient(dr, h, [f - s for f, s in zip(fraction, steps, strict=True)]))
    for f in fraction:
        w = f * f * f * (f * (f * 6 - 15) + 10)
        values = [a * (1 - w) + b * w for a, b in zip(values[::2], values[1::2], strict=True)]
    return values[0] * (_SCALE_3D if len(base) == 3 else _SCALE_2D)


@pattern("noise2d")
def noise2d(call: Call) -> Any:
    """Perlin noise of `texcoord`; float output."""
    return perlin(call.mi, call.dr, call["texcoord"]) * call["amplitude"] + call["pivot"]


@pattern("noise3d")
def noise3d(call: Call) -> Any:
    """Perlin noise of `position`; float output."""
    return perlin(call.mi, call.dr, call["position"]) * call["amplitude"] + call["pivot"]


def _fractal(call: Call, p: Any) -> Any:
    total, weight = call.mi.Float(0), call.mi.Float(1)
    for _ in range(int(call.uniform("octaves", 3))):  # type: ignore[arg-type]
        total = total + weight * perlin(call.mi, call.dr, p)
        weight, p = weight * call["diminish"], p * call["lacunarity"]
    return total * call["amplitude"]


@pattern("fractal2d")
def fractal2d(call: Call) -> Any:
    """Sum of octaves of noise over `texcoord`; float output."""
    return _fractal(call, call["texcoord"])


@pattern("fractal3d")
def fractal3d(call: Call) -> Any:
    """Sum of octaves of noise over `position`; float output."""
    return _fractal(call, call["position"])
