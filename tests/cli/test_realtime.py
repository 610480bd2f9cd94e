"""`verdigris render --realtime` and `--denoise`: what they print and write, and their errors."""

import json

import numpy as np
import pytest

from neural_samples import random_material, with_heads
from verdigris.asset import save
from verdigris.cli.main import run
from verdigris.render import denoise as denoising
from verdigris.render.image import read_image

SMALL = ("--size", "16x12")


@pytest.fixture
def asset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tin.vdg"
    save(with_heads(random_material(), ("guides",)), path)
    return path


def test_times_are_told_and_the_last_frame_is_written(asset, capsys):
    assert run(["render", str(asset), "--realtime", *SMALL, "--frames", "3", "--turn", "10", "-o", "last.exr"]) == 0
    out = capsys.readouterr().out
    assert "3 frames of 16x12, 1 samples a pixel" in out and "0 kernels compiled, 0 frames traced again" in out
    assert read_image("last.exr").shape == (12, 16, 3)


def test_times_as_json_and_no_picture_unless_asked(asset, capsys, tmp_path):
    options = ("--frames", "4", "--hold", "2", "--spp", "2", "--denoise", "--json")
    assert run(["render", str(asset), "--realtime", *SMALL, *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["frames"], told["spp"], told["size"], told["denoised"]) == (4, 2, [16, 12], True)
    assert told["compiled"] == told["traced_again"] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["tin.vdg"]


def test_a_still_is_denoised(asset, capsys):
    pictures = []
    for spp, options in ((4, ()), (4, ("--denoise",)), (512, ())):
        assert run(["render", str(asset), *SMALL, "--spp", str(spp), "-o", "still.exr", *options]) == 0
        pictures.append(read_image("still.exr"))
    capsys.readouterr()
    noisy, denoised, clean = pictures
    assert np.abs(denoised - clean).mean() < np.abs(noisy - clean).mean()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--frames", "3"], "--frames: expected --realtime beside it"),
        (["--turn", "3"], "--turn: expected --realtime beside it"),
        (["--hold", "3"], "--hold: expected --realtime beside it"),
        (["--json"], "--json: expected --realtime beside it"),
        (["--realtime", "--aov", "albedo"], "--aov: expected none beside --realtime"),
        (["--realtime", "--frames", "0"], "frames: expected 1 to"),
        (["--realtime", "--spp", "0"], "spp: expected 1 to"),
        (["--realtime", "-o", "x.gif"], ".png or .exr"),
        (["--realtime", "--scene", "moon"], "scene"),
    ],
)
def test_wrong_options_are_one_line(asset, capsys, options, message):
    assert run(["render", str(asset), *SMALL, *options]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1 and message in err


def test_a_missing_denoiser_is_one_line(asset, capsys, monkeypatch, tmp_path):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(denoising, "import_module", absent)
    assert run(["render", str(asset), *SMALL, "--denoise"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "pip install 'verdigris[denoise]'" in err
    assert [path.name for path in tmp_path.iterdir()] == ["tin.vdg"]
