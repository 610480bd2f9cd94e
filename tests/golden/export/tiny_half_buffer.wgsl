enable f16;

const VD_LEVELS: u32 = 2u;
const VD_CHANNELS: u32 = 2u;
const VD_FRAMES: u32 = 1u;
const VD_WIDTH: u32 = 3u;
const VD_HEIGHT: u32 = 2u;
const VD_HAS_ALBEDO: bool = true;
const VD_HAS_GUIDES: bool = false;
const VD_HAS_EMISSION: bool = true;
const VD_HAS_OPACITY: bool = false;

// A point of the material, independent of directions.
struct VdSurface {
  latent0: vec4f,
  t0: vec3f,
  b0: vec3f,
  n0: vec3f,
}

// What the sampler's network says of a surface seen from wi: lobes to draw wo from.
struct VdMixture {
  share: f32,
  axis: vec3f,
  share0: f32,
  width0: vec2f,
  turn0: vec2f,
  offset0: vec2f,
}

// For denoisers; the normal is in the local frame.
struct VdGuides {
  albedo: vec3f,
  normal: vec3f,
  roughness: f32,
}

@group(0) @binding(0) var<storage, read> vd_latents: array<u32>;

fn vd_texel(texel: u32, part: u32) -> vec4f {
  let at = texel * 2u + part * 2u;
  return vec4f(unpack2x16float(vd_latents[at]), unpack2x16float(vd_latents[at + 1u]));
}

@group(0) @binding(1) var<uniform> vd_weights: array<vec4u, 37>;

fn vd_vector(at: u32) -> vec4f {
  let two = vd_weights[at / 2u];
  let one = select(two.xy, two.zw, at % 2u == 1u);
  return vec4f(unpack2x16float(one.x), unpack2x16float(one.y));
}

fn vd_vector_half(at: u32) -> vec4h {
  return vec4h(vd_vector(at));
}

fn vd_matrix(at: u32) -> mat4x4f {
  let a = vd_vector(at);
  let b = vd_vector(at + 1u);
  let c = vd_vector(at + 2u);
  let d = vd_vector(at + 3u);
  return mat4x4f(a, b, c, d);
}

fn vd_matrix_half(at: u32) -> mat4x4h {
  let a = vd_vector_half(at);
  let b = vd_vector_half(at + 1u);
  let c = vd_vector_half(at + 2u);
  let d = vd_vector_half(at + 3u);
  return mat4x4h(a, b, c, d);
}

fn vd_start(level: u32) -> u32 {
  if (level <= 0u) { return 0u; }
  return 6u;
}

// Fractional level for a footprint, from the changes of uv across a pixel. Not clamped.
fn vd_level(duv_dx: vec2f, duv_dy: vec2f) -> f32 {
  let size = vec2f(3., 2.);
  let x = duv_dx * size;
  let y = duv_dy * size;
  let longest = max(length(x), length(y));
  let area = abs(x.x * y.y - x.y * y.x);
  return log2(max(max(area / max(longest, 1e-20), longest * .5), .001));
}

// A whole level beside a fractional one, the upper one with the probability of the fraction; u in [0, 1).
fn vd_pick_level(level: f32, u: f32) -> u32 {
  return u32(min(max(floor(min(max(level, 0.), 1.) + u), 0.), 1.));
}

fn vd_normalize(v: vec3f) -> vec3f {
  return v / max(length(v), 1e-12);
}

fn vd_local(t: vec3f, b: vec3f, n: vec3f, d: vec3f) -> vec3f {
  return vec3f(dot(t, d), dot(b, d), dot(n, d));
}

fn vd_bilinear(a: vec4f, b: vec4f, c: vec4f, d: vec4f, f: vec2f) -> vec4f {
  let low = a + (b - a) * f.x;
  let high = c + (d - c) * f.x;
  return low + (high - low) * f.y;
}

// The surface with a latent that was fetched in some other way.
fn vd_surface(latent0: vec4f) -> VdSurface {
  let raw0 = vd_matrix(0u) * latent0;
  let raw1 = vd_matrix(4u) * latent0;
  let n0 = vd_normalize(vec3f(raw0.x, raw0.y, raw0.z + 1.));
  let t0 = vd_normalize(vec3f(raw0.w + 1., raw1.x, raw1.y));
  return VdSurface(latent0, t0, cross(n0, t0), n0);
}

// The surface at uv from one level, bilinear, repeating; levels above the last are the last.
fn vd_fetch(uv: vec2f, level: u32) -> VdSurface {
  let k = min(level, 1u);
  let width = max((3u >> k), 1u);
  let height = max((2u >> k), 1u);
  let px = (uv.x - floor(uv.x)) * f32(width) - .5;
  let ix = floor(px);
  let x0 = u32(select(min(ix, f32(width) - 1.), f32(width) - 1., ix < 0.));
  let x1 = u32(select(ix + 1., 0., ix + 1. >= f32(width)));
  let py = (uv.y - floor(uv.y)) * f32(height) - .5;
  let iy = floor(py);
  let y0 = u32(select(min(iy, f32(height) - 1.), f32(height) - 1., iy < 0.));
  let y1 = u32(select(iy + 1., 0., iy + 1. >= f32(height)));
  let f = vec2f(px - ix, py - iy);
  let start = vd_start(k);
  let texel0 = start + y0 * width + x0;
  let texel1 = start + y0 * width + x1;
  let texel2 = start + y1 * width + x0;
  let texel3 = start + y1 * width + x1;
  let latent0 = vd_bilinear(vd_texel(texel0, 0u), vd_texel(texel1, 0u), vd_texel(texel2, 0u), vd_texel(texel3, 0u), f);
  return vd_surface(latent0);
}

fn vd_log_half(h: vec3f, n: vec3f) -> f32 {
  let d = h - n;
  return (log(dot(d, d) + 1e-6) + 6.) * .16666667;
}

fn vd_difference(g: vec3f, i: vec3f) -> vec3f {
  let v = vec3f(g.y, -g.x, 0.);
  let along = dot(v, i) / max(1. + g.z, .01);
  return i * g.z + cross(v, i) + v * along;
}

// The BSDF times the cosine of wo, linear Rec. 709 RGB; 0 unless both directions are above the horizon.
fn vd_eval(s: VdSurface, wi: vec3f, wo: vec3f) -> vec3f {
  if (wi.z <= 0. || wo.z <= 0.) { return vec3f(0.); }
  let h = vd_normalize(wi + wo);
  let i0 = vd_local(s.t0, s.b0, s.n0, wi);
  let o0 = vd_local(s.t0, s.b0, s.n0, wo);
  let g0 = vd_normalize(i0 + o0);
  let d0 = vd_difference(g0, i0);
  let h_x0 = vec4h(s.latent0);
  let h_0_0_a = vd_matrix(8u) * vec4f(i0.x, i0.y, i0.z, d0.x) + vd_matrix(12u) * vec4f(d0.y, d0.z, vd_log_half(h, s.n0), 0.) + vec4f(vd_matrix_half(16u) * h_x0) + vd_vector(20u);
  let h_0_0_i = clamp(h_0_0_a, vec4f(-.5), vec4f(.5));
  let h_0_0_b = h_0_0_i + vec4f(.5);
  let h_0_0 = h_0_0_a * vec4f(.01) + (h_0_0_b * h_0_0_b * vec4f(.5) + max(h_0_0_a - h_0_0_i, vec4f(0.))) * vec4f(.99);
  let h_raw0 = vd_matrix(21u) * h_0_0 + vd_vector(25u);
  let c0_decay = exp(-abs(h_raw0.x));
  let c1_decay = exp(-abs(h_raw0.y));
  let c2_decay = exp(-abs(h_raw0.z));
  return vec3f(select(c0_decay / (1. + c0_decay), 1. / (1. + c0_decay), h_raw0.x >= 0.), select(c1_decay / (1. + c1_decay), 1. / (1. + c1_decay), h_raw0.y >= 0.), select(c2_decay / (1. + c2_decay), 1. / (1. + c2_decay), h_raw0.z >= 0.)) * 100000. * wo.z;
}

fn vd_stretch(x: f32) -> f32 {
  return sqrt(x * x + 1.);
}

fn vd_width(x: f32) -> f32 {
  let s = vd_stretch(x);
  let rest = 1. / (s * (s + abs(x)));
  return select(2. - rest, rest, x < 0.) * .5 + .0001;
}

// The mixture that sample draws from and pdf describes: make it once where both are needed.
fn vd_mixture(s: VdSurface, wi: vec3f) -> VdMixture {
  let i0 = vd_local(s.t0, s.b0, s.n0, wi);
  let h_x0 = vec4h(s.latent0);
  let h_0_0_a = vd_matrix(26u) * vec4f(i0.x, i0.y, i0.z, 0.) + vec4f(vd_matrix_half(30u) * h_x0) + vd_vector(34u);
  let h_0_0 = max(h_0_0_a, h_0_0_a * vec4f(.01));
  let h_raw0 = vd_matrix(35u) * h_0_0 + vd_vector(39u);
  let h_raw1 = vd_matrix(40u) * h_0_0 + vd_vector(44u);
  let h_raw2 = vd_matrix(45u) * h_0_0 + vd_vector(49u);
  let r0 = clamp(h_raw0.x, -100., 100.);
  let r1 = clamp(h_raw0.y, -100., 100.);
  let r2 = clamp(h_raw0.z, -100., 100.);
  let r3 = clamp(h_raw0.w, -100., 100.);
  let r4 = clamp(h_raw1.x, -100., 100.);
  let r5 = clamp(h_raw1.y, -100., 100.);
  let r6 = clamp(h_raw1.z, -100., 100.);
  let r7 = clamp(h_raw1.w, -100., 100.);
  let r8 = clamp(h_raw2.x, -100., 100.);
  let largest = max(r7, r8);
  let w0 = exp(r7 - largest);
  let w1 = exp(r8 - largest);
  let scale = .75 / (w0 + w1);
  let s0 = vd_stretch(r2);
  return VdMixture(w0 * scale, vd_normalize(vec3f(-(r5 * vd_stretch(r5)), -(r6 * vd_stretch(r6)), 1.)), w1 * scale, vec2f(vd_width(r0), vd_width(r1)), vec2f(r2 / s0, 1. / s0), vec2f(r3 * vd_stretch(r3), r4 * vd_stretch(r4)) - s.n0.xy / max(s.n0.z, .05));
}

fn vd_slopes(slope: vec2f, width: vec2f, turn: vec2f, offset: vec2f) -> f32 {
  let q = (slope - offset) / width;
  let y = (q.y - turn.x * q.x) / turn.y;
  let near = 1. / (q.x * q.x + y * y + 1.);
  return near * near / (width.x * width.y * turn.y);
}

// Density of mixture_sample at wo per solid angle; 0 unless both directions are above the horizon.
fn vd_mixture_pdf(m: VdMixture, wi: vec3f, wo: vec3f) -> f32 {
  if (wi.z <= 0. || wo.z <= 0.) { return 0.; }
  let v = wi + wo;
  let z = max(v.z, 1e-6);
  let slope = -v.xy / z;
  let ggx = m.share0 * vd_slopes(slope, m.width0, m.turn0, m.offset0) * (dot(v, v) / (2. * z * z * z));
  return (m.share * max(dot(wo, m.axis), 0.) + ggx + .125) * .31830987;
}

fn vd_around(axis: vec3f, p: vec3f) -> vec3f {
  let side = select(1., -1., axis.z < 0.);
  let a = -1. / (side + axis.z);
  let first = vec3f(1. + side * axis.x * axis.x * a, side * axis.x * axis.y * a, -side * axis.x);
  return first * p.x + cross(axis, first) * p.y + axis * p.z;
}

// wo and its density from u in [0, 1)^3, u.x picking the lobe; density 0 marks a null sample.
fn vd_mixture_sample(m: VdMixture, wi: vec3f, u: vec3f) -> vec4f {
  let angle = u.z * 6.2831855;
  let cos_phi = cos(angle);
  let sin_phi = sin(angle);
  let edge0 = m.share + .25;
  let width = m.width0;
  let turn = m.turn0;
  let offset = m.offset0;
  let is_ggx = u.x >= edge0;
  let below_one = min(u.y, .99999994);
  let radius = sqrt(below_one / (1. - below_one));
  let x = cos_phi * radius;
  let y = sin_phi * radius;
  let slope = width * vec2f(x, turn.x * x + turn.y * y) + offset;
  let h = vd_normalize(vec3f(-slope.x, -slope.y, 1.));
  let wi_h = dot(wi, h);
  let is_even = u.x < .25;
  let z = select(sqrt(1. - u.y), 1. - u.y, is_even);
  let sin_theta = sqrt(max(1. - z * z, 0.));
  let wo = vd_normalize(select(vd_around(select(m.axis, vec3f(0., 0., 1.), is_even), vec3f(sin_theta * cos_phi, sin_theta * sin_phi, z)), h * (2. * wi_h) - wi, is_ggx));
  if (select(1., wi_h, is_ggx) <= 0.) { return vec4f(wo, 0.); }
  return vec4f(wo, vd_mixture_pdf(m, wi, wo));
}

// Density of sample at wo per solid angle; 0 unless both directions are above the horizon.
fn vd_pdf(s: VdSurface, wi: vec3f, wo: vec3f) -> f32 {
  return vd_mixture_pdf(vd_mixture(s, wi), wi, wo);
}

// A direction wo (xyz) and its density (w) from u in [0, 1)^3; density 0 marks a null sample.
fn vd_sample(s: VdSurface, wi: vec3f, u: vec3f) -> vec4f {
  return vd_mixture_sample(vd_mixture(s, wi), wi, u);
}

// Directional albedo; 0 unless wi is above the horizon; 1 without this head.
fn vd_albedo(s: VdSurface, wi: vec3f) -> vec3f {
  if (wi.z <= 0.) { return vec3f(0.); }
  let i0 = vd_local(s.t0, s.b0, s.n0, wi);
  let h_x0 = vec4h(s.latent0);
  let h_0_0_a = vd_matrix(50u) * vec4f(i0.x, i0.y, i0.z, 0.) + vec4f(vd_matrix_half(54u) * h_x0) + vd_vector(58u);
  let h_0_0 = max(h_0_0_a, h_0_0_a * vec4f(.01));
  let h_raw0 = vd_matrix(59u) * h_0_0 + vd_vector(63u);
  let c0_decay = exp(-abs(h_raw0.x));
  let c1_decay = exp(-abs(h_raw0.y));
  let c2_decay = exp(-abs(h_raw0.z));
  return vec3f(select(c0_decay / (1. + c0_decay), 1. / (1. + c0_decay), h_raw0.x >= 0.), select(c1_decay / (1. + c1_decay), 1. / (1. + c1_decay), h_raw0.y >= 0.), select(c2_decay / (1. + c2_decay), 1. / (1. + c2_decay), h_raw0.z >= 0.));
}

// Albedo, normal and roughness for denoisers; plain grey without this head.
fn vd_guides(s: VdSurface) -> VdGuides {
  return VdGuides(vec3f(.5), vec3f(0., 0., 1.), 1.);
}

// Radiance emitted along the normal; 0 without this head.
fn vd_emission(s: VdSurface) -> vec3f {
  let h_x0 = vec4h(s.latent0);
  let h_0_0_a = vec4f(vd_matrix_half(64u) * h_x0) + vd_vector(68u);
  let h_0_0 = max(h_0_0_a, h_0_0_a * vec4f(.01));
  let h_raw0 = vd_matrix(69u) * h_0_0 + vd_vector(73u);
  let strength = max(vec3f(h_raw0.x, h_raw0.y, h_raw0.z), vec3f(0.));
  return strength * strength;
}

// Share of the surface that is there; 1 without this head.
fn vd_opacity(s: VdSurface) -> f32 {
  return 1.;
}
