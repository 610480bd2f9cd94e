"""Textures of `teapot_handle`: copper turned on a lathe, tarnished by heat, with dirt in its dents and greasy hands."""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array
from verdigris.materials.library.fields import Canvas, Field, cover, pack, ramp
from verdigris.materials.library.marks import Strokes, fingerprints, spots, strokes
from verdigris.materials.library.noise import smoothstep

_PRINTS = ((0.16, 0.66, 0.3), (0.30, 0.72, 0.1), (0.60, 0.30, -0.5), (0.74, 0.36, -0.3), (0.90, 0.78, 1.9))


def draw(canvas: Canvas) -> dict[str, Array]:
    """The images by name, values 0..1: colours and normals `[n, n, 3]`, maps of three fields `[n, n, 3]`."""
    brushed = canvas.streaks("brushed", 30, 140, 0.0, 0.22)
    marks = strokes(canvas, "scratches", Strokes(150, 230, 0.5, 0.9, 0.5, 1.3))
    dents = _dents(canvas)
    cavity = canvas.blur(canvas.cavities(dents, 30), 2)

    heat = canvas.fractal("heat", 1, 6, 1.6)
    tarnish = smoothstep(-0.5, 1.1, heat + 0.5 * cavity + 0.35 * canvas.fractal("cloud", 6, 60, 1.1) - 0.5 * marks)
    film = np.clip(0.42 + 0.2 * heat + 0.1 * canvas.fractal("film", 3, 22, 1.2) + 0.1 * cavity, 0, 1)
    dirt = _dirt(canvas, cavity)
    grease = _grease(canvas)
    dust = smoothstep(0.4, 3.0, canvas.fractal("dust", 2, 8, 1.3) + 0.6 * canvas.fractal("specks", 30, 140, 0.5))

    metal = dents + 0.055 * brushed - 0.3 * marks
    colour = ramp(
        0.5 + 0.2 * canvas.fractal("soil", 4, 50, 1.0),
        (0.0, (0.020, 0.013, 0.009)),
        (0.5, (0.050, 0.033, 0.020)),
        (1.0, (0.115, 0.080, 0.048)),
    )
    return {
        "metal_map": pack(0.5 + 0.2 * brushed, marks, 0.5 + 0.2 * canvas.fractal("twist", 2, 10, 1.3)),
        "metal_normal": canvas.normals(metal),
        "tarnish_map": pack(tarnish, film, 0.5 + 0.2 * canvas.fractal("bloom", 8, 70, 1.0)),
        "tarnish_normal": canvas.normals(metal + 0.12 * canvas.fractal("scale", 16, 90, 0.9)),
        "soil_map": pack(dirt, dust, 0.5 + 0.2 * canvas.fractal("crumbs", 30, 140, 0.6)),
        "dirt_color": colour,
        "dirt_normal": canvas.normals(
            0.6 * dents + 0.9 * canvas.blur(dirt, 2) + 0.3 * canvas.fractal("crust", 20, 110, 0.8)
        ),
        "grease_map": pack(grease, 0.5 + 0.2 * canvas.fractal("oil", 3, 20, 1.2), dust),
        "grease_normal": canvas.normals(dents + 0.4 * canvas.blur(grease, 1.2)),
    }


def _dents(canvas: Canvas) -> Field:
    """Height in points: knocks, and the two grooves of a turned band."""
    _, v = canvas.uv()
    knocks = -1.6 * canvas.blur(spots(canvas, "knocks", 60, 9, 34), 5)
    grooves = sum(np.exp(-((np.abs(v - place) * canvas.size / canvas.point / 7.0) ** 2)) for place in (0.46, 0.54))
    return (knocks - 3.2 * grooves + 0.7 * canvas.fractal("bow", 2, 8, 1.5)).astype(np.float32)


def _dirt(canvas: Canvas, cavity: Field) -> Field:
    """Caked dirt, 0..1: in dents and grooves, broken up."""
    field = 0.75 * cavity + 0.5 * canvas.fractal("dirt", 3, 16, 1.1) + 0.4 * canvas.fractal("broken", 20, 110, 0.8)
    return cover(field, 0.13, 1.0)


def _grease(canvas: Canvas) -> Field:
    """Prints and smears, 0..1."""
    prints = fingerprints(canvas, "prints", _PRINTS, 78)
    wiped = 0.5 + 0.3 * canvas.streaks("wipe", 10, 100, 1.2, 0.12)
    smear = cover(canvas.fractal("smear", 2, 8, 1.4), 0.3, 1.4) * np.clip(wiped, 0, 1)
    return np.clip(np.maximum(prints, 0.6 * smear), 0, 1).astype(np.float32)
