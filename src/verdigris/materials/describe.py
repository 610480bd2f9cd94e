"""What `verdigris inspect` counts in a material that is a graph; docs/inspect.md defines each count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from verdigris.materials.closure_tree import Tree, depth, leaves
from verdigris.materials.graph import WIDTHS, Constant, Input, Node, Port
from verdigris.materials.nodes.image import IMAGES

if TYPE_CHECKING:
    from verdigris.materials.reference import ReferenceMaterial


def describe(material: ReferenceMaterial) -> dict[str, Any]:
    """The facts of a material as plain JSON values."""
    graph = material.graph
    slots = [(_width(material, value), value) for value in parameters(material.tree)]
    files = {str(node.constant("file", "")) for node in graph.nodes.values() if node.category in IMAGES}
    return {
        "name": material.name,
        "source": dict(material.source),
        "nodes": graph.document_nodes,
        "expanded_nodes": graph.expanded_nodes,
        "layers": depth(material.tree),
        "layering": material.layering,
        "scaled_layers": list(material.scaled_layers),
        "closures": dict(Counter(leaf.node.category for leaf in leaves(material.tree))),
        "parameters": sum(width for width, _ in slots),
        "varying_parameters": sum(width for width, value in slots if isinstance(value, Port)),
        "textures": len(files),
        "texture_files": sorted(files),
        "channels": sum(texture.shape[2] for texture in material.textures.values()),
        "resolution": material.native_resolution,
        "varying": material.varying,
        "emission": bool(material.signals.terms),
        "opacity": material.signals.cuts_out,
        "warnings": list(material.warnings),
    }


def parameters(tree: Tree) -> Iterator[Input]:
    """Every input of the closures and media of a tree, and every amount and tint between them, each place once."""
    seen: set[str] = set()
    pending: list[Any] = [tree]
    while pending:
        for value in vars(pending.pop()).values():
            if isinstance(value, Node):
                if value.path not in seen:
                    seen.add(value.path)
                    yield from value.inputs.values()
            elif isinstance(value, Port | Constant):
                yield value
            elif isinstance(value, Tree):
                pending.append(value)


def _width(material: ReferenceMaterial, value: Input) -> int:
    """Floats of an input; 0 for a name, a switch or a whole number."""
    return material.width(value) if isinstance(value, Port) else WIDTHS.get(value.type, 0)
