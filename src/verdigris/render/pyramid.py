"""The latent pyramid in Dr.Jit: a level a lane. Agrees with `model/latents.py`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from verdigris.conventions import Array
from verdigris.model.latents import ANISOTROPY
from verdigris.render import pool
from verdigris.runtime import mitsuba


class Pyramid:
    """Bilinear fetches with repeat wrap from levels `[H_k, W_k, C]`, level 0 the finest."""

    DRJIT_STRUCT: ClassVar[dict[str, Any]] = {"slot": pool.Slot}
    """What Dr.Jit finds arrays in."""

    def __init__(self, levels: Sequence[Array]) -> None:
        # Dr.Jit looks for libLLVM when it is imported, so it must not be imported before `mitsuba()` has found one.
        self._mi, self._dr = mitsuba(), import_module("drjit")
        self.levels = levels
        self.sides = [level.shape[:2] for level in levels]
        """(height, width) of each level."""
        self._channels = levels[0].shape[2]
        self._constants = [level[0, 0].tolist() if level.shape[:2] == (1, 1) else None for level in levels]
        pool.join(self)

    @cached_property
    def slot(self) -> pool.Slot:
        """Where the texels are; they are copied there when it is first asked for."""
        pool.pack()
        return self.__dict__["slot"]

    @property
    def bytes(self) -> int:
        """What the texels take on the device."""
        texels = sum(height * width for height, width in self.sides)
        return texels * pool.packet_count(self._channels) * pool.PACKET * self._dr.itemsize_v(self.slot.texels)

    def whole(self, level: Any) -> Any:
        """The level that exists nearest to the one asked for: of an int or a float an int, of an array a UInt32.

        A level of which every lane is known to be the same when the code is traced becomes an int: one of a single
        texel is then a constant of the code.
        """
        mi, dr = self._mi, self._dr
        last = len(self.sides) - 1
        if dr.is_jit_v(level) and last > 0:
            nearest = dr.clip(dr.round(mi.Float(level)), 0, last)
            return int(nearest[0]) if nearest.state == dr.VarState.Literal else mi.UInt32(nearest)
        return 0 if last == 0 else int(np.clip(np.round(level), 0, last))

    def level_of(self, duv_dx: Any, duv_dy: Any) -> Any:
        """See `verdigris.model.latents.footprint_level`; 0 where both partials are 0, and where there is one level."""
        mi, dr = self._mi, self._dr
        partials = (duv_dx.x, duv_dx.y, duv_dy.x, duv_dy.y)
        if len(self.sides) == 1 or all(part.state == dr.VarState.Literal and part[0] == 0 for part in partials):
            return 0
        height, width = self.sides[0]
        x, y = (mi.Vector2f(partial.x * width, partial.y * height) for partial in (duv_dx, duv_dy))
        longest = dr.sqrt(dr.maximum(dr.squared_norm(x), dr.squared_norm(y)))
        area = dr.abs(x.x * y.y - x.y * y.x)
        return dr.log2(dr.maximum(dr.maximum(area / dr.maximum(longest, 1e-20), longest * (1 / ANISOTROPY)), 1e-3))

    def fetch(self, uv: Any, level: Any) -> list[Any]:
        """The latent's channels at uv `Point2f`; level: an int, or a UInt32 for each lane, as `whole` has them."""
        mi, dr = self._mi, self._dr
        if isinstance(level, int) and (constant := self._constants[level]) is not None:
            return [mi.Float(value) for value in constant]
        row = self.slot.first_row + mi.UInt32(level)
        start, width, height, _ = dr.gather(dr.uint32_array_t(mi.Vector4f), self.slot.table, row)
        return self._bilinear(uv, start, width, height)

    def _bilinear(self, uv: Any, start: Any, width: Any, height: Any) -> list[Any]:
        x0, x1, fx = self._neighbours(uv.x, width)
        y0, y1, fy = self._neighbours(uv.y, height)
        bottom, top = start + y0 * width, start + y1 * width
        corners = [self._load(bottom + x0), self._load(bottom + x1), self._load(top + x0), self._load(top + x1)]
        dr, channels = self._dr, []
        for a, b, c, d in zip(*corners, strict=True):
            low, high = dr.fma(b - a, fx, a), dr.fma(d - c, fx, c)
            channels.append(dr.fma(high - low, fy, low))
        return channels[: self._channels]

    def _neighbours(self, coordinate: Any, size: Any) -> tuple[Any, Any, Any]:
        """The two texels around a coordinate and the weight of the second."""
        mi, dr = self._mi, self._dr
        position = (coordinate - dr.floor(coordinate)) * mi.Float(size) - 0.5
        floor = dr.floor(position)
        first, count = mi.Int32(floor), mi.Int32(size)
        before, after = dr.select(first < 0, count - 1, first), dr.select(first + 1 >= count, 0, first + 1)
        # A coordinate just below 1 may be rounded to it, and its texel is then one too far.
        return mi.UInt32(dr.minimum(before, count - 1)), mi.UInt32(after), position - floor

    def _load(self, texel: Any) -> list[Any]:
        """The channels of a texel, and those that fill its last packet."""
        mi, dr, packets, texels = self._mi, self._dr, pool.packet_count(self._channels), self.slot.texels
        packet = dr.float16_array_t(mi.Vector4f) if dr.type_v(texels) == dr.VarType.Float16 else mi.Vector4f
        parts = (dr.gather(packet, texels, texel * packets + part) for part in range(packets))
        return [mi.Float(value) for part in parts for value in part]
