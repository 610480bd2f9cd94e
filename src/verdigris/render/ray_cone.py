"""Ray cones: how wide a path sees at each of its hits, as partials of uv that a BSDF chooses its level of detail by.

A cone has a width where it leaves a point and a spread, the width it gains a unit of distance; both are those of a
pixel, full, not half (Akenine-Moeller et al. 2021, "Improved shader and texture level of detail using ray cones").
Lengths in units of the scene, angles in radians. Types: those of the Mitsuba variant in force.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from verdigris.runtime import mitsuba

GRAZING = 1e-3
"""Smallest cosine that a footprint is stretched by."""

SPREAD_MAX = 1.0
"""Widest cone that a rough surface or a curved one makes, radians."""

LOBE_SHARE = 0.5
"""Spread that a rough surface adds, in angular widths of what a direction of its density stands for, 1 / sqrt(pdf).

The whole of it would blur a lobe by itself once more.
"""

HASH_ROUNDS = 4


def camera_cone(ray: Any, samples: int) -> tuple[Any, Any]:
    """(width, spread) of a pixel, where a camera ray starts; both 0 for a sensor without ray differentials.

    samples: a pixel's, by whose root Mitsuba has narrowed the differentials. Where they differ in x and y, a pixel of
    the same area is taken.
    """
    mi, dr = mitsuba(), import_module("drjit")
    if not ray.has_differentials:
        return mi.Float(0), mi.Float(0)
    scale = samples**0.5
    width = dr.sqrt(dr.norm(ray.o_x - ray.o) * dr.norm(ray.o_y - ray.o)) * scale
    return width, dr.sqrt(dr.norm(ray.d_x - ray.d) * dr.norm(ray.d_y - ray.d)) * scale


def uv_footprint(si: Any, direction: Any, width: Any) -> tuple[Any, Any]:
    """(duv_dx, duv_dy): the axes of the ellipse on the surface that a cone of this width at the hit covers, in uv.

    direction: of the cone, unit. The first axis lies in the plane of incidence and is the longer, width / cosine, the
    second across it, as long as the width. 0 where the surface has no uv map.
    """
    mi, dr = mitsuba(), import_module("drjit")
    cosine = dr.dot(direction, si.n)
    along = direction - cosine * si.n
    length = dr.norm(along)
    along = dr.select(length > 1e-4, along / length, mi.coordinate_system(si.n)[0])
    across = dr.cross(si.n, along)
    along *= width / dr.maximum(dr.abs(cosine), GRAZING)
    across *= width
    uu, uv, vv = dr.dot(si.dp_du, si.dp_du), dr.dot(si.dp_du, si.dp_dv), dr.dot(si.dp_dv, si.dp_dv)
    determinant = dr.fma(uu, vv, -uv * uv)
    inverse = dr.select(determinant > 0, 1 / determinant, 0)

    def solved(axis: Any) -> Any:
        u, v = dr.dot(si.dp_du, axis), dr.dot(si.dp_dv, axis)
        return mi.Vector2f(dr.fma(vv, u, -uv * v), dr.fma(uu, v, -uv * u)) * inverse

    return solved(along), solved(across)


def half_a_level(si: Any) -> Any:
    """2^(u - 1/2), u uniform in [0, 1) and the hit's own: a factor for partials whose level is then rounded.

    It makes the rounding a random choice between the two nearest levels. u is hashed from the hit's uv, so that all
    that happens at a hit sees one level, and no random numbers are taken from those of the path.
    """
    mi, dr = mitsuba(), import_module("drjit")
    bits = (dr.reinterpret_array(mi.UInt32, part) for part in (si.uv.x, si.uv.y))
    return dr.exp2(mi.sample_tea_float32(*bits, HASH_ROUNDS) - 0.5)


def spread_after(si: Any, direction: Any, sample: Any, width: Any, spread: Any) -> Any:
    """Spread of the cone that leaves a hit along a BSDF sample.

    A mirror as curved as the surface turns neighbouring rays by twice the angle of their normals, and a rough one by
    LOBE_SHARE of its lobe; what goes straight through keeps its cone. A hollow mirror may narrow it below 0: the cone
    then crosses over. direction: of the cone that came in.
    """
    mi, dr = mitsuba(), import_module("drjit")
    curvature = mean_curvature(si)
    cosine = dr.dot(direction, si.n)
    bent = -2 * dr.sign(cosine) * curvature * width / dr.maximum(dr.abs(cosine), GRAZING)
    delta = mi.has_flag(sample.sampled_type, mi.BSDFFlags.Delta)
    rough = dr.select(delta | (sample.pdf <= 0), 0, LOBE_SHARE * dr.rsqrt(sample.pdf))
    through = mi.has_flag(sample.sampled_type, mi.BSDFFlags.Null)
    return dr.select(through, spread, dr.clip(spread + bent + rough, -SPREAD_MAX, SPREAD_MAX))


def mean_curvature(si: Any) -> Any:
    """Curvature of the shading normals, 1 / length, the mean of two directions; above 0 where it bulges along si.n.

    Needs a hit with `dNSdUV`. Of a mesh, Mitsuba's derivatives of the normal are those along two edges of the triangle.
    """
    mi, dr = mitsuba(), import_module("drjit")
    triangle = si.shape.is_mesh() & si.is_valid()
    mesh = mi.MeshPtr(dr.select(triangle, si.shape, None))
    corners = mesh.face_indices(si.prim_index, triangle)
    first, second, third = (mesh.vertex_position(corner, triangle) for corner in (corners.x, corners.y, corners.z))
    u_step = dr.select(triangle, second - first, si.dp_du)
    v_step = dr.select(triangle, third - first, si.dp_dv)
    return 0.5 * (_bend(dr, si.dn_du, u_step) + _bend(dr, si.dn_dv, v_step))


def _bend(dr: Any, normal_step: Any, position_step: Any) -> Any:
    """Curvature along one parameter."""
    length2 = dr.squared_norm(position_step)
    return dr.select(length2 > 0, dr.dot(normal_step, position_step) / length2, 0)
