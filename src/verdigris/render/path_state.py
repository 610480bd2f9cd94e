"""What a path carries from hit to hit, and as a list of arrays, which is how it moves from lane to lane.

Types: those of the Mitsuba variant in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from verdigris.render import sorting
from verdigris.runtime import mitsuba


@dataclass
class Path:
    """The state of the walk. previous, pdf, delta: the place that a ray left, and how its direction was sampled.

    width, spread: of the ray's cone. valid: whether there is anything there, for the alpha channel.
    """

    ray: Any
    throughput: Any
    radiance: Any
    eta: Any
    depth: Any
    valid: Any
    previous: Any
    pdf: Any
    delta: Any
    width: Any
    spread: Any
    active: Any


class Draws(NamedTuple):
    """The random numbers of a hit: for a light, for the BSDF's lobe and direction, and for Russian roulette."""

    light: Any
    lobe: Any
    direction: Any
    chance: Any


def draw(sampler: Any) -> Draws:
    """The next ones of a Mitsuba sampler."""
    return Draws(sampler.next_2d(), sampler.next_1d(), sampler.next_2d(), sampler.next_1d())


def first_paths(ray: Any, cone: tuple[Any, Any], valid: bool, active: Any) -> Path:
    """Paths that start with camera rays, `Ray3f`; cone: width and spread."""
    mi = mitsuba()
    return Path(
        ray=mi.Ray3f(ray),
        throughput=mi.Color3f(1),
        radiance=mi.Color3f(0),
        eta=mi.Float(1),
        depth=mi.UInt32(0),
        valid=mi.Bool(valid),
        previous=mi.Point3f(0),
        pdf=mi.Float(1),
        delta=mi.Bool(True),
        width=cone[0],
        spread=cone[1],
        active=mi.Bool(active),
    )


_FIELDS = ("throughput", "radiance", "eta", "depth", "valid", "previous", "pdf", "delta", "width", "spread", "active")


def as_arrays(path: Path, hit: Any, home: Any) -> list[Any]:
    """All that tells a path from others: it met `hit`, a `PreliminaryIntersection3f`, and started in lane `home`."""
    ray = path.ray
    state = [getattr(path, name) for name in _FIELDS]
    return [home, ray.o, ray.d, ray.time, *state, *(getattr(hit, name) for name in hit.DRJIT_STRUCT)]


def restored(buffers: Sequence[Any], lanes: Any) -> tuple[Any, Path, Any]:
    """The lane that it started in, the path and its hit, from the records of `as_arrays` that the lanes name. The ray's
    reach is lost; it was of use until the hit was found."""
    mi, dr = mitsuba(), import_module("drjit")
    hit = dr.zeros(mi.PreliminaryIntersection3f)
    blank = first_paths(dr.zeros(mi.Ray3f), (mi.Float(0), mi.Float(0)), False, True)
    kinds = [type(value) for value in as_arrays(blank, hit, mi.UInt32(0))]
    home, origin, direction, time, *values = sorting.restored(kinds, buffers, lanes)
    ray = mi.Ray3f(origin, direction, time, mi.Color0f())
    path = Path(ray=ray, **dict(zip(_FIELDS, values, strict=False)))
    for name, value in zip(hit.DRJIT_STRUCT, values[len(_FIELDS) :], strict=True):
        setattr(hit, name, value)
    return home, path, hit


def draws_of(buffers: Sequence[Any], lanes: Any) -> Draws:
    """The random numbers that the lanes drew, from records of `Draws`."""
    mi = mitsuba()
    return Draws(*sorting.restored([mi.Point2f, mi.Float, mi.Point2f, mi.Float], buffers, lanes))
