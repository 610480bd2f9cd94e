// What a frame is drawn with, and the buffers that all kernels of the page share. The material's module has group 1.

struct Frame {
  origin: vec4f,      // camera; w: tangent of half the field of view of the shorter side
  right: vec4f,       // unit; w: width of the picture in pixels
  up: vec4f,          // unit; w: height
  forward: vec4f,     // unit
  light: vec4f,       // cosine and sine of the light's rotation; z: share of the pixel that a level answers for
  counts: vec4u,      // number of this sample, longest path in edges, forced level + 1 (0: none), view
  options: vec4u,     // first latent channel of its view, whether the background is drawn, width and height of `texels`
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<storage, read_write> picture: array<vec4f>;
@group(0) @binding(2) var<storage, read> nodes: array<vec4f>;
@group(0) @binding(3) var<storage, read> triangles: array<vec4f>;
@group(0) @binding(4) var<storage, read> vertices: array<vec4f>;
@group(0) @binding(5) var<storage, read> texels: array<Texel>;
@group(0) @binding(6) var sky: texture_2d<f32>;
@group(0) @binding(7) var sky_sampler: sampler;

const PI = 3.14159265359;

fn unit_or(v: vec3f, otherwise: vec3f) -> vec3f {
  let length2 = dot(v, v);
  return select(otherwise, v * inverseSqrt(length2), length2 > 0.0);
}

// Two unit vectors that complete a unit axis to a right-handed basis (Duff et al. 2017).
fn first_tangent(n: vec3f) -> vec3f {
  let side = select(-1.0, 1.0, n.z >= 0.0);
  let a = -1.0 / (side + n.z);
  return vec3f(1.0 + side * n.x * n.x * a, side * n.x * n.y * a, -side * n.x);
}
