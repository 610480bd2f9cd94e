// Random numbers: a PCG of 32 bits (O'Neill 2014) for each pixel and sample, started by a hash.

var<private> random_state: u32;

fn hash(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

fn seed_random(pixel: u32, sample: u32) {
  random_state = hash(pixel ^ hash(sample * 2654435769u + 12345u));
}

// In 0..1, 1 left out.
fn random() -> f32 {
  let word = hash(random_state);
  random_state = random_state * 747796405u + 2891336453u;
  return f32(word >> 8u) * 0x1p-24;
}

// A place in the pixel's filter, Mitsuba's Gaussian of deviation 1/2, from the pixel's centre.
fn filter_offset() -> vec2f {
  let radius = 0.5 * sqrt(-2.0 * log(1.0 - random()));
  let angle = 2.0 * PI * random();
  return min(radius, 2.0) * vec2f(cos(angle), sin(angle));
}
