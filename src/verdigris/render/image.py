"""Images in files: EXR for linear values, PNG for what is looked at. Writing leaves a whole file or none."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from verdigris.conventions import Array, to_srgb
from verdigris.errors import RenderError
from verdigris.runtime import mitsuba


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Calls `write` with a temporary path in the same folder, then renames; leaves nothing where it fails.

    Makes the folder. Raises RenderError naming the path where it cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        # mkstemp makes files private; what is written here is as public as any other file of the user's.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        raise RenderError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_image(path: str | Path, linear: Array, exposure: float = 0.0) -> None:
    """Writes linear RGB, `[height, width, 3]`: `.exr` as it is (float32), `.png` in sRGB after 2^exposure.

    Raises RenderError: another extension, or a path that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() == ".exr":
        write_atomically(path, lambda temporary: _write_exr(temporary, linear))
    elif path.suffix.lower() == ".png":
        write_png(path, tonemap(linear, exposure))
    else:
        raise RenderError(f"{path}: expected a name that ends in .png or .exr")


def write_png(path: str | Path, pixels: np.ndarray) -> None:
    """Writes 8-bit sRGB pixels, `[height, width, 3]` uint8. Raises RenderError where it cannot."""
    image = Image.fromarray(pixels)
    write_atomically(Path(path), lambda temporary: image.save(temporary, format="PNG"))


def tonemap(linear: Array, exposure: float = 0.0) -> np.ndarray:
    """8-bit sRGB pixels of linear ones after a factor of 2^exposure, `[..., 3] -> [..., 3]` uint8."""
    return np.round(to_srgb(linear * 2.0**exposure) * 255).astype(np.uint8)


def read_image(path: str | Path) -> Array:
    """Linear RGB, `[height, width, 3]` float32, of an `.exr`, or of a `.png` taken as sRGB.

    Raises RenderError naming the file.
    """
    mi = mitsuba()
    path = Path(path)
    if not path.is_file():
        raise RenderError(f"{path}: expected an image, got no such file")
    try:
        bitmap = mi.Bitmap(str(path))
        return np.array(bitmap.convert(mi.Bitmap.PixelFormat.RGB, mi.Struct.Type.Float32, srgb_gamma=False))
    except RuntimeError as error:
        raise RenderError(f"{path}: cannot be read as an image: {' '.join(str(error).split())}") from error


def _write_exr(path: Path, linear: Array) -> None:
    mi = mitsuba()
    try:
        mi.Bitmap(np.ascontiguousarray(linear, dtype=np.float32)).write(str(path))
    except RuntimeError as error:
        raise OSError(" ".join(str(error).split())) from error
