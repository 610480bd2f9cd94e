"""The reference: orientation of textures, colour, levels, documents of every kind, the trio on NumPy."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from directions import direction, random_directions
from mtlx_documents import closure_node, write_document
from verdigris.materials.reference import load_reference, material_names

GLASS = "standard_surface_glass.mtlx"
UP = direction(0.0)


def documents() -> list[tuple[str, str]]:
    """(file, material) of every opaque shared document; empty where the folder is absent."""
    from conftest import shared_folder

    folder = shared_folder() / "materials"
    paths = [path for path in sorted(folder.glob("*.mtlx")) if path.name != GLASS]
    return [(path.name, name) for path in paths for name in material_names(path)]


def textured(folder: Path, inputs: str = "", reader: str = "I", extra: str = "") -> Path:
    """A diffuse material whose colour is `I`, an image of 4 x 4 texels: top row red, left column green."""
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[0, :, 0] = 255
    pixels[:, 0, 1] = 255
    pixels[..., 2] = 128
    Image.fromarray(pixels).save(folder / "a.png")
    body = (
        '<image name="I" type="color3"><input name="file" type="filename" value="a.png" colorspace="srgb_texture" />'
        f"{inputs}</image>{extra}"
        '<oren_nayar_diffuse_bsdf name="B" type="BSDF"><input name="weight" type="float" value="1" />'
        f'<input name="color" type="color3" nodename="{reader}" /></oren_nayar_diffuse_bsdf>'
    )
    return write_document(folder, body)


def colour(path: Path, uv: list[tuple[float, float]]) -> np.ndarray:
    """Diffuse colour at some points, `[n, 3]`."""
    n = len(uv)
    ones = np.repeat(UP[None], n, 0)
    return load_reference(path).eval(np.array(uv, np.float32), ones, ones) * np.pi


def test_texture_origin_is_the_lower_left_corner(tmp_path) -> None:
    got = colour(textured(tmp_path), [(0.625, 0.875), (0.625, 0.125), (0.125, 0.375), (0.875, 0.375)])
    np.testing.assert_allclose(got[:, 0], [1, 0, 0, 0], atol=1e-5)
    np.testing.assert_allclose(got[:, 1], [0, 0, 1, 0], atol=1e-5)


def test_srgb_is_decoded(tmp_path) -> None:
    np.testing.assert_allclose(colour(textured(tmp_path), [(0.5, 0.5)])[0, 2], 0.2158605, rtol=1e-4)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("periodic", (0.0, 0.0)), ("clamp", (1.0, 1.0)), ("mirror", (1.0, 1.0)), ("constant", (0.25, 0.0))],
)
def test_address_modes(tmp_path, mode: str, expected: tuple[float, float]) -> None:
    """A quarter of an image above its top (v = 1.125): red where the edge repeats, the default where nothing does."""
    inputs = "".join(f'<input name="{axis}addressmode" type="string" value="{mode}" />' for axis in "uv")
    inputs += '<input name="default" type="color3" value="0.25,0,0" />'
    got = colour(textured(tmp_path, inputs), [(0.625, 1.125)])
    np.testing.assert_allclose(got[0, 0], expected[0], atol=1e-5)


def test_each_axis_has_its_address_mode(tmp_path) -> None:
    """Left of the image, u = -0.125: green where its left column goes on, the right column where it repeats."""
    for u_mode, expected in (("clamp", 1), ("periodic", 0)):
        inputs = f'<input name="uaddressmode" type="string" value="{u_mode}" />'
        inputs += '<input name="vaddressmode" type="string" value="mirror" />'
        got = colour(textured(tmp_path, inputs), [(-0.125, 0.625)])
        np.testing.assert_allclose(got[0, 1], expected, atol=1e-5)


def test_library_graphs_expand(tmp_path) -> None:
    """A node that the library defines as a graph (saturate) acts on a texture."""
    extra = (
        '<saturate name="grey" type="color3"><input name="in" type="color3" nodename="I" />'
        '<input name="amount" type="float" value="0" /></saturate>'
    )
    got = colour(textured(tmp_path, reader="grey", extra=extra), [(0.625, 0.875)])[0]
    np.testing.assert_allclose(got, got[0], rtol=1e-5)
    assert got[0] > 0.1


def test_normal_map_tilts_the_highlight(tmp_path) -> None:
    pixels = np.full((2, 2, 3), (128 + 64, 128, 230), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "n.png")
    body = (
        '<image name="I" type="vector3"><input name="file" type="filename" value="n.png" /></image>'
        '<normalmap name="N" type="vector3"><input name="in" type="vector3" nodename="I" /></normalmap>'
        + closure_node("dielectric_bsdf", ior="float:1.5", roughness="vector2:0.05,0.05", normal="@N")
    )
    material = load_reference(write_document(tmp_path, body))
    n = np.array([192, 128, 230]) / 255 * 2 - 1
    n = (n / np.linalg.norm(n)).astype(np.float32)
    mirror = 2 * n[2] * n - UP
    uv = np.full((2, 2), 0.5, np.float32)
    towards_mirror, straight = material.eval(uv, np.stack([UP, UP]), np.stack([mirror, UP]))[:, 0]
    assert towards_mirror > 20 * straight


def test_levels_average_the_footprint(tmp_path) -> None:
    material = load_reference(textured(tmp_path))
    assert material.native_resolution == 4
    uv, up = np.full((400, 2), 0.5, np.float32), np.repeat(UP[None], 400, 0)
    far = material.eval(uv, up, up, level=6, seed=1) * np.pi
    # A footprint of 8 tiles sees the mean of the image: a quarter is red, a quarter green.
    np.testing.assert_allclose(far.mean(0)[:2], 0.25, atol=0.02)
    np.testing.assert_array_equal(far, material.eval(uv, up, up, level=6, seed=1) * np.pi)


def test_nothing_below_the_horizon(tmp_path) -> None:
    material = load_reference(textured(tmp_path))
    uv = np.full((1, 2), 0.5, np.float32)
    assert not material.eval(uv, UP[None], -UP[None]).any()
    assert not material.eval(uv, -UP[None], UP[None]).any()
    assert not material.pdf(uv, UP[None], -UP[None]).any()


@pytest.mark.parametrize("category", ["subsurface_bsdf", "translucent_bsdf"])
def test_scattering_is_approximated_with_a_warning(tmp_path, category: str) -> None:
    body = closure_node(category, weight="float:1", color="color3:0.2,0.4,0.6")
    material = load_reference(write_document(tmp_path, body))
    assert any("B:" in line and "diffuse reflection" in line for line in material.warnings)
    value = material.eval(np.zeros((1, 2), np.float32), UP[None], direction(1.0)[None])
    np.testing.assert_allclose(value[0], np.array([0.2, 0.4, 0.6]) * np.cos(1.0) / np.pi, rtol=1e-5)


@pytest.mark.parametrize(("file", "name"), documents())
def test_every_shared_document_evaluates(shared_materials, rng, file: str, name: str) -> None:
    material = load_reference(shared_materials / file, name)
    n = 20000
    uv = rng.random((n, 2)).astype(np.float32)
    wi, wo = random_directions(rng, n), random_directions(rng, n)
    value = material.eval(uv, wi, wo)
    assert np.isfinite(value).all() and (value >= 0).all() and value.max() > 0
    _, pdf, weight = material.sample(uv, wi, rng.random((n, 3)))
    assert np.isfinite(weight).all() and (weight >= 0).all()
    assert weight.mean(0).max() <= 1.02, "more light leaves than arrives"
    assert (pdf > 0).mean() > 0.9
    textures = any(key in file for key in ("chess", "boombox", "wood"))
    assert material.varying == (textures or "marble" in file)
    assert bool(material.native_resolution) == textures
    assert len(material.parameters_dr(_points(uv))) == material.parameter_count


def test_inputs_say_which_parameters_are_directions(tmp_path) -> None:
    """A normal and a tangent that lobes read; every other vector and number is a value."""
    maps = "".join(
        f'<combine3 name="{name}" type="vector3"><input name="in1" type="float" nodename="E" />'
        f'<input name="in3" type="float" value="{z}" /></combine3>'
        for name, z in (("BENT", 1), ("ALONG", 0))
    )
    body = (
        '<texcoord name="T" type="vector2" />'
        '<extract name="E" type="float"><input name="in" type="vector2" nodename="T" />'
        '<input name="index" type="integer" value="0" /></extract>'
        + maps
        + '<dielectric_bsdf name="B" type="BSDF"><input name="weight" type="float" nodename="E" />'
        '<input name="normal" type="vector3" nodename="BENT" /><input name="tangent" type="vector3" nodename="ALONG" />'
        '<input name="roughness" type="vector2" nodename="T" /></dielectric_bsdf>'
    )
    material = load_reference(write_document(tmp_path, body))
    found = {part.name.split("/")[-1]: (part.kind, part.width) for part in material.inputs}
    assert found == {
        "E.out": ("value", 1),
        "T.out": ("value", 2),
        "BENT.out": ("normal", 3),
        "ALONG.out": ("tangent", 3),
    }
    values = [np.array(value) for value in material.parameters_dr(_points(np.float32([[0.25, 0.5]])))]
    names = [part.name.split("/")[-1] for part in material.inputs for _ in range(part.width)]
    assert [float(v[0]) for v, name in zip(values, names, strict=True) if name == "BENT.out"] == [0.25, 0, 1]


def _points(uv: np.ndarray):
    from verdigris.runtime import mitsuba

    return mitsuba().Point2f(uv.T.copy())
