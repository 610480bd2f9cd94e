"""A material as a WGSL module: functions to paste into a shader, for WebGPU."""

from __future__ import annotations

from verdigris.export.assemble import assemble
from verdigris.export.syntax.wgsl import Wgsl
from verdigris.export.weights import BLOCK, Home, Stored
from verdigris.export.weights import writer as weight_writer
from verdigris.model.neural import NeuralMaterial

LATENTS = """\
@group({group}) @binding({binding}) var<storage, read> {p}_latents: array<u32>;

fn {p}_texel(texel: u32, part: u32) -> vec4f {{
  let at = texel * {words}u + part * 2u;
  return vec4f(unpack2x16float({p}_latents[at]), unpack2x16float({p}_latents[at + 1u]));
}}"""

WEIGHTS = """\
@group({group}) @binding({binding}) var<uniform> {p}_weights: array<{packet}, {count}>;"""

SINGLE = """\
fn {p}_vector(at: u32) -> vec4f {{
  return {p}_weights[at];
}}"""

PACKED = """\
fn {p}_vector(at: u32) -> vec4f {{
  let two = {p}_weights[at / 2u];
  let one = select(two.xy, two.zw, at % 2u == 1u);
  return vec4f(unpack2x16float(one.x), unpack2x16float(one.y));
}}

fn {p}_vector_half(at: u32) -> vec4h {{
  return vec4h({p}_vector(at));
}}"""

MATRIX = """\
fn {p}_matrix{suffix}(at: u32) -> {matrix} {{
  let a = {p}_vector{suffix}(at);
  let b = {p}_vector{suffix}(at + 1u);
  let c = {p}_vector{suffix}(at + 2u);
  let d = {p}_vector{suffix}(at + 3u);
  return {matrix}(a, b, c, d);
}}"""


def module(
    material: NeuralMaterial,
    *,
    group: int = 0,
    binding: int = 0,
    weights: Home = "literals",
    half: bool = False,
    prefix: str = "vd",
) -> str:
    """The text of a module; its interface is described in docs/export.md.

    group, binding: of the storage buffer of latents, `latents.packed_halves`. weights: `buffer` reads them from a
    uniform buffer at the next binding, `assemble.weight_blocks`. half: products of hidden layers in `f16`; the text
    then begins with `enable f16;`. prefix: of all names. Raises ExportError.
    """
    writer = weight_writer(weights, prefix)
    program = assemble(material, writer, prefix=prefix, half=half, stored=True)
    words = 2 * -(-material.config.channels // BLOCK)
    preamble = [LATENTS.format(p=prefix, group=group, binding=binding, words=words)]
    if isinstance(writer, Stored):
        preamble += _weights(prefix, group, binding + 1, writer, half)
    text = Wgsl(half).module(program, "\n\n".join(preamble))
    return f"enable f16;\n\n{text}" if half else text


def _weights(prefix: str, group: int, binding: int, writer: Stored, half: bool) -> list[str]:
    """The buffer of weights and what reads it."""
    count, packet = len(writer.vectors), "vec4u" if half else "vec4f"
    count = -(-count // 2) if half else count
    texts = [WEIGHTS.format(p=prefix, group=group, binding=binding, packet=packet, count=count)]
    texts += [(PACKED if half else SINGLE).format(p=prefix), MATRIX.format(p=prefix, suffix="", matrix="mat4x4f")]
    return texts + ([MATRIX.format(p=prefix, suffix="_half", matrix="mat4x4h")] if half else [])
