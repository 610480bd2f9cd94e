// Textures and buffers of WebGL 2.

/** @import { Environment } from "../data/environment.js" */
/** @import { MaterialParts } from "../page/renderer.js" */

/** @typedef {{ texture: WebGLTexture, frame: WebGLFramebuffer }} Target */

/** A texture of floats that is drawn into. @param {WebGL2RenderingContext} gl @param {number} width @param {number} height @param {WebGLRenderbuffer | null} depth @returns {Target} */
export function makeTarget(gl, width, height, depth) {
  const texture = floatTexture(gl, gl.RGBA32F, gl.RGBA, width, height, null);
  const frame = /** @type {WebGLFramebuffer} */ (gl.createFramebuffer());
  gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  if (depth) gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.RENDERBUFFER, depth);
  return { texture, frame };
}

/** A texture of 32-bit floats that is read texel by texel. @param {WebGL2RenderingContext} gl @param {number} internal @param {number} format @param {number} width @param {number} height @param {Float32Array | null} data @returns {WebGLTexture} */
export function floatTexture(gl, internal, format, width, height, data) {
  const texture = /** @type {WebGLTexture} */ (gl.createTexture());
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, internal, width, height, 0, format, gl.FLOAT, data);
  nearest(gl, gl.TEXTURE_2D);
  return texture;
}

/** @param {WebGL2RenderingContext} gl @param {Environment} environment @returns {WebGLTexture} */
export function skyTexture(gl, { width, height, half }) {
  const texture = /** @type {WebGLTexture} */ (gl.createTexture());
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA16F, width, height, 0, gl.RGBA, gl.HALF_FLOAT, half);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return texture;
}

/** Latents as layers of four channels, all levels. @param {WebGL2RenderingContext} gl @param {MaterialParts} parts @returns {WebGLTexture} */
export function latentTexture(gl, { latents, width, height, levels, channels }) {
  const layers = Math.ceil(channels / 4);
  const texture = /** @type {WebGLTexture} */ (gl.createTexture());
  gl.bindTexture(gl.TEXTURE_2D_ARRAY, texture);
  gl.texStorage3D(gl.TEXTURE_2D_ARRAY, levels, gl.RGBA16F, width, height, layers);
  nearest(gl, gl.TEXTURE_2D_ARRAY);
  const halves = new Uint16Array(latents);
  for (let level = 0, start = 0; level < levels; level++) {
    const [w, h] = [Math.max(width >> level, 1), Math.max(height >> level, 1)];
    const texels = layered(halves.subarray(start, start + w * h * layers * 4), layers);
    gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, level, 0, 0, 0, w, h, layers, gl.RGBA, gl.HALF_FLOAT, texels);
    start += w * h * layers * 4;
  }
  return texture;
}

/** From texel by texel to layer by layer. @param {Uint16Array} halves @param {number} layers */
function layered(halves, layers) {
  const count = halves.length / (4 * layers);
  const result = new Uint16Array(halves.length);
  for (let texel = 0; texel < count; texel++) {
    for (let layer = 0; layer < layers; layer++) {
      const from = 4 * (texel * layers + layer);
      result.set(halves.subarray(from, from + 4), 4 * (layer * count + texel));
    }
  }
  return result;
}

/** @param {WebGL2RenderingContext} gl @param {number} target */
function nearest(gl, target) {
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(target, name, gl.NEAREST);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(target, name, gl.CLAMP_TO_EDGE);
}
