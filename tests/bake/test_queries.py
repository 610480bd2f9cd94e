"""Queries of the reference."""

import numpy as np
import pytest

from bake_standin import StandIn, uniform_plastic
from verdigris.bake.blur import Blur, Footprint
from verdigris.bake.config import DirectionMix
from verdigris.bake.metrics import KINDS
from verdigris.bake.queries import QuerySource
from verdigris.errors import BakeError
from verdigris.runtime import mitsuba

N = 20_000


def ask(mix, reference=None, seed=7):
    source = QuerySource(reference or uniform_plastic(), mix)
    u, v = np.random.default_rng(1).random((2, N), dtype=np.float32)
    return source.directions(u, v, seed).numpy()


@pytest.mark.parametrize("mix", [*KINDS.values(), DirectionMix()])
def test_directions_are_unit_and_above_the_surface(mix):
    wi, wo, target, pdf = ask(mix)
    for direction in (wi, wo):
        np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1.0, atol=1e-5)
        assert (direction[:, 2] > 0).all()
    assert np.isfinite(target).all() and (target >= 0).all() and (pdf >= 0).all()


def test_targets_are_the_references_answers():
    reference = StandIn(32)
    wi, wo, target, _ = ask(DirectionMix(), reference)
    mi = mitsuba()
    u, v = np.random.default_rng(1).random((2, N), dtype=np.float32)
    expected = reference.eval_dr(mi.Point2f(u, v), mi.Vector3f(wi.T), mi.Vector3f(wo.T))
    np.testing.assert_allclose(target, np.asarray(expected).T, rtol=2e-3, atol=1e-5)


def test_shares_are_those_asked_for():
    pdf = ask(DirectionMix(0.25, 0.25, 0.5))[3]
    # Samples that the reference fails to draw fall back to a cosine one, so a little less than half.
    assert 0.4 < (pdf > 0).mean() <= 0.51
    assert not (ask(KINDS["half"])[3] > 0).any()


def test_half_angles_are_uniform_near_the_normal():
    """There no pair is below the horizon often, and the pairs that replace such ones have few half vectors there."""
    wi, wo, *_ = ask(KINDS["half"])
    half = wi + wo
    theta = np.arctan2(np.hypot(half[:, 0], half[:, 1]), half[:, 2])
    assert (theta < np.radians(3)).mean() == pytest.approx(3 / 90, rel=0.15)


def test_a_seed_repeats_and_another_does_not():
    first, again, other = ask(DirectionMix()), ask(DirectionMix()), ask(DirectionMix(), seed=8)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first[0] != other[0]).mean() > 0.9


class Broken(StandIn):
    """Answers with NaN for a share of the directions."""

    def __init__(self, share):
        super().__init__(size=0)
        self.share = share

    def eval_dr(self, uv, wi, wo):
        import drjit as dr

        return dr.select(uv.x < self.share, dr.nan, super().eval_dr(uv, wi, wo))


def test_a_rare_nan_is_taken_as_black_and_counted():
    source = QuerySource(Broken(5e-4), DirectionMix())
    u, v = np.random.default_rng(1).random((2, N), dtype=np.float32)
    assert np.isfinite(source.directions(u, v, 1).numpy()[2]).all()
    source.check()
    assert source.bad == (u < 5e-4).sum() > 0


def test_many_nans_stop_the_bake():
    source = QuerySource(Broken(0.1), DirectionMix())
    u, v = np.random.default_rng(1).random((2, N), dtype=np.float32)
    source.directions(u, v, 1)
    with pytest.raises(BakeError, match="stand-in: .* of 20000 reference values are not finite"):
        source.check()


def test_footprints_are_averaged_and_points_are_not():
    """Over 256 positions: as the mean of many random ones; the queries between, at a point, are as they were."""
    reference, count = StandIn(32, alpha=(0.3, 0.5)), 256
    u, v = np.random.default_rng(1).random((2, 64), dtype=np.float32)
    deviation = np.where(np.arange(64) % 2, 0.1, 0.0).astype(np.float32)
    source = QuerySource(reference, DirectionMix())
    wi, wo, sharp, _ = source.directions(u, v, 7).numpy()
    found = source.directions(u, v, 7, blur=Blur(footprint=Footprint(deviation, count))).numpy()
    np.testing.assert_array_equal(found[0], wi)
    np.testing.assert_array_equal(found[1], wo)
    np.testing.assert_allclose(found[2][::2], sharp[::2], rtol=1e-5)
    mi, wide = mitsuba(), np.random.default_rng(2).normal(0.0, 0.1, (2, 4000, 64))
    uv = mi.Point2f(*(np.stack([u, v])[:, None] + wide).reshape(2, -1).astype(np.float32))
    value = reference.eval_dr(uv, *(mi.Vector3f(np.tile(w, (4000, 1)).T) for w in (wi, wo)))
    expected = np.array(value).T.reshape(4000, 64, 3).mean(axis=0)[1::2]
    np.testing.assert_allclose(found[2][1::2], expected, rtol=0.1, atol=0.003)
    assert np.abs(found[2][1::2] / expected - 1).mean() < 0.02
    assert np.abs(sharp[1::2] / expected - 1).mean() > 0.1


class Tilted(StandIn):
    """Answers u - 0.2, which tells where it was asked."""

    def eval_dr(self, uv, wi, wo):
        return mitsuba().Color3f(uv.x - 0.2)


def test_positions_of_a_footprint_have_its_deviation_even_if_they_are_few():
    """And lie in the unit square, though the footprint reaches beyond."""
    source = QuerySource(Tilted(size=0), DirectionMix())
    n = 4096
    at, deviation = np.full(n, 0.5, np.float32), np.full(n, 0.05, np.float32)
    one, many = (
        source.directions(at, at, 3, blur=Blur(footprint=Footprint(deviation, count))).numpy()[2][:, 0] - 0.3
        for count in (1, 16)
    )
    assert one.mean() == pytest.approx(0, abs=0.003) and one.std() == pytest.approx(0.05, rel=0.05)
    # Random ones would leave a quarter.
    assert many.std() < 0.008 and abs(many.mean()) < 0.001
    edge = source.directions(0 * at, at, 3, blur=Blur(footprint=Footprint(deviation, 4))).numpy()[2][:, 0]
    # Half of it lies beyond u = 0, that is near 1.
    assert edge.mean() == pytest.approx(0.5 - 0.2, abs=0.03)


def test_a_cone_and_a_footprint_are_averaged_together():
    source = QuerySource(Tilted(size=0), DirectionMix())
    at = np.full(2048, 0.5, np.float32)
    deviation = np.where(np.arange(2048) % 2, 0.05, 0.0).astype(np.float32)
    found = source.directions(at, at, 3, blur=Blur(0.1, 4, Footprint(deviation))).numpy()
    lifted = found[2][:, 0] - 0.3
    # Straight up, where a cone's mean cosine is hardly that of its axis.
    high = found[1][:, 2] > 0.95
    assert np.abs(lifted[::2][high[::2]]).max() < 0.015
    assert 0.005 < lifted[1::2][high[1::2]].std() < 0.05
