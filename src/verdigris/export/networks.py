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
        """half: products of latents and of hidden numbers are of half precision, four at a time."""
        self._weights = weights
        self._hidden = ("net4", "netmat4") if half else ("vec4f", "mat4")

    def raw(
        self,
        body: Body,
        name: str,
        layers: Layers,
        activation: Activation,
        numbers: Sequence[Expression],
        latent: Sequence[Expression],
    ) -> list[Expression]:
        """The last layer's numbers as `f32`s. numbers: of directions, `f32`s; latent: `vec4f`s, the inputs behind."""
        directions = _packed(numbers)
        return self.blocks(body, name, _spread(layers, len(numbers)), activation, directions, latent)

    def blocks(
        self,
        body: Body,
        name: str,
        layers: Layers,
        activation: Activation,
        directions: Sequence[Expression],
        latent: Sequence[Expression],
    ) -> list[Expression]:
        """`raw` for inputs that are all `vec4f`s.

        Directions and the last layer are of single precision always: halves of them cost most, and save least.
        """
        x = [*directions, *(self._narrow(body, f"{name}_x{k}", part) for k, part in enumerate(latent))]
        for index, (weight, bias) in enumerate(layers[:-1]):
            totals = enumerate(self._affine(weight, bias, x))
            x = [self._hide(body, f"{name}_{index}_{row}", activation, total) for row, total in totals]
            if index < len(layers) - 2:
                x = [self._narrow(body, f"{name}_{index}_{row}_x", part) for row, part in enumerate(x)]
        return self.last(body, name, layers[-1], x)

    def last(self, body: Body, name: str, layer: tuple[Array, Array], x: Sequence[Expression]) -> list[Expression]:
        """A network's last layer, in single precision, as `f32`s. x: `vec4f`s."""
        parts = [body.let(f"{name}_raw{row}", total) for row, total in enumerate(self._affine(*layer, x))]
        return _numbers(parts, len(layer[1]))

    def linear(self, body: Body, name: str, weight: Array, inputs: Sequence[Expression]) -> list[Expression]:
        """weight `[out, in]` times the inputs, as `f32`s: always in single precision."""
        parts = [body.let(f"{name}{row}", total) for row, total in enumerate(self._affine(weight, None, inputs))]
        return _numbers(parts, len(weight))

    def _hide(self, body: Body, name: str, activation: Activation, total: Expression) -> Expression:
        return body.let(name, activate(body, name, activation, total))

    def _narrow(self, body: Body, name: str, x: Expression) -> Expression:
        """A vector in the precision of hidden layers."""
        return x if self._hidden[0] == "vec4f" else body.let(name, convert(x, self._hidden[0]))

    def _affine(self, weight: Array, bias: Array | None, x: Sequence[Expression]) -> list[Expression]:
        """Four outputs a `vec4f`: products are as precise as their vector, and summed in single precision."""
        filler = -len(weight) % BLOCK
        padded = np.pad(weight, ((0, filler), (0, BLOCK * len(x) - weight.shape[1])))
        biases = None if bias is None else np.pad(bias, (0, filler))
        totals = []
        for row in range(0, len(padded), BLOCK):
            blocks = (padded[row : row + BLOCK, BLOCK * k : BLOCK * (k + 1)] for k in range(len(x)))
            parts = [self._product(block, part) for block, part in zip(blocks, x, strict=True)]
            if biases is not None:
                # Last: a sigmoid's is near -15, and a sum that began with it would be rounded that coarsely.
                parts.append(self._weights.vector(biases[row : row + BLOCK], "vec4f"))
            totals.append(reduce(add, parts))
        return totals

    def _product(self, block: Array, x: Expression) -> Expression:
        matrix = "mat4" if x.type == "vec4f" else self._hidden[1]
        return convert(Expression("matvec", x.type, (self._weights.matrix(block, matrix), x)), "vec4f")


def _numbers(parts: Sequence[Expression], count: int) -> list[Expression]:
    """The first components of vectors."""
    return [getattr(part, axis) for part in parts for axis in "xyzw"][:count]


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


def _packed(numbers: Sequence[Expression]) -> list[Expression]:
    """`f32`s as `vec4f`s, filled up with zeros."""
    filled: list[Expression | float] = [*numbers, *[0.0] * (-len(numbers) % BLOCK)]
    return [vector(*filled[k : k + BLOCK], kind=VECTORS[BLOCK]) for k in range(0, len(filled), BLOCK)]


def _spread(layers: Layers, numbers: int) -> Layers:
    """The layers, once `_packed` has filled up the first `numbers` inputs: the columns behind them move."""
    weight, bias = layers[0]
    filler = np.zeros((len(weight), -numbers % BLOCK), weight.dtype)
    return ((np.concatenate([weight[:, :numbers], filler, weight[:, numbers:]], axis=1), bias), *layers[1:])
