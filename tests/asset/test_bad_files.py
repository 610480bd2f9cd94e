"""One file for each way in which a file can be wrong: always an AssetError, one line, naming file and field."""

import json
import os
import struct

import numpy as np
import pytest

from asset_samples import GOLDEN, GOLDEN_1, GOLDEN_FAR, forged
from verdigris import asset
from verdigris.asset.format import MAX_FILE_BYTES, MAX_HEADER_BYTES, seal
from verdigris.errors import AssetError

CONTENT = GOLDEN.read_bytes()
HEADER_END = 8 + int.from_bytes(CONTENT[:8], "little")


def refusal(path, content=None):
    """The message with which a file is refused."""
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AssetError) as caught:
        asset.load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bad.vdg"


def put(**changes):
    """Changes fields of the manifest; `a__b` is a.b, `...` removes."""

    def change(parts):
        for key, value in changes.items():
            target, names = parts.manifest, key.split("__")
            for name in names[:-1]:
                target = target[int(name) if isinstance(target, list) else name]
            if value is ...:
                del target[names[-1]]
            else:
                target[names[-1]] = value

    return change


def entry(name, **changes):
    def change(parts):
        parts.tensors[name].update(changes)

    return change


def remove(name):
    def change(parts):
        del parts.tensors[name]

    return change


def add(name):
    def change(parts):
        parts.tensors[name] = {"dtype": "F16", "shape": [1], "data_offsets": [len(parts.data), len(parts.data) + 2]}
        parts.data += bytes(2)

    return change


def value(number):
    def change(parts):
        parts.data[4:6] = struct.pack("<e", number)

    return change


def extra_byte(parts):
    parts.data += b"\0"


def hole(parts):
    for description in parts.tensors.values():
        description["data_offsets"] = [offset + 2 for offset in description["data_offsets"]]
    parts.data = bytearray(2) + parts.data


def overlap(parts):
    parts.tensors["decoder.layers.1.bias"]["data_offsets"] = [0, 6]
    del parts.data[-6:]


FORGED = {
    "newer schema": (put(schema=5), "schema: expected version 1 to 4, got 5"),
    "schema before the first": (put(schema=0), "schema: expected version 1 to 4, got 0"),
    "huge schema": (put(schema=10**400), "schema: expected version 1 to 4, got 1000"),
    "schema of another type": (put(schema="1"), "manifest.schema: expected an integer, got '1'"),
    "schema as a boolean": (put(schema=True), "manifest.schema: expected an integer, got True"),
    "no schema": (put(schema=...), "manifest.schema: missing"),
    "other conventions": (put(conventions__uv="upper left"), "conventions: expected those of schema 3"),
    "unknown field": (put(extra=1), "manifest: unknown field 'extra'"),
    "unknown model field": (put(model__heads=1), "model: unknown field 'heads'"),
    "unknown decoder field": (put(model__decoder__bias=1), "model.decoder: unknown field 'bias'"),
    "no levels": (put(levels=0), "levels: expected 1 to 15, got 0"),
    "too many levels": (put(levels=16), "levels: expected 1 to 15, got 16"),
    "one level more": (put(levels=3), "latents.2: missing"),
    "one level less": (put(levels=1), "'latents.1': unknown tensor"),
    "channels of another type": (put(model__channels=2.0), "model.channels: expected an integer, got 2.0"),
    "too many channels": (put(model__channels=65), "model: channels: expected 1 to 64, got 65"),
    "huge channels": (put(model__channels=10**400), "model: channels: expected 1 to 64"),
    "negative frames": (put(model__frames=-1), "model: frames: expected 0 to 4, got -1"),
    "no hidden layer": (put(model__decoder__hidden=[]), "model.decoder.hidden: expected 1 to 16 entries, got 0"),
    "too many layers": (put(model__decoder__hidden=[1] * 17), "model.decoder.hidden: expected 1 to 16 entries, got 17"),
    "hidden of another type": (put(model__decoder__hidden=["3"]), "model.decoder.hidden.0: expected an integer"),
    "too wide": (put(model__decoder__hidden=[1025]), "model: decoder.hidden: expected"),
    "unknown activation": (put(model__decoder__activation="tanh"), "model: decoder.activation: expected one of relu"),
    "unknown feature": (
        put(model__decoder__features=["wi", "sun\nrise"]),
        "model: decoder.features: expected distinct",
    ),
    "long feature": (put(model__decoder__features=["w" * 10_000]), "model: decoder.features: expected distinct"),
    "no output": (put(model__decoder__output=...), "model.decoder.output: missing"),
    "unknown output": (put(model__decoder__output="tanh"), "model: decoder.output: expected one of exp, sigmoid, got"),
    "no cosine": (put(model__decoder__cosine=...), "model.decoder.cosine: missing"),
    "cosine as a number": (put(model__decoder__cosine=1), "model.decoder.cosine: expected true or false, got 1"),
    "no sampler": (put(model__sampler=...), "model.sampler: missing"),
    "unknown sampler field": (put(model__sampler__bias=1), "model.sampler: unknown field 'bias'"),
    "no hidden layer of the sampler": (
        put(model__sampler__hidden=[]),
        "model.sampler.hidden: expected 1 to 16 entries, got 0",
    ),
    "no lobes": (put(model__sampler__lobes=0), "model: sampler.lobes: expected 1 to 4, got 0"),
    "one lobe more": (put(model__sampler__lobes=2), "sampler.layers.1.weight: expected shape (15, 2), got (9, 2)"),
    "lobes as a number": (put(model__sampler__lobes=1.0), "model.sampler.lobes: expected an integer, got 1.0"),
    "no end of lobes": (put(model__sampler__lobes=10**400), "model: sampler.lobes: expected 1 to 4, got 1000"),
    "all defensive": (put(model__sampler__defensive=1), "model: sampler.defensive: expected 0 to 0.5, got 1.0"),
    "sampler of an old file": (put(sampler={}), "manifest: unknown field 'sampler'"),
    "name of another type": (put(name=None), "manifest.name: expected a string, got None"),
    "name with a terminal escape": (put(name="\x1b[2J"), "name: expected up to 256 printable characters"),
    "long name": (put(name="x" * 257), "name: expected up to 256 printable characters"),
    "source of another type": (put(source=[]), "manifest.source: expected an object, got a list"),
    "missing tensor": (remove("frames.weight"), "frames.weight: missing"),
    "no latents": (remove("latents.0"), "latents.0: missing"),
    "unknown tensor": (add("decoder.layers.2.bias"), "'decoder.layers.2.bias': unknown tensor"),
    "float32 tensor": (entry("latents.0", dtype="F32"), "latents.0: expected dtype F16, got 'F32'"),
    "wrong shape": (entry("frames.weight", shape=[2, 6]), "frames.weight: expected shape (6, 2), got (2, 6)"),
    "wrong level shape": (entry("latents.1", shape=[1, 2, 1]), "latents.1: expected shape (1, 1, 2), got (1, 2, 1)"),
    "no side": (entry("latents.0", shape=[0, 3, 2]), "latents.0: expected shape (H, W, channels)"),
    "huge side": (
        entry("latents.0", shape=[16385, 3, 2]),
        "(H, W, channels), sides 1 to 16384",
    ),
    "flat latents": (entry("latents.0", shape=[12]), "latents.0: expected shape (H, W, channels)"),
    "scalar shape": (entry("latents.1", shape=[]), "latents.1: expected a shape of 1 to 3 sizes"),
    "negative shape": (entry("latents.1", shape=[-1, -1, 2]), "latents.1: expected a shape of 1 to 3 sizes"),
    "fractional shape": (entry("latents.1", shape=[1.0, 1, 2]), "latents.1: expected a shape of 1 to 3 sizes"),
    "offsets of another type": (entry("latents.1", data_offsets="0"), "latents.1: expected two data_offsets"),
    "negative offsets": (entry("latents.1", data_offsets=[-4, 0]), "latents.1: expected two data_offsets"),
    "too few bytes": (entry("latents.1", data_offsets=[24, 26]), "latents.1: expected 4 bytes, got 2"),
    "backward offsets": (entry("latents.1", data_offsets=[28, 24]), "latents.1: expected 4 bytes, got -4"),
    "unknown entry field": (entry("latents.1", stride=1), "latents.1: expected dtype, shape and data_offsets"),
    "hole": (hole, "latents.0: expected to begin at byte 0 of the tensors, got 2"),
    "overlap": (overlap, "latents.0: expected to begin at byte 6 of the tensors, got 0"),
    "trailing byte": (extra_byte, "tensors: expected 214 bytes, got 215"),
    "not a number": (value(float("nan")), "latents.0: expected finite numbers, got nan"),
    "infinity": (value(float("-inf")), "latents.0: expected finite numbers, got -inf"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_file_is_refused(name, path):
    change, message = FORGED[name]
    found = refusal(path, forged(change))
    assert message in found
    assert len(found) < len(str(path)) + 400


FORGED_FAR = {
    "no level": (put(far={}), "far.level: missing"),
    "level of another type": (put(far__level="1"), "far.level: expected an integer, got '1'"),
    "finest level": (put(far__level=0), "far.level: expected 1 to 1, got 0"),
    "level behind the last": (put(far__level=2), "far.level: expected 1 to 1, got 2"),
    "unknown field": (put(far__layers=1), "far: unknown field 'layers'"),
    "missing tensor": (remove("far.layers.0.bias"), "far.layers.0.bias: missing"),
    "a layer more": (add("far.layers.1.bias"), "'far.layers.1.bias': unknown tensor"),
    "not said": (put(far=...), "'far.layers.0.weight': unknown tensor"),
    "in schema 3": (put(schema=3), "manifest: unknown field 'far'"),
}


@pytest.mark.parametrize("name", FORGED_FAR)
def test_wrong_far_levels_are_refused(name, path):
    change, message = FORGED_FAR[name]
    assert message in refusal(path, forged(change, GOLDEN_FAR.read_bytes()))


FORGED_1 = {
    "output": (put(model__decoder__output="exp"), "model.decoder: unknown field 'output'"),
    "cosine": (put(model__decoder__cosine=True), "model.decoder: unknown field 'cosine'"),
    "activation": (put(model__decoder__activation="leaky_smelu"), "model: decoder.activation: schema 1 expects one of"),
    "feature": (put(model__decoder__features=["wi", "half"]), "model: decoder.features: schema 1 expects names of"),
    "called schema 2": (put(schema=2), "model.decoder.output: missing"),
}


@pytest.mark.parametrize("name", FORGED_1)
def test_what_schema_1_did_not_have_is_refused_in_it(name, path):
    change, message = FORGED_1[name]
    assert message in refusal(path, forged(change, GOLDEN_1.read_bytes()))


def header_only(text):
    return seal(text.replace("CHECKSUM", "0" * 64).encode("utf-8", "surrogatepass"), b"")


METADATA = '{"__metadata__":{"checksum":"CHECKSUM","verdigris":%s}}'

RAW = {
    "empty": (b"", "size: expected 8 to"),
    "text": (b"<materialx/>\n", "header length: expected 2 to"),
    "length only": (struct.pack("<Q", 100), "header: expected 100 bytes, got 0: the file is cut short"),
    "long header": (struct.pack("<Q", MAX_HEADER_BYTES + 1), "header length: expected 2 to 16777216 bytes"),
    "not JSON": (struct.pack("<Q", 3) + b"{x}", "header: expected JSON"),
    "not UTF-8": (struct.pack("<Q", 4) + b'"\xff"}', "header: expected JSON"),
    "a list": (struct.pack("<Q", 2) + b"[]", "header: expected an object"),
    "plain safetensors": (struct.pack("<Q", 2) + b"{}", "__metadata__: expected the keys checksum and verdigris"),
    "deep nesting": (struct.pack("<Q", 200_000) + b"[" * 200_000, "header: expected JSON"),
    "a key twice": (header_only('{"a":1,"a":2,"c":"CHECKSUM"}'), "header: expected JSON, got 'a key occurs twice'"),
    "manifest no string": (header_only(METADATA % "1"), "manifest: expected a string"),
    "manifest no JSON": (header_only(METADATA % '"{"'), "manifest: expected JSON"),
    "manifest with NaN": (header_only(METADATA % '"NaN"'), "manifest: expected JSON, got 'NaN is no JSON number'"),
    "manifest out of range": (header_only(METADATA % '"1e999"'), "manifest: expected JSON"),
    "manifest huge integer": (header_only(METADATA % f'"{"9" * 5000}"'), "manifest: expected JSON"),
    "manifest lone surrogate": (header_only(METADATA % r'"\ud800"'), "manifest: expected JSON"),
    "manifest list": (header_only(METADATA % '"[]"'), "manifest: expected an object, got a list"),
    "long checksum": (CONTENT.replace(b'"checksum":"', b'"checksum":"0', 1), "checksum: expected 64 hex"),
    "other metadata": (CONTENT.replace(b"checksum", b"Checksum", 1), "__metadata__: expected the keys checksum and"),
}


@pytest.mark.parametrize("name", RAW)
def test_raw_bytes_are_refused(name, path):
    content, message = RAW[name]
    assert message in refusal(path, content)


def test_a_checksum_that_is_escaped_is_refused(path):
    digest = json.loads(CONTENT[8:HEADER_END])["__metadata__"]["checksum"].encode()
    escaped = CONTENT[8:HEADER_END].replace(digest, digest[:-1] + b"\\u%04x" % digest[-1])
    message = refusal(path, len(escaped).to_bytes(8, "little") + escaped + CONTENT[HEADER_END:])
    assert "checksum: expected it to stand in the header once" in message


def test_every_truncation_is_refused(path):
    for length in range(len(CONTENT)):
        refusal(path, CONTENT[:length])


def test_every_flipped_bit_is_refused(path):
    """Header, padding, checksum and tensors: nothing in a file is outside the checksum."""
    content = bytearray(CONTENT)
    for position in range(len(content)):
        for bit in range(8):
            content[position] ^= 1 << bit
            refusal(path, content)
            content[position] ^= 1 << bit


def test_a_flipped_bit_among_the_tensors_is_called_damage(path):
    content = bytearray(CONTENT)
    content[HEADER_END + 1] ^= 1
    assert "checksum: the file is damaged" in refusal(path, content)


def test_appended_bytes_are_refused(path):
    assert "checksum" in refusal(path, CONTENT + b"\0")


def test_a_file_over_the_limit_is_refused_before_it_is_read(path):
    with path.open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)  # sparse: takes no space
    assert "size: expected 8 to 1073741824 bytes, got 1073741825" in refusal(path)


def test_no_file(path):
    assert "cannot be read: No such file" in refusal(path)


def test_a_directory(tmp_path):
    assert "expected a regular file" in refusal(tmp_path)


def test_a_pipe_does_not_block(path):
    os.mkfifo(path)
    assert "expected a regular file" in refusal(path)


def test_inspect_refuses_the_same(path):
    path.write_bytes(forged(FORGED["not a number"][0]))
    with pytest.raises(AssetError, match=r"latents\.0: expected finite"):
        asset.inspect(path)


def test_a_good_file_of_the_helper_loads(path):
    """So that the refusals above are due to the one change."""
    path.write_bytes(forged(lambda parts: None))
    np.testing.assert_array_equal(asset.load(path).layers[0][0], asset.load(GOLDEN).layers[0][0])
