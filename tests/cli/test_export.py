"""`verdigris export` from the command line: what it prints, and its errors of one line."""

import json

import pytest

import verdigris
from asset_samples import GOLDEN, forged
from verdigris.cli.main import run


def failed(capsys, *arguments):
    assert run(["export", *map(str, arguments)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_it_says_what_it_wrote(tmp_path, capsys):
    assert run(["export", str(GOLDEN), "--target", "wgsl", "-o", str(tmp_path / "out"), "--prefix", "tiny"]) == 0
    assert "files for WGSL" in capsys.readouterr().out
    assert "fn tiny_eval(" in (tmp_path / "out" / "material.wgsl").read_text()
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["name"] == verdigris.load(GOLDEN).metadata.name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "opencl"], "error: --target: expected one of wgsl, "),
        (["--target", "wgsl", "--weights", "paper"], "error: weights: expected literals or buffer, got 'paper'"),
        (["--target", "wgsl", "--prefix", "A"], "error: prefix: expected up to 31 lower-case letters and digits"),
    ],
)
def test_wrong_options(tmp_path, capsys, arguments, message):
    assert failed(capsys, GOLDEN, "-o", tmp_path / "out", *arguments).startswith(message)
    assert not (tmp_path / "out").exists()


def test_an_asset_of_a_newer_schema(tmp_path, capsys):
    newer = tmp_path / "newer.vdg"
    newer.write_bytes(forged(lambda parts: parts.manifest.update(schema=99)))
    assert "schema" in failed(capsys, newer, "--target", "wgsl", "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_asset(tmp_path, capsys):
    assert "expected a .vdg file" in failed(capsys, "brass.mtlx", "--target", "wgsl", "-o", tmp_path / "out")
