"""The textures of the built-in materials as files hold them: drawn from a seed, resampled, encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from verdigris.conventions import Array, to_srgb
from verdigris.materials.library import (
    ceramic_teapot,
    inkwell_brass,
    slicer_blade,
    slicer_handle,
    teapot_handle,
    verdigris_brass,
)
from verdigris.materials.library.fields import Canvas, resample

SMALLEST, LARGEST = 256, 4096
"""Sides that textures can be had at, texels."""


@dataclass(frozen=True)
class Recipe:
    """How the textures of a material come about.

    draw: images by name, drawn with a given side: maps and linear colours in 0..1, and unit normals. default: side if
    none is asked for. drawn: sides it can be drawn with, ascending; another is resampled from the next of these, or
    from the last. normal_bits: 8 or 16; the reflections of a glossy coat show the steps of 8.
    """

    draw: Callable[[int], dict[str, Array]]
    default: int
    drawn: tuple[int, ...]
    normal_bits: int = 16


def _deep(draw: Callable[[Canvas], dict[str, Array]], seed: int) -> Recipe:
    """A recipe of fields that end near 150 cycles a tile: what 2048 texels hold is all there is."""
    return Recipe(lambda size: draw(Canvas(size, seed)), 1024, (1024, 2048))


RECIPES = {
    "ceramic_teapot": _deep(ceramic_teapot.draw, 11),
    "inkwell_brass": _deep(inkwell_brass.draw, 23),
    "slicer_blade": _deep(slicer_blade.draw, 37),
    "slicer_handle": _deep(slicer_handle.draw, 41),
    "teapot_handle": _deep(teapot_handle.draw, 53),
    "verdigris_brass": Recipe(lambda size: verdigris_brass.draw(29), verdigris_brass.SIZE, (verdigris_brass.SIZE,), 8),
}


def draw(name: str, resolution: int | None = None) -> Iterator[tuple[str, Array]]:
    """The images of a built-in material by file name without `.png`, `[n, n, 3]` or `[n, n]`, row 0 at the top.

    resolution: n, SMALLEST to LARGEST; the material's own by default. Colours are sRGB, all else is linear; uint8,
    normals uint16 where the recipe says so. One at a time: those of 4096 texels are large. A KeyError for a name that
    the library does not list.
    """
    recipe = RECIPES[name]
    size = resolution or recipe.default
    images = recipe.draw(next((side for side in recipe.drawn if side >= size), recipe.drawn[-1]))
    while images:
        stem = next(iter(images))
        image = images.pop(stem)
        if image.shape[0] != size:
            image = resample(image, size)
        normal = stem.endswith("_normal")
        yield stem, _encode(_stored(stem, image), recipe.normal_bits if normal else 8)


def _stored(name: str, image: Array) -> Array:
    """Values as an image holds them, 0..1: colours in sRGB, normals unit and moved into the interval."""
    if name.endswith("_color"):
        return to_srgb(image)
    if name.endswith("_normal"):
        return 0.5 + 0.5 * image / np.linalg.norm(image, axis=-1, keepdims=True)
    return image


def _encode(values: Array, bits: int) -> Array:
    """Values in 0..1, `[n, n, ...]` from v = 0 upwards, as the numbers of an image stored from the top."""
    top = 2**bits - 1
    return np.round(np.clip(values[::-1], 0.0, 1.0) * top).astype(np.uint8 if bits == 8 else np.uint16)
