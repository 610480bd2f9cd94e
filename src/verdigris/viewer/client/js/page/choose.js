// Which renderer a browser gets.

import { WebGlRenderer } from "../webgl/renderer.js";
import { WebGpuRenderer } from "../webgpu/renderer.js";

/** @import { Renderer } from "./renderer.js" */

/**
 * The best renderer that the browser has, if any. wanted: "webgl", where WebGPU is not to be tried.
 * @param {HTMLCanvasElement} canvas @param {string | null} wanted
 * @returns {Promise<Renderer | null>}
 */
export async function makeRenderer(canvas, wanted) {
  const modern = wanted === "webgl" ? null : await WebGpuRenderer.create(canvas);
  return modern ?? WebGlRenderer.create(canvas);
}
