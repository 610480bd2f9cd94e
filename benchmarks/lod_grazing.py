"""Light that each level sends back at grazing views, over the reference's.

A part of `lod.py`. Far rows of a plane are seen so, where one texel stands for a large part of the texture.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.model import NeuralMaterial

PLACES, POSITIONS = 64, 1024
"""Texels of a level that are looked at, and positions of the footprint of each that the reference averages."""

HEIGHTS_DEG = (4, 8, 16)
"""Of the viewer above the surface; the light comes from the other side, LIGHT_DEG up."""

LIGHT_DEG = 45


def measured(neural: NeuralMaterial, reference: Any) -> dict[str, list[list[float]]]:
    """Red, green and blue of each level, for each height of the viewer in degrees."""
    rng = np.random.default_rng(5)
    found: dict[str, list[list[float]]] = {str(height): [] for height in HEIGHTS_DEG}
    for level, texels in enumerate(neural.latents):
        uv = rng.random((PLACES, 2))
        deviation = 0.0 if level == 0 else 0.5 / np.array(texels.shape[1::-1])
        around = (uv[:, None] + rng.normal(size=(PLACES, POSITIONS, 2)) * deviation).reshape(-1, 2)
        for height in HEIGHTS_DEG:
            ratio = seen(neural, uv, height, level=level) / seen(reference, around, height)
            found[str(height)].append([round(float(channel), 3) for channel in ratio])
    return found


def seen(material: Any, uv: Array, height_deg: float, **choices: Any) -> Array:
    """Mean response times cosine over places `[n, 2]`, `[3]`."""
    view, light = np.radians(height_deg), np.radians(LIGHT_DEG)
    wi, wo = [-np.cos(view), 0.0, np.sin(view)], [np.cos(light), 0.0, np.sin(light)]
    directions = (np.broadcast_to(np.asarray(way, dtype=np.float32), (len(uv), 3)) for way in (wi, wo))
    return np.asarray(material.eval(uv.astype(np.float32), *directions, **choices).mean(axis=0, dtype=np.float64))
