"""ReferenceMaterial: a material document as the ground truth, evaluated without approximation by networks."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.errors import GraphError
from verdigris.materials import layering, library, mtlx
from verdigris.materials.closures import CLOSURES
from verdigris.materials.evaluate import evaluate
from verdigris.materials.fold import fold
from verdigris.materials.graph import WIDTHS, Constant, Graph, Node, Port, reachable
from verdigris.materials.nodes import PATTERNS
from verdigris.materials.nodes.image import IMAGES, load_texture, resolve, texture_key
from verdigris.materials.nodes.registry import SPATIAL, Surface
from verdigris.materials.nodes.unavailable import UNAVAILABLE
from verdigris.runtime import mitsuba

LIBRARY_PREFIX = "library:"
FOOTPRINT_SAMPLES = 16
DEFAULT_RESOLUTION = 512
"""Texture side that gives a level of detail its footprint where the material has no images."""

_PRIMITIVES = frozenset(PATTERNS) | frozenset(CLOSURES) | layering.COMBINERS | layering.MEDIA | layering.REFUSED
_PRIMITIVES |= {"surface", "uniform_edf", "conical_edf", "measured_edf", "generalized_schlick_edf", *UNAVAILABLE}
_SCATTERING = {"subsurface_bsdf": "subsurface", "translucent_bsdf": "translucency"}
"""Closures whose light leaves elsewhere than it arrives: approximated at the surface, with a warning."""


@dataclass(frozen=True, eq=False)
class ReferenceMaterial:
    """A folded graph, its closure tree and its textures.

    name: material name. source: uri (file name or library name), material, sha256 of the document and its images.
    warnings: what the document asks for and the reference leaves out, a line each.
    """

    name: str
    source: Mapping[str, str]
    graph: Graph
    tree: layering.Tree
    textures: Mapping[str, Any]
    warnings: tuple[str, ...]

    @cached_property
    def _patterns(self) -> dict[str, Node]:
        """The pattern nodes that the closures read, each after those it reads."""
        return _patterns(self.graph, self.tree)

    @cached_property
    def varying(self) -> bool:
        """Whether the material depends on the surface point."""
        return any(node.category in SPATIAL for node in self._patterns.values())

    @cached_property
    def native_resolution(self) -> int:
        """Longest side of the textures in texels; 0 where there are none."""
        return max((max(texture.shape[:2]) for texture in self.textures.values()), default=0)

    @cached_property
    def parameter_count(self) -> int:
        """Number of floats in `parameters_dr`."""
        return sum(self._width(port) for port in layering.parameters(self.tree))

    def _width(self, port: Port) -> int:
        node = self.graph.nodes[port.node]
        return 3 if node.category == "artistic_ior" else WIDTHS.get(node.type, 1)

    def shading(self, uv: Any) -> layering.Shading:
        """The closure tree at texture coordinates `uv` (Dr.Jit `Point2f`)."""
        mi = mitsuba()
        import drjit as dr

        surface = Surface(mi, dr, uv)
        return layering.Shading(surface, self.tree, evaluate(self._patterns, surface, self.textures))

    def eval_dr(self, uv: Any, wi: Any, wo: Any) -> Any:
        """Response times cosine in Dr.Jit: `Point2f, Vector3f, Vector3f -> Color3f`; 0 below the horizon."""
        return mitsuba().Color3f(self.shading(uv).eval(wi, wo))

    def sample_dr(self, uv: Any, wi: Any, u1: Any, u2: Any) -> tuple[Any, Any]:
        """(wo, pdf) from uniform numbers `Float, Point2f`; a pdf of 0 marks a failed sample."""
        shading = self.shading(uv)
        wo = shading.sample(wi, u1, u2)
        return wo, shading.pdf(wi, wo)

    def pdf_dr(self, uv: Any, wi: Any, wo: Any) -> Any:
        """Density of `sample_dr` per solid angle."""
        return self.shading(uv).pdf(wi, wo)

    def parameters_dr(self, uv: Any) -> list[Any]:
        """The varying closure parameters at `uv`, `parameter_count` values of type `Float`."""
        shading = self.shading(uv)
        found: list[Any] = []
        for port in layering.parameters(self.tree):
            value = shading.values[port]
            found.extend(value if self._width(port) > 1 else [mitsuba().Float(value)])
        return found

    def eval(self, uv: Array, wi: Array, wo: Array, level: float = 0, seed: int = 0) -> Array:
        """Response times cosine, `[n, 2], [n, 3], [n, 3] -> [n, 3]`.

        Above level 0 it is averaged over a Gaussian footprint, standard deviation half a texel of that level of the
        largest texture, by FOOTPRINT_SAMPLES random points drawn from `seed`.
        """
        mi = mitsuba()
        if level <= 0:
            return np.array(
                self.eval_dr(mi.Point2f(_columns(uv)), mi.Vector3f(_columns(wi)), mi.Vector3f(_columns(wo)))
            ).T
        rng = np.random.default_rng(seed)
        deviation = 0.5 * 2.0**level / (self.native_resolution or DEFAULT_RESOLUTION)
        total = np.zeros((len(uv), 3))
        for _ in range(FOOTPRINT_SAMPLES):
            total += self.eval(uv + rng.normal(0, deviation, uv.shape), wi, wo)
        return (total / FOOTPRINT_SAMPLES).astype(np.float32)

    def sample(self, uv: Array, wi: Array, u: Array, level: float = 0) -> tuple[Array, Array, Array]:
        """(wo `[n, 3]`, pdf `[n]`, weight `[n, 3]` = eval / pdf) from uniform numbers `u [n, 3]`."""
        mi = mitsuba()
        at = mi.Point2f(_columns(uv))
        wo, pdf = self.sample_dr(at, mi.Vector3f(_columns(wi)), mi.Float(_columns(u)[0]), mi.Point2f(_columns(u)[1:]))
        wo, pdf = np.array(wo).T, np.array(pdf)
        value = self.eval(uv, wi, wo, level)
        return wo, pdf, np.where(pdf[:, None] > 0, value / np.maximum(pdf[:, None], 1e-30), 0)

    def pdf(self, uv: Array, wi: Array, wo: Array, level: float = 0) -> Array:
        """Density of `sample` per solid angle, `[n]`; the sampler is that of level 0."""
        mi = mitsuba()
        return np.array(self.pdf_dr(mi.Point2f(_columns(uv)), mi.Vector3f(_columns(wi)), mi.Vector3f(_columns(wo))))

    def describe(self) -> dict[str, Any]:
        """What `inspect` prints: counts of nodes, layers and parameters, closures, textures, channels, warnings."""
        images = [node for node in self._patterns.values() if node.category in IMAGES]
        return {
            "name": self.name,
            "source": dict(self.source),
            "nodes": len(self.graph.nodes),
            "layers": layering.depth(self.tree),
            "closures": dict(Counter(leaf.node.category for leaf in layering.leaves(self.tree))),
            "parameters": self.parameter_count,
            "textures": sorted({str(node.constant("file", "")) for node in images}),
            "channels": sum(WIDTHS[node.type] for node in images),
            "resolution": self.native_resolution,
            "varying": self.varying,
            "warnings": list(self.warnings),
        }


def _columns(values: Array) -> Array:
    """Row vectors as the columns that Dr.Jit's constructors expect, float32."""
    return np.ascontiguousarray(np.atleast_2d(values).T, dtype=np.float32)


def locate(source: str | Path, roots: Sequence[str | Path] | None = None) -> tuple[Path, tuple[Path, ...], str]:
    """(document, asset roots, uri) of a source: a `.mtlx` path or `library:NAME`."""
    if str(source).startswith(LIBRARY_PREFIX):
        path, root = library.locate(str(source)[len(LIBRARY_PREFIX) :])
        return path, (root,), str(source)
    path = Path(source)
    return path, tuple(map(Path, roots)) if roots else (path.parent,), path.name


def material_names(source: str | Path) -> list[str]:
    """Names of the materials that a source holds, in document order."""
    return mtlx.material_names(mtlx.read_document(locate(source)[0]))


def load_reference(
    source: str | Path, material: str | None = None, roots: Sequence[str | Path] | None = None
) -> ReferenceMaterial:
    """Loads a material as ground truth.

    source: path of a `.mtlx` document, or `library:NAME`. material: which one, where the document has several.
    roots: folders in which texture files are sought, and which they may not leave; the document's own by default.
    Raises GraphError naming the file, the node or the input that is wrong or not supported.
    """
    path, folders, uri = locate(source, roots)
    graph = fold(mtlx.load_graph(path, material, _PRIMITIVES))
    try:
        return _assemble(graph, path, folders, uri)
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from error


def _assemble(graph: Graph, path: Path, folders: tuple[Path, ...], uri: str) -> ReferenceMaterial:
    tree = layering.build(graph)
    textures: dict[str, Any] = {}
    digest = hashlib.sha256(path.read_bytes())
    for node in (node for node in _patterns(graph, tree).values() if node.category in IMAGES):
        key = texture_key(node)
        if key not in textures:
            textures[key] = load_texture(node, folders)
            digest.update(resolve(str(node.constant("file", "")), folders, node.path).read_bytes())
    source = {"uri": uri, "material": graph.name, "sha256": digest.hexdigest()}
    material = ReferenceMaterial(graph.name, source, graph, tree, textures, _warnings(graph, tree))
    material.shading(mitsuba().Point2f(0))  # traces every node once, so that one that is refused is so on loading
    return material


def _patterns(graph: Graph, tree: layering.Tree) -> dict[str, Node]:
    return reachable(graph.nodes, *(port.node for port in layering.parameters(tree)))


def _warnings(graph: Graph, tree: layering.Tree) -> tuple[str, ...]:
    found = []
    opacity = graph.root.inputs.get("opacity")
    if opacity is not None and not (isinstance(opacity, Constant) and opacity.value == 1):
        found.append(f"{graph.surface}: opacity is left out: the material is baked opaque")
    if _emits(graph):
        found.append(f"{graph.surface}: emission is left out: only reflection is baked")
    found.extend(
        f"{leaf.node.path}: {kind} is approximated by diffuse reflection of the same colour"
        for leaf in layering.leaves(tree)
        if (kind := _SCATTERING.get(leaf.node.category))
    )
    if any(node.category == "position" for node in _patterns(graph, tree).values()):
        found.append(f"{graph.name}: solid textures are baked over the unit square: position = (u, v, 0)")
    return tuple(dict.fromkeys(found))


def _emits(graph: Graph) -> bool:
    """Whether any emission distribution that the surface reads can be other than black."""
    port = graph.root.inputs.get("edf")
    pending = [port] if isinstance(port, Port) else []
    while pending:
        node = graph.nodes[pending.pop().node]
        if node.category == "uniform_edf":
            colour = node.inputs.get("color")
            if not isinstance(colour, Constant) or any(np.ravel(colour.value)):
                return True
        pending.extend(p for p in node.ports() if graph.nodes[p.node].type == "EDF")
    return False
