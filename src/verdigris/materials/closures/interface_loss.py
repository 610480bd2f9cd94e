"""What one bounce at a rough dielectric interface loses, tabulated: the energy that later bounces return."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from verdigris.materials.closures.table import AXIS, SIZE, Table

_QUADRATURE = 40
_TAIL = 3
_LEAST = 1e-7


class Loss:
    """Shares of light that one bounce loses, at an index below over above and a GGX width (a number or a `Float`).

    mean_above, mean_below: over the hemispheres, by the cosine.
    """

    def __init__(self, mi: Any, dr: Any, eta: float, alpha: Any):
        self._mi, self._dr, self._alpha, self._table = mi, dr, alpha, loss_table(round(eta, 3))
        self.mean_above, self.mean_below = (self._mean(side) for side in ("above", "below"))

    def at(self, cosine: Any, above: bool) -> Any:
        """The share of light that comes at a cosine >= 0 from above or from below."""
        side = "above" if above else "below"
        return self._table.read(self._mi, self._dr, (side,), cosine, self._alpha)[0]

    def _mean(self, side: str) -> Any:
        mean = self._table.mean(self._mi, self._dr, side, self._alpha)
        return max(mean, _LEAST) if isinstance(mean, float) else self._dr.maximum(mean, _LEAST)


@functools.cache
def loss_table(eta: float) -> Table:
    """The table of a relative index; functions `above` and `below`."""
    return Table(functools.partial(_losses, eta))


@functools.cache
def _losses(eta: float) -> dict[str, np.ndarray]:
    mu, root = np.meshgrid(np.maximum(AXIS, 2e-3), AXIS)
    mu, alpha = mu.reshape(-1, 1), np.maximum(root.reshape(-1, 1) ** 2, 1e-4)
    sides = {"above": eta, "below": 1 / eta}
    return {side: _lost_from(mu, alpha, index).reshape(SIZE, SIZE) for side, index in sides.items()}


def _lost_from(mu: np.ndarray, alpha: np.ndarray, eta: float) -> np.ndarray:
    """Share that one bounce loses, of light from cos `mu` on the side where the other side's index is `eta` times.

    mu, alpha: `[m, 1]`; returns `[m]`. By visible normals in strata that narrow towards the steep ones: few, but of a
    narrow lobe they are most of what is lost. Reflection and transmission are summed.
    """
    grid = (np.arange(_QUADRATURE) + 0.5) / _QUADRATURE
    u, s = (x.reshape(1, -1) for x in np.meshgrid(grid, grid))
    t, density = 1 - (1 - s) ** _TAIL, _TAIL * (1 - s) ** (_TAIL - 1)
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
    return np.clip((density * (1 - kept)).mean(1), 0, 1)
