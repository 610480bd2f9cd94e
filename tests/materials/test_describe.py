"""What inspect counts, on documents counted by hand."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from mtlx_documents import closure_node, write_document
from verdigris.materials.reference import load_reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "inspect.md"


def keys() -> list[str]:
    """The keys that the page lists."""
    table = PAGE.read_text().split("<!-- keys")[1].split("<!-- end -->")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_both_kinds_of_source_have_the_keys_of_the_page(tmp_path) -> None:
    plain = load_reference(write_document(tmp_path, closure_node("oren_nayar_diffuse_bsdf")))
    assert list(plain.describe()) == keys() == list(load_reference({"type": "diffuse"}).describe())


def test_a_layered_document(tmp_path) -> None:
    """A coat, half of it with dust, over a textured base; one lobe is switched off."""
    Image.fromarray(np.zeros((4, 8, 3), np.uint8)).save(tmp_path / "a.png")
    body = (
        '<image name="I" type="color3"><input name="file" type="filename" value="a.png" /></image>'
        '<saturate name="s" type="color3"><input name="in" type="color3" nodename="I" /></saturate>'
        '<oren_nayar_diffuse_bsdf name="base" type="BSDF"><input name="color" type="color3" nodename="s" />'
        "</oren_nayar_diffuse_bsdf>"
        + closure_node("dielectric_bsdf", "coat", ior="float:1.5")
        + '<layer name="coated" type="BSDF"><input name="top" type="BSDF" nodename="coat" />'
        '<input name="base" type="BSDF" nodename="base" /></layer>'
        + closure_node("sheen_bsdf", "dust", weight="float:0.5")
        + closure_node("sheen_bsdf", "off", weight="float:0")
        + '<mix name="some" type="BSDF"><input name="fg" type="BSDF" nodename="dust" />'
        '<input name="bg" type="BSDF" nodename="off" /><input name="mix" type="float" value="0.5" /></mix>'
        '<layer name="B" type="BSDF"><input name="top" type="BSDF" nodename="some" />'
        '<input name="base" type="BSDF" nodename="coated" /></layer>'
    )
    facts = load_reference(write_document(tmp_path, body)).describe()
    assert facts["nodes"] == 9 + 1, "the surface node is one"
    assert facts["expanded_nodes"] > facts["nodes"]
    assert facts["layers"] == 3
    assert facts["closures"] == {"oren_nayar_diffuse_bsdf": 1, "dielectric_bsdf": 1, "sheen_bsdf": 1}
    # weight, colour, roughness, normal; weight, tint, ior, 2 roughnesses, 2 of a thin film, normal, tangent;
    # weight, colour, roughness, normal; the amount of the mix
    assert facts["parameters"] == (1 + 3 + 1 + 3) + (1 + 3 + 1 + 2 + 2 + 3 + 3) + (1 + 3 + 1 + 3) + 1
    assert facts["varying_parameters"] == 3
    assert (facts["textures"], facts["texture_files"], facts["channels"]) == (1, ["a.png"], 3)
    assert (facts["resolution"], facts["varying"]) == (8, True)


def test_a_graph_of_the_document_counts_its_nodes_once(tmp_path) -> None:
    body = (
        '<nodedef name="ND_half" node="half"><input name="in" type="float" value="0" />'
        '<output name="out" type="float" /></nodedef><nodegraph name="NG_half" nodedef="ND_half">'
        '<multiply name="m" type="float"><input name="in1" type="float" interfacename="in" />'
        '<input name="in2" type="float" value="0.5" /></multiply><output name="out" type="float" nodename="m" />'
        '</nodegraph><texcoord name="t" type="vector2" /><extract name="x" type="float">'
        '<input name="in" type="vector2" nodename="t" /></extract>'
        '<half name="a" type="float"><input name="in" type="float" nodename="x" /></half>'
        '<half name="b" type="float"><input name="in" type="float" nodename="a" /></half>'
        '<oren_nayar_diffuse_bsdf name="B" type="BSDF"><input name="roughness" type="float" nodename="b" />'
        "</oren_nayar_diffuse_bsdf>"
    )
    facts = load_reference(write_document(tmp_path, body)).describe()
    assert facts["nodes"] == len({"S", "B", "b", "a", "x", "t", "NG_half/m"})
    assert facts["expanded_nodes"] == len({"S", "B", "b/m", "a/m", "x", "t", "default normal"})


def test_a_library_shader_is_one_node(shared_materials) -> None:
    facts = load_reference(shared_materials / "open_pbr_default.mtlx").describe()
    assert facts["nodes"] == 1 and facts["expanded_nodes"] > 50
    boombox = load_reference(shared_materials / "gltf_pbr_boombox.mtlx").describe()
    assert (boombox["textures"], boombox["channels"]) == (4, 13)


def test_a_mitsuba_bsdf() -> None:
    facts = load_reference(
        {"type": "twosided", "b": {"type": "roughplastic", "diffuse_reflectance": {"type": "checkerboard"}}}
    ).describe()
    assert (facts["nodes"], facts["layers"], facts["closures"]) == (2, 1, {"RoughPlastic": 1})
    assert facts["varying_parameters"] == 3 < facts["parameters"]
