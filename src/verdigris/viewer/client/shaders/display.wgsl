// Shows the picture, the reference, or how far they are apart.

struct Display {
  size: vec2f,
  exposure: f32,        // a factor
  split: f32,           // in 0..1 from the left; the reference lies to the left of it
  samples: f32,         // that the picture's sums hold
  gain: f32,            // of the difference
  tone: u32,
  mode: u32,
}

const SHOW_NEURAL = 0u;
const SHOW_SPLIT = 1u;
const SHOW_DIFFERENCE = 2u;
const SHOW_RAW = 3u;

@group(0) @binding(0) var<uniform> display: Display;
@group(0) @binding(1) var<storage, read> picture: array<vec4f>;
@group(0) @binding(2) var<storage, read> reference: array<vec4f>;

@vertex
fn cover(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
  return vec4f(vec2f(f32(index & 1u), f32(index >> 1u)) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn show(@builtin(position) position: vec4f) -> @location(0) vec4f {
  let pixel = vec2u(position.xy);
  let index = pixel.y * u32(display.size.x) + pixel.x;
  let mean = picture[index].rgb / max(display.samples, 1.0);
  if (display.mode == SHOW_RAW) { return vec4f(clamp(mean, vec3f(0.0), vec3f(1.0)), 1.0); }
  let neural = tone_map(mean * display.exposure, display.tone);
  if (display.mode == SHOW_NEURAL) { return vec4f(neural, 1.0); }
  let other = tone_map(reference[index].rgb * display.exposure, display.tone);
  if (display.mode == SHOW_DIFFERENCE) { return vec4f(abs(neural - other) * display.gain, 1.0); }
  return vec4f(select(neural, other, position.x < display.split * display.size.x), 1.0);
}
