"""How C++ and CUDA spell a program: vectors and their functions come with the target's own lines, in a namespace."""

from __future__ import annotations

from collections.abc import Sequence

from verdigris.export.expression import WIDTHS, Expression
from verdigris.export.program import Function, Return, Struct
from verdigris.export.syntax.base import C_TYPES, Syntax


class Cpp(Syntax):
    """C++11, and so CUDA. Functions that reach the latents take them as their first argument."""

    def __init__(self, prefix: str) -> None:
        """prefix: of all names."""
        self._prefix, self._space = prefix, f"{prefix}_math"
        vectors = {name: f"{self._space}::Vec{width}" for name, width in WIDTHS.items()}
        matrix = f"{self._space}::Mat4"
        super().__init__({**C_TYPES, "u32": "unsigned", **vectors, "mat4": matrix, "netmat4": matrix}, "constexpr")

    def number(self, value: float) -> str:
        """A literal of single precision."""
        return f"{super().number(value)}f"

    def signature(self, function: Function) -> str:
        """The line that opens a function."""
        named = [(kind, name if function.reads(name) else "") for name, kind in function.parameters]
        parameters = [f"{self.type(kind)} {name}".strip() for kind, name in named]
        if function.name == f"{self._prefix}_fetch":
            parameters.insert(0, f"const {self._space}::Half* latents")
        opened = f"{self.type(function.returns)} {function.name}({', '.join(parameters)})"
        return f"{self._prefix.upper()}_FUNCTION {opened}"

    def give(self, statement: Return, struct: Struct | None) -> Sequence[str]:
        """A return; structs are lists of their fields."""
        if struct is None or len(statement.values) == 1:
            return super().give(statement, struct)
        return [f"return {{{', '.join(map(self.text, statement.values))}}};"]

    def special(self, e: Expression) -> str:
        """What C++ spells in its own way."""
        if e.op == "builtin":
            return f"{self._space}::{e.value}({self._list(e)})"
        return super().special(e)

    def _primary(self, e: Expression) -> str:
        if e.op == "member" and len(e.value) > 1 and e.type in WIDTHS and e.arguments[0].type in WIDTHS:
            return f"{super()._primary(e)}()"
        if e.op == "call" and e.value == f"{self._prefix}_texel":
            return f"{e.value}(latents, {self._list(e)})"
        return super()._primary(e)
