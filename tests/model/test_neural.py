"""The whole forward: consistency of the trio, chunks, precision, and the checks of its parts."""

import dataclasses

import numpy as np
import pytest

from directions import direction
from laws.chi2 import Grid, assert_sampler
from neural_samples import queries, random_material, with_far
from verdigris.model import DecoderConfig, Far, ModelConfig, NeuralMaterial, SamplerConfig
from verdigris.model import neural as neural_module

CONFIGS = {
    "default": ModelConfig(),
    "paper": ModelConfig(decoder=DecoderConfig((16, 16), features=("wi", "wo"))),
    "one frame, leaky": ModelConfig(5, 1, DecoderConfig((24,), "leaky_relu", ("log_half",))),
    "no frames": ModelConfig(frames=0),
    "2026": ModelConfig(decoder=DecoderConfig((16, 16), "leaky_smelu", ("half", "difference", "cosines"), "sigmoid")),
    "no cosine": ModelConfig(frames=3, decoder=DecoderConfig((64, 64, 64), cosine=False)),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_eval_is_positive_above_the_horizon_and_0_below(name):
    material = random_material(CONFIGS[name], levels=3)
    uv, wi, wo = queries(2000, below=0.5)
    value = material.eval(uv, wi, wo)
    above = (wi[:, 2] > 0) & (wo[:, 2] > 0)
    assert value.shape == (2000, 3)
    assert value.dtype == np.float32
    assert (value[above] > 0).all()
    assert (value[~above] == 0).all()
    assert (material.pdf(uv, wi, wo)[~above] == 0).all()


def test_without_the_cosine_the_answer_is_multiplied_by_it():
    plain, weighted = (random_material(ModelConfig(decoder=DecoderConfig(cosine=cosine))) for cosine in (False, True))
    uv, wi, wo = queries(1000)
    np.testing.assert_allclose(plain.eval(uv, wi, wo), weighted.eval(uv, wi, wo) * wo[:, 2:], rtol=1e-6)


@pytest.mark.parametrize(
    ("field", "value"), [("activation", "tanh"), ("output", "relu"), ("cosine", 1), ("features", ("wi", "sun"))]
)
def test_an_unknown_choice_of_the_decoder_is_named(field, value):
    with pytest.raises(ValueError, match=rf"decoder\.{field}: expected "):
        DecoderConfig(**{field: value})


@pytest.mark.parametrize(
    ("field", "value"), [("hidden", ()), ("hidden", (257,)), ("lobes", 0), ("lobes", 5), ("defensive", 0.6)]
)
def test_a_sampler_out_of_range_is_named(field, value):
    with pytest.raises(ValueError, match=rf"sampler\.{field}: expected "):
        SamplerConfig(**{field: value})


@pytest.mark.parametrize("level", [0, 0.6])
def test_weight_times_pdf_is_eval(level):
    material = random_material(levels=2)
    uv, wi, _ = queries(5000)
    wo, pdf, weight = material.sample(uv, wi, np.random.default_rng(3).random((5000, 3)), level)
    valid = pdf > 0
    assert 0.5 < valid.mean() < 1
    assert (weight[~valid] == 0).all()
    value = material.eval(uv, wi, wo, level)
    np.testing.assert_allclose(weight[valid] * pdf[valid, None], value[valid], rtol=1e-5)
    np.testing.assert_allclose(material.pdf(uv, wi, wo, level)[valid], pdf[valid], rtol=1e-5)


def test_the_sampler_of_a_material_passes_chi_square():
    material = random_material()
    uv, wi = np.array([[0.3, 0.7]]), direction(0.9, 0.4)[None]

    def sample(u):
        return material.sample(np.repeat(uv, len(u), 0), np.repeat(wi, len(u), 0), u)[:2]

    def density(wo):
        return material.pdf(np.repeat(uv, len(wo), 0), np.repeat(wi, len(wo), 0), wo)

    assert_sampler(sample, density, grid=Grid(tuple(wi[0] * (-1, -1, 1)), 1.5))


def test_the_length_of_a_chunk_changes_nothing(monkeypatch):
    material = random_material(levels=3, dtype=np.float64)
    uv, wi, wo = queries(1000)
    u = np.random.default_rng(0).random((1000, 3))
    whole = (material.eval(uv, wi, wo, 0.7), material.pdf(uv, wi, wo, 0.7), *material.sample(uv, wi, u, 0.7))
    monkeypatch.setattr(neural_module, "CHUNK", 170)
    parts = (material.eval(uv, wi, wo, 0.7), material.pdf(uv, wi, wo, 0.7), *material.sample(uv, wi, u, 0.7))
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)  # BLAS may sum in another order


def test_no_queries_give_no_results():
    none2, none3 = np.zeros((0, 2)), np.zeros((0, 3))
    material = random_material()
    assert material.eval(none2, none3, none3).shape == (0, 3)
    assert [a.shape for a in material.sample(none2, none3, none3)] == [(0, 3), (0,), (0, 3)]


def test_float32_and_float64_agree():
    """Sums of 32 products and an exponential: some 1e-6 relative; log_half near h = n costs another digit."""
    single, double = random_material(), random_material(dtype=np.float64)
    uv, wi, wo = (a.astype(np.float32) for a in queries(20_000))
    np.testing.assert_allclose(single.eval(uv, wi, wo), double.eval(uv, wi, wo), rtol=5e-5)


def test_the_level_of_each_query_is_used():
    material = random_material(levels=3)
    uv, wi, wo = queries(300)
    level = np.arange(300) % 3
    mixed = material.eval(uv, wi, wo, level)
    for k in range(3):
        alone = material.eval(uv, wi, wo, k)
        np.testing.assert_allclose(mixed[level == k], alone[level == k], rtol=1e-5)


@pytest.mark.parametrize("name", ["default", "paper", "one frame, leaky", "no cosine"])
def test_far_levels_have_layers_of_their_own_behind_the_first(name):
    plain = random_material(CONFIGS[name], levels=4)
    material = with_far(plain, 2)
    swapped = dataclasses.replace(plain, layers=(plain.layers[0], *material.far.layers))
    uv, wi, wo = queries(600, below=0.1)
    level = np.arange(600) % 4
    expected = np.where((level < 2)[:, None], plain.eval(uv, wi, wo, level), swapped.eval(uv, wi, wo, level))
    np.testing.assert_allclose(material.eval(uv, wi, wo, level), expected, rtol=1e-5)
    assert (material.pdf(uv, wi, wo, level) == plain.pdf(uv, wi, wo, level)).all()
    _, pdf, weight = material.sample(uv, wi, np.random.default_rng(0).random((600, 3)), 3)
    assert (weight[pdf > 0] > 0).all()
    assert [material.layers_at(k)[1][0] is plain.layers[1][0] for k in range(4)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"level": 0}, "far.level: expected 1 to 2, got 0"),
        ({"level": 3}, "far.level: expected 1 to 2, got 3"),
        ({"layers": ()}, "far.layers: expected 2 layers, got 0"),
        ({"layers": random_material().layers[:2]}, r"far.layers.0.weight: expected float32 of shape \(32, 32\), got"),
    ],
)
def test_far_layers_that_do_not_fit_are_named(change, complaint):
    material = with_far(random_material(levels=3), 2)
    with pytest.raises(ValueError, match=complaint):
        dataclasses.replace(material, far=Far(**{**vars(material.far), **change}))


def test_queries_of_the_wrong_shape_are_named():
    uv, wi, wo = queries(4)
    with pytest.raises(ValueError, match=r"wo: expected shape \(4, 3\), got \(3, 3\)"):
        random_material().eval(uv, wi, wo[:3])
    with pytest.raises(ValueError, match=r"uv: expected shape \(4, 2\), got \(4, 3\)"):
        random_material().pdf(wi, wi, wo)


GOOD = random_material(levels=2)
BAD_PARTS = {
    "latents: expected 1": {"latents": ()},
    r"latents\.1: expected float32 of shape \(4, 8, 8\)": {"latents": (GOOD.latents[0], GOOD.latents[1][:, :, :5])},
    r"latents\.1: expected float32": {"latents": (GOOD.latents[0], GOOD.latents[1].astype(np.float64))},
    r"latents\.0: expected shape": {"latents": (GOOD.latents[0][0],)},
    r"latents\.0: expected a floating dtype": {"latents": (GOOD.latents[0].astype(int),)},
    r"frames\.weight: expected one, got none": {"frame_weight": None},
    r"frames\.weight: expected float32 of shape \(12, 8\)": {"frame_weight": GOOD.latents[0][0]},
    r"decoder\.layers: expected 3 layers, got 2": {"layers": GOOD.layers[:2]},
    r"decoder\.layers\.0\.weight: expected float32 of shape": {"layers": GOOD.layers[::-1]},
    r"sampler\.layers: expected 3 layers, got 2": {"sampler": GOOD.sampler[:2]},
    r"sampler\.layers\.0\.weight: expected float32 of shape \(32, 14\)": {"sampler": GOOD.layers},
}


@pytest.mark.parametrize("message", BAD_PARTS)
def test_parts_that_do_not_fit_are_named(message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(GOOD, **BAD_PARTS[message])


def test_a_material_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GOOD.latents = ()
    assert isinstance(GOOD, NeuralMaterial)
