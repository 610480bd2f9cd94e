"""What a run of the real-time loop measured: times of frames, memory, and what was compiled."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.runtime import mitsuba

MIB = 1 << 20
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, eq=False)
class FrameTimes:
    """milliseconds: of each frame, `[frames]`. first_frame_s: until the loop had settled, compilation included.

    memory_mib: resident memory of the process before the frames and after them. launches: kernels a frame. compiled:
    kernels that a frame had to compile or to load; recordings: how often a frame was traced anew; both 0 where all
    is well.
    """

    size: tuple[int, int]
    spp: int
    denoised: bool
    milliseconds: Array
    first_frame_s: float
    memory_mib: tuple[float, float]
    launches: float
    compiled: int
    recordings: int

    @property
    def median_ms(self) -> float:
        """Half of the frames are faster."""
        return float(np.median(self.milliseconds))

    def summary(self) -> dict[str, Any]:
        """Plain JSON values; `growth` is that of the memory, as a share."""
        before, after = self.memory_mib
        p95, p99 = np.percentile(self.milliseconds, (95, 99))
        return {
            "size": list(self.size),
            "spp": self.spp,
            "denoised": self.denoised,
            "frames": len(self.milliseconds),
            "median_ms": round(self.median_ms, 2),
            "p95_ms": round(float(p95), 2),
            "p99_ms": round(float(p99), 2),
            "frames_per_second": round(1e3 * len(self.milliseconds) / float(self.milliseconds.sum()), 2),
            "first_frame_s": round(self.first_frame_s, 2),
            "memory_mib": [round(before, 1), round(after, 1)],
            "growth": round(after / before - 1, 4),
            "kernels_a_frame": round(self.launches, 2),
            "compiled": self.compiled,
            "traced_again": self.recordings,
        }


class Kernels:
    """Counts the kernels launched while it is entered, and those of them that were not in memory yet."""

    def __enter__(self) -> Kernels:
        mitsuba()
        self._dr = import_module("drjit")
        self._flag = self._dr.scoped_set_flag(self._dr.JitFlag.KernelHistory)
        self._flag.__enter__()
        self.clear()
        return self

    def __exit__(self, *error: Any) -> None:
        self._flag.__exit__(*error)
        self._dr.kernel_history_clear()

    def clear(self) -> None:
        """Forgets all that was launched so far."""
        self.launched = self.compiled = 0
        self._dr.kernel_history_clear()

    def count(self) -> None:
        """Takes in what was launched since the last call."""
        history = self._dr.kernel_history([self._dr.KernelType.JIT])
        self.launched += len(history)
        self.compiled += sum(not kernel["cache_hit"] for kernel in history)


def resident_mib() -> float:
    """Memory of this process that is in use now; where the system does not tell, the most that ever was. MiB."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
