"""A material as a flat graph of primitive nodes; no MaterialX type goes past this point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Value = bool | int | float | str | tuple[float, ...]
"""A constant: boolean, integer, float, string or file name, colour or vector."""

CLOSURE_TYPES = frozenset({"BSDF", "EDF", "VDF", "surfaceshader", "material"})

WIDTHS = {"float": 1, "vector2": 2, "color3": 3, "vector3": 3, "color4": 4, "vector4": 4}
"""Number of floats in a value of each numeric type."""


@dataclass(frozen=True)
class Port:
    """An output of a node: the node's path and the output's name."""

    node: str
    output: str = "out"


@dataclass(frozen=True)
class Constant:
    """A value with its MaterialX type; `colorspace` is kept for file names only."""

    type: str
    value: Value
    colorspace: str = ""


Input = Port | Constant


@dataclass(frozen=True)
class Node:
    """One primitive node.

    path: names from the document's root, joined by '/'; unique. category: MaterialX node category.
    type: MaterialX output type ('multioutput' for several). inputs: every input of the definition that has a
    value, a connection or a default.
    """

    path: str
    category: str
    type: str
    inputs: Mapping[str, Input]

    def constant(self, name: str, default: Value) -> Value:
        """The constant value of an input, or `default` where it is absent or connected."""
        got = self.inputs.get(name)
        return got.value if isinstance(got, Constant) else default

    def ports(self) -> Iterator[Port]:
        """The connected inputs."""
        return (value for value in self.inputs.values() if isinstance(value, Port))


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which every node follows those it reads; `surface` is the path of the surface node.

    document_nodes: nodes written in the document that the surface reads, a library shader as one. expanded_nodes:
    primitives they expand to. Both count what the document says, before any folding.
    """

    name: str
    nodes: Mapping[str, Node]
    surface: str
    document_nodes: int = 0
    expanded_nodes: int = 0

    @property
    def root(self) -> Node:
        """The surface constructor."""
        return self.nodes[self.surface]


def is_vector(value: Input | None, expected: tuple[float, ...]) -> bool:
    """Whether an input is not given, or is a constant vector."""
    return value is None or (isinstance(value, Constant) and value.value == expected)


def reachable(nodes: Mapping[str, Node], *roots: str) -> dict[str, Node]:
    """The nodes that the roots read and the roots themselves, each after those it reads."""
    ordered: dict[str, Node] = {}
    # A stack of our own: a chain of nodes may be longer than Python's.
    pending = [(root, False) for root in reversed(roots)]
    while pending:
        path, read = pending.pop()
        if path in ordered:
            continue
        if read:
            ordered[path] = nodes[path]
        else:
            pending.append((path, True))
            pending.extend((port.node, False) for port in reversed(list(nodes[path].ports())))
    return ordered
