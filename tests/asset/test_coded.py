"""Files whose latents are codes of 8 or 4 bits: their bytes, and each way in which they can be wrong."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from asset_samples import GOLDEN, GOLDEN_1, GOLDEN_4, Parts, forged, tiny_coded
from neural_samples import coded, queries, random_material
from verdigris import asset
from verdigris.asset.format import LENGTH_BYTES, Malformed
from verdigris.asset.packing import pack, unpack
from verdigris.asset.read import parse
from verdigris.asset.write import encode
from verdigris.errors import AssetError
from verdigris.model import ModelConfig

GOLDEN_SHA256 = "4454088b98c616c66ecfd925b60fab0c43ae3dda9115cf336969d5f8b4546c1f"
CONTENT = GOLDEN_4.read_bytes()


def read(content):
    end = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES], "little")
    return parse(content[:LENGTH_BYTES], content[LENGTH_BYTES:end], content[end:])[0]


@settings(max_examples=60, deadline=None)
@given(
    bits=st.sampled_from([8, 4]),
    channels=st.integers(1, 9),
    finest=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    levels=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_round_trip(bits, channels, finest, levels, seed):
    material = coded(random_material(ModelConfig(channels), finest, levels, seed=seed), bits, seed)
    content = encode(material)
    loaded = read(content)
    assert loaded.latent_bits == bits and encode(loaded) == content
    for before, after in zip(material.latents, loaded.latents, strict=True):
        assert after.dtype == np.float32
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("bits", [8, 4])
def test_the_stored_material_evaluates_like_the_one_in_memory(tmp_path, bits):
    material = coded(random_material(levels=2), bits)
    asset.save(material, tmp_path / "x.vdg")
    uv, wi, wo = queries(1000)
    np.testing.assert_array_equal(asset.load(tmp_path / "x.vdg").eval(uv, wi, wo, 0.5), material.eval(uv, wi, wo, 0.5))


def test_latents_between_two_values_are_rounded_and_those_beyond_are_refused(tmp_path):
    material = coded(random_material(), 8)
    scale = material.grids[0].scale
    moved = dataclasses.replace(material, latents=(material.latents[0] + 0.4 * scale,))
    assert encode(moved) == encode(material)
    far = dataclasses.replace(material, latents=(material.latents[0] + 300 * scale,))
    with pytest.raises(AssetError, match=r"latents\.0: expected numbers within half a step of the grid, got"):
        asset.save(far, tmp_path / "x.vdg")


def test_bytes_of_a_texel():
    sizes = {16: len(encode(random_material(finest=(64, 64))))}
    sizes |= {bits: len(encode(coded(random_material(finest=(64, 64)), bits))) for bits in (8, 4)}
    # Beside the texels: two more entries in the header, and the grid.
    assert sizes[16] - sizes[8] == pytest.approx(64 * 64 * 8, abs=400)
    assert sizes[8] - sizes[4] == pytest.approx(64 * 64 * 4, abs=16)


def test_two_channels_a_byte_the_even_one_low():
    codes = np.array([[[1, 2, 3], [15, 0, 7]]], np.uint8)
    packed = pack(codes, 4)
    np.testing.assert_array_equal(packed, [[[0x21, 0x03], [0x0F, 0x07]]])
    np.testing.assert_array_equal(unpack(packed, 3, 4, "x"), codes)
    with pytest.raises(Malformed, match="x: expected 0 in the half bytes after the last of 3 channels"):
        unpack(packed + np.uint8(16), 3, 4, "x")


def test_golden_bytes():
    """A change of one byte here is a new schema version: files that people have must stay readable."""
    assert hashlib.sha256(CONTENT).hexdigest() == GOLDEN_SHA256
    assert encode(tiny_coded()) == CONTENT


def test_safetensors_reads_it():
    tensors = load_file(GOLDEN_4)
    np.testing.assert_array_equal(tensors["latents.0"], [[[0xB8], [0x0D], [0x52]], [[0xA7], [0xFC], [0x41]]])
    np.testing.assert_array_equal(tensors["latents.0.scale"], [0.125, 0.25])
    assert {name for name, array in tensors.items() if array.dtype == np.uint8} == {"latents.0", "latents.1"}


def test_halves_lie_at_even_places():
    material = coded(random_material(ModelConfig(1), (3, 3)), 8)
    content = encode(material)
    end = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES], "little")
    header = json.loads(content[LENGTH_BYTES:end])
    assert end % 8 == 0
    assert all(e["data_offsets"][0] % 2 == 0 for e in header.values() if e.get("dtype") == "F16")


def test_inspect_tells_the_bits():
    assert [asset.inspect(path)["latent_bits"] for path in (GOLDEN_4, GOLDEN)] == [4, 16]


def test_sixteen_bits_may_be_said():
    def say(parts):
        parts.manifest["latent_bits"] = 16

    content = forged(say, GOLDEN.read_bytes())
    assert read(content).latent_bits == 16


def bits(value):
    def change(parts):
        parts.manifest["latent_bits"] = value

    return change


def entry(name, **changes):
    def change(parts):
        parts.tensors[name].update(changes)

    return change


def half(name, index, value):
    def change(parts):
        begin = parts.tensors[name]["data_offsets"][0] + 2 * index
        parts.data[begin : begin + 2] = np.array([value], "<f2").tobytes()

    return change


def unknown(parts):
    parts.tensors["latents.2.scale"] = parts.tensors.pop("latents.1.scale")


def without_bits(parts):
    del parts.manifest["latent_bits"]


FORGED = {
    "other bits": (bits(2), "latent_bits: expected 16, 8 or 4, got 2"),
    "bits of another type": (bits("4"), "manifest.latent_bits: expected an integer, got '4'"),
    "bits as a boolean": (bits(True), "manifest.latent_bits: expected an integer, got True"),
    "no bits": (without_bits, "latents.0: expected dtype F16, got 'U8'"),
    "sixteen bits": (bits(16), "latents.0: expected dtype F16, got 'U8'"),
    "eight bits": (bits(8), "latents.0: expected shape (2, 3, 2), got (2, 3, 1)"),
    "signed codes": (entry("latents.1", dtype="I8"), "latents.1: expected dtype U8, got 'I8'"),
    "codes as halves": (entry("latents.1", dtype="F16"), "latents.1: expected dtype U8, got 'F16'"),
    "scale as bytes": (entry("latents.1.scale", dtype="U8"), "latents.1.scale: expected dtype F16, got 'U8'"),
    "scale of one channel": (entry("latents.1.scale", shape=[1]), "latents.1.scale: expected shape (2,), got (1,)"),
    "too many bytes": (entry("latents.0", data_offsets=[124, 131]), "latents.0: expected 6 bytes, got 7"),
    "no scale": (unknown, "latents.1.scale: missing"),
    "infinite offset": (half("latents.0.offset", 1, np.inf), "latents.0.offset: expected finite numbers, got inf"),
    "negative scale": (half("latents.0.scale", 1, -1), "latents.0.scale: expected 0, or at least |offset| / 2^20"),
    "tiny scale": (half("latents.0.scale", 1, 2**-24), "latents.0.scale: expected 0, or at least |offset| / 2^20"),
    "codes without a scale": (half("latents.0.scale", 0, 0), "latents.0: expected code 0 in channels of scale 0"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_file_is_refused(name, tmp_path):
    change, message = FORGED[name]
    path = tmp_path / "bad.vdg"
    path.write_bytes(forged(change, CONTENT))
    with pytest.raises(AssetError) as caught:
        asset.load(path)
    assert message in str(caught.value) and "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_schema_1_has_no_codes(tmp_path):
    path = tmp_path / "bad.vdg"
    path.write_bytes(forged(bits(16), GOLDEN_1.read_bytes()))
    with pytest.raises(AssetError, match="manifest: unknown field 'latent_bits'"):
        asset.load(path)


def test_every_truncation_and_every_flipped_bit_is_refused():
    content = bytearray(CONTENT)
    for length in range(LENGTH_BYTES, len(content)):
        with pytest.raises((Malformed, ValueError)):
            read(bytes(content[:length]))
    for position in range(LENGTH_BYTES, len(content)):
        for bit in range(8):
            content[position] ^= 1 << bit
            with pytest.raises(Malformed):
                read(bytes(content))
            content[position] ^= 1 << bit
    assert read(bytes(content)).latent_bits == 4


def test_a_good_file_of_the_helper_loads():
    """So that the refusals above are due to the one change."""
    assert read(forged(lambda parts: None, CONTENT)).latent_bits == Parts(CONTENT).manifest["latent_bits"] == 4
