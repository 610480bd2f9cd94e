"""Documents that are too large, too deep or ill-typed: an error that names the place, and no hang."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtlx_documents import closure_node, write_document
from verdigris.errors import GraphError, RuntimeMissing
from verdigris.materials import mtlx, texture_budget
from verdigris.materials.reference import load_reference
from verdigris.materials.texture_budget import TextureBudget, image_size
from verdigris.runtime import mitsuba, texture_budget_bytes

READER = (
    '<oren_nayar_diffuse_bsdf name="B" type="BSDF"><input name="roughness" type="float" nodename="{}" />'
    "</oren_nayar_diffuse_bsdf>"
)
FIRST = (
    '<texcoord name="t" type="vector2" />'
    '<extract name="n0" type="float"><input name="in" type="vector2" nodename="t" /></extract>'
)


def chain(length: int, first: str = FIRST) -> str:
    """`n1` to `n<length>`, each the one before plus a little."""
    links = "".join(
        f'<add name="n{k + 1}" type="float"><input name="in1" type="float" nodename="n{k}" />'
        '<input name="in2" type="float" value="0.00001" /></add>'
        for k in range(length)
    )
    return first + links


def refused(path: Path, *names: str) -> None:
    """Asserts that loading fails with one line that holds the file name and every other name."""
    with pytest.raises(GraphError) as caught:
        load_reference(path)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 1000
    assert all(name in message for name in (path.name, *names)), message


def test_a_chain_of_ten_thousand_nodes_loads(tmp_path) -> None:
    material = load_reference(write_document(tmp_path, chain(10_000) + READER.format("n10000")))
    assert (material.graph.document_nodes, material.graph.expanded_nodes) == (10_004, 10_005)  # and the default normal


def test_a_constant_chain_of_ten_thousand_nodes_folds(tmp_path) -> None:
    first = '<constant name="n0" type="float"><input name="value" type="float" value="0.25" /></constant>'
    material = load_reference(write_document(tmp_path, chain(10_000, first) + READER.format("n10000")))
    roughness = material.graph.nodes["B"].inputs["roughness"].value
    assert len(material.graph.nodes) == 2 and abs(roughness - 0.35) < 1e-3


def test_more_nodes_than_are_allowed(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(mtlx, "MAX_NODES", 100)
    refused(write_document(tmp_path, chain(200) + READER.format("n200")), "n10", "at most 100 nodes")


def test_a_document_larger_than_is_allowed(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(mtlx, "MAX_DOCUMENT_BYTES", 100)
    refused(write_document(tmp_path, closure_node("oren_nayar_diffuse_bsdf")), "at most 100 bytes")


def test_graphs_that_multiply_are_stopped(tmp_path) -> None:
    """Eight levels of graphs that hold ten of the level below would be a hundred million nodes."""
    body = (
        '<nodedef name="ND_g0" node="g0"><input name="in" type="float" value="0" /><output name="out" type="float" />'
    )
    body += '</nodedef><nodegraph name="NG_g0" nodedef="ND_g0"><sin name="s" type="float">'
    body += '<input name="in" type="float" interfacename="in" /></sin><output name="out" type="float" nodename="s" />'
    body += "</nodegraph>"
    for level in range(1, 9):
        body += f'<nodedef name="ND_g{level}" node="g{level}"><input name="in" type="float" value="0" />'
        body += f'<output name="out" type="float" /></nodedef><nodegraph name="NG_g{level}" nodedef="ND_g{level}">'
        for k in range(10):
            source = f'nodename="c{k - 1}"' if k else 'interfacename="in"'
            body += f'<g{level - 1} name="c{k}" type="float"><input name="in" type="float" {source} /></g{level - 1}>'
        body += '<output name="out" type="float" nodename="c9" /></nodegraph>'
    body += '<g8 name="n" type="float" />' + READER.format("n")
    refused(write_document(tmp_path, body), "n/", "at most 20000 nodes")


def test_a_long_cycle_is_named_in_short(tmp_path) -> None:
    first = '<add name="n0" type="float"><input name="in1" type="float" nodename="n3000" /></add>'
    refused(write_document(tmp_path, chain(3000, first) + READER.format("n3000")), "cyclic", "...")


def test_a_cycle_through_a_graph(tmp_path) -> None:
    body = (
        '<nodegraph name="G"><input name="x" type="float" nodename="a" /><add name="s" type="float">'
        '<input name="in1" type="float" interfacename="x" /></add><output name="out" type="float" nodename="s" />'
        '</nodegraph><add name="a" type="float"><input name="in1" type="float" nodegraph="G" output="out" /></add>'
    )
    refused(write_document(tmp_path, body + READER.format("a")), "cyclic", "a -> ")


def test_graphs_in_a_long_row_are_refused_without_a_crash(tmp_path) -> None:
    body, source = FIRST, 'nodename="n0"'
    for k in range(2000):
        body += (
            f'<nodegraph name="G{k}"><input name="x" type="float" {source} /><add name="s" type="float">'
            '<input name="in1" type="float" interfacename="x" /></add><output name="out" type="float" nodename="s" />'
            "</nodegraph>"
        )
        source = f'nodegraph="G{k}" output="out"'
    body += f'<add name="a" type="float"><input name="in1" type="float" {source} /></add>' + READER.format("a")
    refused(write_document(tmp_path, body), "nested too deeply")


def test_closures_in_a_long_row_are_refused_without_a_crash(tmp_path) -> None:
    body = closure_node("oren_nayar_diffuse_bsdf", "b0")
    for k in range(2000):
        body += (
            f'<multiply name="b{k + 1}" type="BSDF"><input name="in1" type="BSDF" nodename="b{k}" />'
            '<input name="in2" type="float" value="0.99" /></multiply>'
        )
    refused(write_document(tmp_path, body, root="b2000"), "nested too deeply")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (
            '<constant name="c" type="color3" /><add name="n" type="float">'
            '<input name="in1" type="float" nodename="c" /></add>',
            ("n: input 'in1': expected float, got color3 from 'c'",),
        ),
        (
            '<add name="n" type="float"><input name="in1" type="color3" value="1,1,1" /></add>',
            ("n: no definition", "'add' that yields float from (in1: color3)"),
        ),
        (
            '<add name="n" type="float"><input name="in1" type="float" value="bright" /></add>',
            ("n: input 'in1': expected a float, got 'bright'",),
        ),
        (
            '<add name="n" type="float"><input name="in1" type="float" nodegraph="absent" /></add>',
            ("n: input 'in1'", "absent"),
        ),
    ],
)
def test_ill_typed_inputs(tmp_path, body: str, names: tuple[str, ...]) -> None:
    refused(write_document(tmp_path, body + READER.format("n")), *names)


def image_document(folder: Path, file: str) -> Path:
    """A diffuse material whose colour is an image."""
    body = (
        f'<image name="I" type="color3"><input name="file" type="filename" value="{file}" /></image>'
        '<oren_nayar_diffuse_bsdf name="B" type="BSDF"><input name="color" type="color3" nodename="I" />'
        "</oren_nayar_diffuse_bsdf>"
    )
    return write_document(folder, body)


def hollow_png(path: Path, side: int) -> Path:
    """A PNG whose header promises side x side texels, and which holds none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("side", [9000, 16384, 1 << 20])
def test_a_texture_of_16k_is_refused_by_its_header(tmp_path, side: int) -> None:
    hollow_png(tmp_path / "large.png", side)
    refused(image_document(tmp_path, "large.png"), "I: input 'file'", "large.png", "at most 8192 texels")


def test_textures_share_a_budget(tmp_path, monkeypatch) -> None:
    pixels = np.zeros((512, 512, 3), np.uint8)
    for name in ("a.png", "b.png"):
        Image.fromarray(pixels).save(tmp_path / name)
    budget = TextureBudget(limit=6 << 20)
    budget.charge(tmp_path / "a.png", 3, "A: input 'file'")
    with pytest.raises(GraphError, match=r"^B: input 'file': .*b.png: expected textures of at most 6 MiB .* 8 MiB"):
        budget.charge(tmp_path / "b.png", 3, "B: input 'file'")
    monkeypatch.setenv("VERDIGRIS_TEXTURE_MIB", "3")
    refused(image_document(tmp_path, "a.png"), "I: input 'file'", "a.png", "at most 3 MiB", "VERDIGRIS_TEXTURE_MIB")
    monkeypatch.setenv("VERDIGRIS_TEXTURE_MIB", "4")
    assert load_reference(image_document(tmp_path, "a.png")).native_resolution == 512


@pytest.mark.parametrize("text", ["0", "-1", "much", "1.5"])
def test_a_budget_that_is_no_number(monkeypatch, text: str) -> None:
    monkeypatch.setenv("VERDIGRIS_TEXTURE_MIB", text)
    with pytest.raises(RuntimeMissing, match="VERDIGRIS_TEXTURE_MIB"):
        texture_budget_bytes()


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tga", "ppm", "exr", "hdr", "pfm"])
def test_sizes_are_read_from_every_format(tmp_path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    pixels = np.random.default_rng(0).random((5, 7, 3), dtype=np.float32)
    if suffix in ("exr", "hdr", "pfm"):
        mitsuba().Bitmap(pixels).write(str(path))
    else:
        Image.fromarray((pixels * 255).astype(np.uint8)).save(path)
    assert image_size(path, "A") == (7, 5)
    assert load_reference(image_document(tmp_path, path.name)).native_resolution == 7


def test_a_file_without_a_size(tmp_path) -> None:
    for k, content in enumerate((b"", b"not an image", texture_budget._EXR_MAGIC + b"\2\0\0\0", b"PF\n-3 4\n")):
        (tmp_path / f"{k}.png").write_bytes(content)
        refused(image_document(tmp_path, f"{k}.png"), "I: input 'file'", f"{k}.png", "cannot be read as an image")
