"""The lobe mixture: chi-square against its density, energy, and the narrow lobe in float32."""

import numpy as np
import pytest

from laws.chi2 import Grid, assert_sampler
from verdigris.model.config import Lobe
from verdigris.model.sampler import basis, ggx, lobe_pdf, mixture_pdf, sample_mixture

UP, TILTED, STEEP = (0, 0, 1), (0.4, -0.2, 0.9), (0.9, 0.1, 0.3)
OBLIQUE, GRAZING = (0.5, 0.3, 0.6), (0.95, -0.2, 0.1)

CASES = {
    "cosine": ([Lobe("cosine", -1, 1, 1)], UP, OBLIQUE),
    "cosine on a steep normal": ([Lobe("cosine", 0, 1, 1)], STEEP, OBLIQUE),
    "wide ggx": ([Lobe("ggx", -1, 0.6, 1)], UP, OBLIQUE),
    "ggx at grazing": ([Lobe("ggx", -1, 0.3, 1)], UP, GRAZING),
    "ggx on a tilted normal": ([Lobe("ggx", 0, 0.2, 1)], TILTED, OBLIQUE),
    "ggx on a steep normal": ([Lobe("ggx", 0, 0.4, 1)], STEEP, GRAZING),
    "narrowest ggx": ([Lobe("ggx", 0, 2.5e-3, 1)], TILTED, OBLIQUE),
    "mixture": ([Lobe("cosine", -1, 1, 0.3), Lobe("ggx", -1, 0.4, 0.3), Lobe("ggx", 0, 0.1, 0.4)], TILTED, OBLIQUE),
}


def unit(v):
    return np.asarray(v, dtype=float) / np.linalg.norm(v)


def spread(vector, n):
    return np.broadcast_to(unit(vector), (n, 3)).copy()


def mirror(wi, lobes, normal):
    """Where the narrowest lobe points: the pole of the bins."""
    narrow = min(lobes, key=lambda lobe: lobe.alpha)
    axis = unit(UP if narrow.frame < 0 else normal)
    return axis if narrow.kind == "cosine" else 2 * (unit(wi) @ axis) * axis - unit(wi)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_chi_square(name, dtype):
    lobes, normal, wi = CASES[name]

    def sample(u):
        normals = spread(normal, len(u))[:, None].astype(dtype)
        return sample_mixture(lobes, normals, spread(wi, len(u)).astype(dtype), u.astype(dtype))

    def density(wo):
        return mixture_pdf(lobes, spread(normal, len(wo))[:, None], spread(wi, len(wo)), wo)

    sharpness = 4 if min(lobe.alpha for lobe in lobes) < 0.05 else 1.5
    assert_sampler(
        sample, density, grid=Grid(tuple(mirror(wi, lobes, normal)), sharpness), tests=2 * len(CASES), samples=60_000
    )


def test_null_samples_happen_and_have_no_density():
    lobes, normal, wi = CASES["ggx on a steep normal"]
    u = np.random.default_rng(0).random((10_000, 3))
    wo, pdf = sample_mixture(lobes, spread(normal, len(u))[:, None], spread(wi, len(u)), u)
    assert 0.1 < (pdf == 0).mean() < 0.9
    assert (wo[pdf > 0, 2] > 0).all()


def test_no_density_where_a_direction_is_below_the_horizon():
    lobes, n = CASES["mixture"][0], 2
    normals = spread(TILTED, n)[:, None]
    up_down = np.array([unit(OBLIQUE), -unit(OBLIQUE)])
    assert mixture_pdf(lobes, normals, up_down, up_down[::-1]).tolist() == [0, 0]
    assert sample_mixture(lobes, normals, -spread(OBLIQUE, n), np.full((n, 3), 0.5))[1].tolist() == [0, 0]


def test_the_first_number_picks_the_lobe_by_weight():
    lobes = [Lobe("ggx", -1, 1e-4, 0.25), Lobe("cosine", -1, 1, 0.75)]
    u = np.column_stack([np.array([0, 0.2499, 0.25, 0.9999]), np.full((4, 2), 0.7)])
    wo, _ = sample_mixture(lobes, spread(UP, 4)[:, None], spread(UP, 4), u)
    assert (wo[:, 2] > 0.999).tolist() == [True, True, False, False]


def test_extreme_numbers_give_finite_directions():
    u = np.array(np.meshgrid([0.0, 0.5, 1.0], [0.0, 0.5, 1.0], [0.0, 1.0]), dtype=np.float32).reshape(3, -1).T
    lobes, normal, wi = CASES["mixture"]
    n = len(u)
    wo, pdf = sample_mixture(lobes, spread(normal, n)[:, None].astype("f4"), spread(wi, n).astype("f4"), u)
    assert np.isfinite(wo).all()
    assert np.isfinite(pdf).all()


@pytest.mark.parametrize("alpha", [2.5e-3, 0.05, 1.0])
def test_ggx_is_normalised(alpha):
    # The integral of D cos over the hemisphere is 1; tan(theta) = alpha x / (1 - x) spreads the lobe over 0..1.
    x = (np.arange(20_000) + 0.5) / 20_000
    slope = alpha * x / (1 - x)
    theta = np.arctan(slope)
    density, cos = ggx(4 * np.sin(theta / 2) ** 2, alpha)
    jacobian = alpha / (1 - x) ** 2 / (1 + slope**2)
    np.testing.assert_allclose((density * cos * 2 * np.pi * np.sin(theta) * jacobian).mean(), 1, rtol=1e-4)


def test_ggx_by_hand():
    density, cos = ggx(np.array([0.0, 0.4, 2.0, 4.0]), 0.5)
    # |h - n|^2 = .4: cos = .8, D = .25 / (pi (.36 + .25 * .64)^2)
    np.testing.assert_allclose(density, [1 / (np.pi * 0.25), 0.25 / (np.pi * 0.52**2), 0, 0])
    np.testing.assert_allclose(cos, [1, 0.8, 0, -1])


def test_the_narrowest_lobe_keeps_its_digits_in_float32():
    """Same float32 inputs, both precisions. h has an error of about 6e-8, so D ~ theta^-4 one of 4 * 6e-8 / alpha."""
    rng = np.random.default_rng(0)
    n, alpha = 20_000, 2.5e-3
    axis = spread(TILTED, n)
    first, second = basis(axis)
    theta, phi = alpha * 10 ** rng.uniform(-2, 1, n), rng.uniform(0, 2 * np.pi, n)
    offset = first * np.cos(phi)[:, None] + second * np.sin(phi)[:, None]
    h = axis * np.cos(theta)[:, None] + offset * np.sin(theta)[:, None]
    wi = spread(OBLIQUE, n)
    wo = 2 * (wi * h).sum(1, keepdims=True) * h - wi
    single = [v.astype(np.float32) for v in (axis, wi, wo)]
    lobe = Lobe("ggx", 0, alpha, 1)
    exact = lobe_pdf(lobe, *(v.astype(np.float64) for v in single))
    found = lobe_pdf(lobe, *single)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, exact, rtol=5e-4)


def test_the_basis_is_orthonormal_and_right_handed():
    axis = np.concatenate([np.random.default_rng(0).normal(size=(1000, 3)), [[0, 0, 1], [0, 0, -1]]])
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    first, second = basis(axis)
    matrices = np.stack([first, second, axis], axis=1)
    np.testing.assert_allclose(
        matrices @ matrices.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (1002, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(matrices), 1)
