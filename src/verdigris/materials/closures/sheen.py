"""Sheen: cloth-like grazing reflection in MaterialX's two modes."""

from __future__ import annotations

from typing import Any

from verdigris.materials.closures.base import CosineSampled, closure, number
from verdigris.materials.nodes.registry import Call


def _imageworks(dr: Any, wi: Any, wo: Any, roughness: Any) -> Any:
    """BSDF of Conty and Kulla (2017, eq. 2) with the smoother denominator of Neubelt and Pettineo (2013)."""
    h = dr.normalize(wi + wo)
    inverse = 1 / dr.maximum(roughness, 0.005)
    sine2 = dr.maximum(1 - h.z * h.z, 1e-8)
    density = (2 + inverse) * dr.power(sine2, inverse * 0.5) / (2 * dr.pi)
    return density / dr.maximum(4 * (wo.z + wi.z - wo.z * wi.z), 1e-6)


def _imageworks_albedo(dr: Any, mu: Any, r: Any) -> Any:
    """MaterialX's rational fit of the directional albedo."""
    top = 13.673 - 68.78018 * mu + 799.08825 * r - 905.00061 * mu * r + 60.28956 * mu * mu + 1086.96473 * r * r
    bottom = 1 + 61.57746 * mu + 442.78211 * r + 2597.49308 * mu * r + 121.81241 * mu * mu + 3045.55075 * r * r
    return dr.clip(top / bottom, 0, 1)


def _zeltner_albedo(dr: Any, x: Any, y: Any) -> Any:
    """Fit of Zeltner, Burley and Chiang, "Practical multiple-scattering sheen using LTCs" (2022)."""
    s = y * (0.0206607 + 1.58491 * y) / (0.0379424 + y * (1.32227 + y))
    m = y * (-0.193854 + y * (-1.14885 + y * (1.7932 - 0.95943 * y * y))) / (0.046391 + y)
    o = y * (0.000654023 + (-0.0207818 + 0.119681 * y) * y) / (1.26264 + y * (-1.92021 + y))
    t = (x - m) / s
    return dr.clip(dr.exp(-0.5 * t * t) / (s * dr.sqrt(2 * dr.pi)) + o, 0, 1)


def _ltc(dr: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Coefficients (a, b) of the inverse transform, same source."""
    a = (2.58126 * x + 0.813703 * y) * y / (1 + 0.310327 * x * x + 2.60994 * x * y)
    bottom = 0.0000254053 + 1.71228 * x - 1.71506 * x * y + 1.34174 * y * y
    return a, dr.sqrt(dr.maximum(1 - x, 0)) * (y - 1) * y * y * y / bottom


def _about_view(mi: Any, dr: Any, wi: Any, w: Any) -> Any:
    """`w` in the frame whose x axis is the view's projection."""
    length2 = wi.x * wi.x + wi.y * wi.y
    scale = dr.rsqrt(dr.maximum(length2, 1e-12))
    x = dr.select(length2 > 1e-12, wi.x * scale, 1)
    y = dr.select(length2 > 1e-12, wi.y * scale, 0)
    return mi.Vector3f(x * w.x + y * w.y, x * w.y - y * w.x, w.z)


@closure("sheen_bsdf")
class Sheen(CosineSampled):
    """Modes `conty_kulla` and `zeltner`. The second is not reciprocal: its lobe is oriented by the view."""

    opaque = False

    def eval(self, call: Call, wi: Any, wo: Any) -> Any:
        """Weight times BSDF times cos(wo)."""
        dr = call.dr
        if call.node.constant("mode", "conty_kulla") != "zeltner":
            return call["color"] * (_imageworks(dr, wi, wo, number(call, "roughness")) * wo.z * call["weight"])
        rough = dr.clip(number(call, "roughness"), 0.01, 1)
        a, b = _ltc(dr, wi.z, rough)
        w = _about_view(call.mi, dr, wi, wo)
        x, y, z = a * w.x + b * w.z, a * w.y, w.z
        length2 = x * x + y * y + z * z
        lobe = dr.maximum(z, 0) / dr.pi * (a / length2) ** 2
        return call["color"] * (lobe * _zeltner_albedo(dr, wi.z, rough) * call["weight"])

    def albedo(self, call: Call, wi: Any) -> Any:
        """Weight times directional albedo, uncoloured."""
        dr = call.dr
        if call.node.constant("mode", "conty_kulla") == "zeltner":
            value = _zeltner_albedo(dr, wi.z, dr.clip(number(call, "roughness"), 0.01, 1))
        else:
            value = _imageworks_albedo(dr, wi.z, number(call, "roughness"))
        return call.mi.Vector3f(value * call["weight"])
