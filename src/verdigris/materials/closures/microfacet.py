"""GGX microfacets: distribution, height-correlated Smith masking, visible-normal sampling, multiple scattering.

Directions are local to the microfacet frame, z along its normal. `ax`, `ay` are the GGX widths along x and y.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from verdigris.conventions import ALPHA_MIN
from verdigris.materials.closures import fresnel
from verdigris.materials.closures.table import AXIS, Table

_QUADRATURE = 48


def widths(dr: Any, roughness: Any) -> tuple[Any, Any]:
    """GGX widths in the range the reference supports (see conventions.ALPHA_MIN); numbers of a pair of numbers."""
    if isinstance(roughness, tuple):
        x, y = (float(min(max(width, ALPHA_MIN), 1)) for width in roughness)
        return x, y
    return dr.clip(roughness.x, ALPHA_MIN, 1), dr.clip(roughness.y, ALPHA_MIN, 1)


def ndf(dr: Any, h: Any, ax: Any, ay: Any) -> Any:
    """Anisotropic GGX distribution of normals (Burley 2012, appendix B.2, eq. 13)."""
    return 1 / _inverse_ndf(dr, h, ax, ay)


def _inverse_ndf(dr: Any, h: Any, ax: Any, ay: Any) -> Any:
    x, y = h.x / ax, h.y / ay
    s = x * x + y * y + h.z * h.z
    return dr.pi * ax * ay * (s * s)


def stretched(dr: Any, w: Any, ax: Any, ay: Any) -> Any:
    """sqrt(cos^2 + alpha(w)^2 sin^2), from which Smith's terms follow: G1 = 2 cos / (cos + stretched)."""
    x, y = w.x * ax, w.y * ay
    return dr.sqrt(w.z * w.z + x * x + y * y)


def response(dr: Any, wi: Any, wo: Any, h: Any, ax: Any, ay: Any) -> Any:
    """D G2 cos(wo) / (4 cos(wi) cos(wo)), height-correlated Smith (Heitz 2014, eq. 99), without Fresnel."""
    si, so = stretched(dr, wi, ax, ay), stretched(dr, wo, ax, ay)
    return wo.z / (_inverse_ndf(dr, h, ax, ay) * (2 * (si * wo.z + so * wi.z)))


def visible_normal(mi: Any, dr: Any, wi: Any, u: Any, ax: Any, ay: Any) -> Any:
    """A microfacet normal in proportion to what `wi`, above, sees of it (Dupuy and Benyoub 2023, spherical caps)."""
    v = dr.normalize(mi.Vector3f(wi.x * ax, wi.y * ay, wi.z))
    z = (1 - u.y) * (1 + v.z) - v.z
    s, c = dr.sincos(2 * dr.pi * u.x)
    r = dr.sqrt(dr.clip(1 - z * z, 0, 1))
    m = mi.Vector3f(r * c + v.x, r * s + v.y, z + v.z)
    return dr.normalize(mi.Vector3f(m.x * ax, m.y * ay, dr.maximum(m.z, 1e-7)))


def sample(mi: Any, dr: Any, wi: Any, u: Any, ax: Any, ay: Any) -> Any:
    """Reflection about a visible normal; may leave below the horizon."""
    h = visible_normal(mi, dr, wi, u, ax, ay)
    return h * (2 * dr.dot(wi, h)) - wi


def pdf(dr: Any, wi: Any, wo: Any, ax: Any, ay: Any) -> Any:
    """Density of `sample` per solid angle."""
    h = dr.normalize(wi + wo)
    density = 1 / (_inverse_ndf(dr, h, ax, ay) * (2 * (wi.z + stretched(dr, wi, ax, ay))))
    return dr.select((wi.z > 0) & (wo.z > 0), density, 0)


def _directional(mu: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What one bounce keeps, and the cosines where (1 - cos)^5 and (1 - cos)^9 take their averages over it.

    By stratified visible normals. mu, alpha: `[m, 1]`; returns `[m]` each.
    """
    grid = (np.arange(_QUADRATURE) + 0.5) / _QUADRATURE
    u, t = (x.reshape(1, -1) for x in np.meshgrid(grid, grid))
    sine = np.sqrt(1 - mu * mu)
    vx, vz = sine * alpha, mu
    norm = np.sqrt(vx * vx + vz * vz)
    vx, vz = vx / norm, vz / norm
    z = (1 - t) * (1 + vz) - vz
    r = np.sqrt(np.clip(1 - z * z, 0, 1))
    hx, hy, hz = (r * np.cos(2 * np.pi * u) + vx) * alpha, r * np.sin(2 * np.pi * u) * alpha, np.maximum(z + vz, 0)
    length = np.sqrt(hx * hx + hy * hy + hz * hz)
    hx, hz = hx / length, hz / length
    cosine = sine * hx + mu * hz
    oz = 2 * cosine * hz - mu
    so = np.sqrt(oz * oz + alpha * alpha * (1 - oz * oz))
    si = np.sqrt(mu * mu + alpha * alpha * (1 - mu * mu))
    weight = np.where(oz > 0, oz * (mu + si) / np.maximum(si * oz + so * mu, 1e-12), 0.0)  # G2 / G1
    kept, rise = weight.mean(1), np.clip(1 - cosine, 0, 1)
    fifth, ninth = ((weight * rise**power).mean(1) / np.maximum(kept, 1e-9) for power in (5, 9))
    return kept, 1 - fifth ** (1 / 5), 1 - ninth ** (1 / 9)


@functools.cache
def albedo_table() -> dict[str, np.ndarray]:
    """`kept`, `schlick` and `late` of `Albedo`, `[sqrt(alpha), mu]` each, over `AXIS`."""
    mu, root = np.meshgrid(np.maximum(AXIS, 1e-3), AXIS)
    terms = _directional(mu.reshape(-1, 1), np.maximum(root.reshape(-1, 1) ** 2, 1e-4))
    return {name: term.reshape(mu.shape) for name, term in zip(("kept", "schlick", "late"), terms, strict=True)}


_ALBEDO = Table(albedo_table)


@dataclass(frozen=True)
class Albedo:
    """Single-scattering albedo at a direction, whatever the Fresnel.

    kept: share that one bounce between perfect mirrors keeps; mean: over the hemisphere. schlick, late: the cosines at
    which Schlick's Fresnel, and one that rises as late as that of an index near 1, take their averages over the lobe.
    """

    kept: Any
    mean: Any
    schlick: Any
    late: Any

    def single(self, f0: Any, f90: Any) -> Any:
        """Directional albedo of one bounce with Schlick's Fresnel."""
        rise = 1 - self.schlick
        return self.kept * (f0 + (f90 - f0) * (rise * rise * rise * rise * rise))

    def dielectric(self, dr: Any, ior: Any) -> Any:
        """Directional albedo of one bounce with a dielectric's Fresnel: that at the cosine of its average.

        Within 0.015 of quadrature for relative indices 1.02 to 3 and cosines of 0.1 and above.
        """
        blend = dr.clip(dr.abs(ior - 1) / 0.3, 0, 1)
        late = not (isinstance(blend, float) and blend == 1)
        cosine = self.late + (self.schlick - self.late) * blend if late else self.schlick
        return self.kept * fresnel.dielectric(dr, cosine, ior)

    @property
    def missing(self) -> Any:
        """Energy that one bounce between perfect mirrors loses."""
        return 1 - self.kept


def albedo(mi: Any, dr: Any, w: Any, ax: Any, ay: Any) -> Albedo:
    """Looks the albedo terms up at a direction. The reflectance is that of the width along `w`."""
    mu, alpha = _alike(dr, w, ax, ay)
    mean = _ALBEDO.mean(mi, dr, "kept", alpha)
    if _equal(ax, ay):
        share, schlick = _ALBEDO.read(mi, dr, ("kept", "schlick"), mu, alpha)
        (late,) = _ALBEDO.read(mi, dr, ("late",), mu, alpha)
    else:
        (share,) = _ALBEDO.read(mi, dr, ("kept",), mu, alpha)
        x, y = w.x * ax, w.y * ay
        along = dr.sqrt(dr.maximum(x * x + y * y, 1e-12) / dr.maximum(1 - w.z * w.z, 1e-12))
        schlick, late = _ALBEDO.read(mi, dr, ("schlick", "late"), w.z, dr.minimum(along, 1))
    return Albedo(share, mean, schlick, late)


def kept(mi: Any, dr: Any, w: Any, ax: Any, ay: Any) -> Any:
    """`Albedo.kept` alone."""
    return _ALBEDO.read(mi, dr, ("kept",), *_alike(dr, w, ax, ay))[0]


def _alike(dr: Any, w: Any, ax: Any, ay: Any) -> tuple[Any, Any]:
    """(cosine, width) where equal widths keep as much as unequal ones do at `w`.

    The root mean square of the widths, at the elevation where it masks as much as they do at `w` (Smith's term depends
    on the width along a direction times its tangent alone): white is within 0.03 of quadrature for widths up to 0.5,
    within 0.07 for the widest and most unequal.
    """
    if _equal(ax, ay):  # the general case would compute the same, at twice the cost
        return w.z, ax
    alpha = dr.sqrt(0.5 * (ax * ax + ay * ay))
    x, y, z = w.x * ax, w.y * ay, w.z * alpha
    return z * dr.rsqrt(dr.maximum(z * z + x * x + y * y, 1e-12)), alpha


def _equal(ax: Any, ay: Any) -> bool:
    """Whether two widths are known to be the same: equal numbers, or one and the same variable."""
    return bool(ax == ay) if isinstance(ax, float) else ax.index == ay.index


def multiple_scattering_tint(average: Any, mean: Any) -> Any:
    """Colour of light that bounced more than once (Kulla and Conty 2017), of an average reflectance."""
    return average * average * mean / (1 - average * (1 - mean))


def multiple_scattering(dr: Any, tint: Any, towards: Albedo, kept_away: Any, cosine: Any) -> Any:
    """The reciprocal lobe that returns the missing energy (Kulla and Conty 2017), times the cosine of `wo`."""
    scale = cosine / (dr.pi * dr.maximum(1 - towards.mean, 1e-6))
    return tint * (towards.missing * (1 - kept_away) * scale)
