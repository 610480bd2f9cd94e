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
    """Nodes in an order in which every node follows those it reads; `surface` is the path of the surface node."""

    name: str
    nodes: Mapping[str, Node]
    surface: str

    @property
    def root(self) -> Node:
        """The surface constructor."""
        return self.nodes[self.surface]


def reachable(nodes: Mapping[str, Node], root: str) -> dict[str, Node]:
    """The nodes that `root` reads, itself last, each after those it reads."""
    ordered: dict[str, Node] = {}

    def visit(path: str) -> None:
        if path in ordered:
            return
        for port in nodes[path].ports():
            visit(port.node)
        ordered[path] = nodes[path]

    visit(root)
    return ordered
