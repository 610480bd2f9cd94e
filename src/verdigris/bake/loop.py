"""Runs any phase: queries of the next chunk are made while a chunk trains; progress; a stop on divergence."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np

from verdigris.bake.phases import Phase, Span, Tree
from verdigris.errors import BakeError


@dataclass(frozen=True)
class Progress:
    """Where a bake stands: step of steps in the phase, the last chunk's mean loss, an estimate of the time left.

    `seconds_left` is for the whole bake and counts the phases to come at the pace of the last chunks.
    """

    phase: str
    step: int
    steps: int
    loss: float
    samples_per_second: float
    seconds_left: float


OnProgress = Callable[[Progress], None]


@dataclass
class Pace:
    """Counts chunks and time over all phases of a bake; `chunks_left` starts as their total."""

    chunks_left: int
    chunk: int
    steps: int
    _recent: list[float] = field(default_factory=list)

    def tick(self, phase: Phase, done: int, seconds: float, loss: float) -> Progress:
        """Takes in one finished chunk."""
        self.chunks_left -= 1
        # The first chunk of a phase compiles and says nothing about the pace.
        self._recent = [seconds] if done <= 2 else [*self._recent, seconds][-8:]
        pace = float(np.mean(self._recent))
        total = phase.chunks * self.steps
        return Progress(phase.name, done * self.steps, total, loss, self.chunk / pace, self.chunks_left * pace)


def run(phase: Phase, state: Tree, pace: Pace, on_progress: OnProgress | None = None) -> tuple[Tree, float]:
    """Runs a phase to its end: the new state and the last chunk's mean loss.

    Raises BakeError when the loss is not finite. The state passed in is consumed.
    """
    loss, before = float("nan"), time.perf_counter()
    pending = phase.prepare(0)
    for chunk in range(phase.chunks):
        span = Span(*map(np.float32, (chunk / phase.chunks, (chunk + 1) / phase.chunks, 1.0)))
        state, losses = phase.advance(state, span, *pending)
        # The device works on its own by now: this launches the next queries meanwhile.
        pending = phase.prepare(chunk + 1) if chunk + 1 < phase.chunks else ()
        loss = float(jnp.mean(losses))
        if not np.isfinite(loss):
            raise BakeError(
                f"{phase.name}: the loss is not finite after {(chunk + 1) * pace.steps} steps; lower `rate`"
            )
        now = time.perf_counter()
        progress = pace.tick(phase, chunk + 1, now - before, loss)
        before = now
        if on_progress is not None:
            on_progress(progress)
    return state, loss
