"""Losses between a learned and a true response, pure and unreduced: `[...], [...] -> [...]`, both >= 0."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

Loss = Callable[[jax.Array, jax.Array], jax.Array]
EPSILON = 1e-2
"""Keeps the relative losses finite where the response vanishes; a response of 1e-2 is dark against a white 1/pi."""

DARK = 1e-3
"""Keeps the denominator of `power_mean` above 0."""

BEND = 1.0
"""Error in units of `power_l1` from which `power_mean` counts it once instead of squared, by default."""


def log_l1(learned: jax.Array, true: jax.Array) -> jax.Array:
    """|log(1 + x) - log(1 + y)| (Zeltner et al. 2024)."""
    return jnp.abs(jnp.log1p(learned) - jnp.log1p(true))


def power_l1(learned: jax.Array, true: jax.Array) -> jax.Array:
    """3 |x^(1/3) - y^(1/3)| (Bitterli et al. 2026): close to how differences in brightness are seen.

    x must be > 0 for a finite gradient; the decoder's exponential gives that.
    """
    return 3.0 * jnp.abs(_cube_root(learned) - _cube_root(true))


def power_mean(learned: jax.Array, true: jax.Array, bend: float = BEND) -> jax.Array:
    """sqrt(1 + e^2) - 1 with e = (x - y) / (x + 0.001)^(2/3), the denominator held constant; e is `power_l1` for small
    errors.

    Under noise an L1 loss, of whatever function of x and y, is least at the median of y, below its mean; this one is
    least at the mean where the noise of e is well below `bend`, and does not heed a rare y that is far off.
    """
    error = (learned - true) / _cube_root(jax.lax.stop_gradient(learned) + DARK) ** 2 / bend
    return bend * (jnp.sqrt(1.0 + jnp.square(error)) - 1.0)


def _cube_root(x: jax.Array) -> jax.Array:
    # XLA's cbrt on a CPU calls libm value by value; exp and log are vectorised, 12 times as fast.
    return jnp.exp(jnp.log(x) * (1.0 / 3.0))


def relative_l1(learned: jax.Array, true: jax.Array) -> jax.Array:
    """|x - y| / (x + 0.01), the denominator held constant so that it does not pull x upwards."""
    return jnp.abs(learned - true) / (jax.lax.stop_gradient(learned) + EPSILON)


def relative_l2(learned: jax.Array, true: jax.Array) -> jax.Array:
    """(x - y)^2 / (x + 0.01)^2, the denominator held constant."""
    return jnp.square((learned - true) / (jax.lax.stop_gradient(learned) + EPSILON))


def smape(learned: jax.Array, true: jax.Array) -> jax.Array:
    """|x - y| / (x + y + 0.01), at most 1 however wrong (symmetric mean absolute percentage error)."""
    return jnp.abs(learned - true) / (learned + true + EPSILON)


BY_NAME: dict[str, Loss] = {
    "log_l1": log_l1,
    "power_l1": power_l1,
    "relative_l1": relative_l1,
    "relative_l2": relative_l2,
    "smape": smape,
}
