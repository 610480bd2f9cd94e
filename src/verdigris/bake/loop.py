"""Runs the phases of a bake, any of them on one path: chunk after chunk, with checkpoints, retries and a deadline.

The queries of the next chunk are made while a chunk trains. A chunk depends on the seed, its phase and its index alone,
so that a bake which goes on from a checkpoint gives what it would have given uninterrupted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verdigris.bake.checkpoint import Checkpoint, Unusable, remove
from verdigris.bake.phases import Phase, Span, Tree
from verdigris.bake.queries import QuerySource
from verdigris.bake.record import Record
from verdigris.bake.schedule import Course, Pace
from verdigris.conventions import Array
from verdigris.errors import BakeError

SNAPSHOT_CHUNKS = 8
"""Chunks between two states to go back to. A number of chunks, not a time: where a bake goes back to is part of its
result, and so is the state that a checkpoint keeps."""

RETRIES_MAX = 3
WRITING_SHARE = 0.05
"""Share of the time that writing checkpoints may take: those of a huge texture come less often."""


@dataclass(frozen=True)
class Progress:
    """Where a bake stands: step of steps in the phase, the last chunk's mean loss, an estimate of the time left.

    `seconds_left` is for the whole bake and counts the phases to come at the pace of the last chunks; `seconds` are
    those since it started. rate: the network's, at the end of the chunk. retries: how often the bake went back.
    chunk: chunks of all phases that the state has learned from.
    """

    phase: str
    step: int
    steps: int
    loss: float
    samples_per_second: float
    seconds_left: float
    seconds: float = 0.0
    rate: float = 0.0
    retries: int = 0
    chunk: int = 0


OnProgress = Callable[[Progress], None]


def _silent(_message: str) -> None:
    pass


@dataclass(frozen=True)
class Job:
    """How a bake is carried out. Nothing of it changes the result, but a deadline that comes too soon for all chunks.

    checkpoint: file in which the state is kept, to go on from after an interruption; None: nowhere. Who saves the
    asset removes it. checkpoint_seconds: between two writes, beside that at the end of each phase.
    deadline: moment of `time.monotonic` by which the asset should be written.
    on_notice: called with what a user should know, a line each.
    """

    checkpoint: Path | None = None
    checkpoint_seconds: float = 30.0
    deadline: float | None = None
    on_notice: Callable[[str], None] = _silent


@dataclass(frozen=True)
class Stage:
    """A phase in its place, made when its turn comes: `build` gives the phase, `start` its first state from the last
    one of the stage before."""

    name: str
    build: Callable[[], Phase]
    start: Callable[[Tree], Tree]


@dataclass(frozen=True)
class _Snapshot:
    """A good state as NumPy arrays, and the record at that moment as plain values."""

    state: Tree
    record: dict[str, Any]


@dataclass
class Loop:
    """One bake's way through its stages. steps: optimiser steps of a chunk. checkpoint: where the job keeps one."""

    sources: Sequence[QuerySource]
    steps: int
    pace: Pace
    job: Job
    checkpoint: Checkpoint | None = None
    on_progress: OnProgress | None = None
    record: Record = field(default_factory=Record)
    _kept: _Snapshot | None = None
    _written: _Snapshot | None = None
    _write_after: float = 0.0
    _start: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self._start

    def run(self, stages: Sequence[Stage], state: Tree) -> Tree:
        """Runs the stages from `state`, or from the checkpoint, to the end: the last state, as NumPy arrays.

        Raises BakeError when the loss diverges RETRIES_MAX + 1 times, the reference gives too many values that are not
        finite, or the deadline leaves no time at all. KeyboardInterrupt passes; the checkpoint is written first.
        """
        self._write_after = time.monotonic() + self.job.checkpoint_seconds
        self._resume()
        self.pace.check()
        if self._kept is not None:
            state = self._kept.state
        names = [stage.name for stage in stages]
        first = names.index(self.record.phase) if self._kept is not None else 0
        try:
            for stage in stages[first:]:
                state = self._stage(stage, state)
        except KeyboardInterrupt:
            self._write()
            raise
        return state

    def _resume(self) -> None:
        """Takes over what the checkpoint holds, where there is one of this very bake."""
        if self.checkpoint is None:
            return
        try:
            found = self.checkpoint.read()
            if found is None:
                return
            record = Record.of(found[1])
        except (Unusable, TypeError, KeyError) as error:
            self.job.on_notice(f"{self.checkpoint.path}: ignored: {error}")
            return
        self._kept = self._written = _Snapshot(found[0], found[1])
        self._take_over(record)
        step, steps = record.course.chunk * self.steps, record.course.last * self.steps
        self.job.on_notice(f"{self.checkpoint.path}: going on from {record.phase}, step {step} of {steps}")

    def _take_over(self, record: Record) -> None:
        self.record = record
        counts = zip(self.sources, record.queries, record.bad, strict=True)
        for source, queries, bad in counts:
            source.check()
            source.count, source.bad = queries, bad

    def _stage(self, stage: Stage, state: Tree) -> Tree:
        phase = stage.build()
        if self._kept is None or self.record.phase != stage.name:
            state = _to_host(stage.start(state))
            self.record.begin(stage.name, phase.chunks)
            self._keep(state)
        self._train(phase)
        assert self._kept is not None
        return self._kept.state

    def _train(self, phase: Phase) -> None:
        """Runs a phase from the kept state to its end, which is kept then."""
        before, starts = time.perf_counter(), True
        state, course = self._restored(), self._plan(phase)
        pending = phase.prepare(course.chunk) if not course.done else ()
        while not course.done:
            step = (course.chunk + 1) * self.steps
            state, losses = phase.advance(state, self._span(), *pending)
            # The device works on its own by now: this launches the next queries meanwhile.
            pending = phase.prepare(course.chunk + 1) if course.chunk + 1 < course.last else ()
            values = np.asarray(losses)
            now = time.perf_counter()
            self.pace.tick(now - before, starts)
            if self._good(phase, state, values, now - before):
                course = self.record.course
                if not pending and not course.done:
                    pending = phase.prepare(course.chunk)
            else:
                self._go_back(phase, step)
                state, course = self._restored(), self._plan(phase)
                pending = phase.prepare(course.chunk)
            before, starts = now, False

    def _span(self) -> Span:
        course, scale = self.record.course, 0.5**self.record.retries
        return Span(*map(np.float32, (course.progress(course.chunk), course.progress(course.chunk + 1), scale)))

    def _good(self, phase: Phase, state: Tree, losses: Array, seconds: float) -> bool:
        """Takes in a finished chunk, the losses of its steps `[steps]`; whether it may be gone on from."""
        # Of several materials one may be far easier than another: the first step of each, about.
        loss, first = float(losses.mean()), float(losses[: max(len(self.sources), 1)].max())
        if self.record.watch.diverges(loss, first):
            return False
        self.record.take(loss)
        course = self._plan(phase)
        if course.done or (course.chunk % SNAPSHOT_CHUNKS == 0 and not self.record.watch.above):
            host = _to_host(state)
            if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(host)):
                return False
            self._keep(host)
            if course.done or time.monotonic() >= self._write_after:
                self._write()
        self._show(phase, loss, seconds)
        return True

    def _plan(self, phase: Phase) -> Course:
        course = self.record.course
        course.leave(self.pace.fitting(phase.name, course), phase.chunks)
        return course

    def _show(self, phase: Phase, loss: float, seconds: float) -> None:
        if self.on_progress is None:
            return
        course, scale = self.record.course, 0.5**self.record.retries
        self.on_progress(
            Progress(
                phase.name,
                course.chunk * self.steps,
                course.last * self.steps,
                loss,
                self.pace.chunk / (self.pace.seconds or seconds),
                self.pace.seconds_left(phase.name, course),
                self.seconds,
                phase.rate(course.progress(course.chunk)) * scale,
                self.record.retries,
                self.record.chunks,
            )
        )

    def _keep(self, state: Tree) -> None:
        if self.record.course.chunk == 0 or self.record.course.done:
            # Elsewhere the next chunk's queries are under way, and count once that chunk is asked for again.
            for source in self.sources:
                source.check()
        self.record.queries = [source.count for source in self.sources]
        self.record.bad = [source.bad for source in self.sources]
        self._kept = _Snapshot(state, self.record.plain())

    def _restored(self) -> Tree:
        """The kept state on the device, the record as it was then."""
        assert self._kept is not None
        self._take_over(Record.of(self._kept.record))
        # A copy, since a chunk overwrites what it is given. Committed to the device, as the queries are: else the
        # second chunk compiles the phase once more.
        copy = jax.tree.map(lambda leaf: jnp.array(leaf, copy=True), self._kept.state)
        return jax.device_put(copy, jax.devices()[0])

    def _go_back(self, phase: Phase, step: int) -> None:
        """Returns to the kept state with half the rates. Raises BakeError where that was tried often enough."""
        assert self._kept is not None
        retries = self.record.retries
        if retries == RETRIES_MAX:
            if self.checkpoint is not None:
                remove(self.checkpoint.path)
            raise BakeError(
                f"{phase.name}: the loss diverges at step {step}, even at rates halved {retries} times: lower them"
            )
        self._kept.record["retries"] = retries + 1
        back = self._kept.record["course"]["chunk"] * self.steps
        self.job.on_notice(f"{phase.name}: the loss diverges at step {step}: again from step {back}, at half the rate")

    def _write(self) -> None:
        if self.checkpoint is None or self._kept is None or self._kept is self._written:
            return
        if not Record.of(self._kept.record).chunks:
            return
        start = time.monotonic()
        self.checkpoint.write(self._kept.state, self._kept.record)
        self._written, now = self._kept, time.monotonic()
        self._write_after = now + max(self.job.checkpoint_seconds, (now - start) / WRITING_SHARE)


def _to_host(tree: Tree) -> Tree:
    """Copies: an array on the device is given away with the next chunk."""
    return jax.tree.map(lambda leaf: np.array(leaf), tree)
