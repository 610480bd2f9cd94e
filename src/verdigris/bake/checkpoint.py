"""A bake's state in a file: written in one step, read only by the bake that wrote it.

A safetensors file whose metadata hold JSON: the shape of the tree, facts beside it, the identity of the bake, and a
SHA-256 of all that. Nothing in it is executed, and no damaged or foreign file gets past `read`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import optax
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from verdigris.bake.config import BakeConfig
from verdigris.errors import BakeError

SUFFIX = ".checkpoint"
KEY = "verdigris_checkpoint"
_NAMED: dict[str, Any] = {"ScaleByAdamState": optax.ScaleByAdamState}
"""Named tuples that a tree may hold, beside dictionaries, lists, tuples and arrays."""

Tree = Any


class Unusable(Exception):
    """A checkpoint that cannot be gone on from; the message says why, in a few words."""


@dataclass(frozen=True)
class Checkpoint:
    """A file that keeps the state of one bake. identity: of the bake, see `identity`."""

    path: Path
    identity: str

    def write(self, tree: Tree, facts: Mapping[str, Any]) -> None:
        """Replaces the file in one step by a tree of NumPy arrays and plain JSON values beside it.

        Raises BakeError where it cannot be written; the file that was there stays then.
        """
        arrays: list[Any] = []
        content = {"identity": self.identity, "tree": _describe(tree, arrays), "facts": dict(facts)}
        tensors = {str(index): np.asarray(array, order="C") for index, array in enumerate(arrays)}
        text = json.dumps(content)
        temporary = _temporary(self.path)
        try:
            save_file(tensors, temporary, {KEY: text, "sha256": _digest(text, tensors)})
            with temporary.open("rb") as stream:
                os.fsync(stream.fileno())
            os.replace(temporary, self.path)
        except (OSError, SafetensorError) as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise BakeError(f"{self.path}: cannot be written: {getattr(error, 'strerror', None) or error}") from error

    def read(self) -> tuple[Tree, dict[str, Any]] | None:
        """The tree, of NumPy arrays, and the facts; None where there is no file.

        Raises Unusable where the file is damaged or of another bake.
        """
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="numpy") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}
            text = metadata[KEY]
            if metadata["sha256"] != _digest(text, tensors):
                raise Unusable("it is damaged")
            content = json.loads(text)
            identity = content["identity"]
        except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
            raise Unusable("it is damaged") from error
        if identity != self.identity:
            raise Unusable("it is of another bake: another source, setting or version")
        return _rebuild(content["tree"], tensors), content["facts"]


def beside(output: Path) -> Path:
    """Where the checkpoint of a bake into `output` is kept: `OUT.vdg.checkpoint`."""
    return output.with_name(output.name + SUFFIX)


def remove(path: Path) -> None:
    """Deletes a checkpoint, and what an interrupted `write` left, where there is any."""
    for file in (path, _temporary(path)):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    # One name, so that a process killed while it wrote leaves a file that the next one replaces.
    return path.with_name(f".{path.name}.tmp")


def identity(sources: Sequence[Mapping[str, str]], config: BakeConfig) -> str:
    """Hexadecimal digest of all that a bake's result depends on: sources, settings, our code, the libraries' versions.

    sources: the `source` of each reference, which holds the hash of its files and how its layers are combined.
    """
    libraries = {name: version(name) for name in ("numpy", "jax", "jaxlib", "optax", "mitsuba", "drjit")}
    parts = {
        "sources": [dict(source) for source in sources],
        "config": asdict(config),
        "code": _code(),
        "libraries": libraries,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def _code() -> str:
    """Digest of the package's modules: a version number does not tell two states of a checkout apart."""
    package = Path(__file__).resolve().parents[1]
    state = hashlib.sha256(version("verdigris").encode())
    for part in ("materials", "model", "bake"):
        for path in sorted((package / part).rglob("*.py")):
            state.update(path.read_bytes())
    return state.hexdigest()


def _digest(text: str, tensors: Mapping[str, Any]) -> str:
    state = hashlib.sha256(text.encode())
    for name in sorted(tensors, key=int):
        state.update(f"{name} {tensors[name].dtype} {tensors[name].shape} ".encode())
        state.update(tensors[name].reshape(-1).view(np.uint8))
    return state.hexdigest()


def _describe(tree: Tree, arrays: list[Any]) -> Any:
    """A tree as JSON: an array is its index in `arrays`, to which it is appended; a container is {kind: content}."""
    if isinstance(tree, dict):
        return {"dict": {key: _describe(value, arrays) for key, value in tree.items()}}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        name = type(tree).__name__
        assert _NAMED.get(name) is type(tree), f"{name} is missing in _NAMED"
        return {name: [_describe(value, arrays) for value in tree]}
    if isinstance(tree, list | tuple):
        return {type(tree).__name__: [_describe(value, arrays) for value in tree]}
    arrays.append(tree)
    return len(arrays) - 1


def _rebuild(shape: Any, tensors: Mapping[str, Any]) -> Tree:
    if isinstance(shape, int):
        return tensors[str(shape)]
    ((kind, content),) = shape.items()
    if kind == "dict":
        return {key: _rebuild(value, tensors) for key, value in content.items()}
    values = [_rebuild(value, tensors) for value in content]
    return _NAMED[kind](*values) if kind in _NAMED else tuple(values) if kind == "tuple" else values
