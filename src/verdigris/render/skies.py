"""Skies made by code, laid out as `verdigris.render.environment` has it: a CIE sky, a sun where there is one, a ground.

The luminance over the sky is that of the CIE general sky (ISO 15469:2004, CIE S 011/E:2003); its colours are our own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verdigris.conventions import Array
from verdigris.render.environment import direction, texel_directions

HEIGHT = 256
"""Rows of the map, each 0.7 degrees: a sun of 2.4 covers three."""

SUN_DIAMETER_DEG = 2.4
"""Wider than the real one, which is smaller than a texel, and dimmer by as much."""

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Sky:
    """gradation (a, b) and indicatrix (c, d, e): the parameters of a CIE sky. azimuth, elevation: the sun's, degrees,
    as in `environment.SoftBox`. zenith, horizon: colours of radiance 1 overhead. glow: colour towards the sun.
    sun, ground: linear RGB radiance.
    """

    gradation: tuple[float, float]
    indicatrix: tuple[float, float, float]
    azimuth: float
    elevation: float
    zenith: Colour
    horizon: Colour
    glow: Colour
    sun: Colour
    ground: Colour
    level: float = 1.0


CLEAR = Sky(
    (-1.0, -0.32), (10.0, -3.0, 0.45), 50.0, 42.0,
    (0.30, 0.55, 1.0), (0.75, 0.88, 1.0), (1.0, 0.96, 0.88), (760.0, 700.0, 610.0), (0.10, 0.095, 0.085), 0.16,
)  # fmt: skip
SUNSET = Sky(
    (-1.0, -0.15), (10.0, -3.0, 0.45), -62.0, 7.0,
    (0.16, 0.26, 0.55), (1.0, 0.62, 0.36), (1.0, 0.50, 0.20), (420.0, 190.0, 62.0), (0.045, 0.038, 0.036), 0.035,
)  # fmt: skip
OVERCAST = Sky(
    (4.0, -0.7), (0.0, -1.0, 0.0), 0.0, 60.0,
    (0.92, 0.96, 1.0), (0.95, 0.97, 1.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.12, 0.12, 0.12), 0.9,
)  # fmt: skip

GREY = 0.5


def clear_sky() -> Array:
    """A blue sky with a high sun, `[256, 512, 3]` linear RGB float32."""
    return picture(CLEAR)


def sunset() -> Array:
    """A low sun in a red haze, as `clear_sky`."""
    return picture(SUNSET)


def overcast() -> Array:
    """A bright sky without a sun, as `clear_sky`."""
    return picture(OVERCAST)


def even() -> Array:
    """The same grey from everywhere, `[16, 32, 3]`: a white surface that loses no light cannot be seen before it."""
    return np.full((16, 32, 3), GREY, np.float32)


def picture(sky: Sky) -> Array:
    """The map of a sky, `[256, 512, 3]` linear RGB float32."""
    towards = texel_directions(HEIGHT)
    up = towards[..., 1]
    sun = direction(sky.azimuth, sky.elevation)
    cosine = np.clip(towards @ sun, -1, 1)
    share = _luminance(sky, np.maximum(up, 0), np.arccos(cosine)) / _luminance(sky, 1.0, np.pi / 2 - np.arcsin(sun[1]))
    haze = np.exp(-np.maximum(up, 0) * 6)[..., None]
    near = np.exp((cosine - 1) * 6)[..., None]
    colour = np.asarray(sky.zenith) * (1 - haze) + np.asarray(sky.horizon) * haze
    colour = colour * (1 - near) + np.asarray(sky.glow) * near
    image = sky.level * share[..., None] * colour
    image = np.where(up[..., None] < 0, np.asarray(sky.ground), image)
    edge = (np.rad2deg(np.arccos(cosine)) - SUN_DIAMETER_DEG / 2) / 0.7
    return (image + np.clip(0.5 - edge, 0, 1)[..., None] * np.asarray(sky.sun)).astype(np.float32)


def _luminance(sky: Sky, up: Array | float, from_sun: Array | float) -> Array:
    """Of the CIE general sky, up to a factor. up: sine of the elevation, 0..1; from_sun: angle to the sun, radians."""
    (a, b), (c, d, e) = sky.gradation, sky.indicatrix
    gradation = 1 + a * np.exp(b / np.maximum(up, 0.02))
    indicatrix = 1 + c * (np.exp(d * np.asarray(from_sun)) - np.exp(d * np.pi / 2)) + e * np.cos(from_sun) ** 2
    return np.asarray(gradation * indicatrix)
