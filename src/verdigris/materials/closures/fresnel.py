"""Fresnel reflectance: dielectric, conductor, generalized Schlick, and a thin film on top of each.

Formulas: S. Lagarde, "Memo on Fresnel equations" (2013); N. Hoffman, "Generalization of Adobe's Fresnel model"
(2023); L. Belcour and P. Barla, "A practical extension to microfacet theory for the modeling of varying
iridescence" (SIGGRAPH 2017). Each closure of MaterialX names the model it wants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_COS_82 = 1 / 7
_GAUSS_CENTRE = (1.6810e06, 1.7953e06, 2.2084e06)
_GAUSS_VARIANCE = (4.3278e09, 9.3046e09, 6.6121e09)
_GAUSS_VALUE = (5.4856e-13, 4.4201e-13, 5.2481e-13)
_SECOND_X = (9.7470e-14, 2.2399e06, 4.5282e09)
_WHITE = 1.0685e-7
_XYZ_TO_RGB = (  # CIE 1931 RGB primaries, illuminant E
    (2.3706743, -0.9000405, -0.4706338),
    (-0.5138850, 1.4253036, 0.0885814),
    (0.0052982, -0.0146949, 1.0093968),
)
_ORDERS = 2


def dielectric(dr: Any, cosine: Any, ior: Any) -> Any:
    """Unpolarised reflectance of a dielectric of relative index `ior`; 1 beyond the critical angle."""
    c = dr.clip(cosine, 0, 1)
    g2 = ior * ior + c * c - 1
    g = dr.sqrt(dr.maximum(g2, 0))
    numerator, denominator = (g + c) * c - 1, (g - c) * c + 1
    outer = (g - c) / dr.maximum((g + c) * denominator, 1e-8)
    return dr.select(g2 > 0, 0.5 * (outer * outer) * (numerator * numerator + denominator * denominator), 1)


def f0_from_ior(ior: Any) -> Any:
    """Reflectance at normal incidence of a relative index."""
    r = (ior - 1) / (ior + 1)
    return r * r


def polarised(dr: Any, cosine: Any, n: Any, k: Any) -> tuple[Any, Any]:
    """Reflectance (parallel, perpendicular) of a conductor of index n + ik, or of a dielectric with k = 0."""
    c2 = dr.clip(cosine * cosine, 0, 1)
    s2 = 1 - c2
    t0 = n * n - k * k - s2
    length = dr.sqrt(t0 * t0 + 4 * n * n * k * k)
    t1 = length + c2
    t2 = 2 * dr.sqrt(dr.maximum(0.5 * (length + t0), 0)) * cosine
    perpendicular = (t1 - t2) / (t1 + t2)
    t3 = c2 * length + s2 * s2
    t4 = t2 * s2
    return perpendicular * (t3 - t4) / dr.maximum(t3 + t4, 1e-8), perpendicular


def conductor(dr: Any, cosine: Any, n: Any, k: Any) -> Any:
    """Unpolarised reflectance of a conductor."""
    p, s = polarised(dr, dr.clip(cosine, 0, 1), n, k)
    return 0.5 * (p + s)


def _power(dr: Any, x: Any, exponent: Any) -> Any:
    """A power: by multiplication where the exponent is a whole number."""
    whole = isinstance(exponent, float) and exponent.is_integer()
    return dr.power(x, int(exponent) if whole else exponent)


def schlick(dr: Any, cosine: Any, f0: Any, f82: Any, f90: Any, exponent: Any) -> Any:
    """Generalized Schlick with a tint at 82 degrees (Hoffman 2023)."""
    x = dr.clip(cosine, 0, 1)
    rise = _power(dr, dr.maximum(1 - x, 1e-8), exponent)
    at_82 = f0 + (f90 - f0) * dr.power(1 - _COS_82, exponent)
    dip = at_82 * (1 - f82) * (x * (1 - x) ** 6 / (_COS_82 * (1 - _COS_82) ** 6))
    return dr.clip(f0 + (f90 - f0) * rise - dip, 0, 1)


def schlick_average(dr: Any, f0: Any, f82: Any, f90: Any, exponent: Any) -> Any:
    """Average of `schlick` over the hemisphere, weighted by the cosine; 2 B(3, 7) = 1/126 is that of the tint's dip."""
    dip = (f0 + (f90 - f0) * dr.power(1 - _COS_82, exponent)) * (1 - f82) / (_COS_82 * (1 - _COS_82) ** 6)
    return dr.clip(f0 + (f90 - f0) * (2 / ((exponent + 1) * (exponent + 2))) - dip / 126, 0, 1)


@dataclass(frozen=True)
class Base:
    """What lies under a thin film: polarised reflectance from inside the film, and its phase shifts."""

    reflect: Callable[[Any], tuple[Any, Any]]
    phase: Callable[[Any], tuple[Any, Any]]


def index_base(mi: Any, dr: Any, n: Any, k: Any, film: Any) -> Base:
    """A base of index n + ik under a film of index `film`."""

    def phase(c: Any) -> tuple[Any, Any]:
        ratio = k / n
        sine2 = 1 - c * c
        a = n * n * (1 - ratio * ratio) - film * film * sine2
        b = dr.sqrt(a * a + (2 * n * n * ratio) ** 2)
        u, v = dr.sqrt((a + b) / 2), dr.sqrt(dr.maximum((b - a) / 2, 0))
        s = dr.atan2(2 * film * v * c, u * u + v * v - (film * c) ** 2)
        p = dr.atan2(
            2 * film * n * n * c * (2 * ratio * u - (1 - ratio * ratio) * v),
            (n * n * (1 + ratio * ratio) * c) ** 2 - film * film * (u * u + v * v),
        )
        return p, s

    return Base(lambda c: polarised(dr, c, mi.Vector3f(n) / film, mi.Vector3f(k) / film), phase)


def schlick_base(mi: Any, dr: Any, f0: Any, f82: Any, f90: Any, exponent: Any, film: Any) -> Base:
    """A base known by its colours only: half its reflectance in each polarisation, phase by comparing indices."""
    root = dr.sqrt(dr.clip(f0, 0.01, 0.99))
    shift = dr.select((1 + root) / (1 - root) < film, mi.Vector3f(dr.pi), mi.Vector3f(0))

    def reflect(c: Any) -> tuple[Any, Any]:
        half = 0.5 * schlick(dr, c, f0, f82, f90, exponent)
        return half, half

    return Base(reflect, lambda c: (shift, shift))


def _sensitivity(mi: Any, dr: Any, path: Any, shift: Any) -> Any:
    """Fourier transform of the colour matching functions at an optical path difference in metres, XYZ."""
    phase = 2 * dr.pi * path

    def gauss(value: float, centre: float, variance: float, offset: Any) -> Any:
        return (
            value * dr.sqrt(2 * dr.pi * variance) * dr.cos(centre * phase + offset) * dr.exp(-variance * phase * phase)
        )

    xyz = [
        gauss(v, c, s, shift[i])
        for i, (v, c, s) in enumerate(zip(_GAUSS_VALUE, _GAUSS_CENTRE, _GAUSS_VARIANCE, strict=True))
    ]
    xyz[0] = xyz[0] + gauss(*_SECOND_X, shift[0])
    return mi.Vector3f(*xyz) / _WHITE


def thin_film(mi: Any, dr: Any, cosine: Any, thickness_nm: Any, film: Any, base: Base) -> Any:
    """Reflectance of a film of index `film` over `base`, interference included (Belcour and Barla 2017)."""
    c1 = dr.clip(cosine, 0, 1)
    c2 = dr.sqrt(dr.maximum(1 - (1 - c1 * c1) / (film * film), 0))
    outer = polarised(dr, c1, mi.Float(film), mi.Float(0))
    inner, phases = base.reflect(c2), base.phase(c2)
    brewster = dr.cos(dr.atan(film))
    first_phase = (dr.select(c1 < brewster, 0.0, dr.pi), dr.pi)
    path = 2 * film * c2 * thickness_nm * 1e-9
    total = mi.Vector3f(0)
    for r12, r23, shift, reversal in zip(outer, inner, phases, first_phase, strict=True):
        t121 = 1 - r12
        gain = dr.sqrt(dr.maximum(r12 * r23, 0))
        dc = t121 * t121 * r23 / (1 - r12 * r23)
        total += r12 + dc
        term = dc - t121
        for order in range(1, _ORDERS + 1):
            term = term * gain
            total += term * 2 * _sensitivity(mi, dr, order * path, order * (shift + reversal))
    total *= 0.5
    rows = [sum(row[i] * total[i] for i in range(3)) for row in _XYZ_TO_RGB]
    return dr.clip(mi.Vector3f(*rows), 0, 1)
