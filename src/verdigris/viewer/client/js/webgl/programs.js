// GLSL programs, put together of the page's files and a material's functions.

import { Refused, fetchText } from "../data/fetching.js";

const HEAD = "#version 300 es\nprecision highp float;\nprecision highp int;\nprecision highp sampler2DArray;\n";

/** @typedef {{ handle: WebGLProgram, at: Record<string, WebGLUniformLocation | null> }} Program */

/** @type {Map<string, Promise<string>>} */
const texts = new Map();

/** @param {string} name @returns {Promise<string>} */
function text(name) {
  const found = texts.get(name) ?? fetchText(`shaders/${name}.glsl`);
  texts.set(name, found);
  return found;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {string} vertex name of a file
 * @param {string[]} fragment names of files, in order
 * @param {string} between code that comes before them
 * @returns {Promise<Program>}
 */
export async function makeProgram(gl, vertex, fragment, between = "") {
  const parts = await Promise.all([text(vertex), ...fragment.map(text)]);
  const handle = gl.createProgram();
  const shaders = [compile(gl, gl.VERTEX_SHADER, HEAD + parts[0]), compile(gl, gl.FRAGMENT_SHADER, [HEAD, between, ...parts.slice(1)].join("\n"))];
  shaders.forEach((shader) => gl.attachShader(handle, shader));
  gl.linkProgram(handle);
  if (!gl.getProgramParameter(handle, gl.LINK_STATUS) && !gl.isContextLost()) {
    const why = shaders.map((shader) => gl.getShaderInfoLog(shader)).join(" ") + gl.getProgramInfoLog(handle);
    throw new Refused(`${fragment.at(-1)}: the shader was refused: ${why.trim().split("\n")[0]}`);
  }
  shaders.forEach((shader) => gl.deleteShader(shader));
  /** @type {Record<string, WebGLUniformLocation | null>} */
  const at = {};
  const count = gl.getProgramParameter(handle, gl.ACTIVE_UNIFORMS) ?? 0;
  for (let k = 0; k < count; k++) {
    const name = /** @type {WebGLActiveInfo} */ (gl.getActiveUniform(handle, k)).name.replace("[0]", "");
    at[name] = gl.getUniformLocation(handle, name);
  }
  return { handle, at };
}

/** @param {WebGL2RenderingContext} gl @param {number} kind @param {string} code */
function compile(gl, kind, code) {
  const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
  gl.shaderSource(shader, code);
  gl.compileShader(shader);
  return shader;
}

/** A channel of a latent by number: how many vectors hold it depends on the material. @param {number} channels @returns {string} */
export function latentChannel(channels) {
  const lines = Array.from({ length: Math.ceil(channels / 4) }, (_, k) => `if (channel / 4u == ${k}u) return surface.latent${k}[int(channel % 4u)];`);
  return `float latent_channel(VdSurface surface, uint channel) { ${lines.join(" ")} return 0.0; }`;
}
