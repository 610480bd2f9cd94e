"""The Dr.Jit forward against the NumPy arbiter."""

import numpy as np
import pytest

from neural_fixtures import make_material, random_directions
from verdigris.model.config import Lobe
from verdigris.render.codegen import DrjitMaterial
from verdigris.runtime import mitsuba

QUERIES = 100_000

CONFIGS = [
    dict(frames=2, hidden=(32, 32), activation="relu", features=("wi", "wo", "log_half"), shape=(48, 64)),
    dict(frames=1, hidden=(16, 16), activation="leaky_relu", features=("wi", "wo"), shape=(48, 64)),
    dict(frames=0, hidden=(16,), activation="relu", features=("wi", "wo", "log_half"), shape=(1, 1)),
    dict(frames=2, hidden=(64, 64, 64), activation="leaky_relu", features=("log_half", "wo", "wi"), shape=(1, 1)),
    dict(frames=2, hidden=(16, 16), activation="relu", features=("wi", "wo"), shape=(1, 7)),
    dict(frames=2, hidden=(16, 16), activation="leaky_smelu", features=("half", "difference", "cosines"), shape=(8, 8)),
    dict(frames=3, hidden=(16,), features=("wi", "wo", "half", "difference"), cosine=False, shape=(8, 8)),
    dict(frames=0, hidden=(32,), activation="leaky_smelu", features=("difference",), output="sigmoid", shape=(1, 1)),
    dict(frames=1, hidden=(16,), features=("wi", "log_half"), output="sigmoid", cosine=False, shape=(1, 1)),
]


def queries(rng, n=QUERIES):
    uv = rng.uniform(-1.5, 2.5, (n, 2)).astype(np.float32)
    return uv, random_directions(rng, n), random_directions(rng, n)


def traced(uv, *directions):
    mi = mitsuba()
    return mi.Point2f(uv.T), *(mi.Vector3f(d.T) for d in directions)


def relative(got, expected):
    return np.abs(got - expected) / np.maximum(np.abs(expected), 1e-6)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_eval_agrees(config, rng):
    material = make_material(rng, **config)
    uv, wi, wo = queries(rng)
    got = np.array(DrjitMaterial(material).eval_dr(*traced(uv, wi, wo))).T
    expected = material.eval(uv, wi, wo)
    assert expected.max() > 0
    assert relative(got, expected).max() < 1e-5


@pytest.mark.parametrize("config", CONFIGS[:3], ids=str)
def test_pdf_agrees(config, rng):
    material = make_material(rng, **config)
    uv, wi, wo = queries(rng)
    got = np.array(DrjitMaterial(material).pdf_dr(*traced(uv, wi, wo)))
    # A lobe of width 0.1 amplifies the half vector's rounding by its inverse.
    assert relative(got, material.pdf(uv, wi, wo)).max() < 5e-5


@pytest.mark.parametrize("config", CONFIGS[:3], ids=str)
def test_sample_agrees(mi, config, rng):
    material = make_material(rng, **config)
    uv, wi, _ = queries(rng)
    u = rng.random((len(uv), 3), dtype=np.float32)
    wo, pdf = DrjitMaterial(material).sample_dr(*traced(uv, wi), mi.Float(u[:, 0]), mi.Point2f(u[:, 1:].T))
    wo, pdf = np.array(wo).T, np.array(pdf)
    expected_wo, expected_pdf, _ = material.sample(uv, wi, u)
    both = (pdf > 0) & (expected_pdf > 0)
    # A sample on the very horizon, or at the edge of two lobes, may fall on either side of it.
    assert ((pdf > 0) != (expected_pdf > 0)).sum() <= 5
    difference = np.abs(wo - expected_wo)[both].max(axis=1)
    assert (difference > 1e-5).sum() <= 5
    # The density of a narrow lobe amplifies the direction's rounding, so it is checked where it was sampled.
    at_samples = material.pdf(uv[both], wi[both], wo[both])
    assert relative(pdf[both], at_samples).max() < 1e-3
    assert np.median(relative(pdf[both], at_samples)) < 1e-6


def test_narrow_lobes_keep_their_digits(rng):
    lobes = (Lobe("ggx", 0, 2.5e-3, 0.7), Lobe("cosine", -1, 1.0, 0.3))
    material = make_material(rng, frames=1, shape=(1, 1), lobes=lobes)
    uv, wi, _ = queries(rng, 20_000)
    wo, pdf, _ = material.sample(uv, wi, rng.random((len(uv), 3), dtype=np.float32))
    keep = pdf > 0
    got = np.array(DrjitMaterial(material).pdf_dr(*traced(uv[keep], wi[keep], wo[keep])))
    assert np.quantile(relative(got, pdf[keep]), 0.99) < 1e-3


def test_level_is_clamped_to_the_pyramid(rng):
    material = make_material(rng, shape=(8, 8), levels=3)
    uv, wi, wo = queries(rng, 1000)
    for level in (0, 1, 2, 9):
        got = np.array(DrjitMaterial(material, level).eval_dr(*traced(uv, wi, wo))).T
        assert relative(got, material.eval(uv, wi, wo, level=level)).max() < 1e-5
