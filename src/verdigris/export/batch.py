"""A compute shader that answers many queries of one material: what is compiled where a language has no modules."""

from __future__ import annotations

import numpy as np

from verdigris.export import hlsl
from verdigris.export.hlsl import LatentHome
from verdigris.export.weights import Home
from verdigris.model.neural import NeuralMaterial

ENTRY_POINT = "vd_answer"

GROUP = 64
"""Queries a thread group answers."""

MATRICES = 5
"""Slot of the cooperative variant's matrices."""

TEXT = """
// One query: a place, a level, two directions, three uniform numbers.
struct VdQuery
{
  float2 uv;
  uint level;
  float3 wi;
  float3 wo;
  float3 u;
};

struct VdAnswer
{
  float3 response;
  float pdf;
  float4 sampled;
  float3 albedo;
  float opacity;
  float3 emission;
  float roughness;
  float3 guide_albedo;
  float3 guide_normal;
};

[[vk::binding(2, 0)]] StructuredBuffer<VdQuery> vd_queries : register(t2);
[[vk::binding(3, 0)]] RWStructuredBuffer<VdAnswer> vd_answers : register(u3);
[[vk::binding(4, 0)]] cbuffer VdBatch : register(b4)
{
  uint vd_count;
};

[shader("compute")]
[numthreads(64, 1, 1)]
void vd_answer(uint3 id : SV_DispatchThreadID)
{
  if (id.x >= vd_count) { return; }
  VdQuery q = vd_queries[id.x];
  VdSurface s = vd_fetch(q.uv, q.level);
  VdMixture m = vd_mixture(s, q.wi);
  VdGuides g = vd_guides(s);
  VdAnswer a;
  a.response = vd_eval(s, q.wi, q.wo);
  a.pdf = vd_mixture_pdf(m, q.wi, q.wo);
  a.sampled = vd_mixture_sample(m, q.wi, q.u);
  a.albedo = vd_albedo(s, q.wi);
  a.opacity = vd_opacity(s);
  a.emission = vd_emission(s);
  a.roughness = g.roughness;
  a.guide_albedo = g.albedo;
  a.guide_normal = g.normal;
  vd_answers[id.x] = a;
}
"""


def shader(
    material: NeuralMaterial,
    *,
    latents: LatentHome = "texture",
    weights: Home = "literals",
    half: bool = False,
    cooperative: bool = False,
) -> str:
    """The text, in HLSL and Slang; arguments as for `hlsl.module`. cooperative: with that variant, for Slang.

    Bindings: 0 latents, 1 weights, 2 queries, 3 answers, 4 their number, 5 matrices. Raises ExportError.
    """
    slot = MATRICES if cooperative else None
    return hlsl.module(material, latents=latents, weights=weights, half=half, matrices=slot) + TEXT


QUERY = np.dtype(
    {
        "names": ["uv", "level", "wi", "wo", "u"],
        "formats": ["2f4", "u4", "3f4", "3f4", "3f4"],
        "offsets": [0, 8, 16, 32, 48],
        "itemsize": 64,
    }
)
"""A query in memory."""

ANSWER = np.dtype(
    {
        "names": [
            "response",
            "pdf",
            "sampled",
            "albedo",
            "opacity",
            "emission",
            "roughness",
            "guide_albedo",
            "guide_normal",
        ],
        "formats": ["3f4", "f4", "4f4", "3f4", "f4", "3f4", "f4", "3f4", "3f4"],
        "offsets": [0, 12, 16, 32, 44, 48, 60, 64, 80],
        "itemsize": 96,
    }
)
"""An answer in memory."""


def layout(kind: np.dtype) -> dict[str, object]:
    """Where the fields of a query or an answer lie, as JSON values."""
    fields = {name: {"type": kind[name].base.name, "count": kind[name].itemsize // 4} for name in kind.names or ()}
    offsets = {name: kind.fields[name][1] for name in fields} if kind.fields else {}
    return {"bytes": kind.itemsize, "fields": {name: {**fields[name], "offset": offsets[name]} for name in fields}}
