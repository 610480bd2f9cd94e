"""How HLSL and Slang spell a program: one text is valid in both."""

from __future__ import annotations

from collections.abc import Sequence

from verdigris.export.expression import Expression
from verdigris.export.program import Return, Struct
from verdigris.export.syntax.base import C_TYPES, Syntax


class Hlsl(Syntax):
    """HLSL of shader model 6 (6.2 with half precision), and Slang."""

    def __init__(self, half: bool) -> None:
        """half: a network's vectors are of `half`."""
        vectors = {f"vec{n}f": f"float{n}" for n in (2, 3, 4)}
        networks = ("half4", "half4x4") if half else ("float4", "float4x4")
        types = {**C_TYPES, **vectors, "mat4": "float4x4", "net4": networks[0], "netmat4": networks[1]}
        super().__init__(types, "static const")

    def give(self, statement: Return, struct: Struct | None) -> Sequence[str]:
        """A return; a struct's fields are listed in a variable."""
        if struct is None or len(statement.values) == 1:
            return super().give(statement, struct)
        fields = ", ".join(map(self.text, statement.values))
        return [f"{struct.name} made = {{ {fields} }};", "return made;"]

    def special(self, e: Expression) -> str:
        """What HLSL spells in its own way."""
        if e.op == "splat":
            return f"(({self.type(e.type)}){self.text(e.arguments[0])})"
        return super().special(e)

    def product(self, matrix: Expression, x: Expression) -> str:
        """A matrix of columns, which HLSL takes for rows, behind the vector."""
        return f"mul({self.text(x)}, {self.text(matrix)})"
