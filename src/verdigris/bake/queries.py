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

from verdigris.bake.colours import MARK
from verdigris.bake.config import DirectionMix
from verdigris.conventions import Array
from verdigris.errors import BakeError
from verdigris.materials.guides import albedo_estimate
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


@dataclass(frozen=True)
class Blur:
    """What a target is an average over; by default nothing.

    cone, cone_samples: directions up to `cone` radians from wo, that many of them.
    deviation, footprint_samples: positions, that many for each query, of a Gaussian about its own with this standard
    deviation `[n]` in u and v; 0: its own position alone. One walk for each, where the reference is walked. Where there
    is a cone, a direction and a position are drawn together, `cone_samples` times.
    """

    cone: float = 0.0
    cone_samples: int = 1
    deviation: Array | None = None
    footprint_samples: int = 1


NO_BLUR = Blur()


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
        near = _wrapped(dr, uv + reach * (mi.Point2f(rng.next_float32(), rng.next_float32()) - 0.5))
        wi, wo, pdf = _direction_pairs(mi, dr, self.reference, near, rng, (half, cosine))
        target = self._targets(uv, wi, wo, rng, blur)
        finite = dr.isfinite(target.x) & dr.isfinite(target.y) & dr.isfinite(target.z)
        target = dr.select(finite, dr.maximum(target, 0.0), 0.0)
        bad = dr.select(finite, mi.Float(0.0), mi.Float(1.0))
        dr.eval(wi, wo, target, pdf, bad)
        self.check()
        self._pending.append((len(u), dr.sum(bad)))
        return Queries((wi.x, wi.y, wi.z), (wo.x, wo.y, wo.z), (target.x, target.y, target.z), pdf)

    def _targets(self, uv: Any, wi: Any, wo: Any, rng: Any, blur: Blur) -> Any:
        """The responses that are learned from, `Color3f`."""
        mi, dr = mitsuba(), _drjit()
        deviation = blur.deviation if blur.deviation is not None and blur.deviation.any() else None
        if deviation is None and blur.cone == 0.0:
            return self.reference.eval_dr(uv, wi, wo)
        if deviation is None or blur.cone > 0.0:
            return self._average(self.reference, (uv, wi, wo), rng, blur, deviation)
        # Few queries have a footprint, and only these are asked for several times.
        dr.eval(uv, wi, wo, rng)
        target = dr.zeros(mi.Color3f, len(deviation))
        for chosen in (np.flatnonzero(deviation == 0.0), np.flatnonzero(deviation)):
            if len(chosen) == 0:
                continue
            index = mi.UInt32(chosen.astype(np.uint32))
            query = tuple(dr.gather(type(part), part, index) for part in (uv, wi, wo))
            if deviation[chosen[0]] == 0.0:
                value = self.reference.eval_dr(*query)
            else:
                own = mi.PCG32(len(chosen), dr.gather(mi.UInt64, rng.state, index))
                value = self._average(self.reference.averaging(1), query, own, blur, deviation[chosen])
            dr.scatter(target, value, index)
        return target

    def _average(self, reference: Any, query: Any, rng: Any, blur: Blur, deviation: Array | None) -> Any:
        """The BSDF's cosine-weighted average over a cone about wo [P], a footprint, or both, times the cosine of wo.

        The average of response times cosine itself would not vanish at the horizon, where half of a cone lies below.
        """
        mi, dr = mitsuba(), _drjit()
        # A kernel a sample, the same one each time: no loop of ours around the loops of a walk.
        uv, wi, wo = query
        total, cosine = dr.zeros(mi.Color3f, dr.width(wo)), dr.zeros(mi.Float, dr.width(wo))
        width, shift = mi.Float(0.0), mi.Point2f(0.0)
        if deviation is not None:
            width, shift = mi.Float(deviation.astype(np.float32)), mi.Point2f(rng.next_float32(), rng.next_float32())
        dr.make_opaque(uv, wi, wo, rng, total, cosine, width, shift)
        frame, height = mi.Frame3f(wo), dr.opaque(mi.Float, 2.0 * np.sin(0.5 * blur.cone) ** 2)
        for index in range(blur.cone_samples if blur.cone > 0.0 else blur.footprint_samples):
            at = uv if deviation is None else _wrapped(dr, uv + width * _normal_pair(mi, dr, shift, index))
            turned = _in_cone(mi, dr, frame, height, rng) if blur.cone > 0.0 else wo
            total += reference.eval_dr(at, wi, turned)
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

    def surface(self, u: Array, v: Array, names: Sequence[str]) -> list[Any]:
        """The reference's signals at positions `[n]`: HEADS[name] flat Dr.Jit arrays for each of guides, emission and
        opacity that is named; of emission, the root in units of `emission_unit`. What is not finite counts as 0."""
        mi, dr = mitsuba(), _drjit()
        at, found = mi.Point2f(mi.Float(u), mi.Float(v)), []
        for name in names:
            if name == "guides":
                albedo, normal, roughness = self.reference.guides_dr(at)
                found += [*albedo, *normal, roughness]
            elif name == "emission":
                scale = 1.0 / self.emission_unit
                found += [dr.sqrt(dr.maximum(channel, 0.0) * scale) for channel in self.reference.emission_dr(at)]
            else:
                found.append(self.reference.opacity_dr(at))
        found = [dr.select(dr.isfinite(value), value, 0.0) + dr.zeros(mi.Float, len(u)) for value in found]
        dr.eval(found)
        return found

    def albedo(self, u: Array, v: Array, seed: int, samples: int) -> tuple[list[Any], list[Any]]:
        """wi, uniform in theta, and unbiased estimates of the directional albedo, three flat Dr.Jit arrays each.

        samples: directions of the reference's sampler that an estimate averages, one walk each where it is walked.
        """
        mi, dr = mitsuba(), _drjit()
        uv, rng = mi.Point2f(mi.Float(u), mi.Float(v)), mi.PCG32(len(u), dr.opaque(mi.UInt64, seed))
        reference = self.reference.averaging(1)
        wi = _polar(mi, dr, 0.5 * dr.pi * rng.next_float32(), 2.0 * dr.pi * rng.next_float32())
        wi = dr.normalize(mi.Vector3f(wi.x, wi.y, dr.maximum(wi.z, 1e-4)))
        total, bad = dr.zeros(mi.Color3f, len(u)), dr.zeros(mi.Float, len(u))
        dr.make_opaque(uv, wi, rng, total, bad)
        for _ in range(samples):
            u1, u2 = rng.next_float32(), mi.Point2f(rng.next_float32(), rng.next_float32())
            value = albedo_estimate(reference, uv, wi, u1, u2)
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


def _wrapped(dr: Any, uv: Any) -> Any:
    """A position in the unit square, which is what is baked; a source's own textures may not repeat."""
    return uv - dr.floor(uv)


def _normal_pair(mi: Any, dr: Any, shift: Any, index: int) -> Any:
    """Two independent standard normal numbers: number `index` of a row that fills their plane evenly.

    Of the additive sequence R2 (Roberts 2018), shifted by two numbers in 0..1, by the polar form of Box and Muller.
    """
    step = [dr.opaque(mi.Float, (index * ratio) % 1.0) for ratio in (0.7548776662466927, 0.5698402909980532)]
    point = _wrapped(dr, shift + mi.Point2f(*step))
    sin_p, cos_p = dr.sincos(2.0 * dr.pi * point.y)
    radius = dr.sqrt(-2.0 * dr.log(1.0 - dr.minimum(point.x, 1.0 - 6e-8)))
    return mi.Point2f(radius * cos_p, radius * sin_p)


def _half_difference(mi: Any, dr: Any, u: list[Any]) -> Any:
    """wi, wo with half and difference angles uniform, and whether both are above the surface (Rusinkiewicz 1998)."""
    half = _polar(mi, dr, 0.5 * dr.pi * u[0], 2.0 * dr.pi * u[1])
    difference = _polar(mi, dr, 0.5 * dr.pi * u[2], 2.0 * dr.pi * u[3])
    wi = mi.Frame3f(half).to_world(difference)
    wo = 2.0 * dr.dot(wi, half) * half - wi
    return wi, wo, (wi.z > 0.0) & (wo.z > 0.0)
