"""A program without a language: constants, structs and straight-line functions that a syntax prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from verdigris.export.expression import Expression, variable

Field = tuple[str, str]
"""Name and type."""


@dataclass(frozen=True)
class Constant:
    """A number that callers may want: `u32` or `bool`."""

    name: str
    value: int | bool


@dataclass(frozen=True)
class Struct:
    """fields: (name, type), in order. note: one line for readers."""

    name: str
    fields: tuple[Field, ...]
    note: str


@dataclass(frozen=True)
class Let:
    """A local variable that never changes."""

    name: str
    value: Expression


@dataclass(frozen=True)
class Return:
    """The end of a function, where `condition` holds if there is one. values: one, or those of a struct's fields."""

    values: tuple[Expression, ...]
    condition: Expression | None = None


@dataclass(frozen=True)
class Function:
    """A pure function. note: one line for readers; without one it is no part of the interface."""

    name: str
    parameters: tuple[Field, ...]
    returns: str
    body: tuple[Let | Return, ...]
    note: str = ""

    def reads(self, name: str) -> bool:
        """Whether the body uses a variable."""
        return any(_reads(expression, name) for statement in self.body for expression in _expressions(statement))


def _expressions(statement: Let | Return) -> tuple[Expression, ...]:
    if isinstance(statement, Let):
        return (statement.value,)
    return statement.values if statement.condition is None else (*statement.values, statement.condition)


def _reads(expression: Expression, name: str) -> bool:
    if expression.op == "variable":
        return bool(expression.value == name)
    return any(_reads(argument, name) for argument in expression.arguments)


@dataclass(frozen=True)
class Program:
    """Everything of a module but what a target adds: each definition comes before its first use."""

    prefix: str
    constants: tuple[Constant, ...]
    structs: tuple[Struct, ...]
    functions: tuple[Function, ...]

    def struct(self, name: str) -> Struct | None:
        """The struct of that name, if it is one."""
        return next((struct for struct in self.structs if struct.name == name), None)


@dataclass
class Body:
    """Statements of a function as they are written down."""

    statements: list[Let | Return] = field(default_factory=list)

    def let(self, name: str, value: Expression) -> Expression:
        """Names a value, and returns the variable."""
        self.statements.append(Let(name, value))
        return variable(name, value.type)

    def give(self, *values: Expression, condition: Expression | None = None) -> None:
        """Returns a value, or the fields of a struct; where `condition` holds, if there is one."""
        self.statements.append(Return(values, condition))

    def function(self, name: str, parameters: Sequence[Expression], returns: str, note: str = "") -> Function:
        """The function with these statements; parameters are variables."""
        pairs = tuple((str(parameter.value), parameter.type) for parameter in parameters)
        return Function(name, pairs, returns, tuple(self.statements), note)
