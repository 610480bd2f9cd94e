// The place that a ray meets: geometry, shading frame and how the uv map lies on it, as Mitsuba's meshes have them.

struct Place {
  position: vec3f,
  geometric: vec3f,   // unit normal of the triangle
  t: vec3f,           // shading frame: t along dp/du, b along dp/dv, so it is left-handed where the uv map is mirrored
  b: vec3f,
  n: vec3f,
  uv: vec2f,
  dp_du: vec3f,
  dp_dv: vec3f,
  curvature: f32,     // of the shading normals, 1 / length, above 0 where the surface bulges outward
}

fn place_at(ray: Ray, meeting: Meeting) -> Place {
  let a = triangles[3u * meeting.triangle];
  let b = triangles[3u * meeting.triangle + 1u];
  let c = triangles[3u * meeting.triangle + 2u];
  let ia = 2u * bitcast<u32>(a.w);
  let ib = 2u * bitcast<u32>(b.w);
  let ic = 2u * bitcast<u32>(c.w);
  let ab = b.xyz - a.xyz;
  let ac = c.xyz - a.xyz;
  let weight = vec3f(1.0 - meeting.barycentric.x - meeting.barycentric.y, meeting.barycentric);

  var place: Place;
  place.position = a.xyz + meeting.barycentric.x * ab + meeting.barycentric.y * ac;
  place.geometric = unit_or(cross(ab, ac), -ray.direction);

  let uv_a = vec2f(vertices[ia].w, vertices[ia + 1u].x);
  let to_b = vec2f(vertices[ib].w, vertices[ib + 1u].x) - uv_a;
  let to_c = vec2f(vertices[ic].w, vertices[ic + 1u].x) - uv_a;
  place.uv = uv_a + weight.y * to_b + weight.z * to_c;
  let determinant = to_b.x * to_c.y - to_b.y * to_c.x;
  if (determinant != 0.0) {
    place.dp_du = (to_c.y * ab - to_b.y * ac) / determinant;
    place.dp_dv = (to_b.x * ac - to_c.x * ab) / determinant;
  } else {
    place.dp_du = first_tangent(place.geometric);
    place.dp_dv = cross(place.geometric, place.dp_du);
  }

  let blend = weight.x * vertices[ia].xyz + weight.y * vertices[ib].xyz + weight.z * vertices[ic].xyz;
  place.n = unit_or(blend, place.geometric);
  let shrink = 1.0 / max(length(blend), 1e-6);
  place.curvature = 0.5 * (bend(place.n, (vertices[ib].xyz - vertices[ia].xyz) * shrink, ab)
    + bend(place.n, (vertices[ic].xyz - vertices[ia].xyz) * shrink, ac));

  place.t = unit_or(place.dp_du - place.n * dot(place.n, place.dp_du), first_tangent(place.n));
  let right_handed = cross(place.n, place.t);
  place.b = select(right_handed, -right_handed, dot(cross(place.n, place.dp_du), place.dp_dv) < 0.0);
  return place;
}

// Curvature along one edge, from the step of the blended normal over it.
fn bend(n: vec3f, step: vec3f, edge: vec3f) -> f32 {
  return dot(step - n * dot(n, step), edge) / max(dot(edge, edge), 1e-20);
}

fn to_local(place: Place, v: vec3f) -> vec3f {
  return vec3f(dot(v, place.t), dot(v, place.b), dot(v, place.n));
}

fn to_world(place: Place, v: vec3f) -> vec3f {
  return v.x * place.t + v.y * place.b + v.z * place.n;
}

// A ray that leaves the place without meeting its own triangle.
fn leave(place: Place, direction: vec3f) -> Ray {
  let size = max(max(abs(place.position.x), abs(place.position.y)), max(abs(place.position.z), 1.0));
  let side = select(-1.0, 1.0, dot(direction, place.geometric) >= 0.0);
  return Ray(place.position + place.geometric * (side * 2e-5 * size), direction);
}
