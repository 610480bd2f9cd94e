"""The decoder: the directions in the learned frames and the latent become the response."""

from __future__ import annotations

from verdigris.export.expression import (
    Expression,
    call,
    cross,
    dot,
    exponential,
    logarithm,
    maximum,
    variable,
    vector,
)
from verdigris.export.networks import Networks, sigmoid
from verdigris.export.program import Body, Function
from verdigris.export.surface import Surface
from verdigris.model.auxiliary import Layers
from verdigris.model.decoder import OUTPUT_SHIFT, SIGMOID_SCALE
from verdigris.model.far import Far
from verdigris.model.features import ARC_DIVISOR_MIN, LOG_HALF_FLOOR

WI, WO = variable("wi", "vec3f"), variable("wo", "vec3f")


def below(*directions: Expression) -> Expression:
    """Whether any direction is not above the horizon."""
    hidden = [direction.z <= 0 for direction in directions]
    return hidden[0] if len(hidden) == 1 else hidden[0] | hidden[1]


def black() -> Expression:
    """No light."""
    return vector(0.0, kind="vec3f")


def functions(surface: Surface, networks: Networks) -> tuple[Function, ...]:
    """`eval`, and what the features that the decoder sees need: those that it does not see are left out."""
    material, names = surface.material, set(surface.material.config.decoder.features)
    far, s, body = surface.far(surface.variable), surface.variable, Body()
    body.give(black(), condition=below(WI, WO))
    if far is not None:
        body.give(call(f"{surface.prefix}_eval_far", "vec3f", s, WI, WO), condition=far)
    note = "The BSDF times the cosine of wo, linear Rec. 709 RGB; 0 unless both directions are above the horizon."
    return (
        *((_log_half(surface),) if "log_half" in names else ()),
        *((_difference(surface),) if names & {"difference", "turned_difference"} else ()),
        *(() if material.far is None else (_eval_far(surface, networks, material.far),)),
        _evaluate(body, surface, networks, material.layers).function(
            f"{surface.prefix}_eval", (s, WI, WO), "vec3f", note
        ),
    )


def _eval_far(surface: Surface, networks: Networks, far: Far) -> Function:
    """`eval` at coarse levels, above the horizon."""
    body = _evaluate(Body(), surface, networks, far.network(surface.material.layers))
    return body.function(f"{surface.prefix}_eval_far", (surface.variable, WI, WO), "vec3f")


def _evaluate(body: Body, surface: Surface, networks: Networks, layers: Layers) -> Body:
    """The body, which gives the answer of these layers at its end."""
    config, s = surface.material.config.decoder, surface.variable
    seen = _features(surface, body)
    raw = networks.raw(body, "h", layers, config.activation, seen, surface.latent(s))
    if config.output == "exp":
        answer = exponential(vector(*raw) - vector(OUTPUT_SHIFT, kind="vec3f"))
    else:
        parts = [sigmoid(body, f"c{channel}", number) for channel, number in enumerate(raw)]
        answer = vector(*parts) * SIGMOID_SCALE
    body.give(answer if config.cosine else answer * WO.z)
    return body


def _features(surface: Surface, body: Body) -> list[Expression]:
    """The numbers of all frames, in the decoder's order: see `model/features.py`."""
    names = set(surface.material.config.decoder.features)
    prefix, s, numbers = surface.prefix, surface.variable, []
    turned = names & {"turned_half", "turned_difference"}
    h = body.let("h", call(f"{prefix}_normalize", "vec3f", WI + WO)) if turned or "log_half" in names else None
    d = None
    if h is not None and "turned_difference" in names:
        d = body.let("d", call(f"{prefix}_difference", "vec3f", h, WI))
    for frame in range(surface.frames):
        t, b, n = surface.axes(s, frame)
        found: dict[str, list[Expression]] = {}
        if names - {"log_half"} - turned:
            i = body.let(f"i{frame}", call(f"{prefix}_local", "vec3f", t, b, n, WI))
            o = body.let(f"o{frame}", call(f"{prefix}_local", "vec3f", t, b, n, WO))
            found |= {"wi": [i.x, i.y, i.z], "wo": [o.x, o.y, o.z], "cosines": [i.z, o.z]}
            if names & {"half", "difference"}:
                g = body.let(f"g{frame}", call(f"{prefix}_normalize", "vec3f", i + o))
                found["half"] = [g.x, g.y, g.z]
            if "difference" in names:
                v = body.let(f"d{frame}", call(f"{prefix}_difference", "vec3f", g, i))
                found["difference"] = [v.x, v.y, v.z]
        for name, direction in (("turned_half", h), ("turned_difference", d)):
            if name in names and direction is not None:
                v = body.let(f"{name}{frame}", call(f"{prefix}_local", "vec3f", t, b, n, direction))
                found[name] = [v.x, v.y, v.z]
        if h is not None:
            found["log_half"] = [call(f"{prefix}_log_half", "f32", h, n)]
        for name in surface.material.config.decoder.features:
            numbers += found[name]
    return numbers


def _log_half(surface: Surface) -> Function:
    body, h, n = Body(), variable("h", "vec3f"), variable("n", "vec3f")
    d = body.let("d", h - n)
    body.give((logarithm(dot(d, d) + LOG_HALF_FLOOR) + 6) * (1 / 6))
    return body.function(f"{surface.prefix}_log_half", (h, n), "f32")


def _difference(surface: Surface) -> Function:
    body, g, i = Body(), variable("g", "vec3f"), variable("i", "vec3f")
    v = body.let("v", vector(g.y, -g.x, 0.0))
    along = body.let("along", dot(v, i) / maximum(1 + g.z, ARC_DIVISOR_MIN))
    body.give(i * g.z + cross(v, i) + v * along)
    return body.function(f"{surface.prefix}_difference", (g, i), "vec3f")
