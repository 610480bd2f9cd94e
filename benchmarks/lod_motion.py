"""A fly-over of 32 frames with few samples a pixel, level 0 beside levels: how much points of the ground flicker.

A part of `lod.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from verdigris.conventions import luminance
from verdigris.model import NeuralMaterial
from verdigris.render.image import tonemap
from verdigris.render.pathtrace import as_bsdf, render_scene
from verdigris.render.picture import panels
from verdigris.render.scenes import STAGES, build_scene
from verdigris.runtime import mitsuba

FRAMES, SPP, SMOOTH_SPP = 32, 4, 128
SIZE, SCENE = (192, 108), "horizon@sun"
STEP = (0.01, 0.0, -0.03)
"""The camera's way from frame to frame."""
DISTANCES = ((0.8, 2.0), (2.0, 8.0), (8.0, 32.0))
"""Bands of the ground, from the first camera."""
POINTS = 2000
FRAME_MS = 80


def measured(out: Path, name: str, neural: NeuralMaterial) -> dict[str, list[float]]:
    """Flicker in each of DISTANCES with level 0 and with levels, and of level 0 with SMOOTH_SPP; writes NAME.webp."""
    shown = {label: list(frames(neural, level, SPP)) for label, level in (("level0", 0), ("levels", None))}
    smooth = list(frames(neural, 0, SMOOTH_SPP))
    pairs = zip(shown["level0"], shown["levels"], strict=True)
    drawn = [Image.fromarray(panels([tonemap(a), tonemap(b)], ("level 0", "levels"))) for a, b in pairs]
    drawn[0].save(out / f"{name}.webp", save_all=True, append_images=drawn[1:], duration=FRAME_MS, loop=0, quality=50)
    return {
        label: [round(flicker(seen, band), 5) for band in DISTANCES]
        for label, seen in (*shown.items(), ("smooth", smooth))
    }


def frames(neural: NeuralMaterial, level: float | None, spp: int) -> Iterator[np.ndarray]:
    """The pictures of the flight."""
    mi = mitsuba()
    scene = build_scene(SCENE, as_bsdf(neural, level), SIZE)
    parameters = mi.traverse(scene)
    key = next(name for name in parameters.keys() if name.endswith("to_world") and "sensor" in name.lower())
    for frame in range(FRAMES):
        origin, target = camera(frame)
        parameters[key] = mi.Transform4f().look_at(origin.tolist(), target.tolist(), [0, 1, 0])
        parameters.update()
        yield render_scene(scene, SIZE, spp, 100 + frame)


def camera(frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Origin and target in a frame."""
    stage, way = STAGES["horizon"], frame * np.array(STEP)
    return np.array(stage.origin) + way, np.array(stage.target) + way


def flicker(seen: list[np.ndarray], band: tuple[float, float]) -> float:
    """Variance in time of points of the ground, over their squared mean.

    Half the mean squared step from frame to frame: a slow change, as of the angle of view, hardly counts.
    """
    rng = np.random.default_rng(3)
    z = -np.exp(rng.uniform(*np.log(band), POINTS))
    points = np.stack([rng.uniform(-0.3, 0.3, POINTS) * -z, np.zeros(POINTS), z], axis=1)
    values = np.stack([bilinear(luminance(image), project(points, frame)) for frame, image in enumerate(seen)])
    steps = np.diff(values, axis=0)
    return float(0.5 * np.nanmean(steps**2) / np.nanmean(values) ** 2)


def project(points: np.ndarray, frame: int) -> np.ndarray:
    """Places in the picture, pixels from its upper left corner, `[n, 3] -> [n, 2]`."""
    origin, target = camera(frame)
    forward = (target - origin) / np.linalg.norm(target - origin)
    right = np.cross(forward, [0, 1, 0])
    right /= np.linalg.norm(right)
    away = points - origin
    depth = away @ forward
    scale = 0.5 * SIZE[1] / np.tan(np.radians(STAGES["horizon"].fov_deg / 2))
    x, y = away @ right / depth, away @ np.cross(right, forward) / depth
    return np.stack([0.5 * SIZE[0] + scale * x, 0.5 * SIZE[1] - scale * y], axis=1)


def bilinear(image: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values between pixel centres, NaN outside, `[h, w], [n, 2] -> [n]`."""
    place = at - 0.5
    first = np.floor(place).astype(int)
    x, y = (place - first).T
    inside = (first >= 0).all(axis=1) & (first[:, 0] < SIZE[0] - 1) & (first[:, 1] < SIZE[1] - 1)
    column, row = np.where(inside[:, None], first, 0).T
    low = image[row, column] * (1 - x) + image[row, column + 1] * x
    high = image[row + 1, column] * (1 - x) + image[row + 1, column + 1] * x
    return np.where(inside, low * (1 - y) + high * y, np.nan)
