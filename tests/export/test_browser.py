"""WGSL and GLSL ES in a browser against NumPy."""

import numpy as np
import pytest

from export import wgsl_runner
from export.browser import empty_page, run_glsl, run_wgsl
from export.shader_queries import check, random_queries
from neural_samples import coded, random_material, with_far, with_heads
from verdigris.export import assemble, glsl, latents, wgsl
from verdigris.model import DecoderConfig, ModelConfig, SamplerConfig
from verdigris.model.latents import footprint_level

pytestmark = pytest.mark.slow

DECODER = DecoderConfig((16, 16), "leaky_smelu", ("half", "difference", "cosines"), "sigmoid", False)
MATERIALS = {
    "default": lambda: with_far(with_heads(random_material(levels=3)), 2),
    "other": lambda: random_material(ModelConfig(5, 1, DECODER, SamplerConfig((7,), 3)), (5, 12), 2),
}


@pytest.fixture(scope="module")
def page(browser):
    with empty_page(browser) as opened:
        yield opened


@pytest.mark.parametrize("name", MATERIALS)
def test_wgsl(page, name):
    material = MATERIALS[name]()
    asked = random_queries(material)
    code = wgsl_runner.shader(wgsl.module(material))
    check(material, asked, run_wgsl(page, code, latents.packed_halves(material), b"", asked.packed()))


@pytest.mark.parametrize("name", MATERIALS)
def test_glsl(page, name):
    material = MATERIALS[name]()
    asked = random_queries(material)
    check(
        material,
        asked,
        run_glsl(page, glsl.module(material), latents.texture_array(material), None, asked.packed()),
    )


@pytest.mark.parametrize("bits", [8, 4])
def test_codes(page, bits):
    material = coded(random_material(ModelConfig(6), (8, 4), 3), bits)
    asked, array = random_queries(material), latents.texture_array(material, codes=True)
    # A graphics card may give a code over 255 in 16 bits or less: a quarter of a step of 8 bits is what that costs.
    answer = run_glsl(page, glsl.module(material, codes=True), array, None, asked.packed())
    check(material, asked, answer, relative=2e-3)


def test_weights_of_a_buffer(page):
    material = random_material(ModelConfig(4, 1, DecoderConfig((8,)), SamplerConfig((4,), 1)))
    asked, blocks = random_queries(material), assemble.weight_blocks(material)
    code = wgsl_runner.shader(wgsl.module(material, weights="buffer"))
    check(material, asked, run_wgsl(page, code, latents.packed_halves(material), blocks, asked.packed()))
    rows = -(-len(blocks) // 16 // glsl.WEIGHTS_WIDTH)
    filled = blocks + bytes(rows * glsl.WEIGHTS_WIDTH * 16 - len(blocks))
    module = glsl.module(material, weights="buffer")
    answer = run_glsl(page, module, latents.texture_array(material), (glsl.WEIGHTS_WIDTH, rows, filled), asked.packed())
    check(material, asked, answer)


def test_level_is_that_of_the_model(page):
    material = random_material(finest=(16, 32))
    asked = random_queries(material)
    code = wgsl_runner.shader(wgsl.module(material))
    answer = run_wgsl(page, code, latents.packed_halves(material), b"", asked.packed())
    # The entry point takes uv and the first two of (wi.y, wi.z) for the partials.
    expected = footprint_level(asked.uv, asked.wi[:, 1:], 16, 32)
    np.testing.assert_allclose(answer[:, 31], expected, atol=2e-4)
