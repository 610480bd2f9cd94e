"""Texture lookup with an address mode for each axis and the filters of MaterialX's image nodes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from verdigris.runtime import mitsuba

ADDRESS_MODES = {"periodic": "Repeat", "clamp": "Clamp", "mirror": "Mirror", "constant": "Clamp"}
"""Dr.Jit's wrap mode for each MaterialX address mode; outside the image, `constant` is replaced by a default."""
FILTERS = {"closest": "Nearest", "linear": "Linear", "cubic": "Linear"}
"""Dr.Jit's filter mode for each MaterialX filter; cubic is the uniform B-spline, as in OSL."""


@dataclass(frozen=True, eq=False)
class Sampler:
    """One image. texels: float32 `[h, w, channels]`, row 0 at v = 0. modes: address modes of u and v. filter: one of
    FILTERS. texture: Dr.Jit's own texture, where both axes share a wrap mode."""

    texels: Any
    shape: tuple[int, int, int]
    modes: tuple[str, str]
    filter: str
    texture: Any | None

    @staticmethod
    def build(pixels: np.ndarray, modes: tuple[str, str], filter_type: str) -> Sampler:
        """A sampler of pixels `[h, w, channels]`, row 0 at v = 0."""
        mi = mitsuba()
        import drjit as dr

        wraps = {ADDRESS_MODES[mode] for mode in modes}
        tensor = mi.TensorXf(np.ascontiguousarray(pixels, dtype=np.float32))
        texture = None
        if len(wraps) == 1:
            texture = mi.Texture2f(
                tensor,
                filter_mode=getattr(dr.FilterMode, FILTERS[filter_type]),
                wrap_mode=getattr(dr.WrapMode, wraps.pop()),
            )
        texels = None if texture is not None else tensor.array
        return Sampler(texels, pixels.shape, modes, filter_type, texture)

    def eval(self, uv: Any) -> list[Any]:
        """The channels at texture coordinates `Vector2f`; what lies outside under `constant` is as under `clamp`."""
        mi = mitsuba()
        if self.texture is not None:
            at = mi.Point2f(uv.x, uv.y)
            return list(self.texture.eval_cubic(at) if self.filter == "cubic" else self.texture.eval(at))
        import drjit as dr

        height, width, channels = self.shape
        columns = _taps(mi, dr, uv.x, width, self.filter, self.modes[0])
        rows = _taps(mi, dr, uv.y, height, self.filter, self.modes[1])
        total = [mi.Float(0)] * channels
        for (x, a), (y, b) in product(columns, rows):
            index, weight = (y * width + x) * channels, a * b
            total = [t + weight * dr.gather(mi.Float, self.texels, index + c) for c, t in enumerate(total)]
        return total

    def outside(self, uv: Any) -> Any | None:
        """Where a coordinate leaves 0..1 on an axis whose mode is `constant`; None where no axis has it."""
        found = None
        for x, mode in zip((uv.x, uv.y), self.modes, strict=True):
            if mode == "constant":
                beyond = (x < 0) | (x > 1)
                found = beyond if found is None else found | beyond
        return found


def _taps(mi: Any, dr: Any, coordinate: Any, size: int, filter_type: str, mode: str) -> list[tuple[Any, Any]]:
    """(index, weight) of the texels along one axis that a lookup reads."""
    if filter_type == "closest":
        return [(_wrapped(mi, dr, mi.Int32(dr.floor(coordinate * size)), size, mode), 1)]
    x = coordinate * size - 0.5
    base = dr.floor(x)
    t, first = x - base, mi.Int32(base)
    if filter_type == "linear":
        weights = {0: 1 - t, 1: t}
    else:
        s = 1 - t
        weights = {
            -1: s * s * s / 6,
            0: (4 - 6 * t * t + 3 * t * t * t) / 6,
            1: (4 - 6 * s * s + 3 * s * s * s) / 6,
            2: t * t * t / 6,
        }
    return [(_wrapped(mi, dr, first + step, size, mode), weight) for step, weight in weights.items()]


def _wrapped(mi: Any, dr: Any, index: Any, size: int, mode: str) -> Any:
    """A texel index brought into the image."""
    if mode == "periodic":
        return _modulo(mi, dr, index, size)
    if mode == "mirror":
        folded = _modulo(mi, dr, index, 2 * size)
        return dr.minimum(folded, 2 * size - 1 - folded)
    return dr.clip(index, 0, size - 1)


def _modulo(mi: Any, dr: Any, index: Any, size: int) -> Any:
    rest = index % size
    return dr.select(rest < 0, rest + size, rest)
