"""GGX microfacets: distribution, height-correlated Smith masking, visible-normal sampling, multiple scattering.

Directions are local to the microfacet frame, z along its normal. `ax`, `ay` are the GGX widths along x and y.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from verdigris.conventions import ALPHA_MIN
from verdigris.materials.closures import fresnel

TABLE_SIZE = 32
_QUADRATURE = 48


def widths(dr: Any, roughness: Any) -> tuple[Any, Any]:
    """GGX widths in the range the reference supports (see conventions.ALPHA_MIN)."""
    return dr.clip(roughness.x, ALPHA_MIN, 1), dr.clip(roughness.y, ALPHA_MIN, 1)


def ndf(dr: Any, h: Any, ax: Any, ay: Any) -> Any:
    """Anisotropic GGX distribution of normals (Burley 2012, appendix B.2, eq. 13)."""
    x, y = h.x / ax, h.y / ay
    s = x * x + y * y + h.z * h.z
    return 1 / (dr.pi * ax * ay * s * s)


def stretched(dr: Any, w: Any, ax: Any, ay: Any) -> Any:
    """sqrt(cos^2 + alpha(w)^2 sin^2), from which Smith's terms follow: G1 = 2 cos / (cos + stretched)."""
    x, y = w.x * ax, w.y * ay
    return dr.sqrt(w.z * w.z + x * x + y * y)


def response(dr: Any, wi: Any, wo: Any, h: Any, ax: Any, ay: Any) -> Any:
    """D G2 cos(wo) / (4 cos(wi) cos(wo)), height-correlated Smith (Heitz 2014, eq. 99), without Fresnel."""
    si, so = stretched(dr, wi, ax, ay), stretched(dr, wo, ax, ay)
    return ndf(dr, h, ax, ay) * wo.z / (2 * (si * wo.z + so * wi.z))


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
    density = ndf(dr, h, ax, ay) / (2 * (wi.z + stretched(dr, wi, ax, ay)))
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
def albedo_table() -> np.ndarray:
    """`[roughness, mu, 4]`, the fields of `Albedo`.

    Rows: sqrt(alpha) from 0 to 1; columns: cos of the direction from 0 to 1; linear between entries.
    """
    axis = np.linspace(0, 1, TABLE_SIZE)
    mu, rough = np.meshgrid(np.maximum(axis, 1e-3), axis)
    terms = _directional(mu.reshape(-1, 1), np.maximum(rough.reshape(-1, 1) ** 2, 1e-4))
    kept, schlick, late = (np.reshape(term, (TABLE_SIZE, TABLE_SIZE)) for term in terms)
    mean = np.asarray(np.trapezoid(2 * kept * axis[None, :], axis, axis=1))
    return np.stack([kept, np.repeat(mean[:, None], TABLE_SIZE, axis=1), schlick, late], axis=-1).astype(np.float32)


_TEXTURES: dict[tuple[str, str], Any] = {}


def table_lookup(mi: Any, dr: Any, name: str, table: Callable[[], np.ndarray], mu: Any, alpha: Any) -> list[Any]:
    """Values of a table `[sqrt(alpha), mu, channels]` over 0..1, linear between entries; kept as a texture by name."""
    key = (mi.variant(), name)
    if key not in _TEXTURES:
        _TEXTURES[key] = mi.Texture2f(mi.TensorXf(table()), wrap_mode=dr.WrapMode.Clamp)
    scale, shift = (TABLE_SIZE - 1) / TABLE_SIZE, 0.5 / TABLE_SIZE
    at = mi.Point2f(dr.clip(mu, 0, 1) * scale + shift, dr.sqrt(alpha) * scale + shift)
    return list(_TEXTURES[key].eval(at))


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
        cosine = self.late + (self.schlick - self.late) * dr.clip(dr.abs(ior - 1) / 0.3, 0, 1)
        return self.kept * fresnel.dielectric(dr, cosine, ior)

    @property
    def missing(self) -> Any:
        """Energy that one bounce between perfect mirrors loses."""
        return 1 - self.kept


def albedo(mi: Any, dr: Any, w: Any, ax: Any, ay: Any) -> Albedo:
    """Looks the albedo terms up at a direction.

    Unequal widths keep what their root mean square keeps at the elevation where it masks as much as they do at `w`
    (Smith's term depends on the width along a direction times its tangent alone): white is within 0.03 of quadrature
    for widths up to 0.5, within 0.07 for the widest and most unequal. The reflectance is that of the width along `w`.
    """
    if ax.index == ay.index:  # one and the same value: the general case would compute the same, at twice the cost
        return Albedo(*table_lookup(mi, dr, "albedo", albedo_table, w.z, ax))
    x, y, z2 = w.x * ax, w.y * ay, w.z * w.z
    along2, alpha = x * x + y * y, dr.sqrt(0.5 * (ax * ax + ay * ay))
    masked = w.z * alpha * dr.rsqrt(dr.maximum(z2 * alpha * alpha + along2, 1e-12))
    along = dr.sqrt(dr.maximum(along2, 1e-12) / dr.maximum(1 - z2, 1e-12))
    kept, mean, _, _ = table_lookup(mi, dr, "albedo", albedo_table, masked, alpha)
    _, _, schlick, late = table_lookup(mi, dr, "albedo", albedo_table, w.z, dr.minimum(along, 1))
    return Albedo(kept, mean, schlick, late)


def multiple_scattering_tint(average: Any, mean: Any) -> Any:
    """Colour of light that bounced more than once (Kulla and Conty 2017), of an average reflectance."""
    return average * average * mean / (1 - average * (1 - mean))


def multiple_scattering(dr: Any, tint: Any, towards: Albedo, away: Albedo, cosine: Any) -> Any:
    """The reciprocal lobe that returns the missing energy (Kulla and Conty 2017), times the cosine of `wo`."""
    return tint * (towards.missing * away.missing * cosine / (dr.pi * dr.maximum(1 - towards.mean, 1e-6)))
