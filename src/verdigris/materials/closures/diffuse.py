"""Diffuse closures: Oren-Nayar with and without compensation, Burley, and the surface form of what scatters inside."""

from __future__ import annotations

from typing import Any

from verdigris.materials.closures.base import CosineSampled, closure
from verdigris.materials.nodes.registry import Call

_FUJII_1 = 0.5 - 2 / (3 * 3.141592653589793)
_FUJII_2 = 2 / 3 - 28 / (15 * 3.141592653589793)


def _stretch(dr: Any, wi: Any, wo: Any) -> Any:
    """Oren and Nayar's s: the cosine between the directions, less what the elevations explain."""
    return dr.dot(wi, wo) - wi.z * wo.z


def qualitative(dr: Any, wi: Any, wo: Any, roughness: Any) -> Any:
    """Oren-Nayar's qualitative model (SIGGRAPH 1994) relative to Lambert."""
    s = _stretch(dr, wi, wo)
    ratio = dr.select(s > 0, s / dr.maximum(dr.maximum(wi.z, wo.z), 1e-6), 0)
    sigma2 = roughness * roughness
    return 1 - 0.5 * sigma2 / (sigma2 + 0.33) + 0.45 * sigma2 / (sigma2 + 0.09) * ratio


def _fujii_albedo(dr: Any, mu: Any, roughness: Any) -> Any:
    """Directional albedo of Fujii's Oren-Nayar lobe (OpenPBR specification, diffuse lobe)."""
    a = 1 / (1 + _FUJII_1 * roughness)
    mu = dr.clip(mu, 1e-4, 1)
    s = dr.sqrt(dr.maximum(1 - mu * mu, 0))
    g = s * (dr.acos(mu) - s * mu) + 2 / 3 * ((s / mu) * (1 - s * s * s) - s)
    return a + roughness * a * g / dr.pi


def compensated(dr: Any, wi: Any, wo: Any, roughness: Any, colour: Any) -> Any:
    """Energy-preserving Oren-Nayar, pi times the BSDF (OpenPBR specification; Portsmouth, Kutz and Hill 2024)."""
    s = _stretch(dr, wi, wo)
    ratio = dr.select(s > 0, s / dr.maximum(dr.maximum(wi.z, wo.z), 1e-6), s)
    a = 1 / (1 + _FUJII_1 * roughness)
    mean = a * (1 + _FUJII_2 * roughness)
    multiple = colour * colour * mean / (1 - colour * dr.maximum(1 - mean, 0))
    missing_i = dr.maximum(1 - _fujii_albedo(dr, wi.z, roughness), 1e-6)
    missing_o = dr.maximum(1 - _fujii_albedo(dr, wo.z, roughness), 1e-6)
    return colour * (a * (1 + roughness * ratio)) + multiple * (missing_i * missing_o / dr.maximum(1 - mean, 1e-6))


class _Diffuse(CosineSampled):
    """What diffuse closures share: nothing below them is seen, and they reflect their colour."""

    opaque = True

    def albedo(self, call: Call, wi: Any) -> Any:
        """The colour: exact for Lambert, close for the others."""
        return call["color"] * call["weight"]


@closure("oren_nayar_diffuse_bsdf")
class OrenNayar(_Diffuse):
    """Rough diffuse reflection."""

    def eval(self, call: Call, wi: Any, wo: Any) -> Any:
        """Weight times BSDF times cos(wo)."""
        if call.node.constant("roughness", -1.0) == 0:
            shape = call["color"]
        elif call.node.constant("energy_compensation", False):
            shape = compensated(call.dr, wi, wo, call["roughness"], call["color"])
        else:
            shape = call["color"] * qualitative(call.dr, wi, wo, call["roughness"])
        return shape * (call["weight"] * wo.z / call.dr.pi)


@closure("burley_diffuse_bsdf")
class Burley(_Diffuse):
    """Disney's diffuse lobe (Burley 2012, section 5.3)."""

    def eval(self, call: Call, wi: Any, wo: Any) -> Any:
        """Weight times BSDF times cos(wo)."""
        dr = call.dr
        cosine = dr.dot(wo, dr.normalize(wi + wo))
        grazing = 2 * call["roughness"] * cosine * cosine - 0.5

        def rise(c: Any) -> Any:
            return 1 + grazing * dr.maximum(1 - c, 0) ** 5

        return call["color"] * (call["weight"] * rise(wi.z) * rise(wo.z) * wo.z / dr.pi)


@closure("subsurface_bsdf")
class Subsurface(_Diffuse):
    """Subsurface scattering seen from afar: Lambert of the same albedo (radius and anisotropy do not act)."""

    def eval(self, call: Call, wi: Any, wo: Any) -> Any:
        """Weight times BSDF times cos(wo)."""
        return call["color"] * (call["weight"] * wo.z / call.dr.pi)


@closure("translucent_bsdf")
class Translucent(Subsurface):
    """Diffuse transmission seen from its lit side only: Lambert of the same colour, the light that passes included."""
