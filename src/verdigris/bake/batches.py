"""Chunks of queries whose steps belong to several materials, asked of each at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from verdigris.bake.turns import Indices

Steps = NDArray[np.intp]


def to_jax(arrays: Sequence[Any]) -> list[jax.Array]:
    """Flat Dr.Jit or NumPy arrays as JAX arrays, without a copy."""
    return [array if isinstance(array, jax.Array) else jax.dlpack.from_dlpack(array) for array in arrays]


def by_owner(owner: Indices, ask: Callable[[int, Steps], Sequence[Any]], count: int) -> list[jax.Array]:
    """`count` columns of a chunk, `[steps * batch]` each, its steps in their order.

    owner: whose each step is, `[steps]`. ask: launches the queries of those steps of one owner that it is given, in
    ascending order, and gives their columns, flat and in that order; the last ones may be missing, and are 0.
    """
    # All are launched before the first is waited for.
    asked = {int(index): np.flatnonzero(owner == index) for index in np.unique(owner)}
    found = [(mine, ask(index, mine)) for index, mine in asked.items()]
    if len(found) == 1:
        given = to_jax(found[0][1])
        return given + [jnp.zeros_like(given[0])] * (count - len(given))
    columns = []
    for column in range(count):
        parts = [(mine, np.asarray(some[column])) for mine, some in found if column < len(some)]
        batch = len(found[0][1][0]) // len(found[0][0])
        whole = np.zeros((len(owner), batch), np.float32)
        for mine, part in parts:
            whole[mine] = part.reshape(len(mine), batch)
        columns.append(whole.reshape(-1))
    return to_jax(columns)
