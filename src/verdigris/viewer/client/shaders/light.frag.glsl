// Direct light: directions that the page drew from the sky, the same for all pixels of a sample, and one that the
// material draws for each. Nothing casts a shadow.

const int LIGHTS = 8;
uniform vec4 lights[LIGHTS];  // direction, density

out vec4 colour;

float power_heuristic(float taken, float other) {
  float squared = taken * taken;
  return squared > 0.0 ? squared / (squared + other * other) : 0.0;
}

void main() {
  Place place = place_here();
  float there = vd_opacity(place.surface);
  vec3 through = sky_radiance(-to_viewer());
  if (place.wi.z <= 0.0) {
    colour = vec4(through * (1.0 - there), 1.0);
    return;
  }
  VdMixture mixture = vd_mixture(place.surface, place.wi);
  vec4 drawn = vd_mixture_sample(mixture, place.wi, vec3(next_random(), next_random(), next_random()));
  int count = int(counts.y);
  vec3 sum = vec3(0.0);
  for (int k = 0; k <= count; k++) {
    bool own = k == count;
    vec3 wo = own ? drawn.xyz : lights[min(k, LIGHTS - 1)].xyz * place.frame;
    vec3 outward = place.frame * wo;
    float material_pdf = own ? drawn.w : vd_mixture_pdf(mixture, place.wi, wo);
    float light_pdf = float(count) * (own ? sky_pdf(outward) : lights[min(k, LIGHTS - 1)].w);
    float pdf = own ? material_pdf : light_pdf;
    float share = power_heuristic(pdf, own ? light_pdf : material_pdf);
    vec3 value = vd_eval(place.surface, place.wi, wo);
    if (wo.z > 0.0 && pdf > 0.0) sum += value * sky_radiance(outward) * (share / pdf);
  }
  vec3 found = (sum + vd_emission(place.surface)) * there + through * (1.0 - there);
  colour = vec4(all(lessThan(abs(found), vec3(1e30))) ? found : vec3(0.0), 1.0);
}
