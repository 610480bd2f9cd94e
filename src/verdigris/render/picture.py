"""Pictures of comparisons: labelled panels side by side, and many of them on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from verdigris.conventions import Array
from verdigris.render.image import write_png

BAR = 22
"""Height of a caption, pixels."""
GAP = 4
TEXT_SIZE = 14
BACKGROUND, INK = (24, 24, 26), (228, 228, 224)

# Knots of the "magma" colour map (Smith and van der Walt, CC0), 0 to 1 in equal steps, sRGB.
_MAGMA = np.array(
    [(0, 0, 4), (28, 16, 68), (79, 18, 123), (129, 37, 129), (181, 54, 122), (229, 80, 100), (251, 135, 97),
     (254, 194, 135), (252, 253, 191)]
)  # fmt: skip


def magma(values: Array) -> np.ndarray:
    """Colours of numbers in 0..1, `[height, width] -> [height, width, 3]` uint8 sRGB."""
    position = np.clip(values, 0, 1) * (len(_MAGMA) - 1)
    channels = [np.interp(position, np.arange(len(_MAGMA)), _MAGMA[:, c]) for c in range(3)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)


def panels(images: Sequence[np.ndarray], labels: Sequence[str]) -> np.ndarray:
    """Images of one height in a row, a caption above each, `[height, width, 3]` uint8."""
    height = images[0].shape[0]
    width = sum(image.shape[1] for image in images) + GAP * (len(images) - 1)
    canvas = Image.new("RGB", (width, height + BAR), BACKGROUND)
    draw = ImageDraw.Draw(canvas)
    x = 0
    for image, label in zip(images, labels, strict=True):
        canvas.paste(Image.fromarray(image), (x, BAR))
        draw.text((x + 4, BAR // 2), _fit(label, image.shape[1] - 8), INK, _font(), anchor="lm")
        x += image.shape[1] + GAP
    return np.asarray(canvas)


def sheet(rows: Sequence[np.ndarray], path: str | Path, columns: int = 1) -> None:
    """Writes pictures of one size as a table of `columns`, row by row, into one PNG.

    Raises RenderError where it cannot be written.
    """
    height, width = rows[0].shape[:2]
    lines = -(-len(rows) // columns)
    gap = 3 * GAP
    canvas = Image.new("RGB", (columns * (width + gap) + gap, lines * (height + gap) + gap), BACKGROUND)
    for index, row in enumerate(rows):
        x, y = index % columns, index // columns
        canvas.paste(Image.fromarray(row), (gap + x * (width + gap), gap + y * (height + gap)))
    write_png(path, np.asarray(canvas))


def shrink(image: np.ndarray, width: int) -> np.ndarray:
    """An 8-bit image scaled down to a width, keeping its proportions; never up."""
    if image.shape[1] <= width:
        return image
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(TEXT_SIZE)


def _fit(text: str, width: int) -> str:
    """The text, cut with an ellipsis to what fits in a width of pixels."""
    if _font().getlength(text) <= width:
        return text
    while text and _font().getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
