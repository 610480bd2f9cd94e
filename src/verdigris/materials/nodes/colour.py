"""Colour: luminance, hue, black bodies."""

from __future__ import annotations

from typing import Any

from verdigris.conventions import LUMINANCE_REC709
from verdigris.materials.nodes.registry import Call, parts, pattern, vector_type

_XYZ_TO_REC709 = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))
"""CIE XYZ to linear Rec. 709, as rounded in IEC 61966-2-1."""


def _with_alpha(call: Call, rgb: list[Any]) -> Any:
    """A colour of the node's type: the alpha of `in` is kept."""
    rest = parts(call["in"])[3:]
    return vector_type(call.mi, 3 + len(rest))(*rgb, *rest)


@pattern("luminance")
def luminance(call: Call) -> Any:
    """Luminance in every colour channel; alpha is kept."""
    channels = parts(call["in"])
    weights = parts(call["lumacoeffs"]) if "lumacoeffs" in call.values else list(LUMINANCE_REC709)
    value = sum(weight * channel for weight, channel in zip(weights, channels[:3], strict=True))
    return _with_alpha(call, [value] * 3)


@pattern("hsvtorgb")
def hsvtorgb(call: Call) -> Any:
    """Hue, saturation, value to RGB (Foley and van Dam); hue 0..1 wraps."""
    dr = call.dr
    h, s, v = parts(call["in"])[:3]
    s = dr.select(s < 1e-4, 0, s)

    def channel(shift: float) -> Any:
        k = h * 6 + shift
        k = k - 6 * dr.floor(k / 6)
        return v - v * s * dr.clip(dr.minimum(k, 4 - k), 0, 1)

    return _with_alpha(call, [channel(5), channel(3), channel(1)])


@pattern("rgbtohsv")
def rgbtohsv(call: Call) -> Any:
    """RGB to hue, saturation, value (Foley and van Dam); a grey has hue 0."""
    dr = call.dr
    r, g, b = parts(call["in"])[:3]
    highest, lowest = dr.maximum(r, dr.maximum(g, b)), dr.minimum(r, dr.minimum(g, b))
    chroma = highest - lowest
    s = dr.select(highest > 0, chroma / dr.select(highest > 0, highest, 1), 0)
    d = dr.select(s > 0, chroma, 1)
    sector = dr.select(r >= highest, (g - b) / d, dr.select(g >= highest, 2 + (b - r) / d, 4 + (r - g) / d))
    h = sector / 6
    h = dr.select(s > 0, dr.select(h < 0, h + 1, h), 0)
    return _with_alpha(call, [h, s, highest])


@pattern("blackbody")
def blackbody(call: Call) -> Any:
    """Colour of a black body of `temperature` kelvin (800 to 25000), luminance 1, no channel below 0.

    Chromaticity by the cubic splines of Kang et al. (2002), "Design of advanced color temperature control system".
    """
    dr = call.dr
    kelvin = dr.clip(call["temperature"], 800, 25000)
    t = 1000 / kelvin
    x = dr.select(
        kelvin < 4000,
        _cubic(t, -0.2661239, -0.2343580, 0.8776956, 0.179910),
        _cubic(t, -3.0258469, 2.1070379, 0.2226347, 0.240390),
    )
    y = dr.select(
        kelvin < 2222,
        _cubic(x, -1.1063814, -1.34811020, 2.18555832, -0.20219683),
        dr.select(
            kelvin < 4000,
            _cubic(x, -0.9549476, -1.37418593, 2.09137015, -0.16748867),
            _cubic(x, 3.0817580, -5.87338670, 3.75112997, -0.37001483),
        ),
    )
    xyz = (x / y, 1, (1 - x - y) / y)
    rgb = [sum(m * c for m, c in zip(row, xyz, strict=True)) for row in _XYZ_TO_REC709]
    return call.mi.Vector3f(*(dr.maximum(c, 0) for c in rgb))


def _cubic(x: Any, c3: float, c2: float, c1: float, c0: float) -> Any:
    return ((c3 * x + c2) * x + c1) * x + c0
