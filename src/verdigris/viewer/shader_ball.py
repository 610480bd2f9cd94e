"""A shader ball: a sphere with a groove, over a ring and a stand, all turned about the vertical axis.

It shows a material on round, hollow and flat parts, and light that goes from one to another.
"""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array
from verdigris.render.geometry import Grid

COLUMNS = 96
REPEATS = 2
"""Times that the texture goes around the ball, as around the sphere of the test scenes."""

GROOVE_AT, GROOVE_WIDTH, GROOVE_DEPTH = 0.62, 0.16, 0.09
"""Polar angle from the equator and width, radians, and depth of the groove around the upper half."""


def shader_ball() -> list[Grid]:
    """Ball, ring and stand; about 2.4 high, centred."""
    return [_turned(_ball()), _turned(_ring()), _turned(_stand())]


def _ball(rows: int = 96) -> Array:
    """Radius and height up the ball's side, `[rows, 2]`."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, rows)
    radius = 1 - GROOVE_DEPTH * np.exp(-(((angle - GROOVE_AT) / (GROOVE_WIDTH / 2)) ** 4))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _ring(rows: int = 33, middle: float = 0.86, thickness: float = 0.13) -> Array:
    """A torus below the ball, from its inner side around the bottom."""
    angle = np.linspace(-np.pi, np.pi, rows)
    return np.stack([middle + thickness * np.cos(angle), -0.98 + thickness * np.sin(angle)], axis=1)


def _stand(radius: float = 1.35, height: float = 0.16, bevel: float = 0.06, top: float = -1.06) -> Array:
    """A flat disc with a rounded rim, from its lower edge to the middle of its top."""
    turn = np.linspace(0, np.pi / 2, 9)
    rim = np.stack([radius - bevel + bevel * np.cos(turn), top - bevel + bevel * np.sin(turn)], axis=1)
    inward = np.stack([np.linspace(radius - bevel, 0, 17)[1:], np.full(16, top)], axis=1)
    return np.concatenate([[[radius, top - height]], rim, inward])


def _turned(profile: Array) -> Grid:
    """A profile, `[rows, 2]` of radius and height with the outside to its right, turned about the vertical axis."""
    angle = np.linspace(-np.pi, np.pi, COLUMNS + 1)
    radial = np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=-1)[None]
    up = np.array([0.0, 1.0, 0.0])
    slope = np.gradient(profile, axis=0)
    slope /= np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-12)
    position = profile[:, None, :1] * radial + profile[:, None, 1:] * up
    normal = slope[:, None, 1:] * radial - slope[:, None, :1] * up
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    u, v = np.meshgrid(REPEATS * angle / (2 * np.pi) + 0.5, REPEATS * length / (2 * np.pi))
    return Grid(position, normal, np.stack([u, v], axis=-1))
