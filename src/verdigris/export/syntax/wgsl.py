"""How WGSL spells a program."""

from __future__ import annotations

from collections.abc import Mapping

from verdigris.export.expression import Expression
from verdigris.export.program import Constant, Function, Let, Struct
from verdigris.export.syntax.base import Syntax


class Wgsl(Syntax):
    """WGSL, whose names the program's types have already."""

    def __init__(self, half: bool, prefix: str = "", latents: Mapping[str, str] | None = None) -> None:
        """half: a network's vectors are of `f16`. prefix, latents: see `Syntax`."""
        networks = {"net4": "vec4h", "netmat4": "mat4x4h"} if half else {"net4": "vec4f", "netmat4": "mat4x4f"}
        super().__init__({"mat4": "mat4x4f", **networks}, prefix=prefix, latents=latents)

    def constant_line(self, constant: Constant) -> str:
        """A constant of the module."""
        kind = "bool" if isinstance(constant.value, bool) else "u32"
        return f"const {constant.name}: {kind} = {self.literal(constant.value, kind)};"

    def struct(self, struct: Struct) -> str:
        """A struct's definition."""
        lines = [f"  {name}: {self.type(kind)}," for name, kind in struct.fields]
        return "\n".join([f"// {struct.note}", f"struct {struct.name} {{", *lines, "}"])

    def signature(self, function: Function) -> str:
        """The line that opens a function."""
        return f"fn {function.name}({', '.join(self.parameters(function))}) -> {self.type(function.returns)}"

    def parameter(self, name: str, kind: str, function: Function | None) -> str:
        """A parameter."""
        return f"{name}: {kind}"

    def let(self, statement: Let) -> str:
        """A local variable."""
        return f"let {statement.name} = {self.text(statement.value)};"

    def special(self, e: Expression) -> str:
        """What WGSL spells in its own way."""
        if e.op == "select":
            condition, yes, no = (self.text(a) for a in e.arguments)
            return f"select({no}, {yes}, {condition})"
        return super().special(e)
