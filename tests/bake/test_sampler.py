"""The sampler in training: the twin, the directions it learns from, the fit, and what a bake gives."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from directions import random_directions
from laws.chi2 import Grid
from neural_samples import queries, random_material
from verdigris.bake import auxiliary, lobes, preset, proposal, sampler
from verdigris.model.config import ModelConfig, SamplerConfig

QUICK = preset("draft", tune_samples=5_000_000, batch=2048, chunk_steps=64)


def rows(vectors):
    return tuple(jnp.asarray(vectors.T))


@pytest.mark.parametrize("config", [ModelConfig(), ModelConfig(frames=0, sampler=SamplerConfig((5,), 3, 0.0))])
def test_the_twin_agrees_with_numpy(config):
    material = random_material(config, finest=(7, 12))
    uv, wi, wo = (part.astype(np.float32) for part in queries(2000))
    uv -= np.floor(uv)
    network = {} if config.frames == 0 else {"frames": jnp.asarray(material.frame_weight)}
    latent = auxiliary.fetch(jnp.asarray(material.latents[0]), *jnp.asarray(uv.T))
    raw, normals = lobes.predict(material.sampler, network, latent, rows(wi))
    found = lobes.density(config.sampler, raw, normals, rows(wi), rows(wo))
    np.testing.assert_allclose(found, material.pdf(uv, wi, wo), rtol=1e-4)


def test_gradients_are_finite_however_far_a_lobe_is():
    """The narrowest, most correlated lobe, at directions so near the horizon that their half vectors lie in it."""
    config, grazing = ModelConfig(), np.array([[0.6, 0.8, 1e-4], [-0.8, 0.6, 2e-4]], np.float32)
    numbers = [-100, -100, 100, -100, 100] * config.sampler.lobes + [0] * (config.sampler.lobes + 3)
    raw = jnp.asarray(np.array([numbers] * 2, np.float32).T)
    straight = [tuple(jnp.full(2, axis, jnp.float32) for axis in (0, 0, 1))]

    def nll(raw):
        return -jnp.log(lobes.density(config.sampler, raw, straight, rows(grazing), rows(grazing[::-1])) + 1e-12).sum()

    value, gradient = jax.value_and_grad(nll)(raw)
    assert np.isfinite(value) and np.isfinite(gradient).all()


BRUSHED = lobes.Ggx(0.3, 0.02, 0.6, 0.8, 0.1, -0.2)
BROAD = lobes.Ggx(0.5, 0.7, -0.28, 0.96, -0.5, 0.0)


@pytest.mark.parametrize("theta", [0.3, 1.4])
@pytest.mark.parametrize("own", [(), (BRUSHED,), (BRUSHED, BROAD)], ids=len)
def test_a_proposal_has_the_density_that_it_says(theta, own):
    """The mean of 1 / density over draws is the solid angle that they reach, bin by bin."""
    normals = [(0.28, 0.0, 0.96), (-0.36, 0.48, 0.8)]
    wi = np.array([np.sin(theta), 0, np.cos(theta)], np.float32)

    def draw(n, seed):
        u = np.random.default_rng(seed).random((2, 16, n), dtype=np.float32)
        given = [tuple(jnp.full(n, axis) for axis in normal) for normal in normals]
        wo, inverse = proposal.draw(given, tuple(jnp.full(n, axis) for axis in wi), u, own)
        return np.stack([np.asarray(axis).ravel() for axis in wo], axis=1), np.asarray(inverse).ravel()

    wo, inverse = draw(40_000, 0)
    assert np.isfinite(inverse).all() and (wo[inverse > 0, 2] > 0).all()
    grid = Grid(rings=12, sectors=8)
    angle = np.bincount(grid.bins(wo.astype(float)), inverse, 96)[:48] / len(inverse)
    squares = np.bincount(grid.bins(wo.astype(float)), inverse**2, 96)[:48] / len(inverse)
    deviation = np.sqrt(np.maximum(squares - angle**2, 0) / len(inverse))
    exact = grid.integrate(lambda d: np.ones(len(d)))[:48]
    assert (np.abs(angle - exact) < 5 * deviation + 2e-3 * exact).all()


def test_a_narrow_lobe_never_outweighs_the_rest():
    """GGX lobes of every width about a learned normal: the largest response / density is a few times the mean."""
    n, normal = 4000, (0.28, 0.0, 0.96)
    wi = random_directions(np.random.default_rng(0), n, 0.3)
    given = [tuple(jnp.full(n, axis) for axis in normal)] * 2
    wo, inverse = proposal.draw(given, rows(wi), np.random.default_rng(1).random((2, 16, n), dtype=np.float32))
    half = np.stack([np.asarray(a) + b[None] for a, b in zip(wo, wi.T, strict=True)])
    half /= np.linalg.norm(half, axis=0)
    gap = ((half - np.array(normal)[:, None, None]) ** 2).sum(axis=0)
    for alpha in (0.0025, 0.02, 0.2):
        density = alpha**2 / (gap * (1 - gap / 4) + alpha**2 * (1 - gap / 2) ** 2) ** 2
        weight = density * np.asarray(inverse)
        assert weight.max() < 40 * weight.mean()


def test_draws_from_the_lobes_meet_a_stretched_highlight():
    """A brushed metal's: of directions about the normal one in dozens, of those by its lobe most."""
    n, straight = 2000, (0.0, 0.0, 1.0)
    lobe, wi = lobes.Ggx(0.06, 0.006, 0.0, 1.0, 0.0, 0.0), np.tile(np.array([[0.6, 0.0, 0.8]], np.float32), (n, 1))
    given = [tuple(jnp.full(n, axis) for axis in straight)] * 2

    def met(own):
        u = np.random.default_rng(1).random((2, 64, n), dtype=np.float32)
        wo, inverse = proposal.draw(given, rows(wi), u, own)
        weight = np.asarray(lobes.ggx_density(lobe, rows(wi), wo) * inverse).astype(float)
        # How many of the directions of a query, all alike, would have so much variance.
        return np.mean(weight.sum(axis=0) ** 2 / (weight**2).sum(axis=0))

    assert met(()) < 6 and met((lobe,)) > 12


def spread_of(material, seed=1, n=20_000):
    """Variance of a sample's weight over its squared mean."""
    rng = np.random.default_rng(seed)
    uv, wi = rng.random((n, 2), dtype=np.float32), random_directions(rng, n, 0.2)
    weight = material.sample(uv, wi, rng.random((n, 3), dtype=np.float32))[2].mean(axis=1).astype(float)
    return weight.var() / weight.mean() ** 2


def test_a_fit_lowers_the_variance_and_changes_nothing_else():
    before = random_material(ModelConfig(frames=1), finest=(8, 8), levels=2)
    shown = []
    after = sampler.fit(before, SamplerConfig((16,), 1), QUICK, shown.append)
    assert after.config == replace(before.config, sampler=SamplerConfig((16,), 1))
    assert after.latents == before.latents and after.layers is before.layers
    assert spread_of(after) < 0.5 * spread_of(before)
    losses = [step.loss for step in shown]
    assert losses[0] > losses[-1] > 0.99 and shown[-1].phase == "sampler"
    again = sampler.fit(before, SamplerConfig((16,), 1), QUICK)
    for one, other in zip(after.sampler, again.sampler, strict=True):
        assert one[0].tobytes() == other[0].tobytes() and one[1].tobytes() == other[1].tobytes()
