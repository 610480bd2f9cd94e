"""Checkpoints of neuralappearance: exact round trips, what that program computes of them, and what is refused."""

import json
import zlib

import numpy as np
import pytest

import verdigris
from neural_samples import queries, random_material, with_far, with_heads
from verdigris.asset.write import encode
from verdigris.cli.main import run
from verdigris.errors import ExportError
from verdigris.export import appearance, checkpoint, exr, interchange, package, targets
from verdigris.export.options import Options
from verdigris.model import DecoderConfig, Metadata, ModelConfig, SamplerConfig

SQUARE = (8, 8)
CONFIGS = {
    "frames": ModelConfig(8, 2, DecoderConfig((16, 16), "leaky_smelu", ("wi", "wo"), "sigmoid")),
    "other order": ModelConfig(3, 1, DecoderConfig((5,), "relu", ("wo", "wi"))),
    "released": ModelConfig(
        8, 2, DecoderConfig((16, 16), "leaky_smelu", ("turned_half", "turned_difference", "cosines"), "sigmoid")
    ),
    "half vectors": ModelConfig(
        8, 0, DecoderConfig((7,), "leaky_relu", ("half", "difference", "cosines")), SamplerConfig((4, 4), 2, 0.0)
    ),
    "all vectors": ModelConfig(12, 0, DecoderConfig((4,), "relu", ("half", "difference", "wi", "wo"), "exp")),
}


def material(name, heads=True):
    made = random_material(CONFIGS[name], SQUARE, 3, metadata=Metadata("Old brass", {"uri": "b"}, {"seed": 1}, {}))
    return with_heads(made, ("guides", "albedo"), (3,)) if heads else made


def written(made, folder):
    package.write(made, "neuralappearance", targets.make(made, "neuralappearance", Options()), folder)
    return folder / "model.json"


@pytest.mark.parametrize("name", CONFIGS)
def test_a_round_trip_is_exact_to_the_byte(name, tmp_path):
    made = material(name)
    assert encode(checkpoint.read(written(made, tmp_path / "out"))) == encode(made)


def test_far_levels_come_back(tmp_path):
    made = with_far(material("frames"), 2)
    path = written(made, tmp_path / "out")
    assert encode(checkpoint.read(path)) == encode(made)
    fields = json.loads(path.read_text())
    fields["verdigris"]["far"]["level"] = 3
    path.write_text(json.dumps(fields))
    with pytest.raises(
        ExportError, match=r"model.json.verdigris.far.level: expected a whole number from 1 to 2, got 3"
    ):
        checkpoint.read(path)


@pytest.mark.parametrize("name", CONFIGS)
def test_without_our_field_the_response_is_the_same(name, tmp_path):
    made, path = material(name), written(material(name), tmp_path / "out")
    fields = json.loads(path.read_text())
    del fields["verdigris"]
    path.write_text(json.dumps(fields))
    found = checkpoint.read(path)
    uv, wi, wo = queries(500)
    np.testing.assert_allclose(found.eval(uv, wi, wo), made.eval(uv, wi, wo), rtol=1e-4)
    assert not found.heads and found.metadata.name == ""
    if appearance.maps_sampler(made.config):
        np.testing.assert_allclose(found.pdf(uv, wi, wo), made.pdf(uv, wi, wo), rtol=1e-4)
        assert checkpoint.has_sampler(path)
    else:
        assert found.config.sampler == checkpoint.BROAD and not checkpoint.has_sampler(path)


def theirs(fields, latent, wi, wo):
    """The response as that program defines it, of one query: written from its description, not from our code."""
    decoder, unit = fields["decoder"], lambda v: v / np.linalg.norm(v)
    half = unit(wi + wo)
    v = np.array([half[1], -half[0], 0])
    difference = wi * half[2] + np.cross(v, wi) + v @ wi * v / (1 + half[2])
    frames = [np.eye(3)]
    if count := decoder["num_shading_frames"]:
        (layer,) = decoder["_params"]["rotation"]["rotation_decoder"]["mlp_layers"]
        raw = np.reshape(layer["weights"], (layer["num_outputs"], -1)) @ latent
        frames = []
        for k in range(count):
            n, t = unit(raw[3 * k :][:3] + [0, 0, 1]), unit(raw[3 * (k + count) :][:3] + [1, 0, 0])
            frames.append(np.stack([t, np.cross(n, t), n]))
    seen = {"Wi": wi, "Wo": wo, "Wh": half, "Wd": difference}
    name, x = decoder["direction_inputs"], []
    for part in (name[k : k + 2] for k in range(0, len(name), 2)):
        for frame in frames:
            x += [(frame @ seen[f"W{part[1]}"])[2]] if part[0] == "Z" else list(frame @ seen[part])
    x = np.array([*x, *latent])
    layers = decoder["_params"]["network"]["mlp_layers"]
    for index, layer in enumerate(layers):
        x = np.reshape(layer["weights"], (layer["num_outputs"], -1)) @ x + layer["biases"]
        if index < len(layers) - 1:
            smelu = np.where(abs(x) < 0.5, 0.495 * x * x + 0.505 * x + 0.12375, np.maximum(x, 0.01 * x))
            x = {"ReLU": np.maximum(x, 0), "LeakyReLU": np.maximum(x, 0.01 * x), "SmeLU": smelu}[
                decoder["hidden_activations"]
            ]
    output = decoder["output_activation"]
    return np.exp(x) if output["type"] == "Exp" else output["scale"] / (1 + np.exp(-x))


@pytest.mark.parametrize("name", CONFIGS)
def test_that_program_computes_our_response(name):
    made = material(name, heads=False)
    fields = json.loads(json.dumps(interchange.model(made)))
    _, wi, wo = queries(20)
    size = SQUARE[0]
    for k in range(20):
        row, column = divmod(k * 3, size)
        uv = np.array([[(column + 0.5) / size, (row + 0.5) / size]])
        expected = made.eval(uv, wi[k : k + 1], wo[k : k + 1])[0]
        latent = made.latents[0][row, column].astype(float)
        np.testing.assert_allclose(theirs(fields, latent, wi[k], wo[k]), expected, rtol=2e-4)


def test_types_are_named_as_that_program_composes_them():
    described = interchange.model(material("half vectors"))
    assert described["latents"]["_type_name"] == "LatentTexture<1, 3, 8>"
    name = described["decoder"]["_type_name"]
    assert name.startswith("ChainedModelPair<BsdfDecoderInputWithFrames<8, 1>, BsdfDecoderInputWithFrames<8, 1>, ")
    assert "WhWdZiZoBsdfDecoderFlattener<8, 1, 8, 16>" in name and name.endswith("Activation::Exp<float, 3>>>>")


@pytest.mark.parametrize("compression", [2, 3])
def test_zipped_images_are_read(compression, rng):
    pixels = rng.normal(size=(37, 5, 9)).astype(np.float16)
    plain = exr.write(pixels, interchange.channel_names(9))
    found = exr.read(zipped(plain, 37, compression))
    for channel, name in enumerate(interchange.channel_names(9)):
        np.testing.assert_array_equal(found[name], pixels[..., channel])


def zipped(plain, height, compression):
    """The file with its scan lines compressed, as OpenEXR does."""
    at = plain.index(b"compression\0compression\0") + len("compression\0compression\0") + 4
    head_end = plain.index(b"screenWindowWidth\0float\0") + len("screenWindowWidth\0float\0") + 9
    size = (len(plain) - head_end - 8 * height) // height
    lines = [plain[head_end + 8 * height + y * size + 8 :][: size - 8] for y in range(height)]
    rows, blocks = exr.LINES[compression], []
    for start in range(0, height, rows):
        data = np.frombuffer(b"".join(lines[start : start + rows]), np.uint8)
        parted = np.concatenate([data[0::2], data[1::2]]).astype(int)
        parted[1:] = parted[1:] - parted[:-1] + 128
        packed = zlib.compress((parted % 256).astype(np.uint8).tobytes())
        content = packed if len(packed) < len(data) else data.tobytes()
        blocks.append(np.int32([start, len(content)]).tobytes() + content)
    header = plain[:at] + bytes([compression]) + plain[at + 1 : head_end]
    places = len(header) + 8 * len(blocks) + np.cumsum([0, *map(len, blocks)])[:-1]
    return header + places.astype("<u8").tobytes() + b"".join(blocks)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (ModelConfig(), "decoder.features: expected wi, wo; .*got wi, wo, log_half"),
        (
            ModelConfig(decoder=DecoderConfig(features=("half", "difference"))),
            "features: .*got half, difference",
        ),
        (ModelConfig(decoder=DecoderConfig(features=("wi", "wo"), cosine=False)), "decoder.cosine: expected true"),
    ],
)
def test_what_has_no_equal_is_not_written(config, message):
    with pytest.raises(ExportError, match=message):
        targets.make(random_material(config, SQUARE), "neuralappearance", Options())


def test_levels_must_be_square():
    with pytest.raises(ExportError, match="latents: expected square levels, got 16 x 8"):
        targets.make(random_material(CONFIGS["frames"]), "neuralappearance", Options())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f["decoder"].update(direction_inputs="WhWdZiZo"), "network.mlp_layers.0.num_inputs: expected"),
        (lambda f: f["decoder"].update(direction_inputs="Wi"), "decoder.direction_inputs: expected one of WiWo, "),
        (
            lambda f: f["decoder"].update(num_shading_frames="2"),
            "num_shading_frames: expected a whole number from 0 to 4",
        ),
        (lambda f: f["decoder"].update(hidden_activations="Tanh"), "hidden_activations: expected one of ReLU, "),
        (
            lambda f: f["decoder"].update(half_diff_parameterization="Rusinkiewicz"),
            "expected one of StableRusinkiewicz",
        ),
        (
            lambda f: f["decoder"]["output_activation"].update(scale=1),
            "activation.scale: expected 100000, got 1",
        ),
        (lambda f: f["latents"].update(type="ntc_grid"), "latents.type: expected one of dense, got 'ntc_grid'"),
        (lambda f: f["latents"].update(num_mip_levels=4), "mip3.exr: cannot be read: No such file"),
        (lambda f: f["latents"].update(num_channels=7), "expected"),
        (lambda f: f.pop("decoder"), "decoder: expected an object, got NoneType"),
        (lambda f: f["decoder"]["_params"]["network"]["mlp_layers"].pop(), "network.mlp_layers: expected 3 layers"),
        (
            lambda f: f["decoder"]["_params"]["network"]["mlp_layers"][0]["weights"].pop(),
            r"mlp_layers.0.weights: expected \d+ finite numbers",
        ),
    ],
)
def test_a_wrong_checkpoint_is_refused(change, message, tmp_path):
    path = written(material("frames"), tmp_path / "out")
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))
    with pytest.raises(ExportError, match=message) as caught:
        checkpoint.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no image", bytes(64)])
def test_a_damaged_image_is_refused(content, tmp_path):
    path = written(material("frames"), tmp_path / "out")
    (path.parent / "latents.material0.mip1.exr").write_bytes(content)
    with pytest.raises(ExportError, match=r"mip1.exr: expected an EXR file"):
        checkpoint.read(path)


def test_the_command_line_reads_one_back(tmp_path, capsys):
    made = material("frames")
    verdigris.save(made, tmp_path / "a.vdg")
    arguments = ["export", str(tmp_path / "a.vdg"), "--target", "neuralappearance", "-o", str(tmp_path / "out")]
    assert run(arguments) == 0
    assert run(["import", str(tmp_path / "out" / "model.json"), "-o", str(tmp_path / "b.vdg")]) == 0
    assert (tmp_path / "a.vdg").read_bytes() == (tmp_path / "b.vdg").read_bytes()
    (tmp_path / "bad.json").write_text("[]")
    assert run(["import", str(tmp_path / "bad.json"), "-o", str(tmp_path / "c.vdg")]) == 1
    assert "bad.json: expected an object, got list" in capsys.readouterr().err
    assert not (tmp_path / "c.vdg").exists()
