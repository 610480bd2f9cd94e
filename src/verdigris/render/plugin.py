"""The Mitsuba BSDFs `verdigris` (a `.vdg` asset) and `verdigris_reference` (what it is baked from).

```python
import verdigris, mitsuba as mi
mi.set_variant("llvm_ad_rgb")
verdigris.register()
scene = mi.load_dict({"type": "scene", ..., "bsdf": {"type": "verdigris", "filename": "brass.vdg"}})
```

| plugin | parameter | type | meaning |
|---|---|---|---|
| verdigris | filename | string | a `.vdg` file |
| verdigris_reference | filename | string | a `.mtlx` or Mitsuba `.xml` file, or `library:NAME` |
| verdigris_reference | layering | string | `scale` or `walk`; by default the library's are walked |
| verdigris_reference | material | string | which material of the document; optional where it holds one |

Relative file names are looked up as Mitsuba's own plugins do it: beside the scene file first. Both are one-sided: black
from behind. Where the uv map mirrors the texture, the bitangent is mirrored with it. Where a material is cut out, light
goes through as through Mitsuba's `mask`, from either side. A BSDF cannot emit: see `verdigris.render.emission`.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any, Protocol

from verdigris.errors import RenderError, RuntimeMissing
from verdigris.render import integrator
from verdigris.runtime import mitsuba

VARIANTS = ("llvm_ad_rgb", "cuda_ad_rgb")
"""Variants the BSDFs exist in: they trace Dr.Jit code and answer in linear Rec. 709 RGB."""


class DrjitBsdf(Protocol):
    """What a material must offer to be rendered: the trio, traced. Conventions: `verdigris.conventions`.

    One that has levels of detail offers `level_dr(duv_dx, duv_dy)`, and takes its answer as `level` in all others.
    One whose `cuts_out` is true offers `opacity_dr`, one whose `emits` is true `emission_dr`, as
    `verdigris.materials.material.Material` has them.
    """

    def eval_dr(self, uv: Any, wi: Any, wo: Any) -> Any:
        """Point2f, Vector3f, Vector3f -> Color3f, cosine of wo included, 0 below the horizon."""

    def sample_dr(self, uv: Any, wi: Any, u1: Any, u2: Any) -> tuple[Any, Any]:
        """Point2f, Vector3f, Float, Point2f -> (wo Vector3f, pdf Float); pdf 0 marks a null sample."""

    def pdf_dr(self, uv: Any, wi: Any, wo: Any) -> Any:
        """Point2f, Vector3f, Vector3f -> Float, density of `sample_dr` per solid angle."""


def register() -> None:
    """Makes both BSDFs and the integrator known to Mitsuba, in the variant in force and in any that is set later.

    Sets a variant (`llvm_ad_rgb`) where none is. Calling it again does nothing. Raises RuntimeMissing when Mitsuba or a
    libLLVM is missing, or when the variant in force cannot run the BSDFs.
    """
    mi = mitsuba()
    if mi.variant() not in VARIANTS:
        raise RuntimeMissing(f"Mitsuba variant: expected one of {', '.join(VARIANTS)}, got {mi.variant()}")
    _register_variant(mi.variant())
    _follow_variants()


def make_bsdf(material: DrjitBsdf) -> Any:
    """A material held in memory as a `mitsuba.BSDF`, to be put into a scene dict or rendered directly."""
    mi = mitsuba()
    register()
    return _bsdf_class(mi.variant())(mi.Properties("verdigris"), material)


@functools.cache
def _follow_variants() -> None:
    def on_variant(_old: str | None, new: str) -> None:
        if new in VARIANTS:
            _register_variant(new)

    import_module("mitsuba").detail.add_variant_callback(on_variant)


@functools.cache
def _register_variant(variant: str) -> None:
    mi = mitsuba()
    bsdf_class = _bsdf_class(variant)
    for name, load in (("verdigris", _load_asset), ("verdigris_reference", _load_reference)):
        mi.register_bsdf(name, functools.partial(_construct, variant, bsdf_class, load))
    mi.register_integrator("verdigris_path", functools.partial(integrator.construct, variant))


def _construct(variant: str, bsdf_class: type, load: Any, props: Any) -> Any:
    mi = import_module("mitsuba")
    # Mitsuba instantiates plugins in worker threads, and a variant is set for a thread: a new one may have none.
    if mi.variant() != variant:
        mi.set_variant(variant)
    return bsdf_class(props, load(props))


def _load_asset(props: Any) -> DrjitBsdf:
    from verdigris.asset import load
    from verdigris.render.codegen import DrjitMaterial

    return DrjitMaterial(load(_filename(props)))


def _load_reference(props: Any) -> DrjitBsdf:
    from verdigris.materials.reference import load_reference

    material = props["material"] if "material" in props else None
    layering = props["layering"] if "layering" in props else None
    return load_reference(_filename(props), material, layering=layering)


def _filename(props: Any) -> str:
    if "filename" not in props:
        raise RenderError(f"{props.plugin_name()}: expected a parameter filename, got none")
    filename = props["filename"]
    return filename if filename.startswith("library:") else str(mitsuba().file_resolver().resolve(filename))


@functools.cache
def _bsdf_class(variant: str) -> type:
    """The BSDF class of a variant: Mitsuba's base class is another one in each."""
    mi, dr = mitsuba(), import_module("drjit")
    assert mi.variant() == variant

    class VerdigrisBSDF(mi.BSDF):  # type: ignore[name-defined]
        """Any DrjitBsdf as a BSDF with one glossy component, and a null one where it can be cut out."""

        def __init__(self, props: Any, material: DrjitBsdf) -> None:
            mi.BSDF.__init__(self, props)
            self.material = material
            self.cuts_out = bool(getattr(material, "cuts_out", False))
            glossy = mi.BSDFFlags.GlossyReflection | mi.BSDFFlags.SpatiallyVarying | mi.BSDFFlags.FrontSide
            through = mi.BSDFFlags.Null | mi.BSDFFlags.SpatiallyVarying
            through |= mi.BSDFFlags.FrontSide | mi.BSDFFlags.BackSide
            self.m_components = [glossy, through] if self.cuts_out else [glossy]
            self.m_flags = glossy | through if self.cuts_out else glossy

        def sample(self, ctx: Any, si: Any, sample1: Any, sample2: Any, active: Any = True) -> tuple[Any, Any]:
            bs, weight = dr.zeros(mi.BSDFSample3f), mi.Color3f(0)
            reflects, passes = self._enabled(ctx)
            there, at = self._there(si), self._level(si)
            # Probability of reflecting: the opacity where there is a choice.
            share = there if reflects and passes else mi.Float(1.0 if reflects else 0.0)
            if reflects:
                uv, mirror, wi = local_frame(mi, dr, si)
                rescaled = dr.minimum(sample1 / dr.maximum(share, 1e-8), 1 - 2**-24) if passes else sample1
                wo, pdf = self.material.sample_dr(uv, wi, rescaled, sample2, **at)
                valid = active & (wi.z > 0) & (wo.z > 0) & (pdf > 0)
                value = self.material.eval_dr(uv, wi, wo, **at) / pdf
                weight = dr.select(valid, value if passes else value * there, 0)
                bs.wo = mi.Vector3f(wo.x, dr.mulsign(wo.y, mirror), wo.z)
                bs.pdf = dr.select(valid, pdf * share, 0)
                bs.sampled_type = mi.UInt32(+mi.BSDFFlags.GlossyReflection)
            if passes:
                null = active & (sample1 >= share)
                weight = dr.select(null, mi.Color3f(1 if reflects else 1 - there), weight)
                bs.wo = dr.select(null, -si.wi, bs.wo)
                bs.pdf = dr.select(null, 1 - share, bs.pdf)
                bs.sampled_type = dr.select(null, mi.UInt32(+mi.BSDFFlags.Null), bs.sampled_type)
                bs.sampled_component = dr.select(null, mi.UInt32(1), bs.sampled_component)
            bs.eta = 1.0
            return bs, weight

        def eval(self, ctx: Any, si: Any, wo: Any, active: Any = True) -> Any:
            return self.eval_pdf(ctx, si, wo, active)[0]

        def pdf(self, ctx: Any, si: Any, wo: Any, active: Any = True) -> Any:
            return self.eval_pdf(ctx, si, wo, active)[1]

        def eval_pdf(self, ctx: Any, si: Any, wo: Any, active: Any = True) -> tuple[Any, Any]:
            reflects, passes = self._enabled(ctx)
            if not reflects:
                return mi.Color3f(0), mi.Float(0)
            at, (uv, mirror, wi) = self._level(si), local_frame(mi, dr, si)
            wo = mi.Vector3f(wo.x, dr.mulsign(wo.y, mirror), wo.z)
            active = active & (wi.z > 0) & (wo.z > 0)
            value = dr.select(active, self.material.eval_dr(uv, wi, wo, **at), 0)
            pdf = dr.select(active, self.material.pdf_dr(uv, wi, wo, **at), 0)
            there = self._there(si)
            return value * there, pdf * there if passes else pdf

        def eval_null_transmission(self, si: Any, active: Any = True) -> Any:
            return mi.Color3f(dr.select(active, 1 - self._there(si), 0))

        def eval_diffuse_reflectance(self, si: Any, active: Any = True) -> Any:
            """The albedo that the material has a head for; without one, by Mitsuba's rule for any BSDF."""
            heads, at, (uv, _, wi) = getattr(self.material, "heads", ()), self._level(si), local_frame(mi, dr, si)
            if "guides" in heads:
                albedo = self.material.guides_dr(uv, **at)[0]  # type: ignore[attr-defined]
            elif "albedo" in heads:
                albedo = self.material.albedo_dr(uv, wi, **at)  # type: ignore[attr-defined]
            else:
                return self.eval(mi.BSDFContext(), si, mi.Vector3f(0, 0, 1), active) * dr.pi
            return dr.select(active & (wi.z > 0), albedo, 0) * self._there(si)

        def _enabled(self, ctx: Any) -> tuple[bool, bool]:
            """Whether the context asks for reflection, and for what goes through, where there is any."""
            passes = self.cuts_out and ctx.is_enabled(mi.BSDFFlags.Null, 1)
            return ctx.is_enabled(mi.BSDFFlags.GlossyReflection, 0), passes

        def _there(self, si: Any) -> Any:
            """Share of the surface that is there."""
            if not self.cuts_out:
                return mi.Float(1)
            uv, _, _ = local_frame(mi, dr, si)
            return self.material.opacity_dr(uv, **self._level(si))  # type: ignore[attr-defined]

        def _level(self, si: Any) -> dict[str, Any]:
            """The level of detail as an argument of the material's functions, where it has levels.

            It depends on the partials alone, so all calls at a hit agree; where these are 0, so is the level.
            """
            if not hasattr(self.material, "level_dr"):
                return {}
            return {"level": self.material.level_dr(si.duv_dx, si.duv_dy)}

        def to_string(self) -> str:
            return f"VerdigrisBSDF[material = {type(self.material).__name__}]"

    return VerdigrisBSDF


def local_frame(mi: Any, dr: Any, si: Any) -> tuple[Any, Any, Any]:
    """uv with v upwards, the handedness of the uv map (negative: mirrored) and wi in the material's frame.

    Mitsuba's v runs downwards and its shading frame is always right-handed, while our bitangent points along +v.
    """
    mirror = dr.dot(dr.cross(si.sh_frame.n, si.dp_du), -si.dp_dv)
    uv = mi.Point2f(si.uv.x, 1 - si.uv.y)
    return uv, mirror, mi.Vector3f(si.wi.x, dr.mulsign(si.wi.y, mirror), si.wi.z)
