"""A stack of interfaces and media over a bottom, placed at a surface point: what the random walk goes through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from verdigris.materials.closures.interface import RoughInterface, Sample, Way

_COS_MIN = 1e-4


def cosine_of(dr: Any, w: Any) -> Any:
    """|cos|, kept away from 0 to be divided by."""
    return dr.maximum(dr.abs(w.z), _COS_MIN)


@dataclass(frozen=True)
class Medium:
    """A homogeneous slab of unit thickness: coefficients `Vector3f`, anisotropy of Henyey-Greenstein `Float`.

    scatters: whether the scattering coefficient can be other than 0.
    """

    absorption: Any
    scattering: Any
    anisotropy: Any
    scatters: bool

    @property
    def extinction(self) -> Any:
        """What a unit of way takes from a beam."""
        return self.absorption + self.scattering if self.scatters else self.absorption


def phase_density(dr: Any, cosine: Any, anisotropy: Any) -> Any:
    """Henyey-Greenstein's phase function of the cosine between the ways of travel before and after."""
    base = dr.maximum(1 + anisotropy * anisotropy - 2 * anisotropy * cosine, 1e-6)
    return (1 - anisotropy * anisotropy) / (4 * dr.pi * base * dr.sqrt(base))


def phase_sample(mi: Any, dr: Any, d: Any, u: Any, anisotropy: Any) -> tuple[Any, Any]:
    """(way of travel after, density) in proportion to the phase function."""
    g = dr.select(dr.abs(anisotropy) < 1e-3, 1e-3, anisotropy)
    ratio = (1 - g * g) / (1 - g + 2 * g * u.x)
    cosine = dr.clip((1 + g * g - ratio * ratio) / (2 * g), -1, 1)
    s, c = dr.sincos(2 * dr.pi * u.y)
    sine = dr.sqrt(dr.maximum(1 - cosine * cosine, 0))
    direction = mi.Frame3f(d).to_world(mi.Vector3f(sine * c, sine * s, cosine))
    return direction, phase_density(dr, cosine, anisotropy)


Frame = tuple[Callable[[Any], Any], Callable[[Any], Any]]
"""The ways into the frame of an interface and back."""


@dataclass(frozen=True)
class Placed:
    """An interface and the way into its frame and back; None where its frame is the surface's.

    Directions that a tilted normal puts on the wrong side of the surface carry nothing.
    """

    interface: RoughInterface
    frame: Frame | None = None

    def eval(self, a: Any, b: Any, above: bool, way: Way) -> Any:
        """As `RoughInterface.eval`."""
        if self.frame is None:
            return self.interface.eval(a, b, above, way)
        la, lb, consistent = self._local(a, b)
        return self.interface.dr.select(consistent, self.interface.eval(la, lb, above, way), 0)

    def pdf(self, a: Any, b: Any, above: bool, way: Way, drawn: Way = Way.EITHER) -> Any:
        """As `RoughInterface.pdf`."""
        if self.frame is None:
            return self.interface.pdf(a, b, above, way, drawn)
        la, lb, consistent = self._local(a, b)
        return self.interface.dr.select(consistent, self.interface.pdf(la, lb, above, way, drawn), 0)

    def sample(self, a: Any, u: Any, u2: Any, above: bool, way: Way = Way.EITHER) -> Sample:
        """As `RoughInterface.sample`."""
        if self.frame is None:
            return self.interface.sample(a, u, u2, above, way)
        to_local, to_world = self.frame
        local = to_local(a)
        drawn = self.interface.sample(local, u, u2, above, way)
        b = to_world(drawn.direction)
        consistent = (b.z * drawn.direction.z > 0) & (a.z * local.z > 0)
        return Sample(b, self.interface.dr.select(consistent, drawn.weight, 0))

    def _local(self, a: Any, b: Any) -> tuple[Any, Any, Any]:
        assert self.frame is not None
        la, lb = self.frame[0](a), self.frame[0](b)
        return la, lb, (a.z * la.z > 0) & (b.z * lb.z > 0)


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
    """Interfaces from the top, each with the medium below it (None: empty), and the bottom.

    leaves: whether a path also leaves by itself, beside being joined to the light: not worth its cost where all that
    scatters below the one interface is wide.
    """

    interfaces: Sequence[Placed]
    media: Sequence[Medium | None]
    bottom: Bottom
    leaves: bool
