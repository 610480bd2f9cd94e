// Rays of the camera, a perspective whose field of view is that of the picture's shorter side.

// pixel: in pixels from the upper left corner, centres at halves.
fn camera_direction(pixel: vec2f) -> vec3f {
  let size = vec2f(frame.right.w, frame.up.w);
  let scale = 2.0 * frame.origin.w / min(size.x, size.y);
  let x = (pixel.x - 0.5 * size.x) * scale;
  let y = (0.5 * size.y - pixel.y) * scale;
  return normalize(frame.forward.xyz + x * frame.right.xyz + y * frame.up.xyz);
}

// The cone of a pixel of the same area.
fn camera_cone(pixel: vec2f, direction: vec3f) -> Cone {
  let x = length(camera_direction(pixel + vec2f(1.0, 0.0)) - direction);
  let y = length(camera_direction(pixel + vec2f(0.0, 1.0)) - direction);
  return Cone(0.0, sqrt(x * y));
}
