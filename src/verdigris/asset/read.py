"""Reads a `.vdg` file: everything is checked before anything is used, and nothing in it is ever executed."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from verdigris.asset import manifest as manifests
from verdigris.asset.format import (
    CONVENTIONS,
    FIRST_SAMPLER,
    LENGTH_BYTES,
    MAX_FILE_BYTES,
    MAX_HEADER_BYTES,
    MAX_SIDE,
    Layout,
    Malformed,
    checksum,
    one_line,
    tensor_layouts,
)
from verdigris.asset.manifest import shorten
from verdigris.asset.packing import unpack
from verdigris.conventions import Array
from verdigris.errors import AssetError
from verdigris.model.auxiliary import Auxiliary, Layers
from verdigris.model.far import Far
from verdigris.model.grid import Grid
from verdigris.model.neural import NeuralMaterial


@dataclass(frozen=True)
class _File:
    """The three parts of a file, as bytes."""

    length: bytes
    header: bytes
    data: bytes


def load(path: str | os.PathLike[str]) -> NeuralMaterial:
    """The material of a `.vdg` file, its arrays as float32; saved again, it gives the same numbers.

    Raises AssetError, one line that names the file and the field, where anything is not as `docs/format.md` says.
    """
    return _load(path)[0]


def inspect(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a `.vdg` file holds, as plain JSON values: bytes, checksum, manifest, level sizes, parameter counts.

    The file is checked as by `load`. Raises AssetError.
    """
    material, manifest, digest, size = _load(path)
    return {
        "file": os.fspath(path),
        "bytes": size,
        "checksum": digest,
        "schema": manifest.schema,
        **dataclasses.asdict(material.metadata),
        "conventions": dict(CONVENTIONS),
        "model": json.loads(json.dumps(dataclasses.asdict(material.config))),
        "latent_bits": material.latent_bits,
        "levels": [{"height": level.shape[0], "width": level.shape[1]} for level in material.latents],
        "auxiliary": list(material.heads),
        "far_level": manifest.far_level,
        "parameters": {
            "latents": sum(level.size for level in material.latents),
            "frames": 0 if material.frame_weight is None else material.frame_weight.size,
            "decoder": _count(material.layers),
            "far": _count(material.far.layers) if material.far else 0,
            "sampler": _count(material.sampler),
            "auxiliary": sum(map(_count, material.auxiliary.heads.values())) if material.auxiliary else 0,
        },
    }


def _count(layers: Layers) -> int:
    return sum(array.size for layer in layers for array in layer)


def parse(length: bytes, header: bytes, data: bytes) -> tuple[NeuralMaterial, manifests.Manifest, str]:
    """Material, manifest and checksum of a file's three parts. Raises Malformed, naming the field."""
    entries = _decode(header, "header")
    if not isinstance(entries, dict):
        raise Malformed(f"header: expected an object, got {shorten(entries)}")
    digest, text = _metadata(entries.pop("__metadata__", None))
    decoded = _decode(text.encode("utf-8", "surrogatepass"), "manifest")
    # Before the checksum, so that a newer file is told apart from a damaged one.
    manifests.check_schema(decoded)
    if checksum(length, header, data, digest) != digest:
        raise Malformed("checksum: the file is damaged, its bytes do not match the checksum in it")
    manifest = manifests.parse(decoded)
    arrays = _tensors(entries, data, manifest)
    try:
        return _material(arrays, manifest), manifest, digest
    except ValueError as error:
        raise Malformed(str(error)) from error


def _load(path: str | os.PathLike[str]) -> tuple[NeuralMaterial, manifests.Manifest, str, int]:
    try:
        # Asked before opening: a pipe would block there.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Malformed("expected a regular file")
        with Path(path).open("rb") as stream:
            file = _read(stream)
        material, manifest, digest = parse(file.length, file.header, file.data)
        return material, manifest, digest, sum(map(len, (file.length, file.header, file.data)))
    except Malformed as error:
        raise AssetError(f"{os.fspath(path)}: {one_line(error)}") from error
    except (OSError, ValueError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or one_line(error) or "not enough memory"
        raise AssetError(f"{os.fspath(path)}: cannot be read: {reason}") from error


def _read(stream: BinaryIO) -> _File:
    size = os.fstat(stream.fileno()).st_size
    if not LENGTH_BYTES <= size <= MAX_FILE_BYTES:
        raise Malformed(f"size: expected {LENGTH_BYTES} to {MAX_FILE_BYTES} bytes, got {size}")
    length = stream.read(LENGTH_BYTES)
    expected = int.from_bytes(length, "little")
    if not 2 <= expected <= MAX_HEADER_BYTES:
        raise Malformed(f"header length: expected 2 to {MAX_HEADER_BYTES} bytes, got {expected}: not a .vdg file")
    header = stream.read(expected)
    if len(header) < expected:
        raise Malformed(f"header: expected {expected} bytes, got {len(header)}: the file is cut short")
    return _File(length, header, stream.read(MAX_FILE_BYTES))


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{shorten(text)} is out of range")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key occurs twice")
    return result


def _decode(text: bytes, name: str) -> Any:
    """Strict JSON: UTF-8, no key twice, finite numbers."""
    try:
        return json.loads(
            text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{name}: expected JSON, got {shorten(str(error), 120)}") from error


def _metadata(value: Any) -> tuple[str, str]:
    """Checksum and manifest text."""
    if not isinstance(value, dict) or set(value) != {"checksum", "verdigris"}:
        raise Malformed("__metadata__: expected the keys checksum and verdigris: not a .vdg file")
    digest, text = value["checksum"], value["verdigris"]
    if not isinstance(digest, str) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise Malformed(f"checksum: expected 64 hexadecimal digits, got {shorten(digest)}")
    if not isinstance(text, str):
        raise Malformed(f"manifest: expected a string, got {shorten(text)}")
    return digest, text


def _is_natural(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _entry(name: str, entry: Any, dtype: str) -> tuple[tuple[int, ...], int, int]:
    """Shape, begin and end of a tensor's header entry."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise Malformed(f"{name}: expected dtype, shape and data_offsets, got {shorten(entry)}")
    if entry["dtype"] != dtype:
        raise Malformed(f"{name}: expected dtype {dtype}, got {shorten(entry['dtype'])}")
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not isinstance(shape, list) or not 1 <= len(shape) <= 3 or not all(map(_is_natural, shape)):
        raise Malformed(f"{name}: expected a shape of 1 to 3 sizes")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(_is_natural, offsets)):
        raise Malformed(f"{name}: expected two data_offsets")
    return tuple(shape), offsets[0], offsets[1]


def _finest(entries: dict[str, Any], bits: int) -> tuple[int, int]:
    if "latents.0" not in entries:
        raise Malformed("latents.0: missing")
    shape, _, _ = _entry("latents.0", entries["latents.0"], "F16" if bits == 16 else "U8")
    if len(shape) != 3 or not all(1 <= side <= MAX_SIDE for side in shape[:2]):
        raise Malformed(f"latents.0: expected shape (H, W, channels), sides 1 to {MAX_SIDE}, got {shorten(shape)}")
    return shape[0], shape[1]


def _tensors(entries: dict[str, Any], data: bytes, manifest: manifests.Manifest) -> dict[str, NDArray[Any]]:
    """Every tensor, as float32 or as the bytes of codes, checked against the manifest: none unknown, none missing, no
    holes, all finite."""
    bits = manifest.latent_bits
    finest = _finest(entries, bits)
    heads, hidden = manifest.heads, manifest.hidden
    far = manifest.far_level is not None
    layouts = tensor_layouts(manifest.config, finest, manifest.levels, bits, heads, hidden, manifest.schema, far)
    for name in (name for name in layouts if name not in entries):
        raise Malformed(f"{name}: missing")
    for name in (name for name in entries if name not in layouts):
        raise Malformed(f"{shorten(name)}: unknown tensor")
    spans = []
    for name, layout in layouts.items():
        shape, begin, end = _entry(name, entries[name], layout.dtype)
        if shape != layout.shape:
            raise Malformed(f"{name}: expected shape {layout.shape}, got {shorten(shape)}")
        if end - begin != layout.size:
            raise Malformed(f"{name}: expected {layout.size} bytes, got {end - begin}")
        spans.append((begin, end, name))
    _check_spans(sorted(spans), len(data))
    return {name: _array(name, data[begin:end], layouts[name]) for begin, end, name in spans}


def _check_spans(spans: list[tuple[int, int, str]], size: int) -> None:
    position = 0
    for begin, end, name in spans:
        if begin != position:
            raise Malformed(f"{name}: expected to begin at byte {position} of the tensors, got {begin}")
        position = end
    if position != size:
        raise Malformed(f"tensors: expected {position} bytes, got {size}")


def _array(name: str, data: bytes, layout: Layout) -> NDArray[Any]:
    if layout.dtype == "U8":
        return np.frombuffer(data, dtype=np.uint8).reshape(layout.shape)
    array = np.frombuffer(data, dtype="<f2").reshape(layout.shape).astype(np.float32)
    if not np.isfinite(array).all():
        raise Malformed(f"{name}: expected finite numbers, got {array[~np.isfinite(array)][0]}")
    return array


def _latents(arrays: dict[str, NDArray[Any]], manifest: manifests.Manifest) -> tuple[list[Array], list[Grid]]:
    """The levels' values, and the grids they lie on, if any."""
    names, bits = [f"latents.{level}" for level in range(manifest.levels)], manifest.latent_bits
    if bits == 16:
        return [arrays[name] for name in names], []
    levels, grids = [], []
    for name in names:
        codes = unpack(arrays[name], manifest.config.channels, bits, name)
        try:
            grid = Grid(bits, arrays[f"{name}.offset"], arrays[f"{name}.scale"])
        except ValueError as error:
            raise Malformed(f"{name}.{error}") from error
        if codes[..., grid.scale == 0].any():
            raise Malformed(f"{name}: expected code 0 in channels of scale 0, got others")
        levels.append(grid.decode(codes))
        grids.append(grid)
    return levels, grids


def _layers(arrays: dict[str, NDArray[Any]], network: str, count: int) -> Layers:
    names = [f"{network}.layers.{index}" for index in range(count)]
    return tuple((arrays[f"{name}.weight"], arrays[f"{name}.bias"]) for name in names)


def _sampler(arrays: dict[str, NDArray[Any]], manifest: manifests.Manifest) -> Layers:
    """The sampler's layers; zeros where the file has none."""
    if manifest.schema >= FIRST_SAMPLER:
        return _layers(arrays, "sampler", len(manifest.config.sampler.hidden) + 1)
    widths = manifest.config.sampler_widths
    pairs = zip(widths[:-1], widths[1:], strict=True)
    return tuple((np.zeros((b, a), np.float32), np.zeros(b, np.float32)) for a, b in pairs)


def _material(arrays: dict[str, NDArray[Any]], manifest: manifests.Manifest) -> NeuralMaterial:
    latents, grids = _latents(arrays, manifest)
    heads = {name: _layers(arrays, f"auxiliary.{name}", len(manifest.hidden) + 1) for name in manifest.heads}
    hidden, level = len(manifest.config.decoder.hidden), manifest.far_level
    return NeuralMaterial(
        config=manifest.config,
        latents=tuple(latents),
        frame_weight=arrays.get("frames.weight"),
        layers=_layers(arrays, "decoder", hidden + 1),
        sampler=_sampler(arrays, manifest),
        metadata=manifest.metadata,
        auxiliary=Auxiliary(manifest.hidden, heads) if heads else None,
        grids=tuple(grids),
        far=None if level is None else Far(level, _layers(arrays, "far", hidden)),
    )
