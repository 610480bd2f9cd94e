"""Networks as cooperative vectors in Slang: hidden layers in half precision, on hardware that multiplies matrices.

Matrices lie row by row in one buffer of halves, each row filled up with zeros to a multiple of 16 numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from verdigris.conventions import Array
from verdigris.export.assemble import program_of
from verdigris.export.expression import Expression, call, field
from verdigris.export.networks import Networks
from verdigris.export.program import Body, Program
from verdigris.export.surface import Surface
from verdigris.export.weights import BLOCK, Literals
from verdigris.model.auxiliary import Layers
from verdigris.model.config import Activation
from verdigris.model.decoder import LEAK, SMELU_BETA
from verdigris.model.neural import NeuralMaterial

DEFINE = "COOPERATIVE"
"""Behind the prefix, in capitals: the name that chooses this variant."""

ALIGNMENT, COLUMNS = 64, 16
"""Bytes that a matrix or bias begins at a multiple of; numbers that a row holds a multiple of."""

BUFFER = """\
[[vk::binding({slot}, {space})]] ByteAddressBuffer {p}_matrices : register(t{slot}, space{space});"""

LAYER = """\
  CoopVec<half, {rows}> y{index} = coopVecMatMulAdd<half, {rows}, {columns}>({x}, CoopVecComponentType::Float16,
    {p}_matrices, {matrix}, CoopVecComponentType::Float16, {p}_matrices, {bias}, CoopVecComponentType::Float16,
    CoopVecMatrixLayout::RowMajor, false, {stride});"""

ACTIVATIONS: dict[Activation, str] = {
    "relu": "  {y} = max({y}, {kind}(half(0)));",
    "leaky_relu": f"  {{y}} = max({{y}}, {{y}} * {{kind}}(half({LEAK})));",
    "leaky_smelu": f"""\
  {{kind}} {{y}}_inner = clamp({{y}}, {{kind}}(half({-SMELU_BETA})), {{kind}}(half({SMELU_BETA})));
  {{kind}} {{y}}_bend = {{y}}_inner + {{kind}}(half({SMELU_BETA}));
  {{kind}} {{y}}_ramp = {{y}}_bend * {{y}}_bend * {{kind}}(half({0.25 / SMELU_BETA})) +
    max({{y}} - {{y}}_inner, {{kind}}(half(0)));
  {{y}} = {{y}} * {{kind}}(half({LEAK})) + {{y}}_ramp * {{kind}}(half({1 - LEAK}));""",
}
"""By kind, of a vector y of that type."""


class CooperativeNetworks(Networks):
    """Emits calls of functions that it collects, with the matrices that they read."""

    def __init__(self, prefix: str) -> None:
        """prefix: of all names."""
        super().__init__(Literals(), half=False)
        self._prefix = prefix
        self._matrices = bytearray()
        self._functions: list[str] = []

    @property
    def matrices(self) -> bytes:
        """The buffer."""
        return bytes(self._matrices)

    @property
    def functions(self) -> str:
        """The functions' text in Slang."""
        return "\n\n".join(self._functions)

    def blocks(
        self,
        body: Body,
        name: str,
        layers: Layers,
        activation: Activation,
        directions: Sequence[Expression],
        latent: Sequence[Expression],
    ) -> list[Expression]:
        """The last layer's numbers as `f32`s; that layer is of single precision."""
        index = len(self._functions)
        self._functions.append(self._function(index, layers[:-1], activation, len(directions), len(latent)))
        made = call(f"{self._prefix}_hidden{index}", self._struct(index), *directions, *latent)
        hidden = body.let(f"{name}_hidden", made)
        blocks = -(-len(layers[-2][1]) // BLOCK)
        return self.last(body, name, layers[-1], [field(hidden, f"y{k}", "vec4f") for k in range(blocks)])

    def _struct(self, index: int) -> str:
        return f"{self._prefix.capitalize()}Hidden{index}"

    def _function(self, index: int, layers: Layers, activation: Activation, directions: int, latent: int) -> str:
        """Hidden layers of a network. Directions come twice: as halves, and what these leave of them."""
        numbers = [f"x{part}.{axis}" for part in range(directions + latent) for axis in "xyzw"]
        rest = list(range(BLOCK * directions))
        (weight, bias), *behind = layers
        weight = np.pad(weight, ((0, 0), (0, len(numbers) - weight.shape[1])))
        weight = np.concatenate([weight, weight[:, rest]], axis=1)
        columns = weight.shape[1] + -weight.shape[1] % COLUMNS
        lines = [f"  CoopVec<half, {columns}> x = CoopVec<half, {columns}>(half(0));"]
        lines += [f"  x[{k}] = half({number});" for k, number in enumerate(numbers)]
        lines += [f"  x[{len(numbers) + k}] = half({numbers[k]} - float(x[{k}]));" for k in rest]
        x = "x"
        for layer, (w, b) in enumerate([(weight, bias), *behind]):
            lines += self._layer(layer, w, b, x)
            x, kind = f"y{layer}", f"CoopVec<half, {_filled(len(b))}>"
            lines.append(ACTIVATIONS[activation].format(y=x, kind=kind))
        width = -(-len(layers[-1][1]) // BLOCK)
        parts = [", ".join(f"float({x}[{BLOCK * k + j}])" for j in range(BLOCK)) for k in range(width)]
        lines += [f"  made.y{k} = float4({part});" for k, part in enumerate(parts)]
        struct = self._struct(index)
        fields = "\n".join(f"  float4 y{k};" for k in range(width))
        parameters = ", ".join(f"float4 x{part}" for part in range(directions + latent))
        opened = f"{struct} {self._prefix}_hidden{index}({parameters})\n{{\n  {struct} made;"
        return "\n".join([f"struct {struct}\n{{\n{fields}\n}};\n", opened, *lines, "  return made;\n}"])

    def _layer(self, index: int, weight: Array, bias: Array, x: str) -> list[str]:
        rows, columns = _filled(len(bias)), weight.shape[1] + -weight.shape[1] % COLUMNS
        filled = np.pad(weight, ((0, rows - len(weight)), (0, columns - weight.shape[1])))
        places = [self._place(filled), self._place(np.pad(bias, (0, rows - len(bias))))]
        return [
            LAYER.format(
                index=index, p=self._prefix, rows=rows, columns=columns, x=x, matrix=places[0], bias=places[1],
                stride=2 * columns,
            )
        ]  # fmt: skip

    def _place(self, numbers: Array) -> int:
        """Where these numbers begin in the buffer."""
        start = len(self._matrices)
        self._matrices += numbers.astype("<f2").tobytes()
        self._matrices += bytes(-len(self._matrices) % ALIGNMENT)
        return start


def _filled(width: int) -> int:
    """Numbers of a hidden layer: they are columns of the next."""
    return width + -width % COLUMNS


def variant(
    material: NeuralMaterial, prefix: str = "vd", *, stored: bool = False, coded: bool = False
) -> tuple[Program, CooperativeNetworks]:
    """The program whose networks are cooperative, with the networks' text and matrices; arguments as of `assemble`."""
    networks = CooperativeNetworks(prefix)
    return program_of(Surface(material, prefix, stored, coded), networks), networks


def matrices(material: NeuralMaterial) -> bytes:
    """What `PREFIX_matrices` reads."""
    return variant(material)[1].matrices
