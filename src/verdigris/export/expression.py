"""Typed expressions without a language: what the exported formulas are made of before a syntax prints them.

Types are named as in WGSL, so that there is one list of them: `f32`, `u32`, `bool`, `vec2f`, `vec3f`, `vec4f`, and
`mat4`, a 4 x 4 matrix that only multiplies a vector. `net4` and `netmat4` are the vectors and matrices of a network,
which a target may hold in half precision. Any other type is a struct of the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WIDTHS = {"vec2f": 2, "vec3f": 3, "vec4f": 4, "net4": 4}
"""Components of each vector type."""

VECTORS = {2: "vec2f", 3: "vec3f", 4: "vec4f"}

Number = float | int


@dataclass(frozen=True, eq=False)
class Expression:
    """One operation. op: its name, as syntaxes know it. type: of the result. value: what else it needs to be printed,
    such as the number of a literal or the name of a variable."""

    op: str
    type: str
    arguments: tuple[Expression, ...] = ()
    value: Any = None

    def __add__(self, other: Expression | Number) -> Expression:
        return self._binary("+", other)

    def __sub__(self, other: Expression | Number) -> Expression:
        return self._binary("-", other)

    def __mul__(self, other: Expression | Number) -> Expression:
        return self._binary("*", other)

    def __truediv__(self, other: Expression | Number) -> Expression:
        return self._binary("/", other)

    def __radd__(self, other: Number) -> Expression:
        return lift(other, self.scalar) + self

    def __rsub__(self, other: Number) -> Expression:
        return lift(other, self.scalar) - self

    def __rmul__(self, other: Number) -> Expression:
        return lift(other, self.scalar) * self

    def __rtruediv__(self, other: Number) -> Expression:
        return lift(other, self.scalar) / self

    def __neg__(self) -> Expression:
        return Expression("negate", self.type, (self,))

    def __lt__(self, other: Expression | Number) -> Expression:
        return self._compare("<", other)

    def __gt__(self, other: Expression | Number) -> Expression:
        return self._compare(">", other)

    def __ge__(self, other: Expression | Number) -> Expression:
        return self._compare(">=", other)

    def __le__(self, other: Expression | Number) -> Expression:
        return self._compare("<=", other)

    def __or__(self, other: Expression) -> Expression:
        return Expression("or", "bool", (self, other))

    def __getattr__(self, name: str) -> Expression:
        """A component, `v.x`, or two or three of them, `v.xy`."""
        if name.startswith("_") or self.type not in WIDTHS or set(name) - set("xyzw"):
            raise AttributeError(name)
        return Expression("member", "f32" if len(name) == 1 else VECTORS[len(name)], (self,), name)

    @property
    def scalar(self) -> str:
        """Type of the numbers in it."""
        return "u32" if self.type == "u32" else "f32"

    def _binary(self, op: str, other: Expression | Number) -> Expression:
        right = other if isinstance(other, Expression) else lift(other, self.scalar)
        wide = self if self.type in WIDTHS else right
        return Expression(op, wide.type, (self, right))

    def _compare(self, op: str, other: Expression | Number) -> Expression:
        right = other if isinstance(other, Expression) else lift(other, self.scalar)
        return Expression(op, "bool", (self, right))


def lift(value: Number, kind: str = "f32") -> Expression:
    """A literal."""
    return Expression("literal", kind, value=float(value) if kind == "f32" else int(value))


def variable(name: str, kind: str) -> Expression:
    """A parameter, local variable or constant."""
    return Expression("variable", kind, value=name)


def field(owner: Expression, name: str, kind: str) -> Expression:
    """A member of a struct."""
    return Expression("member", kind, (owner,), name)


def vector(*parts: Expression | Number, kind: str | None = None) -> Expression:
    """A vector of its components; one part fills all of `kind`."""
    lifted = tuple(part if isinstance(part, Expression) else lift(part) for part in parts)
    if len(lifted) == 1:
        assert kind is not None
        return Expression("splat", kind, lifted)
    width = sum(WIDTHS.get(part.type, 1) for part in lifted)
    return Expression("vector", kind or VECTORS[width], lifted)


def call(function: str, kind: str, *arguments: Expression | Number) -> Expression:
    """A call of a function of the program, or of a target's own lines."""
    return Expression("call", kind, tuple(a if isinstance(a, Expression) else lift(a) for a in arguments), function)


def _builtin(name: str, *arguments: Expression | Number, kind: str | None = None) -> Expression:
    """A function that every language has; numbers beside a vector become vectors."""
    first = next(a for a in arguments if isinstance(a, Expression))
    lifted = []
    for argument in arguments:
        if not isinstance(argument, Expression):
            argument = lift(argument, first.scalar)
            argument = vector(argument, kind=first.type) if first.type in WIDTHS else argument
        lifted.append(argument)
    return Expression("builtin", kind or first.type, tuple(lifted), name)


def minimum(a: Expression, b: Expression | Number) -> Expression:
    """The smaller, component by component."""
    return _builtin("min", a, b)


def maximum(a: Expression, b: Expression | Number) -> Expression:
    """The larger, component by component."""
    return _builtin("max", a, b)


def clip(x: Expression, low: Number, high: Number) -> Expression:
    """x held between two numbers."""
    return _builtin("clamp", x, low, high)


def absolute(x: Expression) -> Expression:
    """|x|."""
    return _builtin("abs", x)


def root(x: Expression) -> Expression:
    """Square root."""
    return _builtin("sqrt", x)


def exponential(x: Expression) -> Expression:
    """e^x."""
    return _builtin("exp", x)


def logarithm(x: Expression, base: int | None = None) -> Expression:
    """Natural logarithm, or that to base 2."""
    return _builtin("log2" if base == 2 else "log", x)


def floor(x: Expression) -> Expression:
    """The whole number below."""
    return _builtin("floor", x)


def cosine(x: Expression) -> Expression:
    """Cosine of an angle in radians."""
    return _builtin("cos", x)


def sine(x: Expression) -> Expression:
    """Sine of an angle in radians."""
    return _builtin("sin", x)


def dot(a: Expression, b: Expression) -> Expression:
    """Scalar product."""
    return _builtin("dot", a, b, kind="f32")


def cross(a: Expression, b: Expression) -> Expression:
    """Vector product."""
    return _builtin("cross", a, b)


def length(v: Expression) -> Expression:
    """Euclidean length."""
    return _builtin("length", v, kind="f32")


def choose(condition: Expression, yes: Expression, no: Expression) -> Expression:
    """One of two values of the same type."""
    return Expression("select", yes.type, (condition, yes, no))


def shift(value: Number, bits: Expression) -> Expression:
    """A whole number shifted right by a `u32`."""
    return Expression("shift", "u32", (lift(value, "u32"), bits))


def convert(x: Expression, kind: str) -> Expression:
    """A scalar as `f32` or `u32`, a network's vector as `vec4f` or the reverse."""
    return x if x.type == kind else Expression("convert", kind, (x,))
