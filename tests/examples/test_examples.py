"""The examples run, on budgets a test can afford."""

import importlib.util
from pathlib import Path

from verdigris.asset import load
from verdigris.bake.config import preset

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def module(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_bake_and_render(tmp_path):
    small = preset("draft", resolution=64, encode_samples=200_000, tune_samples=200_000, batch=4096, chunk_steps=8)
    module("01_bake_and_render").run(small, tmp_path)
    assert load(tmp_path / "brass.vdg").latents[0].shape == (64, 64, 8)
    assert (tmp_path / "brass.png").stat().st_size > 1000
