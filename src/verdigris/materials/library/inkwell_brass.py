"""Textures of `inkwell_brass`: lacquered brass whose lacquer has flaked, oxidised below, verdigris, ink and dust."""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array
from verdigris.materials.library.fields import Canvas, Field, cover, pack, ramp
from verdigris.materials.library.marks import Strokes, spots, strokes
from verdigris.materials.library.noise import smoothstep


def draw(canvas: Canvas) -> dict[str, Array]:
    """The images by name, values 0..1: colours and normals `[n, n, 3]`, maps of three fields `[n, n, 3]`."""
    cast = _cast(canvas)
    cavity = canvas.blur(canvas.cavities(cast, 30), 2)
    marks = strokes(canvas, "scratches", Strokes(200, 200, 0.15, 0.5, 0.5, 1.3))
    polish = canvas.streaks("polish", 30, 140, 0.0, 0.2)

    # The lacquer flakes off from scratches and edges; where it is gone, the metal corrodes.
    hold = canvas.fractal("hold", 2, 8, 1.4) + 0.3 * canvas.fractal("flake", 10, 100, 1.0) - 0.8 * marks
    lacquer = cover(hold, 0.46, 0.10)
    border = canvas.blur(lacquer, 6) * (1 - lacquer)
    bare = 1 - canvas.blur(lacquer, 4)
    oxide = bare * smoothstep(-1.1, 0.7, cavity + 0.8 * canvas.fractal("oxide", 3, 50, 1.2) + 0.4)
    oxide = np.maximum(oxide, 0.25 * smoothstep(0.0, 2.0, canvas.fractal("under", 3, 30, 1.1)))
    growth = 0.75 * cavity + 0.9 * canvas.fractal("damp", 2, 8, 1.4) + 0.4 * canvas.fractal("crystal", 12, 110, 0.9)
    growth = growth + 1.6 * border - 2.2 * canvas.blur(lacquer, 3)
    verdigris = cover(growth, 0.2, 0.5)
    crust = canvas.blur(cover(growth, 0.14, 1.6), 2.0)
    ink = _ink(canvas)
    settled = 0.45 * cavity + canvas.fractal("dust", 2, 8, 1.3) + 0.5 * canvas.fractal("dust grain", 26, 140, 0.5)
    dust = 0.85 * smoothstep(0.5, 3.2, settled)

    metal = cast + 0.03 * polish - 0.35 * marks
    colour = ramp(
        0.15 + 0.75 * crust + 0.12 * canvas.fractal("copper salts", 6, 90, 0.9),
        (0.0, (0.022, 0.110, 0.085)),
        (0.4, (0.055, 0.290, 0.235)),
        (0.75, (0.130, 0.440, 0.375)),
        (1.1, (0.360, 0.640, 0.560)),
    )
    azure = smoothstep(
        0.2, 1.6, canvas.fractal("azure", 3, 14, 1.2) + 0.3 * canvas.fractal("azure grain", 20, 110, 0.8)
    )
    # Hands polish what stands out.
    bright = smoothstep(0.6, 1.8, 0.3 * canvas.fractal("handled", 3, 30, 1.1) - cavity)
    grain = canvas.fractal("grain", 30, 130, 0.6)
    skin = 0.8 * canvas.blur(cast, 4) + 1.4 * canvas.blur(lacquer, 2.0) + 0.1 * canvas.fractal("peel", 10, 40, 0.8)
    return {
        "brass_map": pack(0.5 + 0.2 * polish, marks, 0.5 + 0.2 * canvas.fractal("twist", 2, 10, 1.3)),
        "brass_normal": canvas.normals(metal),
        "oxide_map": pack(oxide, 0.5 + 0.2 * canvas.fractal("tone", 4, 70, 1.0), 0.5 + 0.2 * grain),
        "oxide_normal": canvas.normals(metal + 0.16 * grain),
        "lacquer_map": pack(lacquer, 0.5 + 0.2 * canvas.fractal("age", 2, 20, 1.3), ink),
        "lacquer_normal": canvas.normals(skin),
        "verdigris_map": pack(verdigris, dust, crust),
        "verdigris_color": np.clip(colour, 0, 1).astype(np.float32),
        "verdigris_normal": canvas.normals(0.5 * cast + 4.0 * crust + 0.45 * canvas.fractal("crusty", 20, 110, 0.8)),
        "salts_map": pack(azure, bright, 0.5 + 0.2 * canvas.fractal("salts", 6, 90, 0.9)),
        "ink_normal": canvas.normals(canvas.blur(cast, 6) + 3.0 * canvas.blur(ink, 4)),
        "dust_normal": canvas.normals(0.6 * cast + 0.5 * canvas.fractal("fluff", 30, 130, 0.7)),
    }


def _cast(canvas: Canvas) -> Field:
    """Height in points: a cast and chased surface, bands of beads between mouldings."""
    u, v = canvas.uv()
    mouldings = sum(-3.0 * np.exp(-(((v - place) * 1024 / 8.0) ** 2)) for place in (0.08, 0.24, 0.76, 0.92))
    bead = np.cos(2 * np.pi * 16 * u) * np.cos(np.clip((v - 0.16) / 0.11, -1, 1) * np.pi / 2)
    bead2 = np.cos(2 * np.pi * 16 * u) * np.cos(np.clip((v - 0.84) / 0.11, -1, 1) * np.pi / 2)
    hammer = np.tanh(0.9 * canvas.fractal("hammer", 9, 20, 0.6))
    return (mouldings + 3.0 * np.maximum(bead, 0) + 3.0 * np.maximum(bead2, 0) + 0.9 * hammer).astype(np.float32)


def _ink(canvas: Canvas) -> Field:
    """Dried ink, 0..1: runs from the rim, splashes, thicker at their borders."""
    runs = strokes(canvas, "runs", Strokes(10, 560, -np.pi / 2, 0.04, 0.1, 9.0, 1.0))
    runs = canvas.warp(runs, 4 * canvas.fractal("run u", 4, 16, 1.2), 3 * canvas.fractal("run v", 4, 16, 1.2))
    body = smoothstep(0.09, 0.15, runs) * (0.65 + 0.35 * smoothstep(0.4, 0.15, runs))
    return np.clip(np.maximum(body, spots(canvas, "splash", 44, 3, 20, 0.35)), 0, 1).astype(np.float32)
