"""Position-free random walk through a stack of rough dielectric interfaces over an opaque bottom.

Guo, Hašan and Zhao, "Position-free Monte Carlo simulation for arbitrary layered BSDFs" (ACM TOG 37(6), 2018). A path
enters at the top from `wi`, crosses media of unit thickness, scatters at interfaces, in media (Henyey-Greenstein) and
at the bottom. Another, drawn once a walk, enters from `wo` and crosses the interfaces downwards (`light_path.py`);
wherever the first turns upwards it is joined to the second. Where a lobe inside may be narrower than that light, the
path also leaves by itself, and both ways are combined by the balance heuristic. The estimate is unbiased but for the
paths cut at MAX_SWEEPS, and repeats for equal arguments and seed.

`wi`, `wo` leave the surface; inside, `d` is the way of travel. Interface k lies above medium k; the bottom lies below
the last medium. A step of the loop sweeps up through all layers and down again, so that a path which is only
transmitted crosses the whole stack in one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verdigris.materials.closures.interface import Sample, Way
from verdigris.materials.light_path import Light, light_path
from verdigris.materials.random_numbers import Stream
from verdigris.materials.stack import Medium, Placed, Stack, cosine_of, phase_density, phase_sample

MAX_SWEEPS = 512
"""Sweeps of a path at most; Russian roulette ends nearly all long before."""

State = dict[str, Any]
"""Of a path: active, sweeps, d, beta (throughput), rng, total; and, where the stack needs them, medium, depth (0 at the
top of the medium, 1 at its bottom), ratio (of the channels' densities), forward and backward (the densities of the way
up since the last turn, drawn from below and from the light)."""


def evaluate(mi: Any, dr: Any, stack: Stack, wi: Any, wo: Any, rng: Stream) -> Any:
    """One unbiased estimate of the stack's response times cosine, `Vector3f`. rng: advanced."""
    walk = _Walk(mi, dr, stack, wo, light_path(mi, dr, stack, wo, rng), rng)
    entry = stack.interfaces[0].sample(wi, rng.next(), rng.pair(), True, Way.TRANSMIT)
    state = walk.begin(entry, (wi.z > 0) & (wo.z > 0), rng)
    (state,) = dr.while_loop((state,), lambda s: s["active"], walk.sweep, label="layer walk")
    rng.state = state["rng"]
    return stack.interfaces[0].eval(wi, wo, True, Way.REFLECT) + state["total"]


def average(mi: Any, dr: Any, stack: Stack, wi: Any, wo: Any, rng: Stream, count: int) -> Any:
    """The mean of several estimates, `Vector3f`. rng: advanced."""
    if count == 1:
        return evaluate(mi, dr, stack, wi, wo, rng)

    def add(index: Any, state: Any, total: Any) -> tuple[Any, ...]:
        stream = Stream(mi, dr, state)
        total = total + evaluate(mi, dr, stack, wi, wo, stream)
        return index + 1, stream.state, total

    begin = (mi.UInt32(0), rng.state, mi.Vector3f(0))
    _, rng.state, total = dr.while_loop(begin, lambda index, *_: index < count, add, label="layer walks")
    return total / count


class _Walk:
    """The loop of one evaluation.

    hero: the colour channel whose extinction picks the flights. `ratio` is the density of the path, had another channel
    picked them, over that density: dividing by its mean is the balance heuristic over the channels and bounds weights.
    """

    def __init__(self, mi: Any, dr: Any, stack: Stack, wo: Any, light: list[Light], rng: Stream):
        self.mi, self.dr, self.stack, self.wo, self.light = mi, dr, stack, wo, light
        self.scatters = any(slab is not None and slab.scatters for slab in stack.media)
        self.hero = dr.minimum(mi.UInt32(rng.next() * 3), 2) if self.scatters else None

    def begin(self, entry: Sample, active: Any, rng: Stream) -> State:
        """The state of a path that has entered and gone down once."""
        mi, dr = self.mi, self.dr
        state: State = {
            "active": active & (dr.max(entry.weight) > 0),
            "sweeps": mi.UInt32(0),
            "d": entry.direction,
            "beta": mi.Vector3f(entry.weight),
            "rng": rng.state,
            "total": mi.Vector3f(0),
        }
        if len(self.stack.media) > 1:
            state["medium"] = mi.UInt32(0)
        if self.scatters:
            state |= {"depth": mi.Float(0), "ratio": mi.Vector3f(1)}
        if self.stack.leaves:
            state |= {"forward": mi.Float(0), "backward": mi.Float(1)}
        self._descend(state, rng)
        return state

    def sweep(self, state: State) -> tuple[State]:
        """Up through all layers and down again, an event at each that the path reaches."""
        state, rng = dict(state), Stream(self.mi, self.dr, state["rng"])
        for k in reversed(range(len(self.stack.media))):
            self._up(k, state, rng)
        self._descend(state, rng)
        return (state,)

    def _descend(self, state: State, rng: Stream) -> None:
        """Down through all layers, then Russian roulette by what is likely to come back."""
        dr = self.dr
        for k in range(len(self.stack.media)):
            self._down(k, state, rng)
        strength = dr.max(state["beta"]) * self._gain(state)
        if not self.stack.leaves:
            strength = strength * self.stack.interfaces[0].interface.likely_back(state["d"].z)
        survival = dr.clip(strength, 0.05, 1)
        state["active"] &= (rng.next() < survival) & (strength > 0) & dr.isfinite(strength)
        state["active"] &= state["sweeps"] + 1 < MAX_SWEEPS
        state["beta"] = state["beta"] / survival
        state["sweeps"] += 1
        state["rng"] = rng.state

    def _down(self, k: int, state: State, rng: Stream) -> None:
        """Crosses medium k downwards and scatters at what lies below it."""
        mi, dr = self.mi, self.dr
        arrived = self._fly(k, self._in_medium(k, state) & (state["d"].z < 0), state, rng)
        a = -state["d"]
        if k + 1 < len(self.stack.interfaces):
            below = self.stack.interfaces[k + 1]
            up = self.light[k].up
            joined = self._weighed(below.eval(a, up, True, Way.REFLECT), lambda: below.pdf(a, up, True, Way.REFLECT), k)
            drawn = below.sample(a, rng.next(), rng.pair(), True)
            direction, weight = drawn.direction, drawn.weight
            density = below.pdf(a, direction, True, Way.REFLECT) if self.stack.leaves else None
        else:
            bottom, up = self.stack.bottom, self.light[k].up
            joined = self._weighed(bottom.eval(a, up), lambda: bottom.pdf(a, up), k)
            direction = bottom.sample(a, rng.next(), rng.pair())
            density = dr.select(direction.z > 0, bottom.pdf(a, direction), 0)
            weight = dr.select(density > 0, bottom.eval(a, direction) / density, 0)
        self._join(k, arrived, joined, 1.0, state)
        self._turn(arrived, direction, weight, density, state)
        if k + 1 < len(self.stack.interfaces):
            state["medium"] = dr.select(arrived & (direction.z < 0), mi.UInt32(k + 1), state["medium"])

    def _up(self, k: int, state: State, rng: Stream) -> None:
        """Crosses medium k upwards and scatters at the interface above it."""
        mi, dr = self.mi, self.dr
        arrived = self._fly(k, self._in_medium(k, state) & (state["d"].z > 0), state, rng)
        above, a = self.stack.interfaces[k], -state["d"]
        if k == 0:
            if self.stack.leaves:
                self._leave(arrived, above, state)
            drawn = above.sample(a, rng.next(), rng.pair(), False, Way.REFLECT)
            self._move(arrived, drawn.direction, drawn.weight, state)
            return
        drawn = above.sample(a, rng.next(), rng.pair(), False)
        b, passed = drawn.direction, arrived & (drawn.direction.z > 0)
        state["medium"] = dr.select(passed, mi.UInt32(k - 1), state["medium"])
        if self.stack.leaves:
            forward = state["forward"] * above.pdf(a, b, False, Way.TRANSMIT)
            backward = state["backward"] * above.pdf(b, a, True, Way.TRANSMIT, Way.TRANSMIT)
            state["forward"] = dr.select(passed, forward, state["forward"])
            state["backward"] = dr.select(passed, backward, state["backward"])
        self._move(arrived, b, drawn.weight, state)

    def _in_medium(self, k: int, state: State) -> Any:
        return state["active"] & (state["medium"] == k) if len(self.stack.media) > 1 else state["active"]

    def _move(self, here: Any, direction: Any, weight: Any, state: State) -> None:
        """Goes on from a boundary."""
        dr = self.dr
        state["d"] = dr.select(here, direction, state["d"])
        state["beta"] = dr.select(here, state["beta"] * weight, state["beta"])
        if self.scatters:
            state["depth"] = dr.select(here, dr.select(direction.z < 0, 0.0, 1.0), state["depth"])

    def _turn(self, here: Any, direction: Any, weight: Any, density: Any, state: State) -> None:
        """Goes on from an event that may have turned the path upwards."""
        self._move(here, direction, weight, state)
        if self.stack.leaves:
            state["forward"] = self.dr.select(here, density, state["forward"])
            state["backward"] = self.dr.select(here, 1.0, state["backward"])

    def _fly(self, k: int, here: Any, state: State, rng: Stream) -> Any:
        """Moves the lanes `here` through medium k; returns those that cross it without scattering."""
        dr, slab = self.dr, self.stack.media[k]
        if slab is None:
            return here
        beta, cosine = state["beta"], cosine_of(dr, state["d"])
        if not slab.scatters:
            state["beta"] = dr.select(here, beta * dr.exp(-slab.absorption / cosine), beta)
            return here
        down, depth = state["d"].z < 0, state["depth"]
        reach = dr.select(down, 1 - depth, depth) / cosine
        extinction = slab.extinction
        chosen = self._of_hero(extinction)
        distance = -dr.log(1 - rng.next()) / dr.maximum(chosen, 1e-9)
        inside, length = distance < reach, dr.minimum(distance, reach)
        relative = dr.exp((chosen - extinction) * length)  # transmittance over the hero's
        bright = dr.select(inside, slab.scattering / dr.maximum(chosen, 1e-9), 1)
        likely = dr.select(inside, extinction / dr.maximum(chosen, 1e-9), 1)
        state["beta"] = dr.select(here, beta * relative * bright, beta)
        state["ratio"] = dr.select(here, state["ratio"] * relative * likely, state["ratio"])
        state["depth"] = dr.select(here, depth + length * dr.select(down, cosine, -cosine), depth)
        self._scatter(k, slab, here & inside, state, rng)
        return here & ~inside

    def _scatter(self, k: int, slab: Medium, here: Any, state: State, rng: Stream) -> None:
        """An event inside medium k."""
        mi, dr = self.mi, self.dr
        towards = phase_density(dr, dr.dot(state["d"], self.light[k].up), slab.anisotropy)
        joined = self._weighed(mi.Vector3f(towards), lambda: towards, k)
        self._join(k, here, joined, state["depth"], state)
        direction, density = phase_sample(mi, dr, state["d"], rng.pair(), slab.anisotropy)
        depth = state["depth"]
        self._turn(here, direction, mi.Vector3f(1), density, state)
        state["depth"] = depth

    def _of_hero(self, value: Any) -> Any:
        dr = self.dr
        return dr.select(self.hero == 0, value.x, dr.select(self.hero == 1, value.y, value.z))

    def _gain(self, state: State) -> Any:
        """Weight of the balance heuristic over the channels."""
        return 1 / self.dr.maximum(self.dr.mean(state["ratio"]), 1e-20) if self.scatters else 1.0

    def _join(self, k: int, here: Any, kernel: Any, depth: Any, state: State) -> None:
        """Adds what the light in medium k sends through a kernel towards it."""
        dr, slab, light = self.dr, self.stack.media[k], self.light[k]
        value = state["beta"] * kernel * light.weight * self._gain(state)
        if slab is not None:
            value = value * dr.exp(-slab.extinction * (depth / cosine_of(dr, light.up)))
        self._add(here, value, state)

    def _leave(self, here: Any, top: Placed, state: State) -> None:
        """Adds what a path that reaches the top from below sends towards `wo`."""
        dr, a = self.dr, -state["d"]
        backward = state["backward"] * top.pdf(self.wo, a, True, Way.TRANSMIT, Way.TRANSMIT)
        share = state["forward"] / dr.maximum(state["forward"] + backward, 1e-30)
        value = state["beta"] * top.eval(a, self.wo, False, Way.TRANSMIT) * (share * self._gain(state))
        self._add(here, value, state)

    def _add(self, here: Any, value: Any, state: State) -> None:
        dr = self.dr
        state["total"] = dr.select(here & dr.all(dr.isfinite(value)), state["total"] + value, state["total"])

    def _weighed(self, kernel: Any, density: Callable[[], Any], k: int) -> Any:
        """A kernel towards the light times the share of the joined way; density: of turning there by itself."""
        if not self.stack.leaves:
            return kernel
        light = self.light[k]
        return kernel * (light.density / self.dr.maximum(light.density + density() * light.backward, 1e-30))
