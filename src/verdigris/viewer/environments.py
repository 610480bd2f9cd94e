"""The lights of the viewer: environment maps made by code, for the page and for the reference alike."""

from __future__ import annotations

import functools
import gzip
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from verdigris.conventions import Array
from verdigris.render.environment import glare, studio
from verdigris.render.skies import clear_sky, even, overcast, sunset

HALF_MAX = 65504.0


@dataclass(frozen=True)
class Environment:
    """A light by name. image: `[H, 2 H, 3]` linear RGB, laid out as Mitsuba's `envmap`."""

    label: str
    image: Callable[[], Array]


ENVIRONMENTS = {
    "studio": Environment("Studio", studio),
    "glare": Environment("Small bright light", glare),
    "clear": Environment("Clear sky", clear_sky),
    "sunset": Environment("Sunset", sunset),
    "overcast": Environment("Overcast", overcast),
    "even": Environment("Even grey", even),
}


@functools.cache
def encode(environment: Environment) -> bytes:
    """A light as the page reads it, compressed by gzip.

    Little-endian: width and height (u32), then the red of all pixels, their green and their blue as 16-bit floats.
    """
    image = environment.image()
    height, width = image.shape[:2]
    planes = np.minimum(image, HALF_MAX).astype("<f2").transpose(2, 0, 1)
    return gzip.compress(np.array([width, height], "<u4").tobytes() + planes.tobytes(), mtime=0)
