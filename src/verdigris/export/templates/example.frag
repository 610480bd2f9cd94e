#version 300 es
precision highp float;
precision highp int;

// material.glsl

// A square of the material under one light, seen from above: the whole of uv over an image.
uniform vec2 size;
out vec4 colour;

void main() {
  vec2 uv = gl_FragCoord.xy / size;
  float level = vd_level(dFdx(uv), dFdy(uv));
  VdSurface s = vd_fetch(uv, vd_pick_level(level, 0.5));
  vec3 wi = vec3(0.0, 0.0, 1.0);
  vec3 wo = normalize(vec3(0.4, 0.3, 1.0));
  colour = vec4(3.0 * vd_eval(s, wi, wo), 1.0);
}
