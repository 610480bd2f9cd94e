"""How wide the highlight of a material is at each level: the reference averaged over footprints beside the bake.

A part of `lod.py`. Where normals vary, the mean lobe of a footprint widens with it: the apparent roughness.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from verdigris.conventions import luminance
from verdigris.model import NeuralMaterial
from verdigris.render.image import write_png
from verdigris.render.plot import GRID, INK, NEURAL, REFERENCE, Drawing
from verdigris.runtime import mitsuba

PLACES, POSITIONS = 32, 256
"""Texels of a level that are looked at, and positions of the footprint of each that the reference averages."""
VIEW_RAD = 0.5
ANGLES = np.linspace(-1.5, 1.5, 301)
WIDTH, HEIGHT = 420, 260


def measured(out: Path, name: str, neural: NeuralMaterial, reference: Any) -> dict[str, list[float]]:
    """Widths in degrees at each level, of both, and of level 0 in its place; writes NAME.lobes.png."""
    rng = np.random.default_rng(7)
    found: dict[str, list[float]] = {"reference": [], "neural": [], "level0": []}
    for level, texels in enumerate(neural.latents):
        uv = rng.random((PLACES, 2))
        deviation = 0.0 if level == 0 else 0.5 / np.array(texels.shape[1::-1])
        around = uv[:, None] + rng.normal(size=(PLACES, POSITIONS, 2)) * deviation
        true = np.mean([lobe(reference, around[:, k], seed=seeds(k)) for k in range(POSITIONS)], axis=0)
        for label, value in (
            ("reference", true),
            ("neural", lobe(neural, uv, level=level)),
            ("level0", lobe(neural, uv, level=0)),
        ):
            found[label].append(round(float(np.degrees(widths(value)).mean()), 2))
    write_png(out / f"{name}.lobes.png", picture(name, found))
    return found


def seeds(number: int) -> Any:
    """One seed a query, as an array: a number would be compiled into a kernel of its own."""
    return mitsuba().UInt32(np.full(PLACES * len(ANGLES), number, dtype=np.uint32))


def lobe(material: Any, uv: np.ndarray, **choices: Any) -> np.ndarray:
    """Luminance of response times cosine in the plane of incidence, `[places, 2] -> [places, angles]`."""
    wo = np.stack([np.sin(ANGLES), np.zeros_like(ANGLES), np.cos(ANGLES)], axis=1)
    wi = np.array([-np.sin(VIEW_RAD), 0.0, np.cos(VIEW_RAD)])
    n = len(uv) * len(ANGLES)
    parts = (np.repeat(uv, len(ANGLES), axis=0), np.broadcast_to(wi, (n, 3)), np.tile(wo, (len(uv), 1)))
    answer = material.eval(*(np.asarray(part, dtype=np.float32) for part in parts), **choices)
    return luminance(answer).reshape(len(uv), len(ANGLES))


def widths(values: np.ndarray) -> np.ndarray:
    """Angle, radians, that a lobe would fill if it had its peak everywhere in it, `[places, angles] -> [places]`."""
    return values.mean(axis=1) / np.maximum(values.max(axis=1), 1e-12) * (ANGLES[-1] - ANGLES[0])


def picture(name: str, found: dict[str, list[float]]) -> np.ndarray:
    """Widths over levels: the reference's as a thick line, the bake's, and level 0's."""
    drawing = Drawing(WIDTH, HEIGHT)
    left, right, top, bottom = 44.0, WIDTH - 16.0, 44.0, HEIGHT - 40.0
    count, high = len(found["neural"]), 1.1 * max(max(values) for values in found.values())
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = bottom - (bottom - top) * share
        drawing.line([(left, y), (right, y)], GRID)
        drawing.text((left - 6, y), f"{share * high:.0f}°", "rm")
    for level in range(count):
        drawing.text((left + (right - left) * level / max(count - 1, 1), bottom + 6), str(level), "ma")
    drawing.text((0.5 * (left + right), bottom + 22), "level", "ma")
    drawing.text((6, 5), f"{name}: width of the highlight", size=13)
    styles = (("reference", REFERENCE, 5.0), ("neural", NEURAL, 2.0), ("level0", INK, 1.0))
    for column, (label, colour, width) in enumerate(styles):
        points = [
            (left + (right - left) * level / max(count - 1, 1), bottom - (bottom - top) * value / high)
            for level, value in enumerate(found[label])
        ]
        drawing.line(points, colour, width)
        drawing.text((6 + 120 * column, 24), "level 0 in its place" if label == "level0" else label, colour=colour)
    return drawing.pixels()
