"""What one bounce at a rough dielectric interface loses, tabulated: the energy that later bounces return."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SIZE = 32
_QUADRATURE = 40
_FIT_POINTS = 96
_FIT_TERMS = 8
_LEAST = 1e-7


@dataclass(frozen=True)
class Loss:
    """at: share of light lost at a cosine >= 0, from above or from below; means over the hemispheres."""

    at: Callable[[Any, bool], Any]
    mean_above: Any
    mean_below: Any


def constant_loss(dr: Any, eta: float, alpha: float) -> Loss:
    """The loss at a roughness that is the same everywhere: a polynomial of mu / (mu + alpha), within 0.01."""
    fits, means = _fitted(round(eta, 3), round(alpha, 5))

    def at(cosine: Any, above: bool) -> Any:
        mu = dr.maximum(cosine, 0)
        x = mu / (mu + alpha)
        value: Any = 0.0
        for coefficient in fits[0 if above else 1]:
            value = dr.fma(value, x, coefficient)
        return dr.clip((1 - x) * value, 0, 1)

    return Loss(at, *means)


def varying_loss(mi: Any, dr: Any, eta: float, alpha: Any) -> Loss:
    """The loss at a roughness that differs between lanes: one read of the four corners of a table's cell."""
    table = lost_table(round(eta, 3))
    cells = _buffer(mi, ("cells", round(eta, 3)), _corners(table))
    means = _buffer(mi, ("means", round(eta, 3)), _hemispheres(table))
    row, between = _cell(mi, dr, dr.sqrt(alpha))

    def mean(side: int) -> Any:
        first, second = (dr.gather(mi.Float, means, row + (SIZE * side + step)) for step in (0, 1))
        return dr.maximum(dr.fma(second - first, between, first), _LEAST)

    def at(cosine: Any, above: bool) -> Any:
        column, fraction = _cell(mi, dr, cosine)
        cell = row * SIZE + column + (0 if above else SIZE * SIZE)
        corners = dr.gather(mi.Vector4f, cells, cell)
        low = dr.fma(corners.y - corners.x, fraction, corners.x)
        high = dr.fma(corners.w - corners.z, fraction, corners.z)
        return dr.fma(high - low, between, low)

    return Loss(at, mean(0), mean(1))


def _cell(mi: Any, dr: Any, x: Any) -> tuple[Any, Any]:
    """Cell of 0..1 on an axis of SIZE entries, and the position inside it."""
    x = dr.clip(x, 0, 1) * (SIZE - 1)
    index = dr.minimum(mi.UInt32(x), SIZE - 2)
    return index, x - mi.Float(index)


_BUFFERS: dict[tuple[Any, ...], Any] = {}


def _buffer(mi: Any, key: tuple[Any, ...], values: np.ndarray) -> Any:
    key = (mi.variant(), *key)
    if key not in _BUFFERS:
        _BUFFERS[key] = mi.Float(values.ravel())
    return _BUFFERS[key]


def _corners(table: np.ndarray) -> np.ndarray:
    """`[..., 4]`: the entries (row, column) + (0, 0), (0, 1), (1, 0), (1, 1) of every cell, wrapped at the end."""
    return np.stack([np.roll(table, (-down, -right), (1, 2)) for down in (0, 1) for right in (0, 1)], axis=-1)


def _hemispheres(table: np.ndarray) -> np.ndarray:
    """Cosine-weighted means over the last axis."""
    axis = np.linspace(0, 1, table.shape[-1])
    return np.asarray(np.trapezoid(2 * table * axis, axis, axis=-1), np.float32)


@functools.cache
def _fitted(eta: float, alpha: float) -> tuple[list[list[float]], tuple[float, float]]:
    """Coefficients of both sides, the highest power first, and the means of both sides."""
    mu = np.linspace(0, 1, _FIT_POINTS)
    alpha = max(alpha, 1e-4)
    losses = [_lost_from(np.maximum(mu, 2e-3)[:, None], np.full((_FIT_POINTS, 1), alpha), n) for n in (eta, 1 / eta)]
    x = mu / (mu + alpha)
    basis = np.vander(x, _FIT_TERMS) * (1 - x)[:, None]
    fits = [np.linalg.lstsq(basis, loss, rcond=1e-7)[0] for loss in losses]
    above, below = (max(float(_hemispheres(np.clip(basis @ fit, 0, 1))), _LEAST) for fit in fits)
    return [fit.tolist() for fit in fits], (above, below)


@functools.cache
def lost_table(eta: float) -> np.ndarray:
    """`[side (from above, from below), sqrt(alpha), mu]`: share that one bounce loses, linear between entries."""
    axis = np.linspace(0, 1, SIZE)
    mu, root = np.meshgrid(np.maximum(axis, 2e-3), axis)
    mu, alpha = mu.reshape(-1, 1), np.maximum(root.reshape(-1, 1) ** 2, 1e-4)
    sides = [_lost_from(mu, alpha, index).reshape(SIZE, SIZE) for index in (eta, 1 / eta)]
    return np.stack(sides).astype(np.float32)


def _lost_from(mu: np.ndarray, alpha: np.ndarray, eta: float) -> np.ndarray:
    """Share that one bounce loses, of light from cos `mu` on the side where the other side's index is `eta` times.

    mu, alpha: `[m, 1]`; returns `[m]`. By stratified visible normals; reflection and transmission are summed.
    """
    grid = (np.arange(_QUADRATURE) + 0.5) / _QUADRATURE
    u, t = (x.reshape(1, -1) for x in np.meshgrid(grid, grid))
    sine = np.sqrt(1 - mu * mu)
    norm = np.sqrt((sine * alpha) ** 2 + mu * mu)
    vx, vz = sine * alpha / norm, mu / norm
    z = (1 - t) * (1 + vz) - vz
    r = np.sqrt(np.clip(1 - z * z, 0, 1))
    m = np.stack([(r * np.cos(2 * np.pi * u) + vx) * alpha, r * np.sin(2 * np.pi * u) * alpha, np.maximum(z + vz, 0)])
    m /= np.linalg.norm(m, axis=0)
    cosine = sine * m[0] + mu * m[2]
    g2 = eta * eta + cosine * cosine - 1
    g = np.sqrt(np.maximum(g2, 0))
    reflectance = 0.5 * ((g - cosine) / (g + cosine + 1e-9)) ** 2
    reflectance *= 1 + (((g + cosine) * cosine - 1) / ((g - cosine) * cosine + 1)) ** 2
    reflectance = np.where(g2 > 0, np.minimum(reflectance, 1), 1)
    stretched = [np.sqrt(mu * mu + alpha * alpha * (1 - mu * mu))]
    kept = np.zeros_like(cosine)
    oz = 2 * cosine * m[2] - mu
    tz = -(cosine / eta - np.sqrt(np.maximum(1 - (1 - cosine * cosine) / (eta * eta), 0))) * m[2] + mu / eta
    for share, out in ((reflectance, oz), (1 - reflectance, tz)):
        so = np.sqrt(out * out + alpha * alpha * (1 - out * out))
        weight = out * (mu + stretched[0]) / np.maximum(stretched[0] * out + so * mu, 1e-12)
        kept += np.where(out > 0, share * weight, 0)
    return np.clip(1 - kept.mean(1), 0, 1)
