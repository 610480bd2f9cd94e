"""Chunks of queries whose steps belong to several materials, asked of each at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from verdigris.bake.turns import Indices

Steps = NDArray[np.intp]


def to_jax(arrays: Sequence[Any]) -> list[jax.Array]:
    """Flat Dr.Jit or NumPy arrays as JAX arrays, without a copy."""
    return [array if isinstance(array, jax.Array) else jax.dlpack.from_dlpack(array) for array in arrays]


def by_owner(owner: Indices, ask: Callable[[int, Steps], Sequence[Any]]) -> list[Any]:
    """Columns of a chunk, `[steps * batch]` each, its steps in their order.

    owner: whose each step is, `[steps]`. ask: launches the queries of those steps of one owner that it is given, in
    ascending order, and gives their columns, flat and in that order; where one owner gives fewer columns than another,
    the last ones are 0 for its steps. It is asked once at most.
    """
    owners = [int(index) for index in np.unique(owner)]
    # All are launched before the first is waited for.
    asked = {index: (mine := np.flatnonzero(owner == index), ask(index, mine)) for index in owners}
    if len(owners) == 1:
        return to_jax(asked[owners[0]][1])
    count = max(len(found) for _, found in asked.values())
    columns: list[Any] = []
    for column in range(count):
        parts = {
            index: np.asarray(found[column]).reshape(len(mine), -1)
            for index, (mine, found) in asked.items()
            if column < len(found)
        }
        whole = np.zeros((len(owner), next(iter(parts.values())).shape[1]), np.float32)
        for index, part in parts.items():
            whole[asked[index][0]] = part
        columns.append(whole.reshape(-1))
    return columns
