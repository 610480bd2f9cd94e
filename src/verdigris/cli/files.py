"""Checks of what a command is given and where it writes, made before any long work starts."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verdigris.errors import AssetError, BakeError, RenderError, VerdigrisError

if TYPE_CHECKING:
    from verdigris.materials.material import Material
    from verdigris.model import NeuralMaterial

ASSET_SUFFIX = ".vdg"
LOG_SUFFIX = ".jsonl"
IMAGE_SUFFIXES = (".png", ".exr")
SIZE_MAX = 8192


def is_asset(name: str) -> bool:
    """Whether an `ASSET|SOURCE` argument names a baked asset: by its suffix, as the two are told apart nowhere else."""
    return name.lower().endswith(ASSET_SUFFIX)


def asset_path(path: Path) -> Path:
    """The path, once an asset can be written there. Raises AssetError."""
    return _output(path, (ASSET_SUFFIX,), AssetError)


def image_path(path: Path) -> Path:
    """The path, once an image can be written there. Raises RenderError."""
    return _output(path, IMAGE_SUFFIXES, RenderError)


def log_path(path: Path) -> Path:
    """The path, once a log can be written there. Raises BakeError."""
    return _output(path, (LOG_SUFFIX,), BakeError)


def picture_path(path: Path) -> Path:
    """The path, once a picture that is no image of a scene can be written there, a PNG. Raises RenderError."""
    return _output(path, (".png",), RenderError)


def output_folder(path: Path) -> Path:
    """The folder, made where it is missing, once files can be written in it. Raises RenderError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RenderError(f"{path}: cannot be made a folder: {error.strerror}") from error
    _check_writable(path, path, RenderError)
    return path


def shared_folder(path: Path) -> Path:
    """The path, once a folder of several assets can be made there, or is there. Raises AssetError."""
    if path.suffix.lower() == ASSET_SUFFIX or (path.exists() and not path.is_dir()):
        raise AssetError(f"{path}: expected a folder, since a shared bake writes a file for each material")
    if not path.parent.is_dir():
        raise AssetError(f"{path}: cannot be made a folder: there is no folder {path.parent}")
    _check_writable(path if path.is_dir() else path.parent, path, AssetError)
    return path


def distinct_paths(folder: Path, names: Sequence[str]) -> list[Path]:
    """A file in the folder for each material's name; of equal ones, case aside, the second ends in -2 and so on."""
    stems: list[str] = []
    taken: set[str] = set()
    for name in names:
        stem, number = file_stem(name), 1
        while (numbered := stem if number == 1 else f"{stem}-{number}").lower() in taken:
            number += 1
        taken.add(numbered.lower())
        stems.append(numbered)
    return [folder / f"{stem}{ASSET_SUFFIX}" for stem in stems]


def split_source(text: str) -> tuple[str, str | None]:
    """A SOURCE argument as (source, material): `SOURCE::MATERIAL` names one of several, unless that is a file."""
    source, separator, material = text.rpartition("::")
    return (source, material) if separator and not Path(text).exists() else (text, None)


def load_asset(path: str) -> NeuralMaterial:
    """The material of an ASSET argument. Raises AssetError."""
    from verdigris import asset

    return asset.load(path)


def default_stem(source: str, subject: NeuralMaterial | Material) -> str:
    """Name, without suffix, of what a command writes where no output is named."""
    return Path(source).stem if is_asset(source) else file_stem(str(getattr(subject, "name", "")))


def file_stem(name: str) -> str:
    """A material's name as a file name: anything that a file system might refuse becomes `_`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._") or "material"


def load_source(source: str, material: str | None, roots: list[Path] | None, layering: str | None = None) -> Material:
    """The reference of a SOURCE argument; its warnings are printed on stderr. Raises GraphError."""
    import typer

    from verdigris.materials.reference import load_reference

    reference = load_reference(source, material, roots or None, layering)
    for warning in reference.warnings:
        typer.echo(f"warning: {warning}", err=True)
    return reference


def reference_of(
    neural: NeuralMaterial, source: str, material: str | None, roots: list[Path] | None, layering: str | None
) -> Material:
    """The reference that an asset was baked from, as far as its header tells; warns where SOURCE is another one.

    Raises GraphError.
    """
    import typer

    from verdigris.materials.reference import LAYERINGS, material_names

    baked = neural.metadata.source
    if material is None and baked.get("material") in material_names(source):
        material = str(baked["material"])
    if layering is None and baked.get("layering") in LAYERINGS:
        layering = str(baked["layering"])
    reference = load_source(source, material, roots, layering)
    if reference.source["sha256"] != baked.get("sha256"):
        typer.echo(f"warning: {source} is not the document, or not the version of it, that was baked", err=True)
    return reference


def parse_size(text: str) -> tuple[int, int]:
    """`WxH` as (width, height) in pixels. Raises RenderError."""
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(1 <= side <= SIZE_MAX for side in size):
        raise RenderError(f"--size: expected WIDTHxHEIGHT of 1 to {SIZE_MAX} each, got {text!r}")
    return size


def _output(path: Path, suffixes: tuple[str, ...], error: type[VerdigrisError]) -> Path:
    if path.suffix.lower() not in suffixes:
        raise error(f"{path}: expected a file name that ends in {' or '.join(suffixes)}")
    if path.is_dir():
        raise error(f"{path}: expected a file, got a folder")
    if not path.parent.is_dir():
        raise error(f"{path}: cannot be written: there is no folder {path.parent}")
    _check_writable(path.parent, path, error)
    return path


def _check_writable(folder: Path, target: Any, error: type[VerdigrisError]) -> None:
    # Permissions alone do not tell: the file system may be read-only, and an administrator passes every check.
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as reason:
        raise error(f"{target}: cannot be written: {reason.strerror}") from reason
