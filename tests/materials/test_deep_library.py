"""The five deep materials: their counts, their textures, and that they evaluate within the laws."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from directions import random_directions
from verdigris.materials.library import names, textures
from verdigris.materials.reference import load_reference

MINIMA = {
    "ceramic_teapot": (37, 5, 121),
    "teapot_handle": (41, 2, 91),
    "slicer_handle": (20, 5, 43),
    "slicer_blade": (54, 3, 114),
    "inkwell_brass": (49, 5, 143),
}
"""(nodes, layers, parameters) of table 1 of Zeltner et al. (2024), whose kind these materials reproduce."""

NORMAL_MAPS = {"ceramic_teapot": 5, "teapot_handle": 4, "slicer_handle": 4, "slicer_blade": 4, "inkwell_brass": 6}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """A folder of this module's own, so that a test draws what the code draws now."""
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


@pytest.fixture(scope="module", params=sorted(MINIMA))
def material(request):
    return load_reference(f"library:{request.param}@512")


def test_the_five_are_listed():
    assert set(MINIMA) < set(names())


def test_a_material_is_as_deep_as_the_paper_says(material):
    facts = material.describe()
    nodes, layers, parameters = MINIMA[material.name]
    assert facts["nodes"] >= nodes
    assert facts["layers"] >= layers
    assert facts["parameters"] >= parameters
    assert facts["warnings"] == []


def test_the_library_is_walked_unless_told_otherwise(material):
    assert material.layering == material.source["layering"] == "walk" and material.stochastic
    scaled = load_reference(f"library:{material.name}@512", layering="scale")
    assert not scaled.stochastic
    assert set(material.scaled_layers) < set(scaled.scaled_layers)
    asked = load_reference(f"library:{material.name}@512", layering="walk")
    assert [line.split(":")[0] for line in asked.warnings] == list(material.scaled_layers)


def test_textures_drive_nearly_every_parameter(material):
    constant = {
        "weight",
        "tint",
        "tangent",
        "thinfilm_thickness",
        "thinfilm_ior",
        "scatter_mode",
        "mode",
        "anisotropy",
        "ior",
    }
    constant |= {"energy_compensation", "retroreflective", "distribution", "extinction", "scattering"}
    for node in material.graph.nodes.values():
        if node.type in ("BSDF", "VDF") and node.category not in ("layer", "mix", "multiply"):
            fixed = {name for name in node.inputs if name not in constant} - {
                name for name, value in node.inputs.items() if hasattr(value, "node")
            }
            assert not fixed, f"{node.path}: {fixed}"


def test_every_layer_has_a_normal_map_of_its_own(material):
    maps = {node.path for node in material.graph.nodes.values() if node.category == "normalmap"}
    assert len(maps) >= NORMAL_MAPS[material.name]


def test_values_are_finite_and_conserve_energy(material, rng):
    n, per = 200, 512
    uv = np.repeat(rng.random((n, 2)), per, axis=0).astype(np.float32)
    wi = np.repeat(random_directions(rng, n, 0.15), per, axis=0)
    wo, pdf, weight = material.sample(uv, wi, rng.random((n * per, 3)).astype(np.float32))
    assert np.isfinite(weight).all()
    assert (weight >= 0).all()
    albedo = np.where(pdf[:, None] > 0, weight, 0).reshape(n, per, 3)
    mean, error = albedo.mean(axis=1), albedo.std(axis=1) / np.sqrt(per)
    assert (mean - 4 * error <= 1.02).all(), f"worst {(mean - 4 * error).max():.3f}"
    assert mean.max() > 0.2


def test_it_varies_and_has_colour_of_its_own(material, rng):
    uv = rng.random((4096, 2)).astype(np.float32)
    up, slant = np.array([[0, 0, 1]], np.float32), np.array([[0.6, 0, 0.8]], np.float32)
    value = material.eval(uv, np.repeat(up, 4096, 0), np.repeat(slant, 4096, 0))
    assert (value.std(axis=0) > 0.15 * value.mean(axis=0)).all()
    assert value.max() < 1e3


@pytest.mark.parametrize("name", sorted(MINIMA))
def test_textures_are_those_that_the_document_names(name):
    text = (Path(textures.__file__).parent / f"{name}.mtlx").read_text(encoding="utf-8")
    assert ET.fromstring(text).get("version") == "1.39"
    used = {file.removesuffix(".png") for file in re.findall(r'value="([^"]+\.png)"', text)}
    drawn = dict(textures.draw(name, 256))
    assert set(drawn) == used
    for stem, image in drawn.items():
        assert image.shape[:2] == (256, 256)
        assert image.dtype == (np.uint16 if stem.endswith("_normal") else np.uint8), stem


@pytest.mark.parametrize("resolution", [512, 1024])
def test_textures_repeat_without_a_seam_and_come_out_the_same(resolution):
    first = dict(textures.draw("slicer_blade", resolution))
    again = dict(textures.draw("slicer_blade", resolution))
    for stem, image in first.items():
        assert np.array_equal(image, again[stem]), stem
        values = image.astype(float)
        for axis in (0, 1):
            rows = np.moveaxis(values, axis, 0)
            steps = np.abs(np.diff(rows, axis=0)).reshape(resolution - 1, -1).mean(axis=1)
            assert np.abs(rows[0] - rows[-1]).mean() <= steps.max() * 1.001, f"{stem}, axis {axis}"


def test_a_coarse_texture_is_the_mean_of_a_fine_one():
    fine, coarse = (dict(textures.draw("teapot_handle", side)) for side in (1024, 256))
    for stem in ("tarnish_map", "dirt_color"):
        mean = np.asarray(Image.fromarray(fine[stem]).resize((256, 256), Image.Resampling.BOX), float)
        assert np.abs(mean - coarse[stem]).mean() < 4, stem
    normal = coarse["metal_normal"] / 32767.5 - 1
    assert np.abs(np.linalg.norm(normal, axis=-1) - 1).max() < 1e-3


def test_the_page_gives_the_counts(material):
    page = (Path(__file__).parents[2] / "docs" / "library.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| {material.name} |"))
    facts = material.describe()
    assert [int(cell) for cell in row.split("|")[3:6]] == [facts[key] for key in ("nodes", "layers", "parameters")]
