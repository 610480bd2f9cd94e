"""The command line: what it prints, how it ends, and that bad input leaves nothing behind."""

import json
import re

import pytest
from PIL import Image

from mtlx_documents import RED
from neural_samples import random_material
from verdigris.asset import save
from verdigris.cli import files, settings
from verdigris.cli.main import run
from verdigris.cli.progress import time_left
from verdigris.errors import AssetError, BakeError, RenderError
from verdigris.model import DecoderConfig, Metadata, ModelConfig, SamplerConfig
from verdigris.render.image import read_image


def fails(capsys, *arguments, code=1):
    """The one line on stderr of a command that must fail."""
    assert run([str(argument) for argument in arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ") and err.count("\n") == 1, err
    return err


def test_list_and_help(capsys):
    assert run(["list"]) == 0
    assert "library:verdigris_brass" in capsys.readouterr().out.splitlines()
    assert run([]) == 0
    help_text = capsys.readouterr().out
    assert all(name in help_text for name in ("bake", "render", "compare", "inspect", "list"))


def test_the_command_line_itself_wrong(capsys, document):
    assert "SOURCE" in fails(capsys, "bake", code=2)
    assert "bogus" in fails(capsys, "bogus", code=2)
    assert "--resolution" in fails(capsys, "bake", document, "--resolution", "wide", code=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "quick"], "draft, standard, final"),
        (["--resolution", "1"], "resolution"),
        (["--seed", "-1"], "seed"),
        (["-o", "missing/out.vdg"], "missing/out.vdg: cannot be written"),
        (["-o", "out.bin"], ".vdg"),
        (["-m", "blue"], "red"),
    ],
)
def test_bad_bake_options(capsys, document, options, message):
    assert message in fails(capsys, "bake", document, *options)
    assert [path.name for path in document.parent.iterdir()] == ["red.mtlx"]


def test_bad_sources(capsys, document):
    assert "verdigris_brass" in fails(capsys, "bake", "library:gold")
    assert "nothing.mtlx" in fails(capsys, "bake", "nothing.mtlx")
    document.write_text(RED[:200])
    assert "red.mtlx" in fails(capsys, "bake", document)


def test_glass_is_refused_with_the_node_path(capsys, shared_materials, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "SR_glass" in fails(capsys, "bake", shared_materials / "standard_surface_glass.mtlx")


def test_several_materials_are_listed(capsys, shared_materials, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = fails(capsys, "bake", shared_materials / "standard_surface_chess_pieces.mtlx")
    assert all(name in line for name in ("M_Chessboard", "M_King_B", "M_Knight_B"))


def test_inspect_a_document(capsys, document):
    assert run(["inspect", str(document), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["name"], facts["varying"], facts["closures"]) == ("red", False, {"oren_nayar_diffuse_bsdf": 1})
    assert run(["inspect", str(document)]) == 0
    assert "closures.oren_nayar_diffuse_bsdf" in capsys.readouterr().out


def test_inspect_a_damaged_asset(capsys, tmp_path):
    path = tmp_path / "bad.vdg"
    path.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{}")
    assert "bad.vdg" in fails(capsys, "inspect", path)
    assert "gone.vdg" in fails(capsys, "inspect", tmp_path / "gone.vdg")


@pytest.fixture
def asset(tmp_path, rng):
    path = tmp_path / "random.vdg"
    save(random_material(finest=(4, 4), metadata=Metadata(name="random")), path)
    return path


def test_inspect_an_asset(capsys, asset):
    assert run(["inspect", str(asset), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["name"], facts["levels"]) == ("random", [{"height": 4, "width": 4}])
    asset.write_bytes(asset.read_bytes()[:-1])
    assert "random.vdg" in fails(capsys, "inspect", asset)


@pytest.mark.parametrize("subject", ["asset", "document"])
def test_render(capsys, document, asset, subject):
    source = {"asset": asset, "document": document}[subject]
    options = ["--size", "24x16", "--spp", "2"]
    assert run(["render", str(source), *options]) == 0
    name = f"{source.stem}.png"
    assert capsys.readouterr().out.startswith(f"{name}: 24x16")
    with Image.open(name) as picture:
        assert picture.size == (24, 16)
    assert run(["render", str(source), *options, "--scene", "plane", "-o", "linear.exr"]) == 0
    assert sorted(p.name for p in document.parent.iterdir()) == sorted(["linear.exr", name, "random.vdg", "red.mtlx"])


def test_render_writes_pictures_beside_the_picture(capsys, document):
    options = ("--size", "16x12", "--spp", "4", "--aov", "albedo", "--aov", "normal", "--aov", "albedo")
    assert run(["render", str(document), *options]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["red.albedo.exr", "red.normal.exr"]
    albedo = read_image("red.albedo.exr")
    assert albedo.shape == (12, 16, 3)
    assert albedo[6, 8] == pytest.approx((0.6, 0.1, 0.1), rel=1e-3)


def test_render_refuses_pictures_that_a_material_has_not(capsys, document, asset):
    assert "expected one of albedo" in fails(capsys, "render", document, "--aov", "depth")
    assert "expected a material with guides" in fails(capsys, "render", asset, "--aov", "normal")
    assert not list(document.parent.glob("*.png"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scene", "cube"], "sphere, plane, teapot"),
        (["--scene", "gone.xml"], "gone.xml"),
        (["--size", "512"], "--size"),
        (["--spp", "0"], "spp"),
        (["-o", "picture.jpg"], ".png or .exr"),
        (["-o", "missing/picture.png"], "missing/picture.png: cannot be written"),
    ],
)
def test_bad_render_options(capsys, document, options, message):
    assert message in fails(capsys, "render", document, *options)
    assert [path.name for path in document.parent.iterdir()] == ["red.mtlx"]


def test_compare(capsys, document, asset):
    options = ["--size", "24x16", "--spp", "2"]
    assert run(["compare", str(asset), str(document), *options, "--json", "-o", "out"]) == 0
    out, err = capsys.readouterr()
    facts = json.loads(out)
    assert 0.0 <= facts["covered"]["flip"] <= 1.0
    assert facts["asset_bytes"] == asset.stat().st_size
    assert "not the document" in err
    written = {path.name for path in (document.parent / "out").iterdir()}
    assert {"side_by_side.png", "flip.png", "hdr_flip.png", "metrics.json"} <= written
    assert run(["compare", str(asset), str(document), *options, "-o", "out"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["FLIP", "HDR-FLIP", "PSNR", "relMSE"]
    assert lines[-1] == "out/side_by_side.png"


def test_bad_comparisons(capsys, document, asset):
    assert "expected a .vdg file" in fails(capsys, "compare", document, document)
    assert "gone.vdg" in fails(capsys, "compare", "gone.vdg", document)
    assert "gone.mtlx" in fails(capsys, "compare", asset, "gone.mtlx")
    assert "red.mtlx: cannot be made a folder" in fails(capsys, "compare", asset, document, "-o", document)
    assert run(["compare", str(asset), str(document), "--scene", "cube"]) == 1
    warning, error = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: ") and error.startswith("error: scene: expected sphere, plane, teapot")


def test_an_interrupt_ends_with_130(capsys, document, monkeypatch):
    import verdigris.bake

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(verdigris.bake, "bake", interrupted)
    assert run(["bake", str(document), "-o", "red.vdg"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "interrupted"
    assert [path.name for path in document.parent.iterdir()] == ["red.mtlx"]


def test_output_paths_are_checked_before_anything_else(tmp_path):
    (tmp_path / "folder.vdg").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(AssetError, match="got a folder"):
        files.asset_path(tmp_path / "folder.vdg")
    with pytest.raises(RenderError, match=r"\.png or \.exr"):
        files.image_path(tmp_path / "x.jpg")
    with pytest.raises(RenderError, match="cannot be made a folder"):
        files.output_folder(tmp_path / "file" / "below")
    assert files.output_folder(tmp_path / "a" / "b").is_dir()
    assert files.asset_path(tmp_path / "x.vdg") == tmp_path / "x.vdg"


@pytest.mark.parametrize("text", ["512", "0x5", "5x0", "axb", "9000x5", "-1x5", "5x5x5"])
def test_bad_sizes(text):
    with pytest.raises(RenderError, match="--size: expected WIDTHxHEIGHT"):
        files.parse_size(text)


def test_small_words():
    assert files.parse_size("640x480") == (640, 480)
    assert files.file_stem("M/King: B") == "M_King_B"
    assert files.file_stem("..") == "material"
    assert (time_left(123.4), time_left(3725), time_left(0.0)) == ("2:03 left", "1:02:05 left", "")


SCENE = """<scene version="3.0.0">
  <bsdf type="twosided" id="clay"><bsdf type="roughplastic"><float name="alpha" value="0.3" /></bsdf></bsdf>
  <bsdf type="diffuse" id="chalk" />
  <bsdf type="conductor" id="mirror" />
  <shape type="obj"><string name="filename" value="missing.obj" /><ref id="clay" /></shape>
</scene>
"""


@pytest.fixture
def scene(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "scene.xml"
    path.write_text(SCENE)
    return path


def test_a_mitsuba_scene_as_a_source(capsys, scene):
    line = fails(capsys, "bake", scene)
    assert "scene.xml" in line and "clay, chalk, mirror" in line
    line = fails(capsys, "bake", scene, "-m", "mirror")
    assert "mirror" in line and "roughconductor" in line
    assert run(["inspect", str(scene), "-m", "clay", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["name"], facts["closures"], facts["varying"]) == ("clay", {"RoughPlastic": 1}, False)
    assert run(["render", str(scene), "-m", "clay", "--size", "16x16", "--spp", "2"]) == 0
    assert capsys.readouterr().out.startswith("clay.png: 16x16")
    assert sorted(path.name for path in scene.parent.iterdir()) == ["clay.png", "scene.xml"]


def test_a_mitsuba_bsdf_bakes_and_compares(capsys, scene, monkeypatch):
    from verdigris.bake import config

    few = dict(uniform_samples=200_000, batch=1024, chunk_steps=32, report_samples=3000)
    monkeypatch.setattr(config, "preset", lambda name, preset=config.preset, **more: preset(name, **more, **few))
    assert run(["bake", str(scene), "-m", "clay", "--preset", "draft"]) == 0
    assert capsys.readouterr().out.startswith("clay.vdg: ")
    assert run(["compare", "clay.vdg", str(scene), "--size", "24x24", "--spp", "16", "--json"]) == 0
    out, err = capsys.readouterr()
    assert not err, "the asset's header says which BSDF it was"
    assert json.loads(out)["covered"]["psnr_db"] > 15


def test_settings_of_the_model():
    found = settings.changes(["hidden=16, 16", "frames=1", "cosine=false", "loss=log_l1", "auxiliary_hidden=8"])
    decoder = DecoderConfig(hidden=(16, 16), cosine=False)
    assert found == {"model": ModelConfig(frames=1, decoder=decoder), "loss": "log_l1", "auxiliary_hidden": (8,)}
    assert settings.changes(["features=wi,wo"])["model"].decoder.features == ("wi", "wo")
    found = settings.changes(["sampler_hidden=16", "sampler_lobes=1", "sampler_defensive=0.2", "sampler_share=0.5"])
    assert found == {"model": ModelConfig(sampler=SamplerConfig((16,), 1, 0.2)), "sampler_share": 0.5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hidden=16,x", "--set hidden: expected a whole number, got 'x'"),
        ("hidden=", "hidden: expected 1 or more widths"),
        ("cosine=maybe", "true or false"),
        ("frames=9", "frames: expected 0 to 4, got 9"),
        ("activation=tanh", "activation: expected one of relu"),
        ("model=3", "a name of activation, "),
        ("sampler_lobes=5", "--set: sampler_lobes: expected 1 to 4, got 5"),
        ("sampler_lobes=two", "--set sampler_lobes: expected a whole number, got 'two'"),
    ],
)
def test_bad_settings_of_the_model(text, message):
    with pytest.raises(BakeError, match=re.escape(message)):
        settings.changes([text])
