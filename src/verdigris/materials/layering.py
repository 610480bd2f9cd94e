"""How closures stack: a closure tree at a surface point, its response, and a sampler over its leaves.

By albedo scaling, MaterialX's own layering: each subtree has a response and a throughput, the share of light that
passes it; a layer's base is scaled by the throughput of its top at the viewer's direction. Where a random walk is asked
for, stacks of interfaces are walked instead (see `stacks.py`), and only what is left is scaled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from verdigris.conventions import LUMINANCE_REC709
from verdigris.materials import stacks, walk
from verdigris.materials.closure_tree import Add, Filled, Layer, Leaf, Mix, Multiply, Tree, children
from verdigris.materials.closures import CLOSURES
from verdigris.materials.closures.base import cosine_pdf, cosine_sample, frame
from verdigris.materials.graph import Input, Node, Port, is_vector
from verdigris.materials.nodes.registry import Call, Surface, to_drjit

MEDIUM_IOR = 1.5
"""Index by which a direction bends into a medium when layers are scaled by their albedo."""
DEFENSIVE = 0.15
"""Share of cosine-distributed samples where layers are walked: their lobes are wider than those that are sampled."""

_EPSILON = 1e-6
_SELECTION_FLOOR = 1e-3


@dataclass(frozen=True)
class Shading:
    """A tree at a surface point whose varying values are known. Directions are local to the shading frame."""

    surface: Surface
    tree: Tree
    values: Mapping[Port, Any]
    rng: Any = None
    """Random numbers (`Stream`) of the walk; None where layers are scaled by their albedo."""
    defensive: float = 0.0
    estimates: int = 1
    """Walks that are averaged where layers are walked."""

    def eval(self, wi: Any, wo: Any) -> Any:
        """Response times cosine, `Vector3f`; 0 where either direction is below the surface."""
        dr = self.surface.dr
        return dr.select((wi.z > 0) & (wo.z > 0), self._response(self.tree, wi, wo), 0)

    def below(self, tree: Tree) -> Shading:
        """A subtree at the same point, its layers scaled."""
        return replace(self, tree=tree, rng=None, defensive=0.0)

    def sample(self, wi: Any, u1: Any, u2: Any) -> Any:
        """A direction from the mixture of all lobes, chosen by their share of the reflected light."""
        mi, dr = self.surface.mi, self.surface.dr
        wo, passed = cosine_sample(mi, dr, u2), mi.Float(self.defensive)
        for leaf, share in self._lobes(wi):
            call, to_local, to_world = self.leaf_frame(leaf, wi)
            local = CLOSURES[leaf.node.category].sample(call, to_local(wi), u2)
            # Below a tilted lobe's own horizon it fails, though the surface's may be lower and other lobes reach there.
            wo = dr.select(u1 >= passed, dr.select(local.z > 0, to_world(local), mi.Vector3f(0, 0, -1)), wo)
            passed = passed + share
        return wo

    def pdf(self, wi: Any, wo: Any) -> Any:
        """Density of `sample`; 0 where either direction is below the surface."""
        dr = self.surface.dr
        total = self.defensive * cosine_pdf(dr, wo)
        for leaf, share in self._lobes(wi):
            call, to_local, _ = self.leaf_frame(leaf, wi)
            wo_local = to_local(wo)
            density = CLOSURES[leaf.node.category].pdf(call, to_local(wi), wo_local)
            total += share * dr.select(wo_local.z > 0, density, 0)
        return dr.select((wi.z > 0) & (wo.z > 0), total, 0)

    def _value(self, value: Input) -> Any:
        return self.values[value] if isinstance(value, Port) else to_drjit(self.surface.mi, value.type, value.value)

    def leaf_frame(self, leaf: Leaf, wi: Any) -> tuple[Call, Any, Any]:
        """The lobe's inputs, and the way into its own frame (normal turned towards the viewer) and back."""
        mi, dr, inputs = self.surface.mi, self.surface.dr, leaf.node.inputs
        call = Call(leaf.node, _Inputs(inputs, self._value), self.surface, {})

        def clamped(w: Any) -> Any:
            return mi.Vector3f(w.x, w.y, dr.maximum(w.z, _EPSILON))

        normal, tangent = inputs.get("normal"), inputs.get("tangent")
        if is_vector(normal, (0, 0, 1)) and is_vector(tangent, (1, 0, 0)):
            return call, lambda w: clamped(w) if w is wi else w, lambda w: w
        n = call.values["normal"] if "normal" in inputs else mi.Vector3f(0, 0, 1)
        n = dr.select(dr.dot(n, wi) < 0, -n, n)
        x = call.values["tangent"] if "tangent" in inputs else mi.Vector3f(1, 0, 0)
        to_local, to_world = frame(mi, dr, n, x)
        return call, lambda w: clamped(to_local(w)) if w is wi else to_local(w), to_world

    def _response(self, tree: Tree, wi: Any, wo: Any) -> Any:
        """Response of a subtree."""
        mi, dr = self.surface.mi, self.surface.dr
        if isinstance(tree, Leaf):
            call, to_local, _ = self.leaf_frame(tree, wi)
            lobe = CLOSURES[tree.node.category]
            wo_local = to_local(wo)
            value = lobe.eval(call, to_local(wi), mi.Vector3f(wo_local.x, wo_local.y, dr.maximum(wo_local.z, _EPSILON)))
            return dr.select(wo_local.z > 0, value, mi.Vector3f(0))
        if isinstance(tree, Mix):
            front, back = self._response(tree.fg, wi, wo), self._response(tree.bg, wi, wo)
            return back + (front - back) * self._value(tree.amount)
        if isinstance(tree, Layer):
            base = self._response(tree.base, wi, wo)
            plan = stacks.plan(tree) if self.rng is not None else None
            if plan is not None:
                return self._walk(plan, wi, wo, base)
            return self._response(tree.top, wi, wo) + base * self._throughput(tree.top, wi, wo)
        if isinstance(tree, Filled):
            return self._response(tree.top, wi, wo)
        if isinstance(tree, Multiply):
            return self._response(tree.child, wi, wo) * dr.clip(self._value(tree.tint), 0, 1)
        if isinstance(tree, Add):
            return self._response(tree.first, wi, wo) + self._response(tree.second, wi, wo)
        return mi.Vector3f(0)

    def _throughput(self, tree: Tree, wi: Any, wo: Any) -> Any:
        """Share of the light that passes a subtree; `wi` is the viewer, from where reflection takes its share."""
        mi, dr = self.surface.mi, self.surface.dr
        if isinstance(tree, Leaf):
            lobe = CLOSURES[tree.node.category]
            if lobe.opaque:
                return mi.Vector3f(0)
            call, to_local, _ = self.leaf_frame(tree, wi)
            return dr.clip(1 - lobe.albedo(call, to_local(wi)), 0, 1)
        if isinstance(tree, Mix):
            front, back = self._throughput(tree.fg, wi, wo), self._throughput(tree.bg, wi, wo)
            return back + (front - back) * self._value(tree.amount)
        if isinstance(tree, Layer):
            return self._throughput(tree.top, wi, wo) * self._throughput(tree.base, wi, wo)
        if isinstance(tree, Filled):
            passed = self._transmittance(tree.medium, wi) * self._transmittance(tree.medium, wo)
            return self._throughput(tree.top, wi, wo) * passed
        if isinstance(tree, Multiply):
            return self._throughput(tree.child, wi, wo)
        if isinstance(tree, Add):
            return dr.maximum(self._throughput(tree.first, wi, wo) + self._throughput(tree.second, wi, wo) - 1, 0)
        return mi.Vector3f(0 if tree.opaque else 1)

    def _walk(self, plan: stacks.Plan, wi: Any, wo: Any, bare: Any) -> Any:
        """A stack by random walk; `bare` is the response of what its topmost interface leaves uncovered."""
        mi, dr = self.surface.mi, self.surface.dr
        stack = stacks.place(mi, dr, plan, self._value, self.below(plan.bottom))
        walked = walk.average(mi, dr, stack, wi, wo, self.rng, self.estimates)
        if plan.covers:  # or the bottom would be evaluated to be multiplied by 0
            return walked
        return bare + (walked - bare) * self._value(plan.interfaces[0][0].inputs["weight"])

    def _transmittance(self, medium: Node, w: Any) -> Any:
        """Share of light that crosses a medium of unit thickness along `w` refracted into it, scattering left out."""
        dr, mi = self.surface.dr, self.surface.mi
        cosine = dr.sqrt(1 - (1 - w.z * w.z) / (MEDIUM_IOR * MEDIUM_IOR))
        return dr.exp(mi.Vector3f(self._value(medium.inputs["absorption"])) * (-1 / cosine))

    def _lobes(self, wi: Any) -> list[tuple[Leaf, Any]]:
        """The lobes with their probabilities: the luminance each reflects towards `wi`, floored, normalised."""
        found = [(leaf, grey + _SELECTION_FLOOR) for leaf, _, grey in self.reflected(wi)]
        total = sum(share for _, share in found)
        return [(leaf, share * ((1 - self.defensive) / total)) for leaf, share in found]

    def reflected(self, wi: Any) -> list[tuple[Leaf, Any, Any]]:
        """The lobes with the share of light that each reflects towards `wi`: colour, and its luminance, not below 0.

        By albedo scaling, also where layers are walked.
        """
        dr, mi = self.surface.dr, self.surface.mi
        found: list[tuple[Leaf, Any, Any]] = []

        def visit(tree: Tree, share: Any) -> None:
            """Collects the lobes below a share of light."""
            if isinstance(tree, Leaf):
                call, to_local, _ = self.leaf_frame(tree, wi)
                albedo = CLOSURES[tree.node.category].albedo(call, to_local(wi)) * share
                grey = sum(w * c for w, c in zip(LUMINANCE_REC709, albedo, strict=True))
                found.append((tree, albedo, dr.maximum(grey, 0)))
            elif isinstance(tree, Mix):
                amount = self._value(tree.amount)
                visit(tree.fg, share * amount)
                visit(tree.bg, share * (1 - amount))
            elif isinstance(tree, Layer):
                visit(tree.top, share)
                visit(tree.base, share * self._throughput(tree.top, wi, wi))
            elif isinstance(tree, Multiply):
                visit(tree.child, share * dr.clip(self._value(tree.tint), 0, 1))
            else:
                for child in children(tree):
                    visit(child, share)

        visit(self.tree, mi.Vector3f(1))
        return found


class _Inputs(Mapping[str, Any]):
    """The inputs of a lobe in Dr.Jit, each made when it is read: most of a lobe's constants never are."""

    def __init__(self, inputs: Mapping[str, Input], value: Callable[[Input], Any]):
        self._inputs, self._value = inputs, value

    def __getitem__(self, name: str) -> Any:
        return self._value(self._inputs[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._inputs)

    def __len__(self) -> int:
        return len(self._inputs)
