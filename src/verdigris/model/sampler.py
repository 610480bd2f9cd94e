"""The interim sampler: a mixture of fixed lobes around the geometric and the learned normals.

Lobes see no colour and no latent but through the learned normals. Directions that end below the horizon, and half
vectors that face away from `wi`, are null samples: the pdf integrates to 1 minus their share.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from verdigris.conventions import Array
from verdigris.model.config import Lobe
from verdigris.model.features import half_distance
from verdigris.model.frames import cross, normalize


def ggx(distance: Array, alpha: float) -> tuple[Array, Array]:
    """Isotropic GGX density D (Walter et al. 2007) and the cosine of h to the axis, from |h - axis|^2.

    cos = 1 - d/2 and sin^2 = d (1 - d/4) are exact for unit vectors and, unlike 1 - cos^2, keep the digits that a
    width of 2.5e-3 needs in float32. D is 0 where the cosine is not above 0.
    """
    cos = 1 - distance / 2
    sin2 = distance * (1 - distance / 4)
    alpha2 = distance.dtype.type(alpha * alpha)
    ratio = sin2 + alpha2 * cos * cos
    return np.where(cos > 0, alpha2 / (np.pi * ratio * ratio), 0).astype(distance.dtype), cos


def lobe_axis(lobe: Lobe, normals: Array) -> Array:
    """Axis of a lobe for each query, `[n, F, 3] -> [n, 3]`: +z, or the learned frame's normal."""
    if lobe.frame < 0:
        return np.broadcast_to(np.asarray((0, 0, 1), dtype=normals.dtype), (len(normals), 3))
    return normals[:, lobe.frame]


def lobe_pdf(lobe: Lobe, axis: Array, wi: Array, wo: Array) -> Array:
    """Density of one lobe per solid angle, horizon not yet applied, `[n, 3] x 3 -> [n]`.

    cosine: max(wo . axis, 0) / pi. ggx: D(h) (h . axis) / (4 |wi . h|), h the unit half vector.
    """
    if lobe.kind == "cosine":
        return np.maximum((wo * axis).sum(axis=-1), 0) / wo.dtype.type(np.pi)
    density, cos = ggx(half_distance(axis[:, None, :], wi, wo)[:, 0], lobe.alpha)
    total = wi + wo
    # wi . h is half the length of wi + wo, since both are unit vectors: no cancellation near mirror reflection.
    wi_h = np.sqrt((total * total).sum(axis=-1)) / 2
    return density * np.maximum(cos, 0) / np.maximum(4 * wi_h, wo.dtype.type(1e-12))


def mixture_pdf(lobes: Sequence[Lobe], normals: Array, wi: Array, wo: Array) -> Array:
    """Density of the mixture, `[n, F, 3], [n, 3], [n, 3] -> [n]`; 0 where wi or wo is not above the horizon."""
    total = np.zeros(len(wi), dtype=wi.dtype)
    for lobe in lobes:
        total += wi.dtype.type(lobe.weight) * lobe_pdf(lobe, lobe_axis(lobe, normals), wi, wo)
    return np.where((wi[:, 2] > 0) & (wo[:, 2] > 0), total, 0)


def basis(axis: Array) -> tuple[Array, Array]:
    """Two unit vectors that complete a unit axis to a right-handed basis (Duff et al. 2017), `[n, 3] -> 2 x [n, 3]`."""
    x, y, z = axis[:, 0], axis[:, 1], axis[:, 2]
    sign = np.copysign(np.ones_like(z), z)
    a = -1 / (sign + z)
    b = x * y * a
    first = np.stack([1 + sign * x * x * a, sign * b, -sign * x], axis=-1)
    return first, cross(axis, first)


def _polar(lobe: Lobe, u: Array) -> tuple[Array, Array]:
    """Sine and cosine of the angle to the axis, from a uniform number `[n]` in [0, 1)."""
    if lobe.kind == "cosine":
        return np.sqrt(u), np.sqrt(1 - u)
    # u = 1 would lie on the axis' equator, at infinite slope; the largest float32 below 1 stands in for it.
    u = np.minimum(u, u.dtype.type(1 - 2**-24))
    slope2 = u.dtype.type(lobe.alpha * lobe.alpha) * u / (1 - u)
    cos = 1 / np.sqrt(1 + slope2)
    return np.sqrt(slope2) * cos, cos


def _sample_lobe(lobe: Lobe, axis: Array, wi: Array, u: Array) -> tuple[Array, Array]:
    """One lobe's direction from two uniform numbers, and whether it is a valid one: `[n, 3]`, `[n]` of bool."""
    sin, cos = _polar(lobe, u[:, 0])
    phi = u[:, 1] * u.dtype.type(2 * np.pi)
    first, second = basis(axis)
    direction = first * (sin * np.cos(phi))[:, None] + second * (sin * np.sin(phi))[:, None] + axis * cos[:, None]
    if lobe.kind == "cosine":
        return normalize(direction), np.ones(len(wi), dtype=bool)
    wi_h = (wi * direction).sum(axis=-1)
    return normalize(2 * wi_h[:, None] * direction - wi), wi_h > 0


def sample_mixture(lobes: Sequence[Lobe], normals: Array, wi: Array, u: Array) -> tuple[Array, Array]:
    """Directions and the mixture's density there, `[n, F, 3], [n, 3], [n, 3] -> [n, 3], [n]`.

    u: uniform in [0, 1); column 0 picks the lobe by cumulative weight, columns 1 and 2 the direction. pdf 0 marks a
    null sample, whose direction means nothing.
    """
    edges = np.cumsum([lobe.weight for lobe in lobes])[:-1]
    picked = np.searchsorted(edges, u[:, 0], side="right")
    wo = np.zeros_like(wi)
    valid = np.zeros(len(wi), dtype=bool)
    for index, lobe in enumerate(lobes):
        rows = np.flatnonzero(picked == index)
        axis = lobe_axis(lobe, normals)[rows]
        wo[rows], valid[rows] = _sample_lobe(lobe, axis, wi[rows], u[rows, 1:])
    return wo, np.where(valid, mixture_pdf(lobes, normals, wi, wo), 0)
