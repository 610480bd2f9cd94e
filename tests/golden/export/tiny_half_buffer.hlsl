static const uint VD_LEVELS = 2u;
static const uint VD_CHANNELS = 2u;
static const uint VD_FRAMES = 1u;
static const uint VD_WIDTH = 3u;
static const uint VD_HEIGHT = 2u;
static const bool VD_HAS_ALBEDO = true;
static const bool VD_HAS_GUIDES = false;
static const bool VD_HAS_EMISSION = true;
static const bool VD_HAS_OPACITY = false;

// A point of the material, independent of directions.
struct VdSurface {
  float4 latent0;
  float3 t0;
  float3 b0;
  float3 n0;
};

// What the sampler's network says of a surface seen from wi: lobes to draw wo from.
struct VdMixture {
  float share;
  float3 axis;
  float share0;
  float2 width0;
  float2 turn0;
  float2 offset0;
};

// For denoisers; the normal is in the local frame.
struct VdGuides {
  float3 albedo;
  float3 normal;
  float roughness;
};

[[vk::binding(0, 0)]] StructuredBuffer<uint> vd_latents : register(t0, space0);

float4 vd_texel(uint texel, uint part)
{
  uint at = texel * 2u + part * 2u;
  uint xy = vd_latents[at];
  uint zw = vd_latents[at + 1u];
  return float4(f16tof32(xy), f16tof32(xy >> 16), f16tof32(zw), f16tof32(zw >> 16));
}

[[vk::binding(1, 0)]] StructuredBuffer<float4> vd_weights : register(t1, space0);

float4 vd_vector(uint at)
{
  return vd_weights[at];
}

float4x4 vd_matrix(uint at)
{
  return float4x4(vd_vector(at), vd_vector(at + 1u), vd_vector(at + 2u),
    vd_vector(at + 3u));
}

half4 vd_vector_half(uint at)
{
  return half4(vd_weights[at]);
}

half4x4 vd_matrix_half(uint at)
{
  return half4x4(vd_vector_half(at), vd_vector_half(at + 1u), vd_vector_half(at + 2u),
    vd_vector_half(at + 3u));
}

uint vd_start(uint level) {
  if (level <= 0u) { return 0u; }
  return 6u;
}

// Fractional level for a footprint, from the changes of uv across a pixel. Not clamped.
float vd_level(float2 duv_dx, float2 duv_dy) {
  float2 size = float2(3., 2.);
  float2 x = duv_dx * size;
  float2 y = duv_dy * size;
  float longest = max(length(x), length(y));
  float area = abs(x.x * y.y - x.y * y.x);
  return log2(max(max(area / max(longest, 1e-20), longest * .5), .001));
}

// A whole level beside a fractional one, the upper one with the probability of the fraction; u in [0, 1).
uint vd_pick_level(float level, float u) {
  return uint(min(max(floor(min(max(level, 0.), 1.) + u), 0.), 1.));
}

float3 vd_normalize(float3 v) {
  return v / max(length(v), 1e-12);
}

float3 vd_local(float3 t, float3 b, float3 n, float3 d) {
  return float3(dot(t, d), dot(b, d), dot(n, d));
}

float4 vd_bilinear(float4 a, float4 b, float4 c, float4 d, float2 f) {
  float4 low = a + (b - a) * f.x;
  float4 high = c + (d - c) * f.x;
  return low + (high - low) * f.y;
}

// The surface with a latent that was fetched in some other way.
VdSurface vd_surface(float4 latent0) {
  float4 raw0 = mul(latent0, vd_matrix(0u));
  float4 raw1 = mul(latent0, vd_matrix(4u));
  float3 n0 = vd_normalize(float3(raw0.x, raw0.y, raw0.z + 1.));
  float3 t0 = vd_normalize(float3(raw0.w + 1., raw1.x, raw1.y));
  VdSurface made = { latent0, t0, cross(n0, t0), n0 };
  return made;
}

// The surface at uv from one level, bilinear, repeating; levels above the last are the last.
VdSurface vd_fetch(float2 uv, uint level) {
  uint k = min(level, 1u);
  uint width = max((3u >> k), 1u);
  uint height = max((2u >> k), 1u);
  float px = (uv.x - floor(uv.x)) * float(width) - .5;
  float ix = floor(px);
  uint x0 = uint((ix < 0. ? float(width) - 1. : min(ix, float(width) - 1.)));
  uint x1 = uint((ix + 1. >= float(width) ? 0. : ix + 1.));
  float py = (uv.y - floor(uv.y)) * float(height) - .5;
  float iy = floor(py);
  uint y0 = uint((iy < 0. ? float(height) - 1. : min(iy, float(height) - 1.)));
  uint y1 = uint((iy + 1. >= float(height) ? 0. : iy + 1.));
  float2 f = float2(px - ix, py - iy);
  uint start = vd_start(k);
  uint texel0 = start + y0 * width + x0;
  uint texel1 = start + y0 * width + x1;
  uint texel2 = start + y1 * width + x0;
  uint texel3 = start + y1 * width + x1;
  float4 latent0 = vd_bilinear(vd_texel(texel0, 0u), vd_texel(texel1, 0u), vd_texel(texel2, 0u), vd_texel(texel3, 0u), f);
  return vd_surface(latent0);
}

float vd_log_half(float3 h, float3 n) {
  float3 d = h - n;
  return (log(dot(d, d) + 1e-6) + 6.) * .16666667;
}

float3 vd_difference(float3 g, float3 i) {
  float3 v = float3(g.y, -g.x, 0.);
  float along = dot(v, i) / max(1. + g.z, .01);
  return i * g.z + cross(v, i) + v * along;
}

// The BSDF times the cosine of wo, linear Rec. 709 RGB; 0 unless both directions are above the horizon.
float3 vd_eval(VdSurface s, float3 wi, float3 wo) {
  if (wi.z <= 0. || wo.z <= 0.) { return ((float3)0.); }
  float3 h = vd_normalize(wi + wo);
  float3 i0 = vd_local(s.t0, s.b0, s.n0, wi);
  float3 o0 = vd_local(s.t0, s.b0, s.n0, wo);
  float3 g0 = vd_normalize(i0 + o0);
  float3 d0 = vd_difference(g0, i0);
  half4 h_x0 = half4(s.latent0);
  float4 h_0_0_a = mul(float4(i0.x, i0.y, i0.z, d0.x), vd_matrix(8u)) + mul(float4(d0.y, d0.z, vd_log_half(h, s.n0), 0.), vd_matrix(12u)) + float4(mul(h_x0, vd_matrix_half(16u))) + vd_vector(20u);
  float4 h_0_0_i = clamp(h_0_0_a, ((float4)-.5), ((float4).5));
  float4 h_0_0_b = h_0_0_i + ((float4).5);
  float4 h_0_0 = h_0_0_a * ((float4).01) + (h_0_0_b * h_0_0_b * ((float4).5) + max(h_0_0_a - h_0_0_i, ((float4)0.))) * ((float4).99);
  float4 h_raw0 = mul(h_0_0, vd_matrix(21u)) + vd_vector(25u);
  float c0_decay = exp(-abs(h_raw0.x));
  float c1_decay = exp(-abs(h_raw0.y));
  float c2_decay = exp(-abs(h_raw0.z));
  return float3((h_raw0.x >= 0. ? 1. / (1. + c0_decay) : c0_decay / (1. + c0_decay)), (h_raw0.y >= 0. ? 1. / (1. + c1_decay) : c1_decay / (1. + c1_decay)), (h_raw0.z >= 0. ? 1. / (1. + c2_decay) : c2_decay / (1. + c2_decay))) * 100000. * wo.z;
}

float vd_stretch(float x) {
  return sqrt(x * x + 1.);
}

float vd_width(float x) {
  float s = vd_stretch(x);
  float rest = 1. / (s * (s + abs(x)));
  return (x < 0. ? rest : 2. - rest) * .5 + .0001;
}

// The mixture that sample draws from and pdf describes: make it once where both are needed.
VdMixture vd_mixture(VdSurface s, float3 wi) {
  float3 i0 = vd_local(s.t0, s.b0, s.n0, wi);
  half4 h_x0 = half4(s.latent0);
  float4 h_0_0_a = mul(float4(i0.x, i0.y, i0.z, 0.), vd_matrix(26u)) + float4(mul(h_x0, vd_matrix_half(30u))) + vd_vector(34u);
  float4 h_0_0 = max(h_0_0_a, h_0_0_a * ((float4).01));
  float4 h_raw0 = mul(h_0_0, vd_matrix(35u)) + vd_vector(39u);
  float4 h_raw1 = mul(h_0_0, vd_matrix(40u)) + vd_vector(44u);
  float4 h_raw2 = mul(h_0_0, vd_matrix(45u)) + vd_vector(49u);
  float r0 = clamp(h_raw0.x, -100., 100.);
  float r1 = clamp(h_raw0.y, -100., 100.);
  float r2 = clamp(h_raw0.z, -100., 100.);
  float r3 = clamp(h_raw0.w, -100., 100.);
  float r4 = clamp(h_raw1.x, -100., 100.);
  float r5 = clamp(h_raw1.y, -100., 100.);
  float r6 = clamp(h_raw1.z, -100., 100.);
  float r7 = clamp(h_raw1.w, -100., 100.);
  float r8 = clamp(h_raw2.x, -100., 100.);
  float largest = max(r7, r8);
  float w0 = exp(r7 - largest);
  float w1 = exp(r8 - largest);
  float scale = .75 / (w0 + w1);
  float s0 = vd_stretch(r2);
  VdMixture made = { w0 * scale, vd_normalize(float3(-(r5 * vd_stretch(r5)), -(r6 * vd_stretch(r6)), 1.)), w1 * scale, float2(vd_width(r0), vd_width(r1)), float2(r2 / s0, 1. / s0), float2(r3 * vd_stretch(r3), r4 * vd_stretch(r4)) - s.n0.xy / max(s.n0.z, .05) };
  return made;
}

float vd_slopes(float2 slope, float2 width, float2 turn, float2 offset) {
  float2 q = (slope - offset) / width;
  float y = (q.y - turn.x * q.x) / turn.y;
  float near = 1. / (q.x * q.x + y * y + 1.);
  return near * near / (width.x * width.y * turn.y);
}

// Density of mixture_sample at wo per solid angle; 0 unless both directions are above the horizon.
float vd_mixture_pdf(VdMixture m, float3 wi, float3 wo) {
  if (wi.z <= 0. || wo.z <= 0.) { return 0.; }
  float3 v = wi + wo;
  float z = max(v.z, 1e-6);
  float2 slope = -v.xy / z;
  float ggx = m.share0 * vd_slopes(slope, m.width0, m.turn0, m.offset0) * (dot(v, v) / (2. * z * z * z));
  return (m.share * max(dot(wo, m.axis), 0.) + ggx + .125) * .31830987;
}

float3 vd_around(float3 axis, float3 p) {
  float side = (axis.z < 0. ? -1. : 1.);
  float a = -1. / (side + axis.z);
  float3 first = float3(1. + side * axis.x * axis.x * a, side * axis.x * axis.y * a, -side * axis.x);
  return first * p.x + cross(axis, first) * p.y + axis * p.z;
}

// wo and its density from u in [0, 1)^3, u.x picking the lobe; density 0 marks a null sample.
float4 vd_mixture_sample(VdMixture m, float3 wi, float3 u) {
  float angle = u.z * 6.2831855;
  float cos_phi = cos(angle);
  float sin_phi = sin(angle);
  float edge0 = m.share + .25;
  float2 width = m.width0;
  float2 turn = m.turn0;
  float2 offset = m.offset0;
  bool is_ggx = u.x >= edge0;
  float below_one = min(u.y, .99999994);
  float radius = sqrt(below_one / (1. - below_one));
  float x = cos_phi * radius;
  float y = sin_phi * radius;
  float2 slope = width * float2(x, turn.x * x + turn.y * y) + offset;
  float3 h = vd_normalize(float3(-slope.x, -slope.y, 1.));
  float wi_h = dot(wi, h);
  bool is_even = u.x < .25;
  float z = (is_even ? 1. - u.y : sqrt(1. - u.y));
  float sin_theta = sqrt(max(1. - z * z, 0.));
  float3 wo = vd_normalize((is_ggx ? h * (2. * wi_h) - wi : vd_around((is_even ? float3(0., 0., 1.) : m.axis), float3(sin_theta * cos_phi, sin_theta * sin_phi, z))));
  if ((is_ggx ? wi_h : 1.) <= 0.) { return float4(wo, 0.); }
  return float4(wo, vd_mixture_pdf(m, wi, wo));
}

// Density of sample at wo per solid angle; 0 unless both directions are above the horizon.
float vd_pdf(VdSurface s, float3 wi, float3 wo) {
  return vd_mixture_pdf(vd_mixture(s, wi), wi, wo);
}

// A direction wo (xyz) and its density (w) from u in [0, 1)^3; density 0 marks a null sample.
float4 vd_sample(VdSurface s, float3 wi, float3 u) {
  return vd_mixture_sample(vd_mixture(s, wi), wi, u);
}

// Directional albedo; 0 unless wi is above the horizon; 1 without this head.
float3 vd_albedo(VdSurface s, float3 wi) {
  if (wi.z <= 0.) { return ((float3)0.); }
  float3 i0 = vd_local(s.t0, s.b0, s.n0, wi);
  half4 h_x0 = half4(s.latent0);
  float4 h_0_0_a = mul(float4(i0.x, i0.y, i0.z, 0.), vd_matrix(50u)) + float4(mul(h_x0, vd_matrix_half(54u))) + vd_vector(58u);
  float4 h_0_0 = max(h_0_0_a, h_0_0_a * ((float4).01));
  float4 h_raw0 = mul(h_0_0, vd_matrix(59u)) + vd_vector(63u);
  float c0_decay = exp(-abs(h_raw0.x));
  float c1_decay = exp(-abs(h_raw0.y));
  float c2_decay = exp(-abs(h_raw0.z));
  return float3((h_raw0.x >= 0. ? 1. / (1. + c0_decay) : c0_decay / (1. + c0_decay)), (h_raw0.y >= 0. ? 1. / (1. + c1_decay) : c1_decay / (1. + c1_decay)), (h_raw0.z >= 0. ? 1. / (1. + c2_decay) : c2_decay / (1. + c2_decay)));
}

// Albedo, normal and roughness for denoisers; plain grey without this head.
VdGuides vd_guides(VdSurface s) {
  VdGuides made = { ((float3).5), float3(0., 0., 1.), 1. };
  return made;
}

// Radiance emitted along the normal; 0 without this head.
float3 vd_emission(VdSurface s) {
  half4 h_x0 = half4(s.latent0);
  float4 h_0_0_a = float4(mul(h_x0, vd_matrix_half(64u))) + vd_vector(68u);
  float4 h_0_0 = max(h_0_0_a, h_0_0_a * ((float4).01));
  float4 h_raw0 = mul(h_0_0, vd_matrix(69u)) + vd_vector(73u);
  float3 strength = max(float3(h_raw0.x, h_raw0.y, h_raw0.z), ((float3)0.));
  return strength * strength;
}

// Share of the surface that is there; 1 without this head.
float vd_opacity(VdSurface s) {
  return 1.;
}
