"""A Mitsuba BSDF as the ground truth: what it is made of, what is refused of it, and the trio through it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from verdigris.errors import GraphError
from verdigris.materials.material import EncoderInput, Material
from verdigris.runtime import mitsuba

_WRAPPERS = {"TwoSidedBRDF": "brdf_0", "MaskBSDF": "nested_bsdf"}
"""BSDFs that add nothing to the reflection seen from the front, and the child that they hold."""

_BITMAP = "BitmapTexture"
_NO_GEOMETRY = {"MeshAttribute": "mesh_attribute", "VolumeAdapter": "volume"}
"""Textures that need a shape, which a bake has not."""

_TRANSFORMS = ("to_uv", "data")


@dataclass(frozen=True, eq=False)
class MitsubaMaterial(Material):
    """The reflection of the front of a Mitsuba BSDF, over the unit square of the uv plane.

    bsdf: without its two-sided and mask wrappers. mask: the outermost mask, whose opacity is a signal of its own.
    files: names of the image files, where they are known.
    """

    name: str
    source: Mapping[str, str]
    warnings: tuple[str, ...]
    bsdf: Any
    mask: Any = None
    files: tuple[str, ...] = ()

    @cached_property
    def _textures(self) -> tuple[Any, ...]:
        """The varying textures that BSDFs read directly; those inside of other textures act through these."""
        found = (obj for parent, obj in parts(self.bsdf) if _is_bsdf(parent) and not _is_bsdf(obj))
        return tuple(dict.fromkeys(obj for obj in found if obj.is_spatially_varying()))

    @cached_property
    def _bitmaps(self) -> tuple[tuple[int, ...], ...]:
        """Height, width and channels of every bitmap."""
        return tuple(data_shape(obj) for obj in bitmaps(*self._roots))

    @property
    def _roots(self) -> tuple[Any, ...]:
        return (self.bsdf,) if self.mask is None else (self.mask,)

    @cached_property
    def varying(self) -> bool:
        """Whether the reflection depends on the surface point: by a texture, or because a BSDF without any says so."""
        varies = mitsuba().has_flag(self.bsdf.flags(), mitsuba().BSDFFlags.SpatiallyVarying)
        has_textures = any(not _is_bsdf(obj) for _, obj in parts(self.bsdf))
        return bool(self._textures) or (varies and not has_textures)

    @cached_property
    def native_resolution(self) -> int:
        """Longest side of the bitmaps in texels; 0 where there are none."""
        return max((max(shape[:2]) for shape in self._bitmaps), default=0)

    @cached_property
    def inputs(self) -> tuple[EncoderInput, ...]:
        """The varying textures, each named after its plugin."""
        return tuple(
            EncoderInput(texture.class_name(), "normal_map" if texture in self._normal_maps else "value", width)
            for texture, width in zip(self._textures, map(_channels, self._textures), strict=True)
        )

    @cached_property
    def _normal_maps(self) -> tuple[Any, ...]:
        """What normal map plugins read."""
        found = [obj for obj in (self.bsdf, *(child for _, child in parts(self.bsdf))) if _is_bsdf(obj)]
        return tuple(children(obj)["normalmap"] for obj in found if obj.class_name() == "NormalMap")

    def eval_dr(self, uv: Any, wi: Any, wo: Any, seed: Any = 0) -> Any:
        """Response times cosine in Dr.Jit: `Point2f, Vector3f, Vector3f -> Color3f`; 0 below the horizon."""
        mi, above = mitsuba(), (wi.z > 0) & (wo.z > 0)
        return _select(above, mi.Color3f(self.bsdf.eval(mi.BSDFContext(), surface(uv, wi), wo, above)))

    def sample_dr(self, uv: Any, wi: Any, u1: Any, u2: Any) -> tuple[Any, Any]:
        """(wo, pdf) from uniform numbers `Float, Point2f`; a pdf of 0 marks a failed sample."""
        mi = mitsuba()
        drawn, _ = self.bsdf.sample(mi.BSDFContext(), surface(uv, wi), u1, u2, wi.z > 0)
        # A blend reports the density of the part it drew from, so the density of the whole is asked for.
        return drawn.wo, _select(drawn.pdf > 0, self.pdf_dr(uv, wi, drawn.wo))

    def pdf_dr(self, uv: Any, wi: Any, wo: Any) -> Any:
        """Density of `sample_dr` per solid angle."""
        mi, above = mitsuba(), (wi.z > 0) & (wo.z > 0)
        return _select(above, self.bsdf.pdf(mi.BSDFContext(), surface(uv, wi), wo, above))

    def parameters_dr(self, uv: Any) -> list[Any]:
        """The values of the varying textures at `uv`, `parameter_count` values of type `Float`."""
        si = surface(uv, mitsuba().Vector3f(0, 0, 1))
        found: list[Any] = []
        for texture in self._textures:
            found.extend([texture.eval_1(si)] if _channels(texture) == 1 else texture.eval(si))
        return found

    @property
    def emits(self) -> bool:
        """False: in Mitsuba it is shapes that emit."""
        return False

    @property
    def cuts_out(self) -> bool:
        """Whether there is a mask."""
        return self.mask is not None

    @cached_property
    def signals_vary(self) -> bool:
        """Whether the mask depends on the surface point."""
        found = [] if self.mask is None else children(self.mask).values()
        return any(not _is_bsdf(child) and child.is_spatially_varying() for child in found)

    def emission_dr(self, uv: Any) -> Any:
        """Black: in Mitsuba it is shapes that emit."""
        return mitsuba().Color3f(0)

    def opacity_dr(self, uv: Any) -> Any:
        """Opacity of the mask, `Point2f -> Float` in 0..1."""
        mi = mitsuba()
        if self.mask is None:
            return mi.Float(1)
        return 1 - self.mask.eval_null_transmission(surface(uv, mi.Vector3f(0, 0, 1))).x

    def describe(self) -> dict[str, Any]:
        """What `verdigris inspect` prints; a Mitsuba BSDF counts as one layer, its plugins as nodes."""
        plugins = [obj for root in self._roots for obj in (root, *(obj for _, obj in parts(root)))]
        bsdfs = [obj for _, obj in [(None, self.bsdf), *parts(self.bsdf)] if _is_bsdf(obj)]
        lobes = [obj for obj in dict.fromkeys(bsdfs) if not any(_is_bsdf(child) for child in children(obj).values())]
        return {
            "name": self.name,
            "source": dict(self.source),
            "nodes": len(dict.fromkeys(obj for obj in plugins if _is_bsdf(obj) or obj.is_spatially_varying())),
            "expanded_nodes": len(dict.fromkeys(plugins)),
            "layers": 1,
            "layering": "scale",
            "scaled_layers": [],
            "closures": dict(Counter(obj.class_name() for obj in lobes)),
            "parameters": self.parameter_count + _constants(self.bsdf),
            "varying_parameters": self.parameter_count,
            "textures": len(self._bitmaps),
            "texture_files": sorted(set(self.files)),
            "channels": sum(shape[2] for shape in self._bitmaps),
            "resolution": self.native_resolution,
            "varying": self.varying,
            "emission": False,
            "opacity": self.mask is not None,
            "warnings": list(self.warnings),
        }


def wrap(bsdf: Any, name: str, source: Mapping[str, str], files: tuple[str, ...] = ()) -> MitsubaMaterial:
    """A BSDF as a material, once it is checked.

    Raises GraphError naming the plugin: light that passes through, a lobe without width, a texture that needs a shape.
    """
    inner, mask = bsdf, None
    while inner.class_name() in _WRAPPERS:
        mask = inner if inner.class_name() == "MaskBSDF" and mask is None else mask
        inner = children(inner)[_WRAPPERS[inner.class_name()]]
    _check_lobes(inner, name)
    for _, obj in parts(mask or inner):
        kind = next((label for prefix, label in _NO_GEOMETRY.items() if obj.class_name().startswith(prefix)), None)
        if kind is not None:
            raise GraphError(f"{name}: texture '{kind}' needs a shape, which a material on its own has not")
    warnings = []
    if any(obj.class_name() == "BumpMap" for obj in (inner, *(obj for _, obj in parts(inner)))):
        warnings.append(f"{name}: a bump map is baked over the unit square: its height is in units of uv")
    material = MitsubaMaterial(name, source, tuple(warnings), inner, mask, files)
    _try(material)
    return material


def _try(material: MitsubaMaterial) -> None:
    """Evaluates once: some plugins refuse what they hold only then."""
    mi = mitsuba()
    at, up = mi.Point2f(0.5), mi.Vector3f(0, 0, 1)
    try:
        material.eval_dr(at, up, up)
        material.parameters_dr(at)
        material.opacity_dr(at)
    except RuntimeError as error:  # all that Mitsuba raises
        raise GraphError(f"{material.name}: cannot be evaluated: {' '.join(str(error).split())}") from error


def _check_lobes(bsdf: Any, name: str) -> None:
    mi = mitsuba()
    flags = mi.BSDFFlags
    if mi.has_flag(bsdf.flags(), flags.Transmission):
        raise GraphError(
            f"{name}: {bsdf.class_name()}: light that passes through is not supported, "
            "expected a BSDF that only reflects"
        )
    for k in range(bsdf.component_count()):
        lobe = f"{name}: component {k} of {bsdf.class_name()}"
        if mi.has_flag(bsdf.flags(k), flags.Delta) or mi.has_flag(bsdf.flags(k), flags.Delta1D):
            raise GraphError(
                f"{lobe}: a perfectly smooth lobe has no value that eval could return, "
                "expected a rough one such as roughconductor or roughplastic"
            )


def surface(uv: Any, wi: Any) -> Any:
    """A point of the unit square as Mitsuba's `SurfaceInteraction3f`: its v runs downwards, our bitangent upwards."""
    import drjit as dr

    mi = mitsuba()
    si = dr.zeros(mi.SurfaceInteraction3f)
    si.p = mi.Point3f(uv.x, uv.y, 0)
    si.uv = mi.Point2f(uv.x, 1 - uv.y)
    si.n = mi.Normal3f(0, 0, 1)
    si.sh_frame = mi.Frame3f(mi.Vector3f(1, 0, 0), mi.Vector3f(0, 1, 0), mi.Normal3f(0, 0, 1))
    si.dp_du, si.dp_dv = mi.Vector3f(1, 0, 0), mi.Vector3f(0, -1, 0)
    si.wi = wi
    return si


def children(obj: Any) -> dict[str, Any]:
    """The objects that a Mitsuba object holds, by name."""
    mi = mitsuba()

    class Collect(mi.TraversalCallback):  # type: ignore[name-defined]
        def __init__(self) -> None:
            mi.TraversalCallback.__init__(self)
            self.found: dict[str, Any] = {}

        def put(self, name: str, value: Any, flags: Any, cpptype: Any = None) -> None:
            if isinstance(value, mi.Object):
                self.found[name] = value

        def put_object(self, name: str, value: Any, flags: Any) -> None:
            self.found[name] = value

        def put_value(self, name: str, value: Any, flags: Any, cpptype: Any = None) -> None:
            pass

    callback = Collect()
    obj.traverse(callback)
    return callback.found


def parts(obj: Any) -> Iterator[tuple[Any, Any]]:
    """(parent, child) of the BSDFs and textures below an object, depth first."""
    mi = mitsuba()
    for child in children(obj).values():
        if isinstance(child, mi.BSDF | mi.Texture):
            yield obj, child
            yield from parts(child)


def bitmaps(*roots: Any) -> tuple[Any, ...]:
    """The bitmap textures among some objects and all below them, each once."""
    found = dict.fromkeys(obj for root in roots for obj in (root, *(child for _, child in parts(root))))
    return tuple(obj for obj in found if obj.class_name().startswith(_BITMAP))


def data_shape(bitmap: Any) -> tuple[int, ...]:
    """Height, width and channels of a bitmap texture."""
    return tuple(mitsuba().traverse(bitmap)["data"].shape)


def _is_bsdf(obj: Any) -> bool:
    return isinstance(obj, mitsuba().BSDF)


def _channels(texture: Any) -> int:
    return data_shape(texture)[2] if texture.class_name().startswith(_BITMAP) else 3


def _constants(bsdf: Any) -> int:
    """Number of floats among the parameters that do not vary."""
    values = mitsuba().traverse(bsdf)
    return sum(np.size(np.array(values[key])) for key in values.keys() if key.split(".")[-1] not in _TRANSFORMS)


def _select(mask: Any, value: Any) -> Any:
    import drjit as dr

    return dr.select(mask, value, 0)
