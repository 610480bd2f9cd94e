"""The node material in three.js itself, rendered in a browser, against NumPy; and its files."""

import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from export import three_page, wgsl_runner
from export.shader_queries import close
from export.three_page import View
from neural_samples import coded, random_material, with_far, with_heads
from verdigris.export import package, targets, threejs
from verdigris.export.options import Options
from verdigris.model import DecoderConfig, ModelConfig, SamplerConfig
from verdigris.model.latents import footprint_level

LEVELS = 3
SMALL = ModelConfig(decoder=DecoderConfig((8,)), sampler=SamplerConfig((4,)))


@pytest.fixture(scope="module")
def material():
    return with_far(with_heads(random_material(SMALL, finest=(16, 32), levels=LEVELS), hidden=(4,)))


def exported(material, folder, options=None):
    package.write(material, "threejs", targets.make(material, "threejs", options or Options()), folder)
    return folder


@pytest.fixture(scope="module")
def folder(material, tmp_path_factory):
    return exported(material, tmp_path_factory.mktemp("three") / "out")


@pytest.fixture(scope="module")
def site(browser):
    with three_page.site(browser) as opened:
        yield opened


def direct(material, picture, position, level=0):
    """The response to light from a place, and the distance of it."""
    away = np.asarray(position) - picture.position
    distance = np.linalg.norm(away, axis=1, keepdims=True)
    return material.eval(picture.uv, picture.wi, picture.local(away / distance), level), distance


@pytest.mark.slow
@pytest.mark.parametrize("factors", [(0.06, 0.05), (-0.06, 0.05)], ids=["plain", "mirrored"])
def test_lights_give_numpys_numbers(site, folder, material, factors):
    sun, lamp = (0.5, 1.0, 2.0), (-0.7, 0.2, 1.1)
    view = View(uv=(factors, (0.2, 0.7)), lights=(("DirectionalLight", 3, sun), ("PointLight", 5, lamp)))
    picture = three_page.render(site, folder, view)
    assert len(picture.uv) > 4096
    by_sun = material.eval(picture.uv, picture.wi, picture.local(sun / np.linalg.norm(sun)), 0)
    by_lamp, distance = direct(material, picture, lamp)
    expected = 3 * by_sun + 5 * by_lamp / distance**2 + material.emission(picture.uv, 0)
    # The rasteriser puts corners on a grid of parts of a pixel: four times the pixels a side give a quarter of this.
    close(picture.colour[:, :3], expected, 3e-3, 1e-3)
    close(picture.colour[:, 3], material.opacity(picture.uv, 0), 3e-3, 1e-3)


@pytest.mark.slow
def test_levels_follow_the_footprint(site, material, tmp_path):
    even = replace(material, latents=tuple(np.broadcast_to(level[0, 0], level.shape) for level in material.latents))
    sun, light = 2.0, (0.3, 0.4, 3.0)
    view = View(uv=((7.2, 9.1), (0.2, 0.7)), lights=(("DirectionalLight", sun, light),))
    picture = three_page.render(site, exported(even, tmp_path / "out"), view)
    toward = picture.local(light / np.linalg.norm(light))
    answers = [
        sun * even.eval(picture.uv, picture.wi, toward, level) + even.emission(picture.uv, level)
        for level in range(LEVELS)
    ]
    error = np.array([np.abs(picture.colour[:, :3] / answer - 1).max(axis=1) for answer in answers])
    assert error.min(axis=0).max() < 2e-3
    rows = {tuple(pixel): row for row, pixel in enumerate(picture.pixel)}
    right, above = ([rows.get((x + dx, y + dy), -1) for x, y in picture.pixel] for dx, dy in ((1, 0), (0, 1)))
    inside = (np.array(right) >= 0) & (np.array(above) >= 0)
    across, along = (picture.uv[np.array(to)[inside]] - picture.uv[inside] for to in (right, above))
    expected = np.clip(footprint_level(across, along, 16, 32), 0, LEVELS - 1)
    assert 0.2 < expected.mean() % 1 < 0.8
    found = error.argmin(axis=0)[inside]
    assert (np.abs(found - expected) < 1.1).mean() > 0.99
    assert abs(found.mean() - expected.mean()) < 0.05


@pytest.mark.slow
def test_ambient_light_sees_the_albedo(site, folder, material):
    picture = three_page.render(site, folder, View(lights=(("AmbientLight", 2, (0, 0, 0)),)))
    expected = material.albedo(picture.uv, picture.wi, 0) * 2 / np.pi + material.emission(picture.uv, 0)
    close(picture.colour[:, :3], expected, 3e-3, 1e-3)


def sampled(material, picture, samples):
    """The mean weight of the samples that the module draws."""
    found = []
    for index in range(samples):
        u = np.float32((index + 0.5) * np.array([0.8191725133961645, 0.6710436067037893, 0.5497004779019703]) % 1)
        found.append(material.sample(picture.uv, picture.wi, np.tile(u, (len(picture.uv), 1)), 0)[2])
    return np.mean(found, axis=0)


@pytest.mark.slow
def test_an_environment_is_sampled(site, folder, material):
    picture = three_page.render(site, folder, View(environment=1.5, parameters={"samples": 8}))
    expected = 1.5 * sampled(material, picture, 8) + material.emission(picture.uv, 0)
    error = np.abs(picture.colour[:, :3] / expected - 1).max(axis=1)
    # An environment is kept in halves; at an edge between lobes a sample may be another.
    assert np.quantile(error, 0.98) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("options", [Options(), Options(codes=True)], ids=["halves", "codes"])
def test_without_heads(site, tmp_path, options):
    plain = random_material()
    plain = coded(plain, 8) if options.codes else plain
    lights = (("AmbientLight", 2, (0, 0, 0)), ("DirectionalLight", 1, (0, 0, 1)))
    view = View(lights=lights, parameters={"samples": 4})
    picture = three_page.render(site, exported(plain, tmp_path / "out", options), view)
    expected = sampled(plain, picture, 4) * 2 / np.pi
    expected += plain.eval(picture.uv, picture.wi, picture.local(np.array([0, 0, 1])), 0)
    error = np.abs(picture.colour[:, :3] / expected - 1).max(axis=1)
    assert np.quantile(error, 0.98) < 0.01 and (picture.colour[:, 3] == 1).all()


@pytest.mark.slow
def test_the_example_shows_a_sphere(site, folder):
    complaints = []
    page = site.page
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    site.visit(folder, "index.html")
    page.wait_for_function("document.querySelector('canvas') && !document.getElementById('message').textContent")
    assert len(page.screenshot(timeout=120_000)) > 4000 and not complaints


@pytest.mark.slow
def test_latents_of_another_asset_are_refused(site, folder):
    page = site.visit(folder)
    with pytest.raises(Exception, match=r"latents\.bin: expected 10752 bytes, got 10"):
        page.evaluate("async () => (await import('/material.js')).latentTextures(new ArrayBuffer(10))")
    with pytest.raises(Exception, match=r"https://localhost/no\.bin: 404"):
        page.evaluate(
            "async () => (await import('/material.js')).NeuralMaterial.load({ url: 'https://localhost/no.bin' })"
        )


def test_modules_are_javascript_and_their_functions_wgsl(material, folder, tmp_path):
    if shutil.which("node"):
        for name in ("material.js", "shader.js", "example.js"):
            (tmp_path / "module.mjs").write_bytes((folder / name).read_bytes())
            subprocess.run(["node", "--check", str(tmp_path / "module.mjs")], check=True, capture_output=True)
    assert "`" not in threejs.module(material) and "${" not in threejs.module(material)
    assert wgsl_runner.device().create_shader_module(code=threejs.module(material))


def test_the_page_asks_for_the_version_that_is_tested(folder):
    assert (folder / "index.html").read_text().count(f"three@{threejs.THREE}/") == 4
    assert "three.js r187" in (folder / "README.md").read_text()


def test_the_tested_version_is_the_documented_one():
    listed = json.loads((three_page.HERE.parent / "tools" / "package.json").read_text())
    assert listed["devDependencies"]["three"] == threejs.THREE
