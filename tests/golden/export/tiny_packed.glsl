const uint VD_LEVELS = 2u;
const uint VD_CHANNELS = 2u;
const uint VD_FRAMES = 1u;
const uint VD_WIDTH = 3u;
const uint VD_HEIGHT = 2u;
const bool VD_HAS_ALBEDO = true;
const bool VD_HAS_GUIDES = false;
const bool VD_HAS_EMISSION = true;
const bool VD_HAS_OPACITY = false;

// A point of the material, independent of directions.
struct VdSurface {
  vec4 latent0;
  vec3 t0;
  vec3 b0;
  vec3 n0;
};

// What the sampler's network says of a surface seen from wi: lobes to draw wo from.
struct VdMixture {
  float share;
  vec3 axis;
  float share0;
  vec2 width0;
  vec2 turn0;
  vec2 offset0;
};

// For denoisers; the normal is in the local frame.
struct VdGuides {
  vec3 albedo;
  vec3 normal;
  float roughness;
};

uniform highp sampler2DArray vd_latents;

vec4 vd_texel(uint x, uint y, uint level, uint part) {
  return texelFetch(vd_latents, ivec3(x, y, part), int(level));
}

#define vd_h unpackHalf2x16
#define vd_v(a, b) vec4(vd_h(a), vd_h(b))
#define vd_m(a, b, c, d, e, f, g, h) mat4(vd_v(a, b), vd_v(c, d), vd_v(e, f), vd_v(g, h))

// Fractional level for a footprint, from the changes of uv across a pixel. Not clamped.
float vd_level(vec2 duv_dx, vec2 duv_dy) {
  vec2 size = vec2(3., 2.);
  vec2 x = duv_dx * size;
  vec2 y = duv_dy * size;
  float longest = max(length(x), length(y));
  float area = abs(x.x * y.y - x.y * y.x);
  return log2(max(max(area / max(longest, 1e-20), longest * .5), .001));
}

// A whole level beside a fractional one, the upper one with the probability of the fraction; u in [0, 1).
uint vd_pick_level(float level, float u) {
  return uint(min(max(floor(min(max(level, 0.), 1.) + u), 0.), 1.));
}

vec3 vd_normalize(vec3 v) {
  return v / max(length(v), 1e-12);
}

vec3 vd_local(vec3 t, vec3 b, vec3 n, vec3 d) {
  return vec3(dot(t, d), dot(b, d), dot(n, d));
}

vec4 vd_bilinear(vec4 a, vec4 b, vec4 c, vec4 d, vec2 f) {
  vec4 low = a + (b - a) * f.x;
  vec4 high = c + (d - c) * f.x;
  return low + (high - low) * f.y;
}

// The surface with a latent that was fetched in some other way.
VdSurface vd_surface(vec4 latent0) {
  vec4 raw0 = vd_m(973125248u,2919249216u,3019911552u,935377248u,0u,0u,0u,0u) * latent0;
  vec4 raw1 = vd_m(958445600u,0u,3049270272u,0u,0u,0u,0u,0u) * latent0;
  vec3 n0 = vd_normalize(vec3(raw0.x, raw0.y, raw0.z + 1.));
  vec3 t0 = vd_normalize(vec3(raw0.w + 1., raw1.x, raw1.y));
  return VdSurface(latent0, t0, cross(n0, t0), n0);
}

// The surface at uv from one level, bilinear, repeating; levels above the last are the last.
VdSurface vd_fetch(vec2 uv, uint level) {
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
  vec2 f = vec2(px - ix, py - iy);
  vec4 latent0 = vd_bilinear(vd_texel(x0, y0, k, 0u), vd_texel(x1, y0, k, 0u), vd_texel(x0, y1, k, 0u), vd_texel(x1, y1, k, 0u), f);
  return vd_surface(latent0);
}

float vd_log_half(vec3 h, vec3 n) {
  vec3 d = h - n;
  return (log(dot(d, d) + 1e-6) + 6.) * .16666667;
}

vec3 vd_difference(vec3 g, vec3 i) {
  vec3 v = vec3(g.y, -g.x, 0.);
  float along = dot(v, i) / max(1. + g.z, .01);
  return i * g.z + cross(v, i) + v * along;
}

// The BSDF times the cosine of wo, linear Rec. 709 RGB; 0 unless both directions are above the horizon.
vec3 vd_eval(VdSurface s, vec3 wi, vec3 wo) {
  if (wi.z <= 0. || wo.z <= 0.) { return vec3(0.); }
  vec3 h = vd_normalize(wi + wo);
  vec3 i0 = vd_local(s.t0, s.b0, s.n0, wi);
  vec3 o0 = vd_local(s.t0, s.b0, s.n0, wo);
  vec3 g0 = vd_normalize(i0 + o0);
  vec3 d0 = vd_difference(g0, i0);
  vec4 h_0_0_a = vd_m(964702976u,46784u,3036723776u,12544u,876655232u,14816u,3118478848u,46144u) * vec4(i0.x, i0.y, i0.z, d0.x) + vd_m(2969614592u,13568u,918596096u,47488u,3097507904u,44800u,0u,0u) * vec4(d0.y, d0.z, vd_log_half(h, s.n0), 0.) + vd_m(46976u,14208u,950021888u,47168u,0u,0u,0u,0u) * s.latent0 + vd_v(956312064u,46592u);
  vec4 h_0_0_i = clamp(h_0_0_a, vec4(-.5), vec4(.5));
  vec4 h_0_0_b = h_0_0_i + vec4(.5);
  vec4 h_0_0 = h_0_0_a * vec4(.01) + (h_0_0_b * h_0_0_b * vec4(.5) + max(h_0_0_a - h_0_0_i, vec4(0.))) * vec4(.99);
  vec4 h_raw0 = vd_m(901788288u,14368u,3105897024u,47040u,2885726976u,11776u,0u,0u) * h_0_0 + vd_v(3040885088u,13312u);
  float c0_decay = exp(-abs(h_raw0.x));
  float c1_decay = exp(-abs(h_raw0.y));
  float c2_decay = exp(-abs(h_raw0.z));
  return vec3((h_raw0.x >= 0. ? 1. / (1. + c0_decay) : c0_decay / (1. + c0_decay)), (h_raw0.y >= 0. ? 1. / (1. + c1_decay) : c1_decay / (1. + c1_decay)), (h_raw0.z >= 0. ? 1. / (1. + c2_decay) : c2_decay / (1. + c2_decay))) * 100000. * wo.z;
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
VdMixture vd_mixture(VdSurface s, vec3 wi) {
  vec3 i0 = vd_local(s.t0, s.b0, s.n0, wi);
  vec4 h_0_0_a = vd_m(947960320u,0u,3070275968u,0u,813708928u,0u,0u,0u) * vec4(i0.x, i0.y, i0.z, 0.) + vd_m(968931520u,0u,3028329472u,0u,0u,0u,0u,0u) * s.latent0 + vd_v(3114284224u,0u);
  vec4 h_0_0 = max(h_0_0_a, h_0_0_a * vec4(.01));
  vec4 h_raw0 = vd_m(3093344256u,838875360u,671102784u,975222336u,0u,0u,0u,0u) * h_0_0 + vd_v(2986392096u,3101701696u);
  vec4 h_raw1 = vd_m(3108025216u,754989056u,2902472064u,960542720u,0u,0u,0u,0u) * h_0_0 + vd_v(945858560u,805353280u);
  vec4 h_raw2 = vd_m(46464u,0u,13184u,0u,0u,0u,0u,0u) * h_0_0 + vd_v(14752u,0u);
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
  return VdMixture(w0 * scale, vd_normalize(vec3(-(r5 * vd_stretch(r5)), -(r6 * vd_stretch(r6)), 1.)), w1 * scale, vec2(vd_width(r0), vd_width(r1)), vec2(r2 / s0, 1. / s0), vec2(r3 * vd_stretch(r3), r4 * vd_stretch(r4)) - s.n0.xy / max(s.n0.z, .05));
}

float vd_slopes(vec2 slope, vec2 width, vec2 turn, vec2 offset) {
  vec2 q = (slope - offset) / width;
  float y = (q.y - turn.x * q.x) / turn.y;
  float near = 1. / (q.x * q.x + y * y + 1.);
  return near * near / (width.x * width.y * turn.y);
}

// Density of mixture_sample at wo per solid angle; 0 unless both directions are above the horizon.
float vd_mixture_pdf(VdMixture m, vec3 wi, vec3 wo) {
  if (wi.z <= 0. || wo.z <= 0.) { return 0.; }
  vec3 v = wi + wo;
  float z = max(v.z, 1e-6);
  vec2 slope = -v.xy / z;
  float ggx = m.share0 * vd_slopes(slope, m.width0, m.turn0, m.offset0) * (dot(v, v) / (2. * z * z * z));
  return (m.share * max(dot(wo, m.axis), 0.) + ggx + .125) * .31830987;
}

vec3 vd_around(vec3 axis, vec3 p) {
  float side = (axis.z < 0. ? -1. : 1.);
  float a = -1. / (side + axis.z);
  vec3 first = vec3(1. + side * axis.x * axis.x * a, side * axis.x * axis.y * a, -side * axis.x);
  return first * p.x + cross(axis, first) * p.y + axis * p.z;
}

// wo and its density from u in [0, 1)^3, u.x picking the lobe; density 0 marks a null sample.
vec4 vd_mixture_sample(VdMixture m, vec3 wi, vec3 u) {
  float angle = u.z * 6.2831855;
  float cos_phi = cos(angle);
  float sin_phi = sin(angle);
  float edge0 = m.share + .25;
  vec2 width = m.width0;
  vec2 turn = m.turn0;
  vec2 offset = m.offset0;
  bool is_ggx = u.x >= edge0;
  float below_one = min(u.y, .99999994);
  float radius = sqrt(below_one / (1. - below_one));
  float x = cos_phi * radius;
  float y = sin_phi * radius;
  vec2 slope = width * vec2(x, turn.x * x + turn.y * y) + offset;
  vec3 h = vd_normalize(vec3(-slope.x, -slope.y, 1.));
  float wi_h = dot(wi, h);
  bool is_even = u.x < .25;
  float z = (is_even ? 1. - u.y : sqrt(1. - u.y));
  float sin_theta = sqrt(max(1. - z * z, 0.));
  vec3 wo = vd_normalize((is_ggx ? h * (2. * wi_h) - wi : vd_around((is_even ? vec3(0., 0., 1.) : m.axis), vec3(sin_theta * cos_phi, sin_theta * sin_phi, z))));
  if ((is_ggx ? wi_h : 1.) <= 0.) { return vec4(wo, 0.); }
  return vec4(wo, vd_mixture_pdf(m, wi, wo));
}

// Density of sample at wo per solid angle; 0 unless both directions are above the horizon.
float vd_pdf(VdSurface s, vec3 wi, vec3 wo) {
  return vd_mixture_pdf(vd_mixture(s, wi), wi, wo);
}

// A direction wo (xyz) and its density (w) from u in [0, 1)^3; density 0 marks a null sample.
vec4 vd_sample(VdSurface s, vec3 wi, vec3 u) {
  return vd_mixture_sample(vd_mixture(s, wi), wi, u);
}

// Directional albedo; 0 unless wi is above the horizon; 1 without this head.
vec3 vd_albedo(VdSurface s, vec3 wi) {
  if (wi.z <= 0.) { return vec3(0.); }
  vec3 i0 = vd_local(s.t0, s.b0, s.n0, wi);
  vec4 h_0_0_a = vd_m(709408189u,0u,3018438845u,0u,3047075612u,0u,0u,0u) * vec4(i0.x, i0.y, i0.z, 0.) + vd_m(895234564u,0u,970536976u,0u,0u,0u,0u,0u) * s.latent0 + vd_v(3052154173u,0u);
  vec4 h_0_0 = max(h_0_0_a, h_0_0_a * vec4(.01));
  vec4 h_raw0 = vd_m(815249772u,43923u,3169205383u,47765u,0u,0u,0u,0u) * h_0_0 + vd_v(2964304395u,45785u);
  float c0_decay = exp(-abs(h_raw0.x));
  float c1_decay = exp(-abs(h_raw0.y));
  float c2_decay = exp(-abs(h_raw0.z));
  return vec3((h_raw0.x >= 0. ? 1. / (1. + c0_decay) : c0_decay / (1. + c0_decay)), (h_raw0.y >= 0. ? 1. / (1. + c1_decay) : c1_decay / (1. + c1_decay)), (h_raw0.z >= 0. ? 1. / (1. + c2_decay) : c2_decay / (1. + c2_decay)));
}

// Albedo, normal and roughness for denoisers; plain grey without this head.
VdGuides vd_guides(VdSurface s) {
  return VdGuides(vec3(.5), vec3(0., 0., 1.), 1.);
}

// Radiance emitted along the normal; 0 without this head.
vec3 vd_emission(VdSurface s) {
  vec4 h_0_0_a = vd_m(3064673859u,0u,883075510u,0u,0u,0u,0u,0u) * s.latent0 + vd_v(3085120503u,0u);
  vec4 h_0_0 = max(h_0_0_a, h_0_0_a * vec4(.01));
  vec4 h_raw0 = vd_m(2950083023u,9086u,3142302092u,42716u,0u,0u,0u,0u) * h_0_0 + vd_v(3037244888u,44955u);
  vec3 strength = max(vec3(h_raw0.x, h_raw0.y, h_raw0.z), vec3(0.));
  return strength * strength;
}

// Share of the surface that is there; 1 without this head.
float vd_opacity(VdSurface s) {
  return 1.;
}
