"""A program's functions as ONNX graphs: vectors of n queries are tensors `[n, width]`, calls are written out.

A network stays whole here, a `Gemm` a layer: runtimes are made for those, not for blocks of four.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from verdigris.errors import RuntimeMissing
from verdigris.export.expression import WIDTHS, Expression
from verdigris.export.networks import Networks
from verdigris.export.program import Body, Function, Let, Program
from verdigris.export.weights import BLOCK, Literals
from verdigris.model.auxiliary import Layers
from verdigris.model.config import Activation
from verdigris.model.decoder import LEAK, SMELU_BETA

OPSET = 17
"""Version of ONNX's operators: of 2022, so that older runtimes read the graphs."""

OPERATORS = {"+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "<": "Less", ">": "Greater", "or": "Or"}
COMPARISONS = {"<=": "LessOrEqual", ">=": "GreaterOrEqual"}
BUILTINS = {
    "min": "Min",
    "max": "Max",
    "abs": "Abs",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "floor": "Floor",
    "cos": "Cos",
    "sin": "Sin",
}

Value = str | dict[str, str]
"""The name of a tensor, or those of a struct's fields."""


def require() -> Any:
    """The package `onnx`. Raises RuntimeMissing without it."""
    try:
        import onnx
    except ImportError as error:
        raise RuntimeMissing("this target needs the package onnx: pip install 'verdigris[onnx]'") from error
    return onnx


class WholeNetworks(Networks):
    """Leaves networks in one piece."""

    def __init__(self) -> None:
        super().__init__(Literals(), half=False)

    def blocks(
        self,
        body: Body,
        name: str,
        layers: Layers,
        activation: Activation,
        directions: Sequence[Expression],
        latent: Sequence[Expression],
    ) -> list[Expression]:
        """The last layer's numbers as `f32`s."""
        inputs = (*directions, *latent)
        whole = body.let(f"{name}_raw", Expression("network", "numbers", inputs, (layers, activation)))
        return [Expression("number", "f32", (whole,), index) for index in range(len(layers[-1][1]))]

    def linear(self, body: Body, name: str, weight: np.ndarray, inputs: Sequence[Expression]) -> list[Expression]:
        """weight `[out, in]` times the inputs, as `f32`s."""
        return self.blocks(body, name, ((weight, np.zeros(len(weight), np.float32)),), "relu", (), inputs)


class Graph:
    """One graph as it is written down; methods return names of tensors."""

    def __init__(self, program: Program) -> None:
        self._onnx = require()
        self._functions = {function.name: function for function in program.functions}
        self._program = program
        self._nodes: list[Any] = []
        self._constants: dict[bytes, str] = {}
        self._initializers: list[Any] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node."""
        name = f"n{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, values: Any, kind: str = "f4") -> str:
        """A constant, each value once."""
        array = np.asarray(values, kind)
        key = array.tobytes() + repr((array.shape, array.dtype)).encode()
        if key not in self._constants:
            self._constants[key] = f"c{len(self._constants)}"
            self._initializers.append(self._onnx.numpy_helper.from_array(array, self._constants[key]))
        return self._constants[key]

    def columns(self, tensor: str, begin: int, end: int) -> str:
        """Columns of a tensor `[n, width]`."""
        return self.add("Slice", tensor, *(self.constant([k], "i8") for k in (begin, end, 1)))

    def padded(self, tensor: str, width: int) -> str:
        """The tensor with columns of zeros behind it."""
        return self.add("Pad", tensor, self.constant([0, 0, 0, width], "i8")) if width else tensor

    def call(self, name: str, *arguments: Value) -> Value:
        """A function's result."""
        function = self._functions[name]
        parameters = (parameter for parameter, _ in function.parameters)
        return self._run(function, dict(zip(parameters, arguments, strict=True)))

    def model(self, name: str, inputs: Mapping[str, int], outputs: Mapping[str, tuple[str, int]]) -> bytes:
        """The file. inputs: name to width. outputs: name to tensor and width."""
        helper, kind = self._onnx.helper, self._onnx.TensorProto.FLOAT
        for output, (tensor, _) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [tensor], [output]))
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(key, kind, ["n", width]) for key, width in inputs.items()],
            [helper.make_tensor_value_info(key, kind, ["n", width]) for key, (_, width) in outputs.items()],
            self._initializers,
        )
        opset = helper.make_opsetid("", OPSET)
        made = helper.make_model(graph, opset_imports=[opset], ir_version=8, producer_name="verdigris")
        self._onnx.checker.check_model(made, full_check=True)
        return bytes(made.SerializeToString())

    def _run(self, function: Function, names: dict[str, Value]) -> Value:
        early: list[tuple[str, str]] = []
        for statement in function.body:
            if isinstance(statement, Let):
                names[statement.name] = self._value(statement.value, names)
                continue
            struct = self._program.struct(function.returns)
            if struct is not None and len(statement.values) > 1:
                fields = (field for field, _ in struct.fields)
                return {f: self._tensor(v, names) for f, v in zip(fields, statement.values, strict=True)}
            value = self._value(statement.values[0], names)
            if statement.condition is None:
                for condition, instead in reversed(early):
                    assert isinstance(value, str)
                    value = self.add("Where", condition, instead, value)
                return value
            assert isinstance(value, str)
            early.append((self._tensor(statement.condition, names), value))
        raise AssertionError(function.name)

    def _tensor(self, e: Expression, names: dict[str, Value]) -> str:
        value = self._value(e, names)
        assert isinstance(value, str)
        return value

    def _value(self, e: Expression, names: dict[str, Value]) -> Value:
        if e.op == "variable":
            return names[str(e.value)]
        if e.op == "literal":
            return self.constant([[e.value]])
        values = [self._value(argument, names) for argument in e.arguments]
        if e.op == "call":
            return self.call(str(e.value), *values)
        if e.op == "member" and isinstance(values[0], dict):
            return values[0][e.value]
        return self._operation(e, [str(value) for value in values])

    def _operation(self, e: Expression, values: list[str]) -> str:
        match e.op:
            case "member":
                begin = "xyzw".index(e.value[0])
                return self.columns(values[0], begin, begin + len(e.value))
            case "number":
                return self.columns(values[0], e.value, e.value + 1)
            case "network":
                return self._network(values, *e.value)
            case "negate":
                return self.add("Neg", values[0])
            case "select":
                return self.add("Where", *values)
            case "splat":
                return self.add("Mul", values[0], self.constant([[1.0] * WIDTHS[e.type]]))
            case "vector":
                return self._vector(values)
            case "builtin":
                return self._builtin(e, values)
        return self.add((OPERATORS | COMPARISONS)[e.op], *values)

    def _vector(self, parts: list[str]) -> str:
        """Parts side by side; constants of one row become as many rows as the others have."""
        constants = set(self._constants.values())
        rows = next((part for part in parts if part not in constants), None)
        if rows is None:
            return self.add("Concat", *parts, axis=1)
        zero = self.add("Mul", self.columns(rows, 0, 1), self.constant([[0.0]]))
        return self.add("Concat", *(self.add("Add", p, zero) if p in constants else p for p in parts), axis=1)

    def _builtin(self, e: Expression, values: list[str]) -> str:
        match e.value:
            case "dot":
                return self._sum(self.add("Mul", *values))
            case "length":
                return self.add("Sqrt", self._sum(self.add("Mul", values[0], values[0])))
            case "clamp":
                return self.add("Max", self.add("Min", values[0], values[2]), values[1])
            case "cross":
                a, b = ([self.columns(v, k, k + 1) for k in range(3)] for v in values)
                parts = [
                    self.add("Sub", self.add("Mul", a[i], b[j]), self.add("Mul", a[j], b[i]))
                    for i, j in ((1, 2), (2, 0), (0, 1))
                ]
                return self.add("Concat", *parts, axis=1)
        return self.add(BUILTINS[e.value], *values)

    def _sum(self, tensor: str) -> str:
        return self.add("ReduceSum", tensor, self.constant([1], "i8"), keepdims=1)

    def _network(self, inputs: list[str], layers: Layers, activation: Activation) -> str:
        x = self._vector(inputs)
        for index, (weight, bias) in enumerate(layers):
            if index == 0:
                # Inputs come in fours, filled up with zeros.
                weight = np.pad(weight, ((0, 0), (0, BLOCK * len(inputs) - weight.shape[1])))
            x = self.add("Gemm", x, self.constant(weight), self.constant(bias), transB=1)
            if index < len(layers) - 1:
                x = self._activate(activation, x)
        return x

    def _activate(self, kind: Activation, x: str) -> str:
        if kind == "relu":
            return self.add("Relu", x)
        if kind == "leaky_relu":
            return self.add("LeakyRelu", x, alpha=LEAK)
        inner = self.add("Clip", x, self.constant(-SMELU_BETA), self.constant(SMELU_BETA))
        bend = self.add("Add", inner, self.constant(SMELU_BETA))
        arc = self.add("Mul", self.add("Mul", bend, bend), self.constant(0.25 / SMELU_BETA))
        above = self.add("Add", arc, self.add("Relu", self.add("Sub", x, inner)))
        return self.add("Add", self.add("Mul", x, self.constant(LEAK)), self.add("Mul", above, self.constant(1 - LEAK)))
