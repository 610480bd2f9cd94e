"""Coarse levels: shares of the queries, samples of a footprint, and what they learn."""

import dataclasses

import numpy as np
import pytest

import verdigris
from bake_standin import StandIn
from verdigris.bake import bake, lean, levels, preset
from verdigris.bake.blur import Blur, Footprint
from verdigris.bake.config import DirectionMix
from verdigris.bake.metrics import power_l1
from verdigris.bake.queries import QuerySource
from verdigris.errors import BakeError
from verdigris.runtime import mitsuba


def test_every_level_has_a_share_and_level_0_most():
    config = preset("draft", level_share=0.2)
    assert levels.shares(config, 1) == [1.0]
    found = levels.shares(config, 10)
    assert sum(found) == pytest.approx(1.0) and found[0] == pytest.approx(0.8)
    assert all(a > b for a, b in zip(found[:-1], found[1:], strict=True))
    # The top, one texel: a step in four hundred.
    assert found[-1] > 0.2 * levels.EVEN / 9


def test_the_levels_of_a_texture():
    found = levels.textures(preset("draft", levels=0), 32)
    assert [texture.side for texture in found] == list(lean.sides(32))
    assert [texture.level for texture in found] == list(range(6))
    assert [texture.deviation for texture in found] == [0.0, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2]
    assert [texture.side for texture in levels.textures(preset("draft", levels=3), 32)] == [32, 16, 8]
    assert [texture.side for texture in levels.textures(preset("draft", levels=0), 1)] == [1]


def test_coarser_levels_average_more_positions():
    found = [texture.samples for texture in levels.textures(preset("draft", levels=0), 128)]
    assert found == [1, 4, 8, 16, 32, 32, 32, 32]
    given = [texture.samples for texture in levels.textures(preset("draft", levels=0, footprint_samples=3), 4)]
    assert given == [1, 3, 3]
    finest = levels.textures(preset("draft", levels=2), 4, finest=4)[0]
    assert (finest.samples, finest.deviation, finest.blur) == (4, 0.0, 1 / 8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"levels": -1}, "levels: expected 0 to 14, got -1"),
        ({"levels": 15}, "levels: expected 0 to 14, got 15"),
        ({"level_share": 0.0}, "level_share: expected more than 0 and less than 1, got 0.0"),
        ({"footprint_samples": 257}, "footprint_samples: expected 0 to 256, got 257"),
    ],
)
def test_settings_out_of_range_are_refused(changes, message):
    with pytest.raises(BakeError, match=message):
        preset("draft", **changes)


@pytest.fixture(scope="module")
def pyramid():
    """A bumpy stand-in with all levels; far ones get half as many samples as those of a draft."""
    sizes = dict(encode_samples=1_000_000, tune_samples=2_500_000, auxiliary_samples=300_000, report_samples=3000)
    shape = dict(resolution=32, batch=2048, chunk_steps=32, levels=0, far_share=0.4)
    return bake(StandIn(32, bump=0.8), preset("draft", **shape, **sizes))


def truth(level, n=4096):
    """Queries at a level with responses averaged over 256 positions: uv, wi, wo, target."""
    uv = np.random.default_rng(level).random((n, 2), dtype=np.float32)
    deviation = 0.5 * 2.0**level / 32 if level else 0.0
    blur = Blur(footprint=Footprint(np.full(n, deviation, np.float32), 256))
    source = QuerySource(StandIn(32, bump=0.8), DirectionMix())
    return uv, *source.directions(uv[:, 0], uv[:, 1], 3, spread=2 * deviation, blur=blur).numpy()[:3]


def test_every_level_answers_for_its_footprint(pyramid):
    """Closer than level 0 does, and than the means of its texels do, and no darker than what is there."""
    assert [level.shape[0] for level in pyramid.latents] == list(lean.sides(32))
    # Measured: 0.40, 0.33 and 0.34 times the lower of the two.
    for level in (2, 4, 5):
        uv, wi, wo, target = truth(level)
        means = pyramid.latents[0]
        for _ in range(level):
            means = means.reshape(len(means) // 2, 2, -1, 2, 8).mean(axis=(1, 3))
        averaged = dataclasses.replace(pyramid, latents=(means,), auxiliary=None, far=None)
        own = pyramid.eval(uv, wi, wo, level=level)
        for other in (pyramid.eval(uv, wi, wo), averaged.eval(uv, wi, wo)):
            assert power_l1(own, target) < 0.6 * power_l1(other, target), level
        assert own.sum() / target.sum() == pytest.approx(1.0, abs=0.08)


def test_the_report_says_how_close_each_level_comes(pyramid):
    report = pyramid.metadata.report
    assert len(report["power_l1_by_level"]) == len(report["light_by_level"]) == 5
    uv, wi, wo, target = truth(3)
    assert report["power_l1_by_level"][2] == pytest.approx(
        power_l1(pyramid.eval(uv, wi, wo, level=3), target), rel=0.25
    )
    assert all(abs(ratio - 1) < 0.1 for ratio in report["light_by_level"])


def test_heads_answer_at_every_level(pyramid):
    """The albedo from afar: that of the reference averaged over the footprint, which is all of it at the top."""
    u, v = np.random.default_rng(1).random((2, 2000), dtype=np.float32)
    source = QuerySource(StandIn(32, bump=0.8), DirectionMix())
    wi, true = source.albedo(u, v, 3, 1024, np.full(2000, 0.5, np.float32))
    wi, true = (np.stack([np.asarray(axis) for axis in found], axis=1) for found in (wi, true))
    learned = pyramid.albedo(np.stack([u, v], axis=1), wi, level=5)
    assert np.abs(learned - true).mean() < 0.03


def test_signals_are_averaged_over_footprints():
    class Lamps(StandIn):
        """A twentieth of it glows, the rest is dark."""

        emits, cuts_out = True, True

        def emission_dr(self, uv):
            import drjit as dr

            return dr.select(4 * uv.x - dr.floor(4 * uv.x) < 0.05, mitsuba().Color3f(4, 2, 1), 0)

        def opacity_dr(self, uv):
            import drjit as dr

            return dr.select(uv.x < 0.5, mitsuba().Float(1), 0)

    source, n = QuerySource(Lamps(32), DirectionMix()), 2000
    u, v = np.random.default_rng(1).random((2, n), dtype=np.float32)
    deviation = np.where(np.arange(n) < n // 2, 0.0, 0.3).astype(np.float32)
    found = source.surface(u, v, ("emission", "opacity"), Footprint(deviation, 256))
    red, opacity = np.square(np.asarray(found[0])) * source.emission_unit, np.asarray(found[3])
    assert set(np.unique(red[: n // 2].round(3))) == {0.0, 4.0} and set(np.unique(opacity[: n // 2])) == {0.0, 1.0}
    np.testing.assert_allclose(red[n // 2 :], 0.2, atol=0.16)
    assert red[n // 2 :].mean() == pytest.approx(0.2, abs=0.01)
    assert 0.2 < opacity[n // 2 :].min() and opacity[n // 2 :].max() < 0.8


def test_a_pyramid_survives_the_file(pyramid, tmp_path):
    verdigris.save(pyramid, tmp_path / "a.vdg")
    loaded = verdigris.load(tmp_path / "a.vdg")
    for one, other in zip(loaded.latents, pyramid.latents, strict=True):
        np.testing.assert_array_equal(one, other)
    assert loaded.metadata.bake["levels"] == 0
