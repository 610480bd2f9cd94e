// Carries a mesh to the screen. The camera's numbers are those of frame.wgsl.

layout(location = 0) in vec3 corner;
layout(location = 1) in vec3 corner_normal;
layout(location = 2) in vec2 corner_uv;

uniform vec4 origin;   // w: tangent of half the field of view of the shorter side
uniform vec3 right;
uniform vec3 up;
uniform vec3 forward;
uniform vec2 size;     // of the picture, pixels
uniform vec2 shift;    // of this sample from the pixel's centre, pixels, y downwards
uniform vec2 range;    // nearest and farthest depth

out vec3 position;
out vec3 normal;
out vec2 uv;

void main() {
  vec3 seen = corner - origin.xyz;
  float depth = dot(seen, forward);
  vec2 scale = min(size.x, size.y) / (size * origin.w);
  vec2 place = vec2(dot(seen, right), dot(seen, up)) * scale - depth * vec2(2.0, -2.0) * shift / size;
  float z = (depth * (range.y + range.x) - 2.0 * range.x * range.y) / (range.y - range.x);
  gl_Position = vec4(place, z, depth);
  position = corner;
  normal = corner_normal;
  uv = corner_uv;
}
