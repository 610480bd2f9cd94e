// Pictures of what lies behind the material, as views.wgsl has them.
// `latent_channel(surface, channel)` is made for each material: how many vectors hold its latent depends on it.

uniform uint channel;

out vec4 colour;

vec3 level_colour(uint level) {
  float hue = (1.0 - float(level) / max(float(VD_LEVELS - 1u), 1.0)) * 2.0 / 3.0;
  return clamp(abs(fract(hue + vec3(0.0, 2.0, 1.0) / 3.0) * 6.0 - 3.0) - 1.0, 0.0, 1.0);
}

void main() {
  Place place = place_here();
  vec3 found = vec3(fract(uv), 0.0);
  if (counts.w == 1u) found = level_colour(place.level) * (0.35 + 0.65 * abs(place.wi.z));
  if (counts.w == 2u) {
    vec3 latent = vec3(latent_channel(place.surface, channel), latent_channel(place.surface, channel + 1u), latent_channel(place.surface, channel + 2u));
    found = 0.5 + 0.25 * latent;
  }
  if (counts.w == 3u) found = 0.5 + 0.5 * place.surface.n0;
  if (counts.w == 4u) found = 0.5 + 0.5 * place.frame[2];
  if (counts.w == 5u) found = vd_albedo(place.surface, place.wi);
  colour = vec4(found, 1.0);
}
