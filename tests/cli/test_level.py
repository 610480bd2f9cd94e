"""The option `--level` of render and compare."""

import json

import numpy as np
import pytest

from neural_samples import random_material
from verdigris.asset import save
from verdigris.cli.main import run
from verdigris.model import Metadata
from verdigris.render.image import read_image


@pytest.fixture
def pyramid(tmp_path):
    """An asset whose level 6 is one texel; a plane of few pixels asks for coarse ones."""
    path = tmp_path / "pyramid.vdg"
    save(random_material(finest=(64, 64), levels=7, metadata=Metadata(name="pyramid")), path)
    return path


def test_a_forced_level(pyramid, monkeypatch):
    """The finest level varies over a plane, the coarsest has one texel: each is what was asked for, beyond it the last.
    Neither is what footprints choose."""
    monkeypatch.chdir(pyramid.parent)
    options, pictures = ["--scene", "plane", "--size", "24x16", "--spp", "4"], {}
    for name, level in {"finest": [0], "coarsest": [6], "beyond": [7.5], "footprint": []}.items():
        wanted = [f"--level={number}" for number in level]
        assert run(["render", str(pyramid), *options, *wanted, "-o", f"{name}.exr"]) == 0
        pictures[name] = read_image(f"{name}.exr")
    # Equal but for the order in which threads add up the samples of a pixel.
    np.testing.assert_allclose(pictures["coarsest"], pictures["beyond"], rtol=1e-5)
    assert not np.allclose(pictures["coarsest"], pictures["finest"], rtol=1e-2)
    assert not np.allclose(pictures["footprint"], pictures["finest"], rtol=1e-2)


def test_a_forced_level_in_a_comparison(capsys, document, pyramid):
    metrics = []
    for level in ("0", "6"):
        options = ["--scene", "plane", "--size", "24x16", "--spp", "4", "--level", level, "--json"]
        assert run(["compare", str(pyramid), str(document), *options]) == 0
        metrics.append(json.loads(capsys.readouterr().out)["covered"]["flip"])
    assert metrics[0] != metrics[1]


@pytest.mark.parametrize("level", ["-1", "nan", "inf"])
def test_levels_out_of_range(capsys, document, pyramid, level):
    message = f"level: expected 0 or more, got {level}"
    for command in (["render", str(pyramid)], ["compare", str(pyramid), str(document)]):
        assert run([*command, f"--level={level}", "--size", "8x8", "--spp", "1"]) == 1
        assert capsys.readouterr().err.splitlines()[-1] == f"error: {message}"


def test_levels_that_are_none(capsys, document, pyramid):
    assert run(["render", str(pyramid), "--level", "fine"]) == 2
    assert "--level" in capsys.readouterr().err
    assert run(["render", str(document), "--level", "0"]) == 1
    assert "has no levels" in capsys.readouterr().err
    assert not list(document.parent.glob("*.png"))
