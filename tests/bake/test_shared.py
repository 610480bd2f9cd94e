"""Several materials with one network: what they share, that each is learned, that the bake is a job as any other."""

from dataclasses import replace

import numpy as np
import pytest

from bake_standin import StandIn, uniform_plastic
from signal_documents import glowing_leaf
from verdigris.asset.write import encode
from verdigris.bake import Job, bake, bake_shared, preset
from verdigris.errors import BakeError
from verdigris.materials.reference import load_reference

SIZES = dict(levels=2, resolution=32, batch=1024, chunk_steps=32, report_samples=3000)
CONFIG = preset(
    "draft",
    encode_samples=300_000,
    tune_samples=600_000,
    uniform_samples=300_000,
    auxiliary_samples=100_000,
    **SIZES,
)


def references():
    blue = StandIn(64, alpha=(0.05, 0.2), albedo=(0.1, 0.3, 0.6), seed=2, name="blue")
    return [StandIn(32, name="red"), blue, uniform_plastic()]


@pytest.fixture(scope="module")
def baked():
    return bake_shared(references(), CONFIG)


def network(material):
    """All numbers that a file holds, but for the latents."""
    arrays = [material.frame_weight, *(array for layer in material.layers for array in layer)]
    return [array.tobytes() for array in arrays]


def test_materials_share_their_network_and_say_so(baked):
    assert network(baked[0]) == network(baked[1]) == network(baked[2])
    assert [material.metadata.name for material in baked] == ["red", "blue", "stand-in"]
    assert [material.latents[0].shape for material in baked] == [(32, 32, 8), (32, 32, 8), (1, 1, 8)]
    facts = [material.metadata.report["shared"] for material in baked]
    assert facts[0] == facts[1] == facts[2] and facts[0]["materials"] == ["red", "blue", "stand-in"]
    assert len(facts[0]["network"]) == 64
    # The albedo's head too.
    heads = [[array.tobytes() for layer in material.auxiliary.heads["albedo"] for array in layer] for material in baked]
    assert heads[0] == heads[1] == heads[2]


def test_each_is_learned_about_as_well_as_alone(baked):
    for reference, together in zip(references(), baked, strict=True):
        alone = bake(reference, CONFIG).metadata.report
        report = together.metadata.report
        # 0.9, 1.3 and 0.6 times the error of a bake alone when this was written.
        assert report["power_l1"] < 1.6 * alone["power_l1"]
        assert report["training_samples"] == pytest.approx(alone["training_samples"], rel=0.12)


def test_a_shared_bake_goes_on_to_the_same_files(baked, tmp_path):
    path, notices = tmp_path / "out.checkpoint", []

    def stop(now):
        if now.phase == "tune" and now.step >= 20 * 32:
            raise KeyboardInterrupt

    job = Job(path, checkpoint_seconds=0, on_notice=notices.append)
    with pytest.raises(KeyboardInterrupt):
        bake_shared(references(), CONFIG, stop, job)
    again = bake_shared(references(), CONFIG, None, job)
    assert notices == [f"{path}: going on from tune, step 512 of 1376"]
    assert [encode(material) for material in again] == [encode(material) for material in baked]
    # In another order it is another bake.
    with pytest.raises(KeyboardInterrupt):
        bake_shared(references()[::-1], CONFIG, lambda _: stop(replace(_, phase="tune", step=10**6)), job)
    assert "another bake" in notices[-1]


def test_heads_of_one_material_are_shared_but_kept_from_the_others(tmp_path):
    leaf = load_reference(glowing_leaf(tmp_path))
    config = replace(CONFIG, tune_samples=1_000_000, auxiliary_samples=300_000, latent_bits=8)
    glowing, plain = bake_shared([leaf, StandIn(32)], config)
    assert glowing.heads == ("albedo", "guides", "emission", "opacity") and plain.heads == ("albedo",)
    assert glowing.latent_bits == plain.latent_bits == 8
    assert (glowing.grids[0].offset != plain.grids[0].offset).any()
    uv = np.random.default_rng(2).random((20_000, 2), dtype=np.float32)
    # Constants would leave 0.5 and 0.8.
    assert np.abs(glowing.opacity(uv) - leaf.opacity(uv)).mean() < 0.1
    assert np.abs(glowing.emission(uv) - leaf.emission(uv)).mean() < 0.2
    assert plain.metadata.report["power_l1"] < 0.1


def test_a_chunk_may_leave_a_material_out(tmp_path):
    """A chunk of one step is of one material; the leaf's encoder has one input, the other's six."""
    few = replace(CONFIG, chunk_steps=1, encode_samples=8000, tune_samples=8000, auxiliary_samples=8000)
    materials = bake_shared([load_reference(glowing_leaf(tmp_path)), StandIn(32)], few)
    assert [len(material.metadata.report["curves"]) for material in materials] == [5, 5]


def test_uniform_materials_alone_need_no_encoder():
    few = replace(CONFIG, auxiliary_samples=0)
    materials = bake_shared([uniform_plastic(0.2), uniform_plastic(0.4)], few)
    for material in materials:
        assert [curve["phase"] for curve in material.metadata.report["curves"]] == ["tune", "sampler"]
        assert material.metadata.report["power_l1"] < 0.1
    assert (materials[0].latents[0] != materials[1].latents[0]).any()


def test_what_cannot_be_shared_is_refused():
    with pytest.raises(BakeError, match="expected two materials or more, got 1"):
        bake_shared([StandIn(32)], CONFIG)
    with pytest.raises(BakeError, match="instances: a shared bake expects 1, got 4"):
        bake_shared(references(), replace(CONFIG, instances=4))
