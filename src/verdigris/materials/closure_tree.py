"""The tree of closures that a folded graph describes, without branches that constants rule out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from verdigris.errors import GraphError
from verdigris.materials.closures import CLOSURES
from verdigris.materials.graph import Constant, Graph, Input, Node, Port

COMBINERS = frozenset({"mix", "layer", "multiply", "add"})
MEDIA = frozenset({"anisotropic_vdf", "absorption_vdf"})
REFUSED = frozenset({"chiang_hair_bsdf"})
"""Closures that are known and refused where they contribute: they need light to pass through the surface."""

_EPSILON = 1e-6


@dataclass(frozen=True)
class Leaf:
    """One lobe."""

    node: Node


@dataclass(frozen=True)
class Mix:
    """`bg` where `amount` is 0, `fg` where it is 1."""

    fg: Tree
    bg: Tree
    amount: Input


@dataclass(frozen=True)
class Layer:
    """`top` over `base`."""

    top: Tree
    base: Tree


@dataclass(frozen=True)
class Filled:
    """`top` with a medium of unit thickness under it; a layer's base lies below the medium."""

    top: Tree
    medium: Node


@dataclass(frozen=True)
class Multiply:
    """`child` tinted; its throughput is not."""

    child: Tree
    tint: Input


@dataclass(frozen=True)
class Add:
    """Both responses."""

    first: Tree
    second: Tree


@dataclass(frozen=True)
class Nothing:
    """A lobe of weight 0: no response; light passes unless it is opaque."""

    opaque: bool


Tree = Leaf | Mix | Layer | Filled | Multiply | Add | Nothing


def build(graph: Graph) -> Tree:
    """The closure tree of a folded graph, without branches that constants rule out.

    Raises GraphError naming the node of a closure that contributes and is not supported.
    """
    root = graph.root.inputs.get("bsdf")
    if not isinstance(root, Port):
        raise GraphError(f"{graph.surface}: input 'bsdf': expected a closure, got none")
    return _build(graph.nodes, root)


def _build(nodes: Mapping[str, Node], port: Input | None) -> Tree:
    if not isinstance(port, Port):
        return Nothing(opaque=False)
    node = nodes[port.node]
    if node.category in CLOSURES:
        return _leaf(node)
    if node.category not in COMBINERS:
        raise GraphError(f"{node.path}: closure '{node.category}' is not supported")
    inputs = node.inputs
    if node.category == "mix":
        amount = inputs["mix"]
        if isinstance(amount, Constant) and amount.value in (0, 1):
            return _build(nodes, inputs.get("fg" if amount.value == 1 else "bg"))
        return Mix(_build(nodes, inputs.get("fg")), _build(nodes, inputs.get("bg")), amount)
    if node.category == "layer":
        top, below = _build(nodes, inputs.get("top")), inputs.get("base")
        if _is_opaque(top):
            return top
        if isinstance(below, Port) and nodes[below.node].category in MEDIA:
            return Filled(top, nodes[below.node])
        base = _build(nodes, inputs.get("base"))
        return base if isinstance(top, Nothing) else Layer(top, base)
    if node.category == "multiply":
        child, tint = _build(nodes, inputs.get("in1")), inputs["in2"]
        unit = isinstance(tint, Constant) and tint.value in (1, (1, 1, 1))
        return child if unit or isinstance(child, Nothing) else Multiply(child, tint)
    return Add(_build(nodes, inputs.get("in1")), _build(nodes, inputs.get("in2")))


def _leaf(node: Node) -> Tree:
    weight = node.inputs.get("weight")
    if isinstance(weight, Constant) and float(weight.value) < _EPSILON:  # type: ignore[arg-type]
        return Nothing(CLOSURES[node.category].opaque)
    mode = node.constant("scatter_mode", "R")
    if mode != "R":
        raise GraphError(
            f"{node.path}: input 'scatter_mode': expected R, got {mode}: light that passes through is not supported"
        )
    return Leaf(node)


def _is_opaque(tree: Tree) -> bool:
    if isinstance(tree, Leaf):
        return CLOSURES[tree.node.category].opaque
    if isinstance(tree, Mix):
        return _is_opaque(tree.fg) and _is_opaque(tree.bg)
    if isinstance(tree, Multiply):
        return _is_opaque(tree.child)
    if isinstance(tree, Layer):
        return _is_opaque(tree.top) or _is_opaque(tree.base)
    return isinstance(tree, Nothing) and tree.opaque


def children(tree: Tree) -> Iterator[Tree]:
    """The subtrees of a tree, the upper or foremost first."""
    return (child for child in vars(tree).values() if isinstance(child, Tree))


def leaves(tree: Tree) -> Iterator[Leaf]:
    """All lobes of a tree, in drawing order (a node read twice comes twice)."""
    if isinstance(tree, Leaf):
        yield tree
    for child in children(tree):
        yield from leaves(child)


def depth(tree: Tree) -> int:
    """Number of layers on the longest way from the top to the bottom."""
    below = [depth(child) for child in children(tree)]
    return sum(below) if isinstance(tree, Layer) else max(below, default=1)


def parameters(tree: Tree) -> list[Port]:
    """Every varying value that the tree reads, once each."""
    found: dict[Port, None] = {}

    def visit(item: Tree) -> None:
        own: list[Input] = []
        if isinstance(item, Leaf):
            own = list(item.node.inputs.values())
        elif isinstance(item, Filled):
            own = list(item.medium.inputs.values())
        elif isinstance(item, Mix):
            own = [item.amount]
        elif isinstance(item, Multiply):
            own = [item.tint]
        found.update({value: None for value in own if isinstance(value, Port)})
        for child in children(item):
            visit(child)

    visit(tree)
    return list(found)


def directions(tree: Tree) -> dict[Port, Literal["normal", "tangent"]]:
    """The varying values that lobes read as their normal or tangent, and which of the two."""
    found: dict[Port, Literal["normal", "tangent"]] = {}
    for leaf in leaves(tree):
        for name in ("tangent", "normal"):
            value = leaf.node.inputs.get(name)
            if isinstance(value, Port):
                found[value] = name
    return found
