"""A rough dielectric interface that reflects and transmits: what the random walk crosses.

Directions leave the interface, in its own frame: z > 0 is the side above it, and `above` tells, while tracing, where
the first of two lies, so that only one side's code is made. The kernel is that of energy, not of
radiance: integrated over all directions with the cosine it gives the share of light that is not lost, and
K(a -> b) / n_b^2 = K(b -> a) / n_a^2 (Walter et al. 2007, eq. 21, is such a kernel). Between two crossings of the same
interface the factors by which radiance is compressed cancel.

What one bounce between microfacets loses returns by two diffuse lobes, one a side, in the proportion that keeps the
kernel reciprocal: the dielectric form of Kulla and Conty (2017). A direction is drawn from one lobe and weighted by
that lobe alone, so that a step of a walk needs neither kernel nor density.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from verdigris.conventions import ALPHA_MIN
from verdigris.materials.closures import fresnel, microfacet
from verdigris.materials.closures.interface_loss import Loss


class Way(Enum):
    """Which side of the interface the second direction is on: the first one's, the other, or either (a draw only)."""

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
    tint: colour of what is reflected.
    """

    def __init__(self, mi: Any, dr: Any, eta: float, roughness: Any, tint: Any):
        self.mi, self.dr, self.eta, self.tint = mi, dr, eta, tint
        if isinstance(roughness, tuple):
            self.ax, self.ay = (min(max(width, ALPHA_MIN), 1.0) for width in roughness)
            alpha = (self.ax * self.ay) ** 0.5
        else:
            self.ax, self.ay = microfacet.widths(dr, roughness)
            alpha = dr.sqrt(self.ax * self.ay)
        self._loss = Loss(mi, dr, eta, alpha)
        above, below = self._loss.mean_above, self._loss.mean_below
        self._all_missing = above + eta * eta * below
        self._share_above = above / self._all_missing

    def eval(self, a: Any, b: Any, above: bool, way: Way) -> Any:
        """K(a -> b) times |cos b|, `Vector3f`; 0 where `b` is not on the side that `way` says."""
        up, out, eta = self._seen(a, b, above)
        single, _ = self._single(up, out, eta, way)
        onto_top = above == (way is Way.REFLECT)
        n2 = 1.0 if onto_top else self.eta * self.eta
        scale = n2 / (self.dr.pi * self._all_missing) * self.dr.abs(b.z)
        value = single + self._loss.at(up.z, above) * self._loss.at(self.dr.abs(b.z), onto_top) * scale
        return self._tinted(self.dr.select(_fits(up, out, way), value, 0), way)

    def pdf(self, a: Any, b: Any, above: bool, way: Way, drawn: Way = Way.EITHER) -> Any:
        """Density per solid angle of a `sample` drawn by `drawn`, at a `b` on the side that `way` says; else 0."""
        up, out, eta = self._seen(a, b, above)
        reflectance, flow = self._single(up, out, eta, way)[1]
        lost, onto_top = self._loss.at(up.z, above), above == (way is Way.REFLECT)
        share: Any = 1.0
        if drawn is Way.EITHER:
            flow = flow * (reflectance if way is Way.REFLECT else 1 - reflectance)
            share = self._share_above if onto_top else 1 - self._share_above
        density = flow * (1 - lost) + share * lost * self.dr.abs(b.z) / self.dr.pi
        return self.dr.select(_fits(up, out, way), density, 0)

    def sample(self, a: Any, u: Any, u2: Any, above: bool, way: Way = Way.EITHER) -> Sample:
        """Draws a direction. u: which lobe and side; u2: the two numbers of the direction."""
        mi, dr = self.mi, self.dr
        up, _, eta = self._seen(a, a, above)
        lost = self._loss.at(up.z, above)
        once = u >= lost
        single, weight = self._sample_single(up, (u - lost) / (1 - lost), u2, eta, way)

        radius, (s, c) = dr.sqrt(u2.y), dr.sincos(2 * dr.pi * u2.x)
        z = dr.sqrt(dr.maximum(1 - u2.y, 1e-7))
        means = self._loss.mean_above, self._loss.mean_below
        if way is Way.EITHER:
            share = self._share_above if above else 1 - self._share_above
            back = u < lost * share
            own, other = means if above else means[::-1]
            gain = dr.select(back, self._loss.at(z, above) / own, self._loss.at(z, not above) / other)
            z = dr.select(back, z, -z)
        else:
            onto_top = above == (way is Way.REFLECT)
            gain = self._loss.at(z, onto_top) * ((1.0 if onto_top else self.eta * self.eta) / self._all_missing)
            z = z if way is Way.REFLECT else -z
        b = dr.select(once, single, mi.Vector3f(radius * c, radius * s, z))
        weight = dr.select(once, weight / (1 - lost), gain)
        coloured = mi.Vector3f(weight)
        if way is Way.REFLECT:
            coloured = self.tint * weight
        elif way is Way.EITHER:
            coloured = dr.select(b.z > 0, self.tint * weight, coloured)
        return Sample(b if above else -b, coloured)

    def likely_back(self, cosine: Any) -> Any:
        """About the share of light from below, at a cosine, that comes back: a smooth interface's, not below 0.3.

        Roughness sends some back where a smooth interface sends none; roulette by less would make it rare and bright.
        """
        return self.dr.maximum(fresnel.dielectric(self.dr, cosine, 1 / self.eta), 0.3)

    def _seen(self, a: Any, b: Any, above: bool) -> tuple[Any, Any, float]:
        """(a, b, index across over own index): seen from its own side, the interface is the same but for the index."""
        return (a, b, self.eta) if above else (-a, -b, 1 / self.eta)

    def _tinted(self, value: Any, way: Way) -> Any:
        return self.tint * value if way is Way.REFLECT else self.mi.Vector3f(value)

    def _sample_single(self, a: Any, u: Any, u2: Any, eta: float, way: Way) -> tuple[Any, Any]:
        """(direction, weight) of one bounce: visible normals, so that the weight is Fresnel's share times G2 / G1."""
        dr = self.dr
        m = microfacet.visible_normal(self.mi, dr, a, u2, self.ax, self.ay)
        cosine = dr.dot(a, m)
        cos_t2 = 1 - (1 - cosine * cosine) * (1 / (eta * eta))
        cos_t = dr.sqrt(dr.maximum(cos_t2, 0))
        reflectance = _reflectance(dr, cosine, cos_t, eta, cos_t2)
        reflected = m * (2 * cosine) - a if way is not Way.TRANSMIT else a
        refracted = m * (cosine * (1 / eta) - cos_t) - a * (1 / eta) if way is not Way.REFLECT else a
        if way is Way.EITHER:
            reflects = u < reflectance
            b, share = dr.select(reflects, reflected, refracted), self.mi.Float(1)
            good = (b.z > 0) == reflects
        elif way is Way.REFLECT:
            b, share, good = reflected, reflectance, reflected.z > 0
        else:
            b, share, good = refracted, 1 - reflectance, refracted.z < 0
        ca, cb = a.z, dr.abs(b.z)
        sa, sb = (microfacet.stretched(dr, w, self.ax, self.ay) for w in (a, b))
        masked = cb * (ca + sa) / dr.maximum(sa * cb + sb * ca, 1e-12)
        return b, dr.select(good, share * masked, 0)

    def _single(self, a: Any, b: Any, eta: float, way: Way) -> tuple[Any, tuple[Any, Any]]:
        """Of one bounce: the kernel times |cos b|, and (reflectance, density of `b` on this side alone)."""
        dr = self.dr
        m = a + b if way is Way.REFLECT else a + b * eta
        m = m * dr.rsqrt(dr.maximum(dr.squared_norm(m), 1e-14))
        if way is Way.TRANSMIT:
            m = dr.mulsign(m, m.z)  # an upward normal, whichever side is denser
        a_m, b_m = dr.dot(a, m), dr.dot(b, m)
        facing = a_m > 0
        turn: Any = 0.25  # solid angle of m a solid angle of b, times |a . m|
        if way is Way.TRANSMIT:
            bend = a_m + eta * b_m
            facing &= b_m < 0
            turn = dr.abs(a_m * b_m) * (eta * eta) / dr.maximum(bend * bend, 1e-12)
        reflectance = fresnel.dielectric(dr, a_m, eta)
        sa, sb = (microfacet.stretched(dr, w, self.ax, self.ay) for w in (a, b))
        ca, cb = a.z, dr.abs(b.z)
        flow = dr.select(facing, 2 * microfacet.ndf(dr, m, self.ax, self.ay) * turn, 0)
        share = reflectance if way is Way.REFLECT else 1 - reflectance
        kernel = share * flow * cb / dr.maximum(sa * cb + sb * ca, 1e-12)  # G2 = 2 ca cb / (sa cb + sb ca)
        return kernel, (reflectance, flow / dr.maximum(ca + sa, 1e-12))


def _fits(up: Any, out: Any, way: Way) -> Any:
    """Whether both directions, seen from the first one's side, lie where they are said to."""
    return (up.z > 0) & ((out.z > 0) if way is Way.REFLECT else (out.z < 0))


def _reflectance(dr: Any, cos_i: Any, cos_t: Any, eta: Any, cos_t2: Any) -> Any:
    """Unpolarised Fresnel reflectance where the refracted cosine is known; 1 beyond the critical angle."""
    parallel = (eta * cos_i - cos_t) / (eta * cos_i + cos_t)
    perpendicular = (cos_i - eta * cos_t) / (cos_i + eta * cos_t)
    return dr.select(cos_t2 > 0, 0.5 * (parallel * parallel + perpendicular * perpendicular), 1)
