"""The decoder network: affine layers, an activation between them, an exponential behind the last [P]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from verdigris.conventions import Array
from verdigris.model.config import Activation

LEAK = 0.01
"""Slope of `leaky_relu` below zero."""

OUTPUT_SHIFT = 3.0
"""The response is exp(raw - 3): an untrained network starts dark, where most of the answers lie [P]."""


def activate(kind: Activation, x: Array) -> Array:
    """The activation, elementwise: max(x, 0), or x above zero and 0.01 x below."""
    return np.maximum(x, 0 if kind == "relu" else x.dtype.type(LEAK) * x)


def decode(layers: Sequence[tuple[Array, Array]], kind: Activation, x: Array) -> Array:
    """Cosine-weighted response, `[n, inputs] -> [n, 3]`, linear RGB, above 0 (infinite where exp overflows).

    layers: (weight `[out, in]`, bias `[out]`) in order, the last with 3 outputs.
    """
    for weight, bias in layers[:-1]:
        x = activate(kind, x @ weight.T + bias)
    weight, bias = layers[-1]
    with np.errstate(over="ignore"):
        return np.exp(x @ weight.T + bias - x.dtype.type(OUTPUT_SHIFT))
