"""Tiles: where they lie, that they never share a texel, and that their fetch is the model's bilinear fetch."""

import jax.numpy as jnp
import numpy as np
import pytest

from verdigris.bake import tiles
from verdigris.model.latents import fetch as model_fetch

PLANS = [(16, 64), (16, 512), (33, 512), (64, 2048), (100, 4096)]


def touched(plan, layout):
    """Texel numbers of each tile in stepping order, `[tiles, 81]`, found by cutting a texture of numbers."""
    numbers = jnp.arange(plan.resolution**2, dtype=jnp.float32).reshape(1, plan.resolution, plan.resolution)
    _, cut = tiles.cut(plan, numbers, layout.offset, layout.order)
    return np.asarray(cut[0]).astype(int).reshape(cut.shape[1], -1)


@pytest.mark.parametrize(("resolution", "batch"), PLANS)
def test_tiles_share_no_texel(resolution, batch, rng):
    plan = tiles.plan(resolution, batch)
    assert plan.batch == batch and plan.groups >= 1
    layout, _ = tiles.draw(plan, 3, rng)
    texels = touched(plan, layout)
    assert texels.shape == (plan.groups * plan.tiles, 81)
    assert len(np.unique(texels)) == texels.size


def test_tiles_wrap_around_the_border():
    plan = tiles.plan(16, 64)
    layout = tiles.Layout(np.array([12, 10], np.int32), np.array([0], np.int32), ())
    block = touched(plan, layout).reshape(9, 9)
    np.testing.assert_array_equal(block[:, 0] // 16, (12 + np.arange(9)) % 16)
    np.testing.assert_array_equal(block[0] % 16, (10 + np.arange(9)) % 16)


@pytest.mark.parametrize(("resolution", "batch"), PLANS)
def test_fetch_is_the_models_fetch(resolution, batch, rng):
    plan, steps = tiles.plan(resolution, batch), 5
    texture = rng.normal(size=(4, resolution, resolution)).astype(np.float32)
    layout, (u, v) = tiles.draw(plan, steps, rng)
    assert 0 <= min(u.min(), v.min()) and max(u.max(), v.max()) < 1
    _, cut = tiles.cut(plan, jnp.asarray(texture), layout.offset, layout.order)
    expected = model_fetch(texture.transpose(1, 2, 0), np.stack([u, v], axis=1)).reshape(steps, batch, 4)
    for step in range(steps):
        start = step % plan.groups * plan.tiles
        fraction = tuple(f[step] for f in layout.fraction)
        got = tiles.fetch(plan, cut[:, start : start + plan.tiles], fraction)
        # Positions have an absolute error of 2^-24 in uv, so `resolution` times that in texels.
        np.testing.assert_allclose(got.T, expected[step], atol=2e-6 * resolution)


@pytest.mark.parametrize(("resolution", "batch"), [*PLANS, (1, 128)])
def test_join_undoes_cut(resolution, batch, rng):
    plan = tiles.plan(resolution, batch)
    texture = jnp.asarray(rng.normal(size=(2, resolution, resolution)).astype(np.float32))
    layout, _ = tiles.draw(plan, 2, rng)
    rolled, cut = tiles.cut(plan, texture, layout.offset, layout.order)
    np.testing.assert_array_equal(tiles.join(plan, rolled, cut, layout.offset, layout.order), texture)
    changed = tiles.join(plan, rolled, cut + 1, layout.offset, layout.order) - texture
    if resolution > 1:
        moved = np.zeros(resolution**2, bool)
        moved[touched(plan, layout).ravel()] = True
        np.testing.assert_allclose(changed[0].ravel(), moved.astype(float), atol=1e-6)


def test_queries_cover_the_texture_evenly():
    plan, count = tiles.plan(16, 512), np.zeros((4, 4))
    for chunk in range(200):
        _, (u, v) = tiles.draw(plan, 1, np.random.default_rng(chunk))
        count += np.histogram2d(u, v, bins=4, range=((0, 1), (0, 1)))[0]
    # A tile is half the texture wide, so a bin's count has a deviation of about 7 % over 200 chunks.
    np.testing.assert_allclose(count / count.mean(), 1.0, atol=0.3)


def test_one_texel_serves_every_query():
    plan = tiles.plan(1, 128)
    got = tiles.fetch(plan, jnp.arange(3.0).reshape(3, 1, 1, 1), (jnp.zeros(128), jnp.zeros(128)))
    np.testing.assert_array_equal(got, np.repeat(np.arange(3.0)[:, None], 128, axis=1))
