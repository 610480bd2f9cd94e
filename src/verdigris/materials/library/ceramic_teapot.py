"""Textures of `ceramic_teapot`: a thrown pot under a celadon glaze that has crazed, been used, and gathered dust."""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array
from verdigris.materials.library.fields import Canvas, Field, cover, pack, ramp
from verdigris.materials.library.marks import Strokes, cracks, fingerprints, spots, strokes
from verdigris.materials.library.noise import smoothstep

_PRINTS = ((0.22, 0.40, 0.4), (0.34, 0.46, 0.1), (0.47, 0.45, -0.2), (0.73, 0.62, 2.4), (0.86, 0.20, 1.1))


def draw(canvas: Canvas) -> dict[str, Array]:
    """The images by name, values 0..1: colours and normals `[n, n, 3]`, maps of three fields `[n, n, 3]`."""
    relief = _thrown(canvas)
    grit = canvas.fractal("grit", 30, 120, 0.7)
    cavity = canvas.blur(canvas.cavities(relief, 40), 3)
    thickness = np.clip(0.38 + 0.2 * cavity + 0.07 * canvas.fractal("flow", 2, 12, 1.5), 0, 1)

    crazing = cracks(canvas, "craze", 8, 4.2, 16)
    crazing = np.maximum(crazing, 0.55 * cracks(canvas, "fine craze", 17, 3.2, 8))
    tea = _tea(canvas, cavity)
    crazing = crazing * (0.45 + 0.55 * smoothstep(-0.8, 0.9, canvas.fractal("seep", 3, 10, 1.2)))
    speckle = spots(canvas, "speckle", 420, 1.8, 7.0)
    grease = _grease(canvas)
    dust = _dust(canvas, cavity)

    clay = ramp(
        0.5 + 0.16 * canvas.fractal("clay", 3, 60, 1.1),
        (0.0, (0.73, 0.66, 0.53)),
        (0.5, (0.86, 0.81, 0.71)),
        (1.0, (0.91, 0.88, 0.82)),
    )
    peel = canvas.fractal("peel", 10, 34, 0.8)
    glaze = (
        0.75 * canvas.blur(relief, 9) + 0.06 * peel - 0.35 * canvas.blur(crazing, 1.0) + 0.25 * canvas.blur(speckle, 3)
    )
    return {
        "clay_color": clay,
        "clay_normal": canvas.normals(relief + 0.16 * grit),
        "glaze_map": pack(thickness, 0.5 + 0.2 * canvas.fractal("mottle", 4, 50, 1.0), crazing),
        "glaze_normal": canvas.normals(glaze),
        "lime": spots(canvas, "lime", 40, 5, 30, 0.85),
        "stain_map": pack(tea, speckle, 0.5 + 0.2 * canvas.fractal("tint", 3, 30, 1.1)),
        "stain_normal": canvas.normals(glaze + 0.8 * canvas.blur(tea, 2.0)),
        "touch_map": pack(grease, dust, 0.5 + 0.2 * canvas.fractal("grain", 40, 140, 0.6)),
        "grease_normal": canvas.normals(glaze + 0.35 * canvas.blur(grease, 1.2)),
        "dust_normal": canvas.normals(glaze + 0.5 * canvas.fractal("fluff", 30, 130, 0.7)),
    }


def _thrown(canvas: Canvas) -> Field:
    """Height in points: the rings that fingers leave in turning clay, and dents."""
    _, v = canvas.uv()
    wander = 0.010 * canvas.fractal("wander", 1, 4, 1.6)
    swell = 0.6 + 0.25 * canvas.fractal("swell", 1, 5, 1.2)
    rings = np.sin(2 * np.pi * (13 * (v + wander) + 0.12 * np.sin(2 * np.pi * 3 * v)))
    return (1.5 * swell * rings + 1.0 * canvas.fractal("dents", 3, 12, 1.4)).astype(np.float32)


def _tea(canvas: Canvas, cavity: Field) -> Field:
    """Dried tea, 0..1: runs with dark edges, and a film in the hollows."""
    runs = strokes(canvas, "runs", Strokes(6, 520, -np.pi / 2, 0.05, 0.12, 11.0, 1.0))
    body = canvas.warp(runs, 6 * canvas.fractal("run u", 4, 16, 1.2), 4 * canvas.fractal("run v", 4, 16, 1.2))
    inside = smoothstep(0.07, 0.16, body)
    edge = inside * smoothstep(0.36, 0.12, body)
    film = smoothstep(0.5, 2.2, cavity + 0.6 * canvas.fractal("film", 4, 40, 1.2))
    drops = spots(canvas, "drops", 34, 5, 26, 0.75)
    return np.clip(0.38 * inside + 0.5 * edge + 0.16 * film + 0.55 * drops, 0, 1).astype(np.float32)


def _grease(canvas: Canvas) -> Field:
    """Prints of fingers and the smears they end in, 0..1."""
    prints = fingerprints(canvas, "prints", _PRINTS, 74)
    wiped = 0.5 + 0.28 * canvas.streaks("wipe", 12, 110, 0.35, 0.16)
    smear = cover(canvas.fractal("smear", 2, 9, 1.4), 0.2, 1.2) * np.clip(wiped, 0, 1)
    return np.clip(np.maximum(prints, 0.55 * smear), 0, 1).astype(np.float32)


def _dust(canvas: Canvas, cavity: Field) -> Field:
    """Dust, 0..1: thickest where the surface dips."""
    settled = 0.45 * cavity + canvas.fractal("dust", 2, 9, 1.3) + 0.55 * canvas.fractal("dust grain", 24, 140, 0.6)
    return (smoothstep(0.1, 3.0, settled) * 0.9).astype(np.float32)
