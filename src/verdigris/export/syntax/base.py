"""How programs become text; a language overrides what it spells in its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from verdigris.export.expression import Expression
from verdigris.export.program import Constant, Function, Let, Program, Return, Struct

LOOSE, OR, COMPARE, ADD, MULTIPLY, UNARY, TIGHT = range(7)
"""How tightly an operation binds."""

BINDING = {"+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY, "<": COMPARE, ">": COMPARE, "<=": COMPARE, ">=": COMPARE}

C_TYPES = {"f32": "float", "u32": "uint", "bool": "bool"}
"""Scalars of every language with C's spelling."""


def shortest(value: float) -> str:
    """The shortest decimal that single precision reads back as this number, `.5` and `0.` for 0.5 and 0.

    Beyond six digits before the point, or four zeros behind it, with an exponent.
    """
    number = np.float32(value)
    if number == 0:
        return "0."
    if 1e-4 <= abs(number) < 1e6:
        text = str(np.format_float_positional(number, unique=True, trim="."))
        return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
    return str(np.format_float_scientific(number, unique=True, trim="-", exp_digits=1)).replace("e+", "e")


@dataclass(frozen=True)
class Other:
    """A variant that a definition chooses. program: the same functions in the same order, some with other bodies.
    preamble: what it needs beside."""

    define: str
    program: Program
    preamble: str


def switched(define: str, chosen: str, otherwise: str = "") -> str:
    """A text where a name is defined, another where it is not."""
    if chosen == otherwise:
        return chosen
    return f"#ifdef {define}\n{chosen}\n" + (f"#else\n{otherwise}\n" if otherwise else "") + "#endif"


class Syntax:
    """A language with C's way to write functions."""

    def __init__(
        self,
        types: Mapping[str, str],
        constant: str = "const",
        prefix: str = "",
        latents: Mapping[str, str] | None = None,
    ) -> None:
        """types: the language's names of the program's types. constant: what declares one.

        latents: names and types of what `PREFIX_fetch` takes first, and hands on to `PREFIX_texel`, where the latents
        are no global of the module.
        """
        self._types, self._constant = types, constant
        self._prefix, self._latents = prefix, dict(latents or {})

    def module(self, program: Program, preamble: str, other: Other | None = None) -> str:
        """The text: constants, structs, the target's own lines, functions. other: another variant of functions."""
        texts = [self.function(function, program) for function in program.functions]
        if other is not None:
            others = (self.function(function, other.program) for function in other.program.functions)
            texts = [switched(other.define, *pair) for pair in zip(others, texts, strict=True)]
        parts = [
            "\n".join(self.constant_line(constant) for constant in program.constants),
            *(self.struct(struct) for struct in program.structs),
            preamble.strip(),
            *([switched(other.define, other.preamble)] if other is not None else []),
            *texts,
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def type(self, name: str) -> str:
        """A type's name; a struct's is its own."""
        return self._types.get(name, name)

    def number(self, value: float) -> str:
        """A literal of single precision."""
        return shortest(value)

    def constant_line(self, constant: Constant) -> str:
        """A constant of the module."""
        kind = "bool" if isinstance(constant.value, bool) else "u32"
        return f"{self._constant} {self.type(kind)} {constant.name} = {self.literal(constant.value, kind)};"

    def struct(self, struct: Struct) -> str:
        """A struct's definition."""
        lines = [f"  {self.type(kind)} {name};" for name, kind in struct.fields]
        return "\n".join([f"// {struct.note}", f"struct {struct.name} {{", *lines, "};"])

    def function(self, function: Function, program: Program) -> str:
        """A function's definition."""
        lines = [f"// {function.note}"] if function.note else []
        lines.append(f"{self.signature(function)} {{")
        struct = program.struct(function.returns)
        for statement in function.body:
            if isinstance(statement, Let):
                lines.append(f"  {self.let(statement)}")
            else:
                lines += [f"  {line}" for line in self.give(statement, struct)]
        return "\n".join([*lines, "}"])

    def signature(self, function: Function) -> str:
        """The line that opens a function."""
        return f"{self.type(function.returns)} {function.name}({', '.join(self.parameters(function))})"

    def parameters(self, function: Function) -> list[str]:
        """A function's parameters."""
        taken = self._latents if function.name == f"{self._prefix}_fetch" else {}
        own = [self.parameter(name, self.type(kind), function) for name, kind in function.parameters]
        return [*(self.parameter(name, kind, None) for name, kind in taken.items()), *own]

    def parameter(self, name: str, kind: str, function: Function | None) -> str:
        """A parameter of that type of the language; function: whose own it is, None for the latents."""
        return f"{kind} {name}"

    def let(self, statement: Let) -> str:
        """A local variable."""
        return f"{self.type(statement.value.type)} {statement.name} = {self.text(statement.value)};"

    def give(self, statement: Return, struct: Struct | None) -> Sequence[str]:
        """A return."""
        value = self.made(struct, statement.values) if struct and len(statement.values) > 1 else ""
        line = f"return {value or self.text(statement.values[0])};"
        return [line if statement.condition is None else f"if ({self.text(statement.condition)}) {{ {line} }}"]

    def made(self, struct: Struct, values: Sequence[Expression]) -> str:
        """A struct's value."""
        return f"{struct.name}({', '.join(map(self.text, values))})"

    def literal(self, value: float | int | bool, kind: str) -> str:
        """A number."""
        if kind == "bool":
            return "true" if value else "false"
        return f"{value}u" if kind == "u32" else self.number(float(value))

    def text(self, expression: Expression, least: int = LOOSE) -> str:
        """An expression, in brackets where it binds less tightly than asked."""
        tight, text = self._bound(expression)
        return f"({text})" if tight < least else text

    def _bound(self, e: Expression) -> tuple[int, str]:
        """How tightly the text binds, and the text."""
        if e.op in BINDING:
            binding = BINDING[e.op]
            left, right = self.text(e.arguments[0], binding), self.text(e.arguments[1], binding + 1)
            return binding, f"{left} {e.op} {right}"
        if e.op == "or":
            return OR, " || ".join(self.text(a, COMPARE) for a in e.arguments)
        if e.op == "negate":
            return UNARY, f"-{self.text(e.arguments[0], TIGHT)}"
        if e.op == "literal":
            return UNARY if e.value < 0 else TIGHT, self.literal(e.value, e.type)
        return TIGHT, self._primary(e)

    def _primary(self, e: Expression) -> str:
        match e.op:
            case "variable":
                return str(e.value)
            case "member":
                return f"{self.text(e.arguments[0], TIGHT)}.{e.value}"
            case "call":
                handed = self._latents if e.value == f"{self._prefix}_texel" else {}
                return f"{e.value}({', '.join([*handed, *map(self.text, e.arguments)])})"
            case "vector":
                return f"{self.type(e.type)}({self._list(e)})"
            case "shift":
                return f"({self.text(e.arguments[0], TIGHT)} >> {self.text(e.arguments[1], TIGHT)})"
        return self.special(e)

    def special(self, e: Expression) -> str:
        """What languages spell most differently."""
        match e.op:
            case "builtin":
                return f"{e.value}({self._list(e)})"
            case "splat":
                return f"{self.type(e.type)}({self.text(e.arguments[0])})"
            case "convert":
                return f"{self.type(e.type)}({self.text(e.arguments[0])})"
            case "select":
                return "({} ? {} : {})".format(*(self.text(a, COMPARE) for a in e.arguments))
            case "matrix":
                return f"{self.type(e.type)}({','.join(map(self.number, e.value))})"
            case "matvec":
                return self.product(*e.arguments)
        raise AssertionError(e.op)

    def product(self, matrix: Expression, x: Expression) -> str:
        """A matrix, whose literals stand column by column, times a vector."""
        return f"{self.text(matrix, MULTIPLY)} * {self.text(x, UNARY)}"

    def _list(self, e: Expression) -> str:
        return ", ".join(self.text(a) for a in e.arguments)
