"""Arithmetic, trigonometry, conditionals, channels. Definitions: MaterialX specification 1.39, standard nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verdigris.conventions import LUMINANCE_REC709
from verdigris.errors import GraphError
from verdigris.materials.graph import WIDTHS
from verdigris.materials.nodes.registry import Call, parts, pattern, vector_type


def _unary(category: str, function: Callable[[Any, Any], Any]) -> None:
    pattern(category)(lambda call: function(call.dr, call["in"]))


def _binary(category: str, function: Callable[[Any, Any, Any], Any]) -> None:
    pattern(category)(lambda call: function(call.dr, call["in1"], call["in2"]))


for _name, _function in {
    "absval": lambda dr, x: dr.abs(x),
    "sign": lambda dr, x: dr.select(x > 0, 1.0, dr.select(x < 0, -1.0, 0.0)),
    "floor": lambda dr, x: dr.floor(x),
    "ceil": lambda dr, x: dr.ceil(x),
    "round": lambda dr, x: dr.floor(x + 0.5),
    "fract": lambda dr, x: x - dr.floor(x),
    "sqrt": lambda dr, x: dr.sqrt(dr.maximum(x, 0)),
    "ln": lambda dr, x: dr.log(dr.maximum(x, 1e-20)),
    "exp": lambda dr, x: dr.exp(x),
    "sin": lambda dr, x: dr.sin(x),
    "cos": lambda dr, x: dr.cos(x),
    "tan": lambda dr, x: dr.tan(x),
    "asin": lambda dr, x: dr.asin(dr.clip(x, -1, 1)),
    "acos": lambda dr, x: dr.acos(dr.clip(x, -1, 1)),
    "normalize": lambda dr, x: x * dr.rsqrt(dr.maximum(dr.squared_norm(x), 1e-20)),
    "magnitude": lambda dr, x: dr.norm(x),
    "dot": lambda dr, x: x,
    "not": lambda dr, x: ~x,
}.items():
    _unary(_name, _function)

for _name, _pair in {
    "add": lambda dr, a, b: a + b,
    "subtract": lambda dr, a, b: a - b,
    "multiply": lambda dr, a, b: a * b,
    "divide": lambda dr, a, b: a / b,
    "modulo": lambda dr, a, b: a - b * dr.floor(a / b),
    "min": lambda dr, a, b: dr.minimum(a, b),
    "max": lambda dr, a, b: dr.maximum(a, b),
    "dotproduct": lambda dr, a, b: dr.dot(a, b),
    "crossproduct": lambda dr, a, b: dr.cross(a, b),
    "and": lambda dr, a, b: a & b,
    "or": lambda dr, a, b: a | b,
}.items():
    _binary(_name, _pair)


@pattern("constant")
def constant(call: Call) -> Any:
    """`value`."""
    return call["value"]


@pattern("power")
def power(call: Call) -> Any:
    """`in1` to the power of `in2`; a negative base yields 0, where MaterialX leaves it undefined."""
    base, exponent = call["in1"], call["in2"]
    return call.dr.select(base > 0, call.dr.power(call.dr.maximum(base, 1e-20), exponent), 0.0)


@pattern("atan2")
def atan2(call: Call) -> Any:
    """Angle of (inx, iny) in radians."""
    return call.dr.atan2(call["iny"], call["inx"])


@pattern("invert")
def invert(call: Call) -> Any:
    """`amount` - `in`."""
    return call["amount"] - call["in"]


@pattern("clamp")
def clamp(call: Call) -> Any:
    """`in` limited to `low`..`high`."""
    return call.dr.minimum(call.dr.maximum(call["in"], call["low"]), call["high"])


@pattern("mix")
def mix(call: Call) -> Any:
    """`bg` where `mix` is 0, `fg` where it is 1."""
    return call["bg"] * (1 - call["mix"]) + call["fg"] * call["mix"]


@pattern("smoothstep")
def smoothstep(call: Call) -> Any:
    """Hermite step from `low` to `high`."""
    t = call.dr.clip((call["in"] - call["low"]) / (call["high"] - call["low"]), 0, 1)
    return t * t * (3 - 2 * t)


@pattern("ifgreater")
def ifgreater(call: Call) -> Any:
    """`in1` where value1 > value2, else `in2`."""
    return call.dr.select(call["value1"] > call["value2"], call["in1"], call["in2"])


@pattern("ifgreatereq")
def ifgreatereq(call: Call) -> Any:
    """`in1` where value1 >= value2, else `in2`."""
    return call.dr.select(call["value1"] >= call["value2"], call["in1"], call["in2"])


@pattern("ifequal")
def ifequal(call: Call) -> Any:
    """`in1` where value1 == value2, else `in2`."""
    return call.dr.select(call["value1"] == call["value2"], call["in1"], call["in2"])


@pattern("combine2", "combine3", "combine4")
def combine(call: Call) -> Any:
    """Channels of the inputs in order (a colour and a float make a colour with alpha)."""
    names = sorted(name for name in call.values if name.startswith("in"))
    channels = [part for name in names for part in parts(call[name])]
    return vector_type(call.mi, WIDTHS[call.node.type])(*channels)


@pattern("extract")
def extract(call: Call) -> Any:
    """One channel of a colour or vector."""
    index, channels = int(call.uniform("index", 0)), parts(call["in"])  # type: ignore[arg-type]
    if not 0 <= index < len(channels):
        raise GraphError(f"{call.node.path}: input 'index': expected 0 to {len(channels) - 1}, got {index}")
    return channels[index]


@pattern("convert")
def convert(call: Call) -> Any:
    """Between types: a scalar fills all channels, missing channels are 0 (alpha 1), surplus ones are dropped."""
    mi, value = call.mi, call["in"]
    channels = [mi.Float(part) for part in parts(value)]
    width = WIDTHS.get(call.node.type)
    if width is None:
        return mi.Bool(channels[0] != 0) if call.node.type == "boolean" else mi.Int(channels[0])
    if len(channels) == 1:
        channels = channels * width
        if call.node.type == "color4":
            channels[3] = mi.Float(1)
    fill = [mi.Float(0)] * max(0, width - len(channels))
    if fill and call.node.type == "color4":
        fill[-1] = mi.Float(1)
    return vector_type(mi, width)(*[*channels, *fill][:width])


@pattern("luminance")
def luminance(call: Call) -> Any:
    """Luminance in every colour channel; alpha is kept."""
    channels = parts(call["in"])
    weights = parts(call["lumacoeffs"]) if "lumacoeffs" in call.values else list(LUMINANCE_REC709)
    value = sum(weight * channel for weight, channel in zip(weights, channels[:3], strict=True))
    return vector_type(call.mi, len(channels))(*([value] * 3), *channels[3:])


@pattern("rotate2d")
def rotate2d(call: Call) -> Any:
    """Clockwise rotation by `amount` degrees."""
    s, c = call.dr.sincos(call["amount"] * (call.dr.pi / 180))
    x, y = call["in"].x, call["in"].y
    return call.mi.Vector2f(c * x + s * y, c * y - s * x)


@pattern("rotate3d")
def rotate3d(call: Call) -> Any:
    """Rotation by `amount` degrees about `axis` (Rodrigues; MaterialX multiplies row vectors, hence the sign)."""
    dr, v = call.dr, call["in"]
    axis = call["axis"] * dr.rsqrt(dr.maximum(dr.squared_norm(call["axis"]), 1e-20))
    s, c = dr.sincos(call["amount"] * (dr.pi / 180))
    return v * c + dr.cross(v, axis) * s + axis * (dr.dot(axis, v) * (1 - c))
