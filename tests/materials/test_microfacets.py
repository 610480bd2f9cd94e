"""Microfacet and Fresnel formulas against Mitsuba's own, and limits that need no second implementation."""

import numpy as np
import pytest

from directions import random_directions
from mtlx_documents import closure_material
from verdigris.materials.closures import fresnel, microfacet
from verdigris.materials.closures.table import AXIS
from verdigris.runtime import mitsuba

mi = mitsuba()
dr = pytest.importorskip("drjit")


def test_dielectric_fresnel_equals_mitsuba() -> None:
    cosine = mi.Float(np.linspace(0.01, 1, 200))
    for ior in (0.7, 1.2, 1.5, 2.4):
        expected, *_ = mi.fresnel(cosine, ior)
        np.testing.assert_allclose(fresnel.dielectric(dr, cosine, mi.Float(ior)), expected, atol=2e-6)


def test_conductor_fresnel_equals_mitsuba() -> None:
    cosine = mi.Float(np.linspace(0.01, 1, 200))
    expected = mi.fresnel_conductor(cosine, dr.llvm.ad.Complex2f(0.2, 3.9))
    np.testing.assert_allclose(fresnel.conductor(dr, cosine, mi.Float(0.2), mi.Float(3.9)), expected, atol=2e-6)


def test_conductor_equals_mitsubas_roughconductor(tmp_path, rng) -> None:
    """Single scattering: at this width the lobe of further bounces adds under 0.3 %, and G1 G2 is within 1 %."""
    material = closure_material(
        tmp_path,
        "conductor_bsdf",
        ior="color3:0.2,0.9,1.1",
        extinction="color3:3.9,2.4,2.2",
        roughness="vector2:0.08,0.03",
    )
    bsdf = mi.load_dict(
        {
            "type": "roughconductor",
            "distribution": "ggx",
            "alpha_u": 0.08,
            "alpha_v": 0.03,
            "eta": {"type": "rgb", "value": [0.2, 0.9, 1.1]},
            "k": {"type": "rgb", "value": [3.9, 2.4, 2.2]},
        }
    )
    wi, wo = random_directions(rng, 20000, 0.5), random_directions(rng, 20000, 0.5)
    si = dr.zeros(mi.SurfaceInteraction3f, 20000)
    si.wi = mi.Vector3f(wi.T)
    expected = np.array(bsdf.eval(mi.BSDFContext(), si, mi.Vector3f(wo.T))).T
    got = material.eval(np.zeros((20000, 2)), wi, wo)
    lobe = expected.max(1) > 1e-2
    assert lobe.sum() > 500
    np.testing.assert_allclose(got[lobe], expected[lobe], rtol=0.02, atol=3e-3)


def test_thin_film_of_the_bases_index_is_no_film() -> None:
    """A film with the index of what lies below reflects at its top only, so the colour is that of the bare surface."""
    cosine = mi.Float(np.linspace(0.05, 1, 50))
    for thickness in (100.0, 420.0, 900.0):
        base = fresnel.index_base(mi, dr, mi.Vector3f(1.5), mi.Vector3f(0), mi.Float(1.5))
        film = np.array(fresnel.thin_film(mi, dr, cosine, mi.Float(thickness), mi.Float(1.5), base))
        bare = np.array(fresnel.dielectric(dr, cosine, mi.Float(1.5)))
        # The conversion from XYZ is for illuminant E, whose white is off Rec. 709's by a few per cent.
        np.testing.assert_allclose(film.mean(0), bare, rtol=0.03, atol=0.002)


def test_schlick_meets_its_colours() -> None:
    f0, f82, f90 = mi.Float(0.5), mi.Float(0.8), mi.Float(1)
    values = fresnel.schlick(dr, mi.Float([1.0, 1 / 7, 0.0]), f0, f82, f90, mi.Float(5))
    plain = 0.5 + 0.5 * (6 / 7) ** 5
    np.testing.assert_allclose(values, [0.5, 0.8 * plain, 1.0], atol=1e-5)


def test_albedo_table_has_the_limits_of_a_mirror() -> None:
    table = microfacet.albedo_table()
    # A mirror (alpha 0) masks nothing and reflects at the cosine of the view, but for exact grazing.
    np.testing.assert_allclose(table["kept"][0, 1:], 1, atol=2e-3)
    np.testing.assert_allclose(table["schlick"][0, 1:], AXIS[1:], atol=4e-3)
    np.testing.assert_allclose(table["late"][0, 1:], AXIS[1:], atol=4e-3)
    means = [microfacet.albedo(mi, dr, mi.Vector3f(0, 0, 1), alpha, alpha).mean for alpha in np.linspace(0.01, 1, 20)]
    assert np.all(np.diff(means) < 2e-3)  # rougher surfaces keep less in one bounce
    assert 0.4 < means[-1] < 0.7


def test_schlicks_average_is_that_of_its_curve() -> None:
    nodes, weights = np.polynomial.legendre.leggauss(16)
    mu, weight = (nodes + 1) / 2, weights / 2
    colours = mi.Float(0.5), mi.Float(0.8), mi.Float(1)
    values = np.array(fresnel.schlick(dr, mi.Float(mu), *colours, mi.Float(5)))
    average = fresnel.schlick_average(dr, *colours, mi.Float(5))
    np.testing.assert_allclose(average, (2 * weight * mu * values).sum(), atol=1e-5)


def test_one_width_twice_and_unequal_widths_agree_where_they_meet() -> None:
    w = mi.Vector3f(np.array([[0.6, 0, 0.8], [0.3, 0.9, 0.316228]], np.float32).T)
    width = mi.Float([0.3, 0.3])
    once = microfacet.albedo(mi, dr, w, width, width)
    twice = microfacet.albedo(mi, dr, w, width, mi.Float([0.3, 0.30001]))
    for name in ("kept", "mean", "schlick", "late"):
        np.testing.assert_allclose(getattr(twice, name), getattr(once, name), atol=1e-4)


@pytest.mark.parametrize("pair", [(0.3, 0.3), (0.3, 0.05)])
def test_widths_that_are_numbers_agree_with_the_same_widths_as_variables(rng, pair: tuple[float, float]) -> None:
    w = mi.Vector3f(random_directions(rng, 4096, 0.01).T)
    varying = [mi.Float(np.full(4096, width, np.float32)) for width in pair]
    if pair[0] == pair[1]:
        varying[1] = varying[0]
    once, each = microfacet.albedo(mi, dr, w, *pair), microfacet.albedo(mi, dr, w, *varying)
    for name in ("kept", "mean", "schlick", "late"):
        # Float32 against float64 positions in a table whose slope is 31 entries a unit.
        np.testing.assert_allclose(getattr(once, name), getattr(each, name), atol=1e-5)
    np.testing.assert_array_equal(microfacet.kept(mi, dr, w, *pair), once.kept)
