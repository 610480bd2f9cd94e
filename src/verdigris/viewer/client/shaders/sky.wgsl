// Light from far away: a picture of directions (row 0 overhead, column 0 at -z), drawn from by an alias table.
// The table is piecewise constant and at most as fine as the picture, which is bilinear.

struct Texel { keep: f32, other: u32, density: f32 }  // density: of the direction, times the sine of its polar angle

struct LightSample { direction: vec3f, pdf: f32 }

fn turn(d: vec3f, sine: f32) -> vec3f {
  return vec3f(frame.light.x * d.x + sine * d.z, d.y, frame.light.x * d.z - sine * d.x);
}

fn sky_uv(direction: vec3f) -> vec2f {
  let d = turn(direction, -frame.light.y);
  let u = atan2(d.x, -d.z) / (2.0 * PI);
  return vec2f(u - floor(u), acos(clamp(d.y, -1.0, 1.0)) / PI);
}

fn sky_radiance(direction: vec3f) -> vec3f {
  return textureSampleLevel(sky, sky_sampler, sky_uv(direction), 0.0).rgb;
}

fn sky_pdf(direction: vec3f) -> f32 {
  let size = frame.options.zw;
  let place = min(vec2u(sky_uv(direction) * vec2f(size)), size - 1u);
  let sine = sqrt(max(1.0 - direction.y * direction.y, 1e-12));
  return texels[place.y * size.x + place.x].density / sine;
}

fn sample_sky() -> LightSample {
  let size = frame.options.zw;
  let count = size.x * size.y;
  let scaled = random() * f32(count);
  var index = min(u32(scaled), count - 1u);
  if (random() >= texels[index].keep) { index = texels[index].other; }
  let place = (vec2f(f32(index % size.x), f32(index / size.x)) + vec2f(random(), random())) / vec2f(size);
  let phi = 2.0 * PI * place.x;
  let theta = PI * place.y;
  let d = vec3f(sin(phi) * sin(theta), cos(theta), -cos(phi) * sin(theta));
  return LightSample(turn(d, frame.light.y), texels[index].density / max(sin(theta), 1e-6));
}
