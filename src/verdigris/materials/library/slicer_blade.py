"""Textures of `slicer_blade`: ground steel, scratched along and across, with grease, dried water and first rust."""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array
from verdigris.materials.library.fields import Canvas, Field, cover, pack, ramp
from verdigris.materials.library.marks import Strokes, fingerprints, spots, strokes
from verdigris.materials.library.noise import smoothstep

_PRINTS = ((0.24, 0.58, 0.2), (0.38, 0.64, -0.1), (0.52, 0.60, -0.4), (0.80, 0.30, 0.9))


def draw(canvas: Canvas) -> dict[str, Array]:
    """The images by name, values 0..1: colours and normals `[n, n, 3]`, maps of three fields `[n, n, 3]`."""
    ground = canvas.streaks("ground", 34, 146, 0.0, 0.32)
    bands = canvas.streaks("bands", 3, 26, 0.0, 0.5)
    along = strokes(canvas, "along", Strokes(420, 420, 0.0, 0.05, 0.03, 1.2))
    across = strokes(canvas, "across", Strokes(130, 210, 1.1, 0.5, 0.3, 1.2))
    swirl = strokes(canvas, "swirl", Strokes(260, 120, 0.6, 1.2, 1.4, 1.1))
    worn = smoothstep(-0.2, 1.4, canvas.fractal("worn", 2, 7, 1.4))
    scratched = np.clip(0.5 * along + across + 0.7 * swirl * worn, 0, 1)

    metal = 0.06 * ground + 0.10 * bands - 0.35 * along - 0.5 * across - 0.22 * swirl * worn
    metal = metal + 0.8 * canvas.fractal("bow", 1, 5, 1.6)
    water, grease, rust = _water(canvas), _grease(canvas), _rust(canvas, across)
    dust = smoothstep(0.6, 3.2, canvas.fractal("dust", 2, 8, 1.3) + 0.6 * canvas.fractal("specks", 30, 140, 0.5))
    colour = ramp(
        0.5 + 0.22 * canvas.fractal("rust tone", 6, 90, 0.9),
        (0.0, (0.060, 0.022, 0.010)),
        (0.5, (0.210, 0.075, 0.024)),
        (1.0, (0.420, 0.180, 0.055)),
    )
    return {
        "steel_map": pack(0.5 + 0.2 * ground, scratched, 0.5 + 0.2 * bands),
        "steel_normal": canvas.normals(metal),
        "scratch_map": pack(across, along, 0.5 + 0.2 * canvas.fractal("twist", 2, 10, 1.3)),
        "scratch_normal": canvas.normals(metal - 0.5 * across - 0.3 * swirl),
        "dirt_map": pack(water, rust, dust),
        "dirt_color": colour,
        "dirt_normal": canvas.normals(0.7 * metal + 0.9 * canvas.blur(rust, 2) + 0.35 * canvas.blur(water, 1.5)),
        "grease_map": pack(grease, 0.5 + 0.2 * canvas.fractal("oil", 3, 24, 1.2), worn),
        "grease_normal": canvas.normals(0.4 * metal + 0.4 * canvas.blur(grease, 1.2)),
    }


def _water(canvas: Canvas) -> Field:
    """Dried water, 0..1: chalky rings and a run."""
    runs = strokes(canvas, "runs", Strokes(6, 420, -np.pi / 2, 0.06, 0.1, 10.0, 1.0))
    border = smoothstep(0.05, 0.11, runs) * smoothstep(0.26, 0.1, runs)
    rings = spots(canvas, "rings", 60, 6, 40, 0.8)
    return np.clip(0.8 * rings + 0.5 * border, 0, 1).astype(np.float32)


def _grease(canvas: Canvas) -> Field:
    """Prints, and a film wiped along the blade, 0..1."""
    prints = fingerprints(canvas, "prints", _PRINTS, 78)
    wiped = 0.5 + 0.3 * canvas.streaks("wipe", 8, 90, 0.25, 0.2)
    smear = cover(canvas.fractal("smear", 2, 7, 1.4), 0.3, 1.4) * np.clip(wiped, 0, 1)
    return np.clip(np.maximum(prints, 0.7 * smear), 0, 1).astype(np.float32)


def _rust(canvas: Canvas, across: Field) -> Field:
    """Freckles of rust that start in deep scratches and spread in damp places, 0..1."""
    damp = canvas.fractal("damp", 2, 7, 1.4) + 0.9 * canvas.blur(across, 3)
    freckles = spots(canvas, "freckles", 190, 2.2, 11) * smoothstep(0.2, 1.6, damp)
    bloom = cover(damp + 0.5 * canvas.fractal("bloom", 12, 110, 0.9), 0.03, 0.9)
    return np.clip(freckles + bloom, 0, 1).astype(np.float32)
