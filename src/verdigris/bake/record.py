"""What a bake remembers beside its arrays, as plain numbers: where it stands, how its loss went, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from verdigris.bake.schedule import Course

SMOOTHING = 0.5
"""Weight of the newest chunk in the smoothed loss."""

FAR_ABOVE, PATIENCE = 3.0, 4
"""A loss diverges once it stays above FAR_ABOVE times its smoothed best for PATIENCE chunks on end."""

CURVE_POINTS = 200


@dataclass
class Watch:
    """Tells a loss that diverges, chunk by chunk, within one phase."""

    smoothed: float | None = None
    best: float | None = None
    above: int = 0

    def diverges(self, loss: float, first: float) -> bool:
        """Takes in a chunk's mean loss: whether it is not finite, or has been far above its best for long.

        first: loss of the chunk's first step; that of the phase's first, which nothing has changed yet, counts as a
        best: else a phase that explodes at once would be measured by its ruins.
        """
        if not np.isfinite(loss):
            return True
        self.best = first if self.best is None else self.best
        self.above = self.above + 1 if loss > FAR_ABOVE * self.best else 0
        self.smoothed = loss if self.smoothed is None else self.smoothed + SMOOTHING * (loss - self.smoothed)
        self.best = min(self.best, self.smoothed)
        return self.above >= PATIENCE


@dataclass
class Record:
    """One bake so far. losses: mean loss of each chunk, by phase. queries, bad: reference values asked for, and those
    that were not finite, of each material. retries: how often it went back and halved its rates."""

    phase: str = ""
    course: Course = field(default_factory=Course)
    watch: Watch = field(default_factory=Watch)
    losses: dict[str, list[float]] = field(default_factory=dict)
    earlier_shortened: bool = False
    retries: int = 0
    queries: list[int] = field(default_factory=list)
    bad: list[int] = field(default_factory=list)

    def begin(self, phase: str, chunks: int) -> None:
        """Enters a phase of that many chunks."""
        self.earlier_shortened = self.shortened
        self.phase, self.course, self.watch = phase, Course(last=chunks), Watch()
        self.losses[phase] = []

    def take(self, loss: float) -> None:
        """Counts a finished chunk."""
        self.losses[self.phase].append(loss)
        self.course.chunk += 1

    @property
    def shortened(self) -> bool:
        """Whether a deadline changed the course of this phase, or of an earlier one."""
        return self.earlier_shortened or self.course.shortened

    @property
    def chunks(self) -> int:
        """Chunks that the state has learned from, of all phases."""
        return sum(map(len, self.losses.values()))

    def plain(self) -> dict[str, Any]:
        """As JSON values, a copy."""
        return asdict(self)

    @staticmethod
    def of(values: dict[str, Any]) -> Record:
        """The inverse of `plain`, a copy too. Raises TypeError or KeyError where fields are missing or unknown."""
        copy = asdict(Record(**values))
        return Record(**{**copy, "course": Course(**copy["course"]), "watch": Watch(**copy["watch"])})


def curves(losses: dict[str, list[float]], steps: int, points: int = CURVE_POINTS) -> list[dict[str, Any]]:
    """Loss curves for a report: {phase, steps, steps_a_point, loss} of each phase, at most `points` points in all.

    steps: of a chunk. A point is the mean loss of the `steps_a_point` steps up to it; the last may have fewer.
    """
    total, found = sum(map(len, losses.values())), []
    for phase, values in losses.items():
        share = max(int(points * len(values) / max(total, 1)), 1)
        every = -(-len(values) // share) if values else 1
        means = [_short(values[first : first + every]) for first in range(0, len(values), every)]
        found.append({"phase": phase, "steps": len(values) * steps, "steps_a_point": every * steps, "loss": means})
    return found


def _short(values: Sequence[float]) -> float:
    return float(f"{np.mean(values):.4g}")
