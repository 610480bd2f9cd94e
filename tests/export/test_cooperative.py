"""Networks as cooperative vectors: Slang compiles them, its CPU target runs them, and else they are plain."""

import re

import numpy as np
import pytest

from export import slang_cpu
from export.shader_queries import check, random_queries
from export.test_languages import MATERIALS, SMALL
from neural_samples import random_material, with_heads
from verdigris.export import batch, cooperative, package, slang, targets
from verdigris.export.options import Options

SWITCH = re.compile(r"#ifdef VD_COOPERATIVE\n.*?(?:#else\n(.*?)\n)?#endif(\n\n)?", re.DOTALL)


@pytest.mark.parametrize("name", MATERIALS)
def test_without_the_name_the_text_is_the_plain_one(name):
    material = MATERIALS[name]()
    left = SWITCH.sub(
        lambda found: found[1] + (found[2] or "") if found[1] else "", batch.shader(material, cooperative=True)
    )
    assert left == batch.shader(material)


@pytest.mark.slow
@pytest.mark.parametrize("name", MATERIALS)
def test_slangs_cpu_target_gives_numpys_numbers(name, tmp_path):
    material = MATERIALS[name]()
    asked = random_queries(material)
    # That target adds up in halves, one product after another; hardware adds up in single precision.
    answers = slang_cpu.run_batch(material, asked, tmp_path, cooperating=True)
    check(material, asked, answers, relative=0.03, floor=0.02, worst=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "options", "sign"),
    [
        ("spirv", (), None),
        ("hlsl", ("-profile", "sm_6_9"), b"dx/linalg.h"),
        ("cuda", (), b"optixCoopVecMatMul"),
    ],
)
def test_slang_compiles_both_variants(target, options, sign):
    pytest.importorskip("slangpy", reason="it brings the Slang compiler: pip install slangpy")
    shader = batch.shader(with_heads(random_material(SMALL), hidden=(4,)), cooperative=True)
    plain, chosen = (
        slang.compile_source(shader, target, batch.ENTRY_POINT, (*names, *options))
        for names in ((), ("-DVD_COOPERATIVE",))
    )
    if sign is None:
        assert {5288, 5292} <= opcodes(chosen) and not {5288, 5292} & opcodes(plain)
    else:
        assert sign in chosen


def opcodes(spirv):
    """Numbers of a module's types and instructions."""
    words, at, found = np.frombuffer(spirv, "<u4"), 5, set()
    while at < len(words):
        found.add(int(words[at]) & 0xFFFF)
        at += int(words[at]) >> 16
    return found


@pytest.mark.slow
def test_folders_hold_both(tmp_path):
    pytest.importorskip("slangpy", reason="it brings the Slang compiler: pip install slangpy")
    material, options = random_material(SMALL), Options(cooperative=True)
    for target, file in (("slang", "material.slang"), ("spirv", "material_cooperative.spv")):
        folder = tmp_path / target
        package.write(material, target, targets.make(material, target, options), folder)
        assert (folder / file).exists() and (folder / "matrices.bin").read_bytes() == cooperative.matrices(material)
        assert "`matrices.bin`" in (folder / "README.md").read_text()
    example = (tmp_path / "slang" / "example.slang").read_text()
    place = ("-I", str(tmp_path / "slang"))
    for names in ((), ("-DVD_COOPERATIVE",)):
        assert len(slang.compile_source(example, "spirv", "example", (*place, *names))) > 1000


def test_matrices_lie_as_drivers_want_them():
    content = cooperative.matrices(random_material(SMALL))
    assert len(content) % cooperative.ALIGNMENT == 0
    weight, bias = random_material(SMALL).layers[0]
    first = np.frombuffer(content, "<f2", 16 * 32).reshape(16, 32)
    # Seven numbers of directions are filled up to eight, in front of four latents; what halves leave comes behind.
    np.testing.assert_array_equal(first[:8, :7], weight[:, :7])
    np.testing.assert_array_equal(first[:8, 8:12], weight[:, 7:])
    np.testing.assert_array_equal(first[:8, 12:19], weight[:, :7])
    np.testing.assert_array_equal(np.frombuffer(content, "<f2", 8, 2 * 16 * 32), bias)
