"""The auxiliary heads: what renderers ask for besides light. A head that is missing answers with a constant."""

from __future__ import annotations

from collections.abc import Sequence

from verdigris.export.expression import Expression, call, lift, maximum, vector
from verdigris.export.networks import Networks, sigmoid
from verdigris.export.program import Body, Function, Struct
from verdigris.export.response import WI, below, black
from verdigris.export.surface import Surface
from verdigris.model.auxiliary import ACTIVATION

PLAIN_ALBEDO, PLAIN_ROUGHNESS = 0.5, 1.0
"""Guides of a material without that head."""


def struct(surface: Surface) -> Struct:
    """What denoisers ask for."""
    fields = (("albedo", "vec3f"), ("normal", "vec3f"), ("roughness", "f32"))
    return Struct(f"{surface.prefix.capitalize()}Guides", fields, "For denoisers; the normal is in the local frame.")


def functions(surface: Surface, networks: Networks) -> tuple[Function, ...]:
    """`albedo`, `guides`, `emission`, `opacity`."""
    return (
        _albedo(surface, networks),
        _guides(surface, networks),
        _emission(surface, networks),
        _opacity(surface, networks),
    )


def _raw(
    surface: Surface, networks: Networks, body: Body, name: str, seen: Sequence[Expression] = ()
) -> list[Expression] | None:
    """A head's last numbers, None where the material has no such head."""
    if name not in surface.material.heads:
        return None
    assert surface.material.auxiliary is not None
    layers = surface.material.auxiliary.heads[name]
    return networks.raw(body, "h", layers, ACTIVATION, seen, surface.latent(surface.variable))


def _sigmoids(body: Body, raw: Sequence[Expression]) -> list[Expression]:
    return [sigmoid(body, f"c{k}", number) for k, number in enumerate(raw)]


def _albedo(surface: Surface, networks: Networks) -> Function:
    body = Body()
    body.give(black(), condition=below(WI))
    wanted = "albedo" in surface.material.heads
    seen = surface.seen(body, surface.variable, WI) if wanted else []
    raw = _raw(surface, networks, body, "albedo", seen)
    body.give(vector(1.0, kind="vec3f") if raw is None else vector(*_sigmoids(body, raw)))
    note = "Directional albedo; 0 unless wi is above the horizon; 1 without this head."
    return body.function(f"{surface.prefix}_albedo", (surface.variable, WI), "vec3f", note)


def _guides(surface: Surface, networks: Networks) -> Function:
    body, prefix = Body(), surface.prefix
    raw = _raw(surface, networks, body, "guides")
    if raw is None:
        body.give(vector(PLAIN_ALBEDO, kind="vec3f"), vector(0.0, 0.0, 1.0), lift(PLAIN_ROUGHNESS))
    else:
        normal = call(f"{prefix}_normalize", "vec3f", vector(raw[3], raw[4], raw[5] + 1))
        *albedo, roughness = _sigmoids(body, [*raw[:3], raw[6]])
        body.give(vector(*albedo), normal, roughness)
    note = "Albedo, normal and roughness for denoisers; plain grey without this head."
    return body.function(f"{prefix}_guides", (surface.variable,), f"{prefix.capitalize()}Guides", note)


def _emission(surface: Surface, networks: Networks) -> Function:
    body = Body()
    raw = _raw(surface, networks, body, "emission")
    if raw is None:
        body.give(black())
    else:
        strength = body.let("strength", maximum(vector(*raw), 0))
        body.give(strength * strength)
    note = "Radiance emitted along the normal; 0 without this head."
    return body.function(f"{surface.prefix}_emission", (surface.variable,), "vec3f", note)


def _opacity(surface: Surface, networks: Networks) -> Function:
    body = Body()
    raw = _raw(surface, networks, body, "opacity")
    body.give(lift(1.0) if raw is None else sigmoid(body, "c", raw[0]))
    note = "Share of the surface that is there; 1 without this head."
    return body.function(f"{surface.prefix}_opacity", (surface.variable,), "f32", note)
