"""Emission and cut-out opacity: read beside the reflection, and left out of it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from directions import direction
from verdigris.errors import GraphError
from verdigris.materials.reference import load_reference

UV = np.array([[0.25, 0.75], [0.75, 0.25]], np.float32)
UP = np.repeat(direction(0.0)[None], 2, 0)

_TEMPLATE = """<?xml version="1.0"?>
<materialx version="1.39" colorspace="lin_rec709">
  <oren_nayar_diffuse_bsdf name="B" type="BSDF"><input name="weight" type="float" value="1" /></oren_nayar_diffuse_bsdf>
  {body}
  <surface name="S" type="surfaceshader"><input name="bsdf" type="BSDF" nodename="B" />{inputs}</surface>
  <surfacematerial name="M" type="material">
    <input name="surfaceshader" type="surfaceshader" nodename="S" />
  </surfacematerial>
</materialx>
"""
_EDF = '<input name="edf" type="EDF" nodename="E" />'


def document(folder: Path, body: str, inputs: str = _EDF) -> Path:
    """A diffuse surface with more inputs."""
    path = folder / "material.mtlx"
    path.write_text(_TEMPLATE.format(body=body, inputs=inputs))
    return path


def uniform(name: str, colour: str) -> str:
    return f'<uniform_edf name="{name}" type="EDF"><input name="color" type="color3" value="{colour}" /></uniform_edf>'


def picture(folder: Path) -> str:
    """An image node `I`, 2 x 2: red at the upper left, blue at the lower right."""
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[0, 0, 0] = pixels[1, 1, 2] = 255
    Image.fromarray(pixels).save(folder / "glow.png")
    return '<image name="I" type="color3"><input name="file" type="filename" value="glow.png" /></image>'


A, B = uniform("a", "1,2,3"), uniform("b", "0.5,0,0")
PAIR = '<input name="{}" type="EDF" nodename="a" /><input name="{}" type="EDF" nodename="b" />'


@pytest.mark.parametrize(
    ("body", "expected", "note"),
    [
        (uniform("E", "1,2,3"), (1, 2, 3), ""),
        (uniform("E", "0,0,0"), (0, 0, 0), ""),
        (A + B + f'<add name="E" type="EDF">{PAIR.format("in1", "in2")}</add>', (1.5, 2, 3), ""),
        (
            A
            + B
            + f'<mix name="E" type="EDF">{PAIR.format("fg", "bg")}<input name="mix" type="float" value="0.25" /></mix>',
            (0.625, 0.5, 0.75),
            "",
        ),
        (
            A
            + '<multiply name="E" type="EDF"><input name="in1" type="EDF" nodename="a" />'
            + '<input name="in2" type="color3" value="2,0,1" /></multiply>',
            (2, 0, 3),
            "",
        ),
        (
            A
            + '<multiply name="E" type="EDF"><input name="in1" type="EDF" nodename="a" />'
            + '<input name="in2" type="float" value="0.5" /></multiply>',
            (0.5, 1, 1.5),
            "",
        ),
        (
            A
            + '<generalized_schlick_edf name="E" type="EDF"><input name="color0" type="color3" value="0.5,1,0" />'
            + '<input name="base" type="EDF" nodename="a" /></generalized_schlick_edf>',
            (0.5, 2, 0),
            "dependence on the angle",
        ),
        (
            '<conical_edf name="E" type="EDF"><input name="color" type="color3" value="1,2,3" /></conical_edf>',
            (1, 2, 3),
            "profile",
        ),
    ],
)
def test_emission(tmp_path, body: str, expected: tuple[float, ...], note: str) -> None:
    material = load_reference(document(tmp_path, body))
    np.testing.assert_allclose(material.emission(UV), [expected] * 2, rtol=1e-6)
    lines = [line for line in material.warnings if line.startswith("E: ")]
    assert len(lines) == bool(note) and all(note in line for line in lines)
    assert material.describe()["emission"] == material.emits == any(expected)
    assert not material.signals_vary and not material.cuts_out


def test_emission_does_not_reach_the_reflection(tmp_path) -> None:
    dark, lit = (load_reference(document(tmp_path, uniform("E", c))).eval(UV, UP, UP) for c in ("0,0,0", "9,9,9"))
    np.testing.assert_array_equal(dark, lit)


def test_a_textured_emission_is_loaded_and_counted(tmp_path) -> None:
    glow = '<uniform_edf name="E" type="EDF"><input name="color" type="color3" nodename="I" /></uniform_edf>'
    material = load_reference(document(tmp_path, picture(tmp_path) + glow))
    np.testing.assert_allclose(material.emission(UV), [(1, 0, 0), (0, 0, 1)], atol=1e-6)
    facts = material.describe()
    assert (facts["textures"], facts["channels"], facts["texture_files"]) == (1, 3, ["glow.png"])
    assert (facts["varying"], facts["varying_parameters"], material.parameter_count) == (False, 0, 0)
    assert material.native_resolution == 2


def test_a_light_that_has_no_emission_distribution(tmp_path) -> None:
    body = '<layer name="E" type="EDF" />'
    with pytest.raises(GraphError, match="material.mtlx: E: "):
        load_reference(document(tmp_path, body))


def test_opacity(tmp_path) -> None:
    plain = load_reference(document(tmp_path, "", ""))
    assert (plain.opacity(UV) == 1).all() and not plain.describe()["opacity"] and not plain.warnings
    half = load_reference(document(tmp_path, "", '<input name="opacity" type="float" value="0.5" />'))
    np.testing.assert_allclose(half.opacity(UV), 0.5)
    cut = '<extract name="x" type="float"><input name="in" type="color3" nodename="I" /></extract>'
    reader = '<input name="opacity" type="float" nodename="x" />'
    leaf = load_reference(document(tmp_path, picture(tmp_path) + cut, reader))
    np.testing.assert_allclose(leaf.opacity(UV), [1, 0], atol=1e-6)
    assert leaf.describe()["opacity"] and leaf.cuts_out and leaf.signals_vary and not leaf.warnings
    np.testing.assert_array_equal(leaf.eval(UV, UP, UP), plain.eval(UV, UP, UP))


def test_the_boombox_glows(shared_materials) -> None:
    material = load_reference(shared_materials / "gltf_pbr_boombox.mtlx")
    side = 256
    axis = (np.arange(side) + 0.5) / side
    uv = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    emission = material.emission(uv)
    image = Image.open(shared_materials / "boombox" / "BoomBox_emissive.png").convert("RGB")
    texels = (np.asarray(image) / 255.0)[::-1]
    decoded = np.where(texels <= 0.04045, texels / 12.92, ((texels + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(emission.mean(0), decoded.mean((0, 1)), atol=2e-3)
    assert emission.max() > 0.5 and np.median(emission) < 0.01
    assert (material.opacity(uv) == 1).all()
    assert "boombox/BoomBox_emissive.png" in material.describe()["texture_files"]
    assert material.emits and material.signals_vary and not material.warnings
