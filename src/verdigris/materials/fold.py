"""Constant folding: what does not depend on the surface point is computed once, and dead branches fall away."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from verdigris.errors import GraphError
from verdigris.materials.evaluate import outputs
from verdigris.materials.graph import CLOSURE_TYPES, WIDTHS, Constant, Graph, Input, Node, Port, reachable
from verdigris.materials.nodes import PATTERNS
from verdigris.materials.nodes.geometry import PROPERTIES
from verdigris.materials.nodes.registry import MATRICES, SPATIAL, Call, Surface, parts, to_drjit
from verdigris.runtime import mitsuba

_COMPARE = {
    "ifgreater": lambda a, b: a > b,
    "ifgreatereq": lambda a, b: a >= b,
    "ifequal": lambda a, b: a == b,
}
_DECIDING = {"mix": ("mix",), "multiply": ("in1", "in2"), **dict.fromkeys(_COMPARE, ("value1", "value2"))}
_PASSES = {"dot": "in", "constant": "value"}


def fold(graph: Graph) -> Graph:
    """The same material with every constant subgraph replaced by its value and every decided choice taken.

    One pass, in time proportional to the number of nodes. A branch that is not taken is not looked at. A constant
    that cannot be evaluated stays a node, whose error is raised where it is read.
    """
    folder = _Folder(graph.nodes)
    folder.run(graph.surface)
    return replace(graph, nodes=reachable(folder.kept, graph.surface))


@dataclass
class _Folder:
    """kept: the nodes that remain. known: outputs that another output or a constant replaces."""

    nodes: Mapping[str, Node]
    kept: dict[str, Node] = field(default_factory=dict)
    known: dict[Port, Input] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)

    def run(self, root: str) -> None:
        """Visits what `root` reads, depth first; a stack of generators, since chains are longer than Python's stack."""
        pending = [self._visit(root)]
        while pending:
            wanted = next(pending[-1], None)
            if wanted is None:
                pending.pop()
            else:
                pending.append(self._visit(wanted))

    def _visit(self, path: str) -> Generator[str, None, None]:
        """Folds one node; yields the paths that have to be folded before it can go on."""
        node, inputs = self.nodes[path], dict[str, Input]()
        for name in (*_deciding(node), *node.inputs):
            if name in inputs or name not in node.inputs:
                continue
            inputs[name] = yield from self._resolve(node.inputs[name])
            chosen = _alias(node, inputs)
            if chosen is not None:
                value = node.inputs[chosen] if isinstance(chosen, str) else chosen
                self.known[Port(path)] = yield from self._resolve(value)
                self._done.add(path)
                return
        folded = replace(node, inputs={name: inputs[name] for name in node.inputs})
        values = _evaluate(folded)
        self.known.update(values)
        if not values:
            self.kept[path] = folded
        self._done.add(path)

    def _resolve(self, value: Input) -> Generator[str, None, Input]:
        if not isinstance(value, Port):
            return value
        if value.node not in self._done:
            yield value.node
        return self.known.get(value, value)


def _is_pattern(node: Node) -> bool:
    return node.category in PATTERNS and node.type not in CLOSURE_TYPES


def _deciding(node: Node) -> tuple[str, ...]:
    """Inputs that may make the others unnecessary."""
    return _DECIDING.get(node.category, ()) if _is_pattern(node) else ()


def _evaluate(node: Node) -> dict[Port, Input]:
    """The values of a node that reads constants only; empty for any other. Literal arithmetic, no kernel runs."""
    if not _is_pattern(node) or node.category in SPATIAL or any(isinstance(x, Port) for x in node.inputs.values()):
        return {}
    mi = mitsuba()
    import drjit as dr

    values = {name: to_drjit(mi, x.type, x.value) for name, x in node.inputs.items() if isinstance(x, Constant)}
    try:
        traced = outputs(Call(node, values, Surface(mi, dr, mi.Point2f(0)), {}))
    except GraphError:
        return {}
    return {port: _read(value, node) for port, value in traced.items()}


_SCALARS = {bool: "boolean", int: "integer", float: "float"}


def _read(value: Any, node: Node) -> Constant:
    if node.type in MATRICES:
        return Constant(node.type, tuple(number[0] for row in value for number in row))
    numbers = tuple(part[0] for part in parts(value))
    if len(numbers) == 1:
        return Constant(_SCALARS[type(numbers[0])], numbers[0])
    return Constant(node.type if WIDTHS.get(node.type) == len(numbers) else f"vector{len(numbers)}", numbers)


def _alias(node: Node, inputs: Mapping[str, Input]) -> str | Constant | None:
    """What a node yields because of the constants among `inputs`, those known so far: an input's name or a value."""
    if not _is_pattern(node):
        return None
    category = node.category
    if category in _PASSES:
        return _PASSES[category]
    if category in _COMPARE and "value1" in inputs and "value2" in inputs and node.type != "boolean":
        a, b = inputs["value1"], inputs["value2"]
        if isinstance(a, Constant) and isinstance(b, Constant):
            return "in1" if _COMPARE[category](a.value, b.value) else "in2"
    if category == "mix" and isinstance(amount := inputs.get("mix"), Constant) and amount.value in (0, 1):
        return "fg" if amount.value == 1 else "bg"
    if category == "multiply" and node.type in WIDTHS:
        return _product(node, inputs)
    if category == "geompropvalue" and "default" in inputs and node.constant("geomprop", "") not in PROPERTIES:
        return "default"
    return None


def _product(node: Node, inputs: Mapping[str, Input]) -> str | Constant | None:
    """A product with 0, or with 1 on the right (the left may be a float where the product is a vector)."""
    pair = [inputs.get("in1"), inputs.get("in2")]
    if any(isinstance(x, Constant) and _all(x, 0) for x in pair):
        width = WIDTHS[node.type]
        return Constant(node.type, 0.0 if width == 1 else (0.0,) * width)
    return "in1" if isinstance(pair[1], Constant) and _all(pair[1], 1) else None


def _all(constant: Constant, value: float) -> bool:
    got = constant.value
    return all(x == value for x in got) if isinstance(got, tuple) else got == value
