"""The neural sampler as Dr.Jit code: the formulas of `model/sampler.py`, on numbers that the network gave."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from verdigris.model.config import SamplerConfig
from verdigris.model.frames import NORM_MIN
from verdigris.model.sampler import ALPHA_MIN, BELOW_ONE, HALF_Z_MIN, NORMAL_Z_MIN, RAW_MAX
from verdigris.runtime import mitsuba

Float = Any
"""As in `codegen.py`, annotations can only name the variant's types."""
Point2f = Any
Vector3f = Any


@dataclass(frozen=True)
class GgxLobe:
    """Widths, correlation, sqrt(1 - correlation^2) and offsets in slopes."""

    alpha_x: Float
    alpha_y: Float
    rho: Float
    root: Float
    offset_x: Float
    offset_y: Float


@dataclass(frozen=True)
class Mixture:
    """shares: the cosine lobe's first; they lack the defensive share of 1. axis: of the cosine lobe."""

    shares: list[Float]
    axis: Vector3f
    lobes: list[GgxLobe]


class SamplerCode:
    """Traced density and draw of a mixture."""

    def __init__(self, config: SamplerConfig) -> None:
        self._config = config
        self._mi, self._dr = mitsuba(), import_module("drjit")

    def mixture(self, raw: list[Float], normals: list[Vector3f]) -> Mixture:
        """The mixture from the network's last numbers and the learned normals."""
        mi, dr, count = self._mi, self._dr, self._config.lobes
        raw = [dr.clip(x, -RAW_MAX, RAW_MAX) for x in raw]
        tilt_x, tilt_y = (x * self._s(x) for x in raw[5 * count : 5 * count + 2])
        axis = self._normalize(mi.Vector3f(-tilt_x, -tilt_y, 1))
        logits = raw[5 * count + 2 :]
        largest = logits[0]
        for logit in logits[1:]:
            largest = dr.maximum(largest, logit)
        weights = [dr.exp(logit - largest) for logit in logits]
        scale = (1 - self._config.defensive) / sum(weights[1:], weights[0])
        lobes = [self._lobe(raw[5 * k : 5 * k + 5], normals[k % len(normals)]) for k in range(count)]
        return Mixture([weight * scale for weight in weights], axis, lobes)

    def pdf(self, mixture: Mixture, wi: Vector3f, wo: Vector3f) -> Float:
        """Density per solid angle; 0 where wi or wo is not above the horizon."""
        dr = self._dr
        v = wi + wo
        inverse = dr.rcp(dr.maximum(v.z, HALF_Z_MIN))
        total = self._mi.Float(0)
        for share, lobe in zip(mixture.shares[1:], mixture.lobes, strict=True):
            x = (dr.fma(-v.x, inverse, -lobe.offset_x)) / lobe.alpha_x
            y = ((dr.fma(-v.y, inverse, -lobe.offset_y)) / lobe.alpha_y - lobe.rho * x) / lobe.root
            radius = dr.fma(x, x, dr.fma(y, y, 1))
            total = total + share / (radius * radius * (lobe.alpha_x * lobe.alpha_y * lobe.root))
        total = total * (dr.squared_norm(v) * 0.5 * inverse * inverse * inverse)
        total = dr.fma(mixture.shares[0], dr.maximum(dr.dot(wo, mixture.axis), 0), total)
        total = (total + self._config.defensive / 2) * (1 / dr.pi)
        return dr.select((wi.z > 0) & (wo.z > 0), total, 0)

    def sample(self, mixture: Mixture, wi: Vector3f, u1: Float, u2: Point2f) -> tuple[Vector3f, Float]:
        """A direction and its density; density 0 marks a null sample. u1 picks the lobe, u2 the direction.

        The lobe's numbers are chosen first, so the trigonometry is there once, not once a lobe.
        """
        mi, dr = self._mi, self._dr
        edge = self._config.defensive
        is_cosine, is_ggx = u1 >= edge, mi.Bool(False)
        axis = dr.select(is_cosine, mixture.axis, mi.Vector3f(0, 0, 1))
        edge, chosen = edge + mixture.shares[0], mixture.lobes[0]
        for share, lobe in zip(mixture.shares[1:], mixture.lobes, strict=True):
            later = u1 >= edge
            chosen = GgxLobe(*(dr.select(later, a, b) for a, b in zip(_parts(lobe), _parts(chosen), strict=True)))
            is_ggx, edge = is_ggx | later, edge + share
        below = dr.minimum(u2.x, BELOW_ONE)
        sin_phi, cos_phi = dr.sincos(u2.y * (2 * dr.pi))
        radius = dr.sqrt(below / (1 - below))
        h = self._half(chosen, radius * cos_phi, radius * sin_phi)
        wi_h = dr.dot(wi, h)
        cos = dr.select(is_cosine, dr.sqrt(1 - u2.x), 1 - u2.x)
        sin = dr.safe_sqrt(dr.fma(-cos, cos, 1))
        around = self._around(axis, cos, sin * cos_phi, sin * sin_phi)
        wo = self._normalize(dr.select(is_ggx, 2 * wi_h * h - wi, around))
        return wo, dr.select(~is_ggx | (wi_h > 0), self.pdf(mixture, wi, wo), 0)

    def _lobe(self, raw: list[Float], normal: Vector3f) -> GgxLobe:
        dr = self._dr
        widen, z = self._s(raw[2]), dr.maximum(normal.z, NORMAL_Z_MIN)
        return GgxLobe(
            self._alpha(raw[0]),
            self._alpha(raw[1]),
            raw[2] / widen,
            1 / widen,
            dr.fma(raw[3], self._s(raw[3]), -normal.x / z),
            dr.fma(raw[4], self._s(raw[4]), -normal.y / z),
        )

    def _s(self, x: Float) -> Float:
        dr = self._dr
        return dr.sqrt(dr.fma(x, x, 1))

    def _alpha(self, x: Float) -> Float:
        dr, s = self._dr, self._s(x)
        below = 1 / (s * (s + dr.abs(x)))
        return dr.fma(dr.select(x < 0, below, 2 - below), 0.5, ALPHA_MIN)

    def _half(self, lobe: GgxLobe, x: Float, y: Float) -> Vector3f:
        """The half vector of a point of the standard lobe."""
        dr = self._dr
        slope_x = dr.fma(lobe.alpha_x, x, lobe.offset_x)
        slope_y = dr.fma(lobe.alpha_y, dr.fma(lobe.rho, x, lobe.root * y), lobe.offset_y)
        return self._normalize(self._mi.Vector3f(-slope_x, -slope_y, 1))

    def _around(self, axis: Vector3f, cos: Float, x: Float, y: Float) -> Vector3f:
        """The direction whose coordinates about the axis are x, y, cos."""
        dr = self._dr
        sign = dr.copysign(1, axis.z)
        a = -1 / (sign + axis.z)
        b = axis.x * axis.y * a
        first = self._mi.Vector3f(dr.fma(sign * axis.x * axis.x, a, 1), sign * b, -sign * axis.x)
        return first * x + dr.cross(axis, first) * y + axis * cos

    def _normalize(self, v: Vector3f) -> Vector3f:
        dr = self._dr
        return v / dr.maximum(dr.norm(v), NORM_MIN)


def _parts(lobe: GgxLobe) -> tuple[Float, ...]:
    return (lobe.alpha_x, lobe.alpha_y, lobe.rho, lobe.root, lobe.offset_x, lobe.offset_y)
