"""ReferenceMaterial: a MaterialX document as the ground truth; `load_reference` also takes what Mitsuba describes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from verdigris.errors import GraphError
from verdigris.materials import closure_tree, library, mitsuba_source, mtlx, stacks
from verdigris.materials import layering as layers
from verdigris.materials.closures import CLOSURES
from verdigris.materials.describe import describe
from verdigris.materials.evaluate import evaluate
from verdigris.materials.fold import fold
from verdigris.materials.graph import WIDTHS, Graph, Node, Port, reachable
from verdigris.materials.guides import guides
from verdigris.materials.material import EncoderInput, Material
from verdigris.materials.nodes import PATTERNS
from verdigris.materials.nodes.image import IMAGES, load_texture, resolve, texture_key
from verdigris.materials.nodes.registry import SPATIAL, Surface
from verdigris.materials.nodes.unavailable import UNAVAILABLE
from verdigris.materials.random_numbers import Stream, hashed
from verdigris.materials.signals import EMITTERS, Signals, build_signals
from verdigris.materials.texture_budget import TextureBudget
from verdigris.runtime import mitsuba

LIBRARY_PREFIX = "library:"

_PRIMITIVES = (
    frozenset(PATTERNS) | frozenset(CLOSURES) | closure_tree.COMBINERS | closure_tree.MEDIA | closure_tree.REFUSED
)
_PRIMITIVES |= {"surface", *EMITTERS, *UNAVAILABLE}
LAYERINGS = ("scale", "walk")
_SCATTERING = {"subsurface_bsdf": "subsurface", "translucent_bsdf": "translucency"}
"""Closures whose light leaves elsewhere than it arrives: approximated at the surface, with a warning."""


@dataclass(frozen=True, eq=False)
class ReferenceMaterial(Material):
    """A folded graph, its closure tree, its textures, and the signals beside its reflection.

    name: material name. source: uri (file name or library name), material, sha256 of the document and its images.
    warnings: what the document asks for and the reference leaves out, a line each.
    layering: `scale` by directional albedo, or `walk` at random through the layers (see `layering.py`, `walk.py`).
    estimates: walks that an evaluation averages.
    """

    name: str
    source: Mapping[str, str]
    graph: Graph
    tree: closure_tree.Tree
    textures: Mapping[str, Any]
    signals: Signals
    warnings: tuple[str, ...]
    layering: str = "scale"
    estimates: int = 1

    @cached_property
    def _patterns(self) -> dict[str, Node]:
        """The pattern nodes that the closures read, each after those it reads."""
        return _patterns(self.graph, closure_tree.parameters(self.tree))

    @cached_property
    def varying(self) -> bool:
        """Whether the reflection depends on the surface point."""
        return any(node.category in SPATIAL for node in self._patterns.values())

    @property
    def stochastic(self) -> bool:
        """Whether layers are walked."""
        return self.layering == "walk" and stacks.walks(self.tree)

    def averaging(self, estimates: int) -> ReferenceMaterial:
        """This material with `estimates` walks an evaluation."""
        return replace(self, estimates=estimates)

    @cached_property
    def scaled_layers(self) -> tuple[str, ...]:
        """Paths of the tops that are layered by albedo scaling."""
        return tuple(dict.fromkeys(stacks.scaled_layers(self.tree, self.layering == "walk")))

    @cached_property
    def native_resolution(self) -> int:
        """Longest side of the textures in texels; 0 where there are none."""
        return max((max(texture.shape[:2]) for texture in self.textures.values()), default=0)

    @cached_property
    def inputs(self) -> tuple[EncoderInput, ...]:
        """The varying closure parameters, each named after the output that gives it."""
        kinds = closure_tree.directions(self.tree)
        return tuple(
            EncoderInput(f"{port.node}.{port.output}", kinds.get(port, "value"), self.width(port))
            for port in closure_tree.parameters(self.tree)
        )

    def width(self, port: Port) -> int:
        """Floats of a pattern node's output."""
        node = self.graph.nodes[port.node]
        return 3 if node.category == "artistic_ior" else WIDTHS.get(node.type, 1)

    def shading(self, uv: Any, rng: Any = None) -> layers.Shading:
        """The closure tree at texture coordinates `uv` (Dr.Jit `Point2f`); `rng`: a `Stream`, if layers are walked."""
        mi = mitsuba()
        import drjit as dr

        surface = Surface(mi, dr, uv)
        defensive = layers.DEFENSIVE if self.layering == "walk" else 0.0
        values = evaluate(self._patterns, surface, self.textures)
        return layers.Shading(surface, self.tree, values, rng, defensive, self.estimates)

    def eval_dr(self, uv: Any, wi: Any, wo: Any, seed: Any = 0) -> Any:
        """Response times cosine in Dr.Jit: `Point2f, Vector3f, Vector3f -> Color3f`; 0 below the horizon.

        Where layers are walked it is an unbiased estimate, the same for equal arguments and seed (`UInt32`).
        """
        mi = mitsuba()
        import drjit as dr

        query = uv.x, uv.y, wi.x, wi.y, wo.x, wo.y
        rng = Stream(mi, dr, hashed(mi, dr, seed, query)) if self.layering == "walk" else None
        return mi.Color3f(self.shading(uv, rng).eval(wi, wo))

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
        for port in closure_tree.parameters(self.tree):
            value = shading.values[port]
            found.extend(value if self.width(port) > 1 else [mitsuba().Float(value)])
        return found

    @property
    def emits(self) -> bool:
        """Whether the material emits light."""
        return bool(self.signals.terms)

    @property
    def cuts_out(self) -> bool:
        """Whether the surface can be anything but opaque."""
        return self.signals.cuts_out

    @cached_property
    def signals_vary(self) -> bool:
        """Whether emission or opacity depend on the surface point."""
        return any(node.category in SPATIAL for node in _patterns(self.graph, self.signals.ports()).values())

    def guides_dr(self, uv: Any) -> tuple[Any, Any, Any]:
        """For denoisers: albedo `Color3f`, unit normal `Vector3f`, roughness `Float` (see `guides.py`)."""
        return guides(self.shading(uv))

    def emission_dr(self, uv: Any) -> Any:
        """Radiance emitted along the normal, `Point2f -> Color3f`, linear Rec. 709, in the document's units."""
        return self.signals.emission_dr(mitsuba(), self._signal_values(uv))

    def opacity_dr(self, uv: Any) -> Any:
        """Share of the surface that is there, `Point2f -> Float` in 0..1: 0 where it is cut out."""
        return self.signals.opacity_dr(mitsuba(), self._signal_values(uv))

    def _signal_values(self, uv: Any) -> dict[Port, Any]:
        import drjit as dr

        return evaluate(_patterns(self.graph, self.signals.ports()), Surface(mitsuba(), dr, uv), self.textures)

    def describe(self) -> dict[str, Any]:
        """What `verdigris inspect` prints, as plain JSON values; the keys are listed in docs/inspect.md."""
        return describe(self)


def locate(source: str | Path, roots: Sequence[str | Path] | None = None) -> tuple[Path, tuple[Path, ...], str]:
    """(document, asset roots, uri) of a source: a `.mtlx` path or `library:NAME`."""
    if str(source).startswith(LIBRARY_PREFIX):
        path, root = library.locate(str(source)[len(LIBRARY_PREFIX) :])
        return path, (root,), str(source)
    path = Path(source)
    return path, tuple(map(Path, roots)) if roots else (path.parent,), path.name


def material_names(source: str | Path | Mapping[str, Any] | Any) -> list[str]:
    """Names of the materials that a source holds, in document order; sources as `load_reference` takes them."""
    if not isinstance(source, str | Path) or mitsuba_source.is_mitsuba(source):
        return mitsuba_source.names(source)
    return mtlx.material_names(mtlx.read_document(locate(source)[0]))


def load_reference(
    source: str | Path | Mapping[str, Any] | Any,
    material: str | None = None,
    roots: Sequence[str | Path] | None = None,
    layering: str | None = None,
) -> Material:
    """Loads a material as ground truth.

    source: path of a `.mtlx` document, `library:NAME`, path of a Mitsuba `.xml` file, a dictionary that describes
    Mitsuba objects, or a `mitsuba.BSDF`. material: which one, where the source has several.
    roots: folders in which texture files are sought, and which they may not leave; the document's own by default.
    layering: `scale` or `walk`; by default the library's materials are walked, all others scaled.
    Raises GraphError naming the file, the node or the input that is wrong or not supported.
    """
    if layering not in (*LAYERINGS, None):
        raise GraphError(f"layering: expected one of {', '.join(LAYERINGS)}, got {layering!r}")
    if not isinstance(source, str | Path) or mitsuba_source.is_mitsuba(source):
        if layering == "walk":
            raise GraphError("layering: a Mitsuba BSDF is evaluated as it is, expected scale, got walk")
        return mitsuba_source.load(source, material, roots)
    path, folders, uri = locate(source, roots)
    graph = mtlx.load_graph(path, material, _PRIMITIVES)
    try:
        return _assemble(fold(graph), path, folders, uri, layering)
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from error
    except RecursionError:
        raise GraphError(f"{path}: {graph.name}: closures are nested too deeply in one another") from None


def _assemble(graph: Graph, path: Path, folders: tuple[Path, ...], uri: str, layering: str | None) -> ReferenceMaterial:
    tree = closure_tree.build(graph)
    beside = build_signals(graph)
    ports = closure_tree.parameters(tree) + beside.ports()
    textures, digest, budget = dict[str, Any](), hashlib.sha256(path.read_bytes()), TextureBudget()
    for node in (node for node in _patterns(graph, ports).values() if node.category in IMAGES):
        key = texture_key(node)
        if key not in textures:
            file = resolve(str(node.constant("file", "")), folders, node.path)
            budget.charge(file, WIDTHS[node.type], f"{node.path}: input 'file'")
            textures[key] = load_texture(node, folders)
            digest.update(file.read_bytes())
    used = layering or ("walk" if uri.startswith(LIBRARY_PREFIX) else "scale")
    source = {"uri": uri, "material": graph.name, "sha256": digest.hexdigest(), "layering": used}
    material = ReferenceMaterial(
        graph.name, source, graph, tree, textures, beside, _warnings(graph, tree, beside), used
    )
    if layering == "walk":
        scaled = (f"{at}: layered by albedo scaling, not walked: see docs/layering.md" for at in material.scaled_layers)
        material = replace(material, warnings=(*material.warnings, *scaled))
    at = mitsuba().Point2f(0)  # traces every node once, so that one that is refused is so on loading
    material.shading(at)
    material.emission_dr(at)
    material.opacity_dr(at)
    return material


def _patterns(graph: Graph, ports: list[Port]) -> dict[str, Node]:
    """The nodes behind some ports, each after those it reads."""
    return reachable(graph.nodes, *(port.node for port in ports))


def _warnings(graph: Graph, tree: closure_tree.Tree, beside: Signals) -> tuple[str, ...]:
    found = list(beside.notes)
    found.extend(
        f"{leaf.node.path}: {kind} is approximated by diffuse reflection of the same colour"
        for leaf in closure_tree.leaves(tree)
        if (kind := _SCATTERING.get(leaf.node.category))
    )
    ports = closure_tree.parameters(tree) + beside.ports()
    if any(node.category == "position" for node in _patterns(graph, ports).values()):
        found.append(f"{graph.name}: solid textures are baked over the unit square: position = (u, v, 0)")
    return tuple(dict.fromkeys(found))
