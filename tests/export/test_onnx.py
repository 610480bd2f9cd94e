"""ONNX graphs in onnxruntime against NumPy."""

import builtins
import subprocess
import sys

import numpy as np
import pytest

from export.shader_queries import close, random_queries
from export.test_languages import MATERIALS
from neural_samples import random_material, with_heads
from verdigris.errors import RuntimeMissing
from verdigris.export import onnx_target, package, targets
from verdigris.export.options import Options
from verdigris.model import ModelConfig
from verdigris.model.latents import fetch

runtime = pytest.importorskip("onnxruntime", reason="it runs ONNX graphs: pip install onnxruntime")
pytest.importorskip("onnx", reason="it writes ONNX graphs: pip install onnx")

ALL = {**MATERIALS, "no frames": lambda: with_heads(random_material(ModelConfig(3, 0)), ("opacity",))}


@pytest.mark.parametrize("name", ALL)
def test_graphs_give_numpys_numbers(name):
    material = ALL[name]()
    asked, made = random_queries(material), onnx_target.graphs(material)
    uv, wi, wo, u = asked.uv, asked.wi, asked.wo, asked.u
    latent = fetch(material.latents[0], uv)

    def run(graph, **inputs):
        return runtime.InferenceSession(made[f"{graph}.onnx"]).run(None, {"latent": latent} | inputs)

    for level in range(len(material.latents)):
        known = {"level": np.full((len(uv), 1), level, np.float32)} if material.far else {}
        answers = run("decoder", latent=fetch(material.latents[level], uv), wi=wi, wo=wo, **known)[0]
        close(answers, material.eval(uv, wi, wo, level), 1e-3, 1e-4)
    close(run("density", wi=wi, wo=wo)[0][:, 0], material.pdf(uv, wi, wo), 1e-3, 1e-4)
    drawn, pdf = run("sampler", wi=wi, u=u)
    expected_wo, expected_pdf, _ = material.sample(uv, wi, u)
    valid = expected_pdf > 0
    same = np.abs(drawn - expected_wo).max(axis=1) < 0.02
    assert same[valid].mean() > 0.998
    close(pdf[valid & same, 0], expected_pdf[valid & same], 1e-2, 1e-4)
    if "albedo" in material.heads:
        session = runtime.InferenceSession(made["heads.onnx"])
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(None, {"latent": latent, "wi": wi}), strict=True))
        close(found["albedo"], material.albedo(uv, wi), 1e-3, 1e-4)
        close(found["guide_normal"], material.guides(uv)[1], 1e-3, 1e-2)
        close(found["emission"], material.emission(uv), 1e-3, 1e-4)
    assert ("heads.onnx" in made) == bool(material.heads)


@pytest.mark.parametrize("name", MATERIALS)
def test_the_example_runs(name, tmp_path):
    material = MATERIALS[name]()
    package.write(material, "onnx", targets.make(material, "onnx", Options()), tmp_path / "out")
    command = [sys.executable, "example.py"]
    done = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True, check=True)
    numbers = np.array(done.stdout.split(), np.float32)
    wo, pdf, weight = material.sample([[0.5, 0.5]], [[0, 0, 1]], [[0.3, 0.6, 0.1]])
    np.testing.assert_allclose(numbers, [*wo[0], pdf[0], *(weight[0] * pdf[0])], rtol=1e-2, atol=1e-4)


def test_without_onnx_the_error_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def absent(name, *rest):
        if name == "onnx":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(RuntimeMissing, match=r"pip install 'verdigris\[onnx\]'"):
        targets.make(random_material(), "onnx", Options())
