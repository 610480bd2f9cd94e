"""Levels of detail in Dr.Jit, against the NumPy arbiter, and as the BSDF takes them from the partials of a hit."""

import numpy as np
import pytest

from neural_samples import queries, random_material, with_heads
from verdigris.model.config import ModelConfig
from verdigris.model.latents import ANISOTROPY, fetch_pyramid, footprint_level
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.plugin import make_bsdf, register
from verdigris.render.pyramid import Pyramid

N = 20_000
PYRAMIDS = [(ModelConfig(), (8, 16), 5), (ModelConfig(channels=5), (13, 6), 4), (ModelConfig(), (1, 1), 1)]
"""(configuration, texels of the finest level, levels); odd sides, channels that fill no packet."""


def single(n=N):
    """Queries as float32."""
    return tuple(part.astype(np.float32) for part in queries(n))


def relative(got, expected):
    return np.abs(got - expected) / np.maximum(np.abs(expected), 1e-6)


@pytest.mark.parametrize(("config", "finest", "levels"), PYRAMIDS, ids=str)
def test_every_lane_gets_its_own_level(mi, rng, config, finest, levels):
    material = random_material(config, finest, levels)
    uv, wi, wo = single()
    level = rng.integers(levels, size=N).astype(np.uint32)
    at = mi.Point2f(uv.T), mi.Vector3f(wi.T), mi.Vector3f(wo.T)
    traced = DrjitMaterial(material)
    value = np.array(traced.eval_dr(*at, level=mi.UInt32(level))).T
    pdf = np.array(traced.pdf_dr(*at, level=mi.UInt32(level)))
    assert relative(value, material.eval(uv, wi, wo, level=level)).max() < 1e-5
    assert relative(pdf, material.pdf(uv, wi, wo, level=level)).max() < 5e-5


def test_heads_take_a_level(mi, rng):
    material = with_heads(random_material(finest=(8, 8), levels=4))
    uv, wi, _ = single()
    level = rng.integers(4, size=N).astype(np.uint32)
    at, where = mi.Point2f(uv.T), {"level": mi.UInt32(level)}
    traced = DrjitMaterial(material)
    opacity, albedo = traced.opacity_dr(at, **where), traced.albedo_dr(at, mi.Vector3f(wi.T), **where)
    assert relative(np.array(opacity), material.opacity(uv, level=level)).max() < 1e-5
    assert relative(np.array(albedo).T, material.albedo(uv, wi, level=level)).max() < 1e-5


def test_a_level_with_half_a_unit_of_noise_is_the_choice_of_the_arbiter(mi, rng):
    """Rounding L + u - 1/2 picks the ceiling with the fraction's probability; beyond the ends it is clamped."""
    levels, asked = 4, np.repeat([-3.0, 0.0, 0.3, 1.75, 2.5, 3.0, 9.0], N)
    pyramid = Pyramid(random_material(finest=(8, 8), levels=levels).latents)
    whole = np.array(pyramid.whole(mi.Float(asked + rng.random(len(asked)) - 0.5)))
    mean = whole.reshape(-1, N).mean(axis=1)
    expected = np.clip(asked[::N], 0, levels - 1)
    assert np.abs(mean - expected).max() < 5 * 0.5 / np.sqrt(N)
    assert np.abs(whole - np.clip(asked, 0, levels - 1)).max() < 1


def test_a_level_known_when_traced_is_a_number(mi):
    pyramid = Pyramid(random_material(finest=(8, 8), levels=4).latents)
    assert [pyramid.whole(level) for level in (-1, 2, 2.4, 99, mi.Float(1.2), mi.UInt32(3))] == [0, 2, 2, 3, 1, 3]


@pytest.mark.parametrize("finest", [(8, 8), (64, 16)])
def test_the_level_of_a_footprint(mi, rng, finest):
    material = random_material(finest=finest, levels=3)
    dx, dy = (rng.normal(size=(N, 2)).astype(np.float32) * scale for scale in (0.1, 0.5))
    got = np.array(DrjitMaterial(material).level_dr(mi.Vector2f(dx.T), mi.Vector2f(dy.T)))
    assert np.abs(got - footprint_level(dx, dy, *finest)).max() < 1e-3


def test_footprints_by_hand():
    """A square, a mildly long one, of which the width counts, one too long for that, and none."""
    dx = np.array([[4, 0], [4, 0], [4, 0], [0, 0]]) / 64
    dy = np.array([[0, 4], [0, 4 * ANISOTROPY * 0.75], [0, 4 * ANISOTROPY * 8], [0, 0]]) / 64
    np.testing.assert_allclose(footprint_level(dx, dy, 64, 64), [2, 2, 5, -np.inf])


def interaction(mi, dr, partial):
    """A hit in the middle of a texture, with square footprints of these sides in uv."""
    si = dr.zeros(mi.SurfaceInteraction3f, len(partial))
    si.sh_frame = mi.Frame3f(mi.Vector3f(0, 0, 1))
    si.dp_du, si.dp_dv = mi.Vector3f(1, 0, 0), mi.Vector3f(0, -1, 0)
    si.uv, si.wi = mi.Point2f(0.3, 0.4), mi.Vector3f(0.6, 0, 0.8)
    si.duv_dx, si.duv_dy = mi.Vector2f(mi.Float(partial), 0), mi.Vector2f(0, mi.Float(partial))
    return si


def test_the_bsdf_takes_its_level_from_the_partials(mi, dr):
    material = random_material(finest=(16, 16), levels=5)
    bsdf, context = make_bsdf(DrjitMaterial(material)), mi.BSDFContext()
    si = interaction(mi, dr, [0, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 50])
    wo = mi.Vector3f(0, 0.6, 0.8)
    value = np.array(bsdf.eval(context, si, wo)).T
    wi, at = np.array([[0.6, 0, 0.8]] * 7), np.array([[0.3, 0.6]] * 7)
    expected = material.eval(at, wi, np.array([[0, 0.6, 0.8]] * 7), level=[0, 0, 1, 2, 3, 4, 4])
    np.testing.assert_allclose(value, expected, rtol=1e-4)
    sample, weight = bsdf.sample(context, si, 0.3, mi.Point2f(0.4, 0.6))
    again, pdf = bsdf.eval_pdf(context, si, sample.wo)
    np.testing.assert_allclose(np.array(sample.pdf), np.array(pdf), rtol=1e-4)
    np.testing.assert_allclose(np.array(weight * pdf), np.array(again), rtol=1e-4)


def test_stock_integrators_get_level_0_when_traced(mi):
    """Their partials are zeros that Dr.Jit knows of, so nothing is paid for levels."""
    register()
    asked = []

    class Watched(DrjitMaterial):
        def level_dr(self, duv_dx, duv_dy):
            asked.append(super().level_dr(duv_dx, duv_dy))
            return asked[-1]

    bsdf = make_bsdf(Watched(random_material(finest=(8, 8), levels=4)))
    others = {f"other{k}": {"type": "sphere", "center": [k, 0, -9], "bsdf": {"type": "diffuse"}} for k in range(3)}
    scene = {"type": "scene", "integrator": {"type": "path"}, "sensor": {"type": "perspective"}, **others}
    mi.render(mi.load_dict({**scene, "light": {"type": "constant"}, "ball": {"type": "sphere", "bsdf": bsdf}}), spp=1)
    assert asked and all(level == 0 and isinstance(level, int) for level in asked)


def test_texels_are_halves_where_that_is_exact(mi, dr):
    """Those of a file are; float32 ones are kept, and answer no worse."""
    exact = random_material(finest=(8, 16), levels=3)
    inexact = [level + np.float32(1e-6) for level in exact.latents]
    uv, _, _ = single()
    for levels, kind in ((exact.latents, dr.VarType.Float16), (inexact, dr.VarType.Float32)):
        pyramid = Pyramid(levels)
        assert dr.type_v(pyramid.slot.texels) == kind
        got = np.array([np.array(channel) for channel in pyramid.fetch(mi.Point2f(uv.T), 1)]).T
        expected = fetch_pyramid(levels, uv, np.ones(len(uv), np.int64))
        assert np.abs(got - expected).max() < 1e-5
