"""Texel layout, bilinear filtering, wrap, and the choice of level."""

import numpy as np
import pytest

from verdigris.model.latents import choose_level, fetch, fetch_pyramid


def ramp(height, width):
    return (np.arange(height)[:, None] * 100.0 + np.arange(width)[None, :])[:, :, None]


def slow_fetch(texture, u, v):
    """The definition, for one query: tent weights over all texels and their repetitions."""
    height, width, channels = texture.shape
    result = np.zeros(channels)
    for y in range(-height, 2 * height):
        for x in range(-width, 2 * width):
            weight = max(0, 1 - abs(u * width - (x + 0.5))) * max(0, 1 - abs(v * height - (y + 0.5)))
            result += weight * texture[y % height, x % width]
    return result


def test_texel_centres_are_exact_and_row_0_is_at_the_bottom():
    texture = ramp(3, 5)
    y, x = np.mgrid[0:3, 0:5]
    uv = np.stack([(x + 0.5) / 5, (y + 0.5) / 3], axis=-1).reshape(-1, 2)
    np.testing.assert_allclose(fetch(texture, uv)[:, 0], texture.reshape(-1), atol=1e-10)


def test_halfway_is_the_mean_and_the_border_repeats():
    texture = ramp(2, 4)
    uv = np.array([[0.25, 0.25], [0.0, 0.25], [0.125, 0.0], [0.0, 0.0]])
    # between columns 0 and 1; between columns 3 and 0; between rows 1 and 0; all four corners
    np.testing.assert_allclose(fetch(texture, uv)[:, 0], [0.5, 1.5, 50.0, 51.5], atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 2), (4, 4)])
def test_matches_the_definition(shape):
    rng = np.random.default_rng(0)
    texture = rng.normal(size=(*shape, 3))
    uv = rng.random((40, 2))
    expected = [slow_fetch(texture, *q) for q in uv]
    np.testing.assert_allclose(fetch(texture, uv), expected, atol=1e-12)


def test_repeats_with_period_1_in_both_directions():
    rng = np.random.default_rng(1)
    texture, uv = rng.normal(size=(4, 8, 2)), rng.random((100, 2))
    for shift in ((1, 0), (0, -1), (-3, 2)):
        np.testing.assert_allclose(fetch(texture, uv + shift), fetch(texture, uv), atol=1e-12)


def test_float32_stays_float32():
    assert fetch(ramp(2, 2).astype(np.float32), np.array([[0.3, 0.9]])).dtype == np.float32


def test_whole_levels_are_taken_and_clamped():
    assert choose_level(np.array([0, 1, 2, 7, -3]), 3, 5, seed=0).tolist() == [0, 1, 2, 2, 0]
    assert choose_level(1, 2, 3, seed=0).tolist() == [1, 1, 1]


def test_fractional_levels_are_chosen_with_their_probability():
    n, fraction = 100_000, 0.3
    chosen = choose_level(1 + fraction, 4, n, seed=5)
    assert set(chosen.tolist()) == {1, 2}
    spread = np.sqrt(fraction * (1 - fraction) / n)
    assert abs((chosen == 2).mean() - fraction) < 4 * spread


def test_the_choice_is_the_seeds():
    first, again, other = (choose_level(0.5, 2, 1000, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_each_query_reads_its_own_level():
    latents = [np.full((4 >> k, 4 >> k, 1), float(k)) for k in range(3)]
    levels = np.array([2, 0, 1, 1, 2])
    np.testing.assert_array_equal(fetch_pyramid(latents, np.random.default_rng(0).random((5, 2)), levels)[:, 0], levels)
    assert fetch_pyramid(latents, np.zeros((0, 2)), levels[:0]).shape == (0, 1)
