// Pictures of what lies behind the material: levels, latent channels, learned normals, albedo, uv.
// `latent_channel(surface, channel)` is made for each material: how many vectors hold its latent depends on it.

const VIEW_LEVELS = 1u;
const VIEW_LATENTS = 2u;
const VIEW_LEARNED_NORMALS = 3u;
const VIEW_NORMALS = 4u;
const VIEW_ALBEDO = 5u;
const VIEW_UV = 6u;

// A hue for each level: blue the finest, over green and yellow to red.
fn level_colour(level: u32) -> vec3f {
  let hue = (1.0 - f32(level) / max(f32(VD_LEVELS - 1u), 1.0)) * 2.0 / 3.0;
  return clamp(abs(fract(hue + vec3f(0.0, 2.0, 1.0) / 3.0) * 6.0 - 3.0) - 1.0, vec3f(0.0), vec3f(1.0));
}

fn view_of(place: Place, direction: vec3f, cone: Cone) -> vec3f {
  let level = level_at(place, direction, cone);
  let surface = vd_fetch(place.uv, level);
  let shade = 0.35 + 0.65 * abs(dot(direction, place.n));
  let first = frame.options.x;
  switch frame.counts.w {
    case VIEW_LEVELS: { return level_colour(level) * shade; }
    case VIEW_LATENTS: {
      return 0.5 + 0.25 * vec3f(latent_channel(surface, first), latent_channel(surface, first + 1u), latent_channel(surface, first + 2u));
    }
    case VIEW_LEARNED_NORMALS: { return 0.5 + 0.5 * surface.n0; }
    case VIEW_NORMALS: { return 0.5 + 0.5 * place.n; }
    case VIEW_ALBEDO: { return vd_albedo(surface, to_local(place, -direction)); }
    default: { return vec3f(fract(place.uv), 0.0); }
  }
}

@compute @workgroup_size(8, 8)
fn draw_view(@builtin(global_invocation_id) id: vec3u) {
  let size = vec2u(u32(frame.right.w), u32(frame.up.w));
  if (id.x >= size.x || id.y >= size.y) { return; }
  let index = id.y * size.x + id.x;
  seed_random(index, frame.counts.x);
  let pixel = vec2f(id.xy) + 0.5 + filter_offset();
  let direction = camera_direction(pixel);
  let ray = Ray(frame.origin.xyz, direction);
  let meeting = intersect(ray, false);
  var found = vec3f(0.0);
  if (meeting.distance < FAR) {
    var cone = camera_cone(pixel, direction);
    cone.width = cone.spread * meeting.distance;
    found = view_of(place_at(ray, meeting), direction, cone);
  }
  picture[index] += vec4f(found, 1.0);
}
