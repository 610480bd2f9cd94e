"""The encoder above level 0: what it sees, how it learns, what it gives."""

import jax
import numpy as np
import pytest

from bake_standin import StandIn
from verdigris.bake import encoder, lean, levels
from verdigris.bake.config import BakeConfig, DirectionMix
from verdigris.bake.phases import Span, optimiser_state
from verdigris.bake.queries import QuerySource
from verdigris.bake.trainable import init_network

CONFIG = BakeConfig(resolution=32, batch=1024, chunk_steps=16, auxiliary_samples=0, levels=0, level_share=0.25)
INPUTS = 6
"""Numbers that a stand-in says of itself: a width, two colours, a normal."""


class Recorder(QuerySource):
    """Notes the footprints of all queries."""

    def directions(self, *args, **kwargs):
        self.asked = [*getattr(self, "asked", []), (*args[:2], kwargs)]
        return super().directions(*args, **kwargs)


def material(source, share=1.0):
    return encoder.encoded(source, levels.textures(CONFIG, 32), share, np.random.default_rng(0))


@pytest.mark.parametrize("marked", [False, True])
def test_inputs_are_parameters_then_the_mark_then_spreads_and_level(marked):
    source = QuerySource(StandIn(32), DirectionMix(), marked)
    one, start = material(source), INPUTS + 3 * marked
    fine = [np.asarray(value) for value in one.inputs(np.float32([0.25]), np.float32([0.75]))]
    assert len(fine) == len(one.scale[0]) == start + 3 + 1 and one.coarse.extra == 4
    np.testing.assert_array_equal(fine[:start], source.parameters(np.float32([0.25]), np.float32([0.75])))
    np.testing.assert_array_equal(fine[start:], 0)
    assert one.coarse.inputs.shape == (16**2 + 8**2 + 4**2 + 2**2 + 1, start + 4)
    filtered = lean.pyramid(source, source.reference.inputs, 32)
    first = 16**2
    np.testing.assert_array_equal(one.coarse.inputs[first : first + 64, :INPUTS], filtered[1].reshape(64, 9)[:, :6])
    np.testing.assert_array_equal(one.coarse.inputs[first : first + 64, start:-1], filtered[1].reshape(64, 9)[:, 6:])
    np.testing.assert_array_equal(np.unique(one.coarse.inputs[:, -1]), [1, 2, 3, 4, 5])
    if marked:
        np.testing.assert_array_equal(one.coarse.inputs[:, INPUTS:start] - [0, 0.5, 1], 0)


def test_texels_are_drawn_by_the_shares_of_their_levels():
    coarse, n = material(QuerySource(StandIn(32), DirectionMix())).coarse, 20_000
    u, v, footprint, values = coarse.draw(n, np.random.default_rng(1))
    level = values[-1].astype(int)
    np.testing.assert_allclose(np.bincount(level, minlength=6)[1:] / n, coarse.shares, atol=0.01)
    np.testing.assert_allclose(footprint.deviation, 0.5 * 2.0**level / 32)
    np.testing.assert_array_equal(footprint.samples, np.array([1, *levels.POSITIONS, 32])[level])
    first, side = np.array([0, 0, 256, 320, 336, 340])[level], (32 // 2**level)
    x, y = u * side - 0.5, v * side - 0.5
    np.testing.assert_allclose(x, np.round(x), atol=1e-4)
    row = first + np.round(y).astype(int) * side + np.round(x).astype(int)
    np.testing.assert_array_equal(values.T, coarse.inputs[row])


def test_coarse_levels_learn_in_steps_of_their_own():
    source = Recorder(StandIn(32), CONFIG.mix)
    one, chunks, rng = material(source), 12, np.random.default_rng(2)
    phase = encoder.encode_phase(CONFIG, [one], chunks * CONFIG.chunk)
    layers = encoder.first_layers(len(one.scale[0]), 8, rng)
    state = {
        "network": optimiser_state(init_network(CONFIG.model, rng)),
        "encoders": encoder.stacked([layers]),
    }
    state, source.asked, found = jax.device_put(state, jax.devices()[0]), [], []
    for chunk in range(chunks):
        queries = phase.prepare(chunk)
        span = Span(*np.float32([chunk / chunks, (chunk + 1) / chunks, 1.0]))
        state, losses = phase.advance(state, span, *queries)
        found.append(np.asarray(losses))
    assert phase.advance._cache_size() == 1
    assert found[-1].mean() < 0.7 * found[0].mean()
    wide = [kwargs["blur"].footprint.wide is not None for _, _, kwargs in source.asked]
    counts = [sum(len(u) for (u, _, _), flag in zip(source.asked, wide, strict=True) if flag == w) for w in (0, 1)]
    assert counts[1] / sum(counts) == pytest.approx(0.25, abs=0.02)
    for (_, _, kwargs), flag in zip(source.asked, wide, strict=True):
        if flag:
            np.testing.assert_allclose(kwargs["blur"].footprint.deviation, 0.5 * kwargs["spread"])
    trained = encoder.layers_of(state["encoders"], 0, len(one.scale[0]))
    codes = encoder.textures(one, trained, 32, np.random.default_rng(3))
    assert [level.shape for level in codes] == [(8, side, side) for side in lean.sides(32)]
    means = np.stack([np.asarray(level).mean(axis=(1, 2)) for level in codes])
    # Bumps seen from afar are another surface than a level one.
    assert np.abs(means[-1] - means[0]).max() > 0.01 * np.asarray(codes[0]).std()


def test_several_materials_have_levels_of_their_own():
    sources = [QuerySource(StandIn(32), CONFIG.mix), QuerySource(StandIn(32, alpha=(0.3, 0.5)), CONFIG.mix)]
    phase = encoder.encode_phase(CONFIG, [material(sources[0], 1.0), material(sources[1], 3.0)], 8 * CONFIG.chunk)
    turns = np.concatenate([phase.prepare(chunk)[0] for chunk in range(8)])
    assert (turns == 1).mean() == pytest.approx(0.75, abs=0.02)
