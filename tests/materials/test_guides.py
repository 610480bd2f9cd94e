"""What denoisers are told of a closure tree, and the albedo by the reference's own sampler."""

import numpy as np
import pytest

from directions import direction
from signal_documents import glowing_leaf
from verdigris.bake.config import DirectionMix
from verdigris.bake.queries import QuerySource
from verdigris.materials.reference import load_reference
from verdigris.runtime import mitsuba

UV = np.random.default_rng(0).random((500, 2), dtype=np.float32)


def guides(material):
    mi = mitsuba()
    albedo, normal, roughness = material.guides_dr(mi.Point2f(UV.T))
    return [np.array(found) for found in (albedo, normal, roughness)]


def test_a_diffuse_surface_is_its_colour_flat_and_rough(tmp_path):
    albedo, normal, roughness = guides(load_reference(glowing_leaf(tmp_path)))
    np.testing.assert_allclose(albedo.ravel()[:3], (0.2, 0.5, 0.1), rtol=1e-5)
    np.testing.assert_allclose(normal.ravel()[:3], (0, 0, 1), atol=1e-6)
    np.testing.assert_allclose(roughness, 1, rtol=1e-6)


@pytest.mark.parametrize("layering", ["scale", "walk"])
def test_the_library_gives_unit_normals_and_bounded_numbers(layering):
    albedo, normal, roughness = guides(load_reference("library:slicer_handle@256", layering=layering))
    assert (albedo >= 0).all() and (albedo <= 1).all() and albedo.std() > 0.01
    np.testing.assert_allclose(np.linalg.norm(normal, axis=0), 1, rtol=1e-5)
    assert (normal[2] > 0).all() and normal[:2].std() > 0.01
    assert (roughness > 0.05).all() and (roughness <= 1).all() and roughness.std() > 0.01


def test_a_conductor_has_the_square_root_of_its_width(shared_materials):
    material = load_reference(shared_materials / "standard_surface_copper.mtlx")
    _, _, roughness = guides(material)
    # standard_surface squares roughnesses into widths. The metal's is 0.25, the coat's, which reflects little, 0.2.
    assert 0.24 < roughness.min() and roughness.max() < 0.25


def test_the_albedo_straight_above_is_that_of_the_guides_where_all_is_diffuse(tmp_path):
    material = load_reference(glowing_leaf(tmp_path))
    source = QuerySource(material, DirectionMix())
    _, found = source.albedo(UV[:, 0], UV[:, 1], 3, 16)
    np.testing.assert_allclose(np.asarray(found[1]), 0.5, atol=0.01)
    wi = np.repeat(direction(0.3)[None], len(UV), axis=0)
    np.testing.assert_allclose(
        material.sample(UV, wi, np.random.default_rng(1).random((len(UV), 3)))[2][:, 1], 0.5, 1e-3
    )
