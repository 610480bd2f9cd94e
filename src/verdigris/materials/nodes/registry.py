"""Registry of primitive pattern nodes: category -> a function that evaluates it in Dr.Jit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from verdigris.errors import GraphError
from verdigris.materials.graph import WIDTHS, Node, Port, Value

PATTERNS: dict[str, Callable[[Call], Any]] = {}
"""Evaluators by MaterialX category; a node with several outputs returns a dict of them."""

SPATIAL = frozenset({"position", "texcoord", "geompropvalue", "image", "hextiledimage", "hextilednormalmap"})
"""Categories whose value depends on the surface point even when all their inputs are constant."""

MATRICES = {"matrix33": "Matrix3f", "matrix44": "Matrix4f"}
"""Dr.Jit types of matrices: row by row as MaterialX writes them, applied to row vectors from the right."""


@dataclass(frozen=True)
class Surface:
    """What a pattern can read of the surface point. `uv` in MaterialX's convention, the rest in the local frame."""

    mi: Any
    dr: Any
    uv: Any

    @property
    def position(self) -> Any:
        """Object-space position: the surface is the unit square of the uv plane (see conventions)."""
        return self.mi.Vector3f(self.uv.x, self.uv.y, 0)


@dataclass(frozen=True)
class Call:
    """One evaluation of a node: its inputs as Dr.Jit values, its constants, the surface point, the textures."""

    node: Node
    values: Mapping[str, Any]
    surface: Surface
    textures: Mapping[str, Any]
    at: Callable[[str, Surface], Any] | None = None
    """The value of an input at another surface point; needed by nodes that differentiate."""

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def mi(self) -> Any:
        """The Mitsuba module."""
        return self.surface.mi

    @property
    def dr(self) -> Any:
        """The Dr.Jit module."""
        return self.surface.dr

    def uniform(self, name: str, default: Value) -> Value:
        """A constant input. Raises GraphError where it is connected to something that varies."""
        if isinstance(self.node.inputs.get(name), Port):
            raise GraphError(f"{self.node.path}: input '{name}': expected a constant, got a connection")
        return self.node.constant(name, default)


def pattern(*categories: str) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Registers the evaluator of some node categories."""

    def register(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
        for category in categories:
            assert category not in PATTERNS, category
            PATTERNS[category] = function
        return function

    return register


def vector_type(mi: Any, width: int) -> Any:
    """The Dr.Jit type of a numeric value of 1 to 4 floats; colours and vectors share it."""
    return (mi.Float, mi.Vector2f, mi.Vector3f, mi.Vector4f)[width - 1]


def to_drjit(mi: Any, kind: str, value: Value) -> Any:
    """A constant as a Dr.Jit value; strings and file names stay as they are."""
    if kind in WIDTHS:
        parts = value if isinstance(value, tuple) else (value,)
        return vector_type(mi, WIDTHS[kind])(*parts)
    if kind in MATRICES:
        return getattr(mi, MATRICES[kind])(*value)  # type: ignore[misc]
    if kind == "boolean":
        return mi.Bool(bool(value))
    if kind == "integer":
        return mi.Int(int(value))  # type: ignore[arg-type]
    return value


def parts(value: Any) -> list[Any]:
    """The float components of a numeric Dr.Jit value."""
    import drjit as dr

    return list(value) if dr.depth_v(value) > 1 else [value]
