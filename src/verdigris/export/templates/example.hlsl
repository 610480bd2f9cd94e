#include "material.hlsl"

// A square of the material under one light, seen from above: the whole of uv over an image.
[[vk::binding(2, 0)]] RWTexture2D<float4> image : register(u2);

[shader("compute")]
[numthreads(8, 8, 1)]
void example(uint3 id : SV_DispatchThreadID)
{
  uint width, height;
  image.GetDimensions(width, height);
  if (id.x >= width || id.y >= height) { return; }
  float2 size = float2(float(width), float(height));
  float2 uv = (float2(id.xy) + 0.5) / size;
  float level = vd_level(float2(1.0 / size.x, 0.0), float2(0.0, 1.0 / size.y));
  VdSurface s = vd_fetch(uv, vd_pick_level(level, 0.5));
  float3 wi = float3(0.0, 0.0, 1.0);
  float3 wo = normalize(float3(0.4, 0.3, 1.0));
  image[uint2(id.x, height - 1u - id.y)] = float4(3.0 * vd_eval(s, wi, wo), 1.0);
}
