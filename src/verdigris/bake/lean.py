"""The encoder's inputs at coarse levels: means of the layer parameters, and moments of the slopes of normals.

A mean normal alone would make a rough, bumpy surface smooth from afar. So a normal is taken as its slopes, whose first
and second moments filter linearly (LEAN mapping, Olano and Baker 2010): their mean gives a normal, their covariance how
far the normals of a footprint spread.

A footprint is a Gaussian whose deviation is half a texel. Level 0 is read at POSITIONS in a texel, whose variance along
an axis is 1/4 texel^2, and each further level adds what is missing: with [1 3 3 1] / 8 where a side halves, whose
variance is 3/4, so that levels 1 to k add 3/4 (1 + 4 + ... + 4^(k - 1)) finest texels^2, and with the 1/4 the square of
half a texel of level k comes together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from verdigris.bake.queries import QuerySource
from verdigris.conventions import Array
from verdigris.materials.material import EncoderInput

Indices = NDArray[np.intp]

POSITIONS = tuple(
    (0.5 + x * 0.2**0.5, 0.5 + y * 0.2**0.5) for x, y in ((-0.5, 1.5), (-1.5, -0.5), (0.5, -1.5), (1.5, 0.5))
)
"""Where a texel of level 0 is read, (u, v) from its lower left corner: a rotated grid that reaches beyond the texel."""

COSINE_MIN = 0.1
"""Smallest cosine of a normal with the surface's: slopes end at 10, and the variance of a few steep ones is bounded."""

BAND = 1 << 17
"""Positions read at once: bounds the memory that level 0 takes to about 100 MB, whatever its size."""


def sides(resolution: int) -> tuple[int, ...]:
    """The side of each level of a square texture, down to 1 (docs/format.md)."""
    return tuple(resolution >> level for level in range(resolution.bit_length()))


def taps(side: int) -> tuple[Indices, Array]:
    """Which texels of a level each texel of the next one reads along an axis, and their weights: two `[side // 2, T]`.

    Indices may lie beyond the level, which repeats. The weights have sum 1, the middle of the coarse texel as their
    mean and a variance of (r^2 - 1) / 4 texels^2, r being the ratio of the sides: [1 3 3 1] / 8 where the side is even,
    else the weights nearest to a Gaussian that have these moments.
    """
    ratio = side / (side // 2)
    reach = ratio if side % 2 == 0 else 1.5 * ratio
    middle = (np.arange(side // 2) + 0.5) * ratio - 0.5
    index = np.floor(middle - reach).astype(np.intp)[:, None] + 1 + np.arange(int(np.ceil(2.0 * reach)))
    distance, variance = index - middle[:, None], (ratio**2 - 1.0) / 4.0
    bell = np.where(np.abs(distance) < reach, np.exp(-0.5 * distance**2 / variance), 0.0)
    powers = np.stack([np.ones_like(distance), distance, distance**2], axis=2)
    system = np.einsum("jti,jt,jtk->jik", powers, bell, powers)
    factors = np.linalg.solve(system, np.broadcast_to([[1.0], [0.0], [variance]], (len(middle), 3, 1)))
    return index, (bell * (powers @ factors)[:, :, 0]).astype(np.float32)


def moments(inputs: Sequence[EncoderInput], values: Sequence[Array]) -> Array:
    """What is averaged, `[n, M]`, of parameters at points, one `[n]` for each float of `inputs`.

    Of a normal its slopes s = -(x, y) / z and their products xx, yy, xy; all else as it is.
    """
    columns: list[Array] = []
    for part in inputs:
        own, values = list(values[: part.width]), values[part.width :]
        if _is_normal(part):
            x, y, z = (2.0 * axis - 1.0 for axis in own) if part.kind == "normal_map" else own
            z = np.maximum(z, np.maximum(COSINE_MIN * np.sqrt(x * x + y * y + z * z), 1e-6))
            x, y = -x / z, -y / z
            own = [x, y, x * x, y * y, x * y]
        columns += own
    return np.stack(columns, axis=-1)


def filtered(inputs: Sequence[EncoderInput], means: Array) -> Array:
    """The encoder's inputs from averaged moments, `[..., M] -> [..., D]`.

    First one for each float of `inputs`, where a normal is the one of the mean slopes, unit; then `spreads`.
    """
    columns, spread, first = list[Array](), list[Array](), 0
    for part in inputs:
        if not _is_normal(part):
            columns += [means[..., first + k] for k in range(part.width)]
            first += part.width
            continue
        x, y, xx, yy, xy = (means[..., first + k] for k in range(5))
        z = 1.0 / np.sqrt(1.0 + x * x + y * y)
        columns += [0.5 * axis + 0.5 if part.kind == "normal_map" else axis for axis in (-x * z, -y * z, z)]
        spread += [_root(np.maximum(xx - x * x, 0.0)), _root(np.maximum(yy - y * y, 0.0)), _root(xy - x * y)]
        first += 5
    return np.stack([*columns, *spread], axis=-1)


def spreads(inputs: Sequence[EncoderInput]) -> int:
    """How many inputs tell how far normals spread, 0 each at a point: three numbers a normal.

    The slopes' covariance xx, yy, xy as roots with its sign: a deviation of slopes is in the unit of a roughness.
    """
    return 3 * sum(map(_is_normal, inputs))


def pyramid(source: QuerySource, inputs: Sequence[EncoderInput], resolution: int) -> list[Array]:
    """The encoder's inputs (see `filtered`) at levels 1, 2, ... of a texture, level k `[H_k, W_k, D]` float32.

    inputs: those of the source's reference.
    """
    found: list[Array] = []
    for side in sides(resolution)[:-1]:
        if side == resolution:
            means = np.concatenate(list(_first_level(source, inputs, side)))
        else:
            means = _along_rows(_along_columns(means, *taps(side)), *taps(side))
        found.append(filtered(inputs, means).astype(np.float32))
    return found


def _first_level(source: QuerySource, inputs: Sequence[EncoderInput], side: int) -> Iterator[Array]:
    """Moments at level 1, a band of rows at a time."""
    index, weights = taps(side)
    for start in range(0, side // 2, max(BAND // (2 * side), 1)):
        part = slice(start, start + max(BAND // (2 * side), 1))
        low, high = int(index[part].min()), int(index[part].max())
        band = _along_rows(_level_0(source, inputs, side, np.arange(low, high + 1)), index, weights)
        yield _along_columns(band, index[part] - low, weights[part])


def _level_0(source: QuerySource, inputs: Sequence[EncoderInput], side: int, rows: Indices) -> Array:
    """Moments `[rows, side, M]` of some rows of level 0, which may lie beyond it."""
    total: Array | None = None
    count = sum(part.width for part in inputs)
    for x, y in POSITIONS:
        u = np.tile((np.arange(side) + x) / side % 1.0, len(rows)).astype(np.float32)
        v = np.repeat((rows + y) / side % 1.0, side).astype(np.float32)
        values = moments(inputs, [np.asarray(value) for value in source.parameters(u, v)[:count]])
        total = values if total is None else total + values
    assert total is not None
    return (total / len(POSITIONS)).reshape(len(rows), side, -1)


def _along_columns(level: Array, index: Indices, weights: Array) -> Array:
    """The next level along the first axis, `[h, ...] -> [m, ...]`, by `taps`, which may repeat the level."""
    shape = (-1, *[1] * (level.ndim - 1))
    total = level[index[:, 0] % len(level)] * weights[:, 0].reshape(shape)
    for tap in range(1, index.shape[1]):
        total += level[index[:, tap] % len(level)] * weights[:, tap].reshape(shape)
    return total


def _along_rows(level: Array, index: Indices, weights: Array) -> Array:
    """The same along the second axis."""
    return _along_columns(level.swapaxes(0, 1), index, weights).swapaxes(0, 1)


def _is_normal(part: EncoderInput) -> bool:
    return part.kind in ("normal", "normal_map")


def _root(x: Array) -> Array:
    return np.sign(x) * np.sqrt(np.abs(x))
