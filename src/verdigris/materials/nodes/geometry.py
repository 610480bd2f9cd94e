"""The surface point: position, directions, texture coordinates, normal maps."""

from __future__ import annotations

from typing import Any

from verdigris.errors import GraphError
from verdigris.materials.nodes.registry import Call, parts, pattern


@pattern("position")
def position(call: Call) -> Any:
    """Position of the surface point."""
    return call.surface.position


@pattern("texcoord")
def texcoord(call: Call) -> Any:
    """Texture coordinates; one set is known."""
    index = call.uniform("index", 0)
    if index != 0:
        raise GraphError(
            f"{call.node.path}: input 'index': expected 0, the only set of texture coordinates, got {index}"
        )
    return call.mi.Vector2f(call.surface.uv.x, call.surface.uv.y)


@pattern("normal")
def normal(call: Call) -> Any:
    """Shading normal: +z of the local frame."""
    return call.mi.Vector3f(0, 0, 1)


@pattern("tangent")
def tangent(call: Call) -> Any:
    """Shading tangent: +x of the local frame."""
    return call.mi.Vector3f(1, 0, 0)


@pattern("bitangent")
def bitangent(call: Call) -> Any:
    """Shading bitangent: +y of the local frame."""
    return call.mi.Vector3f(0, 1, 0)


@pattern("normalmap")
def normalmap(call: Call) -> Any:
    """Normal from a tangent-space map in 0..1; a map of exactly 0 stands for no perturbation."""
    dr, value = call.dr, call["in"]
    raw = dr.select(dr.squared_norm(value) == 0, call.mi.Vector3f(0, 0, 1), value * 2 - 1)
    scale = call["scale"]
    sx, sy = parts(scale) if len(parts(scale)) > 1 else (scale, scale)
    n = call["tangent"] * (raw.x * sx) + call["bitangent"] * (raw.y * sy) + call["normal"] * raw.z
    return n * dr.rsqrt(dr.maximum(dr.squared_norm(n), 1e-20))
