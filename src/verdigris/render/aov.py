"""Pictures beside the picture: what the material says at each pixel, for denoisers and compositing (docs/aovs.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.errors import RenderError
from verdigris.materials.guides import albedo_estimate
from verdigris.materials.mitsuba_material import parts
from verdigris.model.neural import NeuralMaterial
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.pathtrace import MAX_SPP, SAMPLES_A_PASS, as_bsdf
from verdigris.render.plugin import local_frame
from verdigris.render.scenes import build_scene
from verdigris.runtime import mitsuba

AOVS = {"albedo": 3, "normal": 3, "roughness": 1, "directional_albedo": 3, "emission": 3, "opacity": 1}
"""Channels of each, linear. The first three are the denoiser's guides; the normal is in world space."""

SURFACES_MAX = 8
"""Cut-out surfaces behind one another that a camera ray is followed through."""


def render_aovs(
    material: Any,
    names: Sequence[str],
    scene: str | Path = "sphere",
    size: tuple[int, int] = (512, 512),
    spp: int = 16,
    seed: int = 0,
) -> dict[str, Array]:
    """Pictures of some `AOVS`, `[height, width, channels]` float32 by name.

    A pixel is the mean over `spp` camera rays, by a box filter; rays that meet no such material count as 0. Where it is
    cut out, rays go on to what is behind; `opacity` alone is that of the first surface.
    material: a NeuralMaterial, or anything with the traced functions of `DrjitMaterial`, such as a reference.
    Raises RenderError: an unknown name, or one that the material has nothing for; a wrong scene, size or `spp`.
    """
    if not 1 <= spp <= MAX_SPP:
        raise RenderError(f"spp: expected 1 to {MAX_SPP}, got {spp}")
    if isinstance(material, NeuralMaterial):
        material = DrjitMaterial(material)
    check_aovs(material, names)
    bsdf = as_bsdf(material)
    loaded = build_scene(scene, bsdf, size)
    shown = shapes_with(loaded, bsdf)
    pixels, done = size[0] * size[1], 0
    totals = {name: np.zeros((pixels, AOVS[name])) for name in names}
    a_pass = max(1, min(spp, SAMPLES_A_PASS // pixels))
    for pass_seed in np.random.SeedSequence(seed).generate_state(-(-spp // a_pass)):
        count = min(a_pass, spp - done)
        for name, value in trace_aovs(material, names, loaded, shown, size, count, int(pass_seed)):
            totals[name] += as_samples(value, name).reshape(pixels, count, AOVS[name]).sum(axis=1)
        done += count
    return {
        name: (total / spp).astype(np.float32).reshape(size[1], size[0], AOVS[name]) for name, total in totals.items()
    }


def check_aovs(material: Any, names: Sequence[str]) -> None:
    """Raises RenderError for a name that is none of `AOVS`, or that the material has nothing for."""
    for name in names:
        if name not in AOVS:
            raise RenderError(f"aov: expected one of {', '.join(AOVS)}, got {name!r}")
        has = {"directional_albedo": _has(material, "albedo"), "emission": True, "opacity": True}
        if not has.get(name, _has(material, "guides")):
            head = "albedo" if name == "directional_albedo" else "guides"
            raise RenderError(f"aov: {name}: expected a material with {head}, got one without")


def _has(material: Any, head: str) -> bool:
    if isinstance(material, NeuralMaterial | DrjitMaterial):
        return head in material.heads
    # A reference samples its albedo.
    return head == "albedo" or hasattr(material, "guides_dr")


def shapes_with(scene: Any, bsdf: Any) -> list[Any]:
    """The shapes of a scene that carry a BSDF, wrapped or not."""
    return [shape for shape in scene.shapes() if _carries(shape.bsdf(), bsdf)]


def _carries(bsdf: Any, ours: Any) -> bool:
    return bsdf is not None and (bsdf is ours or any(child is ours for _, child in parts(bsdf)))


def as_samples(value: Any, name: str) -> Array:
    """What `trace_aovs` gave, as `[pixels * spp, channels]`."""
    return np.array(value).reshape(AOVS[name], -1).T


def trace_aovs(
    material: Any, names: Sequence[str], scene: Any, shown: list[Any], size: tuple[int, int], spp: int, seed: Any
) -> Iterator[tuple[str, Any]]:
    """Each picture's values as a traced array of pixels * spp lanes, pixel by pixel, row by row.

    shown: the shapes that carry the material. seed: an int, or a UInt32 of one lane.
    """
    mi, dr = mitsuba(), import_module("drjit")
    lanes = dr.arange(mi.UInt32, size[0] * size[1] * spp)
    rng = mi.PCG32(dr.width(lanes), seed)
    pixel = lanes // spp
    x, y = mi.Float(pixel % size[0]), mi.Float(pixel // size[0])
    at = mi.Point2f((x + rng.next_float32()) / size[0], (y + rng.next_float32()) / size[1])
    lens = mi.Point2f(rng.next_float32(), rng.next_float32())
    ray, _ = scene.sensors()[0].sample_ray(0.0, 0.5, at, lens)
    si = scene.ray_intersect(ray)
    ours = _on(mi, dr, si, shown)
    first, passes = (si, ours), ours
    for _ in range(SURFACES_MAX if getattr(material, "cuts_out", False) else 0):
        passes = passes & ours & (rng.next_float32() >= material.opacity_dr(local_frame(mi, dr, si)[0]))
        behind = scene.ray_intersect(si.spawn_ray(ray.d), passes)
        si = dr.select(passes, behind, si)
        ours = dr.select(passes, _on(mi, dr, si, shown), ours)
        dr.eval(si, ours, rng)
    guided = None
    for name in names:
        hit, covered = first if name == "opacity" else (si, ours)
        uv, mirror, wi = local_frame(mi, dr, hit)
        if name in ("albedo", "normal", "roughness"):
            guided = guided or material.guides_dr(uv)
            value = guided[("albedo", "normal", "roughness").index(name)]
            if name == "normal":
                value = hit.to_world(mi.Vector3f(value.x, dr.mulsign(value.y, mirror), value.z))
        elif name == "directional_albedo":
            value = _albedo(mi, material, uv, wi, rng)
        elif name == "emission":
            value = material.emission_dr(uv)
        else:
            value = getattr(material, "opacity_dr", lambda _: mi.Float(1))(uv)
        yield name, dr.select(covered, value, 0)


def _on(mi: Any, dr: Any, si: Any, shown: list[Any]) -> Any:
    """Whether a point is on one of some shapes."""
    found = dr.zeros(mi.Bool, dr.width(si.t))
    for shape in shown:
        found |= si.shape == mi.ShapePtr(shape)
    return si.is_valid() & found


def _albedo(mi: Any, material: Any, uv: Any, wi: Any, rng: Any) -> Any:
    if isinstance(material, DrjitMaterial):
        return material.albedo_dr(uv, wi)
    u1, u2 = rng.next_float32(), mi.Point2f(rng.next_float32(), rng.next_float32())
    return albedo_estimate(material, uv, wi, u1, u2)
