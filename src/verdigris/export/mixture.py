"""The sampler: a network gives a mixture of lobes, which has a density and can be drawn from: `model/sampler.py`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from verdigris.export.expression import (
    Expression,
    absolute,
    call,
    choose,
    clip,
    cosine,
    cross,
    dot,
    exponential,
    field,
    lift,
    maximum,
    minimum,
    root,
    sine,
    variable,
    vector,
)
from verdigris.export.networks import Networks
from verdigris.export.program import Body, Function, Struct
from verdigris.export.response import WI, WO, below
from verdigris.export.surface import Surface
from verdigris.model.sampler import ACTIVATION, ALPHA_MIN, BELOW_ONE, HALF_Z_MIN, NORMAL_Z_MIN, RAW_MAX

U = variable("u", "vec3f")


@dataclass(frozen=True)
class MixtureCode:
    """Definitions around the struct of a mixture: the cosine lobe's share and axis, then for each GGX lobe k `share`,
    `width` (alpha_x, alpha_y), `turn` (correlation, sqrt(1 - correlation^2)) and `offset` in slopes."""

    surface: Surface

    @property
    def type(self) -> str:
        """Name of the struct."""
        return f"{self.surface.prefix.capitalize()}Mixture"

    @property
    def variable(self) -> Expression:
        """The parameter `m` of functions."""
        return variable("m", self.type)

    @property
    def lobes(self) -> int:
        """GGX lobes."""
        return self.surface.material.config.sampler.lobes

    def struct(self) -> Struct:
        """The struct."""
        lobes = (
            (f"{name}{k}", kind)
            for k in range(self.lobes)
            for name, kind in (("share", "f32"), ("width", "vec2f"), ("turn", "vec2f"), ("offset", "vec2f"))
        )
        note = "What the sampler's network says of a surface seen from wi: lobes to draw wo from."
        return Struct(self.type, (("share", "f32"), ("axis", "vec3f"), *lobes), note)

    def functions(self, networks: Networks) -> tuple[Function, ...]:
        """`mixture` and what uses it, `pdf` and `sample` last."""
        return (
            self._stretch(),
            self._width(),
            self._mixture(networks),
            self._slopes(),
            self._mixture_pdf(),
            self._around(),
            self._mixture_sample(),
            self._pdf(),
            self._sample(),
        )

    def _call(self, name: str, kind: str, *arguments: Expression) -> Expression:
        return call(f"{self.surface.prefix}_{name}", kind, *arguments)

    def _function(
        self, body: Body, name: str, parameters: tuple[Expression, ...], kind: str, note: str = ""
    ) -> Function:
        return body.function(f"{self.surface.prefix}_{name}", parameters, kind, note)

    def _part(self, name: str, lobe: int | None = None) -> Expression:
        """A field of the mixture."""
        kinds = {"share": "f32", "axis": "vec3f"}
        return field(self.variable, name if lobe is None else f"{name}{lobe}", kinds.get(name, "vec2f"))

    def _stretch(self) -> Function:
        body, x = Body(), variable("x", "f32")
        body.give(root(x * x + 1))
        return self._function(body, "stretch", (x,), "f32")

    def _width(self) -> Function:
        """1e-4 + (1 + x / s) / 2, without cancellation where x is far below 0."""
        body, x = Body(), variable("x", "f32")
        s = body.let("s", self._call("stretch", "f32", x))
        rest = body.let("rest", 1 / (s * (s + absolute(x))))
        body.give(choose(x < 0, rest, 2 - rest) * 0.5 + ALPHA_MIN)
        return self._function(body, "width", (x,), "f32")

    def _mixture(self, networks: Networks) -> Function:
        body, s, material = Body(), self.surface.variable, self.surface.material
        seen = self.surface.seen(body, s, WI)
        found = networks.raw(body, "h", material.sampler, ACTIVATION, seen, self.surface.latent(s))
        raw = [body.let(f"r{k}", clip(number, -RAW_MAX, RAW_MAX)) for k, number in enumerate(found)]
        tilt, logits = raw[5 * self.lobes : 5 * self.lobes + 2], raw[5 * self.lobes + 2 :]
        x, y = (number * self._call("stretch", "f32", number) for number in tilt)
        axis = self._call("normalize", "vec3f", vector(-x, -y, 1.0))
        largest = logits[0]
        for logit in logits[1:]:
            largest = maximum(largest, logit)
        largest = body.let("largest", largest)
        weights = [body.let(f"w{k}", exponential(logit - largest)) for k, logit in enumerate(logits)]
        total = weights[0]
        for weight in weights[1:]:
            total = total + weight
        scale = body.let("scale", (1 - material.config.sampler.defensive) / total)
        values = [weights[0] * scale, axis]
        for k in range(self.lobes):
            values += [weights[k + 1] * scale, *self._lobe(body, k, raw[5 * k : 5 * k + 5])]
        body.give(*values)
        note = "The mixture that sample draws from and pdf describes: make it once where both are needed."
        return self._function(body, "mixture", (s, WI), self.type, note)

    def _lobe(self, body: Body, lobe: int, raw: list[Expression]) -> list[Expression]:
        """Widths, correlation and offsets from a lobe's five numbers."""
        normal = field(self.surface.variable, f"n{lobe % self.surface.frames}", "vec3f")
        stretch = body.let(f"s{lobe}", self._call("stretch", "f32", raw[2]))
        grown = vector(*(number * self._call("stretch", "f32", number) for number in raw[3:]))
        return [
            vector(*(self._call("width", "f32", number) for number in raw[:2])),
            vector(raw[2] / stretch, 1 / stretch),
            grown - normal.xy / maximum(normal.z, NORMAL_Z_MIN),
        ]

    def _slopes(self) -> Function:
        """Density of a lobe's slopes times pi, from the squared reciprocal: the radius of one far away overflows."""
        body = Body()
        slope, width, turn, offset = (variable(name, "vec2f") for name in ("slope", "width", "turn", "offset"))
        q = body.let("q", (slope - offset) / width)
        y = body.let("y", (q.y - turn.x * q.x) / turn.y)
        near = body.let("near", 1 / (q.x * q.x + y * y + 1))
        body.give(near * near / (width.x * width.y * turn.y))
        return self._function(body, "slopes", (slope, width, turn, offset), "f32")

    def _mixture_pdf(self) -> Function:
        defensive, body = self.surface.material.config.sampler.defensive, Body()
        body.give(lift(0.0), condition=below(WI, WO))
        v = body.let("v", WI + WO)
        z = body.let("z", maximum(v.z, HALF_Z_MIN))
        slope = body.let("slope", -v.xy / z)
        total: Expression | None = None
        for k in range(self.lobes):
            lobe = [self._part(name, k) for name in ("width", "turn", "offset")]
            term = self._part("share", k) * self._call("slopes", "f32", slope, *lobe)
            total = term if total is None else total + term
        assert total is not None
        ggx = body.let("ggx", total * (dot(v, v) / (2 * z * z * z)))
        even = self._part("share") * maximum(dot(WO, self._part("axis")), 0)
        body.give((even + ggx + defensive / 2) * (1 / math.pi))
        note = "Density of mixture_sample at wo per solid angle; 0 unless both directions are above the horizon."
        return self._function(body, "mixture_pdf", (self.variable, WI, WO), "f32", note)

    def _around(self) -> Function:
        """The direction with coordinates x, y, z about an axis: basis of Duff et al. 2017."""
        body, axis, p = Body(), variable("axis", "vec3f"), variable("p", "vec3f")
        sign = body.let("side", choose(axis.z < 0, lift(-1.0), lift(1.0)))
        a = body.let("a", -1 / (sign + axis.z))
        first = body.let("first", vector(1 + sign * axis.x * axis.x * a, sign * axis.x * axis.y * a, -sign * axis.x))
        body.give(first * p.x + cross(axis, first) * p.y + axis * p.z)
        return self._function(body, "around", (axis, p), "vec3f")

    def _mixture_sample(self) -> Function:
        defensive, body = self.surface.material.config.sampler.defensive, Body()
        u_z = body.let("angle", U.z * (2 * math.pi))
        cos_phi, sin_phi = body.let("cos_phi", cosine(u_z)), body.let("sin_phi", sine(u_z))
        edge = body.let("edge0", self._part("share") + defensive)
        chosen = self._chosen(body, edge)
        is_ggx = body.let("is_ggx", U.x >= edge)
        h = self._half(body, chosen, cos_phi, sin_phi)
        wi_h = body.let("wi_h", dot(WI, h))
        flat = body.let("is_even", U.x < defensive)
        cos = body.let("z", choose(flat, 1 - U.y, root(1 - U.y)))
        sin = body.let("sin_theta", root(maximum(1 - cos * cos, 0)))
        axis = choose(flat, vector(0.0, 0.0, 1.0), self._part("axis"))
        around = self._call("around", "vec3f", axis, vector(sin * cos_phi, sin * sin_phi, cos))
        picked = choose(is_ggx, h * (2 * wi_h) - WI, around)
        wo = body.let("wo", self._call("normalize", "vec3f", picked))
        body.give(vector(wo, 0.0), condition=choose(is_ggx, wi_h, lift(1.0)) <= 0)
        body.give(vector(wo, self._call("mixture_pdf", "f32", self.variable, WI, wo)))
        note = "wo and its density from u in [0, 1)^3, u.x picking the lobe; density 0 marks a null sample."
        return self._function(body, "mixture_sample", (self.variable, WI, U), "vec4f", note)

    def _chosen(self, body: Body, edge: Expression) -> list[Expression]:
        """Width, turn and offset of the lobe that u.x picks."""
        chosen = [self._part(name, 0) for name in ("width", "turn", "offset")]
        for k in range(1, self.lobes):
            edge = body.let(f"edge{k}", edge + self._part("share", k - 1))
            later = body.let(f"later{k}", U.x >= edge)
            parts = [self._part(name, k) for name in ("width", "turn", "offset")]
            chosen = [choose(later, new, old) for new, old in zip(parts, chosen, strict=True)]
        names = ("width", "turn", "offset")
        return [body.let(name, value) for name, value in zip(names, chosen, strict=True)]

    def _half(self, body: Body, lobe: list[Expression], cos_phi: Expression, sin_phi: Expression) -> Expression:
        """The half vector of a lobe: slopes of the standard one, scaled, correlated, shifted."""
        width, turn, offset = lobe
        below_one = body.let("below_one", minimum(U.y, BELOW_ONE))
        radius = body.let("radius", root(below_one / (1 - below_one)))
        x, y = body.let("x", cos_phi * radius), body.let("y", sin_phi * radius)
        slope = body.let("slope", width * vector(x, turn.x * x + turn.y * y) + offset)
        # By component: in WGSL that Slang writes, a vector's minus binds to the first term of a sum.
        return body.let("h", self._call("normalize", "vec3f", vector(-slope.x, -slope.y, 1.0)))

    def _pdf(self) -> Function:
        body, s = Body(), self.surface.variable
        mixture = self._call("mixture", self.type, s, WI)
        body.give(self._call("mixture_pdf", "f32", mixture, WI, WO))
        note = "Density of sample at wo per solid angle; 0 unless both directions are above the horizon."
        return self._function(body, "pdf", (s, WI, WO), "f32", note)

    def _sample(self) -> Function:
        body, s = Body(), self.surface.variable
        mixture = self._call("mixture", self.type, s, WI)
        body.give(self._call("mixture_sample", "vec4f", mixture, WI, U))
        note = "A direction wo (xyz) and its density (w) from u in [0, 1)^3; density 0 marks a null sample."
        return self._function(body, "sample", (s, WI, U), "vec4f", note)
