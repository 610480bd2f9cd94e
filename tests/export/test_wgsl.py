"""WGSL on a software Vulkan against NumPy: both precisions, all features, heads and homes of weights; chi-square."""

from dataclasses import replace

import numpy as np
import pytest

from directions import direction
from export import wgsl_runner
from export.shader_queries import Queries, check, random_queries
from laws.chi2 import Grid, assert_sampler
from neural_samples import coded, queries, random_material, with_far, with_heads
from verdigris.errors import ExportError
from verdigris.export import assemble, latents, wgsl
from verdigris.model import DecoderConfig, ModelConfig, SamplerConfig


def in_halves(material):
    """The material with its latents as shaders hold them: what a code stands for may not be a float16."""
    rounded = tuple(level.astype(np.float16).astype(np.float32) for level in material.latents)
    return replace(material, latents=rounded, grids=())


FEATURES = ("half", "difference", "cosines", "log_half", "wo")
MATERIALS = {
    "default": lambda: with_far(with_heads(random_material(levels=3)), 2),
    "smelu": lambda: random_material(
        ModelConfig(5, 1, DecoderConfig((16, 16), "leaky_smelu", FEATURES, "sigmoid", False), SamplerConfig((7,), 3))
    ),
    "turned": lambda: random_material(
        ModelConfig(8, 2, DecoderConfig((6,), features=("turned_difference", "cosines", "turned_half")))
    ),
    "no frames": lambda: random_material(ModelConfig(3, 0, DecoderConfig((6,), "leaky_relu", ("wi", "half")))),
    "three frames": lambda: with_far(
        with_heads(random_material(ModelConfig(12, 3), (5, 7), 3), ("emission", "albedo"))
    ),
    "one texel, 4 bits": lambda: in_halves(coded(random_material(finest=(1, 1)), 4)),
}


def answers(material, asked, **options):
    half = options.get("half", False)
    stored = options.get("weights") == "buffer"
    weights = assemble.weight_blocks(material, half=half) if stored else b""
    module = wgsl.module(material, **options)
    return wgsl_runner.run(module, latents.packed_halves(material), weights, asked.packed())


@pytest.mark.parametrize("name", MATERIALS)
def test_single_precision(name):
    material = MATERIALS[name]()
    asked = random_queries(material)
    check(material, asked, answers(material, asked))


@pytest.mark.slow
def test_half_precision():
    material = MATERIALS["default"]()
    asked = random_queries(material)
    # Emission is a square: where it is small its relative error has no bound, hence the floor.
    check(material, asked, answers(material, asked, half=True), relative=0.02, floor=0.02, worst=0.02)


@pytest.mark.parametrize("half", [False, True])
def test_weights_of_a_buffer_give_the_numbers_of_literals(half):
    decoder, sampler = DecoderConfig((8,)), SamplerConfig((4,), 1)
    material = with_heads(random_material(ModelConfig(4, 1, decoder, sampler)), hidden=(4,))
    asked = random_queries(material)
    stored, literal = (answers(material, asked, weights=home, half=half) for home in ("buffer", "literals"))
    # Constant folding may round a sum of literals in its own way.
    np.testing.assert_allclose(stored, literal, rtol=0.02 if half else 1e-4, atol=0.02 if half else 1e-5)


def test_coordinates_beyond_a_period_and_at_its_edges():
    material = random_material(finest=(4, 8))
    u = np.float32([-3, -1e-9, 0, 0.0625, 0.5, 1 - 2**-24, 1, 7.25])
    uv = np.stack(np.meshgrid(u, u), axis=-1).reshape(-1, 2)
    n = len(uv)
    _, wi, wo = queries(n)
    asked = Queries(uv, np.zeros(n), wi.astype(np.float32), wo.astype(np.float32), np.full((n, 3), 0.5, np.float32))
    found = answers(material, asked)[:, :3]
    np.testing.assert_allclose(found, material.eval(uv, asked.wi, asked.wo), rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("theta", "half"), [(0.3, False), (1.2, False), (0.3, True)])
def test_chi_square(theta, half):
    material = random_material(levels=2, seed=4)
    wi = direction(theta, 0.7)

    def ask(wo, u):
        n = len(wo)
        uv = np.tile(np.float32([[0.3, 0.6]]), (n, 1))
        return answers(material, Queries(uv, np.zeros(n), np.tile(wi, (n, 1)), wo, u), half=half)

    def draw(u):
        found = ask(np.tile(wi, (len(u), 1)), u)[:, 4:8]
        return found[:, :3], found[:, 3]

    def density(wo):
        return ask(wo, np.zeros_like(wo))[:, 3].astype(float)

    assert_sampler(draw, density, grid=Grid(), tests=3, samples=60_000)


def test_a_program_leaves_out_what_the_asset_does_not_need():
    plain = wgsl.module(random_material(ModelConfig(8, 2, DecoderConfig(features=("wi", "wo")))))
    full = wgsl.module(random_material(ModelConfig(8, 2, DecoderConfig(features=("difference", "log_half")))))
    for name in ("vd_log_half", "vd_difference"):
        assert name not in plain and name in full


def test_names_take_the_prefix():
    material = random_material()
    text = wgsl.module(material, prefix="brass", group=2, binding=5)
    assert "vd_" not in text and "VD_" not in text and "Vd" not in text
    assert "@group(2) @binding(5) var<storage, read> brass_latents" in text and "struct BrassSurface" in text


def test_an_unknown_home_of_weights_is_refused():
    with pytest.raises(ExportError, match="weights: expected literals or buffer, got 'texture'"):
        wgsl.module(random_material(), weights="texture")
