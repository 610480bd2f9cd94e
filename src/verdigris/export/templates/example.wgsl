// A square of the material under one light, seen from above: the whole of uv over an image.
@group(1) @binding(0) var image: texture_storage_2d<rgba16float, write>;

@compute @workgroup_size(8, 8)
fn example(@builtin(global_invocation_id) id: vec3u) {
  let size = textureDimensions(image);
  if (any(id.xy >= size)) { return; }
  let uv = (vec2f(id.xy) + 0.5) / vec2f(size);
  let level = vd_level(vec2f(1.0 / f32(size.x), 0.0), vec2f(0.0, 1.0 / f32(size.y)));
  let s = vd_fetch(uv, vd_pick_level(level, 0.5));
  let wi = vec3f(0.0, 0.0, 1.0);
  let wo = normalize(vec3f(0.4, 0.3, 1.0));
  textureStore(image, vec2u(id.x, size.y - 1u - id.y), vec4f(3.0 * vd_eval(s, wi, wo), 1.0));
}
