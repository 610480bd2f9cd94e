"""Channels: taking apart, putting together, converting between types."""

from __future__ import annotations

from typing import Any

from verdigris.errors import GraphError
from verdigris.materials.graph import WIDTHS
from verdigris.materials.nodes.registry import Call, parts, pattern, vector_type


@pattern("combine2", "combine3", "combine4")
def combine(call: Call) -> Any:
    """Channels of the inputs in order (a colour and a float make a colour with alpha)."""
    names = sorted(name for name in call.values if name.startswith("in"))
    channels = [part for name in names for part in parts(call[name])]
    return vector_type(call.mi, WIDTHS[call.node.type])(*channels)


@pattern("extract")
def extract(call: Call) -> Any:
    """One channel of a colour or vector, one row of a matrix."""
    index, channels = int(call.uniform("index", 0)), parts(call["in"])  # type: ignore[arg-type]
    if not 0 <= index < len(channels):
        raise GraphError(f"{call.node.path}: input 'index': expected 0 to {len(channels) - 1}, got {index}")
    return channels[index]


@pattern("convert")
def convert(call: Call) -> Any:
    """Between types: a scalar fills all channels, missing channels are 0, a missing fourth 1, surplus ones go."""
    mi, value = call.mi, call["in"]
    if call.node.type == "boolean":
        return mi.Bool(parts(value)[0] != 0)
    channels = [call.dr.select(part, mi.Float(1), 0) if _is_boolean(mi, part) else part for part in parts(value)]
    width = WIDTHS.get(call.node.type)
    if width is None:
        return mi.Int(channels[0])
    channels = [mi.Float(part) for part in channels]
    if len(channels) == 1:
        channels = channels * width
    missing = [mi.Float(0)] * max(0, width - len(channels))
    if missing and width == 4:
        missing[-1] = mi.Float(1)
    return vector_type(mi, width)(*[*channels, *missing][:width])


def _is_boolean(mi: Any, value: Any) -> bool:
    return isinstance(value, bool | mi.Bool)
