// The place that a pixel shows: shading frame, level of detail and material, as surface.wgsl and footprint.wgsl have them.

in vec3 position;
in vec3 normal;
in vec2 uv;

uniform vec4 origin;
uniform uvec4 counts;     // number of this sample, directions of light, forced level + 1 (0: none), view
uniform float footprint;  // share of the pixel that a level answers for

uint hash(uint value) {
  uint state = value * 747796405u + 2891336453u;
  uint word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

uint random_state;

float next_random() {
  random_state = hash(random_state);
  return float(random_state >> 8u) / 16777216.0;
}

void seed_random() {
  uvec2 pixel = uvec2(gl_FragCoord.xy);
  random_state = hash(pixel.x ^ hash(pixel.y ^ hash(counts.x)));
}

vec3 to_viewer() {
  return normalize(origin.xyz - position);
}

// Columns t, b, n; left-handed where the uv map is mirrored.
mat3 shading_frame() {
  vec3 n = normalize(normal);
  vec3 px = dFdx(position);
  vec3 py = dFdy(position);
  vec2 ux = dFdx(uv);
  vec2 uy = dFdy(uv);
  float determinant = ux.x * uy.y - ux.y * uy.x;
  vec3 along_u = (uy.y * px - ux.y * py) * sign(determinant);
  vec3 along_v = (ux.x * py - uy.x * px) * sign(determinant);
  vec3 t = along_u - n * dot(n, along_u);
  float length2 = dot(t, t);
  t = length2 > 0.0 ? t * inversesqrt(length2) : normalize(cross(n, abs(n.y) < 0.9 ? vec3(0.0, 1.0, 0.0) : vec3(1.0, 0.0, 0.0)));
  vec3 b = cross(n, t);
  return mat3(t, dot(b, along_v) < 0.0 ? -b : b, n);
}

uint level_here() {
  if (counts.z != 0u) return min(counts.z - 1u, VD_LEVELS - 1u);
  float level = vd_level(dFdx(uv) * footprint, dFdy(uv) * footprint);
  return vd_pick_level(level, next_random());
}

struct Place {
  mat3 frame;
  uint level;
  VdSurface surface;
  vec3 wi;
};

// Starts the random numbers of this pixel and sample.
Place place_here() {
  seed_random();
  mat3 frame = shading_frame();
  uint level = level_here();
  return Place(frame, level, vd_fetch(uv, level), to_viewer() * frame);
}
