"""Two kinds of diagrams as 8-bit pictures: curves over a logarithmic axis, and responses around a half circle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from verdigris.conventions import Array

SCALE = 3
"""Drawn so many times larger, then scaled down: Pillow's lines have no smooth edges."""

BACKGROUND, GRID, INK = (24, 24, 26), (62, 62, 66), (200, 200, 196)
REFERENCE, NEURAL = (112, 116, 124), (255, 168, 56)
TEXT_SIZE, SMALL = 13, 11

Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """A labelled part of a chart: values above 0 over positions that go on from the part before, `[n], [n]`."""

    label: str
    positions: Array
    values: Array


class Drawing:
    """Shapes in pixels of the final picture, from its upper left corner."""

    def __init__(self, width: int, height: int):
        self._image = Image.new("RGB", (width * SCALE, height * SCALE), BACKGROUND)
        self._draw = ImageDraw.Draw(self._image)

    def line(self, points: Sequence[Point], colour: Colour, width: float = 1.0) -> None:
        """A polyline; one point alone is a dot."""
        if len(points) == 1:
            (x, y), r = points[0], 2.0
            self._draw.ellipse([(x - r) * SCALE, (y - r) * SCALE, (x + r) * SCALE, (y + r) * SCALE], colour)
            return
        self._draw.line([(x * SCALE, y * SCALE) for x, y in points], colour, round(width * SCALE), "curve")

    def area(self, points: Sequence[Point], colour: Colour) -> None:
        """A filled polygon."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], colour)

    def text(self, at: Point, text: str, anchor: str = "la", colour: Colour = INK, size: int = SMALL) -> None:
        """A line of text; anchor: as Pillow names it, `la` its upper left corner."""
        font = ImageFont.load_default(size * SCALE)
        self._draw.text((at[0] * SCALE, at[1] * SCALE), text, colour, font, anchor)

    def pixels(self) -> np.ndarray:
        """The picture, `[height, width, 3]` uint8."""
        small = self._image.resize((self._image.width // SCALE, self._image.height // SCALE), Image.Resampling.LANCZOS)
        return np.asarray(small)


def half_circle(angles: Array, reference: Array, neural: Array, theta: float, label: str, size: int) -> np.ndarray:
    """Two responses over the directions of a plane: the reference as an area, the neural one as a line.

    angles: `[n]` radians from the normal, in -pi/2..pi/2, positive on the viewer's side. reference, neural: `[n]`, 0 or
    more; the radius is the cube root of their share of the larger peak, which the caption tells.
    theta: the viewer's angle, drawn with its mirror image. size: width of the picture in pixels.
    """
    radius, peak = 0.5 * size - 14, max(float(reference.max()), float(neural.max()), 1e-12)
    height = round(radius) + 44
    drawing, centre = Drawing(size, height), (0.5 * size, height - 12.0)

    def place(angle: Array | float, share: Array | float) -> list[Point]:
        x = centre[0] + radius * share * np.sin(angle)
        y = centre[1] - radius * share * np.cos(angle)
        return list(zip(np.atleast_1d(x).tolist(), np.atleast_1d(y).tolist(), strict=True))

    around = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 91)
    drawing.area(place(angles, np.cbrt(reference / peak)), REFERENCE)
    for share in (np.cbrt(0.1), 1.0):
        drawing.line(place(around, np.full_like(around, share)), GRID)
    drawing.line([*place(-0.5 * np.pi, 1.0), *place(0.5 * np.pi, 1.0)], GRID)
    for angle, width in ((theta, 2.0), (-theta, 1.0)):
        drawing.line([*place(angle, 0.93), *place(angle, 1.0)], INK, width)
    drawing.line(place(angles, np.cbrt(neural / peak)), NEURAL, 1.5)
    drawing.text((6, 5), label)
    drawing.text((size - 6, 5), f"peak {peak:.3g}", "ra")
    return drawing.pixels()


def chart(curves: Sequence[Curve], title: str, unit: str, width: int, height: int) -> np.ndarray:
    """Curves one behind the other over a common axis, values on a logarithmic one; `title` alone where there are none.

    unit: of the positions.
    """
    drawing = Drawing(width, height)
    drawing.text((6, 5), title, size=TEXT_SIZE)
    if not curves:
        return drawing.pixels()
    left, right, top, bottom = 52.0, width - 14.0, 44.0, height - 34.0
    values = np.concatenate([curve.values for curve in curves])
    end = float(max(curve.positions[-1] for curve in curves))
    low, high = np.log10(values.min()), np.log10(values.max())
    low, high = (low - 0.1, high + 0.1) if high - low < 0.2 else (low - 0.05 * (high - low), high + 0.05 * (high - low))

    def x_of(position: float) -> float:
        return left + (right - left) * position / end

    def y_of(value: float) -> float:
        return bottom - (bottom - top) * (np.log10(value) - low) / (high - low)

    for value in _ticks(10.0**low, 10.0**high):
        drawing.line([(left, y_of(value)), (right, y_of(value))], GRID)
        drawing.text((left - 6, y_of(value)), f"{value:g}", "rm")
    drawing.line([(left, bottom), (right, bottom)], GRID)
    for share in (0.0, 0.5, 1.0):
        drawing.text((x_of(share * end), bottom + 6), f"{share * end:.3g}", ("la", "ma", "ra")[round(2 * share)])
    drawing.text((0.5 * (left + right), bottom + 20), unit, "ma")
    start = 0.0
    for curve in curves:
        if start > 0.0:
            drawing.line([(x_of(start), top), (x_of(start), bottom)], GRID)
        drawing.text((x_of(start) + 4, top - 16), curve.label)
        points = [(x_of(x), y_of(y)) for x, y in zip(curve.positions.tolist(), curve.values.tolist(), strict=True)]
        drawing.line(points, NEURAL, 1.5)
        start = float(curve.positions[-1])
    return drawing.pixels()


def notes(lines: Sequence[tuple[str, str, Colour]], width: int, height: int) -> np.ndarray:
    """Rows of (name, value), each in its colour."""
    drawing = Drawing(width, height)
    for row, (name, value, colour) in enumerate(lines):
        drawing.text((6, 6 + 19 * row), name, colour=colour, size=TEXT_SIZE)
        drawing.text((width - 14, 6 + 19 * row), value, "ra", colour, TEXT_SIZE)
    return drawing.pixels()


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between two, for a logarithmic axis: 1, 2 and 5 of each decade, or powers of ten alone."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    mantissas = (1, 2, 5) if len(decades) <= 4 else (1,)
    return [m * 10.0**k for k in decades for m in mantissas if low <= m * 10.0**k <= high]
