"""Cut-outs and emission in renders: the null lobe beside Mitsuba's mask, the emitter beside what is emitted."""

import numpy as np
import pytest

from bake_standin import uniform_plastic
from neural_samples import random_material, with_heads
from signal_documents import glowing_leaf
from verdigris.errors import RenderError
from verdigris.materials.reference import load_reference
from verdigris.model import ModelConfig
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.emission import emission_map, write_emission
from verdigris.render.image import read_image
from verdigris.render.pathtrace import as_bsdf, render, render_scene
from verdigris.render.plugin import make_bsdf
from verdigris.render.scenes import build_scene

SIZE = (24, 24)


class CutOut:
    """A stand-in that is there to a share that rises from 0 at u = 0 to 1 at u = 0.5 and falls again."""

    def __init__(self, cuts_out):
        self.inner, self.cuts_out = uniform_plastic(), cuts_out
        self.eval_dr, self.sample_dr, self.pdf_dr = self.inner.eval_dr, self.inner.sample_dr, self.inner.pdf_dr

    def opacity_dr(self, uv):
        import drjit as dr

        return 1 - dr.abs(2 * (uv.x - dr.floor(uv.x)) - 1)


def moments(build, first, count=24, spp=32):
    """Mean and variance of the mean of `count` renders by seeds from `first` on, `[height, width]`."""
    images = np.stack([render_scene(build, SIZE, spp, first + k).mean(axis=-1) for k in range(count)])
    return images.mean(axis=0), images.var(axis=0, ddof=1) / count


@pytest.mark.parametrize("stage", ["sphere", "plane@lamp"])
def test_a_cut_out_renders_as_a_mask_does(mi, stage):
    """A z-test a pixel: no more large ones than chance allows, and no bias."""
    ramp = 1 - np.abs(2 * (np.arange(256) + 0.5) / 256 - 1)
    opacity = {"type": "bitmap", "bitmap": mi.Bitmap(np.float32(ramp[None, :, None].repeat(2, 0))), "raw": True}
    mask = mi.load_dict({"type": "mask", "opacity": opacity, "nested": make_bsdf(CutOut(False))})
    ours, theirs = (
        moments(build_scene(stage, bsdf, SIZE), first) for bsdf, first in ((make_bsdf(CutOut(True)), 0), (mask, 100))
    )
    solid = moments(build_scene(stage, make_bsdf(CutOut(False)), SIZE), 200, 4)[0]
    z = (ours[0] - theirs[0]) / np.sqrt(ours[1] + theirs[1] + 1e-9)
    assert np.abs(z).max() < 5.5
    # Filters spread a sample over some ten pixels.
    assert abs(z.mean()) < 4 * np.sqrt(10 / z.size)
    assert np.abs(ours[0] - solid).mean() > 0.02


def surface_points(mi, n, seed):
    """Points seen from all around, also from behind, and the generator that made them."""
    import drjit as dr

    rng = np.random.default_rng(seed)
    si = dr.zeros(mi.SurfaceInteraction3f, n)
    si.uv = mi.Point2f(rng.random((2, n), dtype=np.float32))
    si.sh_frame = mi.Frame3f(mi.Normal3f(0, 0, 1))
    si.dp_du, si.dp_dv = mi.Vector3f(1, 0, 0), mi.Vector3f(0, -1, 0)
    si.wi = mi.warp.square_to_uniform_sphere(mi.Point2f(rng.random((2, n), dtype=np.float32)))
    return si, rng


def test_the_null_lobe_is_asked_for_and_answers(mi):
    n, bsdf = 20_000, make_bsdf(CutOut(True))
    assert bsdf.component_count() == 2 and mi.has_flag(bsdf.flags(), mi.BSDFFlags.Null)
    si, rng = surface_points(mi, n, 3)
    opacity = 1 - np.abs(2 * np.array(si.uv.x) - 1)
    np.testing.assert_allclose(np.array(bsdf.eval_null_transmission(si)), [1 - opacity] * 3, rtol=1e-6)
    u1, u2 = mi.Float(rng.random(n)), mi.Point2f(rng.random((2, n)))
    bs, weight = bsdf.sample(mi.BSDFContext(), si, u1, u2)
    null = np.array(bs.sampled_type) == int(mi.BSDFFlags.Null)
    np.testing.assert_array_equal(null, np.array(u1) >= opacity)
    np.testing.assert_allclose(np.array(bs.wo)[:, null], -np.array(si.wi)[:, null])
    np.testing.assert_allclose(np.array(bs.pdf)[null], 1 - opacity[null], rtol=1e-5)
    assert (np.array(weight)[:, null] == 1).all() and (np.array(si.wi.z)[null] < 0).any()
    value, pdf = bsdf.eval_pdf(mi.BSDFContext(), si, bs.wo)
    lit = ~null & (np.array(bs.pdf) > 0)
    assert lit.sum() > 1000
    np.testing.assert_allclose(np.array(bs.pdf)[lit], np.array(pdf)[lit], rtol=1e-3)
    np.testing.assert_allclose(np.array(weight)[:, lit], np.array(value / pdf)[:, lit], rtol=1e-3)
    # One lobe alone: the same light in all, the choice left out.
    through, reflected = mi.BSDFContext(), mi.BSDFContext()
    through.component, reflected.component = 1, 0
    bs, weight = bsdf.sample(through, si, u1, u2)
    np.testing.assert_allclose(np.array(weight)[0], 1 - opacity, rtol=1e-5)
    assert (np.array(bs.pdf) == 1).all() and (np.array(bs.wo) == -np.array(si.wi)).all()
    bs, weight = bsdf.sample(reflected, si, u1, u2)
    value, pdf = bsdf.eval_pdf(reflected, si, bs.wo)
    lit = np.array(bs.pdf) > 0
    np.testing.assert_allclose(np.array(bs.pdf)[lit], np.array(pdf)[lit], rtol=1e-3)
    np.testing.assert_allclose(np.array(weight)[:, lit], np.array(value / pdf)[:, lit], rtol=1e-3)


def test_a_material_that_is_not_cut_out_has_no_null_lobe(mi):
    bsdf = as_bsdf(random_material(finest=(4, 4)))
    si, _ = surface_points(mi, 100, 4)
    assert bsdf.component_count() == 1 and not mi.has_flag(bsdf.flags(), mi.BSDFFlags.Null)
    assert np.array(bsdf.eval_null_transmission(si)).max() == 0


def test_the_map_is_the_emission_where_it_is_there_upright():
    material = with_heads(random_material(finest=(6, 10)), ("emission", "opacity"))
    y, x = np.divmod(np.arange(60), 10)
    uv = np.stack([(x + 0.5) / 10, 1 - (y + 0.5) / 6], axis=1)
    expected = material.emission(uv) * material.opacity(uv)[:, None]
    np.testing.assert_allclose(emission_map(material).reshape(60, 3), expected, rtol=1e-5)
    with pytest.raises(RenderError, match="expected one that emits"):
        emission_map(random_material())


def test_the_map_can_be_written(tmp_path):
    document = glowing_leaf(tmp_path, opacity=False)
    write_emission(document, tmp_path / "leaf.exr")
    glow = read_image(tmp_path / "leaf.exr")
    assert glow.shape == (32, 32, 3)
    np.testing.assert_allclose(glow[4, 24], (4, 2, 1), rtol=1e-3)
    assert not glow[24, 24].any() and not glow[4, 4].any()


def test_what_is_emitted_is_seen_where_it_is(mi, tmp_path):
    """The plane in the dark: emission at each point, no more and no less; the mean of it over the picture."""
    reference = load_reference(glowing_leaf(tmp_path, opacity=False))
    camera, size = mi.load_dict({"type": "aov", "aovs": "uv:uv"}), (96, 96)
    scene = build_scene("plane@lamp", as_bsdf(reference), size)
    uv = np.array(camera.render(scene, scene.sensors()[0], seed=1, spp=64))[..., -2:]
    lit = render(reference, "plane@lamp", size, 64)
    dark = render(load_reference(glowing_leaf(tmp_path, emission=False, opacity=False)), "plane@lamp", size, 64, 1)
    glow = lit - dark
    u, v = uv[..., 0], 1 - uv[..., 1]
    # Away from the border of the picture and from the edges of the leaf.
    inside = (np.abs(u - 0.5) > 0.1) & (np.abs(v - 0.5) > 0.1) & (u > 0.1) & (u < 0.9) & (v > 0.1) & (v < 0.9)
    shines = inside & (u > 0.5) & (v > 0.5)
    assert shines.sum() > 300 and (inside & ~shines).sum() > 900
    np.testing.assert_allclose(glow[shines].mean(axis=0), (4, 2, 1), rtol=0.02)
    for quarter in (inside & (u < 0.5) & (v < 0.5), inside & (u < 0.5) & (v > 0.5), inside & (u > 0.5) & (v < 0.5)):
        assert quarter.sum() > 300
        assert np.abs(np.median(glow[quarter], axis=0)).max() < 0.02


def test_an_asset_shines_as_its_heads_say():
    material = with_heads(random_material(ModelConfig(frames=1), finest=(1, 1)), ("emission",))
    material.auxiliary.heads["emission"][-1][1][:] += 3
    found = render(material, "sphere@lamp", SIZE, 16) - render(
        random_material(ModelConfig(frames=1), finest=(1, 1)), "sphere@lamp", SIZE, 16
    )
    expected = material.emission(np.zeros((1, 2)))[0]
    np.testing.assert_allclose(found[10:14, 10:14].mean(axis=(0, 1)), expected, rtol=0.1)
    assert DrjitMaterial(material).emits
