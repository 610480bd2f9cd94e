#pragma once

#include <math.h>
#include <string.h>

#ifdef __CUDACC__
#define VD_FUNCTION __host__ __device__ inline
#else
#define VD_FUNCTION inline
#endif

namespace vd_math {

typedef unsigned short Half;

struct Vec2 {
  float x, y;
  VD_FUNCTION Vec2() {}
  VD_FUNCTION Vec2(float x, float y) : x(x), y(y) {}
};

struct Vec3 {
  float x, y, z;
  VD_FUNCTION Vec3() {}
  VD_FUNCTION explicit Vec3(float s) : x(s), y(s), z(s) {}
  VD_FUNCTION Vec3(float x, float y, float z) : x(x), y(y), z(z) {}
  VD_FUNCTION Vec3(Vec2 v, float z) : x(v.x), y(v.y), z(z) {}
  VD_FUNCTION Vec2 xy() const { return Vec2(x, y); }
};

struct Vec4 {
  float x, y, z, w;
  VD_FUNCTION Vec4() {}
  VD_FUNCTION explicit Vec4(float s) : x(s), y(s), z(s), w(s) {}
  VD_FUNCTION Vec4(float x, float y, float z, float w) : x(x), y(y), z(z), w(w) {}
  VD_FUNCTION Vec4(Vec3 v, float w) : x(v.x), y(v.y), z(v.z), w(w) {}
};

VD_FUNCTION Vec2 operator-(Vec2 a) { return Vec2(-a.x, -a.y); }
VD_FUNCTION Vec2 operator+(Vec2 a, Vec2 b) { return Vec2(a.x + b.x, a.y + b.y); }
VD_FUNCTION Vec2 operator-(Vec2 a, Vec2 b) { return Vec2(a.x - b.x, a.y - b.y); }
VD_FUNCTION Vec2 operator*(Vec2 a, Vec2 b) { return Vec2(a.x * b.x, a.y * b.y); }
VD_FUNCTION Vec2 operator/(Vec2 a, Vec2 b) { return Vec2(a.x / b.x, a.y / b.y); }
VD_FUNCTION Vec2 operator/(Vec2 a, float s) { return Vec2(a.x / s, a.y / s); }
VD_FUNCTION float length(Vec2 a) { return sqrtf(a.x * a.x + a.y * a.y); }

VD_FUNCTION Vec3 operator-(Vec3 a) { return Vec3(-a.x, -a.y, -a.z); }
VD_FUNCTION Vec3 operator+(Vec3 a, Vec3 b) { return Vec3(a.x + b.x, a.y + b.y, a.z + b.z); }
VD_FUNCTION Vec3 operator-(Vec3 a, Vec3 b) { return Vec3(a.x - b.x, a.y - b.y, a.z - b.z); }
VD_FUNCTION Vec3 operator*(Vec3 a, Vec3 b) { return Vec3(a.x * b.x, a.y * b.y, a.z * b.z); }
VD_FUNCTION Vec3 operator*(Vec3 a, float s) { return Vec3(a.x * s, a.y * s, a.z * s); }
VD_FUNCTION Vec3 operator/(Vec3 a, float s) { return Vec3(a.x / s, a.y / s, a.z / s); }
VD_FUNCTION float dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
VD_FUNCTION float length(Vec3 a) { return sqrtf(dot(a, a)); }
VD_FUNCTION Vec3 exp(Vec3 a) { return Vec3(expf(a.x), expf(a.y), expf(a.z)); }
VD_FUNCTION Vec3 cross(Vec3 a, Vec3 b) {
  return Vec3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}

VD_FUNCTION Vec4 operator+(Vec4 a, Vec4 b) { return Vec4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w); }
VD_FUNCTION Vec4 operator-(Vec4 a, Vec4 b) { return Vec4(a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w); }
VD_FUNCTION Vec4 operator*(Vec4 a, Vec4 b) { return Vec4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w); }
VD_FUNCTION Vec4 operator*(Vec4 a, float s) { return Vec4(a.x * s, a.y * s, a.z * s, a.w * s); }

VD_FUNCTION float max(float a, float b) { return a > b ? a : b; }
VD_FUNCTION float min(float a, float b) { return a < b ? a : b; }
VD_FUNCTION unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
VD_FUNCTION unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
VD_FUNCTION float clamp(float x, float a, float b) { return min(max(x, a), b); }
VD_FUNCTION Vec3 max(Vec3 a, Vec3 b) { return Vec3(max(a.x, b.x), max(a.y, b.y), max(a.z, b.z)); }
VD_FUNCTION Vec4 max(Vec4 a, Vec4 b) { return Vec4(max(a.x, b.x), max(a.y, b.y), max(a.z, b.z), max(a.w, b.w)); }
VD_FUNCTION Vec4 min(Vec4 a, Vec4 b) { return Vec4(min(a.x, b.x), min(a.y, b.y), min(a.z, b.z), min(a.w, b.w)); }
VD_FUNCTION Vec4 clamp(Vec4 x, Vec4 a, Vec4 b) { return min(max(x, a), b); }
VD_FUNCTION float abs(float x) { return fabsf(x); }
VD_FUNCTION float sqrt(float x) { return sqrtf(x); }
VD_FUNCTION float exp(float x) { return expf(x); }
VD_FUNCTION float log(float x) { return logf(x); }
VD_FUNCTION float log2(float x) { return log2f(x); }
VD_FUNCTION float floor(float x) { return floorf(x); }
VD_FUNCTION float cos(float x) { return cosf(x); }
VD_FUNCTION float sin(float x) { return sinf(x); }

// Column by column.
struct Mat4 {
  Vec4 a, b, c, d;
  VD_FUNCTION Mat4(float a0, float a1, float a2, float a3, float b0, float b1, float b2, float b3, float c0, float c1,
                     float c2, float c3, float d0, float d1, float d2, float d3)
      : a(a0, a1, a2, a3), b(b0, b1, b2, b3), c(c0, c1, c2, c3), d(d0, d1, d2, d3) {}
};

VD_FUNCTION Vec4 operator*(const Mat4& m, Vec4 v) { return m.a * v.x + m.b * v.y + m.c * v.z + m.d * v.w; }

// A half by its bits: those of a single, but for the bias of the exponent, which a product mends.
VD_FUNCTION float single(Half bits) {
  unsigned magnitude = (bits & 0x7fffu) << 13;
  float value;
  memcpy(&value, &magnitude, sizeof value);
  value *= 5.192296858534828e33f;
  return bits & 0x8000u ? -value : value;
}

}  // namespace vd_math

VD_FUNCTION vd_math::Vec4 vd_texel(const vd_math::Half* latents, unsigned texel, unsigned part) {
  const vd_math::Half* at = latents + (texel * 1u + part) * 4u;
  return vd_math::Vec4(vd_math::single(at[0]), vd_math::single(at[1]), vd_math::single(at[2]),
                         vd_math::single(at[3]));
}

constexpr unsigned VD_LEVELS = 2u;
constexpr unsigned VD_CHANNELS = 2u;
constexpr unsigned VD_FRAMES = 1u;
constexpr unsigned VD_WIDTH = 3u;
constexpr unsigned VD_HEIGHT = 2u;
constexpr bool VD_HAS_ALBEDO = true;
constexpr bool VD_HAS_GUIDES = false;
constexpr bool VD_HAS_EMISSION = true;
constexpr bool VD_HAS_OPACITY = false;

// A point of the material, independent of directions.
struct VdSurface {
  vd_math::Vec4 latent0;
  vd_math::Vec3 t0;
  vd_math::Vec3 b0;
  vd_math::Vec3 n0;
  unsigned level;
};

// What the sampler's network says of a surface seen from wi: lobes to draw wo from.
struct VdMixture {
  float share;
  vd_math::Vec3 axis;
  float share0;
  vd_math::Vec2 width0;
  vd_math::Vec2 turn0;
  vd_math::Vec2 offset0;
};

// For denoisers; the normal is in the local frame.
struct VdGuides {
  vd_math::Vec3 albedo;
  vd_math::Vec3 normal;
  float roughness;
};

VD_FUNCTION unsigned vd_start(unsigned level) {
  if (level <= 0u) { return 0u; }
  return 6u;
}

// Fractional level for a footprint, from the changes of uv across a pixel. Not clamped.
VD_FUNCTION float vd_level(vd_math::Vec2 duv_dx, vd_math::Vec2 duv_dy) {
  vd_math::Vec2 size = vd_math::Vec2(3.f, 2.f);
  vd_math::Vec2 x = duv_dx * size;
  vd_math::Vec2 y = duv_dy * size;
  float longest = vd_math::max(vd_math::length(x), vd_math::length(y));
  float area = vd_math::abs(x.x * y.y - x.y * y.x);
  return vd_math::log2(vd_math::max(vd_math::max(area / vd_math::max(longest, 1e-20f), longest * .5f), .001f));
}

// A whole level beside a fractional one, the upper one with the probability of the fraction; u in [0, 1).
VD_FUNCTION unsigned vd_pick_level(float level, float u) {
  return unsigned(vd_math::min(vd_math::max(vd_math::floor(vd_math::min(vd_math::max(level, 0.f), 1.f) + u), 0.f), 1.f));
}

VD_FUNCTION vd_math::Vec3 vd_normalize(vd_math::Vec3 v) {
  return v / vd_math::max(vd_math::length(v), 1e-12f);
}

VD_FUNCTION vd_math::Vec3 vd_local(vd_math::Vec3 t, vd_math::Vec3 b, vd_math::Vec3 n, vd_math::Vec3 d) {
  return vd_math::Vec3(vd_math::dot(t, d), vd_math::dot(b, d), vd_math::dot(n, d));
}

VD_FUNCTION vd_math::Vec4 vd_bilinear(vd_math::Vec4 a, vd_math::Vec4 b, vd_math::Vec4 c, vd_math::Vec4 d, vd_math::Vec2 f) {
  vd_math::Vec4 low = a + (b - a) * f.x;
  vd_math::Vec4 high = c + (d - c) * f.x;
  return low + (high - low) * f.y;
}

// The surface with a latent that was fetched in some other way.
VD_FUNCTION VdSurface vd_surface(vd_math::Vec4 latent0, unsigned level) {
  vd_math::Vec4 raw0 = vd_math::Mat4(-.40625f,.75f,.328125f,-.09375f,.171875f,-.25f,-.671875f,.484375f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f) * latent0;
  vd_math::Vec4 raw1 = vd_math::Mat4(-.515625f,.640625f,0.f,0.f,.0625f,-.359375f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f) * latent0;
  vd_math::Vec3 n0 = vd_normalize(vd_math::Vec3(raw0.x, raw0.y, raw0.z + 1.f));
  vd_math::Vec3 t0 = vd_normalize(vd_math::Vec3(raw0.w + 1.f, raw1.x, raw1.y));
  return {latent0, t0, vd_math::cross(n0, t0), n0, level};
}

// The surface at uv from one level, bilinear, repeating; levels above the last are the last.
VD_FUNCTION VdSurface vd_fetch(const vd_math::Half* latents, vd_math::Vec2 uv, unsigned level) {
  unsigned k = vd_math::min(level, 1u);
  unsigned width = vd_math::max((3u >> k), 1u);
  unsigned height = vd_math::max((2u >> k), 1u);
  float px = (uv.x - vd_math::floor(uv.x)) * float(width) - .5f;
  float ix = vd_math::floor(px);
  unsigned x0 = unsigned((ix < 0.f ? float(width) - 1.f : vd_math::min(ix, float(width) - 1.f)));
  unsigned x1 = unsigned((ix + 1.f >= float(width) ? 0.f : ix + 1.f));
  float py = (uv.y - vd_math::floor(uv.y)) * float(height) - .5f;
  float iy = vd_math::floor(py);
  unsigned y0 = unsigned((iy < 0.f ? float(height) - 1.f : vd_math::min(iy, float(height) - 1.f)));
  unsigned y1 = unsigned((iy + 1.f >= float(height) ? 0.f : iy + 1.f));
  vd_math::Vec2 f = vd_math::Vec2(px - ix, py - iy);
  unsigned start = vd_start(k);
  unsigned texel0 = start + y0 * width + x0;
  unsigned texel1 = start + y0 * width + x1;
  unsigned texel2 = start + y1 * width + x0;
  unsigned texel3 = start + y1 * width + x1;
  vd_math::Vec4 latent0 = vd_bilinear(vd_texel(latents, texel0, 0u), vd_texel(latents, texel1, 0u), vd_texel(latents, texel2, 0u), vd_texel(latents, texel3, 0u), f);
  return vd_surface(latent0, k);
}

VD_FUNCTION float vd_log_half(vd_math::Vec3 h, vd_math::Vec3 n) {
  vd_math::Vec3 d = h - n;
  return (vd_math::log(vd_math::dot(d, d) + 1e-6f) + 6.f) * .16666667f;
}

VD_FUNCTION vd_math::Vec3 vd_difference(vd_math::Vec3 g, vd_math::Vec3 i) {
  vd_math::Vec3 v = vd_math::Vec3(g.y, -g.x, 0.f);
  float along = vd_math::dot(v, i) / vd_math::max(1.f + g.z, .01f);
  return i * g.z + vd_math::cross(v, i) + v * along;
}

VD_FUNCTION vd_math::Vec3 vd_eval_far(VdSurface s, vd_math::Vec3 wi, vd_math::Vec3 wo) {
  vd_math::Vec3 h = vd_normalize(wi + wo);
  vd_math::Vec3 i0 = vd_local(s.t0, s.b0, s.n0, wi);
  vd_math::Vec3 o0 = vd_local(s.t0, s.b0, s.n0, wo);
  vd_math::Vec3 g0 = vd_normalize(i0 + o0);
  vd_math::Vec3 d0 = vd_difference(g0, i0);
  vd_math::Vec4 h_0_0_a = vd_math::Mat4(.21875f,.6875f,-.421875f,0.f,-.78125f,-.3125f,.15625f,0.f,-.203125f,.265625f,.734375f,0.f,.375f,-.734375f,-.265625f,0.f) * vd_math::Vec4(i0.x, i0.y, i0.z, d0.x) + vd_math::Mat4(-.625f,-.15625f,.3125f,0.f,-.046875f,.421875f,-.6875f,0.f,.53125f,-.578125f,-.109375f,0.f,0.f,0.f,0.f,0.f) * vd_math::Vec4(d0.y, d0.z, vd_log_half(h, s.n0), 0.f) + vd_math::Mat4(-.46875f,0.f,.46875f,0.f,.109375f,.578125f,-.53125f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f) * s.latent0 + vd_math::Vec4(.046875f, .625f, -.375f, 0.f);
  vd_math::Vec4 h_0_0_i = vd_math::clamp(h_0_0_a, vd_math::Vec4(-.5f), vd_math::Vec4(.5f));
  vd_math::Vec4 h_0_0_b = h_0_0_i + vd_math::Vec4(.5f);
  vd_math::Vec4 h_0_0 = h_0_0_a * vd_math::Vec4(.01f) + (h_0_0_b * h_0_0_b * vd_math::Vec4(.5f) + vd_math::max(h_0_0_a - h_0_0_i, vd_math::Vec4(0.f))) * vd_math::Vec4(.99f);
  vd_math::Vec4 h_raw0 = vd_math::Mat4(.019744873f,-.29467773f,.32885742f,0.f,.78515625f,-.17199707f,-.03237915f,0.f,.70703125f,-.30444336f,.43115234f,0.f,0.f,0.f,0.f,0.f) * h_0_0 + vd_math::Vec4(-.5541992f, .4699707f, -.028930664f, 0.f);
  float c0_decay = vd_math::exp(-vd_math::abs(h_raw0.x));
  float c1_decay = vd_math::exp(-vd_math::abs(h_raw0.y));
  float c2_decay = vd_math::exp(-vd_math::abs(h_raw0.z));
  return vd_math::Vec3((h_raw0.x >= 0.f ? 1.f / (1.f + c0_decay) : c0_decay / (1.f + c0_decay)), (h_raw0.y >= 0.f ? 1.f / (1.f + c1_decay) : c1_decay / (1.f + c1_decay)), (h_raw0.z >= 0.f ? 1.f / (1.f + c2_decay) : c2_decay / (1.f + c2_decay))) * 100000.f * wo.z;
}

// The BSDF times the cosine of wo, linear Rec. 709 RGB; 0 unless both directions are above the horizon.
VD_FUNCTION vd_math::Vec3 vd_eval(VdSurface s, vd_math::Vec3 wi, vd_math::Vec3 wo) {
  if (wi.z <= 0.f || wo.z <= 0.f) { return vd_math::Vec3(0.f); }
  if (s.level >= 1u) { return vd_eval_far(s, wi, wo); }
  vd_math::Vec3 h = vd_normalize(wi + wo);
  vd_math::Vec3 i0 = vd_local(s.t0, s.b0, s.n0, wi);
  vd_math::Vec3 o0 = vd_local(s.t0, s.b0, s.n0, wo);
  vd_math::Vec3 g0 = vd_normalize(i0 + o0);
  vd_math::Vec3 d0 = vd_difference(g0, i0);
  vd_math::Vec4 h_0_0_a = vd_math::Mat4(.21875f,.6875f,-.421875f,0.f,-.78125f,-.3125f,.15625f,0.f,-.203125f,.265625f,.734375f,0.f,.375f,-.734375f,-.265625f,0.f) * vd_math::Vec4(i0.x, i0.y, i0.z, d0.x) + vd_math::Mat4(-.625f,-.15625f,.3125f,0.f,-.046875f,.421875f,-.6875f,0.f,.53125f,-.578125f,-.109375f,0.f,0.f,0.f,0.f,0.f) * vd_math::Vec4(d0.y, d0.z, vd_log_half(h, s.n0), 0.f) + vd_math::Mat4(-.46875f,0.f,.46875f,0.f,.109375f,.578125f,-.53125f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f) * s.latent0 + vd_math::Vec4(.046875f, .625f, -.375f, 0.f);
  vd_math::Vec4 h_0_0_i = vd_math::clamp(h_0_0_a, vd_math::Vec4(-.5f), vd_math::Vec4(.5f));
  vd_math::Vec4 h_0_0_b = h_0_0_i + vd_math::Vec4(.5f);
  vd_math::Vec4 h_0_0 = h_0_0_a * vd_math::Vec4(.01f) + (h_0_0_b * h_0_0_b * vd_math::Vec4(.5f) + vd_math::max(h_0_0_a - h_0_0_i, vd_math::Vec4(0.f))) * vd_math::Vec4(.99f);
  vd_math::Vec4 h_raw0 = vd_math::Mat4(.203125f,.359375f,.515625f,0.f,.78125f,-.640625f,-.484375f,0.f,-.21875f,-.0625f,.09375f,0.f,0.f,0.f,0.f,0.f) * h_0_0 + vd_math::Vec4(.671875f, -.328125f, .25f, 0.f);
  float c0_decay = vd_math::exp(-vd_math::abs(h_raw0.x));
  float c1_decay = vd_math::exp(-vd_math::abs(h_raw0.y));
  float c2_decay = vd_math::exp(-vd_math::abs(h_raw0.z));
  return vd_math::Vec3((h_raw0.x >= 0.f ? 1.f / (1.f + c0_decay) : c0_decay / (1.f + c0_decay)), (h_raw0.y >= 0.f ? 1.f / (1.f + c1_decay) : c1_decay / (1.f + c1_decay)), (h_raw0.z >= 0.f ? 1.f / (1.f + c2_decay) : c2_decay / (1.f + c2_decay))) * 100000.f * wo.z;
}

VD_FUNCTION float vd_stretch(float x) {
  return vd_math::sqrt(x * x + 1.f);
}

VD_FUNCTION float vd_width(float x) {
  float s = vd_stretch(x);
  float rest = 1.f / (s * (s + vd_math::abs(x)));
  return (x < 0.f ? rest : 2.f - rest) * .5f + .0001f;
}

// The mixture that sample draws from and pdf describes: make it once where both are needed.
VD_FUNCTION VdMixture vd_mixture(VdSurface s, vd_math::Vec3 wi) {
  vd_math::Vec3 i0 = vd_local(s.t0, s.b0, s.n0, wi);
  vd_math::Vec4 h_0_0_a = vd_math::Mat4(-.75f,.5625f,0.f,0.f,-.171875f,-.4375f,0.f,0.f,.40625f,.140625f,0.f,0.f,0.f,0.f,0.f,0.f) * vd_math::Vec4(i0.x, i0.y, i0.z, 0.f) + vd_math::Mat4(-.59375f,.71875f,0.f,0.f,-.015625f,-.28125f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f) * s.latent0 + vd_math::Vec4(.296875f, -.703125f, 0.f, 0.f);
  vd_math::Vec4 h_0_0 = vd_math::max(h_0_0_a, h_0_0_a * vd_math::Vec4(.01f));
  vd_math::Vec4 h_raw0 = vd_math::Mat4(-.125f,-.546875f,.609375f,.1875f,.453125f,.03125f,-.390625f,.765625f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f) * h_0_0 + vd_math::Vec4(-.765625f, -.1875f, .390625f, -.609375f);
  vd_math::Vec4 h_raw1 = vd_math::Mat4(-.234375f,-.65625f,.5f,.078125f,.34375f,-.078125f,-.5f,.65625f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f) * h_0_0 + vd_math::Vec4(-.03125f, .546875f, -.453125f, .125f);
  vd_math::Vec4 h_raw2 = vd_math::Mat4(-.34375f,0.f,0.f,0.f,.234375f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f) * h_0_0 + vd_math::Vec4(.703125f, 0.f, 0.f, 0.f);
  float r0 = vd_math::clamp(h_raw0.x, -100.f, 100.f);
  float r1 = vd_math::clamp(h_raw0.y, -100.f, 100.f);
  float r2 = vd_math::clamp(h_raw0.z, -100.f, 100.f);
  float r3 = vd_math::clamp(h_raw0.w, -100.f, 100.f);
  float r4 = vd_math::clamp(h_raw1.x, -100.f, 100.f);
  float r5 = vd_math::clamp(h_raw1.y, -100.f, 100.f);
  float r6 = vd_math::clamp(h_raw1.z, -100.f, 100.f);
  float r7 = vd_math::clamp(h_raw1.w, -100.f, 100.f);
  float r8 = vd_math::clamp(h_raw2.x, -100.f, 100.f);
  float largest = vd_math::max(r7, r8);
  float w0 = vd_math::exp(r7 - largest);
  float w1 = vd_math::exp(r8 - largest);
  float scale = .75f / (w0 + w1);
  float s0 = vd_stretch(r2);
  return {w0 * scale, vd_normalize(vd_math::Vec3(-(r5 * vd_stretch(r5)), -(r6 * vd_stretch(r6)), 1.f)), w1 * scale, vd_math::Vec2(vd_width(r0), vd_width(r1)), vd_math::Vec2(r2 / s0, 1.f / s0), vd_math::Vec2(r3 * vd_stretch(r3), r4 * vd_stretch(r4)) - s.n0.xy() / vd_math::max(s.n0.z, .05f)};
}

VD_FUNCTION float vd_slopes(vd_math::Vec2 slope, vd_math::Vec2 width, vd_math::Vec2 turn, vd_math::Vec2 offset) {
  vd_math::Vec2 q = (slope - offset) / width;
  float y = (q.y - turn.x * q.x) / turn.y;
  float near = 1.f / (q.x * q.x + y * y + 1.f);
  return near * near / (width.x * width.y * turn.y);
}

// Density of mixture_sample at wo per solid angle; 0 unless both directions are above the horizon.
VD_FUNCTION float vd_mixture_pdf(VdMixture m, vd_math::Vec3 wi, vd_math::Vec3 wo) {
  if (wi.z <= 0.f || wo.z <= 0.f) { return 0.f; }
  vd_math::Vec3 v = wi + wo;
  float z = vd_math::max(v.z, 1e-6f);
  vd_math::Vec2 slope = -v.xy() / z;
  float ggx = m.share0 * vd_slopes(slope, m.width0, m.turn0, m.offset0) * (vd_math::dot(v, v) / (2.f * z * z * z));
  return (m.share * vd_math::max(vd_math::dot(wo, m.axis), 0.f) + ggx + .125f) * .31830987f;
}

VD_FUNCTION vd_math::Vec3 vd_around(vd_math::Vec3 axis, vd_math::Vec3 p) {
  float side = (axis.z < 0.f ? -1.f : 1.f);
  float a = -1.f / (side + axis.z);
  vd_math::Vec3 first = vd_math::Vec3(1.f + side * axis.x * axis.x * a, side * axis.x * axis.y * a, -side * axis.x);
  return first * p.x + vd_math::cross(axis, first) * p.y + axis * p.z;
}

// wo and its density from u in [0, 1)^3, u.x picking the lobe; density 0 marks a null sample.
VD_FUNCTION vd_math::Vec4 vd_mixture_sample(VdMixture m, vd_math::Vec3 wi, vd_math::Vec3 u) {
  float angle = u.z * 6.2831855f;
  float cos_phi = vd_math::cos(angle);
  float sin_phi = vd_math::sin(angle);
  float edge0 = m.share + .25f;
  vd_math::Vec2 width = m.width0;
  vd_math::Vec2 turn = m.turn0;
  vd_math::Vec2 offset = m.offset0;
  bool is_ggx = u.x >= edge0;
  float below_one = vd_math::min(u.y, .99999994f);
  float radius = vd_math::sqrt(below_one / (1.f - below_one));
  float x = cos_phi * radius;
  float y = sin_phi * radius;
  vd_math::Vec2 slope = width * vd_math::Vec2(x, turn.x * x + turn.y * y) + offset;
  vd_math::Vec3 h = vd_normalize(vd_math::Vec3(-slope.x, -slope.y, 1.f));
  float wi_h = vd_math::dot(wi, h);
  bool is_even = u.x < .25f;
  float z = (is_even ? 1.f - u.y : vd_math::sqrt(1.f - u.y));
  float sin_theta = vd_math::sqrt(vd_math::max(1.f - z * z, 0.f));
  vd_math::Vec3 wo = vd_normalize((is_ggx ? h * (2.f * wi_h) - wi : vd_around((is_even ? vd_math::Vec3(0.f, 0.f, 1.f) : m.axis), vd_math::Vec3(sin_theta * cos_phi, sin_theta * sin_phi, z))));
  if ((is_ggx ? wi_h : 1.f) <= 0.f) { return vd_math::Vec4(wo, 0.f); }
  return vd_math::Vec4(wo, vd_mixture_pdf(m, wi, wo));
}

// Density of sample at wo per solid angle; 0 unless both directions are above the horizon.
VD_FUNCTION float vd_pdf(VdSurface s, vd_math::Vec3 wi, vd_math::Vec3 wo) {
  return vd_mixture_pdf(vd_mixture(s, wi), wi, wo);
}

// A direction wo (xyz) and its density (w) from u in [0, 1)^3; density 0 marks a null sample.
VD_FUNCTION vd_math::Vec4 vd_sample(VdSurface s, vd_math::Vec3 wi, vd_math::Vec3 u) {
  return vd_mixture_sample(vd_mixture(s, wi), wi, u);
}

// Directional albedo; 0 unless wi is above the horizon; 1 without this head.
VD_FUNCTION vd_math::Vec3 vd_albedo(VdSurface s, vd_math::Vec3 wi) {
  if (wi.z <= 0.f) { return vd_math::Vec3(0.f); }
  vd_math::Vec3 i0 = vd_local(s.t0, s.b0, s.n0, wi);
  vd_math::Vec4 h_0_0_a = vd_math::Mat4(-.35864258f,.049072266f,0.f,0.f,-.59228516f,-.24719238f,0.f,0.f,-.111083984f,-.35107422f,0.f,0.f,0.f,0.f,0.f,0.f) * vd_math::Vec4(i0.x, i0.y, i0.z, 0.f) + vd_math::Mat4(.18798828f,.33496094f,0.f,0.f,.5078125f,.73095703f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f) * s.latent0 + vd_math::Vec4(.081848145f, -.3701172f, 0.f, 0.f);
  vd_math::Vec4 h_0_0 = vd_math::max(h_0_0_a, h_0_0_a * vd_math::Vec4(.01f));
  vd_math::Vec4 h_raw0 = vd_math::Mat4(-.6777344f,.14343262f,-.059173584f,0.f,1.1318359f,-1.2246094f,-.8227539f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f) * h_0_0 + vd_math::Vec4(-.18884277f, -.1463623f, -.21398926f, 0.f);
  float c0_decay = vd_math::exp(-vd_math::abs(h_raw0.x));
  float c1_decay = vd_math::exp(-vd_math::abs(h_raw0.y));
  float c2_decay = vd_math::exp(-vd_math::abs(h_raw0.z));
  return vd_math::Vec3((h_raw0.x >= 0.f ? 1.f / (1.f + c0_decay) : c0_decay / (1.f + c0_decay)), (h_raw0.y >= 0.f ? 1.f / (1.f + c1_decay) : c1_decay / (1.f + c1_decay)), (h_raw0.z >= 0.f ? 1.f / (1.f + c2_decay) : c2_decay / (1.f + c2_decay)));
}

// Albedo, normal and roughness for denoisers; plain grey without this head.
VD_FUNCTION VdGuides vd_guides(VdSurface) {
  return {vd_math::Vec3(.5f), vd_math::Vec3(0.f, 0.f, 1.f), 1.f};
}

// Radiance emitted along the normal; 0 without this head.
VD_FUNCTION vd_math::Vec3 vd_emission(VdSurface s) {
  vd_math::Vec4 h_0_0_a = vd_math::Mat4(.39135742f,-.41674805f,0.f,0.f,-.0446167f,.28955078f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f) * s.latent0 + vd_math::Vec4(.24890137f, -.49291992f, 0.f, 0.f);
  vd_math::Vec4 h_0_0 = vd_math::max(h_0_0_a, h_0_0_a * vd_math::Vec4(.01f));
  vd_math::Vec4 h_raw0 = vd_math::Mat4(-.18151855f,-.12243652f,.014633179f,0.f,-.6933594f,-.9116211f,-.026794434f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f,0.f) * h_0_0 + vd_math::Vec4(-.091308594f, -.31445312f, -.11883545f, 0.f);
  vd_math::Vec3 strength = vd_math::max(vd_math::Vec3(h_raw0.x, h_raw0.y, h_raw0.z), vd_math::Vec3(0.f));
  return strength * strength;
}

// Share of the surface that is there; 1 without this head.
VD_FUNCTION float vd_opacity(VdSurface) {
  return 1.f;
}
