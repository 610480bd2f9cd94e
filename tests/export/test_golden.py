"""The text of every language, byte for byte: a change of it is meant, and looked at.

After one: VERDIGRIS_GOLDEN=1 pytest tests/export/test_golden.py writes the files anew.
"""

import os
from pathlib import Path

import pytest

from asset_samples import tiny
from neural_samples import random_material, with_far, with_heads
from verdigris.export import cuda, glsl, hlsl, threejs, wgsl
from verdigris.model import DecoderConfig, ModelConfig

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "export"

TEXTS = {
    "tiny.wgsl": lambda material: wgsl.module(material),
    "tiny_half_buffer.wgsl": lambda material: wgsl.module(material, weights="buffer", half=True),
    "tiny.glsl": lambda material: glsl.module(material),
    "tiny_packed.glsl": lambda material: glsl.module(material, weights="packed"),
    "tiny.hlsl": lambda material: hlsl.module(material),
    "tiny_half_buffer.hlsl": lambda material: hlsl.module(material, latents="buffer", weights="buffer", half=True),
    "tiny_threejs.wgsl": lambda material: threejs.module(material),
    "tiny_far.wgsl": lambda material: wgsl.module(material),
    "tiny_far.h": lambda material: cuda.header(material),
    "tiny.h": lambda material: cuda.header(material),
}


def material(name):
    made = with_heads(tiny(), ("albedo", "emission"), (2,))
    return with_far(made) if "far" in name else made


@pytest.mark.parametrize("name", TEXTS)
def test_text(name):
    text = TEXTS[name](material(name))
    if os.environ.get("VERDIGRIS_GOLDEN"):
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(text, encoding="utf-8")
    assert text == (FOLDER / name).read_text(encoding="utf-8")


def test_a_small_network_fits_in_40_kb_of_glsl():

    small = random_material(ModelConfig(decoder=DecoderConfig((16, 16))))
    assert len(glsl.module(with_heads(small, ("albedo", "guides"), (16, 16)), weights="packed")) < 40 * 1024
