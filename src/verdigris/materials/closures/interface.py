"""A rough dielectric interface that reflects and transmits: what the random walk crosses.

Directions leave the interface, in its own frame: z > 0 is the side above it. The kernel is that of energy, not of
radiance: integrated over all directions with the cosine it gives the share of light that is not lost, and
K(a -> b) / n_b^2 = K(b -> a) / n_a^2 (Walter et al. 2007, eq. 21, is such a kernel). Between two crossings of the same
interface the factors by which radiance is compressed cancel.

What one bounce between microfacets loses returns by two diffuse lobes, one a side, in the proportion that keeps the
kernel reciprocal: the dielectric form of Kulla and Conty (2017).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from verdigris.materials.closures import fresnel, microfacet
from verdigris.materials.closures.microfacet import TABLE_SIZE

_QUADRATURE = 40


@dataclass(frozen=True)
class Sample:
    """A direction that leaves the interface, its kernel times cosine over its density, and the density (0: failed)."""

    direction: Any
    weight: Any
    pdf: Any


class RoughInterface:
    """GGX interface. eta: index below over index above, a constant. tint: colour of what is reflected."""

    def __init__(self, mi: Any, dr: Any, eta: float, roughness: Any, tint: Any):
        self.mi, self.dr, self.eta, self.tint = mi, dr, eta, tint
        self.ax, self.ay = microfacet.widths(dr, roughness)
        self._alpha = dr.sqrt(self.ax * self.ay)
        self._table_eta = round(eta, 3)

    def eval(self, a: Any, b: Any) -> Any:
        """K(a -> b) times |cos b|, `Vector3f`."""
        single, _ = self._single(a, b)
        return self._coloured(a, b, single + self._diffuse(a, b)[0])

    def pdf(self, a: Any, b: Any) -> Any:
        """Density of `sample` per solid angle."""
        lost = self._lost(a)
        return self._single(a, b)[1] * (1 - lost) + self._diffuse(a, b)[1] * lost

    def sample(self, a: Any, u1: Any, u2: Any, u3: Any) -> Sample:
        """Draws a direction. u1: reflect or transmit; u2: two numbers of the direction; u3: one bounce or more."""
        mi, dr = self.mi, self.dr
        above = a.z > 0
        up = dr.select(above, a, -a)  # seen from its own side, the interface is the same but for the index
        m = microfacet.visible_normal(mi, dr, up, u2, self.ax, self.ay)
        m = dr.select(above, m, -m)
        eta = dr.select(above, self.eta, 1 / self.eta)
        cosine = dr.dot(a, m)
        sign = dr.mulsign(mi.Float(1), cosine)
        reflectance = fresnel.dielectric(dr, dr.abs(cosine), eta)
        cos_t2 = 1 - (1 - cosine * cosine) / (eta * eta)
        refracted = m * (cosine / eta - sign * dr.sqrt(dr.maximum(cos_t2, 0))) - a / eta
        reflects, once = u1 < reflectance, u3 >= self._lost(a)
        single = dr.select(reflects, m * (2 * cosine) - a, refracted)

        radius, (s, c) = dr.sqrt(u2.x), dr.sincos(2 * dr.pi * u2.y)
        z = dr.sqrt(dr.maximum(1 - u2.x, 1e-7))
        wide = mi.Vector3f(radius * c, radius * s, dr.select(u1 < self._share_above(), z, -z))
        b = dr.normalize(dr.select(once, single, wide))
        wrong_side = once & ((a.z * b.z > 0) != reflects)  # what one bounce loses
        pdf = self.pdf(a, b)
        pdf = dr.select(dr.isfinite(pdf) & (b.z != 0) & ~wrong_side, pdf, 0)
        return Sample(b, dr.select(pdf > 0, self.eval(a, b) / pdf, 0), pdf)

    def _coloured(self, a: Any, b: Any, value: Any) -> Any:
        return self.dr.select(a.z * b.z > 0, self.tint * value, self.mi.Vector3f(value))

    def _single(self, a: Any, b: Any) -> tuple[Any, Any]:
        """(kernel times |cos b|, density) of one bounce, reflected or transmitted."""
        dr = self.dr
        above, reflects = a.z > 0, a.z * b.z > 0
        eta = dr.select(above, self.eta, 1 / self.eta)
        raw = dr.select(reflects, a + b, a + b * eta)
        m = raw * dr.rsqrt(dr.maximum(dr.squared_norm(raw), 1e-14))
        m = dr.select(m.z < 0, -m, m)  # an upward normal, whichever side the light is on
        a_m, b_m = dr.dot(a, m), dr.dot(b, m)
        facing = (a_m * a.z > 0) & (b_m * b.z > 0)
        reflectance = fresnel.dielectric(dr, dr.abs(a_m), eta)
        sa, sb = (microfacet.stretched(dr, w, self.ax, self.ay) for w in (a, b))
        ca, cb = dr.abs(a.z), dr.abs(b.z)
        density = microfacet.ndf(dr, m, self.ax, self.ay)
        masked = 1 / dr.maximum(sa * cb + sb * ca, 1e-12)  # G2 = 2 ca cb / (sa cb + sb ca)
        bend = a_m + eta * b_m
        turn = dr.select(
            reflects, 0.25, dr.abs(a_m * b_m) * eta * eta / dr.maximum(bend * bend, 1e-12)
        )  # solid angle of b a solid angle of m, times |a . m|
        share = dr.select(reflects, reflectance, 1 - reflectance)
        kernel = share * density * masked * 2 * cb * turn
        pdf = share * density * 2 / (ca + sa) * turn
        return dr.select(facing, kernel, 0), dr.select(facing, pdf, 0)

    def _diffuse(self, a: Any, b: Any) -> tuple[Any, Any]:
        """(kernel times |cos b|, density) of what bounced more than once."""
        dr = self.dr
        above = b.z > 0
        missing, n2 = self._missing_means(), dr.select(above, 1.0, self.eta * self.eta)
        total = dr.maximum(missing[0] + self.eta * self.eta * missing[1], 1e-9)
        kernel = self._lost(a) * self._lost(b) * n2 * dr.abs(b.z) / (dr.pi * total)
        share = self._share_above()
        return kernel, dr.select(above, share, 1 - share) * dr.abs(b.z) / dr.pi

    def _share_above(self) -> Any:
        """Share of the light of many bounces that leaves upwards."""
        above, below = self._missing_means()
        return above / self.dr.maximum(above + self.eta * self.eta * below, 1e-9)

    def _missing_means(self) -> tuple[Any, Any]:
        _, _, above, below = self._lookup(self.mi.Float(1))
        return self.dr.maximum(above, 1e-7), self.dr.maximum(below, 1e-7)

    def _lost(self, w: Any) -> Any:
        """Share of light from `w` that one bounce loses."""
        above, below, _, _ = self._lookup(self.dr.abs(w.z))
        return self.dr.select(w.z > 0, above, below)

    def _lookup(self, mu: Any) -> list[Any]:
        name, table = f"lost {self._table_eta}", functools.partial(lost_table, self._table_eta)
        return microfacet.table_lookup(self.mi, self.dr, name, table, mu, self._alpha)


def _lost_from(mu: np.ndarray, alpha: np.ndarray, eta: float) -> np.ndarray:
    """Share that one bounce loses, of light from cos `mu` on the side where the other side's index is `eta` times.

    mu, alpha: `[m, 1]`; returns `[m]`. By stratified visible normals; reflection and transmission are summed.
    """
    grid = (np.arange(_QUADRATURE) + 0.5) / _QUADRATURE
    u, t = (x.reshape(1, -1) for x in np.meshgrid(grid, grid))
    sine = np.sqrt(1 - mu * mu)
    norm = np.sqrt((sine * alpha) ** 2 + mu * mu)
    vx, vz = sine * alpha / norm, mu / norm
    z = (1 - t) * (1 + vz) - vz
    r = np.sqrt(np.clip(1 - z * z, 0, 1))
    m = np.stack([(r * np.cos(2 * np.pi * u) + vx) * alpha, r * np.sin(2 * np.pi * u) * alpha, np.maximum(z + vz, 0)])
    m /= np.linalg.norm(m, axis=0)
    cosine = sine * m[0] + mu * m[2]
    g2 = eta * eta + cosine * cosine - 1
    g = np.sqrt(np.maximum(g2, 0))
    reflectance = 0.5 * ((g - cosine) / (g + cosine + 1e-9)) ** 2
    reflectance *= 1 + (((g + cosine) * cosine - 1) / ((g - cosine) * cosine + 1)) ** 2
    reflectance = np.where(g2 > 0, np.minimum(reflectance, 1), 1)
    stretched = [np.sqrt(mu * mu + alpha * alpha * (1 - mu * mu))]
    kept = np.zeros_like(cosine)
    oz = 2 * cosine * m[2] - mu
    tz = -(cosine / eta - np.sqrt(np.maximum(1 - (1 - cosine * cosine) / (eta * eta), 0))) * m[2] + mu / eta
    for share, out in ((reflectance, oz), (1 - reflectance, tz)):
        so = np.sqrt(out * out + alpha * alpha * (1 - out * out))
        weight = out * (mu + stretched[0]) / np.maximum(stretched[0] * out + so * mu, 1e-12)
        kept += np.where(out > 0, share * weight, 0)
    return np.clip(1 - kept.mean(1), 0, 1)


@functools.cache
def lost_table(eta: float) -> np.ndarray:
    """`[sqrt(alpha), mu, 4]`: what one bounce loses from above, from below, and both averaged over the hemisphere."""
    axis = np.linspace(0, 1, TABLE_SIZE)
    mu, root = np.meshgrid(np.maximum(axis, 2e-3), axis)
    mu, alpha = mu.reshape(-1, 1), np.maximum(root.reshape(-1, 1) ** 2, 1e-4)
    sides = [_lost_from(mu, alpha, index).reshape(TABLE_SIZE, TABLE_SIZE) for index in (eta, 1 / eta)]
    means = [np.repeat(np.trapezoid(2 * side * axis, axis, axis=1), TABLE_SIZE).reshape(side.shape) for side in sides]
    return np.stack([*sides, *means], axis=-1).astype(np.float32)
