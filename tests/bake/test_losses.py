"""The losses against their formulas in NumPy, and their gradients where they are delicate."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verdigris.bake import losses
from verdigris.bake.config import LOSSES

FORMULAS = {
    "log_l1": lambda x, y: np.abs(np.log1p(x) - np.log1p(y)),
    "power_l1": lambda x, y: 3 * np.abs(np.cbrt(x) - np.cbrt(y)),
    "relative_l1": lambda x, y: np.abs(x - y) / (x + 0.01),
    "relative_l2": lambda x, y: ((x - y) / (x + 0.01)) ** 2,
    "smape": lambda x, y: np.abs(x - y) / (x + y + 0.01),
}


def test_every_named_loss_exists():
    assert set(losses.BY_NAME) == set(LOSSES) == set(FORMULAS)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_is_its_formula_unreduced(name, rng):
    x, y = rng.lognormal(0, 4, (2, 3, 500)).astype(np.float32)
    y[:, :50] = 0
    value = losses.BY_NAME[name](jnp.asarray(x), jnp.asarray(y))
    assert value.shape == x.shape
    np.testing.assert_allclose(value, FORMULAS[name](x.astype(float), y.astype(float)), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_is_finite_over_the_decoders_range(name):
    learned = jnp.exp(jnp.linspace(-23.0, 15.0, 400))
    for true in (0.0, 1e-3, 1.0, 5e4):
        grad = jax.grad(lambda x, true=true: losses.BY_NAME[name](x, jnp.full_like(x, true)).sum())(learned)
        assert np.isfinite(grad).all()


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_points_away_from_the_truth(name):
    grad = jax.grad(lambda x: losses.BY_NAME[name](x, jnp.float32(1.0)))
    assert grad(0.5) < 0 < grad(2.0)


def test_the_mean_is_least_at_the_mean_where_l1_is_at_the_median(rng):
    noise = rng.gamma(8.0, 1 / 8, 40001).astype(np.float32)  # mean 1, median 0.959
    x = jnp.linspace(0.9, 1.1, 401)
    for level in (0.05, 1.0):

        def least(loss, level=level):
            means = [float(loss(level * at, jnp.asarray(level * noise)).mean()) for at in x]
            return float(x[int(np.argmin(means))])

        assert abs(least(losses.power_l1) - np.median(noise)) < 2e-3
        # The denominator is held constant: it is the gradient that must vanish at the mean.
        slope = jax.grad(lambda at, level=level: losses.power_mean(level * at, jnp.asarray(level * noise)).mean())
        assert float(slope(0.985)) < 0 < float(slope(1.015))


def test_the_mean_has_a_bounded_gradient():
    learned, true = jnp.full(4, 1e-2), jnp.array([0.0, 1e-1, 1e2, 1e5])
    slopes = jax.vmap(jax.grad(losses.power_mean))(learned, true) * jnp.cbrt(learned + losses.DARK) ** 2
    assert np.all(np.abs(slopes) < 1.001) and float(slopes[-1]) == pytest.approx(-1.0)
