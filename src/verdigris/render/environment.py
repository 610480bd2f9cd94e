"""The studio that lights the test scenes: an environment map made by code, the same on every machine.

A soft gradient shows colour, soft boxes with sharp enough edges show roughness, small bright lights show sparkle and
clear coats. What the camera sees behind the object is the plain gradient. The world's +y is up, +z points to the
camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verdigris.conventions import Array

HEIGHT = 512
"""Rows of the map, each 0.35 degrees: the smallest light covers six."""


@dataclass(frozen=True)
class SoftBox:
    """A rectangular light at infinity.

    azimuth_deg: 0 towards the camera, 90 to its right. elevation_deg: 90 overhead. width_deg, height_deg: full sizes.
    radiance: linear RGB inside.
    """

    azimuth_deg: float
    elevation_deg: float
    width_deg: float
    height_deg: float
    radiance: tuple[float, float, float]


BOXES = (
    SoftBox(-48, 40, 44, 36, (7.6, 7.1, 6.5)),
    SoftBox(64, 6, 16, 64, (2.3, 2.6, 3.0)),
    SoftBox(140, 28, 18, 50, (6.5, 6.3, 6.0)),
    SoftBox(-132, 12, 12, 60, (3.0, 3.3, 3.9)),
    SoftBox(168, 52, 30, 12, (4.0, 4.0, 4.0)),
    SoftBox(30, 76, 34, 18, (2.0, 2.0, 2.0)),
)

BULB_DIAMETER_DEG = 2.2
BULBS = ((28, 34), (8, 52), (38, -22), (-20, -38), (-78, 4), (100, 48))
"""(azimuth, elevation) of the small lights, degrees."""
BULB_RADIANCE = (90.0, 86.0, 80.0)

GLARE = SoftBox(35, 40, 3.0, 3.0, (400.0, 380.0, 350.0))
"""It gives the surface that faces it about twice the light of the sky."""

ZENITH, HORIZON, NADIR = (0.24, 0.25, 0.28), (0.085, 0.088, 0.092), (0.03, 0.028, 0.025)
"""Radiance of the gradient, straight up, level and straight down."""


def studio() -> Array:
    """The map, `[512, 1024, 3]` linear RGB float32, Mitsuba's layout: row 0 overhead, column 0 behind the object."""
    directions = texel_directions(HEIGHT)
    image = _gradient(directions[..., 1])
    for box in BOXES:
        _add_light(image, directions, box, edge_deg=1.0)
    for azimuth, elevation in BULBS:
        bulb = SoftBox(azimuth, elevation, BULB_DIAMETER_DEG, BULB_DIAMETER_DEG, BULB_RADIANCE)
        _add_light(image, directions, bulb, edge_deg=0.4, round_shape=True)
    return image.astype(np.float32)


def glare() -> Array:
    """A dim sky with one small bright light, laid out as `studio`."""
    directions = texel_directions(HEIGHT)
    image = _gradient(directions[..., 1])
    _add_light(image, directions, GLARE, edge_deg=0.4, round_shape=True)
    return image.astype(np.float32)


def direction(azimuth_deg: float, elevation_deg: float) -> Array:
    """Unit vector towards a light, `[3]`; angles as in `SoftBox`."""
    azimuth, elevation = np.deg2rad(azimuth_deg), np.deg2rad(elevation_deg)
    level = np.cos(elevation)
    return np.array([np.sin(azimuth) * level, np.sin(elevation), np.cos(azimuth) * level])


def texel_directions(height: int) -> Array:
    """Direction of each texel's centre, `[height, 2 height, 3]` (Mitsuba's `envmap`: d = (sin, cos theta, -cos))."""
    theta = (np.arange(height) + 0.5) * np.pi / height
    phi = (np.arange(2 * height) + 0.5) * np.pi / height
    theta, phi = np.meshgrid(theta, phi, indexing="ij")
    return np.stack([np.sin(phi) * np.sin(theta), np.cos(theta), -np.cos(phi) * np.sin(theta)], axis=-1)


def _gradient(up: Array) -> Array:
    """Nadir to horizon to zenith, `[...] -> [..., 3]`."""
    t = np.abs(up)[..., None] ** 0.8
    end = np.where(up[..., None] > 0, np.asarray(ZENITH), np.asarray(NADIR))
    return np.asarray(HORIZON) * (1 - t) + end * t


def _add_light(image: Array, directions: Array, box: SoftBox, edge_deg: float, round_shape: bool = False) -> None:
    """Adds a light whose edge is `edge_deg` wide, in the gnomonic projection around its centre."""
    centre = direction(box.azimuth_deg, box.elevation_deg)
    right = direction(box.azimuth_deg + 90, 0)
    up = np.cross(centre, right)
    depth = directions @ centre
    safe = np.where(depth > 0.1, depth, 1)
    x = np.rad2deg(np.arctan2(directions @ right, safe)) / (box.width_deg / 2)
    y = np.rad2deg(np.arctan2(directions @ up, safe)) / (box.height_deg / 2)
    size = min(box.width_deg, box.height_deg) / 2
    outside = (np.hypot(x, y) - 1) * size
    if not round_shape:
        outside = np.maximum((np.abs(x) - 1) * box.width_deg / 2, (np.abs(y) - 1) * box.height_deg / 2)
    cover = np.where(depth > 0.1, np.clip(0.5 - outside / edge_deg, 0, 1), 0)
    image += cover[..., None] * np.asarray(box.radiance)
