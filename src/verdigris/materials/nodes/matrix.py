"""Matrices, in MaterialX's convention: rows as written, applied to row vectors from the right, v' = v M."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verdigris.materials.graph import WIDTHS
from verdigris.materials.nodes.registry import MATRICES, Call, pattern, vector_type


def is_matrix(dr: Any, value: Any) -> bool:
    """Whether a Dr.Jit value is a matrix."""
    return bool(dr.is_matrix_v(value))


def join(function: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """Element by element; a scalar `b` meets every element (Dr.Jit would take it for a multiple of the identity)."""
    rows = len(a)
    other = (lambda i: b[i]) if hasattr(b, "__len__") and len(b) == rows else (lambda i: b)
    return type(a)(*(function(a[i], other(i)) for i in range(rows)))


def multiply(a: Any, b: Any) -> Any:
    """The transformation `a` followed by `b`."""
    return a @ b


def divide(dr: Any, a: Any, b: Any) -> Any:
    """The transformation `a` followed by the inverse of `b`."""
    return a @ dr.rcp(b)


@pattern("transpose")
def transpose(call: Call) -> Any:
    """Rows become columns."""
    return call["in"].T


@pattern("determinant")
def determinant(call: Call) -> Any:
    """Determinant, a float."""
    return call.dr.det(call["in"])


@pattern("invertmatrix")
def invertmatrix(call: Call) -> Any:
    """Inverse."""
    return call.dr.rcp(call["in"])


@pattern("creatematrix")
def creatematrix(call: Call) -> Any:
    """Rows from vectors; rows of three are filled up to four by those of the identity."""
    size = 3 if call.node.type == "matrix33" else 4
    rows = [list(call[f"in{i + 1}"]) for i in range(size)]
    numbers = [[*row, *([float(i == 3)] * (size - len(row)))] for i, row in enumerate(rows)]
    return getattr(call.mi, MATRICES[call.node.type])(*(x for row in numbers for x in row))


@pattern("transformmatrix")
def transformmatrix(call: Call) -> Any:
    """`in` times `mat`; a vector one shorter than the matrix stands for a point, its last coordinate is 1."""
    width = WIDTHS[call.node.type]
    rows, vector = list(call["mat"]), list(call["in"])
    result = sum(x * row for x, row in zip(vector, rows, strict=False))
    if len(rows) > width:
        result = result + rows[width]
    return vector_type(call.mi, width)(*list(result)[:width])
