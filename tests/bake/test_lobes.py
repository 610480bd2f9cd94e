"""The fit of the interim sampler's lobes."""

import numpy as np
import pytest

from directions import random_directions
from verdigris.bake import lobes
from verdigris.model.config import Lobe
from verdigris.model.sampler import mixture_pdf, sample_mixture


def test_em_finds_the_weights_of_a_known_mixture(rng):
    truth = np.array([0.5, 0.3, 0.2])
    scales = np.array([0.1, 1.0, 10.0])
    x = rng.exponential(scales[rng.choice(3, 200_000, p=truth)])
    density = np.exp(-x[:, None] / scales) / scales
    found = lobes.expectation_maximisation(density, np.ones(len(x)), iterations=300)
    np.testing.assert_allclose(found, truth, atol=0.02)


def test_em_never_lowers_the_likelihood(rng):
    density, importance = rng.random((500, 6)), rng.random(500)
    likelihood = [
        importance @ np.log(density @ lobes.expectation_maximisation(density, importance, n)) for n in range(1, 20)
    ]
    assert (np.diff(likelihood) >= -1e-9).all()


def test_fit_recovers_a_mixture_of_its_own_lobes(rng):
    n = 40_000
    normals = np.zeros((n, 1, 3), np.float32)
    normals[:] = (0.28, 0.0, 0.96)
    wi = random_directions(rng, n, 0.05)
    truth = (Lobe("cosine", -1, 0.0, 0.4), Lobe("ggx", 0, 0.055, 0.6))
    wo, pdf = sample_mixture(truth, normals, wi, rng.random((n, 3), dtype=np.float32))
    kept = pdf > 0
    found = lobes.fit(normals[kept], wi[kept], wo[kept], np.ones(kept.sum(), np.float32))
    weights = {(lobe.kind, lobe.frame, lobe.alpha): lobe.weight for lobe in found}
    # Null samples are missing from the directions, most of them the mirrored ones: that shifts the shares a little.
    assert weights["cosine", -1, 0.0] == pytest.approx(0.4, abs=0.1)
    assert weights["ggx", 0, 0.055] == pytest.approx(0.6, abs=0.1)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert (mixture_pdf(found, normals[kept], wi[kept], wo[kept]) > 0).all()


def test_the_cosine_lobe_keeps_its_share(rng):
    n = 20_000
    normals = np.zeros((n, 1, 3), np.float32)
    normals[..., 2] = 1
    wi = random_directions(rng, n, 0.05)
    wo, pdf = sample_mixture((Lobe("ggx", -1, 0.0025, 1.0),), normals, wi, rng.random((n, 3), dtype=np.float32))
    kept = pdf > 0
    found = lobes.fit(normals[kept], wi[kept], wo[kept], np.ones(kept.sum(), np.float32))
    assert found[0].kind == "cosine" and found[0].weight == pytest.approx(lobes.COSINE_FLOOR)
    assert all(lobe.weight >= lobes.WEIGHT_MIN * 0.9 for lobe in found)


def test_a_black_material_gets_a_cosine_lobe(rng):
    normals, wi = np.zeros((10, 1, 3), np.float32), random_directions(rng, 10, 0.05)
    assert lobes.fit(normals, wi, wi, np.zeros(10, np.float32)) == (Lobe("cosine", -1, 0.0, 1.0),)
