"""Which layers of a closure tree the random walk can take, and how it takes them.

A stack is a run of dielectric interfaces from the top of a `Layer` downwards, each alone or with a medium under it;
what lies below is its bottom. An interface must be there in full (weight 1), but for the topmost, which may cover part
of the surface: the rest is the bottom without it. Everything else is layered by albedo scaling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from verdigris.materials.closure_tree import Filled, Layer, Leaf, Tree, children, leaves
from verdigris.materials.closures import CLOSURES
from verdigris.materials.closures.base import CosineSampled, frame
from verdigris.materials.closures.interface import RoughInterface
from verdigris.materials.graph import Constant, Input, Node, is_vector
from verdigris.materials.stack import Bottom, Frame, Medium, Placed, Stack

INDEX_STEP = 0.02
"""Relative step of index below which an interface is not walked."""


@dataclass(frozen=True)
class Plan:
    """Interfaces from the top, each with its medium, and the tree below them."""

    interfaces: tuple[tuple[Node, Node | None], ...]
    bottom: Tree

    @property
    def covers(self) -> bool:
        """Whether the topmost interface lies over the whole surface."""
        return _is_constant(self.interfaces[0][0], "weight", 1)


def plan(layer: Layer) -> Plan | None:
    """The stack that begins with a layer; None where its top is no interface."""
    found: list[tuple[Node, Node | None]] = []
    tree: Tree = layer
    while isinstance(tree, Layer):
        node, medium = _interface(tree.top)
        if node is None or (found and not (_is_constant(node, "weight", 1) and _bends(found[-1][0], node))):
            break
        found.append((node, medium))
        tree = tree.base
    return Plan(tuple(found), tree) if found else None


def _interface(top: Tree) -> tuple[Node | None, Node | None]:
    medium: Node | None = None
    if isinstance(top, Filled):
        medium, top = top.medium, top.top
    if not isinstance(top, Leaf) or top.node.category != "dielectric_bsdf":
        return None, None
    ior = top.node.inputs.get("ior")
    film = not _is_constant(top.node, "thinfilm_thickness", 0)
    if film or not isinstance(ior, Constant) or abs(_ior(top.node) - 1) < INDEX_STEP:
        return None, None
    return top.node, medium


def _bends(above: Node, below: Node) -> bool:
    """Whether light is refracted between two layers: an interface without a step of index cannot be sampled."""
    ratio = _ior(below) / _ior(above)
    return abs(ratio - 1) >= INDEX_STEP


def _ior(node: Node) -> float:
    got = node.inputs["ior"]
    assert isinstance(got, Constant) and isinstance(got.value, float | int)
    return float(got.value)


def _is_constant(node: Node, name: str, value: float) -> bool:
    got = node.inputs.get(name)
    return got is None or (isinstance(got, Constant) and got.value == value)


def walks(tree: Tree) -> bool:
    """Whether the random walk takes any layer of a tree."""
    return (isinstance(tree, Layer) and plan(tree) is not None) or any(map(walks, children(tree)))


def scaled_layers(tree: Tree, walked: bool) -> list[str]:
    """Paths of the tops that are layered by albedo scaling. walked: whether all that can be is walked.

    What lies below a stack that is walked is itself scaled.
    """
    if isinstance(tree, Layer):
        found = plan(tree) if walked else None
        if found is not None:
            return scaled_layers(found.bottom, False)
        tops = [leaf.node.path for leaf in leaves(tree.top)]
        return [*tops, *scaled_layers(tree.base, walked)]
    return [path for child in children(tree) for path in scaled_layers(child, walked)]


def place(mi: Any, dr: Any, found: Plan, value: Callable[[Input], Any], bottom: Bottom) -> Stack:
    """The stack at a surface point. value: of a node's input there, in Dr.Jit."""
    interfaces, above = [], 1.0
    for node, _ in found.interfaces:
        ior = _ior(node)
        tint = mi.Vector3f(value(node.inputs["tint"]))
        interface = RoughInterface(mi, dr, ior / above, _roughness(node, value), tint)
        interfaces.append(Placed(interface, _frame(mi, dr, node, value)))
        above = ior
    media = [None if node is None else _medium(mi, node, value) for _, node in found.interfaces]
    leaves = len(interfaces) > 1 or any(slab is not None and slab.scatters for slab in media)
    return Stack(interfaces, media, bottom, leaves or not _is_wide(found.bottom))


def _is_wide(tree: Tree) -> bool:
    """Whether all that reflects in a tree is near enough to the cosine to be sampled by it."""
    return all(isinstance(CLOSURES[leaf.node.category], CosineSampled) for leaf in leaves(tree))


def _roughness(node: Node, value: Callable[[Input], Any]) -> Any:
    """GGX widths: a pair of numbers where they are the same everywhere."""
    got = node.inputs["roughness"]
    return got.value if isinstance(got, Constant) else value(got)


def _frame(mi: Any, dr: Any, node: Node, value: Callable[[Input], Any]) -> Frame | None:
    """The ways into the frame of an interface's normal and tangent and back; None where it is the surface's."""
    normal, tangent = (node.inputs.get(name) for name in ("normal", "tangent"))
    if is_vector(normal, (0, 0, 1)) and is_vector(tangent, (1, 0, 0)):
        return None
    n = mi.Vector3f(0, 0, 1) if normal is None else value(normal)
    n = dr.select(n.z < 0, -n, n)
    return frame(mi, dr, n, mi.Vector3f(1, 0, 0) if tangent is None else value(tangent))


def _medium(mi: Any, node: Node, value: Callable[[Input], Any]) -> Medium:
    scattering = node.inputs.get("scattering")
    none = scattering is None or (isinstance(scattering, Constant) and not any(scattering.value))  # type: ignore[arg-type]
    return Medium(
        absorption=mi.Vector3f(value(node.inputs["absorption"])),
        scattering=mi.Vector3f(0) if scattering is None else mi.Vector3f(value(scattering)),
        anisotropy=mi.Float(value(node.inputs["anisotropy"])) if "anisotropy" in node.inputs else mi.Float(0),
        scatters=not none,
    )
