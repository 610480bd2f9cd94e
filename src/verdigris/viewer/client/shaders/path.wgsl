// The path tracer: one sample a pixel and dispatch, added to the picture. It walks as `verdigris_path` does.

const ROULETTE_DEPTH = 5u;
const ROULETTE_MAX = 0.95;

fn power_heuristic(taken: f32, other: f32) -> f32 {
  let squared = taken * taken;
  return select(0.0, squared / (squared + other * other), squared > 0.0);
}

struct Walk {
  ray: Ray,
  cone: Cone,
  throughput: vec3f,
  radiance: vec3f,
  pdf: f32,           // of the direction that the ray goes in
  unweighted: bool,   // whether nothing but this ray could have found the light at its end
}

fn trace(pixel: vec2f) -> vec3f {
  var walk: Walk;
  let direction = camera_direction(pixel);
  walk.ray = Ray(frame.origin.xyz, direction);
  walk.cone = camera_cone(pixel, direction);
  walk.throughput = vec3f(1.0);
  walk.unweighted = true;
  for (var depth = 0u; depth < frame.counts.y; depth++) {
    let meeting = intersect(walk.ray, false);
    if (meeting.distance >= FAR) {
      let share = select(power_heuristic(walk.pdf, sky_pdf(walk.ray.direction)), 1.0, walk.unweighted);
      if (depth > 0u || frame.options.y != 0u) {
        walk.radiance += walk.throughput * sky_radiance(walk.ray.direction) * share;
      }
      break;
    }
    walk.cone.width = abs(walk.cone.spread * meeting.distance + walk.cone.width);
    if (!advance(&walk, place_at(walk.ray, meeting), depth)) { break; }
  }
  return walk.radiance;
}

// One hit: its own light, light that it is sent directly, and the way on. Returns whether the walk goes on.
fn advance(walk: ptr<function, Walk>, place: Place, depth: u32) -> bool {
  let direction = (*walk).ray.direction;
  let surface = vd_fetch(place.uv, level_at(place, direction, (*walk).cone));
  let there = vd_opacity(surface);
  let wi = to_local(place, -direction);
  if (wi.z > 0.0) { (*walk).radiance += (*walk).throughput * vd_emission(surface) * there; }
  if (depth + 1u >= frame.counts.y) { return false; }

  let u = vec3f(random(), random(), random());
  let light = sample_sky();
  let mixture = vd_mixture(surface, wi);
  let drawn = vd_mixture_sample(mixture, wi, vec3f(min(u.x / max(there, 1e-8), 0.99999994), u.yz));
  let lit = to_local(place, light.direction);
  // Both directions go through one call of the decoder: inlined, it is most of the kernel's code.
  var value: array<vec3f, 2>;
  var towards = array<vec3f, 2>(lit, drawn.xyz);
  for (var k = 0; k < 2; k++) { value[k] = vd_eval(surface, wi, towards[k]); }

  if (wi.z > 0.0 && lit.z > 0.0 && light.pdf > 0.0 && any(value[0] > vec3f(0.0))) {
    if (intersect(leave(place, light.direction), true).distance >= FAR) {
      let share = power_heuristic(light.pdf, vd_mixture_pdf(mixture, wi, lit) * there);
      (*walk).radiance += (*walk).throughput * value[0] * sky_radiance(light.direction) * (share * there / light.pdf);
    }
  }
  if (u.x >= there) {
    (*walk).ray = leave(place, direction);
    (*walk).unweighted = true;
  } else {
    if (wi.z <= 0.0 || drawn.z <= 0.0 || drawn.w <= 0.0) { return false; }
    (*walk).pdf = drawn.w * there;
    (*walk).unweighted = false;
    (*walk).throughput *= value[1] / drawn.w;
    (*walk).ray = leave(place, to_world(place, drawn.xyz));
    (*walk).cone.spread = spread_after(place, direction, (*walk).cone, (*walk).pdf);
  }
  return survives(walk, depth + 1u);
}

fn survives(walk: ptr<function, Walk>, depth: u32) -> bool {
  let throughput = (*walk).throughput;
  let brightest = max(throughput.x, max(throughput.y, throughput.z));
  if (depth < ROULETTE_DEPTH) { return brightest > 0.0; }
  let chance = min(brightest, ROULETTE_MAX);
  (*walk).throughput = throughput / chance;
  return random() < chance;
}

@compute @workgroup_size(8, 8)
fn path_trace(@builtin(global_invocation_id) id: vec3u) {
  let size = vec2u(u32(frame.right.w), u32(frame.up.w));
  if (id.x >= size.x || id.y >= size.y) { return; }
  let index = id.y * size.x + id.x;
  seed_random(index, frame.counts.x);
  let found = trace(vec2f(id.xy) + 0.5 + filter_offset());
  // A sum that is no number would spoil the pixel for good.
  let valid = all(abs(found) < vec3f(FAR));
  picture[index] += vec4f(select(vec3f(0.0), found, valid), 1.0);
}
