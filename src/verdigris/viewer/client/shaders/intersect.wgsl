// The nearest triangle along a ray, by a bounding volume hierarchy.
// A node is two vectors: (low, first) and (high, count); count 0: an inner node whose children are first and first + 1.
// A triangle is three: its corners, each with the number of its vertex. A vertex is two: (normal, u) and (v, 0, 0, 0).

struct Ray { origin: vec3f, direction: vec3f }
struct Meeting { distance: f32, triangle: u32, barycentric: vec2f }

const FAR = 1e30;
const STACK = 40u;

fn box_distance(ray: Ray, inverse: vec3f, node: u32, limit: f32) -> f32 {
  let a = (nodes[2u * node].xyz - ray.origin) * inverse;
  let b = (nodes[2u * node + 1u].xyz - ray.origin) * inverse;
  let low = min(a, b);
  let high = max(a, b);
  let enter = max(max(low.x, low.y), max(low.z, 0.0));
  let leave = min(min(high.x, high.y), min(high.z, limit));
  return select(FAR, enter, enter <= leave);
}

// Moeller and Trumbore 1997; distance FAR where the triangle is missed.
fn meet_triangle(ray: Ray, index: u32) -> Meeting {
  let a = triangles[3u * index].xyz;
  let ab = triangles[3u * index + 1u].xyz - a;
  let ac = triangles[3u * index + 2u].xyz - a;
  let p = cross(ray.direction, ac);
  let determinant = dot(ab, p);
  let inverse = 1.0 / determinant;
  let s = ray.origin - a;
  let u = dot(s, p) * inverse;
  let q = cross(s, ab);
  let v = dot(ray.direction, q) * inverse;
  let t = dot(ac, q) * inverse;
  let inside = determinant != 0.0 && u >= 0.0 && v >= 0.0 && u + v <= 1.0 && t > 0.0;
  return Meeting(select(FAR, t, inside), index, vec2f(u, v));
}

// any_hit: whether the first triangle found will do.
fn intersect(ray: Ray, any_hit: bool) -> Meeting {
  var best = Meeting(FAR, 0u, vec2f(0.0));
  let inverse = 1.0 / select(ray.direction, vec3f(1e-20), abs(ray.direction) < vec3f(1e-20));
  var stack: array<u32, STACK>;
  var top = 0u;
  var node = 0u;
  if (box_distance(ray, inverse, 0u, FAR) >= FAR) { return best; }
  loop {
    let first = bitcast<u32>(nodes[2u * node].w);
    let count = bitcast<u32>(nodes[2u * node + 1u].w);
    if (count == 0u) {
      let left = box_distance(ray, inverse, first, best.distance);
      let right = box_distance(ray, inverse, first + 1u, best.distance);
      if (min(left, right) < FAR) {
        node = select(first + 1u, first, left <= right);
        if (max(left, right) < FAR && top < STACK) {
          stack[top] = select(first, first + 1u, left <= right);
          top++;
        }
        continue;
      }
    } else {
      for (var k = first; k < first + count; k++) {
        let found = meet_triangle(ray, k);
        if (found.distance < best.distance) { best = found; }
      }
      if (any_hit && best.distance < FAR) { return best; }
    }
    if (top == 0u) { break; }
    top--;
    node = stack[top];
  }
  return best;
}
