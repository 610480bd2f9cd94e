"""Marks that age leaves: scratches, drips, fingerprints, spots and cracks, drawn on a repeating canvas.

Lengths are in points (1/1024 of a tile), angles in radians from +u.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.materials.library.fields import POINTS, Canvas, Field, resample
from verdigris.materials.library.noise import smoothstep


@dataclass(frozen=True)
class Strokes:
    """Many thin strokes.

    length: of the longest; most are shorter. angle, spread: mean direction and its standard deviation. bend: by how
    many radians a stroke turns. width: standard deviation of its profile. fade: 0 ends pointed, 1 ends in a bead.
    """

    count: int
    length: float
    angle: float
    spread: float
    bend: float = 0.0
    width: float = 1.3
    fade: float = 0.0


def strokes(canvas: Canvas, name: str, kind: Strokes) -> Field:
    """Depth of strokes: about 1 in the middle of the deepest, 0 outside."""
    rng = canvas.rng(name)
    steps = max(8, int(1.6 * kind.length))
    length = kind.length * rng.random(kind.count)[:, None] ** 1.5 + 6.0
    along = np.linspace(0.0, 1.0, steps)[None, :]
    turn = kind.bend * rng.normal(size=(kind.count, 1)) * (along - 0.5)
    heading = kind.angle + kind.spread * rng.normal(size=(kind.count, 1)) + turn
    stride = length / steps
    x = rng.random((kind.count, 1)) * POINTS + np.cumsum(np.cos(heading) * stride, axis=1)
    y = rng.random((kind.count, 1)) * POINTS + np.cumsum(np.sin(heading) * stride, axis=1)
    pointed = np.sin(np.pi * along) ** 0.6
    bead = smoothstep(0.0, 0.15, along) * (0.45 + 0.55 * along) * smoothstep(1.0, 0.97, along)
    depth = (0.25 + 0.75 * rng.random((kind.count, 1)) ** 2) * (pointed * (1 - kind.fade) + bead * kind.fade)
    # A stroke of n samples a point peaks at n / (sqrt(2 pi) width) once it is blurred.
    weight = depth * stride * np.sqrt(2 * np.pi) * kind.width
    return canvas.blur(_splat(canvas, x, y, weight), kind.width)


def _splat(canvas: Canvas, x: Array, y: Array, weight: Array) -> Field:
    """Points of some weight, shared out bilinearly among the four texels around each; a weight a square point."""
    n, scale = canvas.size, canvas.point
    x, y = x.ravel() * scale - 0.5, y.ravel() * scale - 0.5
    weight = weight.ravel() * scale * scale
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = x - x0, y - y0
    total = np.zeros(n * n)
    for dx, wx in ((0, 1 - fx), (1, fx)):
        for dy, wy in ((0, 1 - fy), (1, fy)):
            index = ((y0 + dy).astype(np.int64) % n) * n + (x0 + dx).astype(np.int64) % n
            total += np.bincount(index, weight * wx * wy, minlength=n * n)
    return total.reshape(n, n).astype(np.float32)


def _window(canvas: Canvas, u: float, v: float, reach: float) -> tuple[Any, Array, Array]:
    """Texels within `reach` points of a place: their indices around the seam, and `(x, y)` from the place in points."""
    half = int(np.ceil(reach * canvas.point))
    centre = np.array([u, v]) * canvas.size
    offsets = np.arange(-half, half + 1)
    columns, rows = (int(c) + offsets for c in centre)
    x = ((columns + 0.5 - centre[0]) / canvas.point).astype(np.float32)[None, :]
    y = ((rows + 0.5 - centre[1]) / canvas.point).astype(np.float32)[:, None]
    return np.ix_(rows % canvas.size, columns % canvas.size), x, y


def spots(canvas: Canvas, name: str, count: int, smallest: float, largest: float, ring: float = 0.0) -> Field:
    """Round spots of random radii, small ones the most; ring: 0 full, 1 only a border is left, as a dried drop."""
    rng = canvas.rng(name)
    field = np.zeros((canvas.size, canvas.size), np.float32)
    for _ in range(count):
        u, v, size, strength = rng.random(4)
        radius = smallest * (largest / smallest) ** (size**2)
        where, x, y = _window(canvas, u, v, 1.6 * radius + 4.0)
        angle = np.arctan2(y, x)
        phases = rng.random(3) * 2 * np.pi
        wobble = sum(0.07 / k * np.sin((k + 1) * angle + phase) for k, phase in zip((1, 2, 3), phases, strict=True))
        r = np.hypot(x, y) / (radius * (1 + wobble))
        soft = 2.0 / radius + 0.15
        shape = smoothstep(1 + soft, 1 - soft, r) * (1 - ring + ring * smoothstep(0.55, 1.0, r))
        field[where] = np.maximum(field[where], (0.4 + 0.6 * strength) * shape)
    return field


def fingerprints(canvas: Canvas, name: str, places: tuple[tuple[float, float, float], ...], size: float) -> Field:
    """Prints of finger tips, 0..1, one at each (u, v, angle); `size` is the half width of a tip.

    The ridges are level lines of a phase: distances to a core, stretched, swirled and bent by noise.
    """
    rng = canvas.rng(name)
    bend = canvas.fractal(f"{name} bend", 6, 22, 1.0)
    contact = canvas.fractal(f"{name} contact", 10, 60, 0.9)
    field = np.zeros((canvas.size, canvas.size), np.float32)
    for u, v, angle in places:
        where, x, y = _window(canvas, u, v, 1.6 * size)
        c, s = np.cos(angle), np.sin(angle)
        a, b = (c * x + s * y) / size, (c * y - s * x) / size
        core = b - 0.15 - 0.1 * rng.random()
        squash = 0.55 + 0.25 * rng.random()
        whorl = np.sqrt(a * a + np.where(core > 0, 1.0, squash) * core * core + 0.01)
        arch = 0.9 - 0.75 * b + 0.35 * np.cos(1.7 * a)
        low = smoothstep(-0.1, -0.9, b)
        phase = whorl * (1 - low) + arch * low + 0.05 * bend[where] + 0.06 * a * rng.normal()
        ridges = smoothstep(-0.35, 0.45, np.cos(2 * np.pi * size / 7.2 * phase) + 0.22 * contact[where])
        tip = smoothstep(1.05, 0.7, np.hypot(a, b / 1.32) + 0.06 * contact[where] + 0.05 * bend[where])
        pressure = 0.62 + 0.22 * bend[where] + 0.12 * contact[where]
        print_ = tip * np.clip(pressure, 0.12, 1.0) * (0.22 + 0.78 * ridges)
        field[where] = np.maximum(field[where], print_)
    return canvas.blur(field, 0.8)


def cells(canvas: Canvas, name: str, count: int, warp_points: float) -> tuple[Field, Field]:
    """Voronoi cells, `count` a side: (distance to the nearest border in cells, a random number 0..1 of the cell).

    Borders wander by about `warp_points`. A distance is smooth: on a canvas finer than the points it is interpolated.
    """
    if canvas.size > POINTS:
        border, label = cells(Canvas(POINTS, canvas.seed), name, count, warp_points)
        return resample(border, canvas.size), resample(label, canvas.size)
    rng = canvas.rng(name)
    seeds = rng.random((3, count, count)).astype(np.float32)
    u, v = canvas.uv()
    shift = warp_points * count / POINTS
    x = u * count + shift * canvas.fractal(f"{name} warp u", 2, 9, 1.4)
    y = v * count + shift * canvas.fractal(f"{name} warp v", 2, 9, 1.4)
    # The tables repeat by two cells on each side, so that a neighbour is a fixed step away in them.
    jitter_x, jitter_y, labels = (np.pad(table, 2, mode="wrap").ravel() for table in seeds)
    width = count + 4
    column, row = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    home = (row % count + 2) * width + column % count + 2
    x, y = x - column.astype(np.float32), y - row.astype(np.float32)

    steps = [(i, j) for j in range(-2, 3) for i in range(-2, 3)]
    nearest, owner = np.full(x.shape, np.inf, np.float32), home
    px, py = np.zeros_like(nearest), np.zeros_like(nearest)
    for i, j in steps:
        at = home + (j * width + i)
        sx, sy = jitter_x[at] + i - x, jitter_y[at] + j - y
        squared = sx * sx + sy * sy
        closer = squared < nearest
        nearest, owner = np.where(closer, squared, nearest), np.where(closer, at, owner)
        px, py = np.where(closer, sx, px), np.where(closer, sy, py)
    border = np.full(x.shape, np.inf, np.float32)
    for i, j in steps:
        at = home + (j * width + i)
        sx, sy = jitter_x[at] + i - x, jitter_y[at] + j - y
        dx, dy = sx - px, sy - py
        gap = np.sqrt(dx * dx + dy * dy)
        distance = 0.5 * ((px + sx) * dx + (py + sy) * dy) / np.maximum(gap, 1e-6)
        border = np.where(gap > 1e-4, np.minimum(border, distance), border)
    return border, labels[owner]


def cracks(canvas: Canvas, name: str, count: int, width: float, warp_points: float) -> Field:
    """Lines along the borders of Voronoi cells, 1 in the middle, `width` points wide; some fade away."""
    border, _ = cells(canvas, name, count, warp_points)
    strength = smoothstep(-1.2, 0.4, canvas.fractal(f"{name} strength", 3, 14, 1.0))
    line = np.exp(-0.5 * (border * (POINTS / count) / (0.5 * width)) ** 2)
    return (line * strength).astype(np.float32)
