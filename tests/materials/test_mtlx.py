"""Reading documents: what is refused, and how the error names it."""

import re
from pathlib import Path

import numpy as np
import pytest

from mtlx_documents import closure_node, write_document
from verdigris.errors import GraphError
from verdigris.materials.reference import load_reference, material_names

LAMBERT = closure_node("oren_nayar_diffuse_bsdf", color="color3:0.5,0.5,0.5")


def refused(path: Path, *names: str, material: str | None = None) -> str:
    """Asserts that loading fails with one line that holds every name, and returns it."""
    with pytest.raises(GraphError) as caught:
        load_reference(path, material)
    message = str(caught.value)
    assert "\n" not in message
    for name in names:
        assert name in message, message
    return message


def test_glass_is_refused_at_its_node(shared_materials) -> None:
    refused(shared_materials / "standard_surface_glass.mtlx", "SR_glass/transmission_bsdf", "scatter_mode")


def test_several_materials_are_listed(shared_materials) -> None:
    path = shared_materials / "standard_surface_chess_pieces.mtlx"
    assert material_names(path) == ["M_Chessboard", "M_King_B", "M_Knight_B"]
    refused(path, "M_Chessboard, M_King_B, M_Knight_B")
    refused(path, "M_Pawn", "M_King_B", material="M_Pawn")


def test_missing_and_unreadable_documents(tmp_path) -> None:
    refused(tmp_path / "absent.mtlx", "absent.mtlx")
    refused(tmp_path, "folder")
    broken = tmp_path / "broken.mtlx"
    broken.write_text("<materialx version='1.39'><nodegraph>")
    refused(broken, "broken.mtlx")
    empty = tmp_path / "empty.mtlx"
    empty.write_text("<?xml version='1.0'?><materialx version='1.39' />")
    refused(empty, "surfacematerial")


def test_cycle(tmp_path) -> None:
    body = (
        '<add name="a" type="float"><input name="in1" type="float" nodename="b" /></add>'
        '<add name="b" type="float"><input name="in1" type="float" nodename="a" /></add>'
        '<oren_nayar_diffuse_bsdf name="B" type="BSDF"><input name="roughness" type="float" nodename="a" />'
        "</oren_nayar_diffuse_bsdf>"
    )
    refused(write_document(tmp_path, body), "cyclic", "a -> b -> a")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('<time name="n" type="float" />', ("n:", "time", "does not change with time")),
        ('<nonsense name="n" type="float" />', ("n:", "nonsense")),
        ('<add name="n" type="float"><input name="in3" type="float" value="1" /></add>', ("n:",)),
        ('<add name="n" type="float"><input name="in1" type="float" nodename="absent" /></add>', ("n:", "absent")),
    ],
)
def test_nodes_that_cannot_be_evaluated(tmp_path, body: str, names: tuple[str, ...]) -> None:
    reader = (
        '<oren_nayar_diffuse_bsdf name="B" type="BSDF"><input name="roughness" type="float" nodename="n" />'
        "</oren_nayar_diffuse_bsdf>"
    )
    refused(write_document(tmp_path, body + reader), *names)


def rough_by(node: str) -> str:
    """A diffuse closure that reads its roughness from a node."""
    roughness = port("roughness", "float", nodename=node)
    return f'<oren_nayar_diffuse_bsdf name="B" type="BSDF">{roughness}</oren_nayar_diffuse_bsdf>'


def port(name: str, kind: str, **attributes: str) -> str:
    """An input element."""
    given = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f'<input name="{name}" type="{kind}"{given} />'


def bound_node(kind: str, interface: str) -> str:
    """The node `s` inside of a graph, bound to one of the graph's inputs."""
    return f'<sin name="s" type="{kind}">{port("in", kind, interfacename=interface)}</sin>'


def custom_node(inner: str, output: str = "float") -> str:
    """A document's own node `wave` of a float, whose graph yields what its inner node `s` does; `n` is one of it."""
    return (
        f'<nodedef name="ND_wave" node="wave">{port("x", "float", value="1")}<output name="out" type="float" />'
        f'</nodedef><nodegraph name="NG_wave" nodedef="ND_wave">{inner}'
        f'<output name="out" type="{output}" nodename="s" /></nodegraph>'
        f'<wave name="n" type="float">{port("x", "float", value="0.5")}</wave>'
    ) + rough_by("n")


def test_an_interface_of_another_type(tmp_path) -> None:
    """Also where what the graph yields has the declared type."""
    inner = f'<magnitude name="s" type="float">{port("in", "vector3", interfacename="x")}</magnitude>'
    path = write_document(tmp_path, custom_node(inner))
    refused(path, "material.mtlx: n/s: input 'in': expected vector3, got float from input 'x' of the graph NG_wave")


def test_an_interface_that_is_not_declared(tmp_path) -> None:
    path = write_document(tmp_path, custom_node(bound_node("float", "y")))
    refused(path, "material.mtlx: n/s: input 'in': the graph NG_wave has no input 'y'")


def test_a_graph_that_yields_another_type_than_its_definition(tmp_path) -> None:
    path = write_document(tmp_path, custom_node('<constant name="s" type="color3" />', output="color3"))
    refused(path, "material.mtlx: n: output 'out': expected float, got color3 from the graph NG_wave")


@pytest.mark.parametrize(
    ("declared", "inner", "message"),
    [
        ("integer", "float", "G/s: input 'in': expected float, got integer from input 'x' of the graph G"),
        ("vector3", "vector3", "n: input 'in1': expected float, got vector3 from 'G'"),
    ],
)
def test_a_graph_without_definition(tmp_path, declared: str, inner: str, message: str) -> None:
    value = "1" if declared == "integer" else "1,1,1"
    body = (
        f'<nodegraph name="G">{port("x", declared, value=value)}{bound_node(inner, "x")}'
        f'<output name="out" type="{inner}" nodename="s" /></nodegraph>'
        f'<add name="n" type="float">{port("in1", "float", nodegraph="G", output="out")}</add>'
    )
    refused(write_document(tmp_path, body + rough_by("n")), f"material.mtlx: {message}")


def test_interfaces_of_the_declared_type_load(tmp_path) -> None:
    material = load_reference(write_document(tmp_path, custom_node(bound_node("float", "x"))))
    assert material.graph.nodes["B"].inputs["roughness"].value == pytest.approx(np.sin(0.5))


def test_hair_is_refused_only_where_it_contributes(tmp_path) -> None:
    hair = closure_node("chiang_hair_bsdf", "H")
    for amount, allowed in (("0", True), ("0.5", False)):
        body = (
            hair
            + closure_node("oren_nayar_diffuse_bsdf", "D", color="color3:0.5,0.5,0.5")
            + '<mix name="B" type="BSDF"><input name="fg" type="BSDF" nodename="H" />'
            + f'<input name="bg" type="BSDF" nodename="D" /><input name="mix" type="float" value="{amount}" /></mix>'
        )
        path = write_document(tmp_path, body)
        if allowed:
            assert load_reference(path).describe()["closures"] == {"oren_nayar_diffuse_bsdf": 1}
        else:
            refused(path, "H:", "chiang_hair_bsdf")


def image_document(folder: Path, file: str, colorspace: str = "srgb_texture") -> Path:
    """A diffuse material whose colour is an image."""
    body = (
        f'<image name="I" type="color3"><input name="file" type="filename" value="{file}" colorspace="{colorspace}" />'
        '</image><oren_nayar_diffuse_bsdf name="B" type="BSDF"><input name="weight" type="float" value="1" />'
        '<input name="color" type="color3" nodename="I" /></oren_nayar_diffuse_bsdf>'
    )
    return write_document(folder, body)


def test_textures_that_cannot_be_read(tmp_path) -> None:
    folder = tmp_path / "asset"
    folder.mkdir()
    refused(image_document(folder, "absent.png"), "I:", "absent.png")
    refused(image_document(folder, "a_<UDIM>.png"), "UDIM")
    (tmp_path / "outside.png").write_bytes(b"not an image")
    refused(image_document(folder, "../outside.png"), "leaves the asset roots")
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    refused(image_document(folder, "link.png"), "leaves the asset roots")
    (folder / "fake.png").write_bytes(b"not an image")
    refused(image_document(folder, "fake.png"), "I:", "fake.png")


def test_unknown_colour_space(tmp_path) -> None:
    mi = pytest.importorskip("mitsuba")
    from verdigris.runtime import mitsuba

    mitsuba()
    mi.Bitmap(mi.TensorXf([0.5] * 12, shape=(2, 2, 3))).write(str(tmp_path / "a.exr"))
    message = refused(image_document(tmp_path, "a.exr", "colour_of_magic"), "colour_of_magic", "srgb_texture")
    assert re.search(r"I: colorspace", message)
