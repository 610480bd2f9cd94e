"""Which built-in materials there are, and where a document lies once its textures are drawn."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from PIL import Image

from verdigris.errors import GraphError
from verdigris.materials.library import textures
from verdigris.runtime import cache_directory

_FOLDER = Path(__file__).parent
_DRAWN_BY = ("noise.py", "textures.py")


def names() -> list[str]:
    """The built-in materials, in alphabetical order; each is used as `library:NAME`."""
    return sorted(path.stem for path in _FOLDER.glob("*.mtlx"))


def locate(name: str) -> tuple[Path, Path]:
    """The document of a built-in material beside its textures, and the asset root that holds all it reads.

    Draws the textures on first use into the user's cache folder (XDG_CACHE_HOME, else ~/.cache). Raises GraphError
    when there is no such material, or when the folder cannot be written.
    """
    if name not in names():
        raise GraphError(f"library:{name}: no such built-in material, expected one of {', '.join(names())}")
    cache = cache_directory("library")
    if cache is None:
        raise GraphError(f"library:{name}: no folder for its textures can be written: set XDG_CACHE_HOME to one")
    folder = cache / f"{name}-{_fingerprint(name)}"
    if not folder.is_dir():
        try:
            _publish(name, folder)
        except OSError as error:
            raise GraphError(f"library:{name}: cannot write its textures to {folder}: {error.strerror}") from error
    return folder / f"{name}.mtlx", folder


def _fingerprint(name: str) -> str:
    """Hash of all that decides the files, so that no version of the code reads another version's textures."""
    digest = hashlib.sha256()
    for file in (f"{name}.mtlx", *_DRAWN_BY):
        digest.update((_FOLDER / file).read_bytes())
    return digest.hexdigest()[:12]


def _publish(name: str, folder: Path) -> None:
    """Writes the files beside `folder` and renames them into place, so that it exists only when it is whole."""
    scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    try:
        for stem, image in textures.draw(name).items():
            Image.fromarray(image).save(scratch / f"{stem}.png")
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
