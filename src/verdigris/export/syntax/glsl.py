"""How GLSL spells a program, for WebGL2 (ES 3.00) as for desktops (4.50)."""

from __future__ import annotations

from verdigris.export.expression import Expression
from verdigris.export.syntax.base import C_TYPES, Syntax


class Glsl(Syntax):
    """GLSL; it has no numbers of half precision."""

    def __init__(self) -> None:
        vectors = {f"vec{n}f": f"vec{n}" for n in (2, 3, 4)}
        super().__init__({**C_TYPES, **vectors, "mat4": "mat4", "net4": "vec4", "netmat4": "mat4"})

    def special(self, e: Expression) -> str:
        """What GLSL spells in its own way."""
        if e.op == "packed":
            macro, pairs = e.value
            return f"{macro}({','.join(f'{pair}u' for pair in pairs)})"
        return super().special(e)
