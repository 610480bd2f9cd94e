"""Microfacet closures: dielectric reflection, conductor, generalized Schlick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from verdigris.materials.closures import fresnel, microfacet
from verdigris.materials.closures.base import closure, number
from verdigris.materials.nodes.registry import Call


@dataclass(frozen=True)
class Interface:
    """Reflectance of a microfacet: by the cosine of the half angle, at normal incidence, and at grazing.

    average: over the hemisphere; None: that of Schlick's curve between `f0` and `f90`.
    """

    reflectance: Callable[[Any], Any]
    f0: Any
    f90: Any
    film: bool
    average: Any = None

    def multiple_scattering_tint(self, mean: Any) -> Any:
        """Colour of light that bounced more than once where one bounce keeps `mean`."""
        average = self.f0 + (self.f90 - self.f0) * (1 / 21) if self.average is None else self.average
        return microfacet.multiple_scattering_tint(average, mean)


def _with_film(call: Call, plain: Callable[[Any], Any], base: Callable[[Any], fresnel.Base]) -> tuple[Any, bool]:
    """Puts the thin film of the inputs, if it has any, on top of a Fresnel function."""
    if call.node.constant("thinfilm_thickness", -1.0) == 0:
        return plain, False
    mi, dr, thickness = call.mi, call.dr, call["thinfilm_thickness"]
    index = dr.maximum(call["thinfilm_ior"], 1)

    def layered(cosine: Any) -> Any:
        film = fresnel.thin_film(mi, dr, cosine, thickness, index, base(index))
        return dr.select(thickness > 0, film, mi.Vector3f(plain(cosine)))

    return layered, True


class _Microfacet:
    """GGX reflection with the reciprocal multiple-scattering lobe of Kulla and Conty."""

    opaque = False

    def interface(self, call: Call) -> Interface:
        raise NotImplementedError

    def tint(self, call: Call) -> Any:
        """Colour multiplier of the reflection, which layers below do not see."""
        return call.mi.Vector3f(1)

    def single(self, call: Call, surface: Interface, towards: microfacet.Albedo) -> Any:
        """Directional albedo of one bounce."""
        return towards.single(surface.f0, surface.f90)

    def eval(self, call: Call, wi: Any, wo: Any) -> Any:
        """Weight times BSDF times cos(wo)."""
        mi, dr = call.mi, call.dr
        ax, ay = microfacet.widths(dr, number(call, "roughness"))
        surface = self.interface(call)
        h = dr.normalize(wi + wo)
        single = surface.reflectance(dr.dot(wi, h)) * microfacet.response(dr, wi, wo, h, ax, ay)
        towards, kept_away = microfacet.albedo(mi, dr, wi, ax, ay), microfacet.kept(mi, dr, wo, ax, ay)
        tint = surface.multiple_scattering_tint(towards.mean)
        multiple = microfacet.multiple_scattering(dr, tint, towards, kept_away, wo.z)
        return mi.Vector3f((single + multiple) * self.tint(call) * call["weight"])

    def albedo(self, call: Call, wi: Any) -> Any:
        """Weight times directional albedo, untinted: what a layer below does not receive."""
        mi, dr = call.mi, call.dr
        ax, ay = microfacet.widths(dr, number(call, "roughness"))
        surface = self.interface(call)
        towards = microfacet.albedo(mi, dr, wi, ax, ay)
        single = mi.Vector3f(self.single(call, surface, towards))
        if surface.film:  # keeps the film's colour change with angle where the lobe is narrow, as MaterialX does
            mirror = surface.reflectance(wi.z)
            single = mirror + (single - mirror) * dr.sqrt(dr.sqrt(ax * ay))
        tint = surface.multiple_scattering_tint(towards.mean)
        return mi.Vector3f(call["weight"] * (single + tint * towards.missing))

    def sample(self, call: Call, wi: Any, u: Any) -> Any:
        """Reflection about a visible normal."""
        ax, ay = microfacet.widths(call.dr, number(call, "roughness"))
        return microfacet.sample(call.mi, call.dr, wi, u, ax, ay)

    def pdf(self, call: Call, wi: Any, wo: Any) -> Any:
        """Density of `sample`."""
        ax, ay = microfacet.widths(call.dr, number(call, "roughness"))
        return microfacet.pdf(call.dr, wi, wo, ax, ay)


@closure("dielectric_bsdf")
class Dielectric(_Microfacet):
    """Reflection at a rough dielectric interface."""

    def interface(self, call: Call) -> Interface:
        """Exact dielectric Fresnel."""
        mi, dr, ior = call.mi, call.dr, number(call, "ior")
        function, film = _with_film(
            call,
            lambda c: fresnel.dielectric(dr, c, ior),
            lambda index: fresnel.index_base(mi, dr, mi.Vector3f(ior), mi.Vector3f(0), index),
        )
        f0 = function(mi.Float(1)) if film else fresnel.f0_from_ior(ior)
        return Interface(function, f0, mi.Float(1), film)

    def tint(self, call: Call) -> Any:
        """The closure's tint."""
        return call["tint"]

    def single(self, call: Call, surface: Interface, towards: microfacet.Albedo) -> Any:
        """Of the exact Fresnel; of Schlick's under a thin film."""
        if surface.film:
            return super().single(call, surface, towards)
        return towards.dielectric(call.dr, number(call, "ior"))


@closure("conductor_bsdf")
class Conductor(_Microfacet):
    """Reflection at a rough conductor."""

    opaque = True

    def interface(self, call: Call) -> Interface:
        """Exact conductor Fresnel."""
        mi, dr, n, k = call.mi, call.dr, call["ior"], call["extinction"]
        function, film = _with_film(
            call,
            lambda c: fresnel.conductor(dr, c, n, k),
            lambda index: fresnel.index_base(mi, dr, n, k, index),
        )
        return Interface(function, function(mi.Float(1)), mi.Float(1), film)


@closure("generalized_schlick_bsdf")
class GeneralizedSchlick(_Microfacet):
    """Reflection with colours given at normal incidence, 82 and 90 degrees."""

    def interface(self, call: Call) -> Interface:
        """Generalized Schlick Fresnel."""
        mi, dr, exponent = call.mi, call.dr, number(call, "exponent")
        f0, f82, f90 = (dr.maximum(call[name], 0) for name in ("color0", "color82", "color90"))
        function, film = _with_film(
            call,
            lambda c: fresnel.schlick(dr, c, f0, f82, f90, exponent),
            lambda index: fresnel.schlick_base(mi, dr, f0, f82, f90, exponent, index),
        )
        if film:
            return Interface(function, function(mi.Float(1)), f90, film)
        return Interface(function, f0, f90, film, fresnel.schlick_average(dr, f0, f82, f90, exponent))

    def albedo(self, call: Call, wi: Any) -> Any:
        """The mean over the channels, as MaterialX takes it: the layer below is not coloured by this one."""
        value = super().albedo(call, wi)
        return call.mi.Vector3f((value.x + value.y + value.z) / 3)
