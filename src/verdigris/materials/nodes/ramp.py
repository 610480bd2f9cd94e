"""Ramps and splits along an axis of the texture coordinates; the other ramps and shapes are graphs of the library."""

from __future__ import annotations

from typing import Any

from verdigris.materials.nodes.registry import Call, pattern


def _mix(a: Any, b: Any, amount: Any) -> Any:
    return a * (1 - amount) + b * amount


@pattern("ramplr")
def ramplr(call: Call) -> Any:
    """`valuel` at u = 0 to `valuer` at u = 1, constant beyond."""
    return _mix(call["valuel"], call["valuer"], call.dr.clip(call["texcoord"].x, 0, 1))


@pattern("ramptb")
def ramptb(call: Call) -> Any:
    """`valueb` at v = 0 to `valuet` at v = 1, constant beyond."""
    return _mix(call["valueb"], call["valuet"], call.dr.clip(call["texcoord"].y, 0, 1))


@pattern("splitlr")
def splitlr(call: Call) -> Any:
    """`valuel` left of `center`, `valuer` from it on: a hard edge, since a point has no footprint to soften it."""
    return call.dr.select(call["texcoord"].x < call["center"], call["valuel"], call["valuer"])


@pattern("splittb")
def splittb(call: Call) -> Any:
    """`valueb` below `center`, `valuet` from it on: a hard edge, since a point has no footprint to soften it."""
    return call.dr.select(call["texcoord"].y < call["center"], call["valueb"], call["valuet"])
