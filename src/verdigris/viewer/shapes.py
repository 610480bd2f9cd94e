"""The shapes of the viewer: meshes for the page, the same for the reference that Mitsuba renders."""

from __future__ import annotations

import functools
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from verdigris.render.geometry import Grid, merge, sphere
from verdigris.render.scenes import STAGES
from verdigris.viewer.shader_ball import shader_ball


@dataclass(frozen=True)
class Shape:
    """A mesh, and where the camera stands first. fov_deg: field of view of the shorter side."""

    label: str
    grids: Callable[[], list[Grid]]
    origin: tuple[float, float, float]
    target: tuple[float, float, float]
    fov_deg: float

    def describe(self) -> dict[str, Any]:
        """What the page is told, as plain JSON values."""
        return {"label": self.label, "origin": self.origin, "target": self.target, "fov": self.fov_deg}


def _staged(label: str, name: str, grids: Callable[[], list[Grid]] | None = None) -> Shape:
    stage = STAGES[name]
    return Shape(label, grids or stage.grids, stage.origin, stage.target, stage.fov_deg)


SHAPES = {
    # Coarser than the renderer's own: it is the first thing that a page loads, and normals are interpolated.
    "sphere": _staged("Sphere", "sphere", lambda: [sphere(128, 64)]),
    "plane": _staged("Plane", "plane"),
    "teapot": _staged("Teapot", "teapot"),
    "ball": Shape("Shader ball", shader_ball, (0, 1.6, 7.2), (0, -0.3, 0), 26.0),
}


@functools.cache
def encode(shape: Shape) -> bytes:
    """A shape's mesh as the page reads it, compressed by gzip.

    Little-endian: numbers of vertices and of triangles (u32), positions and normals (3 f32), uv (2 f32), indices
    (3 u32), each for all vertices or triangles.
    """
    position, normal, uv, triangles = merge(shape.grids())
    header = np.array([len(position), len(triangles)], "<u4")
    parts = [header, *(array.astype("<f4") for array in (position, normal, uv)), triangles.astype("<u4")]
    return gzip.compress(b"".join(part.tobytes() for part in parts), mtime=0)
