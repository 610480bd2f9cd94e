"""Builds the pattern nodes of the golden numbers as graphs of ours, and evaluates them over many points at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import MaterialX as mx
import numpy as np

from verdigris.materials import mtlx
from verdigris.materials.evaluate import evaluate
from verdigris.materials.graph import Node, Port
from verdigris.materials.nodes import PATTERNS
from verdigris.materials.nodes.image import IMAGES, texture_key
from verdigris.materials.nodes.registry import MATRICES, Surface, vector_type
from verdigris.materials.nodes.sampler import Sampler
from verdigris.runtime import mitsuba

WIDTHS = {"float": 1, "color3": 3, "vector3": 3, "vector2": 2, "color4": 4, "vector4": 4}


def evaluate_case(case: Mapping[str, Any], graphs: Mapping[str, str], texels: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs of one golden case, `[samples, channels]` each, as Verdigris evaluates it.

    texels: `[h, w, 4]`, row 0 at v = 0: what every image of the case shows.
    """
    nodes, results = _flatten(case, graphs)
    mi = mitsuba()
    import drjit as dr

    uv = np.array(case["uv"], np.float32)
    surface = Surface(mi, dr, mi.Point2f(uv.T.copy()))
    given = {Port(f"in_{name}"): _values(mi, kind, rows) for name, (kind, *rows) in case["in"].items()}
    textures = {
        texture_key(node): Sampler.build(texels[..., : WIDTHS[node.type]], ("periodic", "periodic"), "linear")
        for node in nodes.values()
        if node.category in IMAGES
    }
    values = evaluate(nodes, surface, textures, given)
    return {name: _rows(dr, values[port], len(uv)) for name, port in results.items()}


def _flatten(case: Mapping[str, Any], graphs: Mapping[str, str]) -> tuple[dict[str, Node], dict[str, Port]]:
    """Primitive nodes of the case's node, and the port of each of its outputs."""
    key = case["key"]
    document = mx.createDocument()
    if key in graphs:
        mx.readFromXmlString(document, f'<?xml version="1.0"?><materialx version="1.39">{graphs[key]}</materialx>')
        return mtlx.expand_node(document, "n", frozenset(PATTERNS))
    document.setDataLibrary(mtlx.standard_library())
    definition = mtlx.standard_library().getNodeDef(key.split("/")[0])
    node = document.addNodeInstance(definition, "n")
    for name, value in case["constants"].items():
        node.addInput(name, "integer").setValueString(str(value))
    for declared in definition.getActiveInputs():
        name = declared.getName()
        if declared.getType() == "filename":
            node.addInput(name, "filename").setValueString("image.png")
        elif name in case["in"]:
            document.addNode("constant", f"in_{name}", declared.getType()).addInput("value", declared.getType())
            node.addInput(name, declared.getType()).setNodeName(f"in_{name}")
    return mtlx.expand_node(document, "n", frozenset(PATTERNS))


def _values(mi: Any, kind: str, rows: Sequence[Sequence[float]]) -> Any:
    columns = np.array(rows, np.float32).T
    if kind == "boolean":
        return mi.Bool(columns[0] != 0)
    if kind == "integer":
        return mi.Int(columns[0].astype(np.int32))
    if kind in MATRICES:
        return getattr(mi, MATRICES[kind])(*(mi.Float(column) for column in columns))
    return vector_type(mi, len(columns))(*(mi.Float(column) for column in columns))


def _rows(dr: Any, value: Any, samples: int) -> np.ndarray:
    """`[samples, channels]` of a value of any type; what does not vary is repeated."""
    parts = (
        [part for row in value for part in row]
        if dr.is_matrix_v(value)
        else list(value)
        if dr.depth_v(value) > 1
        else [value]
    )
    return np.stack([np.broadcast_to(np.array(part, np.float64).ravel(), samples) for part in parts], axis=1)
