"""The Utah teapot (Martin Newell, 1975), from its cubic Bezier control points, which are in the public domain.

Body, rim, lid and bottom are surfaces of revolution in the original too, up to its approximation of the circle by
cubics; here they are revolved exactly. Handle and spout are tubes whose cross-section is two mirrored cubics.
The original is 3.15 high, stands on z = 0 and has its spout towards +x; here y is up and its height is centred.
"""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array
from verdigris.render.geometry import Grid

HEIGHT = 3.15

# (radius, height) control points, four a cubic, each cubic starting where the one before it ends.
BODY = ((1.4, 2.4), (1.3375, 2.53125), (1.4375, 2.53125), (1.5, 2.4), (1.75, 1.875), (2, 1.35), (2, 0.9),
        (2, 0.45), (1.5, 0.225), (1.5, 0.15), (1.5, 0.075), (1.425, 0), (0, 0))  # fmt: skip
LID = ((0, 3.15), (0.8, 3.15), (0, 2.85), (0.2, 2.7), (0.4, 2.55), (1.3, 2.55), (1.3, 2.4))

# (x, z) of the tube's two sides and its half width, control points along the tube.
HANDLE = (((-1.6, 2.025), (-1.5, 2.25), 0.3), ((-2.3, 2.025), (-2.5, 2.25), 0.3), ((-2.7, 2.025), (-3.0, 2.25), 0.3),
          ((-2.7, 1.8), (-3.0, 1.8), 0.3), ((-2.7, 1.575), (-3.0, 1.35), 0.3), ((-2.5, 1.125), (-2.65, 0.9375), 0.3),
          ((-2.0, 0.9), (-1.9, 0.6), 0.3))  # fmt: skip
SPOUT = (((1.7, 1.425), (1.7, 0.6), 0.66), ((2.6, 1.425), (3.1, 0.825), 0.66), ((2.3, 2.1), (2.4, 2.025), 0.25),
         ((2.7, 2.4), (3.3, 2.4), 0.25), ((2.8, 2.475), (3.525, 2.49375), 0.25), ((2.9, 2.475), (3.45, 2.5125), 0.15),
         ((2.8, 2.4), (3.2, 2.4), 0.15))  # fmt: skip

STEPS = 24
"""Segments a cubic."""


def teapot() -> list[Grid]:
    """Body, lid, handle and spout; a texture keeps about its proportions and repeats every 3 units."""
    return [_revolve(BODY, repeats=4), _revolve(LID, repeats=2), _tube(HANDLE), _tube(SPOUT)]


def bezier(points: Array, steps: int = STEPS) -> tuple[Array, Array]:
    """Points and derivatives along joined cubics, `[3 k + 1, ...] -> 2 x [k * steps + 1, ...]`.

    Where two cubics meet, the derivative is the first one's.
    """
    shape = (-1, *[1] * (points.ndim - 1))
    values, slopes = [], []
    for start in range(0, len(points) - 1, 3):
        t = np.linspace(0, 1, steps + 1)[1 if start else 0 :].reshape(shape)
        a, b, c, d = points[start : start + 4]
        s = 1 - t
        values.append(a * s**3 + 3 * b * s * s * t + 3 * c * s * t * t + d * t**3)
        slopes.append(3 * ((b - a) * s * s + 2 * (c - b) * s * t + (d - c) * t * t))
    return np.concatenate(values), np.concatenate(slopes)


def _length(points: Array) -> Array:
    """Arc length up to each point of a polyline, `[n, d] -> [n]`."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])


def _unit(v: Array) -> Array:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)


def _revolve(profile: tuple[tuple[float, float], ...], repeats: int, columns: int = 192) -> Grid:
    """A profile, given from the top down, turned about the vertical axis."""
    points, slopes = bezier(np.asarray(profile, dtype=float))
    points, slopes = points[::-1], -slopes[::-1]
    angle = np.linspace(-np.pi, np.pi, columns + 1)
    radial = np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=-1)[None]
    up = np.array([0.0, 1.0, 0.0])
    position = points[:, None, :1] * radial + (points[:, None, 1:] - HEIGHT / 2) * up
    normal = _unit(slopes[:, None, 1:] * radial - slopes[:, None, :1] * up)
    scale = repeats / (2 * np.pi * points[:, 0].max())
    u, v = np.meshgrid(repeats * angle / (2 * np.pi), _length(points) * scale)
    return Grid(position, normal, np.stack([u, v], axis=-1))


def _tube(sections: tuple[tuple[tuple[float, float], tuple[float, float], float], ...]) -> Grid:
    """A tube along its sections; the texture goes around it once."""
    rings, d_rings = bezier(np.stack([_ring(*section) for section in sections]))
    position, d_around = _around(rings)
    d_along, _ = _around(d_rings)
    normal = _unit(np.cross(d_around, d_along))
    around = np.linalg.norm(np.diff(position, axis=1), axis=-1).sum(axis=1).mean()
    u = np.broadcast_to(np.linspace(0, 1, position.shape[1]), position.shape[:2])
    v = np.broadcast_to(_length(position.mean(axis=1))[:, None] / around, u.shape)
    return Grid(position - [0, HEIGHT / 2, 0], normal, np.stack([u, v], axis=-1))


def _ring(inner: tuple[float, float], outer: tuple[float, float], half_width: float) -> Array:
    """Control points of a closed cross-section of two cubics, `[7, 3]`, y up."""
    (xi, zi), (xo, zo), w = inner, outer, half_width
    return np.array(
        [(xi, zi, 0), (xi, zi, w), (xo, zo, w), (xo, zo, 0), (xo, zo, -w), (xi, zi, -w), (xi, zi, 0)], dtype=float
    )


def _around(rings: Array) -> tuple[Array, Array]:
    """Points around each ring and their derivatives, `[n, 7, 3] -> 2 x [n, columns, 3]`."""
    points, slopes = bezier(np.swapaxes(rings, 0, 1))
    return np.swapaxes(points, 0, 1), np.swapaxes(slopes, 0, 1)
