"""Functions of a roughness and a direction, tabulated: linear between entries, one read of memory for each.

Where the roughness is the same everywhere, the table is a row: then one read yields two of its functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from verdigris.materials.nodes.registry import vector_type

SIZE = 32
AXIS = np.linspace(0, 1, SIZE)
"""Where entries stand, along sqrt(alpha) and along the cosine of the direction."""


class Table:
    """Functions by name, `[sqrt(alpha), mu]` each, both over `AXIS`.

    mu: cosine of the direction. alpha: GGX width; a number where it is the same everywhere.
    """

    def __init__(self, compute: Callable[[], Mapping[str, np.ndarray]]):
        self._compute = compute
        self._made: dict[tuple[Any, ...], Any] = {}

    def read(self, mi: Any, dr: Any, names: tuple[str, ...], mu: Any, alpha: Any) -> list[Any]:
        """The values of one function or of two."""
        column, x = _cell(mi, dr, mu)
        if isinstance(alpha, float):
            steps = dr.gather(vector_type(mi, 2 * len(names)), self._row(mi, names, alpha), column)
            return [dr.fma(slope, x, start) for start, slope in zip(steps[::2], steps[1::2], strict=True)]
        row, y = _cell(mi, dr, dr.sqrt(alpha))
        at = row * (SIZE - 1) + column
        cells = (dr.gather(mi.Vector4f, self._cells(mi, name), at) for name in names)
        return [dr.fma(dr.fma(c.w, x, c.z), y, dr.fma(c.y, x, c.x)) for c in cells]

    def mean(self, mi: Any, dr: Any, name: str, alpha: Any) -> Any:
        """The average of a function over the hemisphere, weighted by the cosine; a number where alpha is one."""
        if isinstance(alpha, float):
            return self._once(("mean", name, alpha), lambda: float(np.interp(alpha**0.5, AXIS, self._means(name))))
        row, y = _cell(mi, dr, dr.sqrt(alpha))
        step = dr.gather(mi.Vector2f, self._buffer(mi, ("mean", name), lambda: _steps(self._means(name))), row)
        return dr.fma(step.y, y, step.x)

    def _means(self, name: str) -> np.ndarray:
        return np.asarray(np.trapezoid(2 * self._compute()[name] * AXIS, AXIS, axis=1))

    def _row(self, mi: Any, names: tuple[str, ...], alpha: float) -> Any:
        """(value, slope) of the functions in each cell of the row at a roughness."""

        def compute() -> np.ndarray:
            at, functions = alpha**0.5 * (SIZE - 1), self._compute()
            low = min(int(at), SIZE - 2)
            rows = [functions[name][low] + (at - low) * np.diff(functions[name], axis=0)[low] for name in names]
            return np.concatenate([_steps(row) for row in rows], axis=-1)

        return self._buffer(mi, ("row", *names, alpha), compute)

    def _cells(self, mi: Any, name: str) -> Any:
        """(value, slopes along the cosine and the roughness, twist) of a function in each cell."""

        def compute() -> np.ndarray:
            steps = _steps(self._compute()[name])
            return np.concatenate([steps[:-1], np.diff(steps, axis=0)], axis=-1)

        return self._buffer(mi, ("cells", name), compute)

    def _buffer(self, mi: Any, key: tuple[Any, ...], compute: Callable[[], np.ndarray]) -> Any:
        """Numbers in Dr.Jit's memory.

        From a list, which is copied there: Dr.Jit reads a NumPy array where it lies, and entry by entry if that is not
        aligned.
        """
        return self._once((mi.variant(), *key), lambda: mi.Float(compute().ravel().tolist()))

    def _once(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


def _steps(values: np.ndarray) -> np.ndarray:
    """`[..., SIZE - 1, 2]`: start and slope of each cell along the last axis."""
    return np.stack([values[..., :-1], np.diff(values)], axis=-1)


def _cell(mi: Any, dr: Any, x: Any) -> tuple[Any, Any]:
    """Cell in which a position over 0..1 lies, and how far along it."""
    at = dr.clip(x, 0, 1) * (SIZE - 1)
    index = dr.minimum(mi.UInt32(at), SIZE - 2)
    return index, at - mi.Float(index)
