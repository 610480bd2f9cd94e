"""Mitsuba BSDFs as sources: found in scenes, equal to what Mitsuba evaluates, refused where they cannot be learnt."""

import gc
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from directions import direction, random_directions
from verdigris.errors import GraphError
from verdigris.materials import mitsuba_source, texture_budget
from verdigris.materials.mitsuba_material import MitsubaMaterial
from verdigris.runtime import mitsuba

UP = direction(0.0)

SCENE = """<scene version="3.0.0">
  <default name="alpha" value="0.3" />
  <integrator type="path" />
  <bsdf type="diffuse" id="clay"><rgb name="reflectance" value="0.2, 0.5, 0.1" /></bsdf>
  <bsdf type="twosided" id="coat"><bsdf type="roughplastic" id="inner">
    <float name="alpha" value="$alpha" /><ref id="picture" name="diffuse_reflectance" />
  </bsdf></bsdf>
  <texture type="bitmap" id="picture"><string name="filename" value="a.png" /></texture>
  <bsdf type="dielectric" id="glass" />
  <shape type="obj"><string name="filename" value="none.obj" /><ref id="coat" /></shape>
  <shape type="sphere"><bsdf type="roughconductor" /></shape>
</scene>
"""


@pytest.fixture
def scene(tmp_path) -> Path:
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[0, :, 0] = 255
    pixels[:, 0, 1] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    path = tmp_path / "scene.xml"
    path.write_text(SCENE)
    return path


def bitmap(channels: int = 3, seed: int = 1, **more) -> dict:
    pixels = np.random.default_rng(seed).random((8, 4, channels), dtype=np.float32)
    return {"type": "bitmap", "bitmap": mitsuba().Bitmap(pixels), "raw": True, **more}


def refused(source, *words: str, material: str | None = None, roots=None) -> None:
    with pytest.raises(GraphError) as caught:
        mitsuba_source.load(source, material, roots)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_a_scene_lists_what_stands_in_no_other_bsdf(scene) -> None:
    assert mitsuba_source.names(scene) == ["clay", "coat", "glass", "bsdf-4"]
    refused(scene, "scene.xml", "-m", "clay, coat, glass, bsdf-4")
    refused(scene, "no BSDF 'gold'", "clay, coat", material="gold")
    refused(scene, "no BSDF 'picture'", material="picture")


def test_one_bsdf_loads_without_the_rest_of_the_scene(scene) -> None:
    """The mesh that the scene names does not exist."""
    material = mitsuba_source.load(scene, "coat")
    assert (material.name, material.source["uri"], material.source["material"]) == ("coat", "scene.xml", "coat")
    assert (material.varying, material.native_resolution, material.parameter_count) == (True, 4, 3)
    assert not mitsuba_source.load(scene, "clay").varying
    assert mitsuba_source.load(scene, "inner").varying and mitsuba_source.load(scene, "bsdf-4").name == "bsdf-4"
    before = material.source["sha256"]
    Image.new("RGB", (4, 4)).save(scene.parent / "a.png")
    assert mitsuba_source.load(scene, "coat").source["sha256"] != before


def test_a_file_may_hold_a_bsdf_alone(tmp_path) -> None:
    path = tmp_path / "gold.xml"
    path.write_text('<bsdf version="3.0.0" type="roughconductor"><string name="material" value="Au" /></bsdf>')
    assert mitsuba_source.names(path) == ["gold"]
    assert mitsuba_source.load(path).name == "gold"


def test_the_texture_is_the_right_way_up(scene) -> None:
    """Top row red, left column green, v upwards: as the same image in a MaterialX document."""
    material = mitsuba_source.load({"type": "diffuse", "reflectance": {"type": "bitmap", "filename": "a.png"}},
                                   roots=[scene.parent])  # fmt: skip
    uv = np.array([(0.625, 0.875), (0.625, 0.125), (0.125, 0.375), (0.875, 0.375)], np.float32)
    ones = np.repeat(UP[None], 4, 0)
    got = material.eval(uv, ones, ones) * np.pi
    np.testing.assert_allclose(got[:, 0], [1, 0, 0, 0], atol=1e-5)
    np.testing.assert_allclose(got[:, 1], [0, 0, 1, 0], atol=1e-5)
    mi = mitsuba()
    columns = mi.Point2f(np.ascontiguousarray(uv.T))
    np.testing.assert_allclose(np.array(material.parameters_dr(columns))[:2], got[:, :2].T, atol=1e-5)


PRINCIPLED = {"type": "principled", "roughness": 0.4, "metallic": 0.3, "clearcoat": 0.5}


@pytest.mark.parametrize(
    "source",
    [
        {"type": "diffuse"},
        {"type": "roughplastic", "alpha": 0.2, "nonlinear": True},
        {"type": "roughconductor", "material": "Cu", "alpha_u": 0.1, "alpha_v": 0.4},
        PRINCIPLED,
        {"type": "blendbsdf", "weight": 0.3, "a": {"type": "diffuse"}, "b": {"type": "roughconductor"}},
        {"type": "normalmap", "normalmap": {"type": "rgb", "value": (0.7, 0.5, 0.9)}, "b": {"type": "diffuse"}},
    ],
    ids=lambda source: source["type"],
)
def test_the_trio_is_mitsubas(source, rng) -> None:
    mi, dr = mitsuba(), import_module("drjit")
    material = mitsuba_source.load(source)
    n = 2000
    uv = rng.random((n, 2), dtype=np.float32)
    wi, wo = random_directions(rng, n), random_directions(rng, n)
    si = dr.zeros(mi.SurfaceInteraction3f, n)
    si.uv = mi.Point2f(uv[:, 0], 1 - uv[:, 1])
    si.sh_frame = mi.Frame3f(mi.Vector3f(1, 0, 0), mi.Vector3f(0, 1, 0), mi.Normal3f(0, 0, 1))
    si.dp_du, si.dp_dv, si.n = mi.Vector3f(1, 0, 0), mi.Vector3f(0, -1, 0), mi.Normal3f(0, 0, 1)
    si.wi = mi.Vector3f(wi.T.copy())
    bsdf, context, out = mi.load_dict(source), mi.BSDFContext(), mi.Vector3f(wo.T.copy())
    np.testing.assert_allclose(material.eval(uv, wi, wo), np.array(bsdf.eval(context, si, out)).T, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(material.pdf(uv, wi, wo), np.array(bsdf.pdf(context, si, out)), rtol=1e-4, atol=1e-6)
    drawn, pdf, weight = material.sample(uv, wi, rng.random((n, 3)))
    good = pdf > 0
    assert good.mean() > 0.5 and (drawn[good, 2] > 0).all()
    np.testing.assert_allclose(pdf[good], material.pdf(uv, wi, drawn)[good], rtol=1e-4)
    assert np.isfinite(weight).all() and weight.mean(0).max() <= 1.02
    below = material.eval(uv, wi, -wo).any() or material.eval(uv, -wi, wo).any() or material.pdf(uv, wi, -wo).any()
    assert not below


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"type": "dielectric"}, ("light that passes through", "SmoothDielectric")),
        ({"type": "roughdielectric"}, ("light that passes through", "RoughDielectric")),
        ({"type": "principled", "spec_trans": 0.5}, ("light that passes through", "Principled")),
        ({"type": "conductor"}, ("perfectly smooth", "roughconductor")),
        ({"type": "plastic"}, ("perfectly smooth", "roughplastic")),
        ({"type": "diffuse", "reflectance": {"type": "mesh_attribute", "name": "vertex_color"}}, ("mesh_attribute",)),
        ({"type": "bumpmap", "t": {"type": "checkerboard"}, "b": {"type": "diffuse"}}, ("cannot be evaluated",)),
        ({"type": "nonsense"}, ("nonsense",)),
        ({"type": "diffuse", "bogus": 1.0}, ("bogus",)),
        ({"type": "sphere"}, ("expected a BSDF",)),
        ({}, ("dict",)),
    ],
)
def test_what_cannot_be_a_source(source, words: tuple[str, ...]) -> None:
    refused(source, "dict", *words)


def test_files_that_cannot_be_read(tmp_path, scene) -> None:
    refused(tmp_path / "absent.xml", "absent.xml", "no such file")
    broken = tmp_path / "broken.xml"
    broken.write_text("<scene version='3.0.0'><bsdf")
    refused(broken, "broken.xml", "cannot be read as a Mitsuba scene")
    (scene.parent / "a.png").unlink()
    refused(scene, "scene.xml", "coat", "'filename'", "no file a.png", material="coat")


def test_files_stay_inside_the_roots(tmp_path, scene) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    moved = inside / "scene.xml"
    moved.write_text(SCENE.replace("a.png", "../a.png"))
    refused(moved, "bitmap: parameter 'filename'", "leaves the asset roots", material="coat")
    assert mitsuba_source.load(moved, "coat", [tmp_path, inside]).native_resolution == 4
    (tmp_path / "part.xml").write_text('<scene version="3.0.0"><bsdf type="diffuse" id="far" /></scene>')
    moved.write_text('<scene version="3.0.0"><include filename="../part.xml" /></scene>')
    refused(moved, "include", "leaves the asset roots")


def test_large_textures_are_refused_before_they_are_read(scene, monkeypatch) -> None:
    monkeypatch.setattr(texture_budget, "MAX_SIDE", 2)
    refused(scene, "coat", "'filename'", "at most 2 texels, got 4 x 4", material="coat")


def large(channels: int) -> np.ndarray:
    """512 x 512 texels: 4 MiB as float32 with three channels, which are stored as four; 1 MiB with one."""
    return np.full((512, 512, channels), 0.5, np.float32)


def in_memory(kind: str, channels: int = 3) -> dict:
    """A diffuse BSDF whose reflectance is in memory, as one of the forms that a dictionary may hold."""
    mi, pixels = mitsuba(), large(channels)
    given = {"bitmap": mi.Bitmap(pixels)} if kind != "data" else {"data": mi.TensorXf(pixels)}
    texture = {"type": "bitmap", "raw": True, **given}
    if kind in ("bitmap", "data"):
        return {"type": "diffuse", "reflectance": texture}
    if kind == "texture":
        return {"type": "diffuse", "reflectance": mi.load_dict(texture)}
    bsdf = mi.load_dict({"type": "diffuse", "reflectance": texture})
    return {"type": "twosided", "b": bsdf} if kind == "nested" else bsdf


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("bitmap", "dict: diffuse: bitmap: parameter 'bitmap':"),
        ("data", "dict: diffuse: bitmap: parameter 'data':"),
        ("texture", "dict: diffuse: a bitmap in memory:"),
        ("nested", "dict: twosided: a bitmap in memory:"),
        ("object", "SmoothDiffuse: a bitmap in memory:"),
    ],
)
def test_bitmaps_in_memory_are_charged(monkeypatch, kind: str, where: str) -> None:
    monkeypatch.setenv("VERDIGRIS_TEXTURE_MIB", "4")
    assert mitsuba_source.load(in_memory(kind)).native_resolution == 512
    monkeypatch.setenv("VERDIGRIS_TEXTURE_MIB", "3")
    refused(in_memory(kind), where, "at most 3 MiB", "got 4 MiB with this one of 512 x 512")
    assert mitsuba_source.load(in_memory(kind, channels=1)).native_resolution == 512
    monkeypatch.setattr(texture_budget, "MAX_SIDE", 256)
    refused(in_memory(kind, channels=1), where, "at most 256 texels, got 512 x 512")


def test_bitmaps_in_memory_share_the_budget_of_files(tmp_path, monkeypatch) -> None:
    Image.new("RGB", (512, 512)).save(tmp_path / "a.png")
    held = in_memory("bitmap")["reflectance"]
    twice = {"type": "blendbsdf", "weight": held, "a": in_memory("texture"), "b": {"type": "diffuse"}}
    twice["b"]["reflectance"] = {"type": "bitmap", "filename": "a.png"}
    monkeypatch.setenv("VERDIGRIS_TEXTURE_MIB", "12")
    assert mitsuba_source.load(twice, roots=[tmp_path]).native_resolution == 512
    monkeypatch.setenv("VERDIGRIS_TEXTURE_MIB", "11")
    refused(twice, "dict: blendbsdf: bitmap: parameter", "at most 11 MiB", "got 12 MiB", roots=[tmp_path])


def test_one_object_that_is_read_twice_is_charged_once(monkeypatch) -> None:
    texture = in_memory("texture")["reflectance"]
    both = {"type": "blendbsdf", "weight": 0.5, "a": {"type": "diffuse", "reflectance": texture}}
    both["b"] = {"type": "roughconductor", "specular_reflectance": texture}
    monkeypatch.setenv("VERDIGRIS_TEXTURE_MIB", "4")
    assert mitsuba_source.load(both).native_resolution == 512


def test_an_object(rng) -> None:
    mi = mitsuba()
    material = mitsuba_source.load(mi.load_dict({**PRINCIPLED, "base_color": bitmap()}))
    assert isinstance(material, MitsubaMaterial)
    assert material.varying and material.native_resolution == 8
    with pytest.raises(GraphError, match="got int"):
        mitsuba_source.load(5)


def test_varying_parameters_are_textures(rng) -> None:
    normal = {"type": "normalmap", "normalmap": bitmap(), "b": {**PRINCIPLED, "roughness": bitmap(1)}}
    material = mitsuba_source.load({"type": "twosided", "b": normal})
    assert (material.parameter_count, material.describe()["channels"], material.describe()["textures"]) == (4, 4, 2)
    assert sorted((part.kind, part.width) for part in material.inputs) == [("normal_map", 3), ("value", 1)]
    assert (material.emission(rng.random((3, 2))) == 0).all() and (material.opacity(rng.random((3, 2))) == 1).all()
    nested = mitsuba_source.load({"type": "diffuse", "reflectance": {"type": "checkerboard", "color0": bitmap()}})
    assert (nested.parameter_count, nested.native_resolution) == (3, 8)


def test_a_mask_is_a_signal_of_its_own() -> None:
    cut = {"type": "mask", "opacity": bitmap(1), "b": {"type": "diffuse"}}
    material, uv = mitsuba_source.load(cut), np.array([[0.125, 0.9375], [0.375, 0.0625]], np.float32)
    assert material.cuts_out and material.signals_vary and not material.warnings and not material.varying
    pixels = np.random.default_rng(1).random((8, 4, 1), dtype=np.float32)
    np.testing.assert_allclose(material.opacity(uv), [pixels[0, 0, 0], pixels[7, 1, 0]], rtol=1e-5)
    np.testing.assert_allclose(material.eval(uv, UP[None].repeat(2, 0), UP[None].repeat(2, 0)) * np.pi, 0.5, rtol=1e-5)


def test_a_bump_is_over_the_unit_square() -> None:
    material = mitsuba_source.load({"type": "bumpmap", "map": bitmap(1), "b": {"type": "diffuse"}})
    assert material.varying and "unit square" in material.warnings[0]


@pytest.fixture
def no_other_bsdfs() -> None:
    """Frees what earlier tests left: Mitsuba traces every BSDF that is alive, also those that cannot be evaluated."""
    gc.collect()


def test_a_render_of_the_source_is_a_render_of_the_bsdf(no_other_bsdfs: None) -> None:
    """The border to Mitsuba and back (v upwards, mirrored frames) changes nothing: textures and normals included."""
    from verdigris.render.pathtrace import render

    normals = np.full((8, 8, 3), (0.5, 0.5, 1.0), np.float32)
    normals[2:5, 1:4] = (0.75, 0.6, 0.9)
    plain = {
        "type": "normalmap",
        "normalmap": {"type": "bitmap", "bitmap": mitsuba().Bitmap(normals), "raw": True},
        "b": {"type": "roughconductor", "alpha_u": 0.1, "alpha_v": 0.5, "specular_reflectance": bitmap()},
    }
    images = [render(source, "sphere", (48, 48), 64, seed=3) for source in (plain, mitsuba_source.load(plain))]
    assert images[0].std() > 0.05
    # Equal random numbers, but the two draw directions by other paths of the same code: rounding may part them.
    assert np.median(np.abs(images[0] - images[1])) < 1e-3
    np.testing.assert_allclose(images[1].mean(axis=(0, 1)), images[0].mean(axis=(0, 1)), rtol=0.01)
