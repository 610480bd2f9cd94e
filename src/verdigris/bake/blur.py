"""What a target is averaged over: a footprint about its position, a cone about its direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verdigris.conventions import Array


@dataclass(frozen=True)
class Footprint:
    """`samples` positions of a Gaussian about a query's own, with the standard deviation that the query has in u and v,
    `[n]`; 0, or None for all: its own position alone."""

    deviation: Array | None = None
    samples: int = 1

    @property
    def wide(self) -> Array | None:
        """The deviations, if any query has one."""
        return self.deviation if self.deviation is not None and self.deviation.any() else None


NO_FOOTPRINT = Footprint()


@dataclass(frozen=True)
class Blur:
    """A cone and a footprint; by default neither.

    cone, cone_samples: directions up to `cone` radians from wo, that many of them. Where there is a cone, a direction
    and a position of the footprint are drawn together, `cone_samples` times. Without one, each position is asked for
    one walk, where the reference is walked.
    """

    cone: float = 0.0
    cone_samples: int = 1
    footprint: Footprint = NO_FOOTPRINT


NO_BLUR = Blur()


class Places:
    """Positions of footprints in Dr.Jit: a row of them that fills each footprint evenly, however many are taken.

    By the additive sequence R2 (Roberts 2018), shifted by two random numbers, and the polar form of Box and Muller.
    """

    def __init__(self, mi: Any, dr: Any, uv: Any, deviation: Array, rng: Any):
        """uv: `Point2f`. deviation: `[n]`, in u and v. rng: `PCG32`."""
        self._mi, self._dr, self._uv = mi, dr, uv
        self._deviation = mi.Float(deviation.astype("float32"))
        self._shift = mi.Point2f(rng.next_float32(), rng.next_float32())
        dr.make_opaque(self._uv, self._deviation, self._shift, rng)

    def at(self, index: int) -> Any:
        """Position number `index` of each footprint, `Point2f` in the unit square."""
        mi, dr = self._mi, self._dr
        step = [dr.opaque(mi.Float, (index * ratio) % 1.0) for ratio in (0.7548776662466927, 0.5698402909980532)]
        point = wrapped(dr, self._shift + mi.Point2f(*step))
        sin_p, cos_p = dr.sincos(2.0 * dr.pi * point.y)
        radius = self._deviation * dr.sqrt(-2.0 * dr.log(1.0 - dr.minimum(point.x, 1.0 - 6e-8)))
        return wrapped(dr, self._uv + radius * mi.Point2f(cos_p, sin_p))


def wrapped(dr: Any, uv: Any) -> Any:
    """A position in the unit square, which is what is baked; a source's own textures may not repeat."""
    return uv - dr.floor(uv)
