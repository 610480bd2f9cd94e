"""Normals of height fields, by differences of the height over the surface."""

from __future__ import annotations

from typing import Any

from verdigris.materials.nodes.registry import Call, Surface, pattern

STEP = 2.0**-12
"""Half the distance in uv between the two heights of a difference: half a texel of a texture of 2048.

Small enough for patterns that repeat a few hundred times, large enough that float32 keeps three digits of the slope.
Below the size of a texel, linear filtering has a constant slope inside each texel, as in MaterialX's shaders."""

_SOBEL = 1 / 16
"""MaterialX scales heights by it, for parity with the sum of a Sobel filter."""


@pattern("heighttonormal")
def heighttonormal(call: Call) -> Any:
    """Normal of the height field `in` over `texcoord`, in tangent space, encoded to 0..1.

    MaterialX takes derivatives over the screen, which a surface point does not have. Here they are central differences
    over the surface's uv, of the height and of `texcoord`, both evaluated anew STEP to either side; the normal does not
    depend on which coordinates the derivatives are taken over.
    """
    mi, dr, scale = call.mi, call.dr, call["scale"] * _SOBEL
    along_u, along_v = _difference(call, mi.Point2f(STEP, 0)), _difference(call, mi.Point2f(0, STEP))
    du, dv = (mi.Vector3f(st.x, st.y, height * scale) for height, st in (along_u, along_v))
    n = dr.cross(du, dv)
    flat = dr.squared_norm(n) < 1e-16
    n = dr.select(flat, mi.Vector3f(0, 0, 1), dr.select(n.z < 0, -n, n))
    return n * dr.rsqrt(dr.squared_norm(n)) * 0.5 + 0.5


def _difference(call: Call, step: Any) -> tuple[Any, Any]:
    """(d height, d texcoord) per unit of uv in the direction of `step`."""
    assert call.at is not None, "heighttonormal is folded where its inputs are constant"
    surface = call.surface
    ahead, behind = (Surface(surface.mi, surface.dr, surface.uv + sign * step) for sign in (1, -1))
    height = (call.at("in", ahead) - call.at("in", behind)) / (2 * STEP)
    return height, (call.at("texcoord", ahead) - call.at("texcoord", behind)) / (2 * STEP)
