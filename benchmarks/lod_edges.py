"""What levels can save of the noise of an edge between two even areas, both wider than a pixel. Prints JSON.

    .venv/bin/python benchmarks/lod_edges.py

One sample in each pixel, against the picture that endless samples give of the sharp edge: the mean square error of a
pixel, in the mean over edges of all directions and places. A level whose texels are `texel` pixels wide blurs the edge
by its Gaussian footprint, of half a texel, and by the bilinear fetch, a tent that deviates by 1 / sqrt(6) of a texel.
That takes noise away, and adds an error of its own. `noise` is the variance without blur over that with it, `error` the
same of the mean square error, noise and blur, which is what `lod.py` measures; for a film with a box, and with
Mitsuba's default filter, a Gaussian. `chosen`: texels as the integrator chooses them, one of the two nearest levels by
chance, in the mean over distances.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np

from verdigris.render.integrator import FOOTPRINT

TEXELS = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4)
BLUR = math.sqrt(1 / 4 + 1 / 6)
"""Standard deviation of a level's blur, in its texels."""

FILTER_DEVIATION, FILTER_RADIUS = 0.5, 2.0
"""Of Mitsuba's Gaussian, in pixels."""

EDGES, PICTURES, AROUND, REACH = 4096, 32, 2, 5.0
"""Edges; pictures of each; pixels on each side of the one that is looked at; farthest edge, in pixels."""

FINE = 24
"""Points of the exact picture along a pixel's side."""

Filter = Callable[[np.ndarray], np.ndarray]
Texels = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def box(away: np.ndarray) -> np.ndarray:
    """Weight of a sample at `away` from a pixel's middle, in pixels, `[..., 2] -> [...]`."""
    return (np.abs(away) < 0.5).all(axis=-1).astype(float)


def gaussian(away: np.ndarray) -> np.ndarray:
    """The same of a Gaussian that is lowered to end at its radius."""
    end = math.exp(-0.5 * (FILTER_RADIUS / FILTER_DEVIATION) ** 2)
    return np.maximum(np.exp(-0.5 * (away / FILTER_DEVIATION) ** 2) - end, 0.0).prod(axis=-1)


def sharp(_rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Texels without width."""
    return np.full(shape, 1e-9)


def texel(width: float) -> Texels:
    """Texels of one width in pixels."""
    return lambda _rng, shape: np.full(shape, width)


def chosen(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Texels of one of the two levels around what the cone asks for, at a random distance."""
    wanted = rng.random()
    return FOOTPRINT * 2.0 ** (np.round(wanted + rng.random(shape) - 0.5) - wanted)


def brightness(distance: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """0 to 1 at points at a distance from an edge that a Gaussian blurs, by the logistic curve that is nearest."""
    return 1 / (1 + np.exp(-np.clip(1.702 * distance / deviation, -40, 40)))


def exact(weigh: Filter, across: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """The pixel with endless samples of sharp edges, `[edges]`; across: their normals `[edges, 2]`."""
    side = (np.arange(2 * FINE * FILTER_RADIUS) + 0.5) / FINE - FILTER_RADIUS
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    weight = weigh(grid)
    grid, weight = grid[weight > 0], weight[weight > 0] / weight.sum()
    return np.array([weight @ (grid @ normal > at) for normal, at in zip(across, offset, strict=True)])


def errors(weigh: Filter, texels: Texels) -> tuple[float, float]:
    """Mean variance and mean square error of a pixel."""
    rng = np.random.default_rng(1)
    # Evenly over directions and places, by the golden ratio.
    turn, place = np.arange(EDGES) * (math.sqrt(5) - 1) / 2 % 1, (np.arange(EDGES) + 0.5) / EDGES
    across = np.stack([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)], axis=1)
    offset = (2 * place - 1) * REACH
    middles = np.stack(np.meshgrid(*[np.arange(-AROUND, AROUND + 1.0)] * 2), axis=-1).reshape(-1, 1, 2)
    true, variance, square = exact(weigh, across, offset), 0.0, 0.0
    for normal, at, truth in zip(across, offset, true, strict=True):
        samples = middles + rng.random((len(middles), PICTURES, 2)) - 0.5
        weight = weigh(samples)
        shown = brightness(samples @ normal - at, BLUR * texels(rng, weight.shape))
        pixel = (weight * shown).sum(axis=0) / weight.sum(axis=0)
        variance += float(pixel.var(ddof=1)) / EDGES
        square += float(np.square(pixel - truth).mean()) / EDGES
    return variance, square


def main() -> None:
    """Prints the table."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for film, weigh in (("box", box), ("gaussian", gaussian)):
        whole, found[film] = errors(weigh, sharp), {}
        for label, texels in {**{f"{width:g}": texel(width) for width in TEXELS}, "chosen": chosen}.items():
            left = errors(weigh, texels)
            found[film][label] = {
                kind: round(a / b, 2) for kind, a, b in zip(("noise", "error"), whole, left, strict=True)
            }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
