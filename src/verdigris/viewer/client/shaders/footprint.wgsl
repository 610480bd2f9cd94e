// Ray cones: how wide a path sees at its hits. The formulas are those of `verdigris.render.ray_cone`.

struct Cone { width: f32, spread: f32 }

const GRAZING = 1e-3;
const SPREAD_MAX = 1.0;
const LOBE_SHARE = 0.5;

// A place's level of detail; fetches, draws and densities at it share the surface of this level.
fn level_at(place: Place, direction: vec3f, cone: Cone) -> u32 {
  if (frame.counts.z != 0u) { return min(frame.counts.z - 1u, VD_LEVELS - 1u); }
  let width = abs(cone.width) * frame.light.z;
  let cosine = dot(direction, place.geometric);
  let along = unit_or(direction - cosine * place.geometric, first_tangent(place.geometric));
  let across = cross(place.geometric, along);
  let longer = along * (width / max(abs(cosine), GRAZING));
  let level = vd_level(solve_uv(place, longer), solve_uv(place, across * width));
  let bits = hash(bitcast<u32>(place.uv.x) ^ hash(bitcast<u32>(place.uv.y)));
  return vd_pick_level(level, f32(bits >> 8u) * 0x1p-24);
}

// The step in uv of a step on the surface.
fn solve_uv(place: Place, axis: vec3f) -> vec2f {
  let uu = dot(place.dp_du, place.dp_du);
  let uv = dot(place.dp_du, place.dp_dv);
  let vv = dot(place.dp_dv, place.dp_dv);
  let determinant = uu * vv - uv * uv;
  let step = vec2f(dot(place.dp_du, axis), dot(place.dp_dv, axis));
  return select(0.0, 1.0 / determinant, determinant > 0.0) * vec2f(vv * step.x - uv * step.y, uu * step.y - uv * step.x);
}

// The spread of a cone that leaves along a drawn direction of this density.
fn spread_after(place: Place, direction: vec3f, cone: Cone, pdf: f32) -> f32 {
  let cosine = dot(direction, place.geometric);
  let bent = -2.0 * sign(cosine) * place.curvature * abs(cone.width) / max(abs(cosine), GRAZING);
  return clamp(cone.spread + bent + LOBE_SHARE * inverseSqrt(pdf), -SPREAD_MAX, SPREAD_MAX);
}
