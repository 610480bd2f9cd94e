// The light behind the object.

uniform vec4 origin;
uniform vec3 right;
uniform vec3 up;
uniform vec3 forward;
uniform vec2 size;
uniform vec2 shift;

out vec4 colour;

void main() {
  vec2 pixel = vec2(gl_FragCoord.x, size.y - gl_FragCoord.y) + shift;
  vec2 place = (pixel - 0.5 * size) * 2.0 * origin.w / min(size.x, size.y);
  colour = vec4(sky_radiance(normalize(forward + place.x * right - place.y * up)), 1.0);
}
