"""The `.glb` of an asset: its parts, its pictures, the asset inside, and the metalness of the fallback."""

import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

from neural_samples import random_material, with_heads
from verdigris.asset.write import encode
from verdigris.conventions import to_srgb
from verdigris.errors import ExportError
from verdigris.export import gltf, targets
from verdigris.export.options import Options
from verdigris.model import HEADS, ModelConfig


@pytest.fixture(scope="module")
def material():
    return with_heads(random_material(ModelConfig(4, 1), (8, 16), 3), hidden=(4,))


def parsed(content):
    magic, version, size = struct.unpack_from("<4sII", content)
    assert (magic, version, size) == (b"glTF", 2, len(content))
    (length,) = struct.unpack_from("<I", content, 12)
    assert content[16:20] == b"JSON" and content[24 + length : 28 + length] == b"BIN\0"
    return json.loads(content[20 : 20 + length]), content[28 + length :]


def part(described, binary, index):
    view = described["bufferViews"][index]
    return binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]


def test_it_carries_the_asset(material):
    described, binary = parsed(gltf.glb(material))
    inside = described["materials"][0]["extensions"][gltf.EXTENSION]
    assert described["extensionsUsed"] == [gltf.EXTENSION]
    assert part(described, binary, inside["asset"]) == encode(material)


def test_pictures_are_the_guides_with_the_top_row_first(material):
    described, binary = parsed(gltf.glb(material))
    pictures = [Image.open(io.BytesIO(part(described, binary, i["bufferView"]))) for i in described["images"]]
    colour, rough, normal, emission = (np.asarray(picture) for picture in pictures)
    uv = np.array([[(3 + 0.5) / 16, (6 + 0.5) / 8]])  # column 3, row 6 from below, row 1 from above
    albedo, n, roughness = material.guides(uv)
    np.testing.assert_allclose(colour[1, 3, :3], 255 * to_srgb(albedo)[0], atol=0.51)
    np.testing.assert_allclose(colour[1, 3, 3], 255 * material.opacity(uv)[0], atol=0.51)
    np.testing.assert_allclose(rough[1, 3], [0, 255 * roughness[0], 255], atol=0.51)
    np.testing.assert_allclose(normal[1, 3], 255 * (n[0] / 2 + 0.5), atol=0.51)
    np.testing.assert_allclose(emission[1, 3], 255 * to_srgb(material.emission(uv))[0], atol=0.51)


def test_the_sphere_is_closed_and_faces_outwards():
    positions, uv, triangles = gltf.sphere()
    a, b, c = (positions[triangles[k::3]].astype(float) for k in range(3))
    facing = (np.cross(b - a, c - a) * (a + b + c)).sum(axis=1)
    assert (facing > -1e-9).all() and np.isclose(facing.sum() / 18, 4 * np.pi / 3, rtol=0.01)
    assert uv.min() == 0 and uv.max() == 1 and triangles.max() == len(positions) - 1


def test_every_accessor_lies_in_its_view(material):
    described, binary = parsed(gltf.glb(material))
    widths = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}
    for accessor in described["accessors"]:
        size = 4 * widths[accessor["type"]] * accessor["count"]
        assert len(part(described, binary, accessor["bufferView"])) == size
    assert described["buffers"][0]["byteLength"] <= len(binary)


@pytest.mark.parametrize("metal", [0, 1])
def test_metalness_is_that_of_a_material_made_of_it(material, metal):
    def response(uv, wi, wo):
        albedo, normal, roughness = (p.astype(float) for p in material.guides(uv))
        return gltf.fallback(albedo, normal, roughness, metal, wi, wo)

    stand_in = type("StandIn", (), {"guides": material.guides, "eval": staticmethod(response)})
    assert gltf.metalness(stand_in) == metal


def test_the_fallback_keeps_its_energy():
    rng, n = np.random.default_rng(3), 200_000
    u, phi = rng.random(n), 2 * np.pi * rng.random(n)
    wo = np.stack([np.sqrt(u) * np.cos(phi), np.sqrt(u) * np.sin(phi), np.sqrt(1 - u)], axis=1)
    wi = np.broadcast_to([0.6, 0, 0.8], wo.shape)
    white, up, rough = np.ones((n, 3)), np.broadcast_to([0.0, 0, 1], wo.shape), np.full(n, 0.6)
    albedo = (gltf.fallback(white, up, rough, 1, wi, wo) * np.pi / wo[:, 2:]).mean()
    assert 0.8 < albedo <= 1.0


def test_without_guides_it_is_refused():
    without = with_heads(random_material(), tuple(name for name in HEADS if name != "guides"))
    with pytest.raises(ExportError, match="--target gltf: expected an asset with the head guides"):
        targets.make(without, "gltf", Options())
