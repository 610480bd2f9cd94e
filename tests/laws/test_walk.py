"""Laws of the random walk through layers: furnace, the smooth coat in closed form, absorption, repeatability."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from directions import direction
from mtlx_documents import closure_node, write_document
from verdigris.errors import GraphError
from verdigris.materials import walk
from verdigris.materials.closures.interface import RoughInterface, Way
from verdigris.materials.random_numbers import Stream, hashed
from verdigris.materials.reference import ReferenceMaterial, load_reference
from verdigris.materials.stack import Medium, Placed, Stack
from verdigris.runtime import mitsuba

N = 1 << 18
WHITE = "color3:1,1,1"
SIDES = (Way.REFLECT, Way.TRANSMIT)


def lambert(albedo: float) -> str:
    return closure_node("oren_nayar_diffuse_bsdf", "base", color=f"color3:{albedo},{albedo},{albedo}", weight="float:1")


def stack(folder: Path, tops: list[tuple[float, float, dict[str, str]]], base: str) -> ReferenceMaterial:
    """A walked material; tops: (ior, GGX width, inputs of the medium below) from the top."""
    body, below = base, "base"
    for index, (ior, alpha, medium) in reversed(list(enumerate(tops))):
        top = f"t{index}"
        body += closure_node("dielectric_bsdf", top, ior=f"float:{ior}", roughness=f"vector2:{alpha},{alpha}")
        if medium:
            given = "".join(f'<input name="{k}" type="vector3" value="{v}" />' for k, v in medium.items())
            body += f'<anisotropic_vdf name="v{index}" type="VDF">{given}</anisotropic_vdf>'
            body += f'<layer name="f{index}" type="BSDF"><input name="top" type="BSDF" nodename="{top}" />'
            body += f'<input name="base" type="VDF" nodename="v{index}" /></layer>'
            top = f"f{index}"
        name = "B" if index == 0 else f"l{index}"
        body += f'<layer name="{name}" type="BSDF"><input name="top" type="BSDF" nodename="{top}" />'
        body += f'<input name="base" type="BSDF" nodename="{below}" /></layer>'
        below = name
    return load_reference(write_document(folder, body), layering="walk")


def albedo(material: ReferenceMaterial, wi: np.ndarray, rng: np.random.Generator, n: int = N) -> tuple[float, float]:
    """Directional albedo of the first channel and its standard error."""
    uv = np.zeros((n, 2), np.float32)
    weight = material.sample(uv, np.repeat(wi[None], n, 0), rng.random((n, 3)).astype(np.float32))[2][:, 0]
    return float(weight.mean()), float(weight.std() / np.sqrt(n))


@pytest.mark.parametrize("alpha", [0.0025, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("theta_deg", [0, 50, 80])
def test_white_furnace_of_a_coat(tmp_path, rng, alpha: float, theta_deg: float) -> None:
    material = stack(tmp_path, [(1.5, alpha, {})], lambert(1))
    value, error = albedo(material, direction(np.radians(theta_deg)), rng)
    assert abs(value - 1) < 0.01 + 3 * error and error < 0.005


@pytest.mark.parametrize("tops", [[(1.5, 0.3, {"scattering": "1,1,1"})], [(1.3, 0.5, {}), (1.6, 0.5, {})]])
def test_white_furnace_of_deeper_stacks(tmp_path, rng, tops: list) -> None:
    value, error = albedo(stack(tmp_path, tops, lambert(1)), direction(0.6), rng, 4 * N)
    assert abs(value - 1) < 0.01 + 3 * error and error < 0.01


def fresnel(cosine: np.ndarray, eta: float) -> np.ndarray:
    """Reflectance of a smooth dielectric, in double precision."""
    g2 = eta**2 + cosine**2 - 1
    g = np.sqrt(np.maximum(g2, 0))
    r = (
        0.5
        * ((g - cosine) / (g + cosine)) ** 2
        * (1 + (((g + cosine) * cosine - 1) / ((g - cosine) * cosine + 1)) ** 2)
    )
    return np.where(g2 > 0, r, 1.0)


@pytest.mark.parametrize("rho", [0.2, 0.8])
def test_smooth_coat_over_lambert_in_closed_form(tmp_path, rho: float) -> None:
    """T(wi) T(wo) rho cos(wo) / (pi eta^2 (1 - rho F)), F the diffuse reflectance of the coat from inside."""
    eta = 1.5
    material = stack(tmp_path, [(eta, 0.0025, {})], lambert(rho))
    mu = (np.arange(4000) + 0.5) / 4000
    inside = np.mean(2 * mu * fresnel(mu, 1 / eta))
    for theta_i, theta_o in ((0.2, 0.9), (1.0, 0.3), (1.3, 1.2)):
        wi, wo = direction(theta_i), direction(theta_o, 2.0)  # azimuths apart: away from the mirror direction
        passed = (1 - fresnel(np.cos(theta_i), eta)) * (1 - fresnel(np.cos(theta_o), eta))
        expected = passed * rho * np.cos(theta_o) / (np.pi * eta**2 * (1 - rho * inside))
        values = [
            material.eval(np.zeros((N, 2)), np.repeat(wi[None], N, 0), np.repeat(wo[None], N, 0), seed=seed)[:, 0]
            for seed in range(2)
        ]
        # Equal queries give equal estimates, so the points of the plane differ.
        uv = np.random.default_rng(3).random((N, 2))
        value = material.eval(uv, np.repeat(wi[None], N, 0), np.repeat(wo[None], N, 0))[:, 0]
        assert np.ptp(values[0]) == 0 and values[0][0] != values[1][0]
        error = value.std() / np.sqrt(N)
        assert abs(value.mean() - expected) < 0.01 * expected + 3 * error, (value.mean(), expected, error)


def test_absorbing_medium_darkens_and_colours(tmp_path, rng) -> None:
    clear = stack(tmp_path, [(1.5, 0.1, {})], lambert(0.8))
    tinted = stack(tmp_path, [(1.5, 0.1, {"absorption": "0.0,0.2,0.8"})], lambert(0.8))
    n, wi = 1 << 17, direction(0.5)
    args = (np.zeros((n, 2), np.float32), np.repeat(wi[None], n, 0), rng.random((n, 3)).astype(np.float32))
    a, b = clear.sample(*args)[2].mean(0), tinted.sample(*args)[2].mean(0)
    assert abs(a[0] - b[0]) < 0.02 and a[0] > b[1] + 0.1 > b[2] + 0.2


def test_an_average_of_estimates_keeps_the_mean_and_shrinks_the_noise(tmp_path) -> None:
    material = stack(tmp_path, [(1.5, 0.2, {"scattering": "0.5,0.5,0.5"})], lambert(0.6))
    n, wi, wo = 1 << 17, direction(0.5), direction(0.8, 2.0)
    uv = np.random.default_rng(3).random((n, 2))
    query = uv, np.repeat(wi[None], n, 0), np.repeat(wo[None], n, 0)
    one, nine = material.eval(*query)[:, 0], material.averaging(9).eval(*query, seed=1)[:, 0]
    assert abs(one.mean() - nine.mean()) < 4 * np.hypot(one.std(), nine.std()) / np.sqrt(n)
    assert 0.9 < 3 * nine.std() / one.std() < 1.1


def test_what_cannot_be_walked_is_reported(tmp_path) -> None:
    body = (
        closure_node("sheen_bsdf", "top", weight="float:0.5", color=WHITE)
        + lambert(0.5)
        + '<layer name="B" type="BSDF"><input name="top" type="BSDF" nodename="top" />'
        + '<input name="base" type="BSDF" nodename="base" /></layer>'
    )
    path = write_document(tmp_path, body)
    assert any(
        "top: layered by albedo scaling, not walked" in line for line in load_reference(path, layering="walk").warnings
    )
    assert not load_reference(path).warnings
    with pytest.raises(GraphError, match="layering: expected one of scale, walk, got 'guess'"):
        load_reference(path, layering="guess")


@pytest.mark.parametrize("eta", [1.5, 1.2, 1 / 1.3])
@pytest.mark.parametrize("alpha", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("cosine", [1.0, 0.4, -0.1, -0.7])
@pytest.mark.parametrize("constant", [True, False])
def test_an_interface_loses_nothing(eta: float, alpha: float, cosine: float, constant: bool) -> None:
    """Reflected and transmitted light sum to 1 within 1 %, and its density to 1 less what fails."""
    mi = mitsuba()
    import drjit as dr

    rng = mi.PCG32(1 << 19)
    widths = (alpha, alpha) if constant else mi.Vector2f(alpha, alpha)
    interface = RoughInterface(mi, dr, eta, widths, mi.Vector3f(1))
    a = mi.Vector3f(float(np.sqrt(1 - cosine * cosine)), 0, cosine)
    drawn = interface.sample(a, rng.next_float32(), mi.Point2f(rng.next_float32(), rng.next_float32()), cosine > 0)
    assert abs(float(dr.mean(drawn.weight.x)[0]) - 1) < 0.01
    if alpha >= 0.3:
        b = mi.warp.square_to_uniform_sphere(mi.Point2f(rng.next_float32(), rng.next_float32()))
        density = sum(np.array(interface.pdf(a, b, cosine > 0, way)) for way in SIDES) * 4 * np.pi
        kept = float(np.mean(np.array(drawn.weight.x) > 0))
        assert abs(density.mean() - kept) < 0.005 + 4 * density.std() / np.sqrt(len(density))


@pytest.mark.parametrize("alpha", [0.03, 0.1, 0.35, 0.8])
def test_an_interface_loses_nothing_of_diffuse_light_from_below(alpha: float) -> None:
    """Within 0.1 %: what is reflected inside of a stack meets its interfaces many times."""
    mi = mitsuba()
    import drjit as dr

    rng = mi.PCG32(1 << 20)
    interface = RoughInterface(mi, dr, 1.5, (alpha, alpha), mi.Vector3f(1))
    a = -mi.warp.square_to_cosine_hemisphere(mi.Point2f(rng.next_float32(), rng.next_float32()))
    drawn = interface.sample(a, rng.next_float32(), mi.Point2f(rng.next_float32(), rng.next_float32()), False)
    kept = np.array(drawn.weight.x)
    assert abs(kept.mean() - 1) < 1e-3 + 3 * kept.std() / 1024


def test_an_interface_is_reciprocal() -> None:
    mi = mitsuba()
    import drjit as dr

    rng = mi.PCG32(1 << 16)
    interface = RoughInterface(mi, dr, 1.5, mi.Vector2f(0.4, 0.2), mi.Vector3f(1))
    a, b = (mi.warp.square_to_uniform_sphere(mi.Point2f(rng.next_float32(), rng.next_float32())) for _ in range(2))
    scale = [dr.select(w.z > 0, 1.0, 1.5**2) * dr.abs(w.z) for w in (a, b)]
    forward, backward = (
        sum(interface.eval(first, second, above, way).x for above in (True, False) for way in SIDES) / cosine
        for first, second, cosine in ((a, b, scale[1]), (b, a, scale[0]))
    )
    np.testing.assert_allclose(np.array(forward), np.array(backward), rtol=1e-2, atol=1e-4)


def test_joining_and_leaving_agree_with_joining_alone() -> None:
    """A path that also leaves by itself, weighed by the balance heuristic, has the mean of one that is only joined."""
    mi = mitsuba()
    import drjit as dr

    class Lambert:
        def eval(self, wi, wo):
            return mi.Vector3f(dr.maximum(wo.z, 0) * (0.6 / dr.pi))

        def sample(self, wi, u1, u2):
            return mi.warp.square_to_cosine_hemisphere(u2)

        def pdf(self, wi, wo):
            return dr.maximum(wo.z, 0) / dr.pi

    clear = Medium(mi.Vector3f(0.1, 0.4, 0.8), mi.Vector3f(0), mi.Float(0), False)
    milky = Medium(mi.Vector3f(0, 0.1, 0.2), mi.Vector3f(0.5, 1, 1), mi.Float(0.4), True)
    tops = [(1.4, 0.3), (1.2, 0.2), (1.1, 0.4)]
    interfaces = [Placed(RoughInterface(mi, dr, eta, (a, a), mi.Vector3f(1))) for eta, a in tops]
    stack = Stack(interfaces, [None, milky, clear], Lambert(), leaves=True)
    for theta_i, theta_o in ((0.3, 0.6), (1.1, 0.9)):
        wi, wo = mi.Vector3f(direction(theta_i)), mi.Vector3f(direction(theta_o, 2.5))
        means, errors = [], []
        for seed, leaves in enumerate((True, False)):
            state = hashed(mi, dr, mi.UInt32(seed), [mi.Float(dr.arange(mi.UInt32, 1 << 20))])
            query = dr.zeros(mi.Vector3f, 1 << 20)
            value = walk.evaluate(mi, dr, replace(stack, leaves=leaves), wi + query, wo + query, Stream(mi, dr, state))
            value = np.array(value)
            means.append(value.mean(1))
            errors.append(value.std(1) / 1024)
        scale = np.hypot(*errors)
        assert np.all(np.abs(means[0] - means[1]) < 4 * scale) and np.all(scale < 0.02 * means[0]), (means, errors)
