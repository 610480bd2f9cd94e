"""Meshes and the studio made by code."""

import numpy as np
import pytest

from verdigris.render.environment import BOXES, BULB_RADIANCE, BULBS, HEIGHT, direction, studio
from verdigris.render.geometry import mesh, plane, sphere
from verdigris.render.teapot import HEIGHT as TEAPOT_HEIGHT
from verdigris.render.teapot import bezier, teapot

GRIDS = {"sphere": [sphere(64, 32)], "plane": [plane()], "teapot": teapot()}
ALL = [pytest.param(grid, id=f"{name}{k}") for name, grids in GRIDS.items() for k, grid in enumerate(grids)]


def cell_vectors(values):
    """Differences along columns and rows, and the mean, of each cell."""
    a, b, c, d = values[:-1, :-1], values[:-1, 1:], values[1:, :-1], values[1:, 1:]
    return (b - a + d - c) / 2, (c - a + d - b) / 2, (a + b + c + d) / 4


@pytest.mark.parametrize("grid", ALL)
def test_normals_are_unit_and_fit_the_surface(grid):
    np.testing.assert_allclose(np.linalg.norm(grid.normal, axis=-1), 1, atol=1e-6)
    along_u, along_v, _ = cell_vectors(grid.position)
    faces = np.cross(along_u, along_v)
    area = np.linalg.norm(faces, axis=-1)
    mean = cell_vectors(np.asarray(grid.normal))[2]
    cosine = (faces * mean).sum(axis=-1) / np.maximum(area, 1e-12)
    # The cells of the teapot's sharpest folds turn by up to 60 degrees.
    assert cosine[area > 1e-9].min() > 0.5


@pytest.mark.parametrize("grid", ALL)
def test_texture_coordinates_grow_with_the_grid(grid):
    assert (np.diff(grid.uv[..., 0], axis=1) > 0).all()
    assert (np.diff(grid.uv[..., 1], axis=0) > 0).all()


def test_the_teapot_has_its_known_size_and_touches_its_lid():
    points = np.concatenate([grid.position.reshape(-1, 3) for grid in GRIDS["teapot"]])
    low, high = points.min(axis=0), points.max(axis=0)
    np.testing.assert_allclose(low[1], -TEAPOT_HEIGHT / 2, atol=1e-6)
    np.testing.assert_allclose(high[1], TEAPOT_HEIGHT / 2, atol=1e-6)
    np.testing.assert_allclose([low[0], high[0]], [-3, 3.434], atol=0.01)
    np.testing.assert_allclose([low[2], high[2]], [-2, 2], atol=1e-3)


def test_a_bezier_curve_passes_through_its_ends_with_its_slopes():
    control = np.array([[0, 0], [1, 0], [2, 1], [2, 2], [2, 3], [1, 3], [0, 0]], dtype=float)
    points, slopes = bezier(control, steps=8)
    np.testing.assert_allclose(points[[0, 8, 16]], control[[0, 3, 6]])
    np.testing.assert_allclose(slopes[[0, 8]], [[3, 0], [0, 3]])
    assert len(points) == len(slopes) == 17


def test_the_mesh_s_uv_reach_a_bsdf_with_v_upwards(mi):
    bsdf = mi.load_dict({"type": "diffuse"})
    scene = mi.load_dict({"type": "scene", "object": mesh([plane()], bsdf)})
    si = scene.ray_intersect(mi.Ray3f(mi.Point3f(-0.5, 3, 0.8), mi.Vector3f(0, -1, 0)))
    assert np.array(si.uv).ravel() == pytest.approx([0.25, 1 - 0.1], abs=1e-5)
    assert np.array(si.sh_frame.n).ravel() == pytest.approx([0, 1, 0], abs=1e-5)


def test_the_sphere_s_front_shows_the_texture_once():
    grid = GRIDS["sphere"][0]
    front = grid.position[..., 2] > 0
    u = grid.uv[front][:, 0]
    assert u.min() >= 0 and u.max() <= 1
    right = grid.uv[front & (grid.position[..., 0] > 0)][:, 0]
    assert right.min() >= 0.5


def test_the_studio_is_deterministic_and_its_lights_are_where_they_are_said_to_be():
    image = studio()
    assert image.dtype == np.float32 and image.shape == (HEIGHT, 2 * HEIGHT, 3)
    np.testing.assert_array_equal(image, studio())
    assert (image > 0).all()
    for azimuth, elevation in BULBS:
        assert texel(image, direction(azimuth, elevation))[0] >= BULB_RADIANCE[0]
    for box in BOXES:
        assert texel(image, direction(box.azimuth_deg, box.elevation_deg))[0] >= box.radiance[0]


def test_the_studio_lies_in_mitsuba_as_it_does_in_its_own_convention(mi):
    scene = mi.load_dict({"type": "scene", "environment": {"type": "envmap", "bitmap": mi.Bitmap(studio())}})
    for azimuth, elevation in BULBS:
        ray = mi.Ray3f(mi.Point3f(0), mi.Vector3f(*direction(azimuth, elevation).tolist()))
        seen = np.array(scene.environment().eval(scene.ray_intersect(ray))).ravel()
        assert seen[0] > 0.9 * BULB_RADIANCE[0]


def test_what_lies_behind_the_object_is_plain():
    rows, columns = slice(HEIGHT // 2 - 50, HEIGHT // 2 + 50), np.arange(-60, 60)
    assert studio()[rows][:, columns].max() < 0.2


def texel(image, d):
    theta = np.arccos(np.clip(d[1], -1, 1))
    phi = np.arctan2(d[0], -d[2]) % (2 * np.pi)
    return image[int(theta / np.pi * HEIGHT), int(phi / np.pi * HEIGHT) % (2 * HEIGHT)]
