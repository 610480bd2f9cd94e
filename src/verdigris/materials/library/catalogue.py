"""Which built-in materials there are, and where a document lies once its textures are drawn."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from verdigris.conventions import Array
from verdigris.errors import GraphError
from verdigris.materials.library import textures
from verdigris.runtime import cache_directory, mitsuba

_FOLDER = Path(__file__).parent
_DRAWN_BY = ("noise.py", "fields.py", "marks.py", "textures.py")


def names() -> list[str]:
    """The built-in materials, in alphabetical order; each is used as `library:NAME`."""
    return sorted(path.stem for path in _FOLDER.glob("*.mtlx"))


def locate(name: str, resolution: int | None = None) -> tuple[Path, Path]:
    """The document of a built-in material beside its textures, and the asset root that holds all it reads.

    name: one of `names()`, or `NAME@N` for a resolution of N. resolution: side of the textures in texels, 256 to 4096;
    the material's own by default. Draws the textures on first use into the user's cache folder (XDG_CACHE_HOME, else
    ~/.cache), a folder a resolution. Raises GraphError when there is no such material or resolution, or when the
    folder cannot be written.
    """
    stem, size = _parse(name, resolution)
    cache = cache_directory("library")
    if cache is None:
        raise GraphError(f"library:{name}: no folder for its textures can be written: set XDG_CACHE_HOME to one")
    folder = cache / f"{stem}-{size}-{_fingerprint(stem)}"
    if not folder.is_dir():
        try:
            _publish(stem, size, folder)
        except OSError as error:
            raise GraphError(f"library:{name}: cannot write its textures to {folder}: {error.strerror}") from error
    return folder / f"{stem}.mtlx", folder


def _parse(name: str, resolution: int | None) -> tuple[str, int]:
    """The material and the side of its textures that `name` and `resolution` ask for."""
    stem, at, side = name.partition("@")
    if stem not in names():
        raise GraphError(f"library:{name}: no such built-in material, expected one of {', '.join(names())}")
    if at:
        resolution = int(side) if side.isdecimal() else 0
    size = textures.RECIPES[stem].default if resolution is None else resolution
    if not textures.SMALLEST <= size <= textures.LARGEST:
        got = side if at else size
        raise GraphError(
            f"library:{name}: resolution: expected {textures.SMALLEST} to {textures.LARGEST} texels, got {got!r}"
        )
    return stem, size


def _fingerprint(name: str) -> str:
    """Hash of all that decides the files, so that no version of the code reads another version's textures."""
    digest = hashlib.sha256()
    for file in (f"{name}.mtlx", f"{name}.py", *_DRAWN_BY):
        digest.update((_FOLDER / file).read_bytes())
    return digest.hexdigest()[:12]


def _publish(name: str, size: int, folder: Path) -> None:
    """Writes the files beside `folder` and renames them into place, so that it exists only when it is whole."""
    scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    try:
        for stem, image in textures.draw(name, size):
            _write_png(scratch / f"{stem}.png", image)
        shutil.copyfile(_FOLDER / f"{name}.mtlx", scratch / f"{name}.mtlx")
        scratch.chmod(0o755)
        try:
            scratch.rename(folder)
        except OSError:
            # Another process was first: its files are the same.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_png(path: Path, image: Array) -> None:
    """Writes `[n, n]` or `[n, n, 3]` pixels of 8 or 16 bits."""
    if image.dtype == np.uint16:
        mitsuba().Bitmap(image).write(str(path), quality=1)  # Pillow has no colours of 16 bits
    else:
        Image.fromarray(image).save(path, compress_level=4)
