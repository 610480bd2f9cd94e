// The numbers that kernels are given, laid out as `Frame` in frame.wgsl and `Display` in display.wgsl.

import { displayMode } from "../page/renderer.js";

/** @import { Shot } from "../page/renderer.js" */
/** @import { WebGpuRenderer } from "./renderer.js" */

/** @param {WebGpuRenderer} renderer @param {Shot} shot @returns {ArrayBuffer} */
export function frameUniforms(renderer, shot) {
  const { origin, right, up, forward, tangent } = shot.camera;
  const { width, height } = renderer.canvas;
  const table = renderer.table ?? { width: 1, height: 1 };
  const bytes = new ArrayBuffer(7 * 16);
  new Float32Array(bytes, 0, 20).set([
    ...[...origin, tangent],
    ...[...right, width],
    ...[...up, height],
    ...[...forward, 0],
    ...[Math.cos(shot.rotation), Math.sin(shot.rotation), shot.footprint, 0],
  ]);
  const level = shot.level === null ? 0 : shot.level + 1;
  new Uint32Array(bytes, 80).set([
    ...[renderer.samples, shot.depth, level, shot.view],
    ...[shot.channel, shot.background ? 1 : 0, table.width, table.height],
  ]);
  return bytes;
}

/** @param {WebGpuRenderer} renderer @param {Shot} shot @returns {ArrayBuffer} */
export function displayUniforms(renderer, shot) {
  const { width, height } = renderer.canvas;
  const bytes = new ArrayBuffer(32);
  new Float32Array(bytes, 0, 6).set([width, height, 2 ** shot.exposure, shot.split, renderer.samples, shot.gain]);
  new Uint32Array(bytes, 24).set([shot.tone, displayMode(renderer, shot)]);
  return bytes;
}
