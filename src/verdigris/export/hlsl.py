"""A material as functions in HLSL, which Slang reads as well."""

from __future__ import annotations

from typing import Literal

from verdigris.export import cooperative
from verdigris.export.assemble import assemble
from verdigris.export.syntax.base import Other
from verdigris.export.syntax.hlsl import Hlsl
from verdigris.export.weights import BLOCK, Home, Stored
from verdigris.export.weights import writer as weight_writer
from verdigris.model.neural import NeuralMaterial

LatentHome = Literal["texture", "codes", "buffer"]
"""Where latents are."""

TEXTURE = """\
{place}Texture2DArray<float4> {p}_latents : register(t{slot}, space{space});

float4 {p}_texel(uint x, uint y, uint level, uint part)
{{
  return {p}_latents.Load(int4(int(x), int(y), int(part), int(level)));
}}"""

BUFFER = """\
{place}StructuredBuffer<uint> {p}_latents : register(t{slot}, space{space});

float4 {p}_texel(uint texel, uint part)
{{
  uint at = texel * {words}u + part * 2u;
  uint xy = {p}_latents[at];
  uint zw = {p}_latents[at + 1u];
  return float4(f16tof32(xy), f16tof32(xy >> 16), f16tof32(zw), f16tof32(zw >> 16));
}}"""

WEIGHTS = """\
{place}StructuredBuffer<float4> {p}_weights : register(t{slot}, space{space});

float4 {p}_vector(uint at)
{{
  return {p}_weights[at];
}}"""

MATRIX = """\
{matrix} {p}_matrix{suffix}(uint at)
{{
  return {matrix}({p}_vector{suffix}(at), {p}_vector{suffix}(at + 1u), {p}_vector{suffix}(at + 2u),
    {p}_vector{suffix}(at + 3u));
}}"""

HALF_VECTOR = """\
half4 {p}_vector_half(uint at)
{{
  return half4({p}_weights[at]);
}}"""


def module(
    material: NeuralMaterial,
    *,
    slot: int = 0,
    space: int = 0,
    latents: LatentHome = "texture",
    weights: Home = "literals",
    half: bool = False,
    prefix: str = "vd",
    matrices: int | None = None,
) -> str:
    """The text of functions to include; its interface: docs/export.md. Valid in HLSL (shader model 6) and in Slang.

    slot, space: of the latents, register t and, for Vulkan, binding and set. latents: a `Texture2DArray` of RGBA16F
    with all levels, with `codes` of RGBA8, or a `StructuredBuffer<uint>` of `latents.packed_halves`. weights: `buffer`
    reads them from a `StructuredBuffer<float4>` in the next slot, `assemble.weight_blocks`. half: hidden layers in
    `half`, which HLSL needs shader model 6.2 and `-enable-16bit-types` for. prefix: of all names. matrices: slot of
    the buffer of `cooperative.matrices`: the text then holds, for Slang, a second variant of the networks, cooperative
    vectors, which PREFIX_COOPERATIVE chooses. Raises ExportError.
    """
    writer, stored = weight_writer(weights, prefix), latents == "buffer"
    program = assemble(material, writer, prefix=prefix, half=half, stored=stored, coded=latents == "codes")
    words = 2 * -(-material.config.channels // BLOCK)
    preamble = [(BUFFER if stored else TEXTURE).format(p=prefix, words=words, **_place(slot, space))]
    if isinstance(writer, Stored):
        preamble += [
            WEIGHTS.format(p=prefix, **_place(slot + 1, space)),
            MATRIX.format(p=prefix, suffix="", matrix="float4x4"),
        ]
        if half:
            preamble += [HALF_VECTOR.format(p=prefix), MATRIX.format(p=prefix, suffix="_half", matrix="half4x4")]
    other = None if matrices is None else _cooperative(material, prefix, stored, latents == "codes", matrices, space)
    return Hlsl(half).module(program, "\n\n".join(preamble), other)


def _cooperative(material: NeuralMaterial, prefix: str, stored: bool, coded: bool, slot: int, space: int) -> Other:
    program, networks = cooperative.variant(material, prefix, stored=stored, coded=coded)
    buffer = cooperative.BUFFER.format(p=prefix, slot=slot, space=space)
    return Other(f"{prefix.upper()}_{cooperative.DEFINE}", program, f"{buffer}\n\n{networks.functions}")


def _place(slot: int, space: int) -> dict[str, object]:
    return {"place": f"[[vk::binding({slot}, {space})]] ", "slot": slot, "space": space}
