"""Textures of `verdigris_brass`: hammered brass, an oxide around its recesses, verdigris that grows in them.

Structures are mostly wider than five texels, so that a latent texture of the same size can hold them.
"""

from __future__ import annotations

import numpy as np

from verdigris.conventions import Array
from verdigris.materials.library import noise

SIZE = 512
"""Side of every texture in texels."""


def _ramp(position: Array, stops: tuple[tuple[float, tuple[float, float, float]], ...]) -> Array:
    """Linear colours `[n, n, 3]` along a piecewise linear ramp of (position, linear RGB) stops."""
    where = [stop for stop, _ in stops]
    return np.stack([np.interp(position, where, [rgb[c] for _, rgb in stops]) for c in range(3)], axis=-1)


def draw(seed: int) -> dict[str, Array]:
    """The images by name: maps `[n, n]` and linear colours `[n, n, 3]` in 0..1, unit normals `[n, n, 3]`.

    One height and one corrosion field tie the layers together: the lower a place lies, the further it has corroded.
    """
    rng = np.random.default_rng(seed)
    hammer = noise.fractal(SIZE, 9, 20, 0.6, rng)
    hammer = np.tanh(0.9 * hammer)
    worn = noise.smoothstep(-0.3, 1.2, noise.fractal(SIZE, 3, 8, 1.0, rng))
    # Each direction is thinned out before they are added: the sum of two waves is a lattice of dots, not of strokes.
    strokes = [noise.streaks(SIZE, 50, 0.5, 0.035, rng), noise.streaks(SIZE, 42, 2.2, 0.03, rng)]
    scratches = worn * sum(noise.blur(np.maximum(stroke - 1.3, 0.0), 1.0) for stroke in strokes)
    grain = noise.fractal(SIZE, 30, 70, 0.5, rng)
    crust = noise.fractal(SIZE, 12, 60, 0.9, rng)
    stain = noise.fractal(SIZE, 4, 24, 1.2, rng)

    corrosion = noise.standardise(
        noise.fractal(SIZE, 3, 6, 1.4, rng) - 0.45 * hammer + 0.28 * noise.fractal(SIZE, 9, 44, 1.3, rng) + 0.06 * crust
    )
    oxide = noise.smoothstep(-0.32, 0.12, corrosion)
    verdigris = noise.smoothstep(0.31, 0.64, corrosion)
    # The crust stands proud of the metal: its own border is part of its relief.
    thickness = noise.blur(noise.smoothstep(0.3, 1.3, corrosion), 2.0)

    dark = noise.smoothstep(-0.35, 0.6, corrosion)
    oxide_color = _ramp(
        dark + 0.18 * stain,
        ((-0.2, (0.26, 0.135, 0.055)), (0.35, (0.115, 0.052, 0.024)), (1.0, (0.030, 0.018, 0.014))),
    )
    verdigris_color = _ramp(
        thickness + 0.16 * crust + 0.10 * stain,
        (
            (-0.1, (0.030, 0.120, 0.095)),
            (0.30, (0.060, 0.290, 0.230)),
            (0.65, (0.115, 0.400, 0.320)),
            (1.15, (0.300, 0.590, 0.490)),
        ),
    )
    blue = noise.smoothstep(0.2, 1.6, noise.fractal(SIZE, 3, 12, 1.2, rng))[..., None]
    verdigris_color = verdigris_color * (1.0 - blue) + verdigris_color * np.array([0.75, 0.92, 1.25]) * blue

    return {
        "brass_normal": noise.normals(2.2 * hammer - 0.40 * scratches, 0.15),
        "brass_roughness": 0.27 + 0.045 * stain + 0.08 * np.minimum(scratches, 1.5) + 0.12 * oxide,
        "oxide_mask": oxide,
        "oxide_color": oxide_color,
        "oxide_normal": noise.normals(2.2 * hammer + 0.22 * grain, 0.16),
        "oxide_roughness": 0.46 + 0.06 * grain + 0.05 * stain,
        "verdigris_mask": verdigris,
        "verdigris_color": verdigris_color,
        "verdigris_normal": noise.normals(6.0 * thickness + 0.8 * crust, 0.22),
        "verdigris_roughness": 0.72 - 0.12 * thickness + 0.05 * crust,
    }
