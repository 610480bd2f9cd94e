"""Constant folding: what does not depend on the surface point is computed once, and dead branches fall away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from verdigris.materials.graph import CLOSURE_TYPES, WIDTHS, Constant, Graph, Input, Node, Port, reachable
from verdigris.materials.nodes import PATTERNS
from verdigris.materials.nodes.registry import SPATIAL, Call, Surface, parts, to_drjit
from verdigris.runtime import mitsuba

_COMPARE = {
    "ifgreater": lambda a, b: a > b,
    "ifgreatereq": lambda a, b: a >= b,
    "ifequal": lambda a, b: a == b,
}


def fold(graph: Graph) -> Graph:
    """The same material with every constant subgraph replaced by its value and every decided choice taken."""
    nodes, replaced = dict(graph.nodes), True
    while replaced:
        known = _constants(nodes) | _aliases(nodes)
        replaced = bool(known)
        nodes = {
            path: replace(node, inputs={name: _substitute(value, known) for name, value in node.inputs.items()})
            for path, node in nodes.items()
            if not _settled(node, known)
        }
    return replace(graph, nodes=reachable(nodes, graph.surface))


def _settled(node: Node, known: Mapping[Port, Input]) -> bool:
    return any(port.node == node.path for port in known)


def _substitute(value: Input, known: Mapping[Port, Input]) -> Input:
    while isinstance(value, Port) and value in known:
        value = known[value]
    return value


def _is_pattern(node: Node) -> bool:
    return node.category in PATTERNS and node.type not in CLOSURE_TYPES


def _constants(nodes: Mapping[str, Node]) -> dict[Port, Input]:
    """Values of the nodes that read constants only, all evaluated in one kernel."""
    mi = mitsuba()
    import drjit as dr

    surface = Surface(mi, dr, mi.Point2f(0))
    traced: dict[Port, Any] = {}
    for node in nodes.values():
        ports = list(node.ports())
        if not _is_pattern(node) or node.category in SPATIAL or any(port not in traced for port in ports):
            continue
        values = {
            name: traced[value] if isinstance(value, Port) else to_drjit(mi, value.type, value.value)
            for name, value in node.inputs.items()
        }
        result = PATTERNS[node.category](Call(node, values, surface, {}))
        outputs = result if isinstance(result, dict) else {"out": result}
        traced.update({Port(node.path, name): value for name, value in outputs.items()})
    dr.eval(traced)
    return {port: _read(value, nodes[port.node]) for port, value in traced.items()}


def _read(value: Any, node: Node) -> Constant:
    numbers = [np.asarray(part).reshape(-1)[0].item() for part in parts(value)]
    if len(numbers) > 1:
        kind = node.type if WIDTHS.get(node.type) == len(numbers) else f"vector{len(numbers)}"
        return Constant(kind, tuple(numbers))
    return Constant(node.type if node.type in ("boolean", "integer") else "float", numbers[0])


def _aliases(nodes: Mapping[str, Node]) -> dict[Port, Input]:
    """Nodes that pass one input through, or yield zero, because of what their constants say."""
    found: dict[Port, Input] = {}
    for node in nodes.values():
        value = _alias(node)
        if value is not None:
            found[Port(node.path)] = value
    return found


def _alias(node: Node) -> Input | None:
    if not _is_pattern(node):
        return None
    inputs = node.inputs
    if node.category in _COMPARE:
        a, b = inputs["value1"], inputs["value2"]
        if isinstance(a, Constant) and isinstance(b, Constant):
            return inputs["in1" if _COMPARE[node.category](a.value, b.value) else "in2"]
    if node.category == "mix" and isinstance(inputs["mix"], Constant) and inputs["mix"].value in (0, 1):
        return inputs["fg" if inputs["mix"].value == 1 else "bg"]
    if node.category == "dot":
        return inputs["in"]
    if node.category == "multiply":
        pair = (inputs["in1"], inputs["in2"])
        if any(isinstance(x, Constant) and _all(x, 0) for x in pair):
            width = WIDTHS[node.type]
            return Constant(node.type, 0.0 if width == 1 else (0.0,) * width)
        if isinstance(pair[1], Constant) and _all(pair[1], 1):
            return pair[0]
    return None


def _all(constant: Constant, value: float) -> bool:
    got = constant.value
    return all(x == value for x in got) if isinstance(got, tuple) else got == value
