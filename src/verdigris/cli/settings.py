"""What a user writes as text that means a number: times, and the settings of a bake."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from verdigris.errors import BakeError

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
LONGEST = 1e9
NAMED = ("preset", "resolution", "latent_bits", "seed")
"""Settings with an option of their own."""


def duration(text: str) -> float:
    """Seconds of a time such as `90`, `120s`, `2m` or `1.5h`. Raises BakeError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
    if not 0.0 < seconds < LONGEST:
        raise BakeError(f"--time-budget: expected a time such as 90, 120s, 2m or 1h, got {text!r}")
    return seconds


def changes(texts: Sequence[str]) -> dict[str, Any]:
    """Fields of BakeConfig from `NAME=VALUE` texts; only numbers and names can be set so. Raises BakeError."""
    from verdigris.bake.config import BakeConfig

    default = BakeConfig()
    known = {field.name: type(getattr(default, field.name)) for field in fields(BakeConfig)}
    kinds = {name: kind for name, kind in known.items() if kind in (int, float, str) and name not in NAMED}
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in kinds:
            raise BakeError(f"--set: expected NAME=VALUE with a name of {', '.join(sorted(kinds))}, got {text!r}")
        try:
            found[name] = kinds[name](value)
        except ValueError as error:
            kind = "a whole number" if kinds[name] is int else "a number"
            raise BakeError(f"--set {name}: expected {kind}, got {value!r}") from error
    return found
