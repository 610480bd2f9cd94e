"""Auxiliary heads: ranges, defaults, refusals, and their place in a file."""

from dataclasses import replace

import numpy as np
import pytest

from asset_samples import forged
from neural_samples import queries, random_material, with_heads
from verdigris import asset
from verdigris.asset.write import encode
from verdigris.errors import AssetError
from verdigris.model import HEADS, Auxiliary, ModelConfig
from verdigris.model.auxiliary import respond


def test_answers_stay_in_their_ranges_whatever_the_network_says():
    raw = np.array([[-1e4] * 7, [0.0] * 7, [1e4] * 7], np.float32)
    for name in HEADS:
        answer = respond(name, raw)
        assert np.isfinite(answer).all()
        assert (answer >= (-1 if name == "guides" else 0)).all()
    np.testing.assert_allclose(respond("opacity", raw[:, :1])[:, 0], [0, 0.5, 1])
    np.testing.assert_allclose(respond("emission", np.float32([[-2, 0, 1.5]])), [[0, 0, 2.25]])
    np.testing.assert_allclose(respond("guides", raw)[1], [0.5, 0.5, 0.5, 0, 0, 1, 0.5])
    np.testing.assert_allclose(np.linalg.norm(respond("guides", raw)[:, 3:6], axis=1), 1, rtol=1e-6)


def test_a_material_without_heads_neither_emits_nor_is_cut_out():
    uv, wi, _ = queries(10)
    material = random_material()
    assert material.heads == ()
    assert not material.emission(uv).any() and (material.opacity(uv) == 1).all()
    with pytest.raises(ValueError, match="expected a head 'albedo', got a material without any"):
        material.albedo(uv, wi)
    with pytest.raises(ValueError, match="expected a head 'guides', got a material with opacity"):
        with_heads(material, ("opacity",)).guides(uv)


def test_the_albedo_is_black_from_behind_and_sees_wi_in_the_frames():
    uv, wi, _ = queries(1000, below=0.5)
    material = with_heads(random_material())
    albedo = material.albedo(uv, wi)
    assert not albedo[wi[:, 2] <= 0].any() and (albedo[wi[:, 2] > 0] > 0).all()
    turned = replace(material, frame_weight=material.frame_weight * 2)
    assert np.abs(turned.albedo(uv, wi) - albedo).max() > 0.01
    np.testing.assert_array_equal(turned.emission(uv), material.emission(uv))


def test_arrays_that_do_not_fit_are_refused_by_name():
    material = with_heads(random_material())
    heads = dict(material.auxiliary.heads)
    for other, message in (
        (Auxiliary((16,), heads | {"opacity": heads["emission"]}), "auxiliary.opacity.layers.1.weight"),
        (Auxiliary((8,), heads), "auxiliary.albedo.layers.0.weight"),
        (Auxiliary((16, 16), heads), "auxiliary.albedo.layers: expected 3 layers"),
    ):
        with pytest.raises(ValueError, match=message):
            replace(material, auxiliary=other)
    for hidden in ((), (0,), (257,), (4,) * 5):
        with pytest.raises(ValueError, match="auxiliary.hidden"):
            Auxiliary(hidden, heads)
    with pytest.raises(ValueError, match="auxiliary.heads"):
        Auxiliary((16,), {"colour": heads["albedo"]})


@pytest.mark.parametrize("names", [tuple(HEADS), ("guides",), ("emission", "opacity")], ids=" ".join)
def test_heads_survive_a_file_to_the_last_byte(tmp_path, names):
    material = with_heads(random_material(ModelConfig(frames=1), finest=(4, 6)), names, (9, 4))
    asset.save(material, tmp_path / "a.vdg")
    loaded = asset.load(tmp_path / "a.vdg")
    asset.save(loaded, tmp_path / "b.vdg")
    assert (tmp_path / "a.vdg").read_bytes() == (tmp_path / "b.vdg").read_bytes()
    assert loaded.heads == names
    told = asset.inspect(tmp_path / "a.vdg")
    assert told["auxiliary"] == list(names) and told["parameters"]["auxiliary"] > 0
    uv, wi, _ = queries(100)
    np.testing.assert_array_equal(loaded.emission(uv), material.emission(uv))
    if "albedo" in names:
        np.testing.assert_array_equal(loaded.albedo(uv, wi), material.albedo(uv, wi))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"heads": ["opacity", "albedo"], "hidden": [16]}, "in this order"),
        ({"heads": ["albedo", "albedo"], "hidden": [16]}, "in this order"),
        ({"heads": ["colour"], "hidden": [16]}, "auxiliary.heads"),
        ({"heads": [], "hidden": [16]}, "auxiliary.heads: expected 1 to 4"),
        ({"heads": ["albedo"], "hidden": [257]}, "auxiliary.hidden"),
        ({"heads": ["albedo"], "hidden": []}, "auxiliary.hidden"),
        ({"heads": ["albedo"]}, "auxiliary.hidden: missing"),
        ({"heads": ["albedo"], "hidden": [16], "more": 1}, "unknown field"),
        ({"heads": ["albedo"], "hidden": [16]}, "guides.*unknown tensor"),
        (None, "auxiliary: expected an object"),
    ],
)
def test_bad_heads_are_refused(tmp_path, value, message):
    def change(parts):
        parts.manifest["auxiliary"] = value

    path = tmp_path / "bad.vdg"
    path.write_bytes(forged(change, encode(with_heads(random_material()))))
    with pytest.raises(AssetError, match=message):
        asset.load(path)
