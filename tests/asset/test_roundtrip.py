"""What is saved is what is loaded; the bytes are known; other readers of safetensors agree."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

import verdigris
from asset_samples import DECODER, DECODER_1, GOLDEN, GOLDEN_1, GOLDEN_2, GOLDEN_FAR, Parts, forged, tiny, tiny_far
from neural_samples import queries, random_material, with_far
from verdigris import asset
from verdigris.asset.manifest import OLD_SAMPLER
from verdigris.asset.write import encode
from verdigris.model import FEATURE_WIDTHS, DecoderConfig, Metadata, ModelConfig, SamplerConfig
from verdigris.model.config import ACTIVATIONS, OUTPUTS

GOLDEN_SHA256 = {
    GOLDEN_1: "2533b07cea29f8e5bf356de786adced2ff3e7611e5c408bbe337d68ecdc64499",
    GOLDEN_2: "5492e528ff89785eb19d59f86619a1ac36a74106f8792de62d3f322249992be1",
    GOLDEN: "8efe455462bee371f84856e64d4b38eadc9a5b3f29b3b7fc6eeb4d98c5c8c5dc",
    GOLDEN_FAR: "771b00662e492a4a81c28cf3e10e8f5978202dd8b893419fbd02311f25e1a5e5",
}
GOLDEN_EVAL = {
    GOLDEN_1: (0.34061682, 0.01346649, 0.03108616),
    GOLDEN_2: (65088.4567315, 22956.29475479, 36864.03998359),
    GOLDEN: (65088.4567315, 22956.29475479, 36864.03998359),
}
GOLDEN_PDF = {GOLDEN_1: 0.33363751, GOLDEN_2: 0.33363751, GOLDEN: 0.12508772}
"""At uv (.2, .9), wi (.6, 0, .8), wo (0, -.6, .8), computed by the reader printed in docs/format.md."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
json_objects = st.dictionaries(st.text(), json_values, max_size=4)
names = st.text(max_size=40).filter(str.isprintable)


@st.composite
def materials(draw):
    features = draw(st.lists(st.sampled_from(sorted(FEATURE_WIDTHS)), min_size=1, unique=True))
    decoder = DecoderConfig(
        tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))),
        draw(st.sampled_from(ACTIVATIONS)),
        tuple(features),
        draw(st.sampled_from(OUTPUTS)),
        draw(st.booleans()),
    )
    hidden = tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)))
    sampler = SamplerConfig(hidden, draw(st.integers(1, 4)), draw(st.floats(0, 0.5)))
    config = ModelConfig(draw(st.integers(1, 9)), draw(st.integers(0, 3)), decoder, sampler)
    levels = draw(st.integers(1, 4))
    material = random_material(
        config,
        finest=(draw(st.integers(1, 9)), draw(st.integers(1, 9))),
        levels=levels,
        seed=draw(st.integers(0, 1000)),
        metadata=Metadata(draw(names), draw(json_objects), draw(json_objects), draw(json_objects)),
    )
    far = draw(st.integers(0, levels - 1))
    return with_far(material, far) if far else material


def arrays(material, sampler=True):
    yield from material.latents
    if material.frame_weight is not None:
        yield material.frame_weight
    far = material.far.layers if material.far else ()
    for layer in (*material.layers, *far, *(material.sampler if sampler else ())):
        yield from layer


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(material=materials())
def test_round_trip(material, tmp_path):
    path = tmp_path / "x.vdg"
    asset.save(material, path)
    loaded = asset.load(path)
    assert (loaded.config, loaded.metadata) == (material.config, material.metadata)
    # random_material's numbers are float16's, so nothing is lost
    for before, after in zip(arrays(material), arrays(loaded), strict=True):
        assert after.dtype == np.float32
        np.testing.assert_array_equal(before, after)
    first = path.read_bytes()
    asset.save(loaded, path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("path", GOLDEN_SHA256, ids=lambda path: path.stem)
def test_golden_bytes(path):
    """A change of one byte here is a new schema version: files that people have must stay readable."""
    assert hashlib.sha256(path.read_bytes()).hexdigest() == GOLDEN_SHA256[path]


def test_we_write_the_golden_bytes():
    assert encode(tiny()) == GOLDEN.read_bytes()
    assert encode(tiny_far()) == GOLDEN_FAR.read_bytes()


@pytest.mark.parametrize(("path", "decoder"), [(GOLDEN_1, DECODER_1), (GOLDEN_2, DECODER)], ids=["1", "2"])
def test_a_file_of_an_old_schema_is_read_as_the_material_it_was(path, decoder):
    """But for the sampler: the one that stands in for it samples every direction, by a density that says so."""
    loaded, written = asset.load(path), tiny(decoder)
    assert (loaded.config, loaded.metadata) == (
        dataclasses.replace(written.config, sampler=OLD_SAMPLER),
        written.metadata,
    )
    for before, after in zip(arrays(written, sampler=False), arrays(loaded, sampler=False), strict=True):
        np.testing.assert_array_equal(before, after)
    uv, wi, wo = queries(1000)
    assert loaded.pdf(uv, wi, wo).min() > 1e-3
    assert [asset.inspect(path)["schema"] for path in (GOLDEN_1, GOLDEN_2, GOLDEN, GOLDEN_FAR)] == [1, 2, 3, 4]


@pytest.mark.parametrize("path", GOLDEN_EVAL, ids=lambda path: path.stem)
def test_a_golden_file_evaluates_to_known_numbers(path):
    material = asset.load(path)
    wi, wo = np.array([[0.6, 0, 0.8]]), np.array([[0, -0.6, 0.8]])
    np.testing.assert_allclose(material.eval([[0.2, 0.9]], wi, wo), [GOLDEN_EVAL[path]], rtol=1e-5)
    np.testing.assert_allclose(material.pdf([[0.2, 0.9]], wi, wo), [GOLDEN_PDF[path]], rtol=1e-5)


def test_rounding_to_float16_is_all_that_changes(tmp_path):
    material = random_material(levels=2)
    shifted = dataclasses.replace(material, latents=tuple(a * np.float32(1.0003) for a in material.latents))
    asset.save(shifted, tmp_path / "x.vdg")
    for before, after in zip(arrays(shifted), arrays(asset.load(tmp_path / "x.vdg")), strict=True):
        np.testing.assert_array_equal(before.astype(np.float16).astype(np.float32), after)


def test_the_stored_material_evaluates_like_the_one_in_memory(tmp_path):
    material = random_material(levels=2)
    asset.save(material, tmp_path / "x.vdg")
    uv, wi, wo = queries(1000)
    np.testing.assert_array_equal(asset.load(tmp_path / "x.vdg").eval(uv, wi, wo, 0.5), material.eval(uv, wi, wo, 0.5))


def test_safetensors_reads_it(tmp_path):
    tensors = load_file(GOLDEN)
    material = tiny()
    assert {name: array.dtype for name, array in tensors.items()} == dict.fromkeys(tensors, np.dtype(np.float16))
    np.testing.assert_array_equal(tensors["latents.0"], material.latents[0])
    np.testing.assert_array_equal(tensors["decoder.layers.1.bias"], material.layers[1][1])


def test_the_tensors_begin_at_a_multiple_of_8():
    assert (8 + int.from_bytes(GOLDEN.read_bytes()[:8], "little")) % 8 == 0


def test_another_writer_may_order_and_space_as_it_likes(tmp_path):
    """The rules are about content: order of the keys, white space and order of the tensors are free."""

    def reorder(parts):
        names = sorted(parts.tensors, reverse=True)
        data, entries = bytearray(), {}
        for name in names:
            begin, end = parts.tensors[name]["data_offsets"]
            entries[name] = {**parts.tensors[name], "data_offsets": [len(data), len(data) + end - begin]}
            data += parts.data[begin:end]
        parts.tensors, parts.data = entries, data

    path = tmp_path / "x.vdg"
    path.write_bytes(forged(reorder))
    for before, after in zip(arrays(tiny()), arrays(asset.load(path)), strict=True):
        np.testing.assert_array_equal(before, after)


def test_inspect_tells_everything_as_json():
    told = asset.inspect(GOLDEN)
    assert json.loads(json.dumps(told)) == told
    assert told["bytes"] == GOLDEN.stat().st_size
    assert told["name"] == "tiny"
    assert told["source"]["uri"] == "tiny.mtlx"
    assert told["levels"] == [{"height": 2, "width": 3}, {"height": 1, "width": 1}]
    assert told["parameters"] == {"latents": 14, "frames": 12, "decoder": 42, "far": 0, "sampler": 39, "auxiliary": 0}
    far = asset.inspect(GOLDEN_FAR)
    assert (told["far_level"], far["far_level"], far["parameters"]["far"]) == (None, 1, 12)
    assert told["model"] == Parts().manifest["model"]
    assert told["checksum"].encode() in GOLDEN.read_bytes()


def test_the_top_level_names_are_these():
    assert verdigris.load is asset.load
    assert verdigris.save is asset.save


@pytest.mark.parametrize("kind", [str, None])
def test_paths_may_be_strings(tmp_path, kind):
    path = tmp_path / "x.vdg"
    asset.save(tiny(), kind(path) if kind else path)
    assert asset.load(kind(path) if kind else path).metadata.name == "tiny"
