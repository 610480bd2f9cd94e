// From linear Rec. 709 to what a screen shows.

const TONE_NONE = 0u;
const TONE_ACES = 1u;

fn to_srgb(linear: vec3f) -> vec3f {
  let x = clamp(linear, vec3f(0.0), vec3f(1.0));
  return select(1.055 * pow(max(x, vec3f(1e-8)), vec3f(1.0 / 2.4)) - 0.055, 12.92 * x, x <= vec3f(0.0031308));
}

// The ACES film curve as Narkowicz fitted it (2016).
fn aces(x: vec3f) -> vec3f {
  return x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14);
}

// AgX (Sobotka 2022): into its working primaries, 16.5 stops as a number of 0..1, a sigmoid, and back. The sigmoid is
// Wrensch's polynomial (2023). The answer is encoded for the screen.
fn agx(linear: vec3f) -> vec3f {
  let inset = mat3x3f(
    vec3f(0.842479062253094, 0.0423282422610123, 0.0423756549057051),
    vec3f(0.0784335999999992, 0.878468636469772, 0.0784336),
    vec3f(0.0792237451477643, 0.0791661274605434, 0.879142973793104));
  let outset = mat3x3f(
    vec3f(1.19687900512017, -0.0528968517574562, -0.0529716355144438),
    vec3f(-0.0980208811401368, 1.15190312990417, -0.0980434501171241),
    vec3f(-0.0990297440797205, -0.0989611768448433, 1.15107367264116));
  let stops = log2(max(inset * linear, vec3f(1e-10)));
  let x = clamp((stops + 12.47393) / 16.5, vec3f(0.0), vec3f(1.0));
  let high = ((15.5 * x - 40.14) * x + 31.96) * x - 6.868;
  return clamp(outset * (((high * x + 0.4298) * x + 0.1191) * x - 0.00232), vec3f(0.0), vec3f(1.0));
}

fn tone_map(linear: vec3f, kind: u32) -> vec3f {
  let x = max(linear, vec3f(0.0));
  switch kind {
    case TONE_NONE: { return to_srgb(x); }
    case TONE_ACES: { return to_srgb(aces(x)); }
    default: { return agx(x); }
  }
}
