"""Nodes that turn artists' parameters into those of microfacet closures (MaterialX PBR specification)."""

from __future__ import annotations

from typing import Any

from verdigris.materials.nodes.registry import Call, pattern

ALPHA_FLOOR = 1e-6


@pattern("roughness_anisotropy")
def roughness_anisotropy(call: Call) -> Any:
    """GGX widths from roughness and anisotropy: roughness^2 stretched by 1 / sqrt(1 - anisotropy)."""
    dr, roughness = call.dr, call["roughness"]
    alpha = dr.clip(roughness * roughness, ALPHA_FLOOR, 1)
    aspect = dr.sqrt(1 - dr.clip(call["anisotropy"], 0, 0.98))
    return call.mi.Vector2f(dr.minimum(alpha / aspect, 1), alpha * aspect)


@pattern("roughness_dual")
def roughness_dual(call: Call) -> Any:
    """GGX widths from two roughnesses; a negative second one repeats the first."""
    dr, r = call.dr, call["roughness"]
    y = dr.select(r.y < 0, r.x, r.y)
    return call.mi.Vector2f(dr.clip(r.x * r.x, ALPHA_FLOOR, 1), dr.clip(y * y, ALPHA_FLOOR, 1))


@pattern("artistic_ior")
def artistic_ior(call: Call) -> dict[str, Any]:
    """Conductor index from reflectivity and edge colour (Gulbrandsen 2014, JCGT 3(4))."""
    dr = call.dr
    r = dr.clip(call["reflectivity"], 0, 0.99)
    root = dr.sqrt(r)
    lowest, highest = (1 - r) / (1 + r), (1 + root) / (1 - root)
    n = highest + (lowest - highest) * call["edge_color"]
    k2 = ((n + 1) * (n + 1) * r - (n - 1) * (n - 1)) / (1 - r)
    return {"ior": n, "extinction": dr.sqrt(dr.maximum(k2, 0))}
