"""Position-free random walk through a stack of rough dielectric interfaces over an opaque bottom.

Guo, Hašan and Zhao, "Position-free Monte Carlo simulation for arbitrary layered BSDFs" (ACM TOG 37(6), 2018). A path
enters at the top from `wi`, crosses media of unit thickness, scatters at interfaces, in media (Henyey-Greenstein) and
at the bottom. Wherever it scatters next to the topmost interface it is also joined to `wo` through a direction that
the interface would refract `wo` into, and both ways of leaving are combined by the balance heuristic. The estimate is
unbiased but for the paths cut at MAX_EVENTS, and repeats for equal arguments and seed.

`wi`, `wo` leave the surface; inside, `d` is the way of travel. Interface k lies above medium k; the bottom lies below
the last medium.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from verdigris.materials.closures.interface import RoughInterface, Sample

MAX_EVENTS = 1024
"""Scattering events of a path at most; Russian roulette ends nearly all long before."""
ROULETTE_AFTER = 4
_COS_MIN = 1e-4


@dataclass(frozen=True)
class Medium:
    """A homogeneous slab of unit thickness: coefficients `Vector3f`, anisotropy of Henyey-Greenstein `Float`.

    scatters: whether the scattering coefficient can be other than 0.
    """

    absorption: Any
    scattering: Any
    anisotropy: Any
    scatters: bool


@dataclass(frozen=True)
class Placed:
    """An interface and the way into its frame and back."""

    interface: RoughInterface
    to_local: Callable[[Any], Any]
    to_world: Callable[[Any], Any]

    def eval(self, a: Any, b: Any) -> Any:
        """Kernel times cosine."""
        return self.interface.eval(self.to_local(a), self.to_local(b))

    def pdf(self, a: Any, b: Any) -> Any:
        """Density of `sample`."""
        return self.interface.pdf(self.to_local(a), self.to_local(b))

    def sample(self, a: Any, u1: Any, u2: Any, u3: Any) -> Sample:
        """A direction that leaves the interface; one that a tilted normal puts on the wrong side fails."""
        dr = self.interface.dr
        local = self.to_local(a)
        drawn = self.interface.sample(local, u1, u2, u3)
        b = self.to_world(drawn.direction)
        consistent = (b.z * drawn.direction.z > 0) & (a.z * local.z > 0)
        return Sample(b, dr.select(consistent, drawn.weight, 0), dr.select(consistent, drawn.pdf, 0))


class Bottom(Protocol):
    """The opaque bottom of a stack: the trio on directions above it."""

    def eval(self, wi: Any, wo: Any) -> Any:
        """Response times cosine, `Vector3f`."""

    def sample(self, wi: Any, u1: Any, u2: Any) -> Any:
        """A direction above the bottom, or any other where it fails."""

    def pdf(self, wi: Any, wo: Any) -> Any:
        """Density of `sample`."""


@dataclass(frozen=True)
class Stack:
    """Interfaces from the top, each with the medium below it (None: empty), and the bottom."""

    interfaces: Sequence[Placed]
    media: Sequence[Medium | None]
    bottom: Bottom


def evaluate(mi: Any, dr: Any, stack: Stack, wi: Any, wo: Any, rng: Any) -> Any:
    """One unbiased estimate of the stack's response times cosine, `Vector3f`. rng: a `PCG32`, advanced."""
    walk = _Walk(mi, dr, stack, wo, dr.minimum(mi.UInt32(rng.next_float32() * 3), 2))
    top = stack.interfaces[0]
    total = top.eval(wi, wo)
    entry = top.sample(wi, *_numbers(mi, rng))
    enters = (entry.pdf > 0) & (entry.direction.z < 0) & (wi.z > 0) & (wo.z > 0)
    state = (
        enters,
        mi.UInt32(0),
        entry.direction,
        mi.Float(0),
        mi.UInt32(0),
        dr.select(enters, mi.Vector3f(entry.weight), 0),
        mi.Vector3f(1),
        mi.Float(1),
        mi.PCG32(rng),
        mi.Vector3f(0),
    )
    out = dr.while_loop(state, lambda *s: s[0], walk.step, label="layer walk")
    return total + out[-1]


def _numbers(mi: Any, rng: Any) -> tuple[Any, Any, Any]:
    return rng.next_float32(), mi.Point2f(rng.next_float32(), rng.next_float32()), rng.next_float32()


class _Walk:
    """The event loop of one evaluation.

    hero: the colour channel whose extinction picks the flights. `ratio` is the density of the path, had another channel
    picked them, over that density: dividing by its mean is the balance heuristic over the channels and bounds weights.
    """

    def __init__(self, mi: Any, dr: Any, stack: Stack, wo: Any, hero: Any):
        self.mi, self.dr, self.stack, self.wo, self.hero = mi, dr, stack, wo, hero

    def step(
        self,
        active: Any,
        count: Any,
        d: Any,
        depth: Any,
        medium: Any,
        beta: Any,
        ratio: Any,
        pdf: Any,
        rng: Any,
        total: Any,
    ) -> tuple[Any, ...]:
        """From one event to the next: cross the medium, then scatter in it or at the boundary that is reached."""
        mi, dr = self.mi, self.dr
        rng = mi.PCG32(rng)
        down = d.z < 0
        cosine = dr.maximum(dr.abs(d.z), _COS_MIN)
        reach = dr.select(down, 1 - depth, depth) / cosine
        travelled, factor, odds, scattered = self._cross(medium, reach, rng)
        beta, ratio = beta * factor, ratio * odds
        gain = 1 / dr.maximum(dr.mean(ratio), 1e-20)
        depth = dr.select(scattered, depth + travelled * dr.select(down, cosine, -cosine), dr.select(down, 1.0, 0.0))

        at_top = active & ~scattered & ~down & (medium == 0)
        total = total + dr.select(at_top, self._leave(d, beta * gain, pdf), 0)

        light = self._towards_light(rng)
        u = _numbers(mi, rng)
        outcome = [d, medium, mi.Vector3f(0), mi.Float(0), mi.Vector3f(0)]
        for index, candidate in self._scatterers(d, down, scattered, medium, light, u):
            outcome = [dr.select(index, new, old) for new, old in zip(candidate, outcome, strict=True)]
        direction, medium, weight, new_pdf, joined = outcome

        joined = dr.select(light.pdf > 0, joined * self._shade(dr.select(scattered, depth, 1.0), light), 0)
        total = total + dr.select(active & dr.all(dr.isfinite(joined)), beta * gain * joined, 0)
        beta = beta * weight
        alive = active & (new_pdf > 0) & (dr.max(beta) > 0) & dr.all(dr.isfinite(beta))
        depth = dr.select(scattered, depth, dr.select(direction.z < 0, 0.0, 1.0))
        survival = dr.select(count < ROULETTE_AFTER, 1.0, dr.clip(dr.max(beta) * gain, 0.05, 0.95))
        alive &= (rng.next_float32() < survival) & (count + 1 < MAX_EVENTS)
        return alive, count + 1, direction, depth, medium, beta / survival, ratio, new_pdf, rng, total

    def _cross(self, medium: Any, reach: Any, rng: Any) -> tuple[Any, Any, Any, Any]:
        """(distance, throughput, odds of the channels, whether it scatters) of a flight of at most `reach`."""
        mi, dr = self.mi, self.dr
        travelled, factor, odds, scattered = mi.Float(reach), mi.Vector3f(1), mi.Vector3f(1), mi.Bool(False)
        for index, slab in enumerate(self.stack.media):
            if slab is None:
                continue
            here = medium == index
            extinction = slab.absorption + slab.scattering
            if not slab.scatters:
                factor = dr.select(here, dr.exp(-slab.absorption * reach), factor)
                continue
            chosen = self._of_hero(extinction)
            distance = -dr.log(1 - rng.next_float32()) / dr.maximum(chosen, 1e-9)
            inside = here & (distance < reach)
            length = dr.minimum(distance, reach)
            relative = dr.exp((chosen - extinction) * length)  # transmittance over the hero's
            bright = dr.select(inside, slab.scattering / dr.maximum(chosen, 1e-9), 1)
            likely = dr.select(inside, extinction / dr.maximum(chosen, 1e-9), 1)
            travelled = dr.select(here, length, travelled)
            factor, odds = dr.select(here, relative * bright, factor), dr.select(here, relative * likely, odds)
            scattered = scattered | inside
        return travelled, factor, odds, scattered

    def _of_hero(self, value: Any) -> Any:
        dr = self.dr
        return dr.select(self.hero == 0, value.x, dr.select(self.hero == 1, value.y, value.z))

    def _leave(self, d: Any, beta: Any, pdf: Any) -> Any:
        """What a path that reaches the top from below sends towards `wo`."""
        top = self.stack.interfaces[0]
        joined_pdf = top.pdf(self.wo, -d)
        return beta * top.eval(-d, self.wo) * (pdf / self.dr.maximum(pdf + joined_pdf, 1e-20))

    def _towards_light(self, rng: Any) -> Sample:
        """A direction inside, upwards, that the top refracts into `wo`; its weight turns a kernel there into light."""
        dr, top = self.dr, self.stack.interfaces[0]
        drawn = top.sample(self.wo, *_numbers(self.mi, rng))
        down = drawn.direction
        valid = (drawn.pdf > 0) & (down.z < 0)
        # K(up -> wo) = K(wo -> up) / eta^2, and the weight holds K(wo -> up) |cos up| / pdf.
        scale = self.wo.z / (dr.maximum(dr.abs(down.z), _COS_MIN) * top.interface.eta * top.interface.eta)
        return Sample(-down, drawn.weight * scale, dr.select(valid, drawn.pdf, 0))

    def _shade(self, depth: Any, light: Sample) -> Any:
        """Light's weight, less what the way up through the first medium takes."""
        slab = self.stack.media[0]
        if slab is None:
            return light.weight
        way = depth / self.dr.maximum(light.direction.z, _COS_MIN)
        return light.weight * self.dr.exp(-(slab.absorption + slab.scattering) * way)

    def _scatterers(
        self, d: Any, down: Any, scattered: Any, medium: Any, light: Sample, u: tuple[Any, Any, Any]
    ) -> list[tuple[Any, list[Any]]]:
        """(lanes, [direction, medium, weight, pdf, joined]) of every kind of event.

        joined: kernel towards the light's direction times the balance heuristic's weight; 0 where it cannot see it.
        """
        dr = self.dr
        found = [
            (scattered & (medium == i), self._phase(d, medium, slab, light, u))
            for i, slab in enumerate(self.stack.media)
            if slab is not None and slab.scatters
        ]
        last = len(self.stack.interfaces) - 1
        for k, placed in enumerate(self.stack.interfaces):
            reached = dr.select(down, medium + 1, medium) == k
            found.append((~scattered & reached, self._at_interface(placed, k, d, light, u)))
        found.append((~scattered & down & (medium == last), self._at_bottom(d, medium, light, u)))
        return found

    def _at_interface(self, placed: Placed, k: int, d: Any, light: Sample, u: tuple[Any, Any, Any]) -> list[Any]:
        mi, dr = self.mi, self.dr
        drawn = placed.sample(-d, *u)
        medium = dr.select(drawn.direction.z < 0, mi.UInt32(k), mi.UInt32(max(k - 1, 0)))
        pdf = drawn.pdf if k > 0 else dr.select(drawn.direction.z < 0, drawn.pdf, 0)
        joined = mi.Vector3f(0)
        if k == 1:
            joined = placed.eval(-d, light.direction) * self._heuristic(placed.pdf(-d, light.direction), light)
        return [drawn.direction, medium, mi.Vector3f(drawn.weight), pdf, joined]

    def _at_bottom(self, d: Any, medium: Any, light: Sample, u: tuple[Any, Any, Any]) -> list[Any]:
        mi, dr, bottom = self.mi, self.dr, self.stack.bottom
        w = bottom.sample(-d, u[0], u[1])
        pdf = dr.select(w.z > 0, bottom.pdf(-d, w), 0)
        weight = dr.select(pdf > 0, bottom.eval(-d, w) / pdf, 0)
        joined = mi.Vector3f(0)
        if len(self.stack.interfaces) == 1:
            joined = bottom.eval(-d, light.direction) * self._heuristic(bottom.pdf(-d, light.direction), light)
        return [w, medium, mi.Vector3f(weight), pdf, joined]

    def _phase(self, d: Any, medium: Any, slab: Medium, light: Sample, u: tuple[Any, Any, Any]) -> list[Any]:
        mi, dr = self.mi, self.dr
        g = dr.select(dr.abs(slab.anisotropy) < 1e-3, 1e-3, slab.anisotropy)
        ratio = (1 - g * g) / (1 - g + 2 * g * u[1].x)
        cosine = dr.clip((1 + g * g - ratio * ratio) / (2 * g), -1, 1)
        s, c = dr.sincos(2 * dr.pi * u[1].y)
        sine = dr.sqrt(dr.maximum(1 - cosine * cosine, 0))
        w = mi.Frame3f(d).to_world(mi.Vector3f(sine * c, sine * s, cosine))

        def density(cos: Any) -> Any:
            base = dr.maximum(1 + g * g - 2 * g * cos, 1e-6)
            return (1 - g * g) / (4 * dr.pi * base * dr.sqrt(base))

        towards = density(dr.dot(d, light.direction))
        joined = dr.select(medium == 0, towards * self._heuristic(towards, light), 0)
        return [w, medium, mi.Vector3f(1), density(cosine), mi.Vector3f(joined)]

    def _heuristic(self, pdf: Any, light: Sample) -> Any:
        return light.pdf / self.dr.maximum(light.pdf + pdf, 1e-20)
