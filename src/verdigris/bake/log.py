"""The log of a bake: JSON lines, one a chunk, that can be followed while it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from verdigris.bake.loop import OnProgress, Progress
from verdigris.errors import BakeError


@contextmanager
def chunk_log(path: Path) -> Iterator[OnProgress]:
    """The block passes what it yields to `bake(on_progress=...)`; each chunk adds a line to the file at once.

    Keys: chunk (from 1, over all phases), phase, step, steps, loss (the chunk's mean), rate (the network's),
    samples_per_second, seconds (since this process began to bake), retries. A bake that goes on from a checkpoint goes
    on in its log too: the lines of chunks that it does again go. Any other bake replaces the file.

    Raises BakeError, naming the file, where it cannot be written.
    """
    stream: TextIO | None = None

    def on_progress(now: Progress) -> None:
        nonlocal stream
        if now.phase == "report":
            return
        try:
            if stream is None:
                kept = earlier_lines(path, now)
                stream = path.open("w", encoding="utf-8")
                stream.writelines(kept)
            stream.write(json.dumps(_facts(now)) + "\n")
            stream.flush()
        except OSError as error:
            raise BakeError(f"{path}: cannot be written: {error.strerror or error}") from error

    try:
        yield on_progress
    finally:
        if stream is not None:
            stream.close()


def earlier_lines(path: Path, first: Progress) -> list[str]:
    """The lines of a log that lead up to the chunk that `first` reports; none where they do not, or it is chunk 1."""
    if first.chunk == 1 or not path.exists():
        return []
    kept, last = [], 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        chunk, retries = _numbers(line)
        if chunk is None or (chunk >= first.chunk and retries >= first.retries):
            break
        kept.append(line)
        last = chunk
    return kept if last == first.chunk - 1 else []


def _numbers(line: str) -> tuple[int | None, int]:
    """A line's chunk and retries; no chunk where the line is not one of ours, or only the beginning of one."""
    try:
        facts = json.loads(line) if line.endswith("\n") else {}
        return int(facts["chunk"]), int(facts["retries"])
    except (ValueError, TypeError, KeyError):
        return None, 0


def _facts(now: Progress) -> dict[str, Any]:
    return {
        "chunk": now.chunk,
        "phase": now.phase,
        "step": now.step,
        "steps": now.steps,
        "loss": now.loss,
        "rate": now.rate,
        "samples_per_second": round(now.samples_per_second),
        "seconds": round(now.seconds, 3),
        "retries": now.retries,
    }
