"""MaterialX document -> Graph: surface shaders and library graphs expanded down to primitive nodes.

The only file that imports MaterialX.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import MaterialX as mx
import numpy as np

from verdigris.errors import GraphError
from verdigris.materials.colorspaces import COLOUR_TYPES, is_linear_rec709, to_linear
from verdigris.materials.graph import Constant, Graph, Input, Node, Port, Value, reachable

MAX_NODES = 20_000
"""A document that expands to more is refused; the deepest library shader expands to a few hundred."""

MAX_DOCUMENT_BYTES = 64 << 20
"""A larger document is refused before it is parsed."""


@functools.cache
def standard_library() -> Any:
    """The standard library of the installed MaterialX, a document."""
    library = mx.createDocument()
    mx.loadLibraries(mx.getDefaultDataLibraryFolders(), mx.getDefaultDataSearchPath(), library)
    return library


def read_document(path: Path) -> Any:
    """Parses a `.mtlx` file and joins the standard library to it. Raises GraphError naming the file."""
    if not path.is_file():
        raise GraphError(
            f"{path}: expected a MaterialX document, got {'a folder' if path.is_dir() else 'no such file'}"
        )
    size = path.stat().st_size
    if size > MAX_DOCUMENT_BYTES:
        raise GraphError(f"{path}: expected a document of at most {MAX_DOCUMENT_BYTES} bytes, got {size}")
    document = mx.createDocument()
    try:
        mx.readFromXmlFile(document, str(path))
    except Exception as error:  # MaterialX raises its own C++ exceptions, which share no base class
        detail = " ".join(str(error).split())
        raise GraphError(f"{path}: cannot be read as MaterialX: {detail}") from error
    document.setDataLibrary(standard_library())
    return document


def material_names(document: Any) -> list[str]:
    """Names of the surface materials of a document, in document order."""
    return [n.getName() for n in document.getMaterialNodes() if n.getCategory() == "surfacematerial"]


def load_graph(path: Path, material: str | None, primitives: frozenset[str]) -> Graph:
    """Reads one material of a document as a Graph whose categories are all in `primitives`.

    Raises GraphError: several materials and none named, an unknown name, a cycle, a node with no definition, or a
    node that is neither a primitive nor a graph of the library (its path is named).
    """
    document = read_document(path)
    names = material_names(document)
    if material is None and len(names) > 1:
        raise GraphError(f"{path}: expected the name of one material (-m), got none; it holds: {', '.join(names)}")
    if not names:
        raise GraphError(f"{path}: expected a surfacematerial, got none")
    name = material or names[0]
    if name not in names:
        raise GraphError(f"{path}: no material {name!r}; it holds: {', '.join(names)}")
    shaders = mx.getShaderNodes(document.getNode(name), "surfaceshader")
    if not shaders:
        raise GraphError(f"{path}: {name}: input 'surfaceshader': expected a connection to a surface shader, got none")
    flattener = _Flattener(str(path), primitives, document)
    try:
        port = flattener.expand(shaders[0], _Scope("", {}, {}), "out")
    except RecursionError:
        raise GraphError(f"{path}: {name}: graphs are nested too deeply in one another") from None
    if not isinstance(port, Port) or flattener.nodes[port.node].category != "surface":
        raise GraphError(f"{path}: {shaders[0].getName()}: expected a surface shader, got {shaders[0].getCategory()}")
    nodes = reachable(flattener.nodes, port.node)
    return Graph(name, nodes, port.node, document_nodes=len(flattener.written), expanded_nodes=len(nodes))


def expand_node(document: Any, name: str, primitives: frozenset[str]) -> tuple[dict[str, Node], dict[str, Input]]:
    """A node at the top of a document as (primitive nodes, each after those it reads; the value of each output)."""
    document.setDataLibrary(standard_library())
    element = document.getNode(name)
    flattener = _Flattener(name, primitives, document)
    names = [output.getName() for output in element.getNodeDef().getActiveOutputs()]
    outputs = {output: flattener.expand(element, _Scope("", {}, {}), output) for output in names}
    roots = (value.node for value in outputs.values() if isinstance(value, Port))
    return reachable(flattener.nodes, *roots), outputs


@dataclass(frozen=True)
class _Scope:
    """Where a node stands: the path of the enclosing node, its interface inputs' types and what they are bound to."""

    path: str
    types: Mapping[str, str]
    bindings: Mapping[str, Input]

    def child(self, name: str) -> str:
        return f"{self.path}/{name}" if self.path else name


@dataclass
class _Flattener:
    file: str
    primitives: frozenset[str]
    document: Any
    nodes: dict[str, Node] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    """Names of the document's own nodes that were met; those in a graph count once, however often it is used."""
    _open: list[str] = field(default_factory=list)
    _done: dict[tuple[str, str], Input] = field(default_factory=dict)

    def fail(self, path: str, message: str) -> GraphError:
        return GraphError(f"{self.file}: {path}: {message}")

    def expand(self, element: Any, scope: _Scope, output: str) -> Input:
        """The flat value of one output of a node element."""
        for other, wanted in self._order(element, scope, output):
            self._expand_once(other, scope, wanted)
        return self._done[scope.child(element.getName()), output]

    def _order(self, element: Any, scope: _Scope, output: str) -> Iterator[tuple[Any, str]]:
        """The outputs to expand in the element's own graph, each after those it reads, itself last.

        With a stack of its own, since a chain of nodes may be longer than Python's; graphs in graphs still recurse.
        """
        trail = {scope.child(element.getName()): (element, output, _reads(element))}
        while trail:
            path, (current, wanted, reads) = next(reversed(trail.items()))
            for other, read in reads:
                below = scope.child(other.getName())
                if (below, read) in self._done:
                    continue
                if below in trail:
                    raise self._cycle(list(trail), below)
                trail[below] = (other, read, _reads(other))
                break
            else:
                del trail[path]
                if (path, wanted) not in self._done:
                    yield current, wanted

    def _cycle(self, trail: list[str], path: str) -> GraphError:
        names = [*trail[trail.index(path) :], path]
        shown = names if len(names) <= 12 else [*names[:6], "...", *names[-6:]]
        return self.fail(path, f"the graph is cyclic: {' -> '.join(shown)}")

    def _expand_once(self, element: Any, scope: _Scope, output: str) -> None:
        path = scope.child(element.getName())
        if path in self._open:
            raise self._cycle(self._open, path)
        if len(self._done) > MAX_NODES:
            raise self.fail(path, f"expected at most {MAX_NODES} nodes, the graph expands to more")
        if element.getDocument() is self.document:  # == compares all they hold
            self.written.add(element.getNamePath())
        self._open.append(path)
        try:
            self._done[path, output] = self._expand(element, scope, path, output)
        finally:
            self._open.pop()

    def _expand(self, element: Any, scope: _Scope, path: str, output: str) -> Input:
        definition = element.getNodeDef()
        if definition is None:
            given = ", ".join(f"{port.getName()}: {port.getType()}" for port in element.getInputs())
            wanted = f"node '{element.getCategory()}' that yields {element.getType()} from ({given})"
            raise self.fail(path, f"no definition is known of a {wanted}")
        category = definition.getNodeString()
        if category not in self.primitives:
            graph = _implementation_graph(definition)
            if graph is None:
                raise self.fail(path, f"node '{category}' ({definition.getName()}) is not supported")
            chosen, declared = self._output(graph, output, path), definition.getActiveOutput(output or "out")
            if declared is not None:
                self._same_type(declared, chosen.getType(), f"the graph {graph.getName()}", path)
            inner = _Scope(path, _types(definition.getActiveInputs()), self._inputs(element, definition, scope, path))
            return self._enter(chosen, inner)
        if path not in self.nodes:
            kind = element.getType() if len(definition.getActiveOutputs()) == 1 else "multioutput"
            inputs = self._inputs(element, definition, scope, path)
            self.nodes[path] = Node(path, category, kind, inputs)
        return Port(path, output or "out")

    def _output(self, graph: Any, name: str, path: str) -> Any:
        """The output element of a node graph that is asked for; its only one, whatever the name."""
        outputs = graph.getOutputs()
        chosen = graph.getOutput(name) if name else None
        if chosen is None:
            if not outputs or (name not in ("", "out") and len(outputs) != 1):
                raise self.fail(path, f"the graph {graph.getName()} has no output '{name}'")
            chosen = outputs[0]
        return chosen

    def _enter(self, output: Any, scope: _Scope) -> Input:
        """The value of an output of a node graph; `scope` is the graph's inside."""
        result = self._follow(output, output.getParent(), scope, scope.path)
        if result is None:
            raise self.fail(f"{scope.path}/{output.getName()}", "the output is not connected")
        return result

    def _inputs(self, element: Any, definition: Any, scope: _Scope, path: str) -> dict[str, Input]:
        known = {i.getName() for i in definition.getActiveInputs()}
        unknown = [i.getName() for i in element.getInputs() if i.getName() not in known]
        if unknown:
            raise self.fail(
                path, f"unknown input '{unknown[0]}'; node '{definition.getNodeString()}' has {sorted(known)}"
            )
        bound: dict[str, Input] = {}
        for declared in definition.getActiveInputs():
            given = element.getInput(declared.getName())
            value = self._follow(given, element.getParent(), scope, path) if given is not None else None
            value = value if value is not None else self._default(declared)
            if value is not None:
                bound[declared.getName()] = value
        if definition.getNodeString() == "geompropvalue" and element.getInput("default") is None:
            bound.pop("default", None)  # a property that the surface lacks is not to pass as black unasked
        return bound

    def _follow(self, port: Any, parent: Any, scope: _Scope, path: str) -> Input | None:
        """What an input or output element is bound to: an interface, a graph, a node, or a value."""
        if isinstance(port, mx.Input) and port.getInterfaceName():
            return self._interface(port, parent, scope, path)
        if port.getNodeGraphString():
            graph = parent.getChild(port.getNodeGraphString()) or port.getDocument().getNodeGraph(
                port.getNodeGraphString()
            )
            if graph is None:
                raise self.fail(path, f"input '{port.getName()}': no node graph '{port.getNodeGraphString()}'")
            return self._graph(graph, scope, port, path)
        if port.getNodeName():
            target = parent.getChild(port.getNodeName())
            if target is None:
                raise self.fail(path, f"input '{port.getName()}': no node '{port.getNodeName()}'")
            if isinstance(target, mx.NodeGraph):
                return self._graph(target, scope, port, path)
            if target.getType() != "multioutput":
                self._same_type(port, target.getType(), f"'{target.getName()}'", path)
            return self.expand(target, scope, port.getOutputString())
        return self._constant(port, path)

    def _interface(self, port: Any, parent: Any, scope: _Scope, path: str) -> Input | None:
        """What an input of the graph is bound to, read by one of its nodes; None where it has no value."""
        name = port.getInterfaceName()
        declared = parent.getInput(name)  # a bare node graph of the document holds its own values
        kind = scope.types.get(name) or (declared.getType() if declared is not None else "")
        if not kind:
            raise self.fail(path, f"input '{port.getName()}': the graph {parent.getName()} has no input '{name}'")
        self._same_type(port, kind, f"input '{name}' of the graph {parent.getName()}", path)
        if name in scope.bindings:
            return scope.bindings[name]
        return self._constant(declared, path) if declared is not None else None

    def _same_type(self, port: Any, kind: str, source: str, path: str) -> None:
        if kind != port.getType():
            label = "input" if isinstance(port, mx.Input) else "output"
            got = f"{kind} from {source}"
            raise self.fail(path, f"{label} '{port.getName()}': expected {port.getType()}, got {got}")

    def _graph(self, graph: Any, scope: _Scope, port: Any, reader: str) -> Input:
        """What a node graph of the document yields to an input or output of the node `reader`."""
        path, output = scope.child(graph.getName()), port.getOutputString()
        chosen = self._output(graph, output, path)
        self._same_type(port, chosen.getType(), f"'{graph.getName()}'", reader)
        if (path, output) in self._done:
            return self._done[path, output]
        bindings: dict[str, Input] = {}
        for declared in graph.getInputs():
            value = self._follow(declared, graph.getParent(), scope, path)
            if value is not None:
                bindings[declared.getName()] = value
        self._done[path, output] = self._enter(chosen, _Scope(path, _types(graph.getInputs()), bindings))
        return self._done[path, output]

    def _default(self, declared: Any) -> Input | None:
        prop = declared.getDefaultGeomPropString()
        return self._geometry(prop) if prop else self._constant(declared, declared.getParent().getName())

    def _constant(self, port: Any, path: str) -> Constant | None:
        """The value written on an input, file prefixes applied and colours linear; None where there is none."""
        kind, text = port.getType(), port.getValueString()
        if kind == "filename":
            return Constant(kind, port.getResolvedValueString(), port.getActiveColorSpace() if text else "")
        if kind == "string":
            return Constant(kind, text)
        if not text:
            return None
        try:
            value = _plain(port.getValue())
        except Exception as error:  # MaterialX raises its own C++ exceptions, which share no base class
            raise self.fail(path, f"input '{port.getName()}': expected a {kind}, got {text!r}") from error
        space = port.getActiveColorSpace() if kind in COLOUR_TYPES else ""
        if not is_linear_rec709(space):
            where = f"{self.file}: {path}: input '{port.getName()}'"
            value = tuple(to_linear(np.array(value, dtype=np.float64), space, where).tolist())
        return Constant(kind, value)

    def _geometry(self, prop: str) -> Port:
        """A node that yields a default geometric property, shared by all that read it."""
        declared = standard_library().getGeomPropDef(prop)
        path = f"geometry:{prop}"
        if path not in self.nodes:
            category = declared.getGeomProp()
            inputs = {"index": Constant("integer", 0)} if category == "texcoord" else {}
            self.nodes[path] = Node(path, category, declared.getType(), inputs)
        return Port(path)


def _types(inputs: Any) -> dict[str, str]:
    """Type of each declared input, by name."""
    return {declared.getName(): declared.getType() for declared in inputs}


def _implementation_graph(definition: Any) -> Any | None:
    """The library's (or the document's) node graph for a definition, whatever the target."""
    for document in (definition.getDocument(), standard_library()):
        for element in document.getMatchingImplementations(definition.getQualifiedName(definition.getName())):
            if isinstance(element, mx.NodeGraph):
                return element
            named = element.getNodeGraph() if isinstance(element, mx.Implementation) else ""
            graph = document.getNodeGraph(named) if named else None
            if graph is not None:
                return graph
    return None


def _reads(element: Any) -> Iterator[tuple[Any, str]]:
    """The nodes of the same graph that an element reads, and the output it reads of each."""
    for port in element.getInputs():
        name = "" if port.getInterfaceName() or port.getNodeGraphString() else port.getNodeName()
        other = element.getParent().getChild(name) if name else None
        if other is not None and not isinstance(other, mx.NodeGraph):
            yield other, port.getOutputString()


def _plain(value: Any) -> Value:
    """A MaterialX value as plain Python data."""
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, mx.Matrix33 | mx.Matrix44):
        size = value.numRows()
        return tuple(float(value[row, column]) for row in range(size) for column in range(size))
    return tuple(float(x) for x in value.asTuple())
