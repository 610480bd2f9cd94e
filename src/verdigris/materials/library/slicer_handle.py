"""Textures of `slicer_handle`: grained red plastic, scuffed, smeared with grease, with dirt in the grain and dust."""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array
from verdigris.materials.library.fields import Canvas, Field, cover, pack, ramp
from verdigris.materials.library.marks import Strokes, cells, fingerprints, spots, strokes
from verdigris.materials.library.noise import smoothstep

_PRINTS = ((0.20, 0.28, 0.5), (0.36, 0.34, 0.2), (0.54, 0.66, -0.4), (0.70, 0.72, -0.1), (0.88, 0.40, 2.7))


def draw(canvas: Canvas) -> dict[str, Array]:
    """The images by name, values 0..1: colours and normals `[n, n, 3]`, maps of three fields `[n, n, 3]`."""
    grain = _grain(canvas)
    scuffs = strokes(canvas, "scuffs", Strokes(170, 190, 0.2, 0.6, 0.7, 1.5))
    rubbed = smoothstep(0.0, 1.6, canvas.fractal("rubbed", 2, 9, 1.4))
    cavity = canvas.blur(canvas.cavities(grain, 8), 0.8)

    dirt = _dirt(canvas, cavity, rubbed)
    grease = _grease(canvas)
    # Hands wear the grain down, and grease fills it.
    relief = grain * (1 - 0.75 * rubbed) * (1 - 0.55 * canvas.blur(grease, 1.0)) - 0.35 * scuffs
    settled = 0.3 * cavity + canvas.fractal("dust", 2, 8, 1.3) + 0.6 * canvas.fractal("dust grain", 26, 140, 0.5)
    dust = 0.85 * smoothstep(0.7, 3.2, settled)

    faded = 0.5 + 0.16 * canvas.fractal("faded", 2, 12, 1.4) + 0.25 * scuffs + 0.12 * rubbed
    plastic = ramp(faded, (0.2, (0.40, 0.012, 0.010)), (0.6, (0.52, 0.026, 0.016)), (1.2, (0.62, 0.10, 0.065)))
    soil = ramp(
        0.5 + 0.2 * canvas.fractal("soil", 4, 60, 1.0), (0.0, (0.030, 0.020, 0.012)), (1.0, (0.150, 0.105, 0.060))
    )
    return {
        "plastic_color": plastic,
        "plastic_map": pack(0.5 + 0.2 * canvas.fractal("gloss", 5, 60, 1.0), scuffs, rubbed),
        "plastic_normal": canvas.normals(relief),
        "dirt_map": pack(dirt, 0.5 + 0.2 * canvas.fractal("crumbs", 20, 120, 0.7), dust),
        "dirt_color": soil,
        "dirt_normal": canvas.normals(0.6 * relief + 0.5 * canvas.blur(dirt, 1.5)),
        "grease_map": pack(grease, 0.5 + 0.2 * canvas.fractal("oil", 3, 24, 1.2), dust),
        "grease_normal": canvas.normals(0.35 * canvas.blur(relief, 3) + 0.5 * canvas.blur(grease, 1.5)),
        "dust_normal": canvas.normals(0.5 * relief + 0.5 * canvas.fractal("fluff", 30, 130, 0.7)),
    }


def _grain(canvas: Canvas) -> Field:
    """Height in points: the leather-like grain of a mould."""
    border, level = cells(canvas, "grain", 84, 4)
    pebbles = smoothstep(0.0, 0.42, border) * (0.8 + 0.4 * level)
    return (1.05 * canvas.blur(pebbles, 1.5) + 0.8 * canvas.fractal("bow", 2, 8, 1.5)).astype(np.float32)


def _dirt(canvas: Canvas, cavity: Field, rubbed: Field) -> Field:
    """Dirt, 0..1: in the grain where no hand rubs it away, and a few dried drops."""
    where = smoothstep(-0.6, 1.4, canvas.fractal("dirty", 2, 10, 1.3) + 0.2 - 0.8 * rubbed)
    packed = smoothstep(0.2, 1.6, cavity + 0.4 * canvas.fractal("packed", 20, 110, 0.8)) * where
    return np.clip(packed + 0.5 * spots(canvas, "drops", 26, 5, 22, 0.6), 0, 1).astype(np.float32)


def _grease(canvas: Canvas) -> Field:
    """Smudges, 0..1: wiped films that fill the grain, and prints."""
    prints = fingerprints(canvas, "prints", _PRINTS, 80)
    wiped = 0.55 + 0.28 * canvas.streaks("wipe", 8, 90, 0.6, 0.14)
    smear = cover(canvas.fractal("smear", 2, 8, 1.4), 0.34, 1.0) * np.clip(wiped, 0, 1)
    return np.clip(np.maximum(0.9 * prints, smear), 0, 1).astype(np.float32)
