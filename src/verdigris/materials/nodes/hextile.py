"""Hexagonally tiled images (Mikkelsen 2022, "Practical Real-Time Hex-Tiling", JCGT 11(2)), as MaterialX sets them up.

Three overlapping hexagons cover each point; each shows the image turned, scaled and moved at random about its centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verdigris.materials.graph import WIDTHS
from verdigris.materials.nodes.image import texture_key
from verdigris.materials.nodes.registry import Call, parts, pattern, vector_type

_SIZE = 2 * 3**0.5
"""Tiles per unit of texture coordinates."""
_SKEW = 0.57735027
_STRETCH = 1.15470054
"""tan 30 degrees, and its double: the simplex grid's skew."""
_SEED_OFFSET = 0.12345


@dataclass(frozen=True)
class Tile:
    """One hexagon over a point: texture coordinates in it, its blending weight, its rotation in radians."""

    uv: Any
    weight: Any
    rotation: Any


def tiles(call: Call) -> list[Tile]:
    """The three hexagons that cover a point."""
    mi, dr = call.mi, call.dr
    uv = call["texcoord"] * call["tiling"]
    x, y = uv.x * _SIZE, uv.y * _SIZE
    skewed = (x - _SKEW * y, _STRETCH * y)
    base = [dr.floor(c) for c in skewed]
    a, b = (c - f for c, f in zip(skewed, base, strict=True))
    c = 1 - a - b
    upper = c <= 0  # the point lies in the upper of the two triangles of its rhombus
    s, sign = dr.select(upper, mi.Float(1), 0), dr.select(upper, mi.Float(1), -1)
    corners = [((s, s), -c * sign), ((s, 1 - s), s - b * sign), ((1 - s, s), s - a * sign)]
    return [_tile(call, uv, [f + o for f, o in zip(base, offset, strict=True)], w) for offset, w in corners]


def _tile(call: Call, uv: Any, corner: list[Any], weight: Any) -> Tile:
    mi, dr = call.mi, call.dr
    x, y = (c / _SIZE for c in corner)
    centre = mi.Vector2f(x + 0.5 * y, y / _STRETCH)
    random = _hash(mi, dr, [c + _SEED_OFFSET for c in corner])
    degrees = call["rotationrange"]
    rotation = _lerp(degrees.x, degrees.y, random.x * call["rotation"]) * (dr.pi / 180)
    s, c = dr.sincos(rotation)
    scale = _lerp(1, _lerp(call["scalerange"].x, call["scalerange"].y, random.y), call["scale"])
    offset = call["offsetrange"]
    d = uv - centre
    turned = mi.Vector2f(c * d.x - s * d.y, s * d.x + c * d.y)
    moved = mi.Vector2f(*(_lerp(offset.x, offset.y, r * call["offset"]) for r in random))
    return Tile(turned / scale + centre + moved, weight, rotation)


def _lerp(a: Any, b: Any, t: Any) -> Any:
    return a * (1 - t) + b * t


def _hash(mi: Any, dr: Any, p: list[Any]) -> Any:
    """Two numbers in 0..1 of a point (Hoskins, "Hash without sine", MIT)."""
    q = [x * k for x, k in zip((p[0], p[1], p[0]), (0.1031, 0.1030, 0.0973), strict=True)]
    q = [x - dr.floor(x) for x in q]
    shift = q[0] * (q[1] + 33.33) + q[1] * (q[2] + 33.33) + q[2] * (q[0] + 33.33)
    q = [x + shift for x in q]
    found = ((q[0] + q[1]) * q[2], (q[0] + q[2]) * q[1])
    return mi.Vector2f(*(x - dr.floor(x) for x in found))


def _weights(call: Call, found: list[Tile], factors: list[Any]) -> list[Any]:
    """Blending weights that add up to 1, sharpened, with the gain of Schlick (1994) by `falloff`."""
    dr = call.dr
    raw = [factor * tile.weight**7 for factor, tile in zip(factors, found, strict=True)]
    raw = [w / sum(raw) for w in raw]
    r = dr.clip(call["falloff"], 0.001, 0.999)

    def gain(x: Any) -> Any:
        a = (1 / r - 2) * (1 - 2 * x)
        return dr.select(x < 0.5, x / (a + 1), (a - x) / (a - 1))

    shaped = [gain(w) for w in raw]
    plain = call["falloff"] == 0.5
    return [dr.select(plain, w, g / sum(shaped)) for w, g in zip(raw, shaped, strict=True)]


@pattern("hextiledimage")
def hextiledimage(call: Call) -> Any:
    """The three tiles blended; brighter ones weigh more as `falloffcontrast` grows; alpha is blended evenly."""
    found, sampler = tiles(call), call.textures[texture_key(call.node)]
    colours = [sampler.eval(tile.uv) for tile in found]
    luma = parts(call["lumacoeffs"])
    greys = [sum(k * x for k, x in zip(luma, colour[:3], strict=True)) for colour in colours]
    weights = _weights(call, found, [_lerp(1, grey, call["falloffcontrast"]) for grey in greys])
    even = _weights(call, found, [call.mi.Float(1)] * 3)
    width = WIDTHS[call.node.type]
    channels = [
        sum(w * colour[k] for w, colour in zip(weights if k < 3 else even, colours, strict=True)) for k in range(width)
    ]
    return vector_type(call.mi, width)(*channels)


@pattern("hextilednormalmap")
def hextilednormalmap(call: Call) -> Any:
    """Normals of the three tiles, each turned back with its tile, blended as surface gradients (Mikkelsen 2020)."""
    dr, n = call.dr, call["normal"]
    found, sampler = tiles(call), call.textures[texture_key(call.node)]
    weights = _weights(call, found, [call.mi.Float(1)] * 3)
    gradient = call.mi.Vector3f(0)
    for tile, weight in zip(found, weights, strict=True):
        perturbed = _perturbed(call, tile, sampler.eval(tile.uv))
        d = dr.dot(n, perturbed)
        gradient += (n * d - perturbed) * (dr.clip(weight, 0, 1) / dr.maximum(dr.abs(d), 1e-8))
    blended = n - gradient
    return blended * dr.rsqrt(dr.maximum(dr.squared_norm(blended), 1e-20))


def _perturbed(call: Call, tile: Tile, texel: list[Any]) -> Any:
    """The normal that a tile's texel encodes, in the frame turned by the tile's rotation."""
    dr, n = call.dr, call["normal"]
    x, y, z = texel[:3]
    x, y, z = 2 * x - 1, 2 * dr.select(call["flip_g"], 1 - y, y) - 1, 2 * z - 1
    s, c = dr.sincos(tile.rotation)

    def turned(v: Any) -> Any:
        return v * c + dr.cross(n, v) * s + n * (dr.dot(n, v) * (1 - c))

    m = (turned(call["tangent"]) * x + turned(call["bitangent"]) * y) * call["strength"] + n * z
    return m * dr.rsqrt(dr.maximum(dr.squared_norm(m), 1e-20))
