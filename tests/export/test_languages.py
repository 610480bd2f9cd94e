"""HLSL, Slang, C++ and what Slang's compiler makes of them: compilers accept them, and numbers agree with NumPy."""

import shutil
import subprocess

import numpy as np
import pytest

from export import slang_cpu, wgsl_runner
from export.shader_queries import check, random_queries
from neural_samples import random_material, with_far, with_heads
from verdigris.errors import ExportError
from verdigris.export import assemble, batch, cuda, glsl, hlsl, latents, slang
from verdigris.model import DecoderConfig, ModelConfig, SamplerConfig

DECODER = DecoderConfig((16, 16), "leaky_smelu", ("half", "difference", "cosines"), "sigmoid", False)
MATERIALS = {
    "default": lambda: with_far(with_heads(random_material(levels=3)), 2),
    "other": lambda: random_material(ModelConfig(5, 1, DECODER, SamplerConfig((7,), 3)), (5, 12), 2),
}
SMALL = ModelConfig(4, 1, DecoderConfig((8,)), SamplerConfig((4,), 1))


def tool(name):
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    return name


def accepted(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def run_batch(material, asked, **options):
    """Answers `[n, 32]` of the batch shader in the WGSL that Slang makes of it."""
    pytest.importorskip("slangpy", reason="it brings the Slang compiler: pip install slangpy")
    code = slang.compile_source(batch.shader(material, latents="buffer", **options), "wgsl", batch.ENTRY_POINT).decode()
    weights = assemble.weight_blocks(material) if options.get("weights") == "buffer" else b""
    return run_code(material, asked, code, weights)


def run_code(material, asked, code, weights=b""):
    """Answers `[n, 32]` of what a compiler made of the batch shader, WGSL or SPIR-V."""
    asks = np.zeros(len(asked.uv), batch.QUERY)
    for name in batch.QUERY.names:
        asks[name] = getattr(asked, name)
    count = np.uint32([len(asks), 0, 0, 0]).tobytes()
    buffers = {0: latents.packed_halves(material), 1: weights, 2: asks.tobytes()}
    answers = wgsl_runner.run_buffers(code, batch.ENTRY_POINT, buffers, {4: count}, 3, asks.size, batch.ANSWER.itemsize)
    return slang_cpu.table(np.frombuffer(answers, batch.ANSWER))


@pytest.mark.slow
@pytest.mark.parametrize("name", MATERIALS)
def test_slang_and_hlsl_give_numpys_numbers(name):
    material = MATERIALS[name]()
    asked = random_queries(material)
    check(material, asked, run_batch(material, asked))


@pytest.mark.slow
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("name", MATERIALS)
def test_slangs_cpu_target_gives_numpys_numbers(name, half, tmp_path):
    material = MATERIALS[name]()
    asked = random_queries(material)
    # Every operation is rounded here, where lavapipe rounds fewer, and random lobes are narrower than baked ones.
    tolerance = {"relative": 0.02, "floor": 0.02, "worst": 0.06} if half else {}
    check(material, asked, slang_cpu.run_batch(material, asked, tmp_path, half), **tolerance)


@pytest.mark.slow
def test_slang_in_half_precision():
    material = MATERIALS["default"]()
    asked = random_queries(material)
    check(material, asked, run_batch(material, asked, half=True), relative=0.02, floor=0.02, worst=0.02)


@pytest.mark.slow
def test_slang_with_weights_of_a_buffer():
    material = random_material(SMALL)
    asked = random_queries(material)
    check(material, asked, run_batch(material, asked, weights="buffer"))


@pytest.mark.slow
@pytest.mark.parametrize("latent_home", ["texture", "buffer"])
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("target", ["metal", "spirv", "cuda", "hlsl", "glsl", "wgsl", "cpp"])
def test_slang_makes_every_language(target, half, latent_home, tmp_path):
    pytest.importorskip("slangpy", reason="it brings the Slang compiler: pip install slangpy")
    shader = batch.shader(with_heads(random_material(SMALL)), latents=latent_home, half=half)
    made = slang.compile_source(shader, target, batch.ENTRY_POINT)
    assert len(made) > 10_000
    if target == "spirv":
        (tmp_path / "made.spv").write_bytes(made)
        accepted(tool("spirv-val"), "--target-env", "vulkan1.2", str(tmp_path / "made.spv"))


def test_a_mistake_in_slang_is_one_line():
    pytest.importorskip("slangpy", reason="it brings the Slang compiler: pip install slangpy")
    with pytest.raises(ExportError, match=r"^slang: error.*$") as caught:
        slang.compile_source("void wrong() { return nothing; }", "wgsl", "wrong")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("weights", ["literals", "buffer"])
def test_glslang_accepts_hlsl(weights, tmp_path):
    (tmp_path / "m.hlsl").write_text(batch.shader(MATERIALS["default"](), weights=weights))
    accepted(
        tool("glslangValidator"),
        "-D",
        "-V",
        "-S",
        "comp",
        "-e",
        batch.ENTRY_POINT,
        "-o",
        str(tmp_path / "m.spv"),
        str(tmp_path / "m.hlsl"),
    )
    accepted(tool("spirv-val"), str(tmp_path / "m.spv"))


def test_the_spirv_that_glslang_makes_of_hlsl_gives_numpys_numbers(tmp_path):
    material = with_heads(random_material(SMALL), hidden=(4,))
    asked = random_queries(material)
    (tmp_path / "m.hlsl").write_text(batch.shader(material, latents="buffer"))
    made = tmp_path / "m.spv"
    options = ("-D", "-V", "-S", "comp", "-e", batch.ENTRY_POINT, "-o", str(made))
    accepted(tool("glslangValidator"), *options, str(tmp_path / "m.hlsl"))
    check(material, asked, run_code(material, asked, made.read_bytes()))


@pytest.mark.parametrize("version", ["300 es", "330", "450"])
def test_glslang_accepts_glsl(version, tmp_path):
    body = (
        "out vec4 colour;\nvoid main() { colour = vd_sample(vd_fetch(vec2(0.5), 0u), vec3(0., 0., 1.), vec3(0.5)); }\n"
    )
    precision = "precision highp float;\nprecision highp int;\n"
    (tmp_path / "m.frag").write_text(f"#version {version}\n{precision}{glsl.module(MATERIALS['other']())}{body}")
    accepted(tool("glslangValidator"), str(tmp_path / "m.frag"))


PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include "material.h"
using namespace vd_math;
static Half latents[{count}];
int main(int, char** names) {{
  FILE* file = fopen(names[1], "rb");
  if (fread(latents, 2, {count}, file) != {count}) return 1;
  fclose(file);
  float q[12];
  while (fread(q, 4, 12, stdin) == 12) {{
    VdSurface s = vd_fetch(latents, Vec2(q[0], q[1]), unsigned(q[2]));
    Vec3 wi(q[3], q[4], q[5]), wo(q[6], q[7], q[8]), u(q[9], q[10], q[11]);
    VdGuides g = vd_guides(s);
    Vec4 answers[8] = {{Vec4(vd_eval(s, wi, wo), vd_pdf(s, wi, wo)), vd_sample(s, wi, u),
      Vec4(vd_albedo(s, wi), vd_opacity(s)), Vec4(g.albedo, g.roughness), Vec4(g.normal, 0.f),
      Vec4(vd_emission(s), 0.f), s.latent0, Vec4(s.n0, vd_level(Vec2(q[0], q[1]), Vec2(q[4], q[5])))}};
    fwrite(answers, sizeof answers, 1, stdout);
  }}
}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", MATERIALS)
def test_cpp_gives_numpys_numbers(name, tmp_path):
    material = MATERIALS[name]()
    asked, halves = random_queries(material), latents.packed_halves(material)
    (tmp_path / "material.h").write_text(cuda.header(material))
    (tmp_path / "latents.bin").write_bytes(halves)
    (tmp_path / "main.cpp").write_text(PROGRAM.format(count=len(halves) // 2))
    built = str(tmp_path / "main")
    flags = ("-std=c++11", "-O1", "-Wall", "-Wextra", "-Werror")
    accepted(tool("g++"), *flags, str(tmp_path / "main.cpp"), "-o", built)
    asks = asked.packed().tobytes()
    done = subprocess.run([built, str(tmp_path / "latents.bin")], input=asks, capture_output=True, check=True)
    check(material, asked, np.frombuffer(done.stdout, np.float32))


def test_hlsl_takes_its_place_and_prefix():
    text = hlsl.module(random_material(SMALL), slot=3, space=2, prefix="brass")
    assert "[[vk::binding(3, 2)]] Texture2DArray<float4> brass_latents : register(t3, space2);" in text
    assert "vd_" not in text
