"""The Mitsuba BSDFs: registration, loading from dict and XML, geometry, sampling."""

import subprocess
import sys
import textwrap
from importlib import import_module

import numpy as np
import pytest

import verdigris
from neural_samples import random_material, with_heads, with_widths
from verdigris.errors import RuntimeMissing
from verdigris.model.config import ModelConfig
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.plugin import make_bsdf, register
from verdigris.runtime import mitsuba


@pytest.fixture(scope="module")
def asset(tmp_path_factory):
    path = tmp_path_factory.mktemp("asset") / "random.vdg"
    material = random_material(finest=(8, 8))
    verdigris.save(material, path)
    return path


class Probe:
    """A DrjitBsdf that answers with what it was asked."""

    def __init__(self, answer):
        self.answer = answer

    def eval_dr(self, uv, wi, wo):
        return self.answer(mitsuba(), uv, wi, wo)

    def sample_dr(self, uv, wi, u1, u2):
        mi = mitsuba()
        wo = mi.warp.square_to_cosine_hemisphere(u2)
        return wo, mi.warp.square_to_cosine_hemisphere_pdf(wo)

    def pdf_dr(self, uv, wi, wo):
        return mitsuba().warp.square_to_cosine_hemisphere_pdf(wo)


def scene_with(mi, bsdf, **extra):
    return mi.load_dict(
        {
            "type": "scene",
            "integrator": {"type": "path"},
            "sensor": {
                "type": "perspective",
                "to_world": mi.ScalarTransform4f().look_at([0, 0, 5], [0, 0, 0], [0, 1, 0]),
                "film": {"type": "hdrfilm", "width": 32, "height": 32, "rfilter": {"type": "box"}},
            },
            "sphere": {"type": "sphere", "bsdf": bsdf},
            "light": {"type": "constant"},
            **extra,
        }
    )


def test_dict_scene_renders_in_stock_path(mi, asset):
    register()
    register()
    image = np.array(mi.render(scene_with(mi, {"type": "verdigris", "filename": str(asset)}), spp=16))
    assert np.isfinite(image).all()
    assert image[16, 16].min() > 0


def test_xml_scene_renders_and_resolves_beside_the_scene(mi, asset, monkeypatch, tmp_path):
    register()
    spheres = "".join(
        f'<shape type="sphere"><transform name="to_world"><translate x="{x}"/></transform>'
        f'<bsdf type="verdigris"><string name="filename" value="{asset.name}"/></bsdf></shape>'
        for x in range(4)
    )
    scene = asset.parent / "scene.xml"
    scene.write_text(
        '<scene version="3.0.0"><integrator type="path"/><sensor type="perspective"><transform name="to_world">'
        '<lookat origin="0,0,9" target="0,0,0" up="0,1,0"/></transform><film type="hdrfilm">'
        '<integer name="width" value="16"/><integer name="height" value="16"/></film></sensor>'
        f'{spheres}<emitter type="constant"/></scene>'
    )
    monkeypatch.chdir(tmp_path)
    assert np.isfinite(np.array(mi.render(mi.load_file(str(scene)), spp=4))).all()


def test_a_misspelt_parameter_is_an_error(mi, asset):
    register()
    with pytest.raises(RuntimeError, match="filenaem"):
        mi.load_dict({"type": "verdigris", "filename": str(asset), "filenaem": "x"})


def test_registration_follows_the_variant(asset):
    """In a process of its own: variants are process-wide."""
    script = f"""
        import verdigris
        from verdigris.errors import RuntimeMissing
        verdigris.register()
        import mitsuba as mi
        assert mi.variant() == "llvm_ad_rgb"
        mi.set_variant("scalar_rgb")
        try:
            verdigris.register()
        except RuntimeMissing as error:
            assert "scalar_rgb" in str(error)
        else:
            raise AssertionError
        mi.set_variant("llvm_ad_rgb")
        mi.load_dict({{"type": "verdigris", "filename": {str(asset)!r}}})
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)


def local_answer(mi, scene_dict, answer, origin, direction, wo_world):
    """Evaluates a Probe where a ray hits a scene, for a world direction wo."""
    bsdf = make_bsdf(Probe(answer))
    scene = mi.load_dict({"type": "scene", "shape": {**scene_dict, "bsdf": bsdf}})
    si = scene.ray_intersect(mi.Ray3f(mi.Point3f(origin), mi.Vector3f(direction)))
    wo = si.to_local(mi.Vector3f(wo_world))
    return np.array(bsdf.eval(mi.BSDFContext(), si, wo)).ravel()


def test_uv_has_v_upwards_and_the_frame_is_the_sphere_s(mi):
    sphere = {"type": "sphere"}
    z = 0.6
    hit = dict(origin=[4 * 0.8, 0, 4 * z], direction=[-0.8, 0, -z])
    uv = local_answer(mi, sphere, lambda mi, uv, wi, wo: mi.Color3f(uv.x, uv.y, 1), **hit, wo_world=[0.8, 0, z])
    assert uv[1] == pytest.approx(1 - np.arccos(z) / np.pi, abs=1e-5)
    # On a sphere with +z up, +u runs east and +v north.
    north, east, normal = np.array([-z, 0, 0.8]), np.array([0, 1, 0]), np.array([0.8, 0, z])
    for tangent, axis in ((east, 0), (north, 1)):
        wo = 0.6 * tangent + 0.8 * normal
        got = local_answer(mi, sphere, lambda mi, uv, wi, wo: mi.Color3f(wo), **hit, wo_world=wo)
        assert got[axis] == pytest.approx(0.6, abs=1e-5)
        assert got[2] == pytest.approx(0.8, abs=1e-5)


def test_a_mirrored_uv_map_mirrors_the_bitangent(mi):
    # Mitsuba's rectangle has v upwards in its own convention, so downwards in ours.
    got = local_answer(
        mi,
        {"type": "rectangle"},
        lambda mi, uv, wi, wo: mi.Color3f(wo),
        origin=[0, 0.5, 2],
        direction=[0, 0, -1],
        wo_world=[0, 0.6, 0.8],
    )
    np.testing.assert_allclose(got, [0, -0.6, 0.8], atol=1e-5)


def test_a_sphere_in_a_constant_environment_equals_the_integral_of_eval(mi, rng):
    """Path-traced radiance at the centre pixels = integral of the NumPy eval over the hemisphere (a z-test)."""
    material = random_material(finest=(1, 1))
    camera = {
        "type": "orthographic",
        "to_world": mi.ScalarTransform4f().look_at([0, 0, 5], [0, 0, 0], [0, 1, 0])
        @ mi.ScalarTransform4f().scale([1e-3, 1e-3, 1]),
        "film": {"type": "hdrfilm", "width": 16, "height": 16, "rfilter": {"type": "box"}},
    }
    scene = scene_with(mi, make_bsdf(DrjitMaterial(material)), sensor=camera)
    pixels = np.array(mi.render(scene, spp=512)).reshape(-1, 3)
    n = 1 << 16
    u = rng.random((n, 2))
    z, phi = u[:, 0], 2 * np.pi * u[:, 1]
    r = np.sqrt(1 - z * z)
    wo = np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=1).astype(np.float32)
    wi = np.broadcast_to(np.array([0, 0, 1], np.float32), (n, 3))
    values = 2 * np.pi * material.eval(np.zeros((n, 2), np.float32), wi, wo)
    variance = pixels.var(axis=0) / len(pixels) + values.var(axis=0) / n
    assert (np.abs(pixels.mean(axis=0) - values.mean(axis=0)) < 4 * np.sqrt(variance) + 1e-5).all()


@pytest.mark.parametrize("theta_deg", [10, 60])
def test_sampling_matches_the_pdf(mi, dr, theta_deg, rng):
    bsdf = make_bsdf(DrjitMaterial(with_widths(random_material(ModelConfig(frames=1), (1, 1)), -0.5)))
    theta = np.deg2rad(theta_deg)
    wi = [float(np.sin(theta)), 0, float(np.cos(theta))]

    def interaction(n):
        si = dr.zeros(mi.SurfaceInteraction3f, n)
        si.wi = mi.Vector3f(wi)
        si.dp_du, si.dp_dv, si.sh_frame = mi.Vector3f(1, 0, 0), mi.Vector3f(0, -1, 0), mi.Frame3f(mi.Normal3f(0, 0, 1))
        return si

    def sample(sample1, sample2=None):
        u = sample1
        n = dr.width(u)
        bs, weight = bsdf.sample(mi.BSDFContext(), interaction(n), u.x, mi.Point2f(u.y, u.z))
        return bs.wo, dr.select(bs.pdf > 0, mi.Float(1), 0)

    def pdf(wo):
        return bsdf.pdf(mi.BSDFContext(), interaction(dr.width(wo)), wo)

    test = mi.chi2.ChiSquareTest(
        domain=mi.chi2.SphericalDomain(), sample_func=sample, pdf_func=pdf, sample_dim=3, sample_count=400_000, res=51
    )
    assert test.run(0.01, test_count=4), test.messages


def test_sample_eval_and_pdf_are_consistent(mi, dr, rng):
    bsdf = make_bsdf(DrjitMaterial(random_material(finest=(8, 8))))
    n = 10_000
    si = dr.zeros(mi.SurfaceInteraction3f, n)
    si.uv = mi.Point2f(rng.random((2, n)))
    si.wi = mi.warp.square_to_cosine_hemisphere(mi.Point2f(rng.random((2, n))))
    si.sh_frame = mi.Frame3f(mi.Normal3f(0, 0, 1))
    ctx = mi.BSDFContext()
    bs, weight = bsdf.sample(ctx, si, mi.Float(rng.random(n)), mi.Point2f(rng.random((2, n))))
    value, pdf = bsdf.eval_pdf(ctx, si, bs.wo)
    hit = np.array(bs.pdf) > 0
    assert 0.5 < hit.mean() < 1
    np.testing.assert_allclose(np.array(pdf)[hit], np.array(bs.pdf)[hit], rtol=1e-4)
    np.testing.assert_allclose(np.array(weight * pdf)[:, hit], np.array(value)[:, hit], rtol=1e-4)
    assert (np.array(weight)[:, ~hit] == 0).all()


def test_other_variants_are_refused(mi, monkeypatch):

    class Spectral:
        def __getattr__(self, name):
            return getattr(mi, name)

        def variant(self):
            return "llvm_ad_spectral"

    monkeypatch.setattr("verdigris.render.plugin.mitsuba", Spectral)
    with pytest.raises(RuntimeMissing, match="llvm_ad_spectral"):
        register()


def hits(mi, rng, count=500):
    """Hits at level 0 with a right-handed uv map, a fifth of them from behind."""
    si = import_module("drjit").zeros(mi.SurfaceInteraction3f, count)
    si.t, si.uv = mi.Float(1), mi.Point2f(rng.random((2, count)).astype(np.float32))
    si.sh_frame, si.dp_du, si.dp_dv = mi.Frame3f(mi.Vector3f(0, 0, 1)), mi.Vector3f(1, 0, 0), mi.Vector3f(0, -1, 0)
    wi = rng.normal(size=(3, count)).astype(np.float32)
    wi[2] = np.abs(wi[2]) * np.where(np.arange(count) % 5 == 0, -1, 1)
    si.wi = mi.Vector3f(wi / np.linalg.norm(wi, axis=0))
    return si


@pytest.mark.parametrize("names", [("guides", "albedo"), ("albedo",), ("albedo", "opacity"), ()])
def test_diffuse_reflectance_is_that_of_the_heads(mi, rng, names):
    """What Mitsuba's `aov` integrator and its denoiser ask a BSDF for."""
    material = random_material(finest=(8, 8))
    material = with_heads(material, names) if names else material
    si = hits(mi, rng)
    bsdf = make_bsdf(DrjitMaterial(material))
    got = np.array(bsdf.eval_diffuse_reflectance(si)).T
    uv, wi = np.array(si.uv).T * [1, -1] + [0, 1], np.array(si.wi).T
    if "guides" in names:
        expected = material.guides(uv)[0]
    elif names:
        expected = material.albedo(uv, wi) * (material.opacity(uv)[:, None] if "opacity" in names else 1)
    else:
        expected = material.eval(uv, wi, np.broadcast_to([0.0, 0.0, 1.0], wi.shape)) * np.pi
    np.testing.assert_allclose(got, np.where(wi[:, 2:] > 0, expected, 0), rtol=1e-4, atol=1e-5)
    assert (got[1:5] > 0).all() and not got[::5].any()


def test_the_aov_integrator_shows_the_albedo_of_the_head(mi):
    material = with_heads(random_material(finest=(1, 1)), ("guides",))
    scene = scene_with(mi, make_bsdf(DrjitMaterial(material)))
    aovs = mi.load_dict({"type": "aov", "aovs": "albedo:albedo"})
    shown = np.array(mi.render(scene, spp=4, integrator=aovs))[16, 16, -3:]
    np.testing.assert_allclose(shown, material.guides(np.zeros((1, 2)))[0][0], rtol=1e-4)
