"""Meshes made by code: grids of vertices with exact normals and texture coordinates, v upwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.runtime import aligned, mitsuba


@dataclass(frozen=True, eq=False)
class Grid:
    """A patch of surface over a rectangle of parameters.

    position, normal: `[rows, columns, 3]`, normals unit and outward. uv: `[rows, columns, 2]`. Columns run along +u,
    rows along +v, and normal = d position/du x d position/dv, up to length: the frame of a material is right-handed.
    """

    position: Array
    normal: Array
    uv: Array


def plane() -> Grid:
    """The square of side 2 in the plane y = 0, normal +y, u to the right (+x), v away from the camera (-z)."""
    u, v = np.meshgrid([0.0, 1.0], [0.0, 1.0])
    position = np.stack([2 * u - 1, np.zeros_like(u), 1 - 2 * v], axis=-1)
    return Grid(position, np.broadcast_to([0.0, 1.0, 0.0], position.shape), np.stack([u, v], axis=-1))


def ground(half: float = 600.0) -> Grid:
    """The plane y = 0 out to a distance along x and z, textured as `plane` is and repeating."""
    x, z = np.meshgrid([-half, half], [half, -half])
    position = np.stack([x, np.zeros_like(x), z], axis=-1)
    uv = np.stack([0.5 * (x + 1), 0.5 * (1 - z)], axis=-1)
    return Grid(position, np.broadcast_to([0.0, 1.0, 0.0], position.shape), uv)


def sphere(columns: int = 512, rows: int = 256) -> Grid:
    """The unit sphere with its poles on the y axis.

    The texture goes around it twice, so that it keeps its proportions at the equator; the half that faces +z shows it
    once, u from 0 at the left to 1 at the right, v from 0 at the lower pole to 1 at the upper.
    """
    longitude, latitude = np.meshgrid(
        np.linspace(-np.pi, np.pi, columns + 1), np.linspace(-np.pi / 2, np.pi / 2, rows + 1)
    )
    level = np.cos(latitude)
    position = np.stack([np.sin(longitude) * level, np.sin(latitude), np.cos(longitude) * level], axis=-1)
    return Grid(position, position, np.stack([longitude / np.pi + 0.5, latitude / np.pi + 0.5], axis=-1))


def merge(grids: list[Grid]) -> tuple[Array, Array, Array, np.ndarray]:
    """All grids as one triangle mesh: positions and normals `[n, 3]`, uv `[n, 2]`, triangles `[m, 3]` of vertices."""
    faces, start = [], 0
    for grid in grids:
        faces.append(_triangles(*grid.position.shape[:2]) + start)
        start += grid.position.shape[0] * grid.position.shape[1]
    position = np.concatenate([grid.position.reshape(-1, 3) for grid in grids])
    normal = np.concatenate([grid.normal.reshape(-1, 3) for grid in grids])
    return position, normal, np.concatenate([grid.uv.reshape(-1, 2) for grid in grids]), np.concatenate(faces)


def mesh(grids: list[Grid], bsdf: Any, emitter: Any = None) -> Any:
    """A `mitsuba.Mesh` of all grids that carries the BSDF, and an area emitter if one is given."""
    mi = mitsuba()
    position, normal, uv, triangles = merge(grids)
    props = mi.Properties()
    props["bsdf"] = bsdf
    if emitter is not None:
        props["emitter"] = emitter
    result = mi.Mesh("object", len(position), len(triangles), props, has_vertex_normals=True, has_vertex_texcoords=True)
    params = mi.traverse(result)
    params["vertex_positions"] = _flat(position)
    params["vertex_normals"] = _flat(normal)
    # Mitsuba's v runs downwards.
    params["vertex_texcoords"] = _flat(np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1))
    params["faces"] = aligned(triangles.ravel().astype(np.uint32))
    params.update()
    return result


def _flat(values: Array) -> Array:
    return aligned(np.ascontiguousarray(values, dtype=np.float32).ravel())


def _triangles(rows: int, columns: int) -> np.ndarray:
    """Two triangles a cell, counter-clockwise seen from outside, `[cells * 2, 3]`."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None, :]).ravel()
    right, above = corner + 1, corner + columns
    return np.concatenate(
        [np.stack([corner, right, above + 1], axis=1), np.stack([corner, above + 1, above], axis=1)], axis=0
    )
