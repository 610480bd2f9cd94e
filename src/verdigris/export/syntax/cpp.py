"""How C++ and CUDA spell a program: vectors and their functions come with the target's own lines, in a namespace."""

from __future__ import annotations

from collections.abc import Sequence

from verdigris.export.expression import WIDTHS, Expression
from verdigris.export.program import Function, Return, Struct
from verdigris.export.syntax.base import C_TYPES, Syntax


class Cpp(Syntax):
    """C++11, and so CUDA. `fetch` takes the latents first."""

    def __init__(self, prefix: str) -> None:
        """prefix: of all names."""
        self._space = f"{prefix}_math"
        vectors = {name: f"{self._space}::Vec{width}" for name, width in WIDTHS.items()}
        matrix = f"{self._space}::Mat4"
        types = {**C_TYPES, "u32": "unsigned", **vectors, "mat4": matrix, "netmat4": matrix}
        super().__init__(types, "constexpr", prefix, {"latents": f"const {self._space}::Half*"})

    def number(self, value: float) -> str:
        """A literal of single precision."""
        return f"{super().number(value)}f"

    def signature(self, function: Function) -> str:
        """The line that opens a function."""
        return f"{self._prefix.upper()}_FUNCTION {super().signature(function)}"

    def parameter(self, name: str, kind: str, function: Function | None) -> str:
        """A parameter, without a name where nothing reads it."""
        read = function is None or function.reads(name)
        return f"{kind} {name}" if read else kind

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
        return super()._primary(e)
