"""Chi-square test of a direction sampler against its own density: reused by every sampler of the project.

Directions are binned in polar coordinates around a pole; the expected count of a bin is the density integrated over it
by the midpoint rule. Failed samples (pdf 0) are a bin of their own, whose expected share is 1 minus the integral of
the density over the sphere. Bins that expect fewer than 5 are pooled (as in Mitsuba's chi2.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2 as chi2_distribution  # JAX brings SciPy

Sample = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
Density = Callable[[np.ndarray], np.ndarray]

SIGNIFICANCE = 0.01
MIN_EXPECTED = 5


@dataclass(frozen=True)
class Result:
    """p_value of the test; integral of the density; share of failed samples, and the share expected."""

    p_value: float
    integral: float
    null_share: float
    null_expected: float


@dataclass(frozen=True)
class Grid:
    """Bins around a pole. theta = pi t^sharpness, t uniform: a sharpness of 4 puts most bins close to the pole."""

    pole: tuple[float, float, float] = (0, 0, 1)
    sharpness: float = 1
    rings: int = 20
    sectors: int = 40
    fine: int = 12

    def _basis(self) -> np.ndarray:
        z = np.asarray(self.pole, dtype=float) / np.linalg.norm(self.pole)
        x = np.cross(z, (0, 1, 0) if abs(z[1]) < 0.9 else (1, 0, 0))
        x /= np.linalg.norm(x)
        return np.stack([x, np.cross(z, x), z])

    def bins(self, directions: np.ndarray) -> np.ndarray:
        """Bin of each direction, `[n, 3] -> [n]`."""
        local = directions @ self._basis().T
        # atan2 keeps its digits at the pole, where arccos loses them.
        theta = np.arctan2(np.hypot(local[:, 0], local[:, 1]), local[:, 2])
        ring = ((theta / np.pi) ** (1 / self.sharpness) * self.rings).astype(int)
        sector = (np.arctan2(local[:, 1], local[:, 0]) / (2 * np.pi) % 1 * self.sectors).astype(int)
        return np.minimum(ring, self.rings - 1) * self.sectors + np.minimum(sector, self.sectors - 1)

    def integrate(self, density: Density) -> np.ndarray:
        """The density's integral over each bin, `[rings * sectors]`."""
        t = (np.arange(self.rings * self.fine) + 0.5) / (self.rings * self.fine)
        phi = (np.arange(self.sectors * self.fine) + 0.5) / (self.sectors * self.fine) * 2 * np.pi
        theta = np.pi * t**self.sharpness
        area = np.sin(theta) * np.pi * self.sharpness * t ** (self.sharpness - 1)
        area = area / len(t) * (2 * np.pi / len(phi))
        sin, cos = np.sin(theta)[:, None], np.cos(theta)[:, None]
        local = np.stack([sin * np.cos(phi), sin * np.sin(phi), np.broadcast_to(cos, (len(t), len(phi)))], axis=-1)
        values = density(local.reshape(-1, 3) @ self._basis()).reshape(len(t), len(phi)) * area[:, None]
        return values.reshape(self.rings, self.fine, self.sectors, self.fine).sum(axis=(1, 3)).reshape(-1)


def chi_square(sample: Sample, density: Density, grid: Grid, samples: int, seed: int) -> Result:
    """Runs the test. sample: u `[n, 3]` uniform -> (directions `[n, 3]`, pdf `[n]`). density: `[n, 3] -> [n]`."""
    directions, pdf = sample(np.random.default_rng(seed).random((samples, 3)))
    valid = pdf > 0
    observed = np.bincount(grid.bins(directions[valid].astype(float)), minlength=grid.rings * grid.sectors)
    shares = grid.integrate(density)
    null_expected = max(1 - shares.sum(), 0)
    observed = np.append(observed, samples - valid.sum()).astype(float)
    expected = np.append(shares, null_expected) * samples
    small = expected < MIN_EXPECTED
    observed = np.append(observed[~small], observed[small].sum())
    expected = np.append(expected[~small], expected[small].sum())
    if expected[-1] < MIN_EXPECTED:  # the pool itself is too small to stand alone
        observed = np.append(observed[:-2], observed[-2:].sum())
        expected = np.append(expected[:-2], expected[-2:].sum())
    statistic = ((observed - expected) ** 2 / expected).sum()
    p_value = float(chi2_distribution.sf(statistic, max(len(expected) - 1, 1)))
    return Result(p_value, float(shares.sum()), float(1 - valid.mean()), float(null_expected))


def assert_sampler(
    sample: Sample, density: Density, *, grid: Grid | None = None, tests: int = 1, samples: int = 100_000, seed: int = 1
) -> Result:
    """Asserts that a sampler draws from its density, returns it, and fails as often as the density says.

    tests: how many tests share the significance of 0.01 (Bonferroni), so that a suite has one false alarm in 100.
    """
    result = chi_square(sample, density, grid or Grid(), samples, seed)
    assert result.integral <= 1 + 2e-3, f"the density integrates to {result.integral}, expected 1 or less"
    spread = np.sqrt(max(result.null_expected * (1 - result.null_expected), 1e-12) / samples)
    # 4.5 deviations, and the error of the midpoint rule at the jump of the horizon.
    assert abs(result.null_share - result.null_expected) <= 4.5 * spread + 2e-3, f"failed samples: {result}"
    assert result.p_value >= SIGNIFICANCE / tests, f"sampler and density disagree: {result}"
    directions, pdf = sample(np.random.default_rng(seed + 1).random((1000, 3)))
    valid = pdf > 0
    np.testing.assert_allclose(density(directions[valid].astype(float)), pdf[valid], rtol=1e-2)
    return result
