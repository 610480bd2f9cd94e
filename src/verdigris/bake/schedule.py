"""How much of its phase the next chunk covers: equal parts, or fewer and larger ones where a deadline is near.

Every rate is a function of a phase's progress, so that a bake cut short still ends with its rates fallen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from verdigris.errors import BakeError

END_SECONDS, END_SAMPLES, END_TEXELS = 2.5, 1e5, 2e6
"""Kept back for what follows the last phase (the furnace, the report, rounding, writing): for each material
END_SECONDS and as long as END_SAMPLES queries take in training, and a second for each END_TEXELS texels."""

RECENT = 8
"""Chunks that the pace is a mean of."""


@dataclass
class Course:
    """Progress of one phase, `chunk` chunks into it: 0 to 1, on a line from `base` at chunk `first` to 1 at `last`.

    shortened: whether that line ever left chunks out.
    """

    chunk: int = 0
    first: int = 0
    base: float = 0.0
    last: int = 1
    shortened: bool = False

    def progress(self, chunk: int) -> float:
        """Progress after `chunk` chunks."""
        return self.base + (1.0 - self.base) * (chunk - self.first) / max(self.last - self.first, 1)

    @property
    def done(self) -> bool:
        """Whether no chunk is left."""
        return self.chunk >= self.last

    def leave(self, left: int, whole: int) -> None:
        """Lets `left` more chunks make up what remains of a phase that has `whole` where none is cut.

        0 ends it as it is, its rates not quite fallen.
        """
        self.shortened |= self.chunk + left < whole
        if left and self.chunk + left != self.last:
            self.base, self.first = self.progress(self.chunk), self.chunk
        self.last = self.chunk + left


@dataclass
class Pace:
    """Seconds a chunk takes, and how many still fit before a deadline.

    chunks: of each phase in their order, where none is cut. chunk: queries in one. texels: of the latent texture.
    deadline: moment of `clock` by which the asset must be written; None: no hurry. materials: that share the bake, each
    of which has its own report.
    """

    chunks: Mapping[str, int]
    chunk: int
    texels: int = 1
    deadline: float | None = None
    clock: Callable[[], float] = time.monotonic
    materials: int = 1
    _recent: list[float] = field(default_factory=list)
    _starting: float = 0.0

    def check(self) -> None:
        """Raises BakeError where the time is up before the training has begun."""
        if self.deadline is not None and self.deadline - self.clock() < END_SECONDS * self.materials:
            raise BakeError("time budget: starting up took it all, expected a longer one")

    def tick(self, seconds: float, starts: bool) -> None:
        """Takes in a finished chunk's time. starts: it is the first of its phase, in which the phase is compiled."""
        if starts:
            self._starting = max(self._starting, seconds)
        else:
            self._recent = [*self._recent, seconds][-RECENT:]

    @property
    def seconds(self) -> float:
        """A chunk's seconds, by the last ones; 0 while they are not known."""
        return float(np.mean(self._recent)) if self._recent else 0.0

    def fitting(self, phase: str, course: Course) -> int:
        """Chunks that should make up the rest of a phase: all where there is time, else as many as its share of the
        time holds. 0 where not even one does, but 1 where the phase has had none.
        """
        left = self.chunks[phase] - course.chunk
        if self.deadline is None:
            return left
        later, pace = self._later(phase), self.seconds
        end = (END_SECONDS + pace * END_SAMPLES / self.chunk) * self.materials + self.texels / END_TEXELS
        spare = self.deadline - self.clock() - end
        spare -= len(later) * max(self._starting - pace, 0.0)
        wanted = (1.0 - course.progress(course.chunk)) * self.chunks[phase]
        if wanted <= 0.0:
            return 0
        share = spare * wanted / (wanted + sum(later))
        # A quarter of a chunk over is better than rates that have not fallen.
        fit = int(share / pace + 0.25) if pace else left if share > 0.0 else 0
        return min(left, max(fit, 0 if course.chunk else 1))

    def seconds_left(self, phase: str, course: Course) -> float:
        """Until the end of the last phase, at the present pace; not beyond the deadline."""
        left = (course.last - course.chunk + sum(self._later(phase))) * (self.seconds or self._starting)
        return left if self.deadline is None else max(min(left, self.deadline - self.clock()), 0.0)

    def _later(self, phase: str) -> list[int]:
        names = list(self.chunks)
        return [self.chunks[name] for name in names[names.index(phase) + 1 :]]
