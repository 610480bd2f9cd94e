"""Networks in blocks of four: a layer is a sum of 4 x 4 matrices times vectors of four, its weights literals or stored.

Inputs and widths that are no multiple of four are filled up with zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

import numpy as np

from verdigris.conventions import Array
from verdigris.export.expression import (
    VECTORS,
    Expression,
    absolute,
    choose,
    clip,
    convert,
    exponential,
    maximum,
    vector,
)
from verdigris.export.program import Body
from verdigris.export.weights import BLOCK, Weights
from verdigris.model.auxiliary import Layers
from verdigris.model.config import Activation
from verdigris.model.decoder import LEAK, SMELU_BETA


class Networks:
    """Emits networks into a function's body."""

    def __init__(self, weights: Weights, half: bool) -> None:
        """half: hidden layers are computed in half precision, the last one never."""
        self._weights = weights
        self._hidden = ("net4", "netmat4") if half else ("vec4f", "mat4")

    def raw(
        self, body: Body, name: str, layers: Layers, activation: Activation, inputs: Sequence[Expression]
    ) -> list[Expression]:
        """The last layer's numbers as `f32`s. inputs: `vec4f`s, in the order of the first weight's columns."""
        x = [convert(part, self._hidden[0]) for part in inputs]
        if self._hidden[0] == "net4":
            x = [body.let(f"{name}_x{k}", part) for k, part in enumerate(x)]
        for index, (weight, bias) in enumerate(layers[:-1]):
            x = [
                body.let(f"{name}_{index}_{row}", activate(body, f"{name}_{index}_{row}", activation, total))
                for row, total in enumerate(self._affine(weight, bias, x, *self._hidden))
            ]
        x = [convert(part, "vec4f") for part in x]
        if self._hidden[0] == "net4":
            x = [body.let(f"{name}_y{k}", part) for k, part in enumerate(x)]
        weight, bias = layers[-1]
        parts = [
            body.let(f"{name}_raw{row}", total)
            for row, total in enumerate(self._affine(weight, bias, x, "vec4f", "mat4"))
        ]
        return [getattr(part, axis) for part in parts for axis in "xyzw"][: len(bias)]

    def linear(self, body: Body, name: str, weight: Array, inputs: Sequence[Expression]) -> list[Expression]:
        """weight `[out, in]` times the inputs, as `f32`s: always in single precision."""
        parts = [
            body.let(f"{name}{row}", total)
            for row, total in enumerate(self._affine(weight, None, inputs, "vec4f", "mat4"))
        ]
        return [getattr(part, axis) for part in parts for axis in "xyzw"][: len(weight)]

    def _affine(
        self, weight: Array, bias: Array | None, x: Sequence[Expression], kind: str, matrix: str
    ) -> list[Expression]:
        """Four outputs an expression."""
        filler = -len(weight) % BLOCK
        padded = np.pad(weight, ((0, filler), (0, BLOCK * len(x) - weight.shape[1])))
        biases = None if bias is None else np.pad(bias, (0, filler))
        totals = []
        for row in range(0, len(padded), BLOCK):
            blocks = (padded[row : row + BLOCK, BLOCK * k : BLOCK * (k + 1)] for k in range(len(x)))
            parts = [
                Expression("matvec", kind, (self._weights.matrix(block, matrix), part))
                for block, part in zip(blocks, x, strict=True)
            ]
            if biases is not None:
                # Last: a sigmoid's is near -15, and a sum that began with it would be rounded that coarsely.
                parts.append(self._weights.vector(biases[row : row + BLOCK], kind))
            totals.append(reduce(add, parts))
        return totals


def activate(body: Body, name: str, kind: Activation, x: Expression) -> Expression:
    """The activation, component by component: see `model/decoder.py`."""
    if kind == "relu":
        return maximum(x, 0)
    x = body.let(f"{name}_a", x)
    leak = x * _scalar(LEAK, x)
    if kind == "leaky_relu":
        return maximum(x, leak)
    inner = body.let(f"{name}_i", clip(x, -SMELU_BETA, SMELU_BETA))
    bend = body.let(f"{name}_b", inner + _scalar(SMELU_BETA, x))
    return leak + (bend * bend * _scalar(0.25 / SMELU_BETA, x) + maximum(x - inner, 0)) * _scalar(1 - LEAK, x)


def _scalar(value: float, like: Expression) -> Expression:
    """A number as a vector of the same type."""
    return vector(value, kind=like.type)


def sigmoid(body: Body, name: str, raw: Expression) -> Expression:
    """1 / (1 + exp(-raw)) of a number, from exp(-|raw|), which cannot overflow."""
    decay = body.let(f"{name}_decay", exponential(-absolute(raw)))
    return choose(raw >= 0, 1 / (1 + decay), decay / (1 + decay))


def packed(numbers: Sequence[Expression]) -> list[Expression]:
    """`f32`s as `vec4f`s, filled up with zeros."""
    filled: list[Expression | float] = [*numbers, *[0.0] * (-len(numbers) % BLOCK)]
    return [vector(*filled[k : k + BLOCK], kind=VECTORS[BLOCK]) for k in range(0, len(filled), BLOCK)]


def spread(layers: Layers, numbers: int) -> Layers:
    """The layers, once `packed` has filled up the first `numbers` inputs: the columns behind them move."""
    weight, bias = layers[0]
    filler = np.zeros((len(weight), -numbers % BLOCK), weight.dtype)
    return ((np.concatenate([weight[:, :numbers], filler, weight[:, numbers:]], axis=1), bias), *layers[1:])
