"""The encoder's inputs at coarse levels: footprints, means, moments of slopes."""

import numpy as np
import pytest

from bake_standin import StandIn
from verdigris.bake import lean
from verdigris.bake.config import DirectionMix
from verdigris.bake.queries import QuerySource
from verdigris.materials.material import EncoderInput

NORMAL = (EncoderInput("n", "normal", 3),)


class Field:
    """Parameters as functions of u and v."""

    def __init__(self, *functions):
        self.functions = functions

    def parameters(self, u, v):
        return [function(u, v).astype(np.float32) for function in self.functions]


def values(count):
    return (EncoderInput("x", "value", count),)


def centres(side):
    return (np.arange(side) + 0.5) / side


def wave(times, turn=0.0):
    return lambda u, v: np.cos(2 * np.pi * (times * u + turn))


def bumps(slope_x, slope_y):
    """Unit normals of slopes that are functions of u and v: a field each for x, y and z."""

    def axis(k):
        def value(u, v):
            x, y = slope_x(u, v), slope_y(u, v)
            return (-x, -y, np.ones_like(x))[k] / np.sqrt(1 + x * x + y * y)

        return value

    return [axis(k) for k in range(3)]


def test_sides_halve_rounding_down():
    assert lean.sides(16) == (16, 8, 4, 2, 1)
    assert lean.sides(100) == (100, 50, 25, 12, 6, 3, 1)


def test_a_side_that_halves_is_filtered_by_1_3_3_1():
    index, weights = lean.taps(8)
    np.testing.assert_array_equal(index, [[-1, 0, 1, 2], [1, 2, 3, 4], [3, 4, 5, 6], [5, 6, 7, 8]])
    np.testing.assert_allclose(weights, np.tile([0.125, 0.375, 0.375, 0.125], (4, 1)), atol=1e-6)


@pytest.mark.parametrize("resolution", [64, 48, 100, 511])
def test_each_level_has_the_deviation_of_half_a_texel(resolution):
    """Variances add: those of the positions and of all filters so far, in finest texels squared."""
    x, y = np.array(lean.POSITIONS).T - 0.5
    variance = np.mean(x * x)
    assert variance == pytest.approx(0.25) == np.mean(y * y) and abs(x.mean()) < 1e-9 > abs(np.mean(x * y))
    for side, coarse in zip(lean.sides(resolution)[:-1], lean.sides(resolution)[1:], strict=True):
        index, weights = lean.taps(side)
        distance = index - ((np.arange(coarse) + 0.5) * side / coarse - 0.5)[:, None]
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
        np.testing.assert_allclose((weights * distance).sum(axis=1), 0, atol=1e-5)
        assert weights.min() >= 0
        own = (weights * distance**2).sum(axis=1)
        np.testing.assert_allclose(own, own[0], rtol=1e-4)
        variance += own[0] * (resolution / side) ** 2
        assert variance == pytest.approx((0.5 * resolution / coarse) ** 2, rel=1e-4)


@pytest.mark.parametrize("resolution", [64, 48, 100])
def test_a_wave_fades_as_under_a_gaussian(resolution):
    """Along u, along v through the seam, and as fine as four texels of level 0."""
    finest = resolution // 4
    field = Field(wave(1), lambda u, v: np.cos(2 * np.pi * (v + 0.3)), wave(finest, 0.25), wave(0))
    for level, found in enumerate(lean.pyramid(field, values(4), resolution), 1):
        side = lean.sides(resolution)[level]
        assert found.shape == (side, side, 4) and found.dtype == np.float32
        fade = np.exp(-2 * np.pi**2 * (0.5 / side) ** 2)
        # Few texels hold a whole wave there, and the weights are no Gaussian.
        tolerance = 0.005 if side > 3 else 0.04
        np.testing.assert_allclose(found[0, :, 0], fade * np.cos(2 * np.pi * centres(side)), atol=tolerance)
        np.testing.assert_allclose(found[:, 0, 1], fade * np.cos(2 * np.pi * (centres(side) + 0.3)), atol=tolerance)
        # Two texels of level 1 a wave, and then one: exp(-2 pi^2 / 16) and exp(-2 pi^2 / 4) of it are left.
        np.testing.assert_allclose(np.abs(found[..., 2]), 0.29 if level == 1 else 0.0, atol=0.04)
        np.testing.assert_allclose(found[..., 3], 1, atol=1e-5)


def test_bumps_become_spread(rng):
    """Fine slopes of 0.5 cos along u and 0.25 along v, on a mean slope of 0.3: their variances are 1/8 and 1/32."""
    field = Field(
        *bumps(lambda u, v: 0.3 + 0.5 * np.cos(2 * np.pi * 8 * u), lambda u, v: 0.25 * np.cos(2 * np.pi * 8 * v))
    )
    assert lean.spreads(NORMAL) == 3
    found = lean.pyramid(field, NORMAL, 64)
    assert [level.shape for level in found] == [(side, side, 6) for side in (32, 16, 8, 4, 2, 1)]
    for level in found[3:]:
        np.testing.assert_allclose(level[..., :3], level[..., :3] * 0 + np.array([-0.3, 0, 1]) / 1.09**0.5, atol=2e-3)
        np.testing.assert_allclose(level[..., 3], 0.5 / 2**0.5, atol=2e-3)
        np.testing.assert_allclose(level[..., 4], 0.25 / 2**0.5, atol=2e-3)
        np.testing.assert_allclose(level[..., 5], 0, atol=2e-2)


def test_the_sign_of_the_covariance_is_kept():
    for sign in (-1, 1):
        field = Field(*bumps(wave(8), lambda u, v, sign=sign: 0.5 * sign * np.cos(2 * np.pi * 8 * u)))
        np.testing.assert_allclose(lean.pyramid(field, NORMAL, 64)[-1][0, 0, 5], 0.5 * sign, atol=2e-3)


def test_a_level_surface_spreads_nowhere(rng):
    x, y = rng.random(2) - 0.5
    field = Field(*bumps(lambda u, v: x + 0 * u, lambda u, v: y + 0 * u))
    for level in lean.pyramid(field, NORMAL, 32):
        np.testing.assert_allclose(level[..., :3] / level[..., 2:3], level[..., :3] * 0 + [-x, -y, 1], atol=1e-5)
        np.testing.assert_allclose(level[..., 3:], 0, atol=1e-3)


def test_normals_on_edge_have_slopes_that_end():
    steep = [np.float32([1, 0, -1]), np.float32([0, 0, 0]), np.float32([0, 1, 0])]
    found = lean.moments(NORMAL, steep)
    np.testing.assert_allclose(found[:, 0], [-10, 0, 10], rtol=1e-5)
    assert np.isfinite(lean.moments(NORMAL, [np.zeros(3, np.float32)] * 3)).all()


def test_a_normal_map_stays_one():
    """(n + 1) / 2 in, (n + 1) / 2 out, with the spread of the normals it stands for; what follows keeps its place."""
    inputs = (EncoderInput("map", "normal_map", 3), EncoderInput("x", "value", 1))
    normals = bumps(lambda u, v: 0.5 * np.cos(2 * np.pi * 8 * u), lambda u, v: 0 * u)
    field = Field(*(lambda u, v, n=n: 0.5 * n(u, v) + 0.5 for n in normals), wave(0))
    top = lean.pyramid(field, inputs, 64)[-1][0, 0]
    np.testing.assert_allclose(top, [0.5, 0.5, 1, 1, 0.5 / 2**0.5, 0, 0], atol=2e-3)


def test_bands_fit_together(monkeypatch):
    """Level 0 is read in bands of rows that overlap: their number changes nothing."""
    source, inputs = QuerySource(StandIn(32), DirectionMix()), StandIn(32).inputs
    for resolution in (64, 50):
        whole = lean.pyramid(source, inputs, resolution)
        with monkeypatch.context() as patch:
            patch.setattr(lean, "BAND", 5 * resolution)
            for one, other in zip(lean.pyramid(source, inputs, resolution), whole, strict=True):
                np.testing.assert_allclose(one, other, atol=1e-6)
