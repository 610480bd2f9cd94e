"""What a surface says beside its reflection: the light it emits, and where it is cut out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verdigris.errors import GraphError
from verdigris.materials.graph import Constant, Graph, Input, Node, Port
from verdigris.materials.nodes.registry import to_drjit

EMITTERS = frozenset({"uniform_edf", "conical_edf", "measured_edf", "generalized_schlick_edf"})
"""Primitive emission distributions by MaterialX category."""


@dataclass(frozen=True)
class Factor:
    """A value that scales an emission, or 1 minus it."""

    value: Input
    complement: bool = False


@dataclass(frozen=True)
class Term:
    """One emission distribution, and all that scales it on its way to the surface."""

    node: Node
    factors: tuple[Factor, ...]


@dataclass(frozen=True)
class Signals:
    """Emission as a sum of terms, and opacity. notes: what is approximated, a line each that names the node."""

    terms: tuple[Term, ...]
    opacity: Input
    notes: tuple[str, ...]

    def ports(self) -> list[Port]:
        """Every varying value that the signals read, once each."""
        inputs = [factor.value for term in self.terms for factor in term.factors]
        inputs += [term.node.inputs["color"] for term in self.terms] + [self.opacity]
        return list(dict.fromkeys(value for value in inputs if isinstance(value, Port)))

    @property
    def cuts_out(self) -> bool:
        """Whether the surface can be anything but opaque."""
        return not (isinstance(self.opacity, Constant) and self.opacity.value == 1)

    def emission_dr(self, mi: Any, values: Mapping[Port, Any]) -> Any:
        """The sum of the terms, `Color3f`, given the values of the ports."""
        total = mi.Color3f(0)
        for term in self.terms:
            value = mi.Color3f(_value(mi, term.node.inputs["color"], values))
            for factor in term.factors:
                scale = mi.Color3f(_value(mi, factor.value, values))
                value = value * (1 - scale if factor.complement else scale)
            total = total + value
        return total

    def opacity_dr(self, mi: Any, values: Mapping[Port, Any]) -> Any:
        """Opacity, `Float` in 0..1, given the values of the ports."""
        import drjit as dr

        return dr.clip(mi.Float(_value(mi, self.opacity, values)), 0, 1)


def build_signals(graph: Graph) -> Signals:
    """The signals of a folded graph, without terms that constants make black.

    Raises GraphError naming the node of an emission distribution that contributes and is not supported.
    """
    terms: list[Term] = []
    notes: list[str] = []
    edf = graph.root.inputs.get("edf")
    pending: list[tuple[Input | None, tuple[Factor, ...]]] = [(edf, ())]
    while pending:
        port, factors = pending.pop(0)
        if not isinstance(port, Port) or any(_is(f.value, 1 if f.complement else 0) for f in factors):
            continue
        node = graph.nodes[port.node]
        inputs = node.inputs
        if node.category == "mix":
            amount = inputs["mix"]
            pending.append((inputs.get("fg"), (*factors, Factor(amount))))
            pending.append((inputs.get("bg"), (*factors, Factor(amount, complement=True))))
        elif node.category == "add":
            pending += [(inputs.get("in1"), factors), (inputs.get("in2"), factors)]
        elif node.category == "multiply":
            pending.append((inputs.get("in1"), (*factors, Factor(inputs["in2"]))))
        elif node.category == "generalized_schlick_edf":
            notes.append(f"{node.path}: its dependence on the angle is left out: the emission along the normal is used")
            pending.append((inputs.get("base"), (*factors, Factor(inputs["color0"]))))
        elif node.category in EMITTERS:
            terms.append(Term(node, factors))
            if node.category != "uniform_edf":
                notes.append(f"{node.path}: its profile is left out: the emission along the normal is used")
        else:
            raise GraphError(f"{node.path}: emission '{node.category}' is not supported")
    lit = tuple(term for term in terms if not _is(term.node.inputs["color"], 0))
    return Signals(lit, graph.root.inputs.get("opacity", Constant("float", 1.0)), tuple(notes) if lit else ())


def _is(value: Input, number: float) -> bool:
    got = value.value if isinstance(value, Constant) else None
    return all(x == number for x in got) if isinstance(got, tuple) else got == number


def _value(mi: Any, value: Input, values: Mapping[Port, Any]) -> Any:
    return values[value] if isinstance(value, Port) else to_drjit(mi, value.type, value.value)
