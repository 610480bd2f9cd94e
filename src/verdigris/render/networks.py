"""Small networks as Dr.Jit code: one description, two emitters. Formulas: `model/decoder.py`.

`LiteralCode` writes every weight into the kernel. On the LLVM backend a weight that is gathered costs a load for every
lane of every query, a literal becomes an operand of a fused multiply-add. The price is a kernel a material.
`CooperativeCode` keeps the weights in a buffer and multiplies by cooperative vectors in float16, which a GPU's tensor
cores take; on the LLVM backend they are emulated, slowly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, Protocol

from verdigris.conventions import Array
from verdigris.model.config import Activation
from verdigris.model.decoder import LEAK, SMELU_BETA
from verdigris.runtime import mitsuba

Float = Any
"""As in `codegen.py`, annotations can only name the variant's types."""

Kind = Literal["literal", "cooperative"]


class Code(Protocol):
    """From a network's inputs to the last layer's numbers."""

    weights: list[Any]
    """Arrays that the code reads: it must be known that they are its inputs where a function is frozen."""

    def __call__(self, x: Sequence[Float], /) -> list[Float]:
        """The last layer's numbers."""


SUMS_MAX, TERMS_A_SUM = 4, 8
"""A row of weights is summed up in several sums, each of some terms at least: one alone is a chain of multiply-adds in
which each waits for the one before."""


@dataclass(frozen=True)
class Network:
    """layers: (weight `[out, in]`, bias `[out]`), hidden ones first, an activation between them.

    early: the inputs that all calls at one hit have in common. What the first layer makes of them is summed up by
    itself, so that Dr.Jit merges it where a hit asks for several directions.
    """

    layers: tuple[tuple[Array, Array], ...]
    activation: Activation
    early: tuple[int, ...] = ()


def emit(network: Network, kind: Kind | None = None) -> Code:
    """The network as code of the Mitsuba variant in force; kind: by default what suits its backend."""
    mi, dr = mitsuba(), import_module("drjit")
    kind = kind or ("literal" if dr.backend_v(mi.Float) == dr.JitBackend.LLVM else "cooperative")
    return LiteralCode(network) if kind == "literal" else CooperativeCode(network)


class LiteralCode:
    """Weights as literals of the kernel, float32. A weight of 0 costs nothing, nor what only it would look at."""

    def __init__(self, network: Network) -> None:
        self._mi, self._dr = mitsuba(), import_module("drjit")
        self.weights: list[Any] = []
        self._layers = [(weight.tolist(), bias.tolist()) for weight, bias in network.layers]
        self._activation, self._early = network.activation, network.early
        self._late = [k for k in range(network.layers[0][0].shape[1]) if k not in network.early]

    def __call__(self, x: Sequence[Float]) -> list[Float]:
        """The last layer's numbers."""
        weight, bias = self._layers[0]
        early, late = ([x[k] for k in columns] for columns in (self._early, self._late))
        raw = [
            self._dot([row[k] for k in self._late], late, self._dot([row[k] for k in self._early], early, b))
            for row, b in zip(weight, bias, strict=True)
        ]
        for weight, bias in self._layers[1:]:
            hidden = [self._activate(value) for value in raw]
            # The bias comes last: a sigmoid's is near -15, and a sum that began with it would be rounded that coarsely.
            raw = [self._dot(row, hidden, 0.0) + b for row, b in zip(weight, bias, strict=True)]
        return raw

    def _dot(self, row: Sequence[float], x: Sequence[Float], start: float | Float) -> Float:
        """start + row . x."""
        terms = [(weight, value) for weight, value in zip(row, x, strict=True) if weight]
        sums = max(1, min(SUMS_MAX, len(terms) // TERMS_A_SUM))
        total = self._chain(terms[::sums], self._mi.Float(start))
        for k in range(1, sums):
            total += self._chain(terms[k::sums], self._mi.Float(0))
        return total

    def _chain(self, terms: Sequence[tuple[float, Float]], total: Float) -> Float:
        for weight, value in terms:
            total = self._dr.fma(value, weight, total)
        return total

    def _activate(self, x: Float) -> Float:
        dr = self._dr
        # One instruction on LLVM, where `maximum` takes three for the sake of NaN.
        return activated(self._activation, x, lambda a, b: dr.select(a > b, a, b), lambda a, b: dr.select(a < b, a, b))


class CooperativeCode:
    """Weights in one buffer of float16, and float16 arithmetic: a relative error near 1e-3 a layer."""

    def __init__(self, network: Network) -> None:
        self._mi, self._dr, self._nn = mitsuba(), import_module("drjit"), import_module("drjit.nn")
        self._activation = network.activation
        tensors = [self._mi.TensorXf16(array) for layer in network.layers for array in layer]
        self._views = self._nn.pack(*tensors)
        self.weights = [self._views[0].buffer]

    def __call__(self, x: Sequence[Float]) -> list[Float]:
        """The last layer's numbers, as float32."""
        dr, half = self._dr, self._dr.float16_array_t(self._mi.Float)
        vector = self._nn.CoopVec(*[half(value) for value in x])
        pairs = list(zip(self._views[::2], self._views[1::2], strict=True))
        for weight, bias in pairs[:-1]:
            raw = self._nn.matvec(weight, vector, bias)
            vector = activated(self._activation, raw, dr.maximum, dr.minimum)
        return [self._mi.Float(value) for value in self._nn.matvec(pairs[-1][0], vector, pairs[-1][1])]


def activated(kind: Activation, x: Any, larger: Callable[..., Any], smaller: Callable[..., Any]) -> Any:
    """The activation of a number or of a cooperative vector; larger, smaller: maximum and minimum of two of them."""
    if kind == "relu":
        return larger(x, 0.0)
    if kind == "leaky_relu":
        return larger(x, x * LEAK)
    inner = larger(smaller(x, SMELU_BETA), -SMELU_BETA)
    bend = inner + SMELU_BETA
    ramp = bend * bend * (0.25 / SMELU_BETA) + larger(x - inner, 0.0)
    return ramp * (1 - LEAK) + x * LEAK
