"""Arithmetic, trigonometry and rotations. Definitions: MaterialX specification 1.39, math and adjustment nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verdigris.materials.nodes.matrix import divide, is_matrix, join, multiply
from verdigris.materials.nodes.registry import Call, pattern


def _typed(call: Call, value: Any) -> Any:
    """`floor`, `ceil` and `round` of a float may be integers."""
    return call.mi.Int(value) if call.node.type == "integer" else value


def _unary(category: str, function: Callable[[Any, Any], Any]) -> None:
    pattern(category)(lambda call: _typed(call, function(call.dr, call["in"])))


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
}.items():
    _unary(_name, _function)

for _name, _pair in {
    "add": lambda dr, a, b: join(lambda x, y: x + y, a, b) if is_matrix(dr, a) else a + b,
    "subtract": lambda dr, a, b: join(lambda x, y: x - y, a, b) if is_matrix(dr, a) else a - b,
    "multiply": lambda dr, a, b: multiply(a, b) if is_matrix(dr, a) else a * b,
    "divide": lambda dr, a, b: divide(dr, a, b) if is_matrix(dr, a) else a / b,
    "modulo": lambda dr, a, b: a - b * dr.floor(a / b),
    "min": lambda dr, a, b: dr.minimum(a, b),
    "max": lambda dr, a, b: dr.maximum(a, b),
    "dotproduct": lambda dr, a, b: dr.dot(a, b),
    "crossproduct": lambda dr, a, b: dr.cross(a, b),
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


@pattern("remap")
def remap(call: Call) -> Any:
    """`in` from `inlow`..`inhigh` to `outlow`..`outhigh`, not clamped."""
    low, scale = call["inlow"], call["outhigh"] - call["outlow"]
    return call["outlow"] + (call["in"] - low) * scale / (call["inhigh"] - low)


@pattern("mix")
def mix(call: Call) -> Any:
    """`bg` where `mix` is 0, `fg` where it is 1."""
    return call["bg"] * (1 - call["mix"]) + call["fg"] * call["mix"]


@pattern("smoothstep")
def smoothstep(call: Call) -> Any:
    """Hermite step from `low` to `high`; a hard step to 1 at `high` where the interval is empty."""
    dr, x, low, high = call.dr, call["in"], call["low"], call["high"]
    t = dr.clip((x - low) / dr.select(high > low, high - low, 1), 0, 1)
    return dr.select(x >= high, 1.0, dr.select(x <= low, 0.0, t * t * (3 - 2 * t)))


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
