"""Compositing: blends of a foreground over a background, alpha operators, masks (MaterialX 1.39, compositing nodes).

Every operator is weighted against the background by `mix`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verdigris.materials.nodes.registry import Call, parts, pattern, vector_type

_SMALL = 1e-8
"""Below this a divisor counts as 0."""


def _blend(category: str, function: Callable[[Any, Any, Any], Any]) -> None:
    def evaluate(call: Call) -> Any:
        amount, bg = call["mix"], call["bg"]
        return function(call.dr, call["fg"], bg) * amount + bg * (1 - amount)

    pattern(category)(evaluate)


for _name, _function in {
    "plus": lambda dr, fg, bg: bg + fg,
    "minus": lambda dr, fg, bg: bg - fg,
    "difference": lambda dr, fg, bg: dr.abs(bg - fg),
    "screen": lambda dr, fg, bg: 1 - (1 - fg) * (1 - bg),
    "in": lambda dr, fg, bg: fg * bg.w,
    "mask": lambda dr, fg, bg: bg * fg.w,
    "out": lambda dr, fg, bg: fg * (1 - bg.w),
    "over": lambda dr, fg, bg: fg + bg * (1 - fg.w),
}.items():
    _blend(_name, _function)


def _safe(dr: Any, value: Any) -> Any:
    return dr.select(dr.abs(value) < _SMALL, 1, value)


@pattern("burn")
def burn(call: Call) -> Any:
    """1 - (1 - bg) / fg; 0 where fg is 0, whatever `mix`."""
    dr, fg, bg, amount = call.dr, call["fg"], call["bg"], call["mix"]
    value = (1 - (1 - bg) / _safe(dr, fg)) * amount + bg * (1 - amount)
    return dr.select(dr.abs(fg) < _SMALL, 0, value)


@pattern("dodge")
def dodge(call: Call) -> Any:
    """bg / (1 - fg); 0 where fg is 1, whatever `mix`."""
    dr, rest, bg, amount = call.dr, 1 - call["fg"], call["bg"], call["mix"]
    value = bg / _safe(dr, rest) * amount + bg * (1 - amount)
    return dr.select(dr.abs(rest) < _SMALL, 0, value)


@pattern("matte")
def matte(call: Call) -> Any:
    """Foreground, not yet multiplied by its alpha, over the background."""
    fg, bg, amount = call["fg"], call["bg"], call["mix"]
    alpha = fg.w
    rgb = [f * alpha + b * (1 - alpha) for f, b in zip(list(fg)[:3], list(bg)[:3], strict=True)]
    return call.mi.Vector4f(*rgb, alpha + bg.w * (1 - alpha)) * amount + bg * (1 - amount)


@pattern("disjointover")
def disjointover(call: Call) -> Any:
    """Foreground over a background that it does not cover as far as their alphas allow."""
    dr, fg, bg, amount = call.dr, call["fg"], call["bg"], call["mix"]
    total = fg.w + bg.w
    empty = dr.abs(bg.w) < _SMALL
    share = dr.select(total <= 1, 1, (1 - fg.w) / _safe(dr, bg.w))
    rgb = [f + b * share for f, b in zip(list(fg)[:3], list(bg)[:3], strict=True)]
    rgb = [dr.select((total > 1) & empty, 0, c) for c in rgb]
    return call.mi.Vector4f(*rgb, dr.minimum(total, 1)) * amount + bg * (1 - amount)


@pattern("premult")
def premult(call: Call) -> Any:
    """Colour times alpha."""
    r, g, b, alpha = parts(call["in"])
    return vector_type(call.mi, 4)(r * alpha, g * alpha, b * alpha, alpha)


@pattern("unpremult")
def unpremult(call: Call) -> Any:
    """Colour divided by alpha; unchanged where alpha is 0 (MaterialX's GLSL divides by it)."""
    r, g, b, alpha = parts(call["in"])
    divisor = call.dr.select(alpha == 0, 1, alpha)
    return vector_type(call.mi, 4)(r / divisor, g / divisor, b / divisor, alpha)


pattern("inside")(lambda call: call["in"] * call["mask"])
pattern("outside")(lambda call: call["in"] * (1 - call["mask"]))
