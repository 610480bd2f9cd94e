"""Nodes that read the surface point, derivatives of heights, colour spaces of values, nodes that are refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from directions import direction
from mtlx_documents import write_document
from verdigris.errors import GraphError
from verdigris.materials.colorspaces import COLOUR_SPACES
from verdigris.materials.reference import load_reference

UP = direction(0.0)


def shown(folder: Path, nodes: str, kind: str = "color3", name: str = "n") -> Path:
    """A diffuse material whose colour is the node `name`, converted from its type."""
    body = nodes
    if kind != "color3":
        body += f'<convert name="c" type="color3"><input name="in" type="{kind}" nodename="{name}" /></convert>'
        name = "c"
    body += (
        '<oren_nayar_diffuse_bsdf name="B" type="BSDF"><input name="weight" type="float" value="1" />'
        f'<input name="color" type="color3" nodename="{name}" /></oren_nayar_diffuse_bsdf>'
    )
    return write_document(folder, body)


def colours(path: Path, uv: list[tuple[float, float]]) -> np.ndarray:
    """Diffuse colour at some points, `[n, 3]`."""
    up = np.repeat(UP[None], len(uv), 0)
    return load_reference(path).eval(np.array(uv, np.float32), up, up) * np.pi


@pytest.mark.parametrize("name", ["UV0", "st"])
def test_texture_coordinates_by_name(tmp_path, name: str) -> None:
    nodes = (
        f'<geompropvalue name="n" type="vector2"><input name="geomprop" type="string" value="{name}" /></geompropvalue>'
    )
    path = shown(tmp_path, nodes, "vector2")
    assert load_reference(path).varying
    np.testing.assert_allclose(colours(path, [(0.25, 0.75)]), [[0.25, 0.75, 0]], atol=1e-6)


def test_an_unknown_property_needs_a_default(tmp_path) -> None:
    node = (
        '<geompropvalue name="n" type="color3"><input name="geomprop" type="string" value="dirt" />{}</geompropvalue>'
    )
    with pytest.raises(GraphError, match="n: input 'geomprop': .*'dirt'"):
        load_reference(shown(tmp_path, node.format("")))
    path = shown(tmp_path, node.format('<input name="default" type="color3" value="0.1, 0.2, 0.3" />'))
    np.testing.assert_allclose(colours(path, [(0.5, 0.5)]), [[0.1, 0.2, 0.3]], rtol=1e-5)
    assert not load_reference(path).varying


@pytest.mark.parametrize(
    ("nodes", "kind", "words"),
    [
        (
            '<texcoord name="n" type="vector2"><input name="index" type="integer" value="1" /></texcoord>',
            "vector2",
            "1",
        ),
        ('<geomcolor name="n" type="color3" />', "color3", "carries no such data"),
        ('<viewdirection name="n" type="vector3" />', "vector3", "depends on the viewer"),
        ('<facingratio name="n" type="float" />', "float", "depends on the viewer"),
        ('<frame name="n" type="float" />', "float", "does not change with time"),
    ],
)
def test_what_a_point_does_not_know_is_refused(tmp_path, nodes: str, kind: str, words: str) -> None:
    with pytest.raises(GraphError, match=f"n.*{words}"):
        load_reference(shown(tmp_path, nodes, kind))


def test_a_refused_node_that_does_not_contribute_is_ignored(tmp_path) -> None:
    nodes = (
        '<frame name="f" type="float" /><ifgreater name="n" type="float"><input name="value1" type="float" value="2" />'
        '<input name="value2" type="float" value="1" /><input name="in1" type="float" value="0.5" />'
        '<input name="in2" type="float" nodename="f" /></ifgreater>'
    )
    np.testing.assert_allclose(colours(shown(tmp_path, nodes, "float"), [(0, 0)]), 0.5, rtol=1e-5)


RELIEF = """{height}<heighttonormal name="n" type="vector3"><input name="in" type="float" nodename="h" />
    <input name="scale" type="float" value="{scale}" /></heighttonormal>"""


def test_the_normal_of_a_ramp(tmp_path) -> None:
    """h = u: slope 1, scaled by 4 / 16."""
    height = '<ramplr name="h" type="float"><input name="valuer" type="float" value="1" /></ramplr>'
    got = colours(shown(tmp_path, RELIEF.format(height=height, scale=4), "vector3"), [(0.5, 0.5)])
    n = np.array([-0.25, 0, 1]) / np.hypot(0.25, 1)
    np.testing.assert_allclose(got[0], n * 0.5 + 0.5, atol=2e-4)


def test_a_constant_height_is_flat(tmp_path) -> None:
    height = '<constant name="h" type="float"><input name="value" type="float" value="0.3" /></constant>'
    got = colours(shown(tmp_path, RELIEF.format(height=height, scale=4), "vector3"), [(0.5, 0.5)])
    np.testing.assert_allclose(got[0], [0.5, 0.5, 1], atol=1e-6)


def test_the_normal_of_an_image(tmp_path) -> None:
    """Between the centres of two texels the height of a linearly filtered image rises evenly."""
    Image.fromarray(np.array([[0, 0, 255, 255]] * 4, np.uint8)).save(tmp_path / "h.png")
    height = '<image name="h" type="float"><input name="file" type="filename" value="h.png" /></image>'
    got = colours(shown(tmp_path, RELIEF.format(height=height, scale=4), "vector3"), [(0.5, 0.5), (0.25, 0.5)])
    n = np.array([-1, 0, 1]) / np.sqrt(2)  # from 0 to 1 over a quarter of the image
    np.testing.assert_allclose(got, [n * 0.5 + 0.5, [0.5, 0.5, 1]], atol=2e-4)


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        ("srgb_texture", [0.21404114, 0.03310477, 0.60382734]),
        ("g22_rec709", [0.5**2.2, 0.2**2.2, 0.8**2.2]),
        ("gamma18", [0.5**1.8, 0.2**1.8, 0.8**1.8]),
        ("lin_rec709", [0.5, 0.2, 0.8]),
        ("raw", [0.5, 0.2, 0.8]),
    ],
)
def test_colour_values_are_converted_from_their_space(tmp_path, space: str, expected: list[float]) -> None:
    node = (
        '<constant name="n" type="color3"><input name="value" type="color3" value="0.5, 0.2, 0.8" '
        f'colorspace="{space}" /></constant>'
    )
    np.testing.assert_allclose(colours(shown(tmp_path, node), [(0, 0)])[0], expected, rtol=1e-4)


def test_white_is_white_in_every_colour_space(tmp_path) -> None:
    for space in sorted(COLOUR_SPACES):
        node = (
            '<constant name="n" type="color3"><input name="value" type="color3" value="1, 1, 1" '
            f'colorspace="{space}" /></constant>'
        )
        np.testing.assert_allclose(colours(shown(tmp_path, node), [(0, 0)])[0], 1, atol=2e-4, err_msg=space)


def test_a_colour_space_is_inherited_and_an_unknown_one_is_named(tmp_path) -> None:
    graph = (
        '<nodegraph name="G" colorspace="{}"><constant name="n" type="color3">'
        '<input name="value" type="color3" value="0.5, 0.5, 0.5" /></constant>'
        '<output name="out" type="color3" nodename="n" /></nodegraph>'
        '<dot name="d" type="color3"><input name="in" type="color3" nodegraph="G" /></dot>'
    )
    path = shown(tmp_path, graph.format("srgb_texture"), name="d")
    np.testing.assert_allclose(colours(path, [(0, 0)])[0], 0.21404114, rtol=1e-4)
    with pytest.raises(GraphError, match="G/n: input 'value': colorspace: .*colour_of_magic"):
        load_reference(shown(tmp_path, graph.format("colour_of_magic"), name="d"))


@pytest.mark.parametrize("kind", ["add", "dot", "constant"])
def test_ten_thousand_nodes_in_a_chain(tmp_path, kind: str) -> None:
    """Loads in seconds, and no recursion runs out: varying, passed through, constant."""
    start = '<texcoord name="t" type="vector2" /><extract name="n0" type="float"><input name="in" type="vector2" '
    start += 'nodename="t" /></extract>'
    if kind == "constant":
        start = '<constant name="n0" type="float"><input name="value" type="float" value="0" /></constant>'
    link = (
        '<dot name="n{}" type="float"><input name="in" type="float" nodename="n{}" /></dot>'
        if kind == "dot"
        else '<add name="n{}" type="float"><input name="in1" type="float" nodename="n{}" />'
        '<input name="in2" type="float" value="0.00002" /></add>'
    )
    chain = "".join(link.format(i, i - 1) for i in range(1, 10_000))
    got = colours(shown(tmp_path, start + chain, "float", "n9999"), [(0.25, 0.5)])[0, 0]
    expected = (0.0 if kind == "constant" else 0.25) + (0.0 if kind == "dot" else 0.19998)
    np.testing.assert_allclose(got, expected, atol=1e-4)
