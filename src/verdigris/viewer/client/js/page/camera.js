// The camera: a point it turns about, two angles and a distance. The world's +y is up.

/**
 * Angles in radians: azimuth 0 looks along -z, elevation above the horizon. fov: degrees, of the shorter side.
 * @typedef {{ azimuth: number, elevation: number, distance: number, target: number[], fov: number }} Camera
 */

/** @typedef {{ origin: number[], right: number[], up: number[], forward: number[], tangent: number }} View */

export const ELEVATION_MAX = Math.PI / 2 - 1e-3;

/** The camera that stands at `origin`. @param {{ origin: number[], target: number[], fov: number }} stand @returns {Camera} */
export function cameraFrom({ origin, target, fov }) {
  const offset = origin.map((value, axis) => value - target[axis]);
  const distance = Math.hypot(...offset);
  return {
    azimuth: Math.atan2(offset[0], offset[2]),
    elevation: Math.asin(offset[1] / distance),
    distance,
    target: [...target],
    fov,
  };
}

/** @param {Camera} camera @returns {View} */
export function viewOf(camera) {
  const level = Math.cos(camera.elevation);
  const back = [Math.sin(camera.azimuth) * level, Math.sin(camera.elevation), Math.cos(camera.azimuth) * level];
  const right = [Math.cos(camera.azimuth), 0, -Math.sin(camera.azimuth)];
  return {
    origin: camera.target.map((value, axis) => value + camera.distance * back[axis]),
    right,
    up: cross(back, right),
    forward: back.map((value) => -value),
    tangent: Math.tan((camera.fov * Math.PI) / 360),
  };
}

/** Turned by angles in radians. @param {Camera} camera @param {number} right @param {number} up @returns {Camera} */
export function orbited(camera, right, up) {
  const azimuth = (camera.azimuth + right) % (2 * Math.PI);
  return { ...camera, azimuth, elevation: clamp(camera.elevation + up, -ELEVATION_MAX, ELEVATION_MAX) };
}

/** Moved across the view, by shares of what is seen at the target. @param {Camera} camera @param {number} right @param {number} up @returns {Camera} */
export function panned(camera, right, up) {
  const view = viewOf(camera);
  const scale = 2 * camera.distance * view.tangent;
  const target = camera.target.map((value, axis) => value + scale * (right * view.right[axis] + up * view.up[axis]));
  return { ...camera, target };
}

/** @param {Camera} camera @param {number} factor of the distance @returns {Camera} */
export function zoomed(camera, factor) {
  return { ...camera, distance: clamp(camera.distance * factor, 0.05, 1000) };
}

/** @param {number[]} a @param {number[]} b */
function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** @param {number} x @param {number} low @param {number} high */
function clamp(x, low, high) {
  return Math.min(Math.max(x, low), high);
}
