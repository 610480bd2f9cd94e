"""docs/format.md says what the code does: its reader, run as printed, finds what ours finds."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from asset_samples import GOLDEN, GOLDEN_1, GOLDEN_2, GOLDEN_2_4, GOLDEN_4, GOLDEN_FAR
from neural_samples import coded, queries, random_material, with_far, with_heads
from verdigris import asset
from verdigris.asset import format as vdg_format
from verdigris.model import FEATURE_WIDTHS, DecoderConfig, ModelConfig, SamplerConfig
from verdigris.model.config import ACTIVATIONS, OUTPUTS

DOC = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def stranger():
    """The names that the page's reader defines."""
    (code,) = re.findall(r"```python\n(.*?)```", DOC, re.DOTALL)
    names: dict = {}
    exec(compile(code, "docs/format.md", "exec"), names)
    return names


def agrees(stranger, path, levels):
    """Response and density of 50 queries a level, by both readers."""
    material = asset.load(path)
    manifest, tensors = stranger["read"](path)
    uv, wi, wo = queries(50, below=0.25)
    for level in range(levels):
        found = [stranger["evaluate"](manifest, tensors, *query, level) for query in zip(uv, wi, wo, strict=True)]
        np.testing.assert_allclose(material.eval(uv, wi, wo, level), [f[0] for f in found], rtol=1e-4)
        np.testing.assert_allclose(material.pdf(uv, wi, wo, level), [f[1] for f in found], rtol=1e-3)


@pytest.mark.parametrize(
    "path", [GOLDEN_1, GOLDEN_2, GOLDEN_2_4, GOLDEN, GOLDEN_4, GOLDEN_FAR], ids=lambda path: path.stem
)
def test_its_reader_agrees_on_the_golden_files(stranger, path):
    agrees(stranger, path, 2)


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(),
        ModelConfig(5, 0, DecoderConfig((7,), "leaky_relu", ("log_half", "wo"), "sigmoid"), SamplerConfig((5, 4), 1)),
        ModelConfig(decoder=DecoderConfig((7,), "leaky_smelu", tuple(FEATURE_WIDTHS), cosine=False)),
    ],
    ids=["default", "no frames", "every feature"],
)
def test_its_reader_agrees_on_other_files(stranger, tmp_path, config):
    asset.save(random_material(config, finest=(5, 12), levels=3), tmp_path / "x.vdg")
    agrees(stranger, tmp_path / "x.vdg", 3)


@pytest.mark.parametrize("hidden", [(7,), (7, 6), (5, 6, 7)])
def test_its_reader_agrees_on_far_levels(stranger, tmp_path, hidden):
    material = with_far(random_material(ModelConfig(decoder=DecoderConfig(hidden)), (8, 8), 4), 2)
    asset.save(material, tmp_path / "x.vdg")
    agrees(stranger, tmp_path / "x.vdg", 4)


@pytest.mark.parametrize("frames", [0, 2])
def test_its_reader_agrees_on_the_heads(stranger, tmp_path, frames):
    material = with_heads(random_material(ModelConfig(frames=frames), finest=(5, 12), levels=2), hidden=(7, 5))
    asset.save(material, tmp_path / "x.vdg")
    agrees(stranger, tmp_path / "x.vdg", 2)
    manifest, tensors = stranger["read"](tmp_path / "x.vdg")
    uv, wi, _ = queries(50, below=0.25)
    found = {
        name: np.array([stranger["auxiliary"](manifest, tensors, name, *q, 1) for q in zip(uv, wi, strict=True)])
        for name in material.heads
    }
    np.testing.assert_allclose(found["albedo"], material.albedo(uv, wi, 1), rtol=1e-4)
    np.testing.assert_allclose(found["emission"], material.emission(uv, 1), rtol=1e-4)
    np.testing.assert_allclose(found["opacity"][:, 0], material.opacity(uv, 1), rtol=1e-4)
    albedo, normal, roughness = material.guides(uv, 1)
    np.testing.assert_allclose(found["guides"][:, :3], albedo, rtol=1e-4)
    np.testing.assert_allclose(found["guides"][:, 3:6], normal, atol=1e-5)
    np.testing.assert_allclose(found["guides"][:, 6], roughness, rtol=1e-4)


@pytest.mark.parametrize(("bits", "channels"), [(8, 8), (4, 8), (4, 5), (8, 1)])
def test_its_reader_agrees_on_codes(stranger, tmp_path, bits, channels):
    asset.save(coded(random_material(ModelConfig(channels), (5, 12), 3), bits), tmp_path / "x.vdg")
    agrees(stranger, tmp_path / "x.vdg", 3)


def test_its_conventions_are_the_files():
    (printed,) = re.findall(r"```json\n(.*?)```", DOC, re.DOTALL)
    assert json.loads(printed) == vdg_format.CONVENTIONS


def test_it_names_every_choice_of_the_decoder():
    for name in (*ACTIVATIONS, *OUTPUTS):
        assert f'`"{name}"`' in DOC
    for name, width in FEATURE_WIDTHS.items():
        assert f"| `{name}` | {width} |" in DOC


def test_its_limits_are_ours():
    assert vdg_format.MAX_FILE_BYTES == 2**30
    for number in ("16 777 216", "each side 1 to 16384", "1 to 15", "1 to 16 integers", "up to 256"):
        assert number in DOC
    limits = (vdg_format.MAX_HEADER_BYTES, vdg_format.MAX_SIDE, vdg_format.MAX_LEVELS, vdg_format.MAX_HIDDEN_LAYERS)
    assert limits == (16_777_216, 16384, 15, 16)
    assert (vdg_format.MAX_NAME_LENGTH, vdg_format.SCHEMA) == (256, 4)
