"""A material as GLSL functions, for WebGL2 (ES 3.00) and desktops (3.30 and later)."""

from __future__ import annotations

from verdigris.export.assemble import assemble
from verdigris.export.syntax.glsl import Glsl
from verdigris.export.weights import Home
from verdigris.export.weights import writer as weight_writer
from verdigris.model.neural import NeuralMaterial

LATENTS = """\
uniform highp sampler2DArray {p}_latents;

vec4 {p}_texel(uint x, uint y, uint level, uint part) {{
  return texelFetch({p}_latents, ivec3(x, y, part), int(level));
}}"""

WEIGHTS_WIDTH = 256
"""Texels in a row of the texture of weights."""

WEIGHTS = """\
uniform highp sampler2D {p}_weights;

vec4 {p}_vector(uint at) {{
  return texelFetch({p}_weights, ivec2(at % {width}u, at / {width}u), 0);
}}

mat4 {p}_matrix(uint at) {{
  return mat4({p}_vector(at), {p}_vector(at + 1u), {p}_vector(at + 2u), {p}_vector(at + 3u));
}}"""

PACKED = """\
#define {p}_h unpackHalf2x16
#define {p}_v(a, b) vec4({p}_h(a), {p}_h(b))
#define {p}_m(a, b, c, d, e, f, g, h) mat4({p}_v(a, b), {p}_v(c, d), {p}_v(e, f), {p}_v(g, h))"""


def module(material: NeuralMaterial, *, weights: Home = "literals", codes: bool = False, prefix: str = "vd") -> str:
    """The text of functions to paste behind `#version` and precision lines; its interface: docs/export.md.

    The uniform PREFIX_latents is a texture array of RGBA16F with all levels, `latents.texture_levels`. weights:
    `packed` is the shortest text; `buffer` reads them from PREFIX_weights, a texture of RGBA32F that is WEIGHTS_WIDTH
    wide, `assemble.weight_blocks`. codes: the array is of RGBA8 instead, `latents.code_levels`. prefix: of all names.
    Raises ExportError.
    """
    program = assemble(material, weight_writer(weights, prefix, packs=True), prefix=prefix, coded=codes)
    preamble = [LATENTS.format(p=prefix)]
    if weights == "packed":
        preamble.append(PACKED.format(p=prefix))
    if weights == "buffer":
        preamble.append(WEIGHTS.format(p=prefix, width=WEIGHTS_WIDTH))
    return Glsl().module(program, "\n\n".join(preamble))
