"""Denoising by Intel Open Image Denoise through `pyoidn`, fed with our guides (extra `denoise`)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.errors import RenderError, RuntimeMissing

QUALITIES = ("fast", "balanced", "high")
GUIDES = ("albedo", "normal")
"""Pictures of `verdigris.render.aov` that the denoiser takes."""


def library() -> Any:
    """The module `pyoidn`. Raises RuntimeMissing, which names the extra to install."""
    try:
        return import_module("pyoidn")
    except ImportError as error:
        raise RuntimeMissing(f"denoising: cannot import pyoidn ({error}): pip install 'verdigris[denoise]'") from error


def denoise(
    color: Array, albedo: Array | None = None, normal: Array | None = None, quality: str = QUALITIES[-1]
) -> Array:
    """The picture without its noise, `[height, width, 3]` linear RGB float32, values of any size.

    albedo: in 0..1; normal: in -1..1, world space; both of that shape, noisy or not. A normal is taken only beside an
    albedo. Raises RenderError for shapes that differ or an unknown quality, RuntimeMissing without `pyoidn`.
    """
    if quality not in QUALITIES:
        raise RenderError(f"quality: expected one of {', '.join(QUALITIES)}, got {quality!r}")
    guides = {name: guide for name, guide in zip(GUIDES, (albedo, normal), strict=True) if guide is not None}
    for name, picture in {"color": color, **guides}.items():
        if picture.shape != (*color.shape[:2], 3):
            raise RenderError(f"{name}: expected shape {(*color.shape[:2], 3)}, got {picture.shape}")
    if normal is not None and albedo is None:
        raise RenderError("normal: expected an albedo beside it, got none")
    images = {name: np.ascontiguousarray(guide, np.float32) for name, guide in guides.items()}
    noisy = np.maximum(np.ascontiguousarray(color, np.float32), 0)
    return library().denoise(noisy, **images, hdr=True, quality=quality)
