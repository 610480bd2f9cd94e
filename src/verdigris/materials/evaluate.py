"""Evaluates pattern nodes at surface points in Dr.Jit, also at points shifted from them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import islice
from typing import Any

from verdigris.errors import GraphError
from verdigris.materials.graph import Node, Port, reachable
from verdigris.materials.nodes import PATTERNS
from verdigris.materials.nodes.registry import Call, Surface, to_drjit
from verdigris.materials.nodes.unavailable import UNAVAILABLE

_CHUNK = 512
"""Nodes after which a large graph is computed so far: one kernel of all would take the compiler minutes."""


def evaluate(
    nodes: Mapping[str, Node], surface: Surface, textures: Mapping[str, Any], given: Mapping[Port, Any] | None = None
) -> dict[Port, Any]:
    """The value of every output of `nodes`, which come in an order where each follows those it reads.

    textures: what image nodes look up, by `texture_key`. given: outputs whose values are known beforehand.
    Raises GraphError naming the node that a surface point alone cannot evaluate.
    """
    values = dict(given or {})
    for count, node in enumerate(nodes.values(), 1):
        if Port(node.path) in values:
            continue
        inputs = {
            name: values[value] if isinstance(value, Port) else to_drjit(surface.mi, value.type, value.value)
            for name, value in node.inputs.items()
        }
        at = partial(_input_at, nodes, node, textures, given)
        values.update(outputs(Call(node, inputs, surface, textures, at)))
        if count % _CHUNK == 0 and not surface.dr.flag(surface.dr.JitFlag.SymbolicScope):
            _compute(nodes, values, surface.dr, count)
    return values


def _compute(nodes: Mapping[str, Node], values: Mapping[Port, Any], dr: Any, count: int) -> None:
    """Computes those of the values of the first `count` nodes that later nodes read."""
    later = (port for node in islice(nodes.values(), count, None) for port in node.ports())
    dr.eval([values[port] for port in dict.fromkeys(later) if port in values])


def outputs(call: Call) -> dict[Port, Any]:
    """The values of one node's outputs. Raises GraphError naming the node where it has none."""
    node = call.node
    if node.category in UNAVAILABLE:
        raise GraphError(f"{node.path}: node '{node.category}' is refused: {UNAVAILABLE[node.category]}")
    result = PATTERNS[node.category](call)
    named = result if isinstance(result, dict) else {"out": result}
    return {Port(node.path, name): value for name, value in named.items()}


def _input_at(
    nodes: Mapping[str, Node],
    node: Node,
    textures: Mapping[str, Any],
    given: Mapping[Port, Any] | None,
    name: str,
    elsewhere: Surface,
) -> Any:
    """An input of `node` at another surface point: the subgraph that it reads, evaluated once more."""
    value = node.inputs[name]
    if not isinstance(value, Port):
        return to_drjit(elsewhere.mi, value.type, value.value)
    return evaluate(reachable(nodes, value.node), elsewhere, textures, given)[value]
