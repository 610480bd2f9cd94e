"""Comparisons and logic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verdigris.materials.nodes.registry import Call, pattern


def _compare(category: str, function: Callable[[Any, Any], Any]) -> None:
    """`in1` where the comparison of `value1` and `value2` holds, else `in2`; the comparison itself if boolean."""

    def evaluate(call: Call) -> Any:
        holds = function(call["value1"], call["value2"])
        return holds if "in1" not in call.values else call.dr.select(holds, call["in1"], call["in2"])

    pattern(category)(evaluate)


_compare("ifgreater", lambda a, b: a > b)
_compare("ifgreatereq", lambda a, b: a >= b)
_compare("ifequal", lambda a, b: a == b)
pattern("and")(lambda call: call["in1"] & call["in2"])
pattern("or")(lambda call: call["in1"] | call["in2"])
pattern("not")(lambda call: ~call["in"])
