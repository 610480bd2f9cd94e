"""Coarse levels: shares of the queries, samples of a footprint, and what they learn."""

import pytest

from bake_standin import StandIn
from verdigris.bake import lean, levels, noise, preset
from verdigris.bake.config import DirectionMix
from verdigris.bake.queries import QuerySource
from verdigris.errors import BakeError


def test_every_level_has_a_share_and_level_0_most():
    config = preset("draft", level_share=0.2)
    assert levels.shares(config, 1) == [1.0]
    found = levels.shares(config, 10)
    assert sum(found) == pytest.approx(1.0) and found[0] == pytest.approx(0.8)
    assert all(a > b for a, b in zip(found[:-1], found[1:], strict=True))
    # The top, one texel: a step in ninety.
    assert found[-1] > 0.2 * 0.5 / 9


def test_the_levels_of_a_texture():
    source = QuerySource(StandIn(32), DirectionMix())
    found = levels.textures(preset("draft", levels=0), source, 32)
    assert [texture.side for texture in found] == list(lean.sides(32))
    assert [texture.level for texture in found] == list(range(6))
    assert [texture.deviation for texture in found] == [0.0, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2]
    assert not found[0].noisy
    assert [texture.side for texture in levels.textures(preset("draft", levels=3), source, 32)] == [32, 16, 8]
    assert [texture.side for texture in levels.textures(preset("draft", levels=0), source, 1)] == [1]


def test_a_bumpy_glossy_surface_needs_more_positions():
    """Flat: the fewest. Bumps beside which the highlight is narrow: the most there are, and they are too few."""
    deviations = [0.25, 0.5]

    def samples(bump, alpha, given=0):
        source = QuerySource(StandIn(64, alpha=alpha, f0=0.9, bump=bump), DirectionMix())
        return noise.footprint_samples_for(source, deviations, 0, given)

    assert samples(0.0, (0.3, 0.4)) == (noise.FOOTPRINT_SAMPLES[0], False)
    assert samples(0.3, (0.03, 0.05)) == (noise.FOOTPRINT_SAMPLES[-1], True)
    assert samples(0.3, (0.03, 0.05), given=64) == (64, True)
    assert samples(0.3, (0.03, 0.05), given=256) == (256, False)
    assert samples(0.0, (0.3, 0.4), given=3) == (3, False)


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
