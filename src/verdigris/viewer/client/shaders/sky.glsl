// Light from far away, as sky.wgsl has it, but for drawing: the page draws the directions.

const float PI = 3.14159265359;

uniform highp sampler2D sky;
uniform highp sampler2D density;  // of a direction, times the sine of its polar angle
uniform vec2 rotation;            // cosine and sine of the light's rotation

vec2 sky_uv(vec3 d) {
  vec3 turned = vec3(rotation.x * d.x - rotation.y * d.z, d.y, rotation.x * d.z + rotation.y * d.x);
  float u = atan(turned.x, -turned.z) / (2.0 * PI);
  return vec2(u - floor(u), acos(clamp(turned.y, -1.0, 1.0)) / PI);
}

vec3 sky_radiance(vec3 direction) {
  return textureLod(sky, sky_uv(direction), 0.0).rgb;
}

float sky_pdf(vec3 direction) {
  ivec2 size = textureSize(density, 0);
  ivec2 place = min(ivec2(sky_uv(direction) * vec2(size)), size - 1);
  return texelFetch(density, place, 0).r / sqrt(max(1.0 - direction.y * direction.y, 1e-12));
}
