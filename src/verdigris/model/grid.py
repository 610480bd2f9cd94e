"""Latents as whole numbers: what a code of 8 or 4 bits stands for. A forward never sees codes, only their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verdigris.conventions import Array

LATENT_BITS = (16, 8, 4)
"""Bits a stored latent may have: float16, or a code on a grid."""

STEPS_MAX = 2.0**20
"""An offset is at most so many steps of its grid, so that single precision tells all codes apart."""

Codes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Grid:
    """The values a level's latents may take: channel c has `offset[c] + scale[c] * code`, code 0 to 2^bits - 1.

    bits: 8 or 4. offset, scale: `[C]` float32, each a number that float16 has. So the product is exact in single
    precision, and the sum is rounded once, whether it is a fused operation or not: every forward decodes the same
    values. scale: 0 where all texels hold the offset, else at least |offset| / STEPS_MAX.

    Raises ValueError, naming the field, for anything else.
    """

    bits: int
    offset: Array
    scale: Array

    def __post_init__(self) -> None:
        if self.bits not in LATENT_BITS[1:]:
            raise ValueError(f"latent_bits: expected 8 or 4, got {self.bits!r}")
        for name, values in (("offset", self.offset), ("scale", self.scale)):
            if values.ndim != 1 or values.dtype != np.float32:
                raise ValueError(f"{name}: expected float32 of shape (channels,), got {values.dtype} {values.shape}")
            _check(name, "numbers that float16 has (up to 65504)", values, values == _half(values))
        if self.offset.shape != self.scale.shape:
            raise ValueError(f"scale: expected shape {self.offset.shape}, got {self.scale.shape}")
        fits = (self.scale == 0) | (self.scale * STEPS_MAX >= np.abs(self.offset))
        _check("scale", "0, or at least |offset| / 2^20", self.scale, (self.scale >= 0) & fits)

    @property
    def top(self) -> int:
        """The largest code."""
        return int(2**self.bits - 1)

    def decode(self, codes: Codes) -> Array:
        """Values of codes, `[H, W, C]` uint8 -> float32."""
        return self.offset + self.scale * codes.astype(np.float32)

    def encode(self, latents: Array) -> Codes:
        """Codes of the nearest values (halves to even; the end of the grid where they lie beyond it), `[H, W, C]`.

        The inverse of `decode`, exactly.
        """
        steps = (latents.astype(np.float64) - self.offset) / np.where(self.scale > 0, self.scale, np.inf)
        return np.clip(np.rint(steps), 0, self.top).astype(np.uint8)

    def fits(self, latents: Array) -> NDArray[np.bool_]:
        """Where latents lie no farther from the grid than half a step, `[H, W, C]`."""
        gap = np.abs(latents.astype(np.float64) - self.decode(self.encode(latents)))
        return gap <= 0.5001 * self.scale + 1e-6 * np.abs(self.offset)


def _half(values: Array) -> Array:
    with np.errstate(over="ignore"):
        return values.astype(np.float16).astype(np.float32)


def _check(name: str, expected: str, values: Array, good: Any) -> None:
    if not (good & np.isfinite(values)).all():
        raise ValueError(f"{name}: expected {expected}, got {values[~(good & np.isfinite(values))][0]}")


def check_grids(grids: tuple[Grid, ...], levels: tuple[Array, ...]) -> None:
    """Raises ValueError, naming the field, unless there are no grids, or one a level with as many channels as it."""
    if not grids:
        return
    if len(grids) != len(levels):
        raise ValueError(f"grids: expected none, or one for each of {len(levels)} levels, got {len(grids)}")
    if len({grid.bits for grid in grids}) > 1:
        raise ValueError(f"grids: expected one number of bits, got {sorted({grid.bits for grid in grids})}")
    for index, (grid, level) in enumerate(zip(grids, levels, strict=True)):
        if grid.offset.shape != level.shape[2:]:
            raise ValueError(f"grids.{index}: expected {level.shape[2]} channels, got {len(grid.offset)}")
