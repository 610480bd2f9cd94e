"""Finds a BSDF in a Mitsuba scene file, a dictionary or a program, and loads it without the rest of the scene."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verdigris.errors import GraphError
from verdigris.materials.mitsuba_material import MitsubaMaterial, bitmaps, data_shape, wrap
from verdigris.materials.nodes.image import resolve
from verdigris.materials.texture_budget import TextureBudget
from verdigris.runtime import mitsuba

SUFFIX = ".xml"
_BITMAP_CHANNELS = 3


def is_mitsuba(source: Any) -> bool:
    """Whether a source is Mitsuba's: a path ending in `.xml`, a dictionary, or a BSDF."""
    return not isinstance(source, str | Path) or str(source).lower().endswith(SUFFIX)


def names(source: str | Path | Mapping[str, Any] | Any) -> list[str]:
    """Names of the BSDFs of a source that stand in no other BSDF, in its order. Raises GraphError."""
    if not isinstance(source, str | Path | Mapping):
        return [_object_name(source)]
    return list(_open(source).candidates())


def load(
    source: str | Path | Mapping[str, Any] | Any,
    material: str | None = None,
    roots: Sequence[str | Path] | None = None,
) -> MitsubaMaterial:
    """Loads one BSDF as ground truth; nothing else of the scene is instantiated.

    source: path of a Mitsuba `.xml` file, a dictionary as `mitsuba.load_dict` takes it, or a `mitsuba.BSDF`.
    material: id of the BSDF, where there are several. roots: folders in which files are sought, and which they may not
    leave; by default the scene file's own. A dictionary is part of a program, so that without `roots` its files are
    found as Mitsuba finds them.

    Raises GraphError naming the file and the BSDF that is wrong or not supported.
    """
    if not isinstance(source, str | Path | Mapping):
        return _wrap_object(source)
    opened = _open(source)
    try:
        return opened.load(material, roots)
    except GraphError as error:
        raise GraphError(f"{opened.uri}: {error}") from error


def _object_name(bsdf: Any) -> str:
    if not isinstance(bsdf, mitsuba().BSDF):
        raise GraphError(f"source: expected a path, a dictionary or a mitsuba.BSDF, got {type(bsdf).__name__}")
    return bsdf.id() or bsdf.class_name()


def _wrap_object(bsdf: Any) -> MitsubaMaterial:
    name = _object_name(bsdf)
    _charge_objects([bsdf], name, TextureBudget())
    digest = hashlib.sha256(str(bsdf).encode()).hexdigest()
    return wrap(bsdf, name, {"uri": "mitsuba.BSDF", "material": name, "sha256": digest, "layering": "scale"})


@dataclass(frozen=True)
class _Opened:
    """A parsed scene. uri: how errors name it. path: the file, None for a dictionary. content: what is hashed."""

    uri: str
    path: Path | None
    content: bytes
    config: Any
    state: Any

    def candidates(self) -> dict[str, int]:
        """Index of each BSDF that stands in no other, by id, or by a number where it has none."""
        kind = mitsuba().ObjectType.BSDF
        nodes = self.state.nodes
        bsdfs = [k for k, node in enumerate(nodes) if node.type == kind]
        nested = {child for k in bsdfs for child in _references(nodes[k])}
        found: dict[str, int] = {}
        for k in bsdfs:
            if k not in nested:
                unnamed = self._root_name(nodes[k]) if k == 0 else f"bsdf-{len(found) + 1}"
                found[nodes[k].props.id() or unnamed] = k
        return found

    def _root_name(self, node: Any) -> str:
        return self.path.stem if self.path else node.props.plugin_name()

    def load(self, material: str | None, roots: Sequence[str | Path] | None) -> MitsubaMaterial:
        """The named BSDF, or the only one."""
        found = self.candidates()
        listed = ", ".join(found)
        if not found:
            raise GraphError(f"expected a BSDF, got none in {self.state.nodes[0].props.plugin_name()!r}")
        if material is None and len(found) > 1:
            raise GraphError(f"expected the id of one BSDF (-m), got none; it holds: {listed}")
        name = material or next(iter(found))
        index = found.get(name, self.state.id_to_index.get(name))
        if index is None or self.state.nodes[index].type != mitsuba().ObjectType.BSDF:
            raise GraphError(f"no BSDF {name!r}; it holds: {listed}")
        digest = hashlib.sha256(self.content)
        files = self._place_files(index, name, roots, digest)
        source = {"uri": self.uri if self.path is None else self.path.name, "material": name}
        bsdf = self._instantiate(index)
        return wrap(bsdf, name, {**source, "sha256": digest.hexdigest(), "layering": "scale"}, tuple(files))

    def _place_files(self, index: int, name: str, roots: Sequence[str | Path] | None, digest: Any) -> list[str]:
        """Points the files that the BSDF reads at their places inside the roots; returns their names as written.

        Charges every texture to one budget, whether it is in a file or in memory.
        """
        folders = self._folders(roots)
        budget, found = TextureBudget(), []
        _charge_objects([obj for node in self._below(index) for obj in _objects(node)], name, budget)
        for node in self._below(index):
            _charge_memory(node, name, budget)
            text = node.props["filename"] if "filename" in node.props.keys() else ""
            if not text or not isinstance(text, str) or text.startswith("library:"):
                continue
            where = f"{name}: {node.props.plugin_name()}: parameter 'filename'"
            place = resolve(text, folders, where) if folders else Path(str(mitsuba().file_resolver().resolve(text)))
            if not place.is_file():
                raise GraphError(f"{where}: no file {text}")
            if node.props.plugin_name() == "bitmap":
                budget.charge(place, _BITMAP_CHANNELS, where)
                found.append(text)
            digest.update(place.read_bytes())
            node.props["filename"] = str(place)
        return found

    def _folders(self, roots: Sequence[str | Path] | None) -> tuple[Path, ...]:
        folders = tuple(map(Path, roots)) if roots else (self.path.parent,) if self.path else ()
        inside = [folder.resolve() for folder in folders]
        for included in self.state.files[1:]:
            if inside and not any(Path(str(included)).resolve().is_relative_to(folder) for folder in inside):
                raise GraphError(f"include: {included} leaves the asset roots {', '.join(map(str, inside))}")
        return folders

    def _below(self, index: int) -> Iterator[Any]:
        pending, seen = [index], set[int]()
        while pending:
            k = pending.pop(0)
            if k not in seen:
                seen.add(k)
                yield self.state.nodes[k]
                pending.extend(_references(self.state.nodes[k]))

    def _instantiate(self, index: int) -> Any:
        # The parser builds what its first node refers to: here the BSDF instead of the whole scene.
        self.state.nodes[0] = self.state.nodes[index]
        try:
            loaded = mitsuba().parser.instantiate(self.config, self.state)
        except Exception as error:  # Mitsuba raises RuntimeError, and whatever a Python plugin raises
            raise GraphError(_brief(error)) from error
        return loaded[0] if isinstance(loaded, list) else loaded


def _open(source: str | Path | Mapping[str, Any]) -> _Opened:
    mi = mitsuba()
    config = mi.parser.ParserConfig(mi.variant())
    path = None if isinstance(source, Mapping) else Path(source)
    uri = "dict" if path is None else str(path)
    if path is not None and not path.is_file():
        kind = "a folder" if path.is_dir() else "no such file"
        raise GraphError(f"{path}: expected a Mitsuba scene file, got {kind}")
    try:
        if path is None:
            state, content = mi.parser.parse_dict(config, dict(source)), str(source).encode()  # type: ignore[arg-type]
        else:
            state, content = mi.parser.parse_file(config, str(path)), path.read_bytes()
        mi.parser.transform_upgrade(config, state)
        mi.parser.transform_resolve(config, state)
    except Exception as error:  # Mitsuba raises RuntimeError, and nanobind its own for a dictionary it cannot take
        raise GraphError(f"{uri}: cannot be read as a Mitsuba scene: {_brief(error)}") from error
    return _Opened(uri, path, content, config, state)


def _charge_memory(node: Any, name: str, budget: TextureBudget) -> None:
    """Charges the image that a `bitmap` plugin is to copy from memory."""
    props = node.props
    held = {key: _shape(props[key]) for key in ("bitmap", "data") if key in props.keys()}
    for key, shape in held.items():
        if props.plugin_name() == "bitmap" and len(shape) in (2, 3):  # what it cannot take, Mitsuba itself refuses
            budget.charge_array(shape, f"{name}: bitmap: parameter '{key}'")


def _shape(held: Any) -> tuple[int, ...]:
    if isinstance(held, mitsuba().Bitmap):
        return held.height(), held.width(), held.channel_count()
    return tuple(getattr(held, "shape", ()))


def _charge_objects(objects: Sequence[Any], name: str, budget: TextureBudget) -> None:
    """Charges the images of BSDFs and textures that are objects already."""
    for texture in bitmaps(*objects):
        budget.charge_array(data_shape(texture), f"{name}: a bitmap in memory")


def _objects(node: Any) -> Iterator[Any]:
    """The BSDFs and textures that a node of a dictionary holds as objects."""
    mi = mitsuba()
    for key in node.props.keys():
        if node.props.type(key) == mi.Properties.Type.Object and isinstance(node.props[key], mi.BSDF | mi.Texture):
            yield node.props[key]


def _references(node: Any) -> list[int]:
    """Indices of the nodes that a node refers to."""
    kind = mitsuba().Properties.Type.ResolvedReference
    return [node.props[key].index() for key in node.props.keys() if node.props.type(key) == kind]


def _brief(error: Exception) -> str:
    """One line of Mitsuba's message, without the place in its own source."""
    text = " ".join(str(error).split())
    return text.split("] ", 1)[1] if text.startswith("[") and "] " in text else text
