"""What a target is averaged over: a footprint about its position, a cone about its direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verdigris.conventions import Array


@dataclass(frozen=True)
class Footprint:
    """`samples` positions of a Gaussian about a query's own, one number for all or `[n]`, with the standard deviation
    that the query has in u and v, `[n]`; 0, or None for all: its own position alone."""

    deviation: Array | None = None
    samples: int | NDArray[np.uint32] = 1

    @property
    def wide(self) -> Array | None:
        """The deviations, if any query has one."""
        return self.deviation if self.deviation is not None and self.deviation.any() else None

    @property
    def spread(self) -> Array:
        """Sides of the texels whose footprints they are, in u and v."""
        assert self.deviation is not None
        return 2.0 * self.deviation

    @property
    def counts(self) -> NDArray[np.uint32]:
        """Positions of each of the queries that have a deviation, in their order."""
        assert self.deviation is not None
        return np.broadcast_to(np.uint32(self.samples), self.deviation.shape)[self.deviation > 0]


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

R2 = (3242174889, 2447445414)
"""The steps of the additive sequence R2 along u and v, in units of 2^-32: 1 / p and 1 / p^2 with p^3 = p + 1."""


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

    def at(self, index: Any) -> Any:
        """Position number `index` (`UInt32`) of each footprint, `Point2f` in the unit square."""
        mi, dr = self._mi, self._dr
        step = [mi.Float(index * mi.UInt32(ratio)) * 2.0**-32 for ratio in R2]
        point = wrapped(dr, self._shift + mi.Point2f(*step))
        sin_p, cos_p = dr.sincos(2.0 * dr.pi * point.y)
        radius = self._deviation * dr.sqrt(-2.0 * dr.log(1.0 - dr.minimum(point.x, 1.0 - 6e-8)))
        return wrapped(dr, self._uv + radius * mi.Point2f(cos_p, sin_p))

    def mean(
        self, counts: NDArray[np.uint32], values: Callable[[Any], Sequence[Any]], zeros: Sequence[Any]
    ) -> list[Any]:
        """Means of `values` at the first `counts` `[n]` positions of each footprint, as many arrays as there are zeros.

        One kernel, in whose loop a query with few positions ends early: a kernel a position would be traced each time.
        """
        mi, dr = self._mi, self._dr
        last = mi.UInt32(np.ascontiguousarray(counts))
        dr.make_opaque(last)

        def add(index: Any, *totals: Any) -> tuple[Any, ...]:
            return (index + 1, *(total + value for total, value in zip(totals, values(self.at(index)), strict=True)))

        state = (dr.zeros(mi.UInt32, len(counts)), *zeros)
        _, *totals = dr.while_loop(state, lambda index, *_: index < last, add, mode="symbolic")
        return [total / mi.Float(last) for total in totals]


def wrapped(dr: Any, uv: Any) -> Any:
    """A position in the unit square, which is what is baked; a source's own textures may not repeat."""
    return uv - dr.floor(uv)
