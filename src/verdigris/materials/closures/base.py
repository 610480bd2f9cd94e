"""What a closure is, and the registry of closures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from verdigris.materials.graph import Constant
from verdigris.materials.nodes.registry import Call

CLOSURES: dict[str, Closure] = {}
"""Leaf closures by MaterialX category."""


class Closure(Protocol):
    """One lobe. Directions are local to the closure's own frame (its `normal` and `tangent` inputs), wi.z > 0.

    opaque: nothing below it is seen, whatever its weight (MaterialX gives such closures a throughput of 0).
    """

    opaque: bool

    def eval(self, call: Call, wi: Any, wo: Any) -> Any:
        """Weight times BSDF times cos(wo), `Vector3f`; wo.z > 0."""

    def albedo(self, call: Call, wi: Any) -> Any:
        """Weight times directional albedo, `Vector3f`: what a layer below does not receive."""

    def sample(self, call: Call, wi: Any, u: Any) -> Any:
        """A direction `wo` from two uniform numbers; it may lie below the horizon."""

    def pdf(self, call: Call, wi: Any, wo: Any) -> Any:
        """Density of `sample` per solid angle."""


def closure(category: str) -> Callable[[type], type]:
    """Registers a closure class for a category."""

    def register(cls: type) -> type:
        CLOSURES[category] = cls()
        return cls

    return register


def number(call: Call, name: str) -> Any:
    """An input: a number or a tuple of numbers where it is constant, so that what follows from it alone costs nothing.

    In Dr.Jit where it varies.
    """
    got = call.node.inputs.get(name)
    return got.value if isinstance(got, Constant) else call[name]


def frame(mi: Any, dr: Any, normal: Any, tangent: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """The ways into the frame of a unit normal, x along the tangent made orthogonal to it, and back."""
    x = tangent - normal * dr.dot(normal, tangent)
    x = x * dr.rsqrt(dr.maximum(dr.squared_norm(x), 1e-12))
    y = dr.cross(normal, x)
    return (
        lambda w: mi.Vector3f(dr.dot(w, x), dr.dot(w, y), dr.dot(w, normal)),
        lambda w: x * w.x + y * w.y + normal * w.z,
    )


def cosine_sample(mi: Any, dr: Any, u: Any) -> Any:
    """Cosine-weighted direction about z (Malley)."""
    s, c = dr.sincos(2 * dr.pi * u.x)
    r = dr.sqrt(u.y)
    return mi.Vector3f(r * c, r * s, dr.sqrt(dr.maximum(1 - u.y, 0)))


def cosine_pdf(dr: Any, wo: Any) -> Any:
    """Density of `cosine_sample`."""
    return dr.maximum(wo.z, 0) / dr.pi


class CosineSampled:
    """Closures that are sampled by the cosine alone."""

    def sample(self, call: Call, wi: Any, u: Any) -> Any:
        """Cosine-weighted direction."""
        return cosine_sample(call.mi, call.dr, u)

    def pdf(self, call: Call, wi: Any, wo: Any) -> Any:
        """cos(wo) / pi."""
        return cosine_pdf(call.dr, wo)
