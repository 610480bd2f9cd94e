"""Queries of the reference: positions in, directions and true responses out, traced by Dr.Jit in large chunks.

Everything that changes between chunks is data to the kernel (positions, seed, shares of the direction mixture),
so that one kernel is compiled and serves the training, the report and the sampler.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from verdigris.bake.blur import NO_BLUR, NO_FOOTPRINT, Blur, Footprint, Places, wrapped
from verdigris.bake.colours import MARK
from verdigris.bake.config import DirectionMix
from verdigris.conventions import Array
from verdigris.errors import BakeError
from verdigris.materials.guides import albedo_estimate
from verdigris.materials.material import columns
from verdigris.runtime import mitsuba

EMISSION_SAMPLES = 1 << 18
"""Points at which the brightest emission is sought."""

BAD_SHARE = 1e-3
"""Share of non-finite reference values above which a bake stops; rarer ones are taken as 0 and counted."""


@dataclass(frozen=True)
class Queries:
    """One chunk, each array a flat `[n]` float32 Dr.Jit array: three of `wi`, `wo` and `target` (the response),
    and `pdf`, the density of `wo` where the reference's sampler drew it, else 0."""

    wi: tuple[Any, Any, Any]
    wo: tuple[Any, Any, Any]
    target: tuple[Any, Any, Any]
    pdf: Any

    def numpy(self) -> tuple[Array, Array, Array, Array]:
        """wi, wo, target `[n, 3]` and pdf `[n]` as NumPy arrays."""
        stacked = [np.stack([np.asarray(axis) for axis in group], axis=1) for group in (self.wi, self.wo, self.target)]
        return stacked[0], stacked[1], stacked[2], np.asarray(self.pdf)


class QuerySource:
    """Makes queries of one reference material and counts the ones it answers with a non-finite value."""

    def __init__(self, reference: Any, mix: DirectionMix, marked: bool = False):
        """mix: shares of the direction pairs. marked: whether the parameters end with the colour `colours.MARK`."""
        self.reference = reference
        self.mix = mix
        self.marked = marked
        self.count = 0
        self.bad = 0
        self._pending: list[tuple[int, Any]] = []

    def directions(
        self, u: Array, v: Array, seed: int, mix: DirectionMix | None = None,
        spread: float | Array = 0.0, blur: Blur = NO_BLUR,
    ) -> Queries:  # fmt: skip
        """Launches the kernel for positions `u`, `v` `[n]` and returns at once; `mix` overrides the shares.

        spread: the reference's sampler is asked at a position up to half of it away in u and v, one for all queries or
        `[n]`. In training it is a texel: where one texel holds many normals, directions drawn at the very position of
        the query would pair each direction with the few positions that shine there, and the texel would learn their
        brightness.
        blur: what the targets are averages over.

        Raises BakeError when the reference gave too many non-finite values in the calls before.
        """
        mi, dr = mitsuba(), _drjit()
        mix = mix or self.mix
        uv = mi.Point2f(mi.Float(u), mi.Float(v))
        rng = mi.PCG32(len(u), dr.opaque(mi.UInt64, seed))
        half, cosine = dr.opaque(mi.Float, mix.half), dr.opaque(mi.Float, mix.half + mix.cosine)
        reach = mi.Float(spread) if isinstance(spread, np.ndarray) else dr.opaque(mi.Float, spread)
        near = wrapped(dr, uv + reach * (mi.Point2f(rng.next_float32(), rng.next_float32()) - 0.5))
        wi, wo, pdf = _direction_pairs(mi, dr, self.reference, near, rng, (half, cosine))
        if blur.cone > 0.0 or blur.footprint.wide is not None:
            # All of it: several kernels follow, and what is left open would be traced again with the last.
            dr.eval(uv, wi, wo, pdf, rng)
        target = self._targets(uv, wi, wo, rng, blur)
        finite = dr.isfinite(target.x) & dr.isfinite(target.y) & dr.isfinite(target.z)
        target = dr.select(finite, dr.maximum(target, 0.0), 0.0)
        bad = dr.select(finite, mi.Float(0.0), mi.Float(1.0))
        dr.eval(wi, wo, target, pdf, bad)
        self.check()
        self._pending.append((len(u), dr.sum(bad)))
        return Queries((wi.x, wi.y, wi.z), (wo.x, wo.y, wo.z), (target.x, target.y, target.z), pdf)

    def responses(self, u: Array, v: Array, wi: Array, wo: Array, seed: int, blur: Blur) -> Array:
        """The targets of given queries, `[n], [n], [n, 3], [n, 3] -> [n, 3]`."""
        mi, dr = mitsuba(), _drjit()
        query = mi.Point2f(mi.Float(u), mi.Float(v)), mi.Vector3f(columns(wi)), mi.Vector3f(columns(wo))
        target = self._targets(*query, mi.PCG32(len(u), dr.opaque(mi.UInt64, seed)), blur)
        return np.array(target).T

    def _targets(self, uv: Any, wi: Any, wo: Any, rng: Any, blur: Blur) -> Any:
        """The responses that are learned from, `Color3f`."""
        mi, dr = mitsuba(), _drjit()
        deviation = blur.footprint.wide
        if deviation is None and blur.cone == 0.0:
            return self.reference.eval_dr(uv, wi, wo)
        if deviation is None or blur.cone > 0.0:
            return self._cone_average(uv, wi, wo, rng, blur)
        # Few queries have a footprint, and only these are asked for several times.
        target = dr.zeros(mi.Color3f, len(deviation))
        points, areas = (mi.UInt32(np.flatnonzero(chosen).astype(np.uint32)) for chosen in (deviation == 0, deviation))
        if len(points):
            at = (dr.gather(type(part), part, points) for part in (uv, wi, wo))
            dr.scatter(target, self.reference.eval_dr(*at), points)
        at, wi, wo = (dr.gather(type(part), part, areas) for part in (uv, wi, wo))
        own = mi.PCG32(len(areas), dr.gather(mi.UInt64, rng.state, areas))
        places, once = Places(mi, dr, at, deviation[np.asarray(areas)], own), self.reference.averaging(1)
        dr.make_opaque(wi, wo)
        (mean,) = places.mean(
            blur.footprint.counts, lambda place: [once.eval_dr(place, wi, wo)], [dr.zeros(mi.Color3f, len(areas))]
        )
        dr.scatter(target, mean, areas)
        return target

    def _cone_average(self, uv: Any, wi: Any, wo: Any, rng: Any, blur: Blur) -> Any:
        """The BSDF's cosine-weighted average over a cone about wo [P], and a footprint too, times the cosine of wo.

        The average of response times cosine itself would not vanish at the horizon, where half of a cone lies below.
        """
        mi, dr = mitsuba(), _drjit()
        # A kernel a sample, the same one each time.
        deviation = blur.footprint.wide
        total, cosine = dr.zeros(mi.Color3f, dr.width(wo)), dr.zeros(mi.Float, dr.width(wo))
        places = None if deviation is None else Places(mi, dr, uv, deviation, rng)
        dr.make_opaque(uv, wi, wo, rng, total, cosine)
        frame, height = mi.Frame3f(wo), dr.opaque(mi.Float, 2.0 * np.sin(0.5 * blur.cone) ** 2)
        for index in range(blur.cone_samples):
            at = uv if places is None else places.at(dr.opaque(mi.UInt32, index))
            turned = _in_cone(mi, dr, frame, height, rng)
            total += self.reference.eval_dr(at, wi, turned)
            cosine += dr.maximum(turned.z, 0.0)
            dr.eval(total, cosine, rng)
        return total * (wo.z / dr.maximum(cosine, 1e-12))

    def parameters(self, u: Array, v: Array) -> list[Any]:
        """The encoder's inputs at positions `[n]`: `parameter_count` flat Dr.Jit arrays, and three more if marked."""
        mi, dr = mitsuba(), _drjit()
        values = self.reference.parameters_dr(mi.Point2f(mi.Float(u), mi.Float(v)))
        values = [dr.select(dr.isfinite(value), value, 0.0) + dr.zeros(mi.Float, len(u)) for value in values]
        values += [dr.full(mi.Float, value, len(u)) for value in MARK] if self.marked else []
        dr.eval(values)
        return values

    @cached_property
    def emission_unit(self) -> float:
        """The power of 4 that is just above the brightest emission found."""
        mi, rng = mitsuba(), np.random.default_rng(0)
        found = np.array(self.reference.emission_dr(mi.Point2f(rng.random((2, EMISSION_SAMPLES), dtype=np.float32))))
        brightest = float(found[np.isfinite(found)].max(initial=0.0))
        return 4.0 ** math.ceil(math.log(brightest, 4.0)) if brightest > 0.0 else 1.0

    def surface(self, u: Array, v: Array, names: Sequence[str], footprint: Footprint = NO_FOOTPRINT) -> list[Any]:
        """The reference's signals at positions `[n]`, or their means over footprints: HEADS[name] flat Dr.Jit arrays
        for each of guides, emission and opacity that is named; of emission, the root in units of `emission_unit`. What
        is not finite counts as 0."""
        mi, dr = mitsuba(), _drjit()
        at, deviation = mi.Point2f(mi.Float(u), mi.Float(v)), footprint.wide
        found = [value + dr.zeros(mi.Float, len(u)) for value in self._signals(at, names)]
        if deviation is not None and found:
            dr.eval(at, found)
            areas = mi.UInt32(np.flatnonzero(deviation).astype(np.uint32))
            # The same random numbers each time: positions differ.
            rng = mi.PCG32(len(areas), dr.opaque(mi.UInt64, 0))
            places = Places(mi, dr, dr.gather(mi.Point2f, at, areas), deviation[np.asarray(areas)], rng)
            zeros = [dr.zeros(mi.Float, len(areas)) for _ in found]
            means = places.mean(footprint.counts, lambda place: self._signals(place, names), zeros)
            for whole, value in zip(found, means, strict=True):
                dr.scatter(whole, value, areas)
        values = iter(found)
        shaped: list[Any] = []
        for name in names:
            if name == "guides":
                albedo, normal, roughness = ([next(values) for _ in range(count)] for count in (3, 3, 1))
                shaped += [*albedo, *dr.normalize(mi.Vector3f(*normal)), *roughness]
            else:
                shaped += [dr.sqrt(next(values)) for _ in range(3)] if name == "emission" else [next(values)]
        dr.eval(shaped)
        return shaped

    def _signals(self, at: Any, names: Sequence[str]) -> list[Any]:
        """The reference's signals at positions, as numbers that can be averaged; what is not finite is 0."""
        dr, found = _drjit(), list[Any]()
        for name in names:
            if name == "guides":
                albedo, normal, roughness = self.reference.guides_dr(at)
                found += [*albedo, *normal, roughness]
            elif name == "emission":
                scale = 1.0 / self.emission_unit
                found += [dr.maximum(channel, 0.0) * scale for channel in self.reference.emission_dr(at)]
            else:
                found.append(self.reference.opacity_dr(at))
        return [dr.select(dr.isfinite(value), value, 0.0) for value in found]

    def albedo(
        self, u: Array, v: Array, seed: int, samples: int, deviation: Array | None = None
    ) -> tuple[list[Any], list[Any]]:
        """wi, uniform in theta, and unbiased estimates of the directional albedo, three flat Dr.Jit arrays each.

        samples: directions of the reference's sampler that an estimate averages, one walk each where it is walked, and
        each from a position of its own, where queries have a footprint of that `deviation` `[n]`.
        """
        mi, dr = mitsuba(), _drjit()
        uv, rng = mi.Point2f(mi.Float(u), mi.Float(v)), mi.PCG32(len(u), dr.opaque(mi.UInt64, seed))
        reference = self.reference.averaging(1)
        wi = _polar(mi, dr, 0.5 * dr.pi * rng.next_float32(), 2.0 * dr.pi * rng.next_float32())
        wi = dr.normalize(mi.Vector3f(wi.x, wi.y, dr.maximum(wi.z, 1e-4)))
        total, bad = dr.zeros(mi.Color3f, len(u)), dr.zeros(mi.Float, len(u))
        places = None if deviation is None or not deviation.any() else Places(mi, dr, uv, deviation, rng)
        dr.make_opaque(uv, wi, rng, total, bad)
        for index in range(samples):
            u1, u2 = rng.next_float32(), mi.Point2f(rng.next_float32(), rng.next_float32())
            at = uv if places is None else places.at(dr.opaque(mi.UInt32, index))
            value = albedo_estimate(reference, at, wi, u1, u2)
            finite = dr.isfinite(value.x) & dr.isfinite(value.y) & dr.isfinite(value.z)
            total += dr.select(finite, dr.maximum(value, 0.0), 0.0)
            bad += dr.select(finite, mi.Float(0.0), mi.Float(1.0))
            dr.eval(total, bad, rng)
        mean = total / samples
        dr.eval(mean)
        self.check()
        self._pending.append((len(u) * samples, dr.sum(bad)))
        return [wi.x, wi.y, wi.z], [mean.x, mean.y, mean.z]

    def check(self) -> None:
        """Waits for the kernels launched so far and counts their non-finite values.

        Raises BakeError when more than one value in a thousand is not finite.
        """
        for count, bad in self._pending:
            self.count += count
            self.bad += int(bad[0])
        self._pending.clear()
        if self.bad > BAD_SHARE * self.count:
            raise BakeError(f"{self.reference.name}: {self.bad} of {self.count} reference values are not finite")


def _drjit() -> Any:
    # Not at the top: runtime.mitsuba() must have pointed it at libLLVM.
    import drjit

    return drjit


def _direction_pairs(mi: Any, dr: Any, reference: Any, uv: Any, rng: Any, bounds: tuple[Any, Any]) -> Any:
    """wi, wo and the sampler's pdf (0 for other pairs), chosen per lane by the cumulated shares `bounds`."""
    choice = rng.next_float32()
    wi_half, wo_half, valid = _half_difference(mi, dr, [rng.next_float32() for _ in range(4)])
    wi = _polar(mi, dr, 0.5 * dr.pi * rng.next_float32(), 2.0 * dr.pi * rng.next_float32())
    wo = mi.warp.square_to_cosine_hemisphere(mi.Point2f(rng.next_float32(), rng.next_float32()))
    use_half = (choice < bounds[0]) & valid
    wi, wo = dr.select(use_half, wi_half, wi), dr.select(use_half, wo_half, wo)
    u1, u2 = rng.next_float32(), mi.Point2f(rng.next_float32(), rng.next_float32())
    wo_sampled, pdf = reference.sample_dr(uv, wi, u1, u2)
    use_sampled = (choice >= bounds[1]) & (pdf > 0.0) & (wo_sampled.z > 0.0)
    wo = dr.select(use_sampled, wo_sampled, wo)
    # A cosine sample on the horizon has no response but would be a corner of the decoder's domain.
    wo = dr.normalize(mi.Vector3f(wo.x, wo.y, dr.maximum(wo.z, 1e-4)))
    return dr.normalize(mi.Vector3f(wi.x, wi.y, dr.maximum(wi.z, 1e-4))), wo, dr.select(use_sampled, pdf, 0.0)


def _polar(mi: Any, dr: Any, theta: Any, phi: Any) -> Any:
    sin_t, cos_t = dr.sincos(theta)
    sin_p, cos_p = dr.sincos(phi)
    return mi.Vector3f(sin_t * cos_p, sin_t * sin_p, cos_t)


def _in_cone(mi: Any, dr: Any, frame: Any, height: Any, rng: Any) -> Any:
    """A direction uniform in the cone about a frame's normal; height: 1 minus the cosine of its half angle."""
    below = height * rng.next_float32()
    sin_p, cos_p = dr.sincos(2.0 * dr.pi * rng.next_float32())
    sin_t = dr.sqrt(below * (2.0 - below))
    return dr.normalize(frame.to_world(mi.Vector3f(sin_t * cos_p, sin_t * sin_p, 1.0 - below)))


def _half_difference(mi: Any, dr: Any, u: list[Any]) -> Any:
    """wi, wo with half and difference angles uniform, and whether both are above the surface (Rusinkiewicz 1998)."""
    half = _polar(mi, dr, 0.5 * dr.pi * u[0], 2.0 * dr.pi * u[1])
    difference = _polar(mi, dr, 0.5 * dr.pi * u[2], 2.0 * dr.pi * u[3])
    wi = mi.Frame3f(half).to_world(difference)
    wo = 2.0 * dr.dot(wi, half) * half - wi
    return wi, wo, (wi.z > 0.0) & (wo.z > 0.0)
