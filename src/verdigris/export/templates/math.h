#include <math.h>
#include <string.h>

#ifdef __CUDACC__
#define @VD@_FUNCTION __host__ __device__ inline
#else
#define @VD@_FUNCTION inline
#endif

namespace @vd@_math {

typedef unsigned short Half;

struct Vec2 {
  float x, y;
  @VD@_FUNCTION Vec2() {}
  @VD@_FUNCTION Vec2(float x, float y) : x(x), y(y) {}
};

struct Vec3 {
  float x, y, z;
  @VD@_FUNCTION Vec3() {}
  @VD@_FUNCTION explicit Vec3(float s) : x(s), y(s), z(s) {}
  @VD@_FUNCTION Vec3(float x, float y, float z) : x(x), y(y), z(z) {}
  @VD@_FUNCTION Vec3(Vec2 v, float z) : x(v.x), y(v.y), z(z) {}
  @VD@_FUNCTION Vec2 xy() const { return Vec2(x, y); }
};

struct Vec4 {
  float x, y, z, w;
  @VD@_FUNCTION Vec4() {}
  @VD@_FUNCTION explicit Vec4(float s) : x(s), y(s), z(s), w(s) {}
  @VD@_FUNCTION Vec4(float x, float y, float z, float w) : x(x), y(y), z(z), w(w) {}
  @VD@_FUNCTION Vec4(Vec3 v, float w) : x(v.x), y(v.y), z(v.z), w(w) {}
};

@VD@_FUNCTION Vec2 operator-(Vec2 a) { return Vec2(-a.x, -a.y); }
@VD@_FUNCTION Vec2 operator+(Vec2 a, Vec2 b) { return Vec2(a.x + b.x, a.y + b.y); }
@VD@_FUNCTION Vec2 operator-(Vec2 a, Vec2 b) { return Vec2(a.x - b.x, a.y - b.y); }
@VD@_FUNCTION Vec2 operator*(Vec2 a, Vec2 b) { return Vec2(a.x * b.x, a.y * b.y); }
@VD@_FUNCTION Vec2 operator/(Vec2 a, Vec2 b) { return Vec2(a.x / b.x, a.y / b.y); }
@VD@_FUNCTION Vec2 operator/(Vec2 a, float s) { return Vec2(a.x / s, a.y / s); }
@VD@_FUNCTION float length(Vec2 a) { return sqrtf(a.x * a.x + a.y * a.y); }

@VD@_FUNCTION Vec3 operator-(Vec3 a) { return Vec3(-a.x, -a.y, -a.z); }
@VD@_FUNCTION Vec3 operator+(Vec3 a, Vec3 b) { return Vec3(a.x + b.x, a.y + b.y, a.z + b.z); }
@VD@_FUNCTION Vec3 operator-(Vec3 a, Vec3 b) { return Vec3(a.x - b.x, a.y - b.y, a.z - b.z); }
@VD@_FUNCTION Vec3 operator*(Vec3 a, Vec3 b) { return Vec3(a.x * b.x, a.y * b.y, a.z * b.z); }
@VD@_FUNCTION Vec3 operator*(Vec3 a, float s) { return Vec3(a.x * s, a.y * s, a.z * s); }
@VD@_FUNCTION Vec3 operator/(Vec3 a, float s) { return Vec3(a.x / s, a.y / s, a.z / s); }
@VD@_FUNCTION float dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
@VD@_FUNCTION float length(Vec3 a) { return sqrtf(dot(a, a)); }
@VD@_FUNCTION Vec3 exp(Vec3 a) { return Vec3(expf(a.x), expf(a.y), expf(a.z)); }
@VD@_FUNCTION Vec3 cross(Vec3 a, Vec3 b) {
  return Vec3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}

@VD@_FUNCTION Vec4 operator+(Vec4 a, Vec4 b) { return Vec4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w); }
@VD@_FUNCTION Vec4 operator-(Vec4 a, Vec4 b) { return Vec4(a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w); }
@VD@_FUNCTION Vec4 operator*(Vec4 a, Vec4 b) { return Vec4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w); }
@VD@_FUNCTION Vec4 operator*(Vec4 a, float s) { return Vec4(a.x * s, a.y * s, a.z * s, a.w * s); }

@VD@_FUNCTION float max(float a, float b) { return a > b ? a : b; }
@VD@_FUNCTION float min(float a, float b) { return a < b ? a : b; }
@VD@_FUNCTION unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
@VD@_FUNCTION unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
@VD@_FUNCTION float clamp(float x, float a, float b) { return min(max(x, a), b); }
@VD@_FUNCTION Vec3 max(Vec3 a, Vec3 b) { return Vec3(max(a.x, b.x), max(a.y, b.y), max(a.z, b.z)); }
@VD@_FUNCTION Vec4 max(Vec4 a, Vec4 b) { return Vec4(max(a.x, b.x), max(a.y, b.y), max(a.z, b.z), max(a.w, b.w)); }
@VD@_FUNCTION Vec4 min(Vec4 a, Vec4 b) { return Vec4(min(a.x, b.x), min(a.y, b.y), min(a.z, b.z), min(a.w, b.w)); }
@VD@_FUNCTION Vec4 clamp(Vec4 x, Vec4 a, Vec4 b) { return min(max(x, a), b); }
@VD@_FUNCTION float abs(float x) { return fabsf(x); }
@VD@_FUNCTION float sqrt(float x) { return sqrtf(x); }
@VD@_FUNCTION float exp(float x) { return expf(x); }
@VD@_FUNCTION float log(float x) { return logf(x); }
@VD@_FUNCTION float log2(float x) { return log2f(x); }
@VD@_FUNCTION float floor(float x) { return floorf(x); }
@VD@_FUNCTION float cos(float x) { return cosf(x); }
@VD@_FUNCTION float sin(float x) { return sinf(x); }

// Column by column.
struct Mat4 {
  Vec4 a, b, c, d;
  @VD@_FUNCTION Mat4(float a0, float a1, float a2, float a3, float b0, float b1, float b2, float b3, float c0, float c1,
                     float c2, float c3, float d0, float d1, float d2, float d3)
      : a(a0, a1, a2, a3), b(b0, b1, b2, b3), c(c0, c1, c2, c3), d(d0, d1, d2, d3) {}
};

@VD@_FUNCTION Vec4 operator*(const Mat4& m, Vec4 v) { return m.a * v.x + m.b * v.y + m.c * v.z + m.d * v.w; }

// A half by its bits: those of a single, but for the bias of the exponent, which a product mends.
@VD@_FUNCTION float single(Half bits) {
  unsigned magnitude = (bits & 0x7fffu) << 13;
  float value;
  memcpy(&value, &magnitude, sizeof value);
  value *= 5.192296858534828e33f;
  return bits & 0x8000u ? -value : value;
}

}  // namespace @vd@_math

@VD@_FUNCTION @vd@_math::Vec4 @vd@_texel(const @vd@_math::Half* latents, unsigned texel, unsigned part) {
  const @vd@_math::Half* at = latents + (texel * @parts@u + part) * 4u;
  return @vd@_math::Vec4(@vd@_math::single(at[0]), @vd@_math::single(at[1]), @vd@_math::single(at[2]),
                         @vd@_math::single(at[3]));
}
