"""The chi-square helper itself: it passes a right sampler and catches wrong ones."""

import numpy as np
import pytest

from laws.chi2 import Grid, assert_sampler, chi_square


def hemisphere(u, exponent=0.5):
    """Cosine-weighted directions; an exponent other than 1/2 makes them wrong."""
    r, phi = u[:, 1] ** exponent, 2 * np.pi * u[:, 2]
    wo = np.stack([r * np.cos(phi), r * np.sin(phi), np.sqrt(1 - r * r)], axis=-1)
    return wo, np.maximum(wo[:, 2], 1e-9) / np.pi


def density(wo):
    return np.maximum(wo[:, 2], 0) / np.pi


@pytest.mark.parametrize("grid", [Grid(), Grid(sharpness=3), Grid(pole=(1, 2, -1))], ids=["z", "sharp", "tilted"])
def test_passes_the_right_sampler(grid):
    result = assert_sampler(hemisphere, density, grid=grid, tests=3)
    assert abs(result.integral - 1) < 1e-3


def test_catches_a_slightly_wrong_sampler():
    assert chi_square(lambda u: hemisphere(u, 0.52), density, Grid(), 100_000, 1).p_value < 1e-6


def test_catches_too_few_failures():
    with pytest.raises(AssertionError, match="failed samples"):
        assert_sampler(hemisphere, lambda wo: 0.9 * density(wo))


def test_catches_a_density_above_1():
    with pytest.raises(AssertionError, match="integrates to"):
        assert_sampler(hemisphere, lambda wo: 1.1 * density(wo))
