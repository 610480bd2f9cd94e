"""A sampler as it is trained: chi-square at texels, levels and views, a white furnace, the largest weight."""

import numpy as np
import pytest

from directions import direction
from laws.chi2 import Grid, assert_sampler
from neural_samples import random_material
from verdigris.bake import preset, sampler

VIEWS = {"steep": direction(0.3, 1.0), "oblique": direction(0.9, -2.0), "grazing": direction(1.5, 0.4)}
CASES = [(level, view) for level in range(3) for view in VIEWS]


@pytest.fixture(scope="module")
def material():
    settings = preset("draft", tune_samples=5_000_000, batch=2048, chunk_steps=64)
    return sampler.fit(random_material(finest=(4, 4), levels=3), None, settings)


@pytest.mark.parametrize(("level", "view"), CASES)
def test_chi_square(material, level, view):
    uv, wi = np.random.default_rng(level).random((1, 2)), VIEWS[view][None].astype(float)

    def draw(u):
        return material.sample(np.repeat(uv, len(u), 0), np.repeat(wi, len(u), 0), u, level)[:2]

    def density(wo):
        return material.pdf(np.repeat(uv, len(wo), 0), np.repeat(wi, len(wo), 0), wo, level)

    grid = Grid(tuple(wi[0] * (-1, -1, 1)), 1.5, rings=16, sectors=24)
    assert_sampler(draw, density, grid=grid, tests=len(CASES), samples=40_000)


def test_a_white_furnace_loses_nothing(material):
    """The sampler's albedo beside that by uniform directions, which are no part of it: within 4 standard errors."""
    rng, n = np.random.default_rng(1), 200_000
    uv, wi = rng.random((n, 2)), np.repeat(VIEWS["oblique"][None], n, 0)
    sampled = material.sample(uv, wi, rng.random((n, 3)))[2].mean(axis=1).astype(float)
    z, phi = rng.random(n), 2 * np.pi * rng.random(n)
    r = np.sqrt(1 - z * z)
    even = material.eval(uv, wi, np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=1)).mean(axis=1) * 2 * np.pi
    error = np.sqrt((sampled.var() + even.var()) / n)
    assert abs(sampled.mean() - even.mean()) < 4 * error and error < 0.01 * even.mean()


def test_no_weight_outshines_the_rest(material):
    rng, n = np.random.default_rng(2), 500_000
    z, phi = rng.random(n), 2 * np.pi * rng.random(n)
    r = np.sqrt(1 - z * z)
    wi = np.stack([r * np.cos(phi), r * np.sin(phi), np.maximum(z, 1e-6)], axis=1)
    weight = material.sample(rng.random((n, 2)), wi, rng.random((n, 3)))[2].mean(axis=1)
    assert np.isfinite(weight).all() and weight.max() < 1e3 * weight.mean()
