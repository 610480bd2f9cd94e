"""A rough dielectric interface that reflects and transmits: what the random walk crosses.

Directions leave the interface, in its own frame: z > 0 is the side above it. The kernel is that of energy, not of
radiance: integrated over all directions with the cosine it gives the share of light that is not lost, and
K(a -> b) / n_b^2 = K(b -> a) / n_a^2 (Walter et al. 2007, eq. 21, is such a kernel). Between two crossings of the same
interface the factors by which radiance is compressed cancel.

What one bounce between microfacets loses returns by two diffuse lobes, one a side, in the proportion that keeps the
kernel reciprocal: the dielectric form of Kulla and Conty (2017). A direction is drawn from one lobe and weighted by
that lobe alone, so that a step of a walk needs neither kernel nor density.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from verdigris.conventions import ALPHA_MIN
from verdigris.materials.closures import fresnel, microfacet
from verdigris.materials.closures.interface_loss import Loss, constant_loss, varying_loss


class Way(Enum):
    """Which side a direction may be drawn to: its own, the other, or either in proportion to the light."""

    REFLECT = 0
    TRANSMIT = 1
    EITHER = 2


@dataclass(frozen=True)
class Sample:
    """A direction that leaves the interface, and its kernel times cosine over its density (0: failed)."""

    direction: Any
    weight: Any


class RoughInterface:
    """GGX interface.

    eta: index below over index above, a constant. roughness: GGX widths, a pair of floats or a `Vector2f`.
    tint: colour of what is reflected. `inner_reflectance`: share of diffuse light from below that it returns.
    """

    def __init__(self, mi: Any, dr: Any, eta: float, roughness: Any, tint: Any):
        self.mi, self.dr, self.eta, self.tint = mi, dr, eta, tint
        if isinstance(roughness, tuple):
            self.ax, self.ay = (min(max(width, ALPHA_MIN), 1.0) for width in roughness)
            self._loss: Loss = constant_loss(dr, eta, (self.ax * self.ay) ** 0.5)
        else:
            self.ax, self.ay = microfacet.widths(dr, roughness)
            self._loss = varying_loss(mi, dr, eta, dr.sqrt(self.ax * self.ay))
        self.inner_reflectance = _inner_reflectance(eta)
        above, below = self._loss.mean_above, self._loss.mean_below
        self._all_missing = above + eta * eta * below
        self._share_above = above / self._all_missing

    def eval(self, a: Any, b: Any) -> Any:
        """K(a -> b) times |cos b|, `Vector3f`."""
        single, _ = self._single(a, b, Way.EITHER)
        n2 = self.dr.select(b.z > 0, 1.0, self.eta * self.eta)
        scale = n2 * self.dr.abs(b.z) / (self.dr.pi * self._all_missing)
        return self._coloured(a, b, single + self._loss.at(a.z) * self._loss.at(b.z) * scale)

    def pdf(self, a: Any, b: Any, way: Way = Way.EITHER) -> Any:
        """Density of `sample` per solid angle."""
        dr = self.dr
        lost, above = self._loss.at(a.z), self._share_above
        if way is Way.EITHER:
            share = dr.select(b.z > 0, above, 1 - above)
        else:
            share = dr.select((a.z * b.z > 0) == (way is Way.REFLECT), 1.0, 0.0)
        return self._single(a, b, way)[1] * (1 - lost) + share * lost * dr.abs(b.z) / dr.pi

    def sample(self, a: Any, u: Any, u2: Any, way: Way = Way.EITHER) -> Sample:
        """Draws a direction. u: which lobe and side; u2: the two numbers of the direction."""
        mi, dr = self.mi, self.dr
        lost = self._loss.at(a.z)
        once = u >= lost
        single, weight = self._sample_single(a, (u - lost) / (1 - lost), u2, way)

        radius, (s, c) = dr.sqrt(u2.y), dr.sincos(2 * dr.pi * u2.x)
        z = dr.sqrt(dr.maximum(1 - u2.y, 1e-7))
        if way is Way.EITHER:
            upwards = u < lost * self._share_above
            gain = 1 / dr.select(upwards, self._loss.mean_above, self._loss.mean_below)
        else:
            upwards = (a.z > 0) == (way is Way.REFLECT)
            gain = dr.select(upwards, 1.0, self.eta * self.eta) / self._all_missing
        wide = mi.Vector3f(radius * c, radius * s, dr.select(upwards, z, -z))

        b = dr.select(once, single, wide)
        weight = dr.select(once, weight / (1 - lost), self._loss.at(wide.z) * gain)
        return Sample(b, mi.Vector3f(weight) if way is Way.TRANSMIT else self._coloured(a, b, weight))

    def _coloured(self, a: Any, b: Any, value: Any) -> Any:
        return self.dr.select(a.z * b.z > 0, self.tint * value, self.mi.Vector3f(value))

    def _sample_single(self, a: Any, u: Any, u2: Any, way: Way) -> tuple[Any, Any]:
        """(direction, weight) of one bounce: visible normals, so that the weight is Fresnel's share times G2 / G1."""
        dr = self.dr
        up = dr.mulsign(a, a.z)  # seen from its own side, the interface is the same but for the index
        m = microfacet.visible_normal(self.mi, dr, up, u2, self.ax, self.ay)
        cosine = dr.dot(up, m)
        eta = dr.select(a.z > 0, self.eta, 1 / self.eta)
        cos_t2 = 1 - (1 - cosine * cosine) / (eta * eta)
        cos_t = dr.sqrt(dr.maximum(cos_t2, 0))
        reflectance = _reflectance(dr, cosine, cos_t, eta, cos_t2)
        if way is Way.EITHER:
            reflects = u < reflectance
            b = dr.select(reflects, m * (2 * cosine) - up, m * (cosine / eta - cos_t) - up / eta)
            good = (b.z > 0) == reflects
            share: Any = 1.0
        elif way is Way.REFLECT:
            b, share = m * (2 * cosine) - up, reflectance
            good = b.z > 0
        else:
            b, share = m * (cosine / eta - cos_t) - up / eta, 1 - reflectance
            good = b.z < 0
        ca, cb = up.z, dr.abs(b.z)
        sa, sb = (microfacet.stretched(dr, w, self.ax, self.ay) for w in (up, b))
        masked = cb * (ca + sa) / dr.maximum(sa * cb + sb * ca, 1e-12)
        return dr.mulsign(b, a.z), dr.select(good, share * masked, 0)

    def _single(self, a: Any, b: Any, way: Way) -> tuple[Any, Any]:
        """(kernel times |cos b|, density) of one bounce, reflected or transmitted."""
        dr = self.dr
        above, reflects = a.z > 0, a.z * b.z > 0
        eta = dr.select(above, self.eta, 1 / self.eta)
        raw = dr.select(reflects, a + b, a + b * eta)
        m = raw * dr.rsqrt(dr.maximum(dr.squared_norm(raw), 1e-14))
        m = dr.mulsign(m, m.z)  # an upward normal, whichever side the light is on
        a_m, b_m = dr.dot(a, m), dr.dot(b, m)
        facing = (a_m * a.z > 0) & (b_m * b.z > 0)
        reflectance = fresnel.dielectric(dr, dr.abs(a_m), eta)
        sa, sb = (microfacet.stretched(dr, w, self.ax, self.ay) for w in (a, b))
        ca, cb = dr.abs(a.z), dr.abs(b.z)
        bend = a_m + eta * b_m
        turn = dr.select(
            reflects, 0.25, dr.abs(a_m * b_m) * eta * eta / dr.maximum(bend * bend, 1e-12)
        )  # solid angle of b a solid angle of m, times |a . m|
        flow = 2 * microfacet.ndf(dr, m, self.ax, self.ay) * turn
        share = dr.select(reflects, reflectance, 1 - reflectance)
        kernel = share * flow * cb / dr.maximum(sa * cb + sb * ca, 1e-12)  # G2 = 2 ca cb / (sa cb + sb ca)
        density = flow / (ca + sa)
        if way is Way.EITHER:
            density = share * density
        else:
            density = dr.select(reflects == (way is Way.REFLECT), density, 0)
        return dr.select(facing, kernel, 0), dr.select(facing, density, 0)


def _reflectance(dr: Any, cos_i: Any, cos_t: Any, eta: Any, cos_t2: Any) -> Any:
    """Unpolarised Fresnel reflectance where the refracted cosine is known; 1 beyond the critical angle."""
    parallel = (eta * cos_i - cos_t) / (eta * cos_i + cos_t)
    perpendicular = (cos_i - eta * cos_t) / (cos_i + eta * cos_t)
    return dr.select(cos_t2 > 0, 0.5 * (parallel * parallel + perpendicular * perpendicular), 1)


@functools.cache
def _inner_reflectance(eta: float) -> float:
    """Reflectance of a smooth interface for diffuse light from below."""
    mu = (np.arange(512) + 0.5) / 512
    cos_t2 = 1 - (1 - mu * mu) * eta * eta
    cos_t = np.sqrt(np.maximum(cos_t2, 0))
    parallel, perpendicular = (mu - eta * cos_t) / (mu + eta * cos_t), (mu / eta - cos_t) / (mu / eta + cos_t)
    return float(np.mean(2 * mu * np.where(cos_t2 > 0, (parallel**2 + perpendicular**2) / 2, 1)))
