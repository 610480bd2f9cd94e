"""The decoder network: affine layers, an activation between them, a positive function behind the last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from verdigris.conventions import Array
from verdigris.model.config import Activation, Output

LEAK = 0.01
"""Slope of `leaky_relu` below 0, and of `leaky_smelu` below -SMELU_BETA."""

SMELU_BETA = 0.5
"""Half the width of the parabola in `leaky_smelu`."""

OUTPUT_SHIFT = 3.0
"""The response is exp(raw - 3): an untrained network starts dark, where most of the answers lie [P]."""

SIGMOID_SCALE = 1e5
"""Largest response of the output `sigmoid` [T]."""


def activate(kind: Activation, x: Array) -> Array:
    """The activation, elementwise.

    `relu`: max(x, 0). `leaky_relu`: x above zero, 0.01 x below. `leaky_smelu` [T]: x above 0.5, 0.01 x below -0.5, and
    between them the parabola that joins both with a continuous slope: 0.01 x + 0.99 (x + 0.5)^2 / 2.
    """
    real = x.dtype.type
    if kind != "leaky_smelu":
        return np.maximum(x, 0 if kind == "relu" else real(LEAK) * x)
    inner = np.clip(x, -real(SMELU_BETA), real(SMELU_BETA))
    bend = inner + real(SMELU_BETA)
    return real(LEAK) * x + real(1 - LEAK) * (bend * bend * real(0.25 / SMELU_BETA) + np.maximum(x - inner, 0))


def respond(kind: Output, raw: Array) -> Array:
    """The answer from the last layer's numbers, elementwise: exp(raw - 3), or 1e5 / (1 + exp(-raw)).

    `exp` is infinite where it overflows. `sigmoid` is taken from exp(-|raw|), which cannot.
    """
    real = raw.dtype.type
    if kind == "exp":
        with np.errstate(over="ignore"):
            return np.exp(raw - real(OUTPUT_SHIFT))
    decay = np.exp(-np.abs(raw))
    return real(SIGMOID_SCALE) * np.where(raw >= 0, real(1), decay) / (1 + decay)


def network(layers: Sequence[tuple[Array, Array]], activation: Activation, x: Array) -> Array:
    """The last layer's numbers of an MLP with an activation between its layers, `[n, inputs] -> [n, outputs]`.

    layers: (weight `[out, in]`, bias `[out]`) in order.
    """
    for weight, bias in layers[:-1]:
        x = activate(activation, x @ weight.T + bias)
    weight, bias = layers[-1]
    return x @ weight.T + bias


def decode(layers: Sequence[tuple[Array, Array]], activation: Activation, output: Output, x: Array) -> Array:
    """The decoder's answer, `[n, inputs] -> [n, 3]`, linear RGB, not negative; the last layer has 3 outputs."""
    return respond(output, network(layers, activation, x))
