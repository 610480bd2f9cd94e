"""How closures stack: a tree of closures, its response by albedo scaling, and a sampler over its leaves.

Albedo scaling is MaterialX's own layering: each subtree has a response and a throughput, the share of light that
passes it; a layer's base is scaled by the throughput of its top at the viewer's direction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from verdigris.conventions import LUMINANCE_REC709
from verdigris.errors import GraphError
from verdigris.materials.closures import CLOSURES
from verdigris.materials.graph import Constant, Graph, Input, Node, Port
from verdigris.materials.nodes.registry import Call, Surface, to_drjit

COMBINERS = frozenset({"mix", "layer", "multiply", "add"})
MEDIA = frozenset({"anisotropic_vdf", "absorption_vdf"})
REFUSED = frozenset({"chiang_hair_bsdf"})
"""Closures that are known and refused where they contribute: they need light to pass through the surface."""
MEDIUM_IOR = 1.5
"""Index by which a direction bends into a medium when layers are scaled by their albedo."""

_EPSILON = 1e-6
_SELECTION_FLOOR = 1e-3


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


def leaves(tree: Tree) -> Iterator[Leaf]:
    """All lobes of a tree, in drawing order (a node read twice comes twice)."""
    if isinstance(tree, Leaf):
        yield tree
    elif isinstance(tree, Mix):
        yield from (*leaves(tree.fg), *leaves(tree.bg))
    elif isinstance(tree, Layer):
        yield from (*leaves(tree.top), *leaves(tree.base))
    elif isinstance(tree, Filled):
        yield from leaves(tree.top)
    elif isinstance(tree, Multiply):
        yield from leaves(tree.child)
    elif isinstance(tree, Add):
        yield from (*leaves(tree.first), *leaves(tree.second))


def depth(tree: Tree) -> int:
    """Number of layers on the longest way from the top to the bottom."""
    if isinstance(tree, Layer):
        return depth(tree.top) + depth(tree.base)
    if isinstance(tree, Mix):
        return max(depth(tree.fg), depth(tree.bg))
    if isinstance(tree, Filled):
        return depth(tree.top)
    if isinstance(tree, Multiply):
        return depth(tree.child)
    if isinstance(tree, Add):
        return max(depth(tree.first), depth(tree.second))
    return 1


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
        for child in vars(item).values():
            if isinstance(child, Tree):
                visit(child)

    visit(tree)
    return list(found)


@dataclass(frozen=True)
class Shading:
    """A tree at a surface point whose varying values are known. Directions are local to the shading frame."""

    surface: Surface
    tree: Tree
    values: Mapping[Port, Any]

    def eval(self, wi: Any, wo: Any) -> Any:
        """Response times cosine, `Vector3f`; 0 where either direction is below the surface."""
        dr = self.surface.dr
        response, _ = self._eval(self.tree, wi, wo)
        return dr.select((wi.z > 0) & (wo.z > 0), response, 0)

    def sample(self, wi: Any, u1: Any, u2: Any) -> Any:
        """A direction from the mixture of all lobes, chosen by their share of the reflected light."""
        lobes = self._lobes(wi)
        wo, passed = self.surface.mi.Vector3f(0, 0, 1), self.surface.mi.Float(0)
        for leaf, share in lobes:
            call, to_local, to_world = self._leaf_frame(leaf, wi)
            candidate = to_world(CLOSURES[leaf.node.category].sample(call, to_local(wi), u2))
            wo = self.surface.dr.select(u1 >= passed, candidate, wo)
            passed = passed + share
        return wo

    def pdf(self, wi: Any, wo: Any) -> Any:
        """Density of `sample`; 0 where either direction is below the surface."""
        dr = self.surface.dr
        total = self.surface.mi.Float(0)
        for leaf, share in self._lobes(wi):
            call, to_local, _ = self._leaf_frame(leaf, wi)
            wo_local = to_local(wo)
            density = CLOSURES[leaf.node.category].pdf(call, to_local(wi), wo_local)
            total += share * dr.select(wo_local.z > 0, density, 0)
        return dr.select((wi.z > 0) & (wo.z > 0), total, 0)

    def _value(self, value: Input) -> Any:
        return self.values[value] if isinstance(value, Port) else to_drjit(self.surface.mi, value.type, value.value)

    def _leaf_frame(self, leaf: Leaf, wi: Any) -> tuple[Call, Any, Any]:
        """The lobe's inputs, and the way into its own frame (normal turned towards the viewer) and back."""
        mi, dr, inputs = self.surface.mi, self.surface.dr, leaf.node.inputs
        call = Call(leaf.node, {name: self._value(value) for name, value in inputs.items()}, self.surface, {})

        def clamped(w: Any) -> Any:
            return mi.Vector3f(w.x, w.y, dr.maximum(w.z, _EPSILON))

        normal, tangent = inputs.get("normal"), inputs.get("tangent")
        if _is_vector(normal, (0, 0, 1)) and _is_vector(tangent, (1, 0, 0)):
            return call, lambda w: clamped(w) if w is wi else w, lambda w: w
        n = call.values["normal"] if "normal" in inputs else mi.Vector3f(0, 0, 1)
        n = dr.select(dr.dot(n, wi) < 0, -n, n)
        x = call.values["tangent"] if "tangent" in inputs else mi.Vector3f(1, 0, 0)
        x = x - n * dr.dot(n, x)
        x = x * dr.rsqrt(dr.maximum(dr.squared_norm(x), 1e-12))
        y = dr.cross(n, x)

        def to_local(w: Any) -> Any:
            local = mi.Vector3f(dr.dot(w, x), dr.dot(w, y), dr.dot(w, n))
            return clamped(local) if w is wi else local

        return call, to_local, lambda w: x * w.x + y * w.y + n * w.z

    def _eval(self, tree: Tree, wi: Any, wo: Any) -> tuple[Any, Any]:
        """(response, throughput) of a subtree."""
        mi, dr = self.surface.mi, self.surface.dr
        if isinstance(tree, Leaf):
            call, to_local, _ = self._leaf_frame(tree, wi)
            lobe = CLOSURES[tree.node.category]
            wo_local = to_local(wo)
            value = lobe.eval(call, to_local(wi), mi.Vector3f(wo_local.x, wo_local.y, dr.maximum(wo_local.z, _EPSILON)))
            value = dr.select(wo_local.z > 0, value, mi.Vector3f(0))
            return value, self._throughput(tree, wi)
        if isinstance(tree, Mix):
            amount = self._value(tree.amount)
            (r1, t1), (r0, t0) = self._eval(tree.fg, wi, wo), self._eval(tree.bg, wi, wo)
            return r0 + (r1 - r0) * amount, t0 + (t1 - t0) * amount
        if isinstance(tree, Layer):
            (r1, t1), (r0, t0) = self._eval(tree.top, wi, wo), self._eval(tree.base, wi, wo)
            return r1 + r0 * t1, t1 * t0
        if isinstance(tree, Filled):
            response, throughput = self._eval(tree.top, wi, wo)
            return response, throughput * self._transmittance(tree.medium, wi) * self._transmittance(tree.medium, wo)
        if isinstance(tree, Multiply):
            response, throughput = self._eval(tree.child, wi, wo)
            return response * dr.clip(self._value(tree.tint), 0, 1), throughput
        if isinstance(tree, Add):
            (r1, t1), (r2, t2) = self._eval(tree.first, wi, wo), self._eval(tree.second, wi, wo)
            return r1 + r2, dr.maximum(t1 + t2 - 1, 0)
        return mi.Vector3f(0), mi.Vector3f(0 if tree.opaque else 1)

    def _transmittance(self, medium: Node, w: Any) -> Any:
        """Share of light that crosses a medium of unit thickness along `w` refracted into it, scattering left out."""
        dr, mi = self.surface.dr, self.surface.mi
        cosine = dr.sqrt(1 - (1 - w.z * w.z) / (MEDIUM_IOR * MEDIUM_IOR))
        return dr.exp(mi.Vector3f(self._value(medium.inputs["absorption"])) * (-1 / cosine))

    def _throughput(self, leaf: Leaf, wi: Any) -> Any:
        lobe, mi = CLOSURES[leaf.node.category], self.surface.mi
        if lobe.opaque:
            return mi.Vector3f(0)
        call, to_local, _ = self._leaf_frame(leaf, wi)
        return self.surface.dr.clip(1 - lobe.albedo(call, to_local(wi)), 0, 1)

    def _lobes(self, wi: Any) -> list[tuple[Leaf, Any]]:
        """The lobes with their probabilities: the luminance each reflects towards `wi`, floored, normalised."""
        dr, mi = self.surface.dr, self.surface.mi
        found: list[tuple[Leaf, Any]] = []

        def visit(tree: Tree, share: Any) -> Any:
            """Collects the lobes below a share of light; returns the subtree's throughput."""
            if isinstance(tree, Leaf):
                call, to_local, _ = self._leaf_frame(tree, wi)
                albedo = CLOSURES[tree.node.category].albedo(call, to_local(wi)) * share
                grey = sum(w * c for w, c in zip(LUMINANCE_REC709, albedo, strict=True))
                found.append((tree, dr.maximum(grey, 0) + _SELECTION_FLOOR))
                return self._throughput(tree, wi)
            if isinstance(tree, Mix):
                amount = self._value(tree.amount)
                t1, t0 = visit(tree.fg, share * amount), visit(tree.bg, share * (1 - amount))
                return t0 + (t1 - t0) * amount
            if isinstance(tree, Layer):
                top = visit(tree.top, share)
                return top * visit(tree.base, share * top)
            if isinstance(tree, Filled):
                passed = self._transmittance(tree.medium, wi)
                return visit(tree.top, share) * passed * passed
            if isinstance(tree, Multiply):
                return visit(tree.child, share * dr.clip(self._value(tree.tint), 0, 1))
            if isinstance(tree, Add):
                return dr.maximum(visit(tree.first, share) + visit(tree.second, share) - 1, 0)
            return mi.Vector3f(0 if tree.opaque else 1)

        visit(self.tree, mi.Vector3f(1))
        total = sum(share for _, share in found)
        return [(leaf, share / total) for leaf, share in found]


def _is_vector(value: Input | None, expected: tuple[float, ...]) -> bool:
    return value is None or (isinstance(value, Constant) and value.value == expected)
