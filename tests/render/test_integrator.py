"""`verdigris_path` beside Mitsuba's `path`, and its ray cones."""

import numpy as np
import pytest

from neural_samples import random_material, with_heads
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.geometry import mesh, sphere
from verdigris.render.pathtrace import as_bsdf, render
from verdigris.render.plugin import make_bsdf, register
from verdigris.render.ray_cone import GRAZING, camera_cone, half_a_level, spread_after, uv_footprint
from verdigris.runtime import mitsuba

SIZE = 24
GLASS = {"type": "roughdielectric", "alpha": 0.2}
HOLES = {"type": "mask", "opacity": 0.4, "nested": {"type": "roughconductor", "alpha": 0.1}}


def place():
    return mitsuba().ScalarTransform4f()


def light_from(origin, target, up, scale, radiance):
    facing = place().look_at(origin, target, up).scale(scale)
    return {"type": "rectangle", "to_world": facing, "emitter": {"type": "area", "radiance": radiance}}


def described(bsdf, lights):
    """A ball on a floor in front of a camera."""
    floor = place().translate([0, -1, 0]).rotate([1, 0, 0], -90).scale(3)
    film = {"type": "hdrfilm", "width": SIZE, "height": SIZE, "pixel_format": "rgba", "rfilter": {"type": "box"}}
    return {
        "type": "scene",
        "sensor": {"type": "perspective", "to_world": place().look_at([0, 1, 5], [0, 0, 0], [0, 1, 0]), "film": film},
        "floor": {"type": "rectangle", "to_world": floor, "bsdf": {"type": "diffuse"}},
        "ball": {"type": "sphere", "bsdf": bsdf},
        **lights,
    }


def lights(*names):
    mi = mitsuba()
    rng = np.random.default_rng(0)
    known = {
        "lamp": light_from([0, 3, 0], [0, 0, 0], [0, 0, 1], 0.5, 10.0),
        "front": light_from([0, 0.3, 2.5], [0, 0, 6], [0, 1, 0], 0.2, 1.0),
        "bulb": {"type": "point", "position": [2, 2, 2], "intensity": 5.0},
        "sky": {"type": "constant", "radiance": 0.5},
        "map": {"type": "envmap", "bitmap": mi.Bitmap(rng.random((8, 16, 3), dtype=np.float32))},
    }
    return {name: known[name] for name in names}


CASES = {
    "area lights": ({"type": "diffuse"}, ("lamp", "front")),
    "dielectric": ({"type": "dielectric"}, ("lamp", "sky")),
    "rough dielectric": (GLASS, ("lamp", "map")),
    "mask": (HOLES, ("lamp",)),
    "mask under a sky": (HOLES, ("sky", "front")),
    "point light": ({"type": "roughplastic"}, ("bulb",)),
    "principled": ({"type": "principled", "roughness": 0.3, "clearcoat": 1.0}, ("map",)),
    "null": ({"type": "null"}, ("map", "front")),
}


@pytest.mark.parametrize("hidden", [False, True], ids=["lights shown", "lights hidden"])
@pytest.mark.parametrize("case", CASES)
def test_without_neural_materials_it_is_the_path_tracer(mi, case, hidden):
    """Equal random numbers, so equal images with their alpha, not only equal means."""
    register()
    bsdf, names = CASES[case]
    scene = mi.load_dict(described(bsdf, lights(*names)))
    images = []
    for kind in ("path", "verdigris_path"):
        integrator = mi.load_dict({"type": kind, "max_depth": 9, "rr_depth": 3, "hide_emitters": hidden})
        images.append(np.array(mi.render(scene, spp=16, seed=3, integrator=integrator)))
    np.testing.assert_allclose(images[1], images[0], rtol=1e-4, atol=1e-5)
    assert images[0][..., :3].max() > 0.01


@pytest.mark.parametrize("depth", [0, 1, 2, -1])
def test_depths_mean_what_they_mean_in_path(mi, depth):
    register()
    scene = mi.load_dict(described({"type": "diffuse"}, lights("sky")))
    first, second = (
        np.array(mi.render(scene, spp=4, integrator=mi.load_dict({"type": kind, "max_depth": depth})))
        for kind in ("path", "verdigris_path")
    )
    np.testing.assert_allclose(second, first, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [("max_depth", -2, "expected -1 or more"), ("rr_depth", 0, "expected 1 or more"), ("footprint", -1.0, "0 or more")],
)
def test_parameters_out_of_range_are_refused(mi, parameter, value, message):
    register()
    with pytest.raises(RuntimeError, match=message):
        mi.load_dict({"type": "verdigris_path", parameter: value})


@pytest.mark.parametrize("depth", [1, 4, -1])
def test_sorting_by_material_changes_no_picture(mi, dr, depth):
    """Materials of two networks, a stock BSDF and one that is cut out, side by side; and frozen frames of them."""
    register()
    cut = DrjitMaterial(with_heads(random_material(seed=3), ("opacity",)))
    bsdfs = [
        *(make_bsdf(DrjitMaterial(random_material(seed=k))) for k in range(2)),
        make_bsdf(cut),
        mi.load_dict({"type": "roughconductor"}),
    ]
    balls = {
        f"ball{k}": {"type": "sphere", "center": [k % 2 - 0.5, k // 2 - 0.5, 0], "radius": 0.6, "bsdf": bsdf}
        for k, bsdf in enumerate(bsdfs)
    }
    scene = mi.load_dict({**described({"type": "diffuse"}, lights("sky")), **balls})
    plain, by_material = (
        mi.load_dict({"type": "verdigris_path", "max_depth": depth, "sort": sort}) for sort in (False, True)
    )
    expected = np.array(mi.render(scene, spp=4, integrator=plain))
    np.testing.assert_allclose(
        np.array(mi.render(scene, spp=4, integrator=by_material)), expected, rtol=1e-4, atol=1e-5
    )
    if depth > 0:
        frozen = dr.freeze(lambda scene, seed: by_material.render(scene, scene.sensors()[0], seed=seed, spp=4))
        for seed in range(4):
            again = np.array(frozen(scene, dr.opaque(mi.UInt32, seed)))
            expected = np.array(plain.render(scene, scene.sensors()[0], seed=seed, spp=4))
            np.testing.assert_allclose(again, expected, rtol=1e-4, atol=1e-5)


def test_it_loads_from_xml_and_says_what_it_is(mi):
    register()
    xml = '<integrator version="3.0.0" type="verdigris_path"><integer name="max_depth" value="4"/></integrator>'
    assert "max_depth = 4, rr_depth = 5" in str(mi.load_string(xml))


def banded():
    """A material whose level k answers like no other: constant latents that grow with the level."""
    material = random_material(finest=(256, 256), levels=9)
    for k, level in enumerate(material.latents):
        level[...] = 0.3 * k
    return material


def test_levels_rise_with_the_distance(mi):
    """A ball from near looks as if level 0 were forced, and from far it does not; nor where a cone is 0 pixels wide."""
    material = banded()
    for side, spp, least, most in ((8, 64, 0.1, 10.0), (256, 4, 0.0, 0.02)):
        free, forced = (render(material, "sphere@sun", (side, side), spp, level=level) for level in (None, 0))
        assert least <= np.abs(free - forced).mean() / forced.mean() <= most
    scene = described(as_bsdf(material), lights("bulb"))
    images = [
        np.array(mi.render(mi.load_dict({**scene, "integrator": integrator}), spp=8))
        for integrator in ({"type": "path"}, {"type": "verdigris_path", "footprint": 0.0})
    ]
    np.testing.assert_allclose(images[1], images[0], rtol=1e-4, atol=1e-6)


def sensors():
    film = {"type": "hdrfilm", "width": 10, "height": 10}
    return {
        "perspective": {"type": "perspective", "fov": 20.0, "film": film},
        "thinlens": {"type": "thinlens", "fov": 20.0, "aperture_radius": 0.1, "focus_distance": 3.0, "film": film},
        "orthographic": {"type": "orthographic", "film": film},
    }


@pytest.mark.parametrize("kind", ["perspective", "thinlens", "orthographic"])
def test_the_cone_of_a_camera_is_a_pixel(mi, kind):
    sensor = mi.load_dict(sensors()[kind])
    ray, _ = sensor.sample_ray_differential(0.0, 0.5, mi.Point2f(0.5, 0.5), mi.Point2f(0.5, 0.5))
    ray.scale_differential(0.25)
    width, spread = (float(np.ravel(part)[0]) for part in camera_cone(ray, 16))
    expected = (0.2, 0.0) if kind == "orthographic" else (0.0, 2 * np.tan(np.radians(10)) / 10)
    np.testing.assert_allclose((width, spread), expected, rtol=5e-3, atol=1e-3)


def hit(mi, dr):
    """A hit on the plane z = 0 with skewed uv, u = x, v = x + 2 y."""
    si = dr.zeros(mi.SurfaceInteraction3f)
    si.n = mi.Normal3f(0, 0, 1)
    si.dp_du, si.dp_dv = mi.Vector3f(1, -0.5, 0), mi.Vector3f(0, 0.5, 0)
    return si


@pytest.mark.parametrize("theta", [0.0, 0.7, 1.4])
def test_a_footprint_is_stretched_in_the_plane_of_incidence(mi, dr, theta):
    direction = np.array([np.sin(theta) * 0.6, np.sin(theta) * 0.8, -np.cos(theta)])
    along, across = (np.ravel(axis) for axis in uv_footprint(hit(mi, dr), mi.Vector3f(direction), mi.Float(0.02)))
    to_uv = np.array([[1.0, 0.0], [1.0, 2.0]])
    length = 0.02 / np.cos(theta)
    if theta:
        np.testing.assert_allclose(along, to_uv @ [0.6, 0.8] * length, atol=1e-6)
        np.testing.assert_allclose(np.abs(across), np.abs(to_uv @ [-0.8, 0.6]) * 0.02, atol=1e-6)
    area = abs(along[0] * across[1] - along[1] * across[0])
    np.testing.assert_allclose(area, 2 * 0.02 * length, rtol=1e-4)


def test_a_footprint_stays_finite_at_grazing_angles_and_without_a_map(mi, dr):
    si = hit(mi, dr)
    for along in uv_footprint(si, mi.Vector3f(1, 0, 0), mi.Float(1.0)):
        assert np.isfinite(np.ravel(along)).all() and np.abs(np.ravel(along)).max() <= 3 / GRAZING
    si.dp_du = si.dp_dv = mi.Vector3f(0)
    assert not np.any([np.ravel(axis) for axis in uv_footprint(si, mi.Vector3f(0, 0, -1), mi.Float(1.0))])


def test_the_noise_of_a_level_is_uniform(mi, dr, rng):
    si = dr.zeros(mi.SurfaceInteraction3f, 1 << 16)
    si.uv = mi.Point2f(rng.random((2, 1 << 16), dtype=np.float32))
    u = np.log2(np.array(half_a_level(si))) + 0.5
    counts = np.histogram(u, 64, (0, 1))[0]
    assert counts.sum() == 1 << 16
    assert ((counts - 1024) ** 2 / 1024).sum() < 63 + 5 * np.sqrt(2 * 63)


def test_a_curved_mirror_spreads_a_cone_and_a_hole_does_not(mi, dr):
    """Seen from outside, a ball of radius r seen head on adds 2 width / r; seen from inside it takes that away."""
    scene = mi.load_dict({"type": "scene", "ball": mesh([sphere()], mi.load_dict({"type": "conductor"}))})
    sample = dr.zeros(mi.BSDFSample3f)
    flags = mi.RayFlags.All | mi.RayFlags.dNSdUV
    found = {}
    for place_z, kind in ((5.0, "DeltaReflection"), (0.0, "DeltaReflection"), (5.0, "Null"), (5.0, "Glossy")):
        ray = mi.Ray3f(mi.Point3f(0.01, 0.02, place_z), mi.Vector3f(0, 0, -1))
        flag = mi.BSDFFlags.GlossyReflection if kind == "Glossy" else getattr(mi.BSDFFlags, kind)
        sample.sampled_type, sample.pdf = mi.UInt32(+flag), mi.Float(25.0)
        si = scene.ray_intersect(ray, flags, True)
        spread = spread_after(si, ray.d, sample, mi.Float(0.01), mi.Float(0.001))
        found[place_z, kind] = float(np.ravel(spread)[0])
    assert found[5.0, "DeltaReflection"] == pytest.approx(0.021, rel=0.01)
    assert found[0.0, "DeltaReflection"] == pytest.approx(-0.019, rel=0.01)
    assert found[5.0, "Null"] == pytest.approx(0.001)
    assert found[5.0, "Glossy"] == pytest.approx(0.021 + 0.5 / 5, rel=0.01)
