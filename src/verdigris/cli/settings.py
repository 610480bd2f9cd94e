"""What a user writes as text that means a number: times, and the settings of a bake."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import is_dataclass, replace
from typing import Any

from verdigris.errors import BakeError

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
LONGEST = 1e9
NAMED = ("preset", "resolution", "latent_bits", "seed")
"""Settings with an option of their own."""

SAMPLER = "sampler_"
"""Before the name of a setting of the sampler, whose `hidden` would be the decoder's."""


def duration(text: str) -> float:
    """Seconds of a time such as `90`, `120s`, `2m` or `1.5h`. Raises BakeError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
    if not 0.0 < seconds < LONGEST:
        raise BakeError(f"--time-budget: expected a time such as 90, 120s, 2m or 1h, got {text!r}")
    return seconds


def changes(texts: Sequence[str]) -> dict[str, Any]:
    """Fields of BakeConfig from `NAME=VALUE` texts; lists are written `16,16`.

    Names are fields of BakeConfig and, for its `model`, those of ModelConfig and DecoderConfig, and those of
    SamplerConfig with `sampler_` before them. Raises BakeError.
    """
    from verdigris.bake.config import BakeConfig
    from verdigris.model.config import DecoderConfig, ModelConfig, SamplerConfig

    bake, model, decoder, sampler = BakeConfig(), ModelConfig(), DecoderConfig(), SamplerConfig()
    known = {SAMPLER + name: value for name, value in vars(sampler).items()}
    known |= {name: value for part in (decoder, model, bake) for name, value in vars(part).items()}
    known = {name: value for name, value in known.items() if name not in NAMED and not is_dataclass(value)}
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            raise BakeError(f"--set: expected NAME=VALUE with a name of {', '.join(sorted(known))}, got {text!r}")
        found[name] = _parsed(name, value, known[name])
    try:
        decoder = replace(decoder, **{name: found.pop(name) for name in vars(decoder) if name in found})
        shape = {name: found.pop(SAMPLER + name) for name in vars(sampler) if SAMPLER + name in found}
        own = {name: found.pop(name) for name in vars(model) if name in found}
        model = replace(model, decoder=decoder, sampler=replace(sampler, **shape), **own)
    except ValueError as error:
        raise BakeError(f"--set: {str(error).removeprefix('decoder.').replace('sampler.', SAMPLER)}") from error
    return found if model == ModelConfig() else {**found, "model": model}


def _parsed(name: str, text: str, default: Any) -> Any:
    """A value of the type that the default has. Raises BakeError."""
    kind: Any = type(default)
    if kind is tuple:
        return tuple(_parsed(name, item.strip(), default[0]) for item in text.split(",") if item.strip())
    if kind is bool:
        if text not in ("true", "false"):
            raise BakeError(f"--set {name}: expected true or false, got {text!r}")
        return text == "true"
    try:
        return kind(text)
    except ValueError as error:
        what = "a whole number" if kind is int else "a number"
        raise BakeError(f"--set {name}: expected {what}, got {text!r}") from error
