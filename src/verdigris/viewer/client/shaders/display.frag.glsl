// Shows the picture, the reference, or how far they are apart: display.wgsl and tone.wgsl in GLSL.

uniform highp sampler2D sums;
uniform highp sampler2D reference;  // row 0 at the top
uniform vec4 show;                  // exposure as a factor, split in 0..1, samples in the sums, gain of the difference
uniform ivec2 choice;               // tone: 0 none, 1 ACES, 2 AgX; mode: 0 neural, 1 split, 2 difference, 3 as it is

out vec4 colour;

vec3 to_srgb(vec3 linear) {
  vec3 x = clamp(linear, 0.0, 1.0);
  return mix(1.055 * pow(max(x, vec3(1e-8)), vec3(1.0 / 2.4)) - 0.055, 12.92 * x, lessThanEqual(x, vec3(0.0031308)));
}

vec3 aces(vec3 x) {
  return x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14);
}

vec3 agx(vec3 linear) {
  mat3 inset = mat3(
    0.842479062253094, 0.0423282422610123, 0.0423756549057051,
    0.0784335999999992, 0.878468636469772, 0.0784336,
    0.0792237451477643, 0.0791661274605434, 0.879142973793104);
  mat3 outset = mat3(
    1.19687900512017, -0.0528968517574562, -0.0529716355144438,
    -0.0980208811401368, 1.15190312990417, -0.0980434501171241,
    -0.0990297440797205, -0.0989611768448433, 1.15107367264116);
  vec3 stops = log2(max(inset * linear, vec3(1e-10)));
  vec3 x = clamp((stops + 12.47393) / 16.5, 0.0, 1.0);
  vec3 high = ((15.5 * x - 40.14) * x + 31.96) * x - 6.868;
  return clamp(outset * (((high * x + 0.4298) * x + 0.1191) * x - 0.00232), 0.0, 1.0);
}

vec3 tone_map(vec3 linear) {
  vec3 x = max(linear, vec3(0.0));
  if (choice.x == 0) return to_srgb(x);
  return choice.x == 1 ? to_srgb(aces(x)) : agx(x);
}

void main() {
  ivec2 size = textureSize(sums, 0);
  ivec2 pixel = ivec2(gl_FragCoord.xy);
  vec3 mean = texelFetch(sums, pixel, 0).rgb / max(show.z, 1.0);
  vec3 neural = tone_map(mean * show.x);
  vec3 other = tone_map(texelFetch(reference, min(ivec2(pixel.x, size.y - 1 - pixel.y), textureSize(reference, 0) - 1), 0).rgb * show.x);
  vec3 shown = neural;
  if (choice.y == 1 && gl_FragCoord.x < show.y * float(size.x)) shown = other;
  if (choice.y == 2) shown = abs(neural - other) * show.w;
  if (choice.y == 3) shown = clamp(mean, 0.0, 1.0);
  colour = vec4(shown, 1.0);
}
