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
  level: u32,
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
fn vd_surface(latent0: vec4f, level: u32) -> VdSurface {
  let raw0 = mat4x4f(-.40625,.75,.328125,-.09375,.171875,-.25,-.671875,.484375,0.,0.,0.,0.,0.,0.,0.,0.) * latent0;
  let raw1 = mat4x4f(-.515625,.640625,0.,0.,.0625,-.359375,0.,0.,0.,0.,0.,0.,0.,0.,0.,0.) * latent0;
  let n0 = vd_normalize(vec3f(raw0.x, raw0.y, raw0.z + 1.));
  let t0 = vd_normalize(vec3f(raw0.w + 1., raw1.x, raw1.y));
  return VdSurface(latent0, t0, cross(n0, t0), n0, level);
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
  return vd_surface(latent0, k);
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

fn vd_eval_far(s: VdSurface, wi: vec3f, wo: vec3f) -> vec3f {
  let h = vd_normalize(wi + wo);
  let i0 = vd_local(s.t0, s.b0, s.n0, wi);
  let o0 = vd_local(s.t0, s.b0, s.n0, wo);
  let g0 = vd_normalize(i0 + o0);
  let d0 = vd_difference(g0, i0);
  let h_0_0_a = mat4x4f(.21875,.6875,-.421875,0.,-.78125,-.3125,.15625,0.,-.203125,.265625,.734375,0.,.375,-.734375,-.265625,0.) * vec4f(i0.x, i0.y, i0.z, d0.x) + mat4x4f(-.625,-.15625,.3125,0.,-.046875,.421875,-.6875,0.,.53125,-.578125,-.109375,0.,0.,0.,0.,0.) * vec4f(d0.y, d0.z, vd_log_half(h, s.n0), 0.) + mat4x4f(-.46875,0.,.46875,0.,.109375,.578125,-.53125,0.,0.,0.,0.,0.,0.,0.,0.,0.) * s.latent0 + vec4f(.046875, .625, -.375, 0.);
  let h_0_0_i = clamp(h_0_0_a, vec4f(-.5), vec4f(.5));
  let h_0_0_b = h_0_0_i + vec4f(.5);
  let h_0_0 = h_0_0_a * vec4f(.01) + (h_0_0_b * h_0_0_b * vec4f(.5) + max(h_0_0_a - h_0_0_i, vec4f(0.))) * vec4f(.99);
  let h_raw0 = mat4x4f(.019744873,-.29467773,.32885742,0.,.78515625,-.17199707,-.03237915,0.,.70703125,-.30444336,.43115234,0.,0.,0.,0.,0.) * h_0_0 + vec4f(-.5541992, .4699707, -.028930664, 0.);
  let c0_decay = exp(-abs(h_raw0.x));
  let c1_decay = exp(-abs(h_raw0.y));
  let c2_decay = exp(-abs(h_raw0.z));
  return vec3f(select(c0_decay / (1. + c0_decay), 1. / (1. + c0_decay), h_raw0.x >= 0.), select(c1_decay / (1. + c1_decay), 1. / (1. + c1_decay), h_raw0.y >= 0.), select(c2_decay / (1. + c2_decay), 1. / (1. + c2_decay), h_raw0.z >= 0.)) * 100000. * wo.z;
}

// The BSDF times the cosine of wo, linear Rec. 709 RGB; 0 unless both directions are above the horizon.
fn vd_eval(s: VdSurface, wi: vec3f, wo: vec3f) -> vec3f {
  if (wi.z <= 0. || wo.z <= 0.) { return vec3f(0.); }
  if (s.level >= 1u) { return vd_eval_far(s, wi, wo); }
  let h = vd_normalize(wi + wo);
  let i0 = vd_local(s.t0, s.b0, s.n0, wi);
  let o0 = vd_local(s.t0, s.b0, s.n0, wo);
  let g0 = vd_normalize(i0 + o0);
  let d0 = vd_difference(g0, i0);
  let h_0_0_a = mat4x4f(.21875,.6875,-.421875,0.,-.78125,-.3125,.15625,0.,-.203125,.265625,.734375,0.,.375,-.734375,-.265625,0.) * vec4f(i0.x, i0.y, i0.z, d0.x) + mat4x4f(-.625,-.15625,.3125,0.,-.046875,.421875,-.6875,0.,.53125,-.578125,-.109375,0.,0.,0.,0.,0.) * vec4f(d0.y, d0.z, vd_log_half(h, s.n0), 0.) + mat4x4f(-.46875,0.,.46875,0.,.109375,.578125,-.53125,0.,0.,0.,0.,0.,0.,0.,0.,0.) * s.latent0 + vec4f(.046875, .625, -.375, 0.);
  let h_0_0_i = clamp(h_0_0_a, vec4f(-.5), vec4f(.5));
  let h_0_0_b = h_0_0_i + vec4f(.5);
  let h_0_0 = h_0_0_a * vec4f(.01) + (h_0_0_b * h_0_0_b * vec4f(.5) + max(h_0_0_a - h_0_0_i, vec4f(0.))) * vec4f(.99);
  let h_raw0 = mat4x4f(.203125,.359375,.515625,0.,.78125,-.640625,-.484375,0.,-.21875,-.0625,.09375,0.,0.,0.,0.,0.) * h_0_0 + vec4f(.671875, -.328125, .25, 0.);
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
  let h_0_0_a = mat4x4f(-.75,.5625,0.,0.,-.171875,-.4375,0.,0.,.40625,.140625,0.,0.,0.,0.,0.,0.) * vec4f(i0.x, i0.y, i0.z, 0.) + mat4x4f(-.59375,.71875,0.,0.,-.015625,-.28125,0.,0.,0.,0.,0.,0.,0.,0.,0.,0.) * s.latent0 + vec4f(.296875, -.703125, 0., 0.);
  let h_0_0 = max(h_0_0_a, h_0_0_a * vec4f(.01));
  let h_raw0 = mat4x4f(-.125,-.546875,.609375,.1875,.453125,.03125,-.390625,.765625,0.,0.,0.,0.,0.,0.,0.,0.) * h_0_0 + vec4f(-.765625, -.1875, .390625, -.609375);
  let h_raw1 = mat4x4f(-.234375,-.65625,.5,.078125,.34375,-.078125,-.5,.65625,0.,0.,0.,0.,0.,0.,0.,0.) * h_0_0 + vec4f(-.03125, .546875, -.453125, .125);
  let h_raw2 = mat4x4f(-.34375,0.,0.,0.,.234375,0.,0.,0.,0.,0.,0.,0.,0.,0.,0.,0.) * h_0_0 + vec4f(.703125, 0., 0., 0.);
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
  let h_0_0_a = mat4x4f(-.35864258,.049072266,0.,0.,-.59228516,-.24719238,0.,0.,-.111083984,-.35107422,0.,0.,0.,0.,0.,0.) * vec4f(i0.x, i0.y, i0.z, 0.) + mat4x4f(.18798828,.33496094,0.,0.,.5078125,.73095703,0.,0.,0.,0.,0.,0.,0.,0.,0.,0.) * s.latent0 + vec4f(.081848145, -.3701172, 0., 0.);
  let h_0_0 = max(h_0_0_a, h_0_0_a * vec4f(.01));
  let h_raw0 = mat4x4f(-.6777344,.14343262,-.059173584,0.,1.1318359,-1.2246094,-.8227539,0.,0.,0.,0.,0.,0.,0.,0.,0.) * h_0_0 + vec4f(-.18884277, -.1463623, -.21398926, 0.);
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
  let h_0_0_a = mat4x4f(.39135742,-.41674805,0.,0.,-.0446167,.28955078,0.,0.,0.,0.,0.,0.,0.,0.,0.,0.) * s.latent0 + vec4f(.24890137, -.49291992, 0., 0.);
  let h_0_0 = max(h_0_0_a, h_0_0_a * vec4f(.01));
  let h_raw0 = mat4x4f(-.18151855,-.12243652,.014633179,0.,-.6933594,-.9116211,-.026794434,0.,0.,0.,0.,0.,0.,0.,0.,0.) * h_0_0 + vec4f(-.091308594, -.31445312, -.11883545, 0.);
  let strength = max(vec3f(h_raw0.x, h_raw0.y, h_raw0.z), vec3f(0.));
  return strength * strength;
}

// Share of the surface that is there; 1 without this head.
fn vd_opacity(s: VdSurface) -> f32 {
  return 1.;
}
