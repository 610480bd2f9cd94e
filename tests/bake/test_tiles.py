"""Tiles: where they lie, that they never share a texel, that their fetch is the model's bilinear fetch, and its
gradient that of a dense one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verdigris.bake import auxiliary, tiles
from verdigris.bake.turns import deal
from verdigris.model.latents import fetch as model_fetch

PLANS = [(16, 64), (16, 512), (33, 512), (64, 2048), (100, 4096)]
LISTS = [(64, 32, 16, 8, 4, 2, 1), (48, 24, 12, 6, 3, 1), (16, 40, 1), (8, 4), (3, 2)]
"""Sides of textures that are trained together."""


def single(plan, steps=1):
    """The turns of a lone texture."""
    return np.zeros(steps, np.int32)


def numbered(side):
    """A texture of its texels' numbers, `[1, side, side]`."""
    return jnp.arange(side**2, dtype=jnp.float32).reshape(1, side, side)


def touched(plan, layout):
    """Texel numbers of each tile of a lone texture in stepping order, `[tiles, 81]`."""
    _, cut = tiles.cut(plan, [numbered(plan.sides[0])], layout)
    return np.asarray(cut[0]).astype(int).reshape(cut.shape[1], -1)


@pytest.mark.parametrize(("resolution", "batch"), PLANS)
def test_tiles_share_no_texel(resolution, batch, rng):
    plan = tiles.plan([resolution], batch)
    assert plan.batch == batch and plan.groups[0] >= 1 and plan.copied == (False,)
    layout, _ = tiles.draw(plan, single(plan, 3), rng)
    texels = touched(plan, layout)
    assert texels.shape == (plan.groups[0] * plan.tiles, 81)
    assert len(np.unique(texels)) == texels.size


def test_tiles_wrap_around_the_border():
    plan = tiles.plan([16], 64)
    layout = tiles.Layout(np.array([[12, 10]], np.int32), (np.array([0], np.int32),), single(plan), single(plan), ())
    block = touched(plan, layout).reshape(9, 9)
    np.testing.assert_array_equal(block[:, 0] // 16, (12 + np.arange(9)) % 16)
    np.testing.assert_array_equal(block[0] % 16, (10 + np.arange(9)) % 16)


@pytest.mark.parametrize(
    ("sides", "batch"), [*(((side,), batch) for side, batch in PLANS), *((s, 2048) for s in LISTS)]
)
def test_fetch_is_the_models_fetch(sides, batch, rng):
    plan, steps = tiles.plan(sides, batch), 3 * len(sides)
    textures = [rng.normal(size=(4, side, side)).astype(np.float32) for side in sides]
    layout, (u, v) = tiles.draw(plan, deal([1.0] * len(sides), steps), rng)
    assert 0 <= min(u.min(), v.min()) and max(u.max(), v.max()) < 1
    assert sorted(set(layout.turn)) == list(range(len(sides)))
    _, cut = tiles.cut(plan, [jnp.asarray(texture) for texture in textures], layout)
    uv = np.stack([u, v], axis=1).reshape(steps, batch, 2)
    for step, texture in enumerate(layout.turn):
        block = cut[:, layout.start[step] : layout.start[step] + plan.tiles]
        got = tiles.fetch(plan, block, tuple(f[step] for f in layout.fraction))
        expected = model_fetch(textures[texture].transpose(1, 2, 0), uv[step])
        # Positions have an absolute error of 2^-24 in uv, so `side` times that in texels.
        np.testing.assert_allclose(got.T, expected, atol=2e-6 * sides[texture])


@pytest.mark.parametrize("sides", [*([side] for side, _ in PLANS), [1], *LISTS], ids=str)
def test_join_undoes_cut(sides, rng):
    plan = tiles.plan(sides, 512)
    textures = [jnp.asarray(rng.normal(size=(2, side, side)).astype(np.float32)) for side in sides]
    layout, _ = tiles.draw(plan, deal([1.0] * len(sides), 2 * len(sides)), rng)
    rolled, cut = tiles.cut(plan, textures, layout)
    changed = tiles.join(plan, rolled, cut + 1, layout)
    for index, (before, after) in enumerate(zip(textures, tiles.join(plan, rolled, cut, layout), strict=True)):
        np.testing.assert_array_equal(after, before)
        moved = np.zeros(sides[index] ** 2, bool)
        _, numbers = tiles.cut(plan, [numbered(side) for side in sides], layout)
        first = plan.first[index]
        moved[np.unique(numbers[0, first : first + len(layout.order[index])]).astype(int)] = True
        np.testing.assert_allclose((changed[index] - before)[0].ravel(), moved.astype(float), atol=1e-6)


@pytest.mark.parametrize("sides", LISTS, ids=str)
def test_gradients_are_those_of_a_dense_fetch(sides, rng):
    plan, steps = tiles.plan(sides, 1024), 2 * len(sides)
    textures = [jnp.asarray(rng.normal(size=(3, side, side)).astype(np.float32)) for side in sides]
    layout, (u, v) = tiles.draw(plan, deal([1.0] * len(sides), steps), rng)
    weights = jnp.asarray(rng.normal(size=(3, plan.batch)).astype(np.float32))
    rolled, cut = tiles.cut(plan, textures, layout)
    at_u, at_v = u.reshape(steps, -1), v.reshape(steps, -1)
    for step, index in enumerate(layout.turn):

        def tiled(block, step=step):
            return jnp.sum(weights * jnp.square(tiles.fetch(plan, block, tuple(f[step] for f in layout.fraction))))

        def dense(texture, step=step):
            found = auxiliary.fetch(texture.transpose(1, 2, 0), at_u[step], at_v[step])
            return jnp.sum(weights * jnp.square(found))

        start = layout.start[step]
        grads = jax.grad(tiled)(cut[:, start : start + plan.tiles])
        grads = jax.jit(lambda grads, turn: tiles.gather(plan, grads, turn))(grads, index)
        changed = cut.at[:, start : start + plan.tiles].add(grads)
        found = tiles.join(plan, rolled, changed, layout)
        expected = jax.grad(dense)(textures[index])
        scale = float(jnp.abs(expected).max())
        np.testing.assert_allclose(found[index] - textures[index], expected, atol=2e-5 * scale)
        for other in set(range(len(sides))) - {int(index)}:
            np.testing.assert_array_equal(found[other], textures[other])


def test_queries_cover_the_texture_evenly():
    plan, count = tiles.plan([16], 512), np.zeros((4, 4))
    for chunk in range(200):
        _, (u, v) = tiles.draw(plan, single(plan), np.random.default_rng(chunk))
        count += np.histogram2d(u, v, bins=4, range=((0, 1), (0, 1)))[0]
    # A tile is half the texture wide, so a bin's count has a deviation of about 7 % over 200 chunks.
    np.testing.assert_allclose(count / count.mean(), 1.0, atol=0.3)


def test_one_texel_serves_every_query():
    plan = tiles.plan([1], 128)
    got = tiles.fetch(plan, jnp.arange(3.0).reshape(3, 1, 1, 1), (jnp.zeros(128), jnp.zeros(128)))
    np.testing.assert_array_equal(got, np.repeat(np.arange(3.0)[:, None], 128, axis=1))
