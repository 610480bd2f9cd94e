"""All files of the page by their paths: what the server may hand out and an export writes. There are no others."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from verdigris.export import glsl, latents, wgsl
from verdigris.model.neural import NeuralMaterial
from verdigris.viewer import environments, shapes

CLIENT = "client"
CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "wgsl": "text/plain; charset=utf-8",
    "glsl": "text/plain; charset=utf-8",
}
MATERIAL_GROUP = 1
"""The bind group of a material's buffers in the page's kernels."""


@dataclass(frozen=True)
class Resource:
    """A file of the page: its path from the page's own folder, and what gives its bytes."""

    path: str
    read: Callable[[], bytes]

    @property
    def content_type(self) -> str:
        """Of HTTP, by the path's suffix."""
        return CONTENT_TYPES.get(self.path.rpartition(".")[2], "application/octet-stream")


@dataclass(frozen=True)
class Entry:
    """A material of the page. bytes: of its file. has_reference: whether its source can be rendered."""

    material: NeuralMaterial
    name: str
    bytes: int
    has_reference: bool = False

    def describe(self, number: int) -> dict[str, Any]:
        """What the page is told, as plain JSON values."""
        material, decoder = self.material, self.material.config.decoder
        height, width = material.latents[0].shape[:2]
        return {
            "name": self.name,
            "folder": f"materials/{number}",
            "width": width,
            "height": height,
            "levels": len(material.latents),
            "channels": material.config.channels,
            "heads": list(material.heads),
            "network": " x ".join(map(str, decoder.hidden)),
            "weights": _weights(material),
            "bytes": self.bytes,
            "reference": self.has_reference,
        }


@dataclass
class Site:
    """The page's files. live: whether a server stands behind it, which takes files and renders references."""

    entries: list[Entry] = field(default_factory=list)
    live: bool = True

    def find(self, path: str) -> Resource | None:
        """The file at a path, or None: a path that is not one of ours means nothing."""
        return self._fixed.get(path) or {resource.path: resource for resource in self._changing()}.get(path)

    def all(self) -> Iterator[Resource]:
        """Every file of the page."""
        yield from self._fixed.values()
        yield from self._changing()

    def add(self, entry: Entry) -> dict[str, Any]:
        """Takes a further material and answers with its description."""
        self.entries.append(entry)
        return entry.describe(len(self.entries) - 1)

    def catalogue(self) -> dict[str, Any]:
        """What there is to be seen, as plain JSON values."""
        return {
            "live": self.live,
            "materials": [entry.describe(number) for number, entry in enumerate(self.entries)],
            "shapes": {name: shape.describe() for name, shape in shapes.SHAPES.items()},
            "environments": {name: {"label": light.label} for name, light in environments.ENVIRONMENTS.items()},
        }

    @functools.cached_property
    def _fixed(self) -> dict[str, Resource]:
        found = {resource.path: resource for resource in _client(files("verdigris.viewer") / CLIENT, "")}
        for name, shape in shapes.SHAPES.items():
            path = f"shapes/{name}.mesh"
            found[path] = Resource(path, functools.partial(shapes.encode, shape))
        for name, light in environments.ENVIRONMENTS.items():
            path = f"environments/{name}.sky"
            found[path] = Resource(path, functools.partial(environments.encode, light))
        return found

    def _changing(self) -> Iterator[Resource]:
        yield Resource("catalogue.json", lambda: json.dumps(self.catalogue()).encode())
        for number, entry in enumerate(self.entries):
            yield from _material(f"materials/{number}", entry.material)


def _client(folder: Traversable, prefix: str) -> Iterator[Resource]:
    """The files of the page itself, which lie in the package."""
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.is_dir():
            yield from _client(item, f"{prefix}{item.name}/")
        elif item.name.rpartition(".")[2] in CONTENT_TYPES:
            yield Resource(prefix + item.name, item.read_bytes)


def _material(folder: str, material: NeuralMaterial) -> Iterator[Resource]:
    yield Resource(f"{folder}/material.wgsl", functools.partial(_wgsl, material, half=False))
    yield Resource(f"{folder}/material.half.wgsl", functools.partial(_wgsl, material, half=True))
    yield Resource(f"{folder}/material.glsl", lambda: glsl.module(material).encode())
    yield Resource(f"{folder}/latents.bin", lambda: latents.packed_halves(material))


def _wgsl(material: NeuralMaterial, half: bool) -> bytes:
    return wgsl.module(material, group=MATERIAL_GROUP, half=half).encode()


def _weights(material: NeuralMaterial) -> int:
    """Numbers of its networks and frames."""
    networks = [material.layers, material.sampler]
    networks += [material.far.layers] if material.far else []
    networks += list(material.auxiliary.heads.values()) if material.auxiliary else []
    frames = 0 if material.frame_weight is None else material.frame_weight.size
    return frames + sum(array.size for layers in networks for layer in layers for array in layer)


def entry_of(material: NeuralMaterial, stem: str, size: int, has_reference: bool = False) -> Entry:
    """The entry of a loaded file. stem: the file's name, for a material without one."""
    return Entry(material, material.metadata.name or stem, size, has_reference)
