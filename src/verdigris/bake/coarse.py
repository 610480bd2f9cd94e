"""What an encoder sees of a material above level 0: filtered inputs at the texels' centres, and which level it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verdigris.bake import lean
from verdigris.bake.blur import Footprint
from verdigris.bake.colours import MARK
from verdigris.bake.phases import Texture
from verdigris.bake.queries import QuerySource
from verdigris.conventions import Array


@dataclass(frozen=True, eq=False)
class Coarse:
    """All texels above level 0. inputs: `[texels, d]`, level after level, each row after row; the last `extra` of the d
    are 0 at level 0: the spread of normals, and the number of the level. levels: see `phases.Texture`."""

    inputs: Array
    extra: int
    levels: tuple[Texture, ...]

    @property
    def sides(self) -> NDArray[np.int64]:
        """Of each level."""
        return np.array([level.side for level in self.levels])

    @property
    def shares(self) -> Array:
        """Of each level, of the queries above level 0."""
        found = np.array([level.share for level in self.levels])
        return found / found.sum()

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Array, Array, Footprint, Array]:
        """n random texels: the (u, v) of their centres, `[n]` each, their footprints, and their inputs `[d, n]`."""
        sides = self.sides
        level = rng.choice(len(sides), n, p=self.shares)
        side = sides[level]
        texel = (rng.random(n) * side**2).astype(np.int64)
        first = np.cumsum([0, *sides[:-1] ** 2])
        y, x = np.divmod(texel, side)
        u, v, deviation = ((axis / side).astype(np.float32) for axis in (x + 0.5, y + 0.5, np.full(n, 0.5)))
        positions = np.array([level.samples for level in self.levels], np.uint32)[level]
        return u, v, Footprint(deviation, positions), np.ascontiguousarray(self.inputs[first[level] + texel].T)

    def scale(self) -> tuple[Array, Array]:
        """Mean, 0, and root of the mean square of the `extra` inputs over the levels; what is 0 has one of 1."""
        weight = np.repeat(self.shares / self.sides**2, self.sides**2)
        square = weight @ np.square(self.inputs[:, -self.extra :].astype(np.float64))
        return np.zeros(self.extra, np.float32), np.sqrt(np.where(square > 1e-12, square, 1.0)).astype(np.float32)


def coarse(source: QuerySource, levels: Sequence[Texture]) -> Coarse | None:
    """The inputs of all levels above 0 of a material's texture, if it has any."""
    above, parts = levels[1:], source.reference.inputs
    if not above:
        return None
    count = source.reference.parameter_count
    rows = []
    pyramid = lean.pyramid(source, parts, levels[0].side)[: len(above)] if parts else []
    for level in above:
        filtered = pyramid.pop(0) if parts else np.zeros((level.side, level.side, 1), np.float32)
        rows.append(_inputs(source, filtered.reshape(level.side**2, -1), max(count, 1), level.level))
    return Coarse(np.concatenate(rows), lean.spreads(parts) + 1, tuple(above))


def _inputs(source: QuerySource, filtered: Array, count: int, level: int) -> Array:
    """In the order of an encoder's inputs: parameters, the mark if there is one, spreads, level."""
    texels = len(filtered)
    mark = np.tile(np.array(MARK, np.float32), (texels, 1)) if source.marked else np.zeros((texels, 0), np.float32)
    return np.concatenate(
        [filtered[:, :count], mark, filtered[:, count:], np.full((texels, 1), level, np.float32)], axis=1
    )
