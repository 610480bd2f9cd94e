"""How a program writes its weights: as literals of its text, or from a buffer of vectors of four."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np

from verdigris.conventions import Array
from verdigris.errors import ExportError
from verdigris.export.expression import Expression, call, lift, vector

BLOCK = 4
"""Side of the matrices that networks are cut into."""

Home = Literal["literals", "packed", "buffer"]
"""Where weights are: in the text as numbers or as pairs of halves, or in a buffer of their own."""


class Weights(Protocol):
    """Writes blocks of weights."""

    def matrix(self, block: Array, kind: str) -> Expression:
        """A 4 x 4 block `[out, in]` as `mat4` or `netmat4`."""

    def vector(self, block: Array, kind: str) -> Expression:
        """Four numbers as `vec4f` or `net4`."""


class Literals:
    """Weights that stand in the program's text."""

    def matrix(self, block: Array, kind: str) -> Expression:
        """A 4 x 4 block `[out, in]` as `mat4` or `netmat4`."""
        return Expression("matrix", kind, value=tuple(block.T.ravel().tolist()))

    def vector(self, block: Array, kind: str) -> Expression:
        """Four numbers as `vec4f` or `net4`."""
        return vector(*block.tolist(), kind=kind)


class Packed:
    """Weights in the text as whole numbers that hold two halves each: the shortest text that is exact.

    A target offers macros PREFIX_m and PREFIX_v that unpack a matrix and a vector. Numbers that are no float16 are
    rounded, as files round them.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def matrix(self, block: Array, kind: str) -> Expression:
        """A 4 x 4 block `[out, in]` as `mat4` or `netmat4`."""
        return self._pairs("m", block.T, kind)

    def vector(self, block: Array, kind: str) -> Expression:
        """Four numbers as `vec4f` or `net4`."""
        return self._pairs("v", block, kind)

    def _pairs(self, macro: str, block: Array, kind: str) -> Expression:
        pairs = np.ascontiguousarray(block, "<f2").view("<u4").ravel().tolist()
        return Expression("packed", kind, value=(f"{self._prefix}_{macro}", pairs))


class Stored:
    """Weights in a buffer of vectors of four, in the order in which a program first uses them.

    A matrix is four vectors, a column each: column j holds the weights of input j. A target offers functions
    PREFIX_matrix and PREFIX_vector that read them, and, with half precision, PREFIX_matrix_half and PREFIX_vector_half.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._parts: list[Array] = []
        self._length = 0

    def matrix(self, block: Array, kind: str) -> Expression:
        """A 4 x 4 block `[out, in]` as `mat4` or `netmat4`."""
        suffix = "_half" if kind == "netmat4" else ""
        return call(f"{self._prefix}_matrix{suffix}", kind, self._store(block.T))

    def vector(self, block: Array, kind: str) -> Expression:
        """Four numbers as `vec4f` or `net4`."""
        suffix = "_half" if kind == "net4" else ""
        return call(f"{self._prefix}_vector{suffix}", kind, self._store(block[None]))

    @property
    def vectors(self) -> Array:
        """The buffer, `[n, 4]` float32."""
        return np.concatenate([*self._parts, np.zeros((0, BLOCK))]).astype(np.float32)

    def _store(self, rows: Array) -> Expression:
        start = self._length
        self._parts.append(rows)
        self._length += len(rows)
        return lift(start, "u32")


def writer(home: Home, prefix: str, packs: bool = False) -> Weights:
    """What writes weights there; packs: whether the target takes packed ones. Raises ExportError for any other home."""
    homes = ("literals", "packed", "buffer") if packs else ("literals", "buffer")
    if home not in homes:
        raise ExportError(f"weights: expected {' or '.join(homes)}, got {home!r}")
    if home == "packed":
        return Packed(prefix)
    return Literals() if home == "literals" else Stored(prefix)
