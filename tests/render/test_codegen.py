"""The Dr.Jit forward against the NumPy arbiter."""

from dataclasses import replace

import numpy as np
import pytest

from neural_samples import queries, random_material, with_far, with_heads, with_widths
from verdigris.model.config import DecoderConfig, ModelConfig, SamplerConfig
from verdigris.render.codegen import DrjitMaterial
from verdigris.runtime import mitsuba

QUERIES = 100_000

LEAKY, SMOOTH = "leaky_relu", "leaky_smelu"
CONFIGS = [
    (ModelConfig(decoder=DecoderConfig((32, 32), "relu", ("wi", "wo", "log_half"))), (48, 64)),
    (ModelConfig(frames=1, decoder=DecoderConfig((16, 16), LEAKY, ("wi", "wo"))), (48, 64)),
    (
        ModelConfig(
            frames=0,
            decoder=DecoderConfig((16,), "relu", ("wi", "wo", "log_half")),
            sampler=SamplerConfig((7,), 3, 0.0),
        ),
        (1, 1),
    ),
    (ModelConfig(decoder=DecoderConfig((64, 64, 64), LEAKY, ("log_half", "wo", "wi"))), (1, 1)),
    (ModelConfig(decoder=DecoderConfig((16, 16), "relu", ("wi", "wo"))), (1, 7)),
    (ModelConfig(decoder=DecoderConfig((16, 16), SMOOTH, ("half", "difference", "cosines"))), (8, 8)),
    (
        ModelConfig(frames=3, decoder=DecoderConfig((16,), "relu", ("wi", "wo", "half", "difference"), cosine=False)),
        (8, 8),
    ),
    (ModelConfig(decoder=DecoderConfig((16,), features=("turned_half", "turned_difference", "cosines"))), (8, 8)),
    (ModelConfig(frames=0, decoder=DecoderConfig((32,), SMOOTH, ("difference",), output="sigmoid")), (1, 1)),
    (
        ModelConfig(frames=1, decoder=DecoderConfig((16,), "relu", ("wi", "log_half"), output="sigmoid", cosine=False)),
        (1, 1),
    ),
]
"""(configuration, texels of the finest level)."""


def single(n=QUERIES):
    """Queries as float32; some directions lie below the horizon."""
    return tuple(part.astype(np.float32) for part in queries(n, below=0.05))


def traced(uv, *directions):
    mi = mitsuba()
    return mi.Point2f(uv.T), *(mi.Vector3f(d.T) for d in directions)


def relative(got, expected):
    return np.abs(got - expected) / np.maximum(np.abs(expected), 1e-6)


@pytest.mark.parametrize(("config", "finest"), CONFIGS, ids=str)
def test_eval_agrees(config, finest):
    material = random_material(config, finest)
    uv, wi, wo = single()
    got = np.array(DrjitMaterial(material).eval_dr(*traced(uv, wi, wo))).T
    expected = material.eval(uv, wi, wo)
    assert expected.max() > 0
    assert relative(got, expected).max() < 1e-5


def test_a_sigmoid_keeps_its_digits_where_it_is_dark():
    """A bias such as a training starts with, 1e5 / (1 + exp(14.5)) = 0.05, behind 64 terms; against float64."""
    config = ModelConfig(decoder=DecoderConfig((64, 64, 64), LEAKY, output="sigmoid"))
    dark, exact = (_darkened(random_material(config, (1, 1), dtype=dtype)) for dtype in (np.float32, np.float64))
    uv, wi, wo = single(20_000)
    got = np.array(DrjitMaterial(dark).eval_dr(*traced(uv, wi, wo))).T
    assert relative(got, exact.eval(uv, wi, wo)).max() < 5e-6


def _darkened(material):
    weight, bias = material.layers[-1]
    return replace(material, layers=(*material.layers[:-1], (weight, bias - material.dtype.type(14.5))))


@pytest.mark.parametrize(("config", "finest"), CONFIGS[:3], ids=str)
def test_pdf_agrees(config, finest):
    material = random_material(config, finest)
    uv, wi, wo = single()
    got = np.array(DrjitMaterial(material).pdf_dr(*traced(uv, wi, wo)))
    # A lobe of width 0.1 amplifies the half vector's rounding by its inverse.
    assert relative(got, material.pdf(uv, wi, wo)).max() < 5e-5


@pytest.mark.parametrize(("config", "finest"), CONFIGS[:3], ids=str)
def test_sample_agrees(mi, config, finest, rng):
    material = random_material(config, finest)
    uv, wi, _ = single()
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
    """Widths of 2.5e-3."""
    material = with_widths(random_material(ModelConfig(frames=1), (1, 1)), -10.0)
    uv, wi, _ = single(20_000)
    wo, pdf, _ = material.sample(uv, wi, rng.random((len(uv), 3), dtype=np.float32))
    keep = pdf > 0
    got = np.array(DrjitMaterial(material).pdf_dr(*traced(uv[keep], wi[keep], wo[keep])))
    assert np.quantile(relative(got, pdf[keep]), 0.99) < 1e-3


def test_level_is_clamped_to_the_pyramid():
    material = random_material(finest=(8, 8), levels=3)
    uv, wi, wo = single(1000)
    for level in (0, 1, 2, 9):
        got = np.array(DrjitMaterial(material, forced_level=level).eval_dr(*traced(uv, wi, wo))).T
        assert relative(got, material.eval(uv, wi, wo, level=level)).max() < 1e-5


@pytest.mark.parametrize(("config", "finest"), [CONFIGS[0], CONFIGS[1], (ModelConfig(), (16, 8))], ids=str)
def test_far_levels_agree(mi, config, finest):
    material = with_far(random_material(config, finest, levels=4), 2)
    uv, wi, wo = single(20_000)
    found, levels = DrjitMaterial(material), np.arange(len(uv)) % 4
    mixed = np.array(found.eval_dr(*traced(uv, wi, wo), level=mi.Float(levels))).T
    assert relative(mixed, material.eval(uv, wi, wo, levels)).max() < 1e-5
    for level in (0, 1, 2, 3):
        got = np.array(found.eval_dr(*traced(uv, wi, wo), level=level)).T
        assert relative(got, material.eval(uv, wi, wo, level=level)).max() < 1e-5
    forced = np.array(DrjitMaterial(material, forced_level=3).eval_dr(*traced(uv, wi, wo))).T
    assert relative(forced, material.eval(uv, wi, wo, level=3)).max() < 1e-5


@pytest.mark.parametrize(("config", "finest"), CONFIGS[:3], ids=str)
def test_heads_agree(config, finest):
    material = with_heads(random_material(config, finest), hidden=(16, 7))
    uv, wi, _ = single()
    at, known = traced(uv, wi)
    found = DrjitMaterial(material)
    assert found.emits and found.cuts_out and found.heads == material.heads

    def full(array):
        array = np.array(array)
        return array.T + np.zeros((len(uv), 1), np.float32) if array.ndim > 1 else array + np.zeros(len(uv), np.float32)

    assert relative(full(found.albedo_dr(at, known)), material.albedo(uv, wi)).max() < 1e-5
    # It reaches 0, next to which a relative error says nothing.
    assert material.emission(uv).max() > 0.05
    assert np.abs(full(found.emission_dr(at)) - material.emission(uv)).max() < 1e-5
    assert relative(full(found.opacity_dr(at)), material.opacity(uv)).max() < 1e-5
    albedo, normal, roughness = found.guides_dr(at)
    expected = material.guides(uv)
    assert relative(full(albedo), expected[0]).max() < 1e-5
    assert np.abs(full(normal) - expected[1]).max() < 1e-5
    assert relative(full(roughness), expected[2]).max() < 1e-5


def test_without_heads_nothing_emits_or_is_cut_out(mi):
    found = DrjitMaterial(random_material(finest=(4, 4)))
    at = mi.Point2f(0.3, 0.4)
    assert not found.emits and not found.cuts_out
    assert np.array(found.emission_dr(at)).max() == 0 and np.array(found.opacity_dr(at)).min() == 1
    with pytest.raises(ValueError, match="expected a head 'guides', got a material with none"):
        found.guides_dr(at)
