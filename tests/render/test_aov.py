"""Pictures beside the picture, of assets and of references."""

import numpy as np
import pytest

from bake_standin import StandIn, uniform_plastic
from neural_samples import random_material, with_heads
from signal_documents import glowing_leaf
from verdigris.errors import RenderError
from verdigris.materials.reference import load_reference
from verdigris.model import ModelConfig
from verdigris.render.aov import AOVS, render_aovs
from verdigris.render.pathtrace import coverage

SIZE = (48, 40)


def test_a_uniform_asset_shows_its_heads_wherever_it_is():
    material = with_heads(random_material(ModelConfig(frames=1), finest=(1, 1)), ("albedo", "guides", "emission"))
    found = render_aovs(material, tuple(AOVS), "sphere", SIZE, 16)
    covered = coverage("sphere", SIZE)
    inner = np.zeros_like(covered)
    inner[15:25, 19:29] = True
    assert covered[inner].all()
    at = np.zeros((1, 2))
    albedo, normal, roughness = material.guides(at)
    assert {name: picture.shape for name, picture in found.items()} == {n: (40, 48, c) for n, c in AOVS.items()}
    np.testing.assert_allclose(found["albedo"][inner], albedo.repeat(100, 0), rtol=1e-4)
    np.testing.assert_allclose(found["roughness"][inner][:, 0], roughness.repeat(100), rtol=1e-4)
    np.testing.assert_allclose(found["emission"][inner], material.emission(at).repeat(100, 0), rtol=1e-4)
    np.testing.assert_allclose(found["opacity"][inner], 1)
    straight = material.albedo(at, np.array([[0, 0, 1.0]]))
    np.testing.assert_allclose(found["directional_albedo"][19:21, 23:25].mean((0, 1)), straight[0], rtol=0.05)
    assert not found["albedo"][0, 0].any() and not found["opacity"][0, 0].any()


def test_the_flat_normal_of_a_reference_is_the_sphere_s(tmp_path):
    reference = load_reference(glowing_leaf(tmp_path, emission=False, opacity=False))
    found = render_aovs(reference, ("normal", "albedo", "directional_albedo"), "sphere", SIZE, 64)
    centre = found["normal"][19:21, 23:25].mean((0, 1))
    np.testing.assert_allclose(centre, (0, 0, 1), atol=0.03)
    # To the right of the picture, and upwards, normals lean to +x and +y.
    assert found["normal"][20, 30, 0] > 0.3 and found["normal"][12, 24, 1] > 0.3
    np.testing.assert_allclose(found["albedo"][20, 24], (0.2, 0.5, 0.1), rtol=1e-3)
    np.testing.assert_allclose(found["directional_albedo"][20, 24], (0.2, 0.5, 0.1), rtol=0.02)


def test_rays_go_through_what_is_cut_out(tmp_path):
    reference = load_reference(glowing_leaf(tmp_path))
    found = render_aovs(reference, ("opacity", "albedo", "emission"), "plane@lamp", SIZE, 64)
    there = found["opacity"][..., 0]
    assert (there > 0.99).sum() > 200 and (there < 0.01).sum() > 200
    np.testing.assert_allclose(found["albedo"][there > 0.999][:, 1], 0.5, atol=0.01)
    # By chance along the leaf's soft edge, right in the mean.
    assert abs((found["albedo"][..., 1] - 0.5 * there).mean()) < 1e-3 and not found["albedo"][there < 1e-6].any()
    assert not found["emission"][there < 1e-6].any() and found["emission"].max() > 3.9


def test_equal_seeds_give_equal_pictures():
    material = with_heads(random_material(finest=(4, 4)))
    one, same, other = (render_aovs(material, ("albedo",), "sphere", SIZE, 4, seed)["albedo"] for seed in (1, 1, 2))
    assert one.tobytes() == same.tobytes() != other.tobytes()


@pytest.mark.parametrize(
    ("material", "name", "message"),
    [
        (random_material(), "depth", "aov: expected one of albedo, normal, .*, got 'depth'"),
        (random_material(), "albedo", "aov: albedo: expected a material with guides, got one without"),
        (random_material(), "directional_albedo", "aov: directional_albedo: expected a material with albedo"),
        (uniform_plastic(), "normal", "aov: normal: expected a material with guides"),
    ],
    ids=["unknown", "guides", "albedo", "stand-in"],
)
def test_what_a_material_does_not_have_is_an_error(material, name, message):
    with pytest.raises(RenderError, match=message):
        render_aovs(material, (name,), "sphere", SIZE, 1)


def test_a_stand_in_has_a_directional_albedo():
    found = render_aovs(StandIn(32), ("directional_albedo",), "sphere", SIZE, 16)["directional_albedo"]
    assert 0.05 < found[20, 24].mean() < 0.7
