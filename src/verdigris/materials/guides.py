"""What renderers ask of a reference besides its response: guides for denoisers, and its directional albedo."""

from __future__ import annotations

from typing import Any

from verdigris.materials.closures import CLOSURES
from verdigris.materials.closures.base import CosineSampled, number
from verdigris.materials.closures.microfacet import widths
from verdigris.materials.layering import Shading

_FLOOR = 1e-4
"""Added to the light that a lobe reflects where lobes are averaged: a black surface has a normal too."""


def guides(shading: Shading) -> tuple[Any, Any, Any]:
    """(albedo `Color3f`, normal `Vector3f`, roughness `Float`) of a closure tree, none of which depends on a view.

    Lobes are weighted by the light that each reflects to a viewer straight above, layers by albedo scaling. albedo: the
    sum of that light, in 0..1. normal: the lobes' mean one, unit, local. roughness: the mean of 1 for lobes that
    scatter widely (diffuse, sheen), and of the square root of the mean width of GGX lobes.
    """
    mi, dr = shading.surface.mi, shading.surface.dr
    above = mi.Vector3f(0, 0, 1)
    albedo, normal, roughness, total = mi.Vector3f(0), mi.Vector3f(0), mi.Float(0), mi.Float(0)
    for leaf, colour, grey in shading.reflected(above):
        call, _, to_world = shading.leaf_frame(leaf, above)
        weight, rough = grey + _FLOOR, mi.Float(1)
        if not isinstance(CLOSURES[leaf.node.category], CosineSampled):
            ax, ay = widths(dr, number(call, "roughness"))
            rough = dr.sqrt(mi.Float(0.5 * (ax + ay)))
        albedo, total = albedo + colour, total + weight
        normal, roughness = normal + weight * to_world(above), roughness + weight * rough
    length = dr.norm(normal)
    normal = dr.select(length > 1e-6, normal / dr.maximum(length, 1e-6), above)
    return mi.Color3f(dr.clip(albedo, 0, 1)), normal, dr.select(total > 0, roughness / total, 1)


def albedo_estimate(material: Any, uv: Any, wi: Any, u1: Any, u2: Any) -> Any:
    """One unbiased estimate of the directional albedo, from the material's own sampler: `Color3f`, 0 where it failed.

    material: anything with the traced trio. u1, u2: uniform numbers, `Float`, `Point2f`.
    """
    import drjit as dr

    wo, pdf = material.sample_dr(uv, wi, u1, u2)
    valid = (pdf > 0) & (wo.z > 0) & (wi.z > 0)
    value = material.eval_dr(uv, wi, dr.select(valid, wo, wi))
    return dr.select(valid, value / dr.select(valid, pdf, 1), 0)
