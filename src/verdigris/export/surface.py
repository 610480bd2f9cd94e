"""What is fetched once a hit, whatever the directions: the latent and the learned frames; and from which level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verdigris.export.expression import (
    Expression,
    absolute,
    call,
    choose,
    convert,
    cross,
    dot,
    field,
    floor,
    length,
    lift,
    logarithm,
    maximum,
    minimum,
    shift,
    variable,
    vector,
)
from verdigris.export.networks import Networks
from verdigris.export.program import Body, Constant, Function, Struct
from verdigris.export.weights import BLOCK
from verdigris.model.auxiliary import HEADS
from verdigris.model.frames import NORM_MIN
from verdigris.model.latents import ANISOTROPY
from verdigris.model.neural import NeuralMaterial

LENGTH_MIN, EXTENT_MIN = 1e-20, 1e-3
"""Least divisor and least extent, in texels, of a footprint: without partials the level is -10, that is 0."""

AXES = ("t", "b", "n")


@dataclass(frozen=True)
class Surface:
    """Definitions around the struct of a surface, and how to read it.

    stored: latents lie in one buffer, level after level; else they are a texture array with levels of its own.
    coded: the texture holds codes as fractions of 255, which the grids of the levels turn into latents.
    """

    material: NeuralMaterial
    prefix: str
    stored: bool
    coded: bool = False

    @property
    def type(self) -> str:
        """Name of the struct."""
        return f"{self.prefix.capitalize()}Surface"

    @property
    def parts(self) -> int:
        """Vectors of four that hold a latent."""
        return -(-self.material.config.channels // BLOCK)

    @property
    def frames(self) -> int:
        """Frames, the identity where none is learned."""
        return max(self.material.config.frames, 1)

    @property
    def variable(self) -> Expression:
        """The parameter `s` of functions."""
        return variable("s", self.type)

    def latent(self, s: Expression) -> list[Expression]:
        """The latent as `vec4f`s."""
        return [field(s, f"latent{part}", "vec4f") for part in range(self.parts)]

    def far(self, s: Expression) -> Expression | None:
        """Whether the surface is of a level at which the decoder has other layers; None where it has none."""
        far = self.material.far
        return None if far is None else field(s, "level", "u32") >= far.level

    def axes(self, s: Expression, frame: int) -> list[Expression]:
        """t, b, n of a frame."""
        return [field(s, f"{axis}{frame}", "vec3f") for axis in AXES]

    def seen(self, body: Body, s: Expression, direction: Expression) -> list[Expression]:
        """A direction's three numbers in every frame."""
        numbers = []
        for frame in range(self.frames):
            local = call(f"{self.prefix}_local", "vec3f", *self.axes(s, frame), direction)
            i = body.let(f"i{frame}", local)
            numbers += [i.x, i.y, i.z]
        return numbers

    def constants(self) -> tuple[Constant, ...]:
        """What callers may ask for."""
        height, width = self.material.latents[0].shape[:2]
        upper, heads = self.prefix.upper(), self.material.heads
        return (
            Constant(f"{upper}_LEVELS", len(self.material.latents)),
            Constant(f"{upper}_CHANNELS", self.material.config.channels),
            Constant(f"{upper}_FRAMES", self.frames),
            Constant(f"{upper}_WIDTH", width),
            Constant(f"{upper}_HEIGHT", height),
            *(Constant(f"{upper}_HAS_{name.upper()}", name in heads) for name in HEADS),
        )

    def struct(self) -> Struct:
        """The struct."""
        latents = ((f"latent{part}", "vec4f") for part in range(self.parts))
        frames = ((f"{axis}{frame}", "vec3f") for frame in range(self.frames) for axis in AXES)
        level = () if self.material.far is None else (("level", "u32"),)
        return Struct(self.type, (*latents, *frames, *level), "A point of the material, independent of directions.")

    def functions(self, networks: Networks) -> tuple[Function, ...]:
        """Level, fetch and what they need."""
        return (
            *((self._start(),) if self.stored else ()),
            *(
                self._grid(name, part)
                for name in ("offset", "scale")
                for part in range(self.parts if self.coded else 0)
            ),
            self._level(),
            self._pick(),
            self._normalize(),
            self._local(),
            self._bilinear(),
            self._surface(networks),
            self._fetch(),
        )

    def _start(self) -> Function:
        body, level, texels = Body(), variable("level", "u32"), 0
        for index, texture in enumerate(self.material.latents[:-1]):
            body.give(lift(texels, "u32"), condition=level <= index)
            texels += texture.shape[0] * texture.shape[1]
        body.give(lift(texels, "u32"))
        return body.function(f"{self.prefix}_start", (level,), "u32")

    def _grid(self, name: str, part: int) -> Function:
        """Offsets or scales of four channels at a level: of a code as a fraction of 255."""
        body, level, factor = Body(), variable("level", "u32"), 255 if name == "scale" else 1
        for index, grid in enumerate(self.material.grids):
            numbers = np.zeros(BLOCK)
            found = getattr(grid, name)[part * BLOCK :][:BLOCK] * factor
            numbers[: len(found)] = found
            last = index == len(self.material.grids) - 1
            body.give(vector(*numbers.tolist(), kind="vec4f"), condition=None if last else level <= index)
        return body.function(f"{self.prefix}_{name}{part}", (level,), "vec4f")

    def _level(self) -> Function:
        """See `model.latents.footprint_level`."""
        body, dx, dy = Body(), variable("duv_dx", "vec2f"), variable("duv_dy", "vec2f")
        height, width = self.material.latents[0].shape[:2]
        size = body.let("size", vector(float(width), float(height)))
        x, y = body.let("x", dx * size), body.let("y", dy * size)
        longest = body.let("longest", maximum(length(x), length(y)))
        area = body.let("area", absolute(x.x * y.y - x.y * y.x))
        extent = maximum(area / maximum(longest, LENGTH_MIN), longest * (1 / ANISOTROPY))
        body.give(logarithm(maximum(extent, EXTENT_MIN), base=2))
        note = "Fractional level for a footprint, from the changes of uv across a pixel. Not clamped."
        return body.function(f"{self.prefix}_level", (dx, dy), "f32", note)

    def _pick(self) -> Function:
        body, level, u = Body(), variable("level", "f32"), variable("u", "f32")
        last = float(len(self.material.latents) - 1)
        clamped = minimum(maximum(floor(minimum(maximum(level, 0), last) + u), 0), last)
        body.give(convert(clamped, "u32"))
        note = "A whole level beside a fractional one, the upper one with the probability of the fraction; u in [0, 1)."
        return body.function(f"{self.prefix}_pick_level", (level, u), "u32", note)

    def _normalize(self) -> Function:
        body, v = Body(), variable("v", "vec3f")
        body.give(v / maximum(length(v), NORM_MIN))
        return body.function(f"{self.prefix}_normalize", (v,), "vec3f")

    def _local(self) -> Function:
        body, names = Body(), (*AXES, "d")
        t, b, n, d = (variable(name, "vec3f") for name in names)
        body.give(vector(dot(t, d), dot(b, d), dot(n, d)))
        return body.function(f"{self.prefix}_local", (t, b, n, d), "vec3f")

    def _bilinear(self) -> Function:
        corners = tuple(variable(name, "vec4f") for name in ("a", "b", "c", "d"))
        a, b, c, d = corners
        body, f = Body(), variable("f", "vec2f")
        low, high = body.let("low", a + (b - a) * f.x), body.let("high", c + (d - c) * f.x)
        body.give(low + (high - low) * f.y)
        return body.function(f"{self.prefix}_bilinear", (*corners, f), "vec4f")

    def _surface(self, networks: Networks) -> Function:
        """See `model/frames.py`."""
        body = Body()
        latent = [variable(f"latent{part}", "vec4f") for part in range(self.parts)]
        level = [] if self.material.far is None else [variable("level", "u32")]
        body.give(*latent, *self._frames(body, networks, latent), *level)
        note = "The surface with a latent that was fetched in some other way."
        return body.function(f"{self.prefix}_surface", [*latent, *level], self.type, note)

    def _fetch(self) -> Function:
        """See `model/latents.py`."""
        body, uv, asked = Body(), variable("uv", "vec2f"), variable("level", "u32")
        level = body.let("k", minimum(asked, len(self.material.latents) - 1))
        sides = [
            body.let(name, maximum(shift(side, level), 1))
            for name, side in zip(("width", "height"), self.material.latents[0].shape[1::-1], strict=True)
        ]
        x0, x1, fx = _neighbours(body, "x", uv.x, sides[0])
        y0, y1, fy = _neighbours(body, "y", uv.y, sides[1])
        f = body.let("f", vector(fx, fy))
        corners = [(x, y) for y in (y0, y1) for x in (x0, x1)]
        if self.stored:
            start = body.let("start", call(f"{self.prefix}_start", "u32", level))
            indices = [start + y * sides[0] + x for x, y in corners]
            places = [[body.let(f"texel{k}", index)] for k, index in enumerate(indices)]
        else:
            places = [[x, y, level] for x, y in corners]
        latent = []
        for part in range(self.parts):
            texels = [call(f"{self.prefix}_texel", "vec4f", *place, lift(part, "u32")) for place in places]
            value = call(f"{self.prefix}_bilinear", "vec4f", *texels, f)
            if self.coded:
                # Decoding is linear, so it may come after the interpolation inside a level.
                scale, offset = (call(f"{self.prefix}_{name}{part}", "vec4f", level) for name in ("scale", "offset"))
                value = value * scale + offset
            latent.append(body.let(f"latent{part}", value))
        known = [] if self.material.far is None else [level]
        body.give(call(f"{self.prefix}_surface", self.type, *latent, *known))
        note = "The surface at uv from one level, bilinear, repeating; levels above the last are the last."
        return body.function(f"{self.prefix}_fetch", (uv, asked), self.type, note)

    def _frames(self, body: Body, networks: Networks, latent: list[Expression]) -> list[Expression]:
        weight = self.material.frame_weight
        if weight is None:
            return [vector(*(float(k == axis) for k in range(3))) for axis in range(3)]
        raw, axes = networks.linear(body, "raw", weight, latent), []
        for frame in range(self.frames):
            r = raw[6 * frame : 6 * frame + 6]
            normal = call(f"{self.prefix}_normalize", "vec3f", vector(r[0], r[1], r[2] + 1))
            tangent = call(f"{self.prefix}_normalize", "vec3f", vector(r[3] + 1, r[4], r[5]))
            n, t = body.let(f"n{frame}", normal), body.let(f"t{frame}", tangent)
            axes += [t, cross(n, t), n]
        return axes


def _neighbours(
    body: Body, name: str, coordinate: Expression, size: Expression
) -> tuple[Expression, Expression, Expression]:
    """The two texels around a texture coordinate, and the weight of the second."""
    wide = convert(size, "f32")
    # The whole part goes first: it carries no information, and would cost the fraction its digits.
    position = body.let(f"p{name}", (coordinate - floor(coordinate)) * wide - 0.5)
    first = body.let(f"i{name}", floor(position))
    # A coordinate just below 1 may be rounded to it, and its texel is then one too far.
    before = convert(choose(first < 0, wide - 1, minimum(first, wide - 1)), "u32")
    after = convert(choose(first + 1 >= wide, lift(0.0), first + 1), "u32")
    return body.let(f"{name}0", before), body.let(f"{name}1", after), position - first
