"""The mixture: chi-square against its density, range maps, what bounds a weight, extreme numbers, single precision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from directions import direction, random_directions
from laws.chi2 import Grid, assert_sampler
from verdigris.model.config import SamplerConfig
from verdigris.model.sampler import ALPHA_MIN, basis, mixture, pdf, sample

UP, TILTED, STEEP = (0, 0, 1), (0.4, -0.2, 0.9), (0.9, 0.1, 0.3)
OBLIQUE, GRAZING = direction(0.75, 0.5), direction(1.47, -0.2)
ONE, TWO = SamplerConfig((1,), 1, 0.0), SamplerConfig((1,), 2, 0.1)


def raw(*lobes, tilt=(0.0, 0.0), logits):
    """The numbers of lobes (alpha_x, alpha_y, rho, offset x, offset y), all as the network gives them."""
    return np.array([*np.ravel(lobes), *tilt, *logits])


CASES = {
    "cosine": (ONE, raw((0, 0, 0, 0, 0), logits=(50, -50)), UP, OBLIQUE, 1.5),
    "steep cosine": (ONE, raw((0, 0, 0, 0, 0), tilt=(1.2, -0.4), logits=(50, -50)), UP, OBLIQUE, 1.5),
    "wide ggx": (ONE, raw((0.2, 0.2, 0, 0, 0), logits=(-50, 50)), UP, OBLIQUE, 1.5),
    "ggx at grazing": (ONE, raw((-0.6, -0.6, 0, 0, 0), logits=(-50, 50)), UP, GRAZING, 1.5),
    "ggx about a tilted normal": (ONE, raw((-0.8, -0.8, 0, 0, 0), logits=(-50, 50)), TILTED, OBLIQUE, 1.5),
    "ggx about a steep normal": (ONE, raw((-0.3, -0.3, 0, 0, 0), logits=(-50, 50)), STEEP, direction(0.95, 0.3), 1.5),
    "brushed and off its normal": (ONE, raw((-3, 0, 0.8, 0.2, -0.1), logits=(-50, 50)), TILTED, OBLIQUE, 2),
    "narrowest": (ONE, raw((-10, -10, 0, 0, 0), logits=(-50, 50)), TILTED, OBLIQUE, 4),
    "all": (
        TWO,
        raw((-0.5, 0, 1, 0.2, 0), (-2, -2, 0, 0, 0), tilt=(0.3, 0), logits=(0, 0.4, -0.3)),
        UP,
        OBLIQUE,
        1.5,
    ),
}
"""Configuration, raw numbers, normal of the only frame, wi, sharpness of the bins."""


def lobes_of(case, n=1, dtype=np.float64):
    config, numbers, normal, _, _ = case
    normal = np.asarray(normal, dtype) / np.linalg.norm(normal)
    return mixture(config, np.tile(numbers.astype(dtype), (n, 1)), np.tile(normal.astype(dtype), (n, 1, 1)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_chi_square(name, dtype):
    case = CASES[name]
    config, _, _, wi, sharpness = case

    def draw(u):
        n = len(u)
        return sample(config, lobes_of(case, n, dtype), np.tile(wi.astype(dtype), (n, 1)), u.astype(dtype))

    def density(wo):
        return pdf(config, lobes_of(case, len(wo)), np.tile(wi.astype(float), (len(wo), 1)), wo)

    wo, found = draw(np.random.default_rng(9).random((4000, 3)))
    pole = wo[found.argmax()].astype(float)
    grid = Grid(tuple(pole), sharpness, rings=16, sectors=24)
    assert_sampler(draw, density, grid=grid, tests=2 * len(CASES), samples=60_000)


def test_the_range_maps_by_hand():
    """Numbers whose square root is whole: s(3/4) = 5/4, s(-4/3) = 5/3."""
    numbers = raw((0.75, -4 / 3, 0.75, -4 / 3, 0.75), tilt=(0.75, 0), logits=(np.log(3), 0))
    found = mixture(SamplerConfig((1,), 1, 0.2), numbers[None], np.array([[[0.6, 0.0, 0.8]]]))
    np.testing.assert_allclose((found.alpha_x, found.alpha_y), [[[1e-4 + 0.8]], [[1e-4 + 0.1]]])
    np.testing.assert_allclose((found.rho, found.root), [[[0.6]], [[0.8]]])
    np.testing.assert_allclose((found.offset_x, found.offset_y), [[[-20 / 9 - 0.75]], [[15 / 16]]])
    np.testing.assert_allclose(found.axis, [[-15 / 16, 0, 1] / np.hypot(15 / 16, 1)])
    np.testing.assert_allclose(found.share, [[0.6, 0.2]])


def test_each_lobe_takes_its_frame_in_turn():
    config = SamplerConfig((1,), 3)
    found = mixture(config, np.zeros((1, 21)), np.array([[[0, 0, 1], [0.6, 0, 0.8]]]))
    np.testing.assert_allclose(found.offset_x, [[0, -0.75, 0]])


def test_an_isotropic_lobe_is_the_known_ggx():
    """D(h) (h . n) / (4 wi . h) with Walter's D (2007), which the normal's own slopes leave as it is."""
    case = (ONE, raw((-1.5, -1.5, 0, 0, 0), logits=(-100, 100)), UP, OBLIQUE, 1)
    wo = random_directions(np.random.default_rng(0), 500, 0.05, dtype=np.float64)
    wi = np.tile(OBLIQUE.astype(float), (500, 1))
    h = (wi + wo) / np.linalg.norm(wi + wo, axis=1, keepdims=True)
    alpha, cos = lobes_of(case).alpha_x[0, 0], h[:, 2]
    expected = alpha**2 / (np.pi * (cos**2 * (alpha**2 - 1) + 1) ** 2) * cos / (4 * (wi * h).sum(axis=1))
    np.testing.assert_allclose(pdf(ONE, lobes_of(case, 500), wi, wo), expected, rtol=1e-6)


def test_null_samples_happen_and_have_no_density():
    config, _, _, wi, _ = case = CASES["ggx about a steep normal"]
    u = np.random.default_rng(0).random((10_000, 3))
    wo, found = sample(config, lobes_of(case, len(u)), np.tile(wi.astype(float), (len(u), 1)), u)
    assert 0.1 < (found == 0).mean() < 0.9
    assert (wo[found > 0, 2] > 0).all()


def test_the_first_number_picks_by_share():
    """A tenth uniform, then the cosine lobe, then two lobes."""
    config, lobes = SamplerConfig((1,), 2, 0.1), raw((-90,) * 2 + (0,) * 3, (-90,) * 2 + (0, 5, 0), logits=(0, 0, 0))
    case = (config, lobes, UP, OBLIQUE, 1)
    u = np.column_stack([[0.0, 0.0999, 0.1001, 0.3999, 0.4001, 0.6999, 0.7001, 0.9999], np.full((8, 2), 0.36)])
    wo, _ = sample(config, lobes_of(case, 8), np.tile(np.array(UP, float), (8, 1)), u)
    np.testing.assert_allclose(wo[:6, 2], [0.64, 0.64, 0.8, 0.8, 1, 1], atol=1e-3)
    assert (wo[6:, 2] < 0).all()


finite = st.floats(-(2.0**127), 2.0**127, width=32, allow_subnormal=False) | st.floats(-4, 4, width=32)
unit = st.floats(0, 1, width=32, exclude_max=True, allow_subnormal=False)


@settings(max_examples=300, deadline=None)
@given(
    numbers=arrays.arrays(np.float32, 15, elements=finite),
    tilts=arrays.arrays(np.float32, (4, 2), elements=st.floats(0, 1, width=32, allow_subnormal=False)),
    u=arrays.arrays(np.float32, (1, 3), elements=unit),
)
def test_no_number_is_too_extreme(numbers, tilts, u):
    """Any raw numbers, learned normals and directions, at the horizon too: finite, and the weight of a response of 1 is
    bounded by 2 pi / defensive wherever there is a density."""

    def about(tilt, scale):
        theta, phi = tilt[0] * np.float32(scale), tilt[1] * np.float32(6.2831855)
        return np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], np.float32)

    normals = np.stack([about(tilt, np.pi) for tilt in tilts[:2]])[None]
    wi, wo = about(tilts[2], np.pi / 2)[None], about(tilts[3], np.pi / 2)[None]
    lobes = mixture(TWO, numbers[None], normals)
    assert all(np.isfinite(part).all() for part in lobes)
    assert (lobes.alpha_x >= ALPHA_MIN).all() and (lobes.root > 0).all()
    np.testing.assert_allclose(lobes.share.sum(), 0.9, rtol=1e-5)
    drawn, density = sample(TWO, lobes, wi, u)
    for found, at in ((density, drawn), (pdf(TWO, lobes, wi, wo), wo)):
        above = (wi[:, 2] > 0) & (at[:, 2] > 0)
        assert np.isfinite(found).all() and np.isfinite(at).all()
        assert (found[~above] == 0).all()
        assert ((found == 0) | (found >= np.float32(0.1 / (2 * np.pi)) * (1 - 1e-5))).all()
    if density[0] > 0:
        assert pdf(TWO, lobes, wi, drawn)[0] == density[0]
        np.testing.assert_allclose(np.linalg.norm(drawn[0]), 1, atol=1e-5)


def test_the_narrowest_lobe_keeps_its_digits_in_float32():
    """Same float32 inputs, both precisions. h has an error of about 6e-8, so D ~ theta^-4 one of 4 * 6e-8 / alpha."""
    case = (ONE, raw((-10, -10, 0, 0, 0), logits=(-50, 50)), TILTED, OBLIQUE, 1)
    n = 20_000
    wi = np.tile(OBLIQUE, (n, 1))
    wo, _ = sample(ONE, lobes_of(case, n, np.float32), wi, np.random.default_rng(0).random((n, 3), dtype=np.float32))
    wo = wo[wo[:, 2] > 0]
    single = pdf(ONE, lobes_of(case, len(wo), np.float32), wi[: len(wo)], wo)
    exact = pdf(ONE, lobes_of(case, len(wo)), wi[: len(wo)].astype(float), wo.astype(float))
    assert single.dtype == np.float32
    assert lobes_of(case).alpha_x[0, 0] == pytest.approx(2.6e-3, rel=0.02)
    np.testing.assert_allclose(single, exact, rtol=1e-3)


def test_the_basis_is_orthonormal_and_right_handed():
    axis = np.concatenate([np.random.default_rng(0).normal(size=(1000, 3)), [[0, 0, 1], [0, 0, -1]]])
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    first, second = basis(axis)
    matrices = np.stack([first, second, axis], axis=1)
    np.testing.assert_allclose(
        matrices @ matrices.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (1002, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(matrices), 1)
