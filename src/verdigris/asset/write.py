"""Writes a `.vdg` file: the same material gives the same bytes, and a failure leaves nothing behind."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verdigris.asset import manifest as manifests
from verdigris.asset.format import (
    LENGTH_BYTES,
    MAX_FILE_BYTES,
    MAX_HEADER_BYTES,
    Layout,
    Malformed,
    encode_header,
    one_line,
    seal,
)
from verdigris.asset.packing import pack
from verdigris.asset.read import parse
from verdigris.conventions import Array
from verdigris.errors import AssetError
from verdigris.model.grid import Codes, Grid
from verdigris.model.neural import NeuralMaterial


def save(material: NeuralMaterial, path: str | os.PathLike[str]) -> None:
    """Writes a material, its numbers rounded to float16, latents to codes where it has grids; an existing file is
    replaced in one step.

    Raises AssetError, one line that names the file and the field, where the material cannot be stored (a number
    beyond float16 or the grid, metadata that JSON does not have, a size over a limit) or the file cannot be written.
    """
    save_all({path: material})


def save_all(materials: Mapping[str | os.PathLike[str], NeuralMaterial]) -> None:
    """Writes materials as `save` does, by path: each file is whole beside its place before the first takes its own.

    Raises AssetError as `save` does; where it is raised before all are whole, no file has changed.
    """
    contents = {Path(path): _content(material, path) for path, material in materials.items()}
    written: dict[Path, Path] = {}
    path = Path()
    try:
        for path, content in contents.items():
            written[path] = _write_beside(path, content)
        for path, beside in written.items():
            os.replace(beside, path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AssetError(f"{os.fspath(path)}: cannot be written: {reason}") from error
    finally:
        for beside in written.values():
            beside.unlink(missing_ok=True)


def _content(material: NeuralMaterial, path: str | os.PathLike[str]) -> bytes:
    try:
        return encode(material)
    except Malformed as error:
        raise AssetError(f"{os.fspath(path)}: cannot be written: {one_line(error)}") from error


def encode(material: NeuralMaterial) -> bytes:
    """The bytes of the file. Raises Malformed where the reader would refuse them."""
    arrays = list(_tensors(material))
    header = encode_header([(name, _layout(array)) for name, array in arrays], manifests.build(material))
    if len(header) > MAX_HEADER_BYTES:
        raise Malformed(f"metadata: expected a header of up to {MAX_HEADER_BYTES} bytes, got {len(header)}")
    data = b"".join(array.tobytes() for _, array in arrays)
    content = seal(header, data)
    if len(content) > MAX_FILE_BYTES:
        raise Malformed(f"size: expected up to {MAX_FILE_BYTES} bytes, got {len(content)}")
    # What we write, we can read: the reader's rules are the only statement of what a file may hold.
    end = LENGTH_BYTES + len(header)
    parse(content[:LENGTH_BYTES], content[LENGTH_BYTES:end], data)
    return content


def _tensors(material: NeuralMaterial) -> Iterator[tuple[str, NDArray[Any]]]:
    """Name and stored numbers of each tensor, in the order of the file."""
    for name, array in _halves(material):
        yield name, _to_half(name, array)
    for level, (grid, texture) in enumerate(zip(material.grids, material.latents, strict=False)):
        yield f"latents.{level}", pack(_to_codes(f"latents.{level}", grid, texture), grid.bits)


def _halves(material: NeuralMaterial) -> Iterator[tuple[str, Array]]:
    for level, texture in enumerate(material.latents):
        if material.grids:
            yield f"latents.{level}.offset", material.grids[level].offset
            yield f"latents.{level}.scale", material.grids[level].scale
        else:
            yield f"latents.{level}", texture
    if material.frame_weight is not None:
        yield "frames.weight", material.frame_weight
    far = {"far": material.far.layers} if material.far else {}
    networks = {"decoder": material.layers, **far, "sampler": material.sampler}
    if material.auxiliary is not None:
        networks |= {f"auxiliary.{name}": material.auxiliary.heads[name] for name in material.heads}
    for network, layers in networks.items():
        for index, (weight, bias) in enumerate(layers):
            yield f"{network}.layers.{index}.weight", weight
            yield f"{network}.layers.{index}.bias", bias


def _layout(array: NDArray[Any]) -> Layout:
    return Layout(array.shape, "U8" if array.dtype == np.uint8 else "F16")


def _to_codes(name: str, grid: Grid, texture: Array) -> Codes:
    good = grid.fits(texture)
    if not good.all():
        raise Malformed(f"{name}: expected numbers within half a step of the grid, got {texture[~good][0]}")
    return grid.encode(texture)


def _to_half(name: str, array: Array) -> Array:
    with np.errstate(over="ignore"):
        half = np.ascontiguousarray(array, dtype="<f2")
    if not np.isfinite(half).all():
        worst = array[~np.isfinite(half)][0]
        raise Malformed(f"{name}: expected numbers that float16 has (up to 65504), got {worst}")
    return half


def _write_beside(path: Path, content: bytes) -> Path:
    """Writes a file beside the target, to be renamed to it: a reader sees the old file or the new one, never a part."""
    if path.is_dir():
        raise IsADirectoryError("it is a directory")
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with beside.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return beside
