"""The surface point: position, directions, texture coordinates, normal maps, changes of space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verdigris.errors import GraphError
from verdigris.materials.nodes.registry import Call, Surface, parts, pattern

PROPERTIES: dict[str, Callable[[Surface], Any]] = {
    "Pobject": lambda surface: surface.position,
    "Pworld": lambda surface: surface.position,
    "Nobject": lambda surface: surface.mi.Vector3f(0, 0, 1),
    "Nworld": lambda surface: surface.mi.Vector3f(0, 0, 1),
    "Tobject": lambda surface: surface.mi.Vector3f(1, 0, 0),
    "Tworld": lambda surface: surface.mi.Vector3f(1, 0, 0),
    "Bobject": lambda surface: surface.mi.Vector3f(0, 1, 0),
    "Bworld": lambda surface: surface.mi.Vector3f(0, 1, 0),
    "UV0": lambda surface: surface.mi.Vector2f(surface.uv.x, surface.uv.y),
    "st": lambda surface: surface.mi.Vector2f(surface.uv.x, surface.uv.y),
}
"""Geometric properties that a surface point has, by MaterialX's names (and USD's, for texture coordinates).

The surface is flat and its frame the identity, so object, model, world and tangent space are one and the same."""


@pattern("position")
def position(call: Call) -> Any:
    """Position of the surface point, the same in every space."""
    return PROPERTIES["Pobject"](call.surface)


@pattern("texcoord")
def texcoord(call: Call) -> Any:
    """Texture coordinates, with a third one of 0 where three are asked for; one set is known."""
    index = call.uniform("index", 0)
    if index != 0:
        raise GraphError(
            f"{call.node.path}: input 'index': expected 0, the only set of texture coordinates, got {index}"
        )
    u, v = PROPERTIES["UV0"](call.surface)
    return call.mi.Vector3f(u, v, 0) if call.node.type == "vector3" else call.mi.Vector2f(u, v)


pattern("normal")(lambda call: PROPERTIES["Nobject"](call.surface))
pattern("tangent")(lambda call: PROPERTIES["Tobject"](call.surface))
pattern("bitangent")(lambda call: PROPERTIES["Bobject"](call.surface))
pattern("transformpoint", "transformvector")(lambda call: call["in"])


@pattern("transformnormal")
def transformnormal(call: Call) -> Any:
    """`in` at unit length: all spaces are the same."""
    return _unit(call.dr, call["in"])


@pattern("geompropvalue")
def geompropvalue(call: Call) -> Any:
    """A property of the surface point by name; `default`, where the document gives one, for a name it does not have."""
    name = str(call.uniform("geomprop", ""))
    if name in PROPERTIES:
        value = PROPERTIES[name](call.surface)
        if len(value) == {"vector2": 2, "vector3": 3}.get(call.node.type):
            return value
    if "default" in call.values:
        return call["default"]
    known = ", ".join(PROPERTIES)
    raise GraphError(f"{call.node.path}: input 'geomprop': expected one of {known}, or a default; got {name!r}")


@pattern("normalmap")
def normalmap(call: Call) -> Any:
    """Normal from a tangent-space map in 0..1; a map of exactly 0 stands for no perturbation."""
    dr, value = call.dr, call["in"]
    raw = dr.select(dr.squared_norm(value) == 0, call.mi.Vector3f(0, 0, 1), value * 2 - 1)
    scale = call["scale"]
    sx, sy = parts(scale) if len(parts(scale)) > 1 else (scale, scale)
    return _unit(dr, call["tangent"] * (raw.x * sx) + call["bitangent"] * (raw.y * sy) + call["normal"] * raw.z)


def _unit(dr: Any, v: Any) -> Any:
    return v * dr.rsqrt(dr.maximum(dr.squared_norm(v), 1e-20))
