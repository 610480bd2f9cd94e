"""`verdigris render --realtime`: what its options ask for, and what it prints."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from verdigris.errors import RenderError

if TYPE_CHECKING:
    from verdigris.conventions import Array
    from verdigris.render.frame_times import FrameTimes

FRAMES, TURN_DEG, HOLD = 300, 1.0, 1


@dataclass(frozen=True)
class Moving:
    """The options that only a moving camera has; None where they are not given."""

    frames: int | None
    turn_deg: float | None
    hold: int | None
    as_json: bool

    def check(self, realtime: bool, aov: list[str] | None) -> None:
        """Raises RenderError for options that do not go together."""
        given = {"--frames": self.frames, "--turn": self.turn_deg, "--hold": self.hold, "--json": self.as_json or None}
        for option, value in given.items():
            if value is not None and not realtime:
                raise RenderError(f"{option}: expected --realtime beside it, got none")
        if realtime and aov:
            raise RenderError(f"--aov: expected none beside --realtime, got {aov[0]}")

    def run(
        self,
        subject: Any,
        scene: str,
        size: tuple[int, int],
        spp: int,
        seed: int,
        level: float | None,
        denoised: bool,
        output: Path | None,
    ) -> None:
        """Runs the loop, writes the last frame where an output is named, and prints the times."""
        from verdigris.render.image import write_image
        from verdigris.render.realtime import realtime

        last: list[Array] = []
        times = realtime(
            subject,
            scene,
            size,
            FRAMES if self.frames is None else self.frames,
            spp,
            seed,
            TURN_DEG if self.turn_deg is None else self.turn_deg,
            HOLD if self.hold is None else self.hold,
            denoised,
            level,
            lambda _, picture: last.__setitem__(slice(None), [picture]),
        )
        if output is not None:
            write_image(output, last[0])
        typer.echo(json.dumps(times.summary(), indent=2) if self.as_json else told(times))


def told(times: FrameTimes) -> str:
    """The times as a few lines."""
    told = times.summary()
    before, after = told["memory_mib"]
    return "\n".join(
        (
            f"{told['frames']} frames of {times.size[0]}x{times.size[1]}, {times.spp} samples a pixel"
            f"{', denoised' if times.denoised else ''}: {told['frames_per_second']} frames a second",
            f"a frame: median {told['median_ms']} ms, 95 % below {told['p95_ms']} ms, 99 % below {told['p99_ms']} ms",
            f"before the first of them {told['first_frame_s']} s; then {told['compiled']} kernels compiled, "
            f"{told['traced_again']} frames traced again",
            f"memory: {before} MiB, at the end {after} MiB ({100 * told['growth']:+.1f} %)",
        )
    )
