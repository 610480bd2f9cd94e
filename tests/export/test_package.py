"""The folders of exports: what is in them, that compilers take their examples, and that nothing is half-written."""

import hashlib
import json
import subprocess

import numpy as np
import pytest

from export import wgsl_runner
from export.test_languages import accepted, tool
from neural_samples import coded, random_material, with_heads
from verdigris.errors import ExportError, RuntimeMissing
from verdigris.export import batch, package, slang, targets, textures
from verdigris.export.options import Export, Options
from verdigris.model import DecoderConfig, Metadata, ModelConfig, SamplerConfig

SMALL = ModelConfig(6, 1, DecoderConfig((8,)), SamplerConfig((4,), 1))
COMPILED = ("metal", "spirv")
SHADERS = ("wgsl", "glsl", "hlsl", "slang", "cuda", *COMPILED)


@pytest.fixture(scope="module")
def material():
    return with_heads(random_material(SMALL, levels=3, metadata=Metadata("Brass, old")), hidden=(4,))


def made(material, target, folder, options=None):
    if target in COMPILED:
        pytest.importorskip("slangpy", reason="it brings the Slang compiler: pip install slangpy")
    export = targets.make(material, target, options or Options())
    package.write(material, target, export, folder)
    return json.loads((folder / "manifest.json").read_text())


@pytest.mark.parametrize("target", (*SHADERS, "threejs"))
def test_a_folder_lists_what_it_holds(material, target, tmp_path):
    manifest = made(material, target, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {*manifest["files"], "manifest.json"}
    for name, facts in manifest["files"].items():
        content = (tmp_path / "out" / name).read_bytes()
        assert len(content) == facts["bytes"] and hashlib.sha256(content).hexdigest() == facts["sha256"]
    readme = (tmp_path / "out" / "README.md").read_text()
    for binding in manifest["bindings"]:
        assert f"`{binding['name']}`" in readme
        assert not binding["file"] or binding["file"] in names
    assert manifest["target"] == target and manifest["levels"][1] == {"height": 4, "width": 8}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("target", [name for name in SHADERS if name not in COMPILED])
def test_examples_take_a_prefix(material, target, tmp_path):
    made(material, target, tmp_path / "out", Options(prefix="brass"))
    for path in (tmp_path / "out").iterdir():
        if path.suffix not in (".bin", ".dds", ".ktx2", ".json"):
            text = path.read_text()
            assert "vd_" not in text and "Vd" not in text and "VD_" not in text, path.name


def test_the_wgsl_example_is_a_shader(material, tmp_path):
    made(material, "wgsl", tmp_path / "out", Options(weights="buffer"))
    code = "".join((tmp_path / "out" / name).read_text() for name in ("material.wgsl", "example.wgsl"))
    device = wgsl_runner.device()
    module = device.create_shader_module(code=code)
    assert device.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": "example"})


@pytest.mark.parametrize("options", [Options(), Options(weights="packed"), Options(weights="buffer")])
def test_the_glsl_example_is_a_shader(material, tmp_path, options):
    made(material, "glsl", tmp_path / "out", options)
    module, example = ((tmp_path / "out" / name).read_text() for name in ("material.glsl", "example.frag"))
    (tmp_path / "whole.frag").write_text(example.replace("// material.glsl", module))
    accepted(tool("glslangValidator"), str(tmp_path / "whole.frag"))


@pytest.mark.parametrize("options", [Options(), Options(weights="buffer", half=True)])
@pytest.mark.parametrize("target", ["hlsl", "slang"])
def test_the_hlsl_and_slang_examples_are_shaders(material, tmp_path, target, options):
    pytest.importorskip("slangpy", reason="it brings the Slang compiler: pip install slangpy")
    made(material, target, tmp_path / "out", options)
    example = (tmp_path / "out" / f"example.{target}").read_text()
    assert len(slang.compile_source(example, "spirv", "example", ["-I", str(tmp_path / "out")])) > 1000
    if not options.half:
        command = ("-D", "-V", "-S", "comp", "-e", "example", "-o", str(tmp_path / "made.spv"))
        accepted(tool("glslangValidator"), *command, str(tmp_path / "out" / f"example.{target}"))


def test_the_cuda_example_runs_as_cpp(material, tmp_path):
    made(material, "cuda", tmp_path / "out")
    accepted(tool("g++"), "-x", "c++", str(tmp_path / "out" / "example.cu"), "-o", str(tmp_path / "run"))
    done = subprocess.run([str(tmp_path / "run")], cwd=tmp_path / "out", capture_output=True, text=True, check=True)
    wi, wo = np.float32([[0, 0, 1]]), np.float32([[0.3, 0, 0.95394]])
    expected = material.eval(np.float32([[0.5, 0.5]]), wi, wo)[0]
    np.testing.assert_allclose([float(number) for number in done.stdout.split()], expected, rtol=1e-3)


def test_spirv_is_valid_and_says_how_queries_lie(material, tmp_path):
    manifest = made(material, "spirv", tmp_path / "out")
    accepted(tool("spirv-val"), "--target-env", "vulkan1.2", str(tmp_path / "out" / "material.spv"))
    assert manifest["query"]["bytes"] == batch.QUERY.itemsize and manifest["query"]["fields"]["u"]["offset"] == 48


def test_a_dds_holds_every_layer_and_level(material, tmp_path):
    made(material, "hlsl", tmp_path / "out")
    content = (tmp_path / "out" / "latents.dds").read_bytes()
    words = np.frombuffer(content[4:148], "<u4")
    assert content[:4] == b"DDS " and content[84:88] == b"DX10"
    assert (words[0], words[2], words[3], words[6], words[18]) == (124, 8, 16, 3, 32)
    assert tuple(words[31:36]) == (10, 3, 0, 2, 0)  # RGBA16F, a 2D texture of two layers
    data, at = content[148:], 0
    for layer in range(2):
        for texture in material.latents:
            height, width = texture.shape[:2]
            texels = np.frombuffer(data, "<f2", 4 * height * width, at).reshape(height, width, 4)
            expected = texture[..., 4 * layer : 4 * layer + 4]
            np.testing.assert_array_equal(texels[..., : expected.shape[2]], expected)
            at += texels.nbytes
    assert at == len(data)


@pytest.mark.parametrize("bits", [16, 8])
def test_a_ktx2_holds_every_layer_and_level(bits, tmp_path):
    material = random_material(SMALL, levels=3)
    material = coded(material, bits) if bits < 16 else material
    made(material, "glsl", tmp_path / "out", Options(codes=bits < 16))
    content = (tmp_path / "out" / "latents.ktx2").read_bytes()
    words = np.frombuffer(content[12:48], "<u4")
    assert content[:12] == b"\xabKTX 20\xbb\r\n\x1a\n"
    assert tuple(words) == (97 if bits == 16 else 37, bits // 8, 16, 8, 0, 2, 1, 3, 0)
    described, size = np.frombuffer(content[48:56], "<u4")
    assert np.frombuffer(content[described : described + 4], "<u4")[0] == size == 4 + 24 + 4 * 16
    for level, texture in enumerate(material.latents):
        begin, length, plain = np.frombuffer(content[80 + 24 * level : 104 + 24 * level], "<u8")
        height, width = texture.shape[:2]
        kind = "<f2" if bits == 16 else "u1"
        texels = np.frombuffer(content[begin : begin + length], kind).reshape(2, height, width, 4)
        found = texels.transpose(1, 2, 0, 3).reshape(height, width, 8)[..., :6]
        expected = texture if bits == 16 else material.grids[level].encode(texture)
        assert length == plain and begin % 8 == 0
        np.testing.assert_array_equal(found, expected)


def test_an_earlier_export_is_replaced_and_nothing_else(material, tmp_path):
    made(material, "glsl", tmp_path / "out")
    made(material, "wgsl", tmp_path / "out")
    assert not (tmp_path / "out" / "material.glsl").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(ExportError, match="mine: expected a new folder, an empty one, or an earlier export"):
        made(material, "wgsl", tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"


def test_a_failure_leaves_what_was_there(material, tmp_path, monkeypatch):
    before = made(material, "glsl", tmp_path / "out")
    monkeypatch.setattr(package, "_exchange", lambda beside, folder: (_ for _ in ()).throw(OSError(28, "disk full")))
    with pytest.raises(ExportError, match="out: cannot be written: disk full"):
        package.write(material, "wgsl", Export({"a": b"b"}, "WGSL"), tmp_path / "out")
    assert json.loads((tmp_path / "out" / "manifest.json").read_text()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("opencl", Options(), "--target: expected one of wgsl, .*, got 'opencl'"),
        ("wgsl", Options(weights="texture"), "weights: expected literals or buffer, got 'texture'"),
        ("wgsl", Options(prefix="9x"), "prefix: expected up to 31 lower-case letters and digits.*got '9x'"),
        ("glsl", Options(half=True), "--half: expected no such option for --target glsl"),
        ("glsl", Options(codes=True), "codes: expected latents of 8 or 4 bits .*, got 16"),
        ("threejs", Options(codes=True), "codes: expected latents of 8 or 4 bits .*, got 16"),
        ("hlsl", Options(cooperative=True), "--cooperative: expected no such option for --target hlsl"),
        ("metal", Options(prefix="brass"), "--prefix: expected no such option for --target metal"),
    ],
)
def test_what_cannot_be_had_is_refused(material, target, options, message):
    with pytest.raises(ExportError, match=message):
        targets.make(material, target, options)


def test_folders_are_checked(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="file: expected a folder, got a file"):
        package.check_folder(tmp_path / "file")
    with pytest.raises(ExportError, match="there is no folder"):
        package.check_folder(tmp_path / "no" / "out")


def test_without_slang_the_error_says_what_to_install(material, monkeypatch):
    monkeypatch.setattr(slang, "find_spec", lambda name: None)
    slang._library.cache_clear()
    with pytest.raises(RuntimeMissing, match=r"pip install 'verdigris\[slang\]'"):
        targets.make(material, "metal", Options())
    slang._library.cache_clear()


def test_a_texture_array_names_its_format():
    assert textures.HALVES.texel_bytes == 8 and textures.BYTES.texel_bytes == 4
